//! The judgement must be able to condemn: a clean round, then one thing wrong at a time.

use super::super::canary;
use super::super::known::{Known, Seen};
use super::super::observed::{ClaimSeen, NoticeSeen, Observed, OptOutSeen, ShareSeen};
use super::*;
use crate::nodes::Standing;
use crate::people::{OptOut, OrganizationKind, Organizations, Person, Row, Truth, World};
use jiff::civil::date;
use std::fs;

const DAYS: i64 = 14;
const TENANTS: &str = "tenants-united";
const UNION: &str = "care-workers-local-88";
const PAC: &str = "lakes-future-pac";

/// A small world and a round in it without a fault.
struct Case {
    known: Known,
    world: World,
    lists: Organizations,
    truth: Truth,
    observed: Observed,
    folder: tempfile::TempDir,
}

fn texts(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn seen(row: &Row) -> Seen {
    Seen {
        name: format!("{} {}", row.given, row.surname),
        door: row
            .address
            .as_ref()
            .and_then(crate::people::WrittenAddress::key),
        classes: texts(&["identity", "postal"]),
        ..Seen::default()
    }
}

impl Case {
    fn clean() -> Self {
        let world = World::generate_as_of(5, 900, date(2026, 11, 25));
        let lists = Organizations::draw(&world, 500);
        let truth = Truth::of(&world, &lists);
        let known = Known::of(&lists, &truth);
        let folder = tempfile::tempdir().unwrap();
        let mut case = Self {
            known,
            world,
            lists,
            truth,
            observed: Observed::default(),
            folder,
        };
        for kind in OrganizationKind::ALL {
            case.write_files(kind, "");
        }
        case.observed.claims = vec![
            case.claim(OrganizationKind::Union, 0),
            case.claim(OrganizationKind::Pac, 1),
        ];
        case.observed.shares = vec![case.share()];
        let standing = |organization: &str| Standing {
            organization: organization.to_owned(),
            position: 40,
            state_hash: "aa".to_owned(),
            outbox: 0,
        };
        case.observed.standings = vec![standing("Tenants United"), standing("Local 88")];
        case.observed.notices = vec![NoticeSeen {
            from: TENANTS.to_owned(),
            to: UNION.to_owned(),
            receipt: true,
            gone: (texts(&["gone@example.org"]), BTreeSet::new()),
        }];
        case.observed.opt_outs = vec![OptOutSeen {
            by: TENANTS.to_owned(),
            members: texts(&[UNION, PAC]),
            reached: texts(&[UNION, PAC]),
        }];
        case
    }

    /// The files of a node: its own list as text, and something more.
    fn write_files(&mut self, kind: OrganizationKind, more: &str) {
        let slug = kind.profile().slug;
        let (emails, phones) = self.known.lists[slug].points();
        let text = emails
            .into_iter()
            .chain(phones)
            .collect::<Vec<_>>()
            .join("\n");
        let dir = self.folder.path().join(slug);
        fs::create_dir_all(&dir).unwrap();
        fs::write(dir.join("node.db"), format!("{text}\n{more}\n")).unwrap();
        let traces = canary::scan(&dir).unwrap();
        self.observed.traces.insert(slug.to_owned(), traces);
    }

    /// Rows that may be visited; each `half` of the doors is another one's.
    fn claim(&self, kind: OrganizationKind, half: usize) -> ClaimSeen {
        let list = &self.known.lists[kind.profile().slug];
        let recent = &self.known.lists[TENANTS].spoken_to;
        let rows = self
            .lists
            .list(kind)
            .rows
            .iter()
            .map(|row| (row.person, seen(row)));
        let may = rows.filter(|(person, row)| {
            let door = row.door.as_ref();
            door.is_some_and(|door| !recent.contains_key(door) && door.len() % 2 == half)
                && !list.no_visit.contains(person)
        });
        let walk_list: Vec<Seen> = may.map(|(_, row)| row).collect();
        let mut claim = ClaimSeen {
            by: kind.profile().slug.to_owned(),
            window: ("2026-11-25".to_owned(), "2026-12-01".to_owned()),
            granted: 0,
            walk_list,
        };
        claim.granted = claim.doors().len();
        claim
    }

    /// What the tenants' organization may give the union.
    fn share(&self) -> ShareSeen {
        let pair = (TENANTS.to_owned(), UNION.to_owned());
        let allowed = &self.known.may_flow[&pair];
        let rows: Vec<Seen> = self
            .tenants()
            .filter(|row| allowed.contains(&row.person))
            .map(seen)
            .take(30)
            .collect();
        ShareSeen {
            from: TENANTS.to_owned(),
            to: UNION.to_owned(),
            fields: texts(&["identity", "postal"]),
            sent: rows.len() + 3,
            dropped: 2,
            taken_back: 1,
            rows,
        }
    }

    fn tenants(&self) -> impl Iterator<Item = &Row> {
        self.lists.list(OrganizationKind::C4).rows.iter()
    }

    /// Somebody on no list but the tenants' who must not flow to anybody.
    fn forbidden(&self) -> &Row {
        let never: BTreeSet<_> = self.truth.organizations[1]
            .never_flow
            .iter()
            .filter_map(|row| row.person)
            .collect();
        self.tenants()
            .find(|row| never.contains(&row.person))
            .unwrap()
    }

    fn names(&self) -> Vec<&'static str> {
        let found = find(&self.observed, Some(&self.known), DAYS);
        found.iter().map(|finding| finding.name).collect()
    }
}

#[test]
fn a_clean_round_has_no_finding() {
    let case = Case::clean();
    assert_eq!(find(&case.observed, Some(&case.known), DAYS), []);
    assert!(case.observed.claims.iter().all(|claim| claim.granted > 20));
    assert!(!looked_at(&case.observed, true).is_empty());
}

#[test]
fn a_door_granted_to_two_is_found_with_or_without_the_generators_knowledge() {
    let mut case = Case::clean();
    let door = case.observed.claims[0].walk_list[3].clone();
    case.observed.claims[1].walk_list.push(door);
    case.observed.claims[1].granted += 1;
    assert!(case.names().contains(&"double contact"));
    assert_eq!(find(&case.observed, None, DAYS).len(), 1);
    let (first, last) = ("2026-12-02".to_owned(), "2026-12-05".to_owned());
    case.observed.claims[1].window = (first, last);
    assert_eq!(
        find(&case.observed, None, DAYS),
        [],
        "windows that do not meet"
    );
}

#[test]
fn a_door_granted_after_a_recent_talk_of_an_ally_is_found() {
    let mut case = Case::clean();
    let tenants = &case.known.lists[TENANTS];
    let recent = tenants
        .spoken_to
        .iter()
        .find(|(_, day)| day.as_str() >= "2026-11-20")
        .unwrap()
        .0
        .clone();
    let visit = Seen {
        door: Some(recent),
        ..case.observed.claims[0].walk_list[0].clone()
    };
    case.observed.claims[0].walk_list.push(visit);
    case.observed.claims[0].granted += 1;
    assert!(case.names().contains(&"double contact"));
}

#[test]
fn a_walk_list_with_doors_that_were_not_granted_is_found() {
    let mut case = Case::clean();
    case.observed.claims[0].granted -= 1;
    assert_eq!(case.names(), ["walk list"]);
    case.observed.claims[0].walk_list.clear();
    assert_eq!(case.names(), ["walk list"]);
}

#[test]
fn a_person_on_a_walk_list_who_opted_out_is_found() {
    let mut case = Case::clean();
    let union = &case.truth.organizations[2];
    let dead = union
        .opted_out
        .iter()
        .find(|mark| mark.what == OptOut::Deceased)
        .unwrap();
    let rows = &case.lists.list(OrganizationKind::Union).rows;
    let row = rows.iter().find(|row| row.key == dead.key).unwrap();
    let named = Seen {
        door: None,
        ..seen(row)
    };
    case.observed.claims[0].walk_list.push(named);
    assert_eq!(case.names(), ["suppressed person"]);
}

#[test]
fn a_person_at_a_recipient_who_must_not_be_there_is_found() {
    let mut case = Case::clean();
    let row = seen(case.forbidden());
    case.observed.shares[0].rows[0] = row;
    assert_eq!(case.names(), ["leak"]);
}

#[test]
fn rows_at_a_node_to_which_nothing_may_flow_are_found() {
    let mut case = Case::clean();
    let mut share = case.share();
    share.from = "marlow-votes".to_owned();
    share.to = PAC.to_owned();
    let charity = &case.lists.list(OrganizationKind::C3).rows;
    share.rows = charity.iter().take(5).map(seen).collect();
    (share.sent, share.dropped, share.taken_back) = (5, 0, 0);
    case.observed.shares.push(share);
    assert_eq!(case.names(), ["leak"]);
}

#[test]
fn a_row_that_the_sender_does_not_have_is_found() {
    let mut case = Case::clean();
    case.observed.shares[0].rows[0] = Seen {
        name: "Nobody Atall".to_owned(),
        ..Seen::default()
    };
    assert_eq!(case.names(), ["stranger"]);
}

#[test]
fn a_field_that_was_not_shared_is_found() {
    let mut case = Case::clean();
    case.observed.shares[0].rows[0]
        .classes
        .insert("political".to_owned());
    assert_eq!(case.names(), ["leak"]);
}

#[test]
fn rows_that_are_missing_or_too_many_are_found() {
    let mut case = Case::clean();
    case.observed.shares[0].sent += 1;
    assert_eq!(case.names(), ["count"]);
}

#[test]
fn a_trace_in_a_nodes_files_of_somebody_elses_person_is_found() {
    let mut case = Case::clean();
    let here = case.known.lists[PAC].points().0;
    let has_email = |person: &&Person| {
        person
            .email
            .as_ref()
            .is_some_and(|email| !here.contains(email))
    };
    let on_tenants = case.known.lists[TENANTS].points().0;
    let people = case.world.people.iter().filter(has_email);
    let mut emails = people.filter_map(|person| person.email.clone());
    let email = emails.find(|email| on_tenants.contains(email)).unwrap();
    case.write_files(OrganizationKind::Pac, &format!("x{email}"));
    assert_eq!(case.names(), ["leak"]);
}

#[test]
fn a_search_that_finds_nothing_is_a_finding() {
    let mut case = Case::clean();
    case.observed
        .traces
        .insert(PAC.to_owned(), canary::Traces::default());
    assert_eq!(case.names(), ["blind search"]);
}

#[test]
fn a_missing_receipt_and_a_row_that_was_not_erased_are_found() {
    let mut case = Case::clean();
    case.observed.notices[0].receipt = false;
    assert_eq!(case.names(), ["missing receipt"]);
    case.observed.notices[0].receipt = true;
    case.write_files(OrganizationKind::Union, "gone@example.org");
    assert_eq!(case.names(), ["not erased"]);
}

#[test]
fn nodes_at_different_states_or_places_are_found() {
    let mut case = Case::clean();
    case.observed.standings[1].state_hash = "bb".to_owned();
    assert_eq!(case.names(), ["divergence"]);
    case.observed.standings.clear();
    assert_eq!(case.names(), ["divergence"]);
}

#[test]
fn an_opt_out_that_did_not_reach_a_member_is_found() {
    let mut case = Case::clean();
    case.observed.opt_outs[0].reached.remove(PAC);
    assert_eq!(case.names(), ["lost opt-out"]);
}
