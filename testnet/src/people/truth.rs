//! What a correct coalition must find in the files: computed from the world, never from the files.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::lists::{EXTRA_CELLS_KEY, List, OptOut, Organizations, RAGGED_KEY, Row};
use super::{OrganizationKind, PersonId, Trap, World, consent, history};

/// The whole truth about four lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// Seed of the world.
    pub seed: u64,
    /// How many people live in it.
    pub population: usize,
    /// The day of all exports, `YYYY-MM-DD`.
    pub as_of: String,
    /// One truth per organization.
    pub organizations: Vec<OrganizationTruth>,
    /// The people whom at least two organizations have.
    pub shared_people: Vec<SharedPerson>,
    /// One overlap per pair of organizations.
    pub overlaps: Vec<PairOverlap>,
}

/// The truth about one organization's files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationTruth {
    /// Its slug, which is also the name of its folder.
    pub organization: String,
    /// Its name.
    pub name: String,
    /// What kind of body it is.
    pub kind: OrganizationKind,
    /// Export format of the list.
    pub format: String,
    /// The list's file.
    pub list_file: String,
    /// The column with the key of a row.
    pub key_column: String,
    /// The file with the canvass history.
    pub history_file: Option<String>,
    /// Well-formed rows.
    pub rows: usize,
    /// File lines that have too few or too many cells.
    pub malformed_rows: usize,
    /// Different people.
    pub people: usize,
    /// Who is behind each row.
    pub person_of_row: BTreeMap<String, PersonId>,
    /// Doors under exact normalization: `postal|number|street|unit`.
    pub doors: BTreeSet<String>,
    /// Telephone numbers in E.164.
    pub phones: BTreeSet<String>,
    /// E-mail addresses in lower case.
    pub emails: BTreeSet<String>,
    /// Consent forms and who signed them.
    pub consent: Vec<ConsentTruth>,
    /// Rows that must not reach anybody, whatever an agreement says.
    pub never_flow: Vec<NeverFlow>,
    /// Opt-outs shown by the list or the history.
    pub opted_out: Vec<OptedOut>,
    /// Where the difficulties are: keys of rows, or of people for the history.
    pub traps: BTreeMap<Trap, Vec<String>>,
    /// What the canvass history says.
    pub history: Option<HistoryTruth>,
}

/// One consent form and its signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentTruth {
    /// Version of the form.
    pub form_version: String,
    /// The form as TOML.
    pub form_file: String,
    /// The notice that people saw.
    pub notice_file: String,
    /// A list file in the same format with the covered rows only.
    pub covered_file: String,
    /// Slugs of the allies that the form names; none where it names only others.
    pub recipients: Vec<String>,
    /// Keys of the rows that the form covers.
    pub covered: Vec<String>,
    /// The covered rows that nothing forbids: what may flow to a named recipient at most, before agreement and law.
    pub may_flow: Vec<String>,
}

/// A row that must never flow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NeverFlow {
    /// Key of the row.
    pub key: String,
    /// Who is behind it; nobody behind a malformed line.
    pub person: Option<PersonId>,
    /// Why.
    pub reason: NeverReason,
}

/// Why a row must never flow. Marks on any row of a person hold for all rows of the person on that list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NeverReason {
    /// Do not contact, or do not trade.
    DoNotShare,
    /// The person is marked as dead.
    Deceased,
    /// The person unsubscribed from the owner.
    ConsentWithdrawn,
    /// A charity's row with a partisan tag.
    PartisanRow,
    /// A broken file line.
    Malformed,
}

/// An opt-out of one person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OptedOut {
    /// Key of the row that shows it, or to which the history joins.
    pub key: String,
    /// Who.
    pub person: PersonId,
    /// Of what.
    pub what: OptOut,
    /// Shown by the canvass history and not by the list.
    pub in_history: bool,
}

/// What a canvass history says, counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryTruth {
    /// All rows of the file.
    pub attempts: usize,
    /// Rows of another committee.
    pub other_committee: usize,
    /// Own rows about people who are on no list.
    pub unjoined: usize,
    /// Own rows with a result that no table knows.
    pub unknown_results: usize,
    /// Own rows that join to the list, by result.
    pub results: BTreeMap<String, usize>,
    /// The last day (`YYYY-MM-DD`) on which the organization itself was at a door, whatever the result.
    pub last_visit: BTreeMap<String, String>,
}

/// Somebody whom several organizations have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedPerson {
    /// Who.
    pub person: PersonId,
    /// Slugs of the organizations.
    pub organizations: Vec<String>,
}

/// How much two lists have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PairOverlap {
    /// One organization.
    pub left: String,
    /// The other one.
    pub right: String,
    /// People on both lists, whether or not a contact point shows it.
    pub people: usize,
    /// Doors on both lists.
    pub doors: usize,
    /// Telephone numbers on both lists.
    pub phones: usize,
    /// E-mail addresses on both lists.
    pub emails: usize,
}

impl Truth {
    /// The truth about these lists.
    #[must_use]
    pub fn of(world: &World, organizations: &Organizations) -> Self {
        let truths: Vec<_> = organizations.lists.iter().map(organization).collect();
        Self {
            seed: world.seed,
            population: world.people.len(),
            as_of: world.as_of.to_string(),
            shared_people: shared_people(&truths),
            overlaps: overlaps(&truths),
            organizations: truths,
        }
    }

    /// The overlap of two organizations, in either order.
    #[must_use]
    pub fn overlap(&self, one: &str, other: &str) -> Option<&PairOverlap> {
        let is = |pair: &&PairOverlap| {
            (pair.left == one && pair.right == other) || (pair.left == other && pair.right == one)
        };
        self.overlaps.iter().find(is)
    }
}

fn organization(list: &List) -> OrganizationTruth {
    let profile = list.profile;
    let opted_out = opted_out(list);
    let never_flow = never_flow(list, &opted_out);
    let person_of_row: BTreeMap<_, _> = list
        .rows
        .iter()
        .map(|row| (row.key.clone(), row.person))
        .collect();
    let cells = list
        .rows
        .iter()
        .flat_map(|row| [row.mobile, row.landline])
        .flatten();
    OrganizationTruth {
        organization: profile.slug.to_owned(),
        name: profile.name.to_owned(),
        kind: profile.kind,
        format: profile.format.to_owned(),
        list_file: profile.list_file(),
        key_column: profile.key_column.to_owned(),
        history_file: list
            .history
            .as_ref()
            .map(|_| "contact_history.txt".to_owned()),
        rows: list.rows.len(),
        malformed_rows: 2,
        people: person_of_row.values().collect::<BTreeSet<_>>().len(),
        person_of_row,
        doors: list.rows.iter().filter_map(door_key).collect(),
        phones: cells
            .filter(|cell| cell.form.is_contact_point())
            .map(|cell| cell.phone.e164())
            .collect(),
        emails: list
            .rows
            .iter()
            .filter_map(|row| row.email.as_ref())
            .map(|email| email.to_lowercase())
            .collect(),
        consent: consent::forms(profile.kind)
            .iter()
            .map(|form| consent_truth(list, form, &never_flow))
            .collect(),
        never_flow,
        opted_out,
        traps: trap_index(list),
        history: history_truth(list),
    }
}

fn door_key(row: &Row) -> Option<String> {
    row.address.as_ref().and_then(super::WrittenAddress::key)
}

fn opted_out(list: &List) -> Vec<OptedOut> {
    let mut found = BTreeSet::new();
    for row in &list.rows {
        for what in &row.opt_outs {
            found.insert(OptedOut {
                key: row.key.clone(),
                person: row.person,
                what: *what,
                in_history: false,
            });
        }
    }
    for attempt in list
        .history
        .iter()
        .flat_map(|history| &history.attempts)
        .filter(|attempt| attempt.own)
    {
        if let (Some(person), Some(what)) = (attempt.person, attempt.opt_out()) {
            found.insert(OptedOut {
                key: attempt.key.clone(),
                person,
                what,
                in_history: true,
            });
        }
    }
    found.into_iter().collect()
}

fn never_flow(list: &List, opted_out: &[OptedOut]) -> Vec<NeverFlow> {
    let mut reasons: BTreeSet<(PersonId, NeverReason)> = BTreeSet::new();
    for mark in opted_out {
        let reason = match mark.what {
            OptOut::DoNotContact | OptOut::DoNotTrade => NeverReason::DoNotShare,
            OptOut::Deceased => NeverReason::Deceased,
            OptOut::Unsubscribed => NeverReason::ConsentWithdrawn,
            OptOut::DoNotCall
            | OptOut::DoNotWalk
            | OptOut::DoNotText
            | OptOut::DoNotEmail
            | OptOut::TextUnsubscribed => continue,
        };
        reasons.insert((mark.person, reason));
    }
    for row in &list.rows {
        if list.profile.kind == OrganizationKind::C3
            && row.tags.iter().any(|tag| tag.starts_with("party:"))
        {
            reasons.insert((row.person, NeverReason::PartisanRow));
        }
    }
    let mut found = Vec::new();
    for row in &list.rows {
        for (_, reason) in reasons
            .range((row.person, NeverReason::DoNotShare)..=(row.person, NeverReason::Malformed))
        {
            found.push(NeverFlow {
                key: row.key.clone(),
                person: Some(row.person),
                reason: *reason,
            });
        }
    }
    for key in [RAGGED_KEY, EXTRA_CELLS_KEY] {
        found.push(NeverFlow {
            key: key.to_owned(),
            person: None,
            reason: NeverReason::Malformed,
        });
    }
    found
}

fn consent_truth(
    list: &List,
    form: &consent::ConsentForm,
    never_flow: &[NeverFlow],
) -> ConsentTruth {
    let version = form.form_version.as_str();
    let covered: Vec<String> = list
        .rows
        .iter()
        .filter(|row| row.form == Some(version))
        .map(|row| row.key.clone())
        .collect();
    let never: BTreeSet<&str> = never_flow.iter().map(|row| row.key.as_str()).collect();
    let named = form.recipients();
    let recipients: Vec<String> = OrganizationKind::ALL
        .iter()
        .map(|kind| kind.profile())
        .filter(|profile| named.contains(profile.name))
        .map(|profile| profile.slug.to_owned())
        .collect();
    let names_an_ally = !recipients.is_empty();
    let flows = |key: &&String| names_an_ally && !never.contains(key.as_str());
    ConsentTruth {
        form_version: version.to_owned(),
        form_file: format!("consent-form-{version}.toml"),
        notice_file: format!("notice-{version}.txt"),
        covered_file: list.profile.covered_file(version),
        may_flow: covered.iter().filter(flows).cloned().collect(),
        recipients,
        covered,
    }
}

fn trap_index(list: &List) -> BTreeMap<Trap, Vec<String>> {
    let mut index: BTreeMap<Trap, Vec<String>> = BTreeMap::new();
    let mut add = |trap: Trap, key: &str| index.entry(trap).or_default().push(key.to_owned());
    for row in &list.rows {
        for trap in &row.traps {
            add(*trap, &row.key);
        }
    }
    add(Trap::RaggedRow, RAGGED_KEY);
    add(Trap::ExtraCells, EXTRA_CELLS_KEY);
    for attempt in list.history.iter().flat_map(|history| &history.attempts) {
        let marks = [
            (
                Trap::UnknownResult,
                attempt.result == history::UNKNOWN_RESULT,
            ),
            (Trap::OtherCommittee, !attempt.own),
            (Trap::UnjoinedHistory, attempt.person.is_none()),
            (Trap::DateWithTime, attempt.time.is_some()),
            (Trap::Deceased, attempt.opt_out() == Some(OptOut::Deceased)),
            (Trap::OptedOut, attempt.opt_out().is_some()),
        ];
        for (trap, _) in marks.into_iter().filter(|(_, is)| *is) {
            add(trap, &attempt.key);
        }
    }
    index
}

fn history_truth(list: &List) -> Option<HistoryTruth> {
    let attempts = &list.history.as_ref()?.attempts;
    let door_of_row: BTreeMap<&str, String> = list
        .rows
        .iter()
        .filter_map(|row| Some((row.key.as_str(), door_key(row)?)))
        .collect();
    let own: Vec<_> = attempts.iter().filter(|attempt| attempt.own).collect();
    let mut results = BTreeMap::new();
    let mut last_visit = BTreeMap::new();
    for attempt in own.iter().filter(|attempt| attempt.person.is_some()) {
        *results.entry(attempt.result.to_owned()).or_default() += 1;
        if let Some(door) = door_of_row
            .get(attempt.key.as_str())
            .filter(|_| attempt.at_the_door())
        {
            // Attempts are in the order of their days.
            last_visit.insert(door.clone(), attempt.day.to_string());
        }
    }
    Some(HistoryTruth {
        attempts: attempts.len(),
        other_committee: attempts.len() - own.len(),
        unjoined: own
            .iter()
            .filter(|attempt| attempt.person.is_none())
            .count(),
        unknown_results: own
            .iter()
            .filter(|attempt| attempt.result == history::UNKNOWN_RESULT)
            .count(),
        results,
        last_visit,
    })
}

fn shared_people(truths: &[OrganizationTruth]) -> Vec<SharedPerson> {
    let mut lists: BTreeMap<PersonId, BTreeSet<&str>> = BTreeMap::new();
    for truth in truths {
        for person in truth.person_of_row.values() {
            lists
                .entry(*person)
                .or_default()
                .insert(&truth.organization);
        }
    }
    let shared = lists
        .into_iter()
        .filter(|(_, organizations)| organizations.len() > 1);
    let owned =
        |organizations: BTreeSet<&str>| organizations.into_iter().map(str::to_owned).collect();
    shared
        .map(|(person, organizations)| SharedPerson {
            person,
            organizations: owned(organizations),
        })
        .collect()
}

fn overlaps(truths: &[OrganizationTruth]) -> Vec<PairOverlap> {
    let people = |truth: &OrganizationTruth| {
        truth
            .person_of_row
            .values()
            .copied()
            .collect::<BTreeSet<_>>()
    };
    let mut pairs = Vec::new();
    for (place, left) in truths.iter().enumerate() {
        for right in truths.iter().skip(place + 1) {
            pairs.push(PairOverlap {
                left: left.organization.clone(),
                right: right.organization.clone(),
                people: people(left).intersection(&people(right)).count(),
                doors: left.doors.intersection(&right.doors).count(),
                phones: left.phones.intersection(&right.phones).count(),
                emails: left.emails.intersection(&right.emails).count(),
            });
        }
    }
    pairs
}
