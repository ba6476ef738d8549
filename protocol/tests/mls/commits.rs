//! Commits: first wins, void then valid, read back, removed.

use super::coalition::{AAD, Member, agree, coalition, everybody_folds, newcomer, node};
use protocol::mls::{ADDS_AT_ONCE, Group, MlsError, OpenError, Opened, Overlay};

#[test]
fn a_commit_changes_nothing_before_it_is_read_back() {
    let mut members = coalition(2);
    let before = members[0].group.authenticator();
    members[0].update();
    assert!(members[0].group.has_pending_commit());
    assert_eq!(members[0].group.authenticator(), before);
}

#[test]
fn four_members_follow_each_others_key_updates() {
    let mut members = coalition(4);
    for author in [2, 0, 3, 1] {
        let commit = members[author].update();
        everybody_folds(&mut members, &commit);
        agree(&members);
    }
    let sealed = members[1].seal(b"still here");
    assert_eq!(members[3].reads(&sealed), b"still here");
}

#[test]
fn a_commit_tells_who_signed_it_who_enters_and_who_leaves() {
    let mut members = coalition(4);
    let fifth = newcomer(9);
    let commit = members[1].add(std::slice::from_ref(&fifth.package));
    let (author, author_key) = (members[1].id, members[1].key.public());
    match members[0].fold(&commit.bytes).unwrap() {
        Opened::Commit {
            author: a,
            author_key: k,
            epoch,
            aad,
            added,
            removed,
            rejoin,
            staged,
        } => {
            assert_eq!((a, k, epoch, aad.as_slice()), (author, author_key, 1, AAD));
            assert_eq!(
                (added, removed, rejoin),
                (vec![(fifth.id, fifth.key.public())], vec![], false)
            );
            assert!(!staged.removes_this_node());
        }
        other => panic!("{other:?}"),
    }
    match members[1].fold(&commit.bytes).unwrap() {
        Opened::OwnCommit {
            epoch,
            aad,
            added,
            removed,
            author_key: own,
        } => {
            assert_eq!((epoch, aad.as_slice(), own), (1, AAD, author_key));
            assert_eq!(
                (added, removed),
                (vec![(fifth.id, fifth.key.public())], vec![])
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn of_two_rival_commits_the_first_wins_and_the_second_is_built_anew() {
    let mut members = coalition(4);
    let wanted = newcomer(9);
    let lost = members[1].add(std::slice::from_ref(&wanted.package));
    let first = members[2].update();
    everybody_folds(&mut members, &first);
    agree(&members);
    assert!(
        !members[1].group.has_pending_commit(),
        "another's commit clears the own pending one"
    );
    for member in &mut members {
        assert_eq!(
            member.refuses(&lost.bytes),
            OpenError::StaleEpoch {
                epoch: 1,
                current: 2
            }
        );
    }
    let anew = members[1].add(std::slice::from_ref(&wanted.package));
    everybody_folds(&mut members, &anew.bytes);
    members.push(wanted.join(&anew.welcome.unwrap()));
    agree(&members);
}

#[test]
fn after_a_void_commit_the_next_one_for_the_same_epoch_wins() {
    let mut members = coalition(4);
    let void = members[1].update();
    let valid = members[2].update();
    for member in &mut members {
        // The agreement says no: everybody opens it and nobody follows it.
        let opened = member.group.open(&void).unwrap();
        assert!(matches!(
            opened,
            Opened::Commit { .. } | Opened::OwnCommit { .. }
        ));
    }
    members[1].group.discard_pending().unwrap();
    members[1].persist();
    everybody_folds(&mut members, &valid);
    agree(&members);
}

#[test]
fn only_one_commit_is_pending_at_a_time() {
    let mut members = coalition(2);
    members[0].update();
    let Member { key, group, .. } = &mut members[0];
    assert_eq!(group.commit_update(key, AAD), Err(MlsError::CommitPending));
}

#[test]
fn a_node_that_forgot_its_own_commit_stops_instead_of_calling_it_void() {
    let mut members = coalition(2);
    let old = members[0].rows.clone();
    let commit = members[0].update();
    members[0].rows = old;
    members[0].restart();
    let error = members[0].refuses(&commit);
    assert!(matches!(error, OpenError::CannotFollow(_)), "{error:?}");
    assert!(!error.is_void());
}

#[test]
fn a_removed_member_follows_its_removal_and_reads_nothing_after_it() {
    let mut members = coalition(4);
    let gone = members[3].id;
    let commit = members[0].remove(&[gone]);
    let mut removed = members.pop().unwrap();
    match removed.fold(&commit).unwrap() {
        Opened::Commit {
            staged, removed, ..
        } => {
            assert!(staged.removes_this_node());
            assert_eq!(removed, [gone]);
        }
        other => panic!("{other:?}"),
    }
    everybody_folds(&mut members, &commit);
    agree(&members);
    assert!(
        members
            .iter()
            .all(|member| member.group.members().iter().all(|(node, _)| *node != gone))
    );

    let sealed = members[0].seal(b"without you");
    assert_eq!(members[1].reads(&sealed), b"without you");
    assert!(!removed.group.is_active());
    assert_eq!(removed.refuses(&sealed), OpenError::Evicted);
    assert_eq!(
        removed.group.seal(&removed.key, AAD, b"hello"),
        Err(MlsError::Evicted)
    );
}

#[test]
fn those_who_stay_derive_the_same_bytes_from_the_epoch_that_a_removal_opened() {
    let mut members = coalition(4);
    let context = [1; 16];
    let before = members[3].group.export("label", &context).unwrap();
    let gone = members[3].id;
    let commit = members[1].remove(&[gone]);
    everybody_folds(&mut members, &commit);
    let bytes = members[0].group.export("label", &context).unwrap();
    for member in &members[1..3] {
        assert_eq!(member.group.export("label", &context).unwrap(), bytes);
    }
    assert_ne!(before, bytes);
    assert_eq!(
        members[3].group.export("label", &context).err(),
        Some(MlsError::Evicted)
    );
    let other = |label: &str, context: &[u8]| members[0].group.export(label, context).unwrap();
    assert_ne!(other("another", &context), bytes);
    assert_ne!(other("label", &[2; 16]), bytes);
    // A newcomer of a later epoch derives others.
    let renewed = members[0].update();
    members.truncate(3);
    everybody_folds(&mut members, &renewed);
    assert_ne!(members[2].group.export("label", &context).unwrap(), bytes);
}

#[test]
fn a_removed_member_can_be_added_again() {
    let mut members = coalition(3);
    let gone = members[2].id;
    let removal = members[0].remove(&[gone]);
    everybody_folds(&mut members, &removal);
    let mut old = members.pop().unwrap();

    let mut overlay = old.group.into_overlay();
    let package = protocol::mls::key_package(&mut overlay, &old.key, old.id).unwrap();
    let commit = members[0].add(&[package]);
    everybody_folds(&mut members, &commit.bytes);
    old.group = Group::join(overlay, &commit.welcome.unwrap()).unwrap();
    old.persist();
    members.push(old);
    agree(&members);
}

#[test]
fn nobody_removes_itself_or_a_stranger() {
    let mut members = coalition(2);
    let Member { id, key, group, .. } = &mut members[0];
    assert_eq!(
        group.commit_remove(key, AAD, &[*id]),
        Err(MlsError::NotAMember(*id))
    );
    let stranger = node(77).0;
    assert_eq!(
        group.commit_remove(key, AAD, &[stranger]),
        Err(MlsError::NotAMember(stranger))
    );
    assert_eq!(group.commit_remove(key, AAD, &[]), Err(MlsError::Nothing));
}

#[test]
fn a_member_is_not_added_twice() {
    let mut members = coalition(2);
    let again = newcomer(1);
    let Member { key, group, .. } = &mut members[0];
    assert_eq!(
        group.commit_add(key, AAD, &[again.package]),
        Err(MlsError::AlreadyMember(again.id))
    );
    let (first, second) = (newcomer(9), newcomer(9));
    assert_eq!(
        group.commit_add(key, AAD, &[first.package, second.package]),
        Err(MlsError::AlreadyMember(first.id))
    );
    let nobody: [Vec<u8>; 0] = [];
    assert_eq!(group.commit_add(key, AAD, &nobody), Err(MlsError::Nothing));
}

#[test]
fn more_additions_than_fit_one_commit_are_refused() {
    let mut founder = Member::founder();
    let packages = vec![newcomer(1).package; ADDS_AT_ONCE + 1];
    let refused = founder.group.commit_add(&founder.key, AAD, &packages);
    assert_eq!(
        refused,
        Err(MlsError::TooMany {
            limit: ADDS_AT_ONCE,
            found: ADDS_AT_ONCE + 1
        })
    );
}

#[test]
fn a_commit_is_not_followed_twice_or_from_another_epoch() {
    let mut members = coalition(3);
    let commit = members[0].update();
    let staged = |member: &mut Member| match member.group.open(&commit).unwrap() {
        Opened::Commit { staged, .. } => *staged,
        other => panic!("{other:?}"),
    };
    let (first, second) = (staged(&mut members[1]), staged(&mut members[1]));
    assert_eq!(members[1].group.merge(first), Ok(2));
    assert_eq!(members[1].group.merge(second), Err(MlsError::NoProgress));
    assert_eq!(members[2].group.merge_own(), Err(MlsError::NoCommitPending));
}

#[test]
fn a_key_that_is_not_in_the_leaf_signs_nothing() {
    let mut members = coalition(2);
    let other = node(50).1;
    assert_eq!(
        members[0].group.seal(&other, AAD, b"x"),
        Err(MlsError::WrongKey)
    );
    assert_eq!(
        members[0].group.commit_update(&other, AAD),
        Err(MlsError::WrongKey)
    );
    assert_eq!(
        members[0].group.export_group_info(&other),
        Err(MlsError::WrongKey)
    );
}

#[test]
fn a_node_that_lost_its_state_comes_back_onto_its_leaf() {
    let mut members = coalition(4);
    let update = members[1].update();
    everybody_folds(&mut members, &update);
    let info = members[0].group.export_group_info(&members[0].key).unwrap();
    let mut lost = members.pop().unwrap();
    let (group, bytes) = Group::rejoin(Overlay::default(), &lost.key, lost.id, &info, AAD).unwrap();

    match members[0].group.open(&bytes).unwrap() {
        Opened::Commit {
            author,
            rejoin,
            added,
            removed,
            author_key,
            ..
        } => {
            assert_eq!(
                (author, author_key, rejoin),
                (lost.id, lost.key.public(), true)
            );
            assert!(added.is_empty() && removed.is_empty());
        }
        other => panic!("{other:?}"),
    }
    everybody_folds(&mut members, &bytes);
    lost.group = group;
    lost.rows.clear();
    lost.persist();
    lost.restart();
    members.push(lost);
    agree(&members);
    let sealed = members[3].seal(b"back again");
    assert_eq!(members[1].reads(&sealed), b"back again");
}

#[test]
fn a_rejoin_that_lost_its_race_leaves_the_old_state_usable() {
    let mut members = coalition(3);
    let info = members[0].group.export_group_info(&members[0].key).unwrap();
    let (_, lost) = Group::rejoin(
        Overlay::default(),
        &members[2].key,
        members[2].id,
        &info,
        AAD,
    )
    .unwrap();
    let first = members[1].update();
    everybody_folds(&mut members, &first);
    for member in &mut members {
        assert_eq!(
            member.refuses(&lost),
            OpenError::StaleEpoch {
                epoch: 1,
                current: 2
            }
        );
    }
    agree(&members);
    let sealed = members[2].seal(b"unharmed");
    assert_eq!(members[0].reads(&sealed), b"unharmed");
}

#[test]
fn a_stranger_with_the_group_information_cannot_come_in() {
    let mut members = coalition(3);
    let info = members[0].group.export_group_info(&members[0].key).unwrap();
    let (stranger, key) = node(60);
    let (_, bytes) = Group::rejoin(Overlay::default(), &key, stranger, &info, AAD).unwrap();
    for member in &mut members {
        let error = member.refuses(&bytes);
        assert!(
            error.is_void() && matches!(error, OpenError::NotAllowed(_)),
            "{error:?}"
        );
    }
}

#[test]
fn nobody_comes_back_under_another_nodes_name() {
    let members = coalition(3);
    let info = members[0].group.export_group_info(&members[0].key).unwrap();
    let thief = node(61).1;
    // The leaf with this id has another key, so there would be two of it.
    let refused = Group::rejoin(Overlay::default(), &thief, members[2].id, &info, AAD);
    assert_eq!(refused.unwrap_err(), MlsError::Leaf);
    let renamed = Group::rejoin(
        Overlay::default(),
        &members[1].key,
        members[2].id,
        &info,
        AAD,
    );
    assert_eq!(renamed.unwrap_err(), MlsError::Leaf);
}

#[test]
fn a_member_that_returns_under_a_new_name_is_refused_by_the_others() {
    let mut members = coalition(3);
    let info = members[0].group.export_group_info(&members[0].key).unwrap();
    let (_, bytes) =
        Group::rejoin(Overlay::default(), &members[1].key, node(62).0, &info, AAD).unwrap();
    let error = members[0].refuses(&bytes);
    assert!(matches!(error, OpenError::NotAllowed(_)), "{error:?}");
}
