//! From a person of the lists and a flow to the row that the gate judges.

use super::{
    consent,
    payload::{Fields, Grounds},
    setting::Setting,
};
use crate::store::{person::Address, share::candidate::Candidate};
use policy::{Basis, Jurisdiction, Purpose, Record, Row, RowFacts, Source};
use protocol::{channel::Channel, state::State, time::Moment, token::Token};

/// An age that nobody under it is shared at.
const ADULT: i64 = 18;

/// What all rows of one ask have in common, whoever receives them.
#[derive(Debug)]
pub struct Context<'a> {
    /// The gate's setting.
    pub setting: &'a Setting,
    /// The folded state: what allies said about tokens.
    pub state: &'a State,
    /// This organization, as the gate names it.
    pub from: &'a str,
    /// What for.
    pub purpose: Purpose,
    /// The channel as allies name it.
    pub channel: Channel,
    /// The present moment.
    pub now: Moment,
}

/// The facts of one person, with the ground as far as it does not rest on a record ([`basis`]).
#[must_use]
pub fn facts(context: &Context<'_>, person: &Candidate) -> RowFacts {
    let known = &person.member.person;
    // A word that is not in the vocabulary is treated as the source that allows least.
    let source = known.source.parse().unwrap_or(Source::Purchased);
    let mut facts = RowFacts::new(
        context.from,
        source,
        basis(person, None),
        jurisdiction(&known.address, context.setting.default_region),
    );
    facts.minor =
        known.minor || is_young(known.birth_date.as_deref(), known.birth_year, context.now);
    facts.never_share = known.never_share;
    facts.partisan = known.partisan;
    facts.terms_allow = terms_allow(source, context.purpose);
    let tokens = || {
        let points = person.member.points.iter();
        points.filter_map(|point| point.point.token)
    };
    facts.suppressed = person.suppressed.has(context.channel)
        || tokens().any(|token| context.state.suppressed(token, context.channel).is_some());
    facts.tombstoned = person.recalled_at.is_some_and(|at| {
        let mut consents = person.member.consents.iter();
        !consents.any(|consent| consent::given_after(&consent.record, at, context.now.0))
    });
    facts.recent_contact = tokens().any(|token| {
        was_contacted(
            context.state,
            context.setting.attempts_count,
            context.channel,
            token,
            context.now,
        )
    });
    facts
}

/// The ground on which a person's row may move, where it rests on a record.
#[must_use]
pub fn basis(person: &Candidate, chosen: Option<&Record>) -> Basis {
    match (person.member.person.basis.parse(), chosen) {
        (Ok(basis), _) => basis,
        (Err(_), Some(record)) => record.lawful_basis,
        // No ground is known: it would need consent, and there is none.
        (Err(_), None) => Basis::Consent,
    }
}

/// What a shared row says of itself, at whoever judges it next: the facts of which nothing but the row
/// tells, and the consent that travels with it. None when it speaks of things that this version does not
/// know.
///
/// Race labels that nobody at the table stands on a side of are left out: no rule can ask about them.
#[must_use]
pub fn of_shared(
    setting: &Setting,
    grounds: &Grounds,
    fields: &Fields,
    purpose: Purpose,
    now: Moment,
) -> Option<Row> {
    let record = grounds.consent.as_deref().map(Record::parse);
    let consent = record.transpose().ok()?;
    let source: Source = grounds.source.parse().ok()?;
    let basis: Basis = grounds.basis.parse().ok()?;
    let place: Jurisdiction = grounds.jurisdiction.parse().ok()?;
    let mut facts = RowFacts::new(&grounds.originator.to_string(), source, basis, place);
    facts.terms_allow = grounds.terms_allow && terms_allow(source, purpose);
    facts.partisan = grounds.partisan;
    facts.nonpublic = grounds.nonpublic;
    facts.taint_coordinated = setting.known_races(&grounds.coordinated);
    facts.taint_ie = setting.known_races(&grounds.independent);
    facts.minor = fields
        .identity
        .as_ref()
        .is_some_and(|identity| is_young(identity.birth_date.as_deref(), identity.birth_year, now));
    Some(Row { facts, consent })
}

/// Whether a source's terms let rows go on for a purpose; a template, not legal advice.
#[must_use]
pub fn terms_allow(source: Source, purpose: Purpose) -> bool {
    match source {
        Source::VoterFile => !matches!(
            purpose,
            Purpose::Fundraising
                | Purpose::Membership
                | Purpose::OnlineAds
                | Purpose::ConstituentService
        ),
        Source::FecReports | Source::Purchased => false,
        Source::OwnSignup
        | Source::OwnCanvass
        | Source::Partner
        | Source::Petition
        | Source::UnionRoll => true,
    }
}

/// Whose law protects a person: of the state in the address, or else of the agreement's region.
fn jurisdiction(address: &Address, default_region: Jurisdiction) -> Jurisdiction {
    let state = address.state.trim();
    if state.is_empty() {
        return default_region;
    }
    let country = address.country.trim();
    let abroad = !country.is_empty()
        && protocol::token::normalize::place::country(country).as_deref() != Some("us");
    if abroad {
        return country.parse().unwrap_or(Jurisdiction::UNKNOWN);
    }
    format!("us-{state}").parse().unwrap_or(default_region)
}

/// Whether a birth date says, or a birth year does not rule out, that the person is a minor.
#[must_use]
pub fn is_young(birth_date: Option<&str>, birth_year: Option<i64>, now: Moment) -> bool {
    let Ok(today) = jiff::Timestamp::from_millisecond(now.0) else {
        return true;
    };
    let today = today.to_zoned(jiff::tz::TimeZone::UTC).date();
    if let Some(born) = birth_date.and_then(|text| text.parse::<jiff::civil::Date>().ok()) {
        let birthday = (today.month(), today.day()) >= (born.month(), born.day());
        let age = i64::from(today.year() - born.year()) - i64::from(!birthday);
        return age < ADULT;
    }
    birth_year.is_some_and(|year| i64::from(today.year()) - year <= ADULT)
}

/// Whether somebody of the coalition was there within the agreement's recontact window.
#[must_use]
pub fn was_contacted(
    state: &State,
    attempts_count: bool,
    channel: Channel,
    token: Token,
    now: Moment,
) -> bool {
    let Some((_, rules)) = state.rules() else {
        return false;
    };
    let window = rules.recontact(channel);
    state.contacts_at(channel, token).any(|(_, times)| {
        let last = times.latest(attempts_count);
        last.is_some_and(|at| now < at.plus(window))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_795_564_800_000); // 2026-11-25

    #[test]
    fn the_eighteenth_birthday_makes_an_adult() {
        assert!(!is_young(Some("2008-11-25"), None, NOW));
        assert!(is_young(Some("2008-11-26"), None, NOW));
    }

    #[test]
    fn a_birth_year_that_leaves_it_open_counts_as_a_minor() {
        assert!(is_young(None, Some(2008), NOW));
        assert!(!is_young(None, Some(2007), NOW));
        assert!(!is_young(None, None, NOW));
    }

    #[test]
    fn the_state_of_the_address_decides_whose_law_holds() {
        let us = Jurisdiction::US;
        let at = |state: &str, country: &str| Address {
            state: state.to_owned(),
            country: country.to_owned(),
            ..Address::default()
        };
        assert_eq!(jurisdiction(&at("OH", ""), us).code(), "us-oh");
        assert_eq!(jurisdiction(&at("", ""), us), us);
        assert_eq!(jurisdiction(&at("BY", "DE"), us).code(), "de");
        assert_eq!(
            jurisdiction(&at("X", "Atlantis"), us),
            Jurisdiction::UNKNOWN
        );
    }

    #[test]
    fn a_voter_file_is_not_for_raising_money() {
        assert!(terms_allow(Source::VoterFile, Purpose::Gotv));
        assert!(!terms_allow(Source::VoterFile, Purpose::Fundraising));
        assert!(!terms_allow(Source::Purchased, Purpose::Gotv));
    }
}
