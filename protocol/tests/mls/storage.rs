//! Rows and overlays: what is lost with memory, and what is not.

use super::coalition::{GROUP, agree, coalition, everybody_folds, newcomer};
use protocol::mls::{Group, MlsError, Opened, Overlay, STORAGE_FORMAT};

#[test]
fn a_pending_commit_survives_a_restart_and_is_read_back() {
    let mut members = coalition(3);
    let joiner = newcomer(9);
    let commit = members[0].add(std::slice::from_ref(&joiner.package));
    members[0].restart();
    assert!(members[0].group.has_pending_commit());
    assert!(matches!(
        members[0].fold(&commit.bytes),
        Ok(Opened::OwnCommit { epoch: 1, .. })
    ));
    members[1].fold(&commit.bytes).unwrap();
    members[2].fold(&commit.bytes).unwrap();
    members.push(joiner.join(&commit.welcome.unwrap()));
    agree(&members);
}

#[test]
fn a_pending_commit_after_a_restart_is_cleared_by_a_rival() {
    let mut members = coalition(2);
    members[0].update();
    members[0].restart();
    let rival = members[1].update();
    everybody_folds(&mut members, &rival);
    assert!(!members[0].group.has_pending_commit());
    agree(&members);
}

#[test]
fn a_crash_in_the_middle_of_a_batch_repeats_the_work() {
    let mut members = coalition(3);
    let first = members[0].seal(b"first");
    let commit = members[0].update();
    members[0].fold(&commit).unwrap();
    let second = members[0].seal(b"second");

    // The batch is folded in memory, and nothing of it reaches the database.
    assert!(matches!(
        members[1].group.open(&first),
        Ok(Opened::Application { .. })
    ));
    let Opened::Commit { staged, .. } = members[1].group.open(&commit).unwrap() else {
        panic!("a commit")
    };
    members[1].group.merge(*staged).unwrap();
    assert!(matches!(
        members[1].group.open(&second),
        Ok(Opened::Application { .. })
    ));
    assert!(!members[1].group.changes().is_empty());
    members[1].restart();
    assert_eq!(members[1].group.epoch(), 1);

    for member in &mut members[1..] {
        assert_eq!(member.reads(&first), b"first");
        member.fold(&commit).unwrap();
        assert_eq!(member.reads(&second), b"second");
    }
    agree(&members);
}

#[test]
fn a_batch_written_once_at_its_end_equals_entries_written_one_by_one() {
    let mut members = coalition(3);
    let mut log: Vec<Vec<u8>> = (0..10_u8).map(|n| members[0].seal(&[n])).collect();
    log.push(members[0].update());
    for entry in &log {
        assert!(
            members[1]
                .group
                .open(entry)
                .map(|opened| follow(&mut members[1].group, opened))
                .is_ok()
        );
        members[2].fold(entry).unwrap();
        members[2].restart();
    }
    members[1].persist();
    members[1].restart();
    agree(&members[1..]);
    let commit = members[1].update();
    members[2].fold(&commit).unwrap();
    members[1].fold(&commit).unwrap();
    agree(&members[1..]);
}

fn follow(group: &mut Group, opened: Opened) {
    if let Opened::Commit { staged, .. } = opened {
        group.merge(*staged).unwrap();
    }
}

#[test]
fn reading_an_own_or_a_foreign_commit_changes_no_row_before_the_merge() {
    let mut members = coalition(2);
    let commit = members[0].update();
    for member in &mut members {
        member.group.open(&commit).unwrap();
        member.group.open(&commit).unwrap();
        assert!(member.group.changes().is_empty());
    }
}

#[test]
fn changes_name_written_and_deleted_rows_until_they_are_settled() {
    let mut members = coalition(2);
    let commit = members[0].update();
    members[0].group.open(&commit).unwrap();
    members[0].group.merge_own().unwrap();
    let changes = members[0].group.changes();
    assert!(changes.values().any(Option::is_some));
    assert!(
        changes.values().any(Option::is_none),
        "the last epoch's keys are deleted"
    );
    members[0].group.settle();
    assert!(members[0].group.changes().is_empty());
}

#[test]
fn a_group_without_its_floor_is_damaged() {
    let mut members = coalition(2);
    members[0]
        .rows
        .retain(|key, _| !key.starts_with(b"commonturf floor"));
    let refused = Group::load(Overlay::from_rows(members[0].rows.clone()), GROUP);
    assert_eq!(refused.unwrap_err(), MlsError::Stored);
}

#[test]
fn a_group_in_another_storage_format_is_not_even_tried() {
    let members = coalition(2);
    let mut rows = members[0].rows.clone();
    for (key, value) in &mut rows {
        // As another release would leave them: the marker says so, the rest cannot be read.
        if key.starts_with(b"commonturf floor") {
            value.extend_from_slice(b" (next)");
        } else {
            value.truncate(value.len() / 2);
        }
    }
    let refused = Group::load(Overlay::from_rows(rows), GROUP);
    assert_eq!(refused.unwrap_err(), MlsError::Format);
}

#[test]
fn a_group_of_which_only_the_floor_is_left_is_damaged() {
    let members = coalition(2);
    let mut rows = members[0].rows.clone();
    rows.retain(|key, _| key.starts_with(b"commonturf floor"));
    let refused = Group::load(Overlay::from_rows(rows), GROUP);
    assert_eq!(refused.unwrap_err(), MlsError::Stored);
}

#[test]
fn the_storage_format_names_the_library_that_is_built_in() {
    let lock = include_str!("../../../Cargo.lock");
    let locked = |name: &str| {
        let start = lock.find(&format!("name = \"{name}\"\n")).unwrap();
        lock[start..]
            .lines()
            .nth(1)
            .unwrap()
            .trim_start_matches("version = ")
            .trim_matches('"')
            .to_owned()
    };
    let expected = format!(
        "openmls {}, openmls_memory_storage {}, json",
        locked("openmls"),
        locked("openmls_memory_storage")
    );
    assert_eq!(STORAGE_FORMAT, expected);
}

#[test]
fn debug_output_shows_no_row_and_no_plaintext() {
    let mut members = coalition(2);
    let sealed = members[0].seal(b"a private text");
    let opened = members[1].group.open(&sealed).unwrap();
    assert!(!format!("{opened:?}").contains("private text"));
    assert_eq!(
        format!("{:?}", members[1].group),
        "Group(epoch 1, 2 members)"
    );
    let overlay = Overlay::from_rows(members[1].rows.clone());
    assert_eq!(
        format!("{overlay:?}"),
        format!("Overlay({} rows)", members[1].rows.len())
    );
}
