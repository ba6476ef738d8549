//! Puts a person together from the values of a row, each already known by its field.
//!
//! Where a mark is unclear, protection is assumed and consent is not: an unknown word under
//! "do not call" counts as yes, under "opt in" as nothing, under "deceased" as nothing.

use super::{
    date::{self, NoDate, When},
    error::{Reason, Warning, Warnings, warn},
    field::{Field, Part},
    limits::TAGS_MAX,
    parsed::{
        Answer, Flag, Identifier, ParsedAddress, ParsedEmail, ParsedPerson, ParsedPhone, PhoneKind,
        VoterId,
    },
    value::{Answered, answered, digits, is_email, is_phone, is_plain_no, zip_at_end},
};
use crate::turf::position::Position;
use jiff::civil::Date;
use protocol::channel::Channel;
use std::collections::BTreeSet;

/// A person in the making.
#[derive(Default)]
pub(super) struct PersonBuilder {
    person: ParsedPerson,
    voter_id: String,
    voter_state: String,
    door: Door,
    other_door: Door,
    whole_address: String,
    phones_bad: BTreeSet<PhoneKind>,
    phones_mobile: BTreeSet<PhoneKind>,
    opt_in_phone: String,
    opt_in: Option<bool>,
    emails: Vec<(u8, String)>,
    emails_bad: BTreeSet<u8>,
    unsubscribed_at: Option<Option<When>>,
    flags: BTreeSet<Flag>,
    /// Channels whose opt-in column says no more than no.
    plain_no: BTreeSet<Channel>,
    refused: Option<Reason>,
}

/// An address in the making: the four further digits of a ZIP code may come before the five.
#[derive(Default)]
struct Door {
    address: ParsedAddress,
    zip4: String,
    latitude: String,
    longitude: String,
}

impl PersonBuilder {
    /// Takes a value that is not empty; false if the field is not a person's.
    pub(super) fn set(&mut self, field: Field, value: &str, warnings: &mut Warnings) -> bool {
        match field {
            Field::Id(system) => {
                let known = self
                    .person
                    .identifiers
                    .iter()
                    .any(|known| known.system == system);
                if !known {
                    self.person.identifiers.push(Identifier {
                        system,
                        id: value.to_owned(),
                    });
                }
            }
            Field::VoterId => first(&mut self.voter_id, value),
            Field::VoterState => first(&mut self.voter_state, value),
            Field::GivenName => first(&mut self.person.name.given, value),
            Field::MiddleName => first(&mut self.person.name.middle, value),
            Field::Surname => first(&mut self.person.name.surname, value),
            Field::NameSuffix => first(&mut self.person.name.suffix, value),
            Field::FullName => first(&mut self.person.name.full, value),
            Field::BirthDate | Field::BirthYear => self.set_birth(value, warnings),
            Field::Door(part) => self.door.set(part, value),
            Field::OtherDoor(part) => self.other_door.set(part, value),
            Field::WholeAddress => first(&mut self.whole_address, value),
            Field::Tags => self.set_tags(value, warnings),
            Field::SupportLevel => {
                self.person.answers.push(Answer {
                    question: "support level",
                    value: value.to_owned(),
                });
            }
            Field::ContactKind => {
                if !value.eq_ignore_ascii_case("individual") {
                    self.refused = Some(Reason::NotAPerson);
                }
            }
            Field::InTrash => {
                if answered(value) == Answered::Yes {
                    self.refused = Some(Reason::InTrash);
                }
            }
            _ => {
                return self.set_contact(field, value, warnings)
                    || self.set_mark(field, value, warnings);
            }
        }
        true
    }

    fn set_birth(&mut self, value: &str, warnings: &mut Warnings) {
        let born = match date::when(value) {
            Ok(When::Day(day)) => Ok(Ok(day)),
            Ok(When::Local(time)) => Ok(Ok(time.date())),
            // The day depends on a zone that the person may never have been in.
            Ok(When::Instant(_)) => Err(NoDate::Shape),
            Err(_) => date::year(value).map(Err),
        };
        match born {
            Ok(Ok(day)) if is_placeholder(day) => warn(warnings, Warning::BirthPlaceholder),
            Ok(Ok(day)) => {
                self.person.birth_date.get_or_insert(day);
                self.person.birth_year.get_or_insert(day.year());
            }
            Ok(Err(year)) => {
                self.person.birth_year.get_or_insert(year);
            }
            Err(_) => warn(warnings, Warning::DateUnreadable),
        }
    }

    fn set_tags(&mut self, value: &str, warnings: &mut Warnings) {
        for tag in value
            .split(',')
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
        {
            if self.person.tags.len() >= TAGS_MAX {
                warn(warnings, Warning::TooManyTags);
                return;
            }
            self.person.tags.push(tag.to_owned());
        }
    }

    fn set_contact(&mut self, field: Field, value: &str, warnings: &mut Warnings) -> bool {
        match field {
            Field::Phone(_) | Field::OptInPhone if !is_phone(value) => {
                warn(warnings, Warning::PhoneUnreadable)
            }
            Field::Phone(kind) => self.add_phone(kind, value),
            Field::OptInPhone => first(&mut self.opt_in_phone, value),
            Field::Email(_) if !is_email(value) => warn(warnings, Warning::EmailUnreadable),
            Field::Email(number) => self.emails.push((number, value.to_owned())),
            _ => return false,
        }
        true
    }

    /// Adds a number once; a column that names the kind of line tells more than one that does not.
    fn add_phone(&mut self, kind: PhoneKind, raw: &str) {
        let number = digits(raw);
        match self
            .person
            .phones
            .iter_mut()
            .find(|known| digits(&known.raw) == number)
        {
            Some(known) if known.kind == PhoneKind::Unknown => known.kind = kind,
            Some(_) => {}
            None => self.person.phones.push(ParsedPhone {
                raw: raw.to_owned(),
                kind,
                bad: false,
                opt_in: None,
            }),
        }
    }

    fn set_mark(&mut self, field: Field, value: &str, warnings: &mut Warnings) -> bool {
        let answer = answered(value);
        let (yes, protected) = (answer == Answered::Yes, answer != Answered::No);
        match field {
            Field::UnsubscribedAt => {
                let at = date::when(value).ok();
                if at.is_none() {
                    warn(warnings, Warning::DateUnreadable);
                }
                self.unsubscribed_at.get_or_insert(at);
                return true;
            }
            Field::OptIn(channel) => match answer {
                Answered::Yes => self.flag_if(true, Flag::OptIn { channel }),
                Answered::No if is_plain_no(value) => _ = self.plain_no.insert(channel),
                Answered::No => self.flag_if(true, Flag::OptOut { channel, at: None }),
                Answered::Unclear => {}
            },
            Field::OptInStatus => self.opt_in = (answer != Answered::Unclear).then_some(yes),
            Field::OptOut(channel) => self.flag_if(protected, Flag::OptOut { channel, at: None }),
            Field::DoNot(channel) => self.flag_if(protected, Flag::DoNot { channel }),
            Field::DoNotMail => self.flag_if(protected, Flag::DoNotMail),
            Field::DoNotContact => {
                for channel in Channel::ALL {
                    self.flag_if(protected, Flag::DoNot { channel });
                }
                self.flag_if(protected, Flag::DoNotMail);
                self.flag_if(protected, Flag::NeverShare);
            }
            Field::NeverShare => self.flag_if(protected, Flag::NeverShare),
            Field::FccRegistry => self.flag_if(protected, Flag::FccRegistry),
            Field::Deceased => self.flag_if(yes, Flag::Deceased),
            Field::PhoneBad(kind) if yes => _ = self.phones_bad.insert(kind),
            Field::PhoneIsMobile(kind) if yes => _ = self.phones_mobile.insert(kind),
            Field::EmailBad(number) if yes => _ = self.emails_bad.insert(number),
            Field::PhoneBad(_) | Field::PhoneIsMobile(_) | Field::EmailBad(_) => {}
            _ => return false,
        }
        if answer == Answered::Unclear {
            warn(warnings, Warning::YesNoUnclear);
        }
        true
    }

    fn flag_if(&mut self, set: bool, flag: Flag) {
        if set {
            self.flags.insert(flag);
        }
    }

    /// The person, or why the row is none.
    pub(super) fn finish(mut self, warnings: &mut Warnings) -> Result<ParsedPerson, Reason> {
        if let Some(reason) = self.refused {
            return Err(reason);
        }
        self.finish_address(warnings);
        self.finish_voter_id(warnings);
        self.finish_phones();
        self.finish_emails();
        self.finish_flags();
        Ok(self.person)
    }

    fn finish_address(&mut self, warnings: &mut Warnings) {
        let mut address = std::mem::take(&mut self.door).finish(warnings);
        let other = std::mem::take(&mut self.other_door).finish(warnings);
        if !address.has_street() && other.has_street() {
            address = other;
        }
        let (before_zip, zip) = match zip_at_end(&self.whole_address) {
            Some((before, zip)) => (before, Some(zip)),
            None => (self.whole_address.as_str(), None),
        };
        if !address.has_street() {
            // "12 Elm St, Dover, OH": the street ends at the first comma.
            let street = before_zip.split(',').next().unwrap_or_default();
            street.trim().clone_into(&mut address.line1);
        }
        if let (true, Some(zip)) = (address.postal_code.is_empty(), zip) {
            zip.clone_into(&mut address.postal_code);
        }
        if address.has_street() && address.postal_code.is_empty() {
            warn(warnings, Warning::ZipMissing);
        }
        self.person.address = address;
    }

    fn finish_voter_id(&mut self, warnings: &mut Warnings) {
        if self.voter_id.is_empty() {
            return;
        }
        let id = std::mem::take(&mut self.voter_id);
        let of_address = &self.person.address.state;
        let state = if self.voter_state.is_empty() {
            of_address
        } else {
            &self.voter_state
        };
        if state.is_empty() {
            warn(warnings, Warning::VoterStateMissing);
            self.person
                .extra
                .push(("voter id without a state".into(), id));
        } else {
            self.person.voter_id = Some(VoterId {
                state: state.clone(),
                id,
            });
        }
    }

    fn finish_phones(&mut self) {
        for phone in &mut self.person.phones {
            phone.bad = self.phones_bad.contains(&phone.kind);
            if self.phones_mobile.contains(&phone.kind) {
                phone.kind = PhoneKind::Mobile;
            }
        }
        if self.opt_in_phone.is_empty() {
            return;
        }
        let raw = std::mem::take(&mut self.opt_in_phone);
        self.add_phone(PhoneKind::Unknown, &raw);
        let number = digits(&raw);
        if let Some(phone) = self
            .person
            .phones
            .iter_mut()
            .find(|phone| digits(&phone.raw) == number)
        {
            phone.opt_in = self.opt_in;
        }
    }

    fn finish_emails(&mut self) {
        for (number, raw) in std::mem::take(&mut self.emails) {
            let bad = self.emails_bad.contains(&number);
            match self
                .person
                .emails
                .iter_mut()
                .find(|known| known.raw.eq_ignore_ascii_case(&raw))
            {
                Some(known) => known.bad |= bad,
                None => self.person.emails.push(ParsedEmail { raw, bad }),
            }
        }
    }

    /// A withdrawal wins over a consent on the same channel. A plain no withdraws where there is
    /// something to withdraw: systems write it for everybody who has no number or address at all.
    fn finish_flags(&mut self) {
        for channel in std::mem::take(&mut self.plain_no) {
            let reached = match channel {
                Channel::Door => self.person.address.has_street(),
                Channel::Phone => !self.person.phones.is_empty(),
                Channel::Text => self.person.phones.iter().any(can_be_mobile),
                Channel::Email => !self.person.emails.is_empty(),
            };
            self.flag_if(reached, Flag::OptOut { channel, at: None });
        }
        if let Some(at) = self.unsubscribed_at {
            let email = Channel::Email;
            self.flags.remove(&Flag::OptOut {
                channel: email,
                at: None,
            });
            self.flags.insert(Flag::OptOut { channel: email, at });
        }
        let flags = std::mem::take(&mut self.flags);
        let withdrawn: Vec<Channel> = flags
            .iter()
            .filter_map(|flag| match flag {
                Flag::OptOut { channel, .. } => Some(*channel),
                _ => None,
            })
            .collect();
        let stands =
            |flag: &Flag| !matches!(flag, Flag::OptIn { channel } if withdrawn.contains(channel));
        self.person.flags = flags.into_iter().filter(stands).collect();
    }
}

impl Door {
    fn set(&mut self, part: Part, value: &str) {
        let address = &mut self.address;
        let parts = &mut address.parts;
        let place = match part {
            Part::Line1 => &mut address.line1,
            Part::Line2 => &mut address.line2,
            Part::City => &mut address.city,
            Part::County => &mut address.county,
            Part::State => &mut address.state,
            Part::Zip => &mut address.postal_code,
            Part::Zip4 => &mut self.zip4,
            Part::Country => &mut address.country,
            Part::Number => &mut parts.number,
            Part::NumberSuffix => &mut parts.number_suffix,
            Part::StreetPrefix => &mut parts.prefix,
            Part::Street => &mut parts.street,
            Part::StreetKind => &mut parts.kind,
            Part::StreetSuffix => &mut parts.suffix,
            Part::UnitKind => &mut parts.unit_kind,
            Part::Unit => &mut parts.unit,
            Part::Latitude => &mut self.latitude,
            Part::Longitude => &mut self.longitude,
            Part::Precinct => &mut address.precinct,
        };
        first(place, value);
    }

    /// Puts the lines together from the parts where there are no lines, and the ZIP code from its two.
    fn finish(self, warnings: &mut Warnings) -> ParsedAddress {
        let Self {
            mut address,
            zip4,
            latitude,
            longitude,
        } = self;
        if !latitude.is_empty() || !longitude.is_empty() {
            address.position = Position::parse(&latitude, &longitude).ok();
            if address.position.is_none() {
                warn(warnings, Warning::PositionUnreadable);
            }
        }
        let parts = &address.parts;
        if address.line1.is_empty() && !parts.street.is_empty() {
            let number = format!("{} {}", parts.number, parts.number_suffix);
            address.line1 = words([
                &number,
                &parts.prefix,
                &parts.street,
                &parts.kind,
                &parts.suffix,
            ]);
        }
        if address.line2.is_empty() {
            address.line2 = words([&parts.unit_kind, &parts.unit]);
        }
        if address.postal_code.len() == 5 && zip4.len() == 4 {
            address.postal_code = format!("{}-{zip4}", address.postal_code);
        }
        address
    }
}

/// Joins what is not blank with single spaces.
fn words<const N: usize>(parts: [&String; N]) -> String {
    let words: Vec<&str> = parts
        .into_iter()
        .flat_map(|part| part.split_whitespace())
        .collect();
    words.join(" ")
}

/// Of several columns with one meaning the first that has a value counts.
fn first(place: &mut String, value: &str) {
    if place.is_empty() {
        value.clone_into(place);
    }
}

/// Whether texts may reach a number, as far as the file says.
fn can_be_mobile(phone: &ParsedPhone) -> bool {
    matches!(phone.kind, PhoneKind::Mobile | PhoneKind::Unknown)
}

/// Days that lists use for "unknown"; as birth dates they would tie strangers together.
fn is_placeholder(day: Date) -> bool {
    matches!((day.year(), day.month(), day.day()), (1800 | 1900, 1, 1))
}

#[cfg(test)]
mod tests;
