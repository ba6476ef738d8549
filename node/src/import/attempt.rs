//! Puts an attempt together from the values of a row.

use super::{
    date::{self, NoDate, When},
    effect::{self, EffectClass},
    error::{Reason, Warning, Warnings, warn},
    field::Field,
    header::plain,
    parsed::{ParsedAttempt, ParsedPerson, ParsedResult},
};

/// An attempt in the making; the person of the row is made beside it.
#[derive(Default)]
pub(super) struct AttemptBuilder {
    date: String,
    result: String,
    contact_type: String,
    committee: String,
}

impl AttemptBuilder {
    /// Takes a value that is not empty; false if the field is not an attempt's.
    pub(super) fn set(&mut self, field: Field, value: &str) -> bool {
        let place = match field {
            Field::ContactDate => &mut self.date,
            Field::Result => &mut self.result,
            Field::ContactType => &mut self.contact_type,
            Field::Committee => &mut self.committee,
            _ => return false,
        };
        if place.is_empty() {
            value.clone_into(place);
        }
        true
    }

    /// The attempt to reach this person, or why the row is none. A result that neither the admin's own
    /// table nor ours has is an attempt only, flagged.
    pub(super) fn finish(
        self,
        person: ParsedPerson,
        own: &[(String, EffectClass)],
        warnings: &mut Warnings,
    ) -> Result<ParsedAttempt, (Field, Reason)> {
        let when = read_date(&self.date).map_err(|reason| (Field::ContactDate, reason))?;
        let result = plain(&self.result);
        let own = own.iter().find(|(name, _)| plain(name) == result);
        let class = own
            .map(|(_, class)| *class)
            .or_else(|| effect::classify(&self.result));
        if class.is_none() {
            warn(warnings, Warning::ResultUnknown);
        }
        let channel = effect::channel(&self.contact_type);
        if channel.is_none() && !self.contact_type.is_empty() {
            warn(warnings, Warning::ContactTypeUnknown);
        }
        Ok(ParsedAttempt {
            identifiers: person.identifiers,
            voter_name: some(whole_name(&person.name)),
            when,
            channel: channel.flatten(),
            result: ParsedResult {
                raw: self.result,
                class: class.unwrap_or(EffectClass::AttemptOnly),
                flagged: class.is_none(),
            },
            committee: some(self.committee),
            contact_type: some(self.contact_type),
            address: person.address,
            phones: person.phones,
            emails: person.emails,
            flags: person.flags,
            extra: person.extra,
        })
    }
}

fn read_date(text: &str) -> Result<When, Reason> {
    if text.is_empty() {
        return Err(Reason::KeyMissing);
    }
    date::when(text).map_err(|error| match error {
        NoDate::Shape => Reason::DateShape,
        NoDate::Impossible => Reason::DateImpossible,
    })
}

fn whole_name(name: &super::parsed::ParsedName) -> String {
    if !name.full.is_empty() {
        return name.full.clone();
    }
    let parts = [&name.given, &name.middle, &name.surname, &name.suffix];
    let parts: Vec<&str> = parts
        .into_iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(" ")
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
