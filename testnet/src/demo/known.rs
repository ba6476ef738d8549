//! What the generator knows and the nodes must not get wrong: who is who on which list, who may flow
//! where, who was visited when.

use super::canary::national;
use crate::people::{NeverReason, OptOut, OrganizationKind, Organizations, PersonId, Row, Truth};
use std::collections::{BTreeMap, BTreeSet};

/// Results of a visit at which somebody was spoken to, whoever reads the codes.
const SPOKEN_TO: [&str; 2] = ["CV", "Refused"];

/// The generator's knowledge, by slug.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// Every list.
    pub(super) lists: BTreeMap<String, KnownList>,
    /// Whose rows may reach whom at most: sender, recipient, people.
    pub(super) may_flow: BTreeMap<(String, String), BTreeSet<PersonId>>,
}

/// One list.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownList {
    /// Its rows.
    pub(super) rows: Vec<KnownRow>,
    /// People who must not be visited, by what the list or its canvass history says.
    pub(super) no_visit: BTreeSet<PersonId>,
    /// Doors at which this organization spoke to somebody, with the last day, `YYYY-MM-DD`.
    pub(super) spoken_to: BTreeMap<String, String>,
    by_point: BTreeMap<String, Vec<usize>>,
}

/// One row of a list, as others may recognize it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KnownRow {
    /// Who.
    pub(super) person: PersonId,
    /// The organization's own key of the row.
    pub(super) key: String,
    /// Surname as written.
    pub(super) surname: String,
    /// Letters of the name.
    pub(super) name: String,
    /// E-mail address in lower case.
    pub(super) email: Option<String>,
    /// National digits of telephones.
    pub(super) phones: Vec<String>,
    /// `postal|number|street|unit`.
    pub(super) door: Option<String>,
}

/// Somebody as a walk list or a received row shows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Given name and surname.
    pub(super) name: String,
    /// E-mail addresses.
    pub(super) emails: Vec<String>,
    /// Telephones as written.
    pub(super) phones: Vec<String>,
    /// `postal|number|street|unit`, as far as the row names a door.
    pub(super) door: Option<String>,
    /// Kinds of fields that are not empty, in the words of the policy.
    pub(super) classes: BTreeSet<String>,
}

/// The letters and digits of a name, without accents and case, in their order.
pub(super) fn letters(name: &str) -> String {
    let folded = crate::people::without_accents(name);
    let of_name = folded.chars().filter(|letter| letter.is_alphanumeric());
    of_name.flat_map(char::to_lowercase).collect()
}

impl Known {
    /// Gathers it from the generated lists.
    pub(super) fn of(organizations: &Organizations, truth: &Truth) -> Self {
        let mut known = Self::default();
        for kind in OrganizationKind::ALL {
            let list = organizations.list(kind);
            let slug = kind.profile().slug.to_owned();
            let mut of_list = KnownList::default();
            of_list.add(list.rows.iter().map(KnownRow::of));
            known.lists.insert(slug, of_list);
        }
        for about in &truth.organizations {
            known.note_limits(about);
        }
        for list in &organizations.lists {
            known.note_visits(list);
        }
        known
    }

    fn note_visits(&mut self, list: &crate::people::List) {
        let doors: BTreeMap<&str, String> = list
            .rows
            .iter()
            .filter_map(|row| Some((row.key.as_str(), door_of(row)?)))
            .collect();
        let Some(known) = self.lists.get_mut(list.profile.slug) else {
            return;
        };
        let attempts = list.history.iter().flat_map(|history| &history.attempts);
        // Attempts are in the order of their days, so the last one stays.
        for attempt in attempts.filter(|attempt| attempt.own && attempt.at_the_door()) {
            if let Some(door) = doors.get(attempt.key.as_str())
                && SPOKEN_TO.contains(&attempt.result)
            {
                known
                    .spoken_to
                    .insert(door.clone(), attempt.day.to_string());
            }
        }
    }

    fn note_limits(&mut self, about: &crate::people::OrganizationTruth) {
        let no_visit = about.opted_out.iter().filter(|mark| {
            matches!(
                mark.what,
                OptOut::DoNotWalk | OptOut::DoNotContact | OptOut::Deceased
            )
        });
        if let Some(list) = self.lists.get_mut(&about.organization) {
            list.no_visit = no_visit.map(|mark| mark.person).collect();
        }
        for form in &about.consent {
            for recipient in &form.recipients {
                // The law keeps a charity's partisan rows from political committees only.
                let electoral = recipient == OrganizationKind::Pac.profile().slug;
                let forbids = |reason: NeverReason| electoral || reason != NeverReason::PartisanRow;
                let never: BTreeSet<PersonId> = about
                    .never_flow
                    .iter()
                    .filter(|row| forbids(row.reason))
                    .filter_map(|row| row.person)
                    .collect();
                let covered = form
                    .covered
                    .iter()
                    .filter_map(|key| about.person_of_row.get(key));
                let pair = (about.organization.clone(), recipient.clone());
                let people = self.may_flow.entry(pair).or_default();
                people.extend(covered.filter(|person| !never.contains(person)));
            }
        }
    }
}

impl KnownRow {
    fn of(row: &Row) -> Self {
        let phones = [row.mobile, row.landline].into_iter().flatten();
        Self {
            person: row.person,
            key: row.key.clone(),
            surname: row.surname.clone(),
            name: letters(&format!("{}{}", row.given, row.surname)),
            email: row.email.as_ref().map(|email| email.to_lowercase()),
            phones: phones.map(|cell| national(&cell.phone.e164())).collect(),
            door: door_of(row),
        }
    }

    fn points(&self) -> impl Iterator<Item = &String> {
        self.email.iter().chain(&self.phones).chain(&self.door)
    }
}

fn door_of(row: &Row) -> Option<String> {
    row.address
        .as_ref()
        .and_then(crate::people::WrittenAddress::key)
}

impl KnownList {
    /// Adds rows.
    pub(super) fn add(&mut self, rows: impl IntoIterator<Item = KnownRow>) {
        for row in rows {
            for point in row.points() {
                self.by_point
                    .entry(point.clone())
                    .or_default()
                    .push(self.rows.len());
            }
            self.rows.push(row);
        }
    }

    /// Everybody on this list whom a row may be about: who shares a contact point with it, and of
    /// those the ones with its name where there are such; without a contact point, who has its name.
    pub(super) fn who(&self, seen: &Seen) -> BTreeSet<PersonId> {
        let emails = seen.emails.iter().map(|email| email.to_lowercase());
        let points = emails
            .chain(seen.phones.iter().map(|phone| national(phone)))
            .chain(seen.door.clone());
        let name = letters(&seen.name);
        let mut near: Vec<&KnownRow> = points
            .flat_map(|point| self.by_point.get(&point).into_iter().flatten())
            .filter_map(|place| self.rows.get(*place))
            .collect();
        if near.is_empty() {
            near = self.rows.iter().collect();
        }
        let named: BTreeSet<PersonId> = near
            .iter()
            .filter(|row| row.name == name)
            .map(|row| row.person)
            .collect();
        if named.is_empty() && near.len() < self.rows.len() {
            return near.iter().map(|row| row.person).collect();
        }
        named
    }

    /// E-mail addresses and telephones of the list.
    pub(super) fn points(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let emails = self
            .rows
            .iter()
            .filter_map(|row| row.email.clone())
            .collect();
        let phones = self
            .rows
            .iter()
            .flat_map(|row| row.phones.iter().cloned())
            .collect();
        (emails, phones)
    }
}
