//! The world and the truth about it.

use std::collections::BTreeSet;

use super::{NeverReason, OptOut, OrganizationKind, Organizations, Truth, World, consent};

fn truth(seed: u64) -> Truth {
    let world = World::generate(seed, 3_000);
    Truth::of(&world, &Organizations::draw(&world, 1_000))
}

#[test]
fn a_world_has_exactly_the_people_that_were_asked_for() {
    let world = World::generate(1, 2_500);
    assert_eq!(world.people.len(), 2_500);
    let places: BTreeSet<_> = world.people.iter().map(|person| person.id).collect();
    assert_eq!(places.len(), 2_500);
    let voters: BTreeSet<_> = world.people.iter().map(|person| &person.voter_id).collect();
    assert_eq!(voters.len(), 2_500);
    assert!(
        voters
            .iter()
            .all(|id| id.len() == 12 && id.starts_with('0')),
        "leading zeros count"
    );
}

#[test]
fn an_empty_world_gives_empty_lists() {
    let world = World::generate(1, 0);
    assert!(
        Organizations::draw(&world, 100)
            .lists
            .iter()
            .all(|list| list.rows.is_empty())
    );
}

#[test]
fn mobile_numbers_belong_to_one_person_and_landlines_to_one_household() {
    let world = World::generate(1, 5_000);
    let mobiles: Vec<_> = world
        .people
        .iter()
        .filter_map(|person| person.mobile)
        .collect();
    assert_eq!(mobiles.iter().collect::<BTreeSet<_>>().len(), mobiles.len());
    let lines: BTreeSet<_> = world
        .people
        .iter()
        .filter_map(|p| p.landline.map(|phone| (phone, p.door.key())))
        .collect();
    let doors: BTreeSet<_> = lines.iter().map(|(_, door)| door).collect();
    assert_eq!(doors.len(), lines.len());
}

#[test]
fn a_larger_list_does_not_change_the_people() {
    let (small, large) = (World::generate(9, 100), World::generate(9, 200));
    let key = |world: &World| {
        world
            .people
            .iter()
            .take(100)
            .map(|p| (p.surname, p.birth, p.door.key()))
            .collect::<Vec<_>>()
    };
    assert_eq!(key(&small), key(&large));
}

#[test]
fn rows_of_one_list_have_different_keys_and_some_people_two_rows() {
    for known in truth(2).organizations {
        assert_eq!(known.person_of_row.len(), known.rows);
        assert_eq!(known.people, 1_000);
        assert!(known.rows > known.people);
    }
}

#[test]
fn what_may_flow_is_covered_and_not_forbidden() {
    for known in truth(2).organizations {
        let never: BTreeSet<_> = known.never_flow.iter().map(|row| &row.key).collect();
        let naming = known
            .consent
            .iter()
            .find(|form| form.form_version == consent::NAMING_FORM)
            .expect("every one has it");
        assert!(!naming.may_flow.is_empty());
        assert!(
            naming.may_flow.len() < naming.covered.len(),
            "some who signed opted out later"
        );
        assert!(naming.may_flow.iter().all(|key| !never.contains(key)));
        let old = known
            .consent
            .iter()
            .find(|form| form.form_version == consent::OLD_FORM)
            .expect("every one has it");
        assert!(old.recipients.is_empty() && old.may_flow.is_empty() && !old.covered.is_empty());
    }
}

#[test]
fn every_reason_never_to_flow_occurs_where_it_can() {
    let truth = truth(2);
    let reasons = |kind: OrganizationKind| -> BTreeSet<NeverReason> {
        let known = truth
            .organizations
            .iter()
            .find(|known| known.kind == kind)
            .expect("all four");
        known.never_flow.iter().map(|row| row.reason).collect()
    };
    use NeverReason as R;
    assert_eq!(
        reasons(OrganizationKind::C3),
        BTreeSet::from([R::ConsentWithdrawn, R::PartisanRow, R::Malformed])
    );
    assert_eq!(
        reasons(OrganizationKind::C4),
        BTreeSet::from([R::Deceased, R::Malformed])
    );
    let marked = BTreeSet::from([
        R::DoNotShare,
        R::Deceased,
        R::ConsentWithdrawn,
        R::Malformed,
    ]);
    assert_eq!(reasons(OrganizationKind::Union), marked);
    assert_eq!(reasons(OrganizationKind::Pac), marked);
}

#[test]
fn an_opt_out_on_one_of_two_rows_holds_for_both() {
    let truth = truth(2);
    let known = &truth.organizations[2];
    let key = &known.traps[&super::Trap::OptOutOnDuplicateOnly][0];
    let person = known.person_of_row[key];
    let rows: Vec<_> = known
        .person_of_row
        .iter()
        .filter(|(_, who)| **who == person)
        .map(|(key, _)| key)
        .collect();
    assert_eq!(rows.len(), 2);
    let marks: Vec<_> = known
        .opted_out
        .iter()
        .filter(|mark| mark.person == person)
        .collect();
    assert!(
        matches!(marks.as_slice(), [mark] if mark.key == *key && mark.what == OptOut::DoNotTrade)
    );
    assert!(
        rows.iter()
            .all(|key| known.never_flow.iter().any(|row| row.key == **key))
    );
}

#[test]
fn people_on_several_lists_account_for_every_overlap() {
    let truth = truth(2);
    for pair in &truth.overlaps {
        let both = |organizations: &[String]| {
            organizations.contains(&pair.left) && organizations.contains(&pair.right)
        };
        assert_eq!(
            truth
                .shared_people
                .iter()
                .filter(|shared| both(&shared.organizations))
                .count(),
            pair.people
        );
        assert_eq!(truth.overlap(&pair.right, &pair.left), Some(pair));
    }
    assert!(
        truth
            .shared_people
            .iter()
            .any(|shared| shared.organizations.len() == 4)
    );
}

#[test]
fn the_truth_survives_its_json() {
    let truth = truth(2);
    let text = serde_json::to_string(&truth).expect("writes");
    assert_eq!(serde_json::from_str::<Truth>(&text).expect("reads"), truth);
}

#[test]
fn most_doors_that_were_visited_are_on_the_list() {
    let truth = truth(2);
    let known = &truth.organizations[1];
    let history = known.history.as_ref().expect("VAN has a history");
    assert!(
        history
            .last_visit
            .keys()
            .all(|door| known.doors.contains(door))
    );
    assert!(
        history.last_visit.values().all(|day| *day < truth.as_of),
        "history ends before the export"
    );
    assert!(history.last_visit.len() > 100);
}
