//! Application messages: the window of epochs, replay, restored senders, what a joiner cannot read.

use super::coalition::{AAD, Member, agree, coalition, everybody_folds, newcomer};
use protocol::mls::{EPOCHS_ACCEPTED, OpenError, Opened, RATCHET_BACK};

#[test]
fn two_members_read_each_other_and_know_the_author() {
    let mut members = coalition(2);
    let (sealed, author) = (members[0].seal(b"door 12"), members[0].id);
    match members[1].fold(&sealed).unwrap() {
        Opened::Application {
            author: a,
            epoch,
            aad,
            plaintext,
        } => {
            assert_eq!((a, epoch), (author, 1));
            assert_eq!(
                (aad.as_slice(), plaintext.as_slice()),
                (AAD, b"door 12".as_slice())
            );
        }
        other => panic!("{other:?}"),
    }
    let answer = members[1].seal(b"seen");
    assert_eq!(members[0].reads(&answer), b"seen");
}

#[test]
fn a_nodes_own_message_is_known_as_its_own() {
    let mut members = coalition(2);
    let sealed = members[0].seal(b"mine");
    assert!(matches!(
        members[0].fold(&sealed),
        Ok(Opened::OwnApplication { epoch: 1 })
    ));
}

#[test]
fn a_pending_commit_does_not_hinder_messages() {
    let mut members = coalition(2);
    let commit = members[0].update();
    let sealed = members[0].seal(b"meanwhile");
    let other = members[1].seal(b"as well");
    assert_eq!(members[1].reads(&sealed), b"meanwhile");
    assert_eq!(members[0].reads(&other), b"as well");
    everybody_folds(&mut members, &commit);
    agree(&members);
}

#[test]
fn messages_of_one_author_may_overtake_each_other() {
    let mut members = coalition(2);
    let sealed: Vec<_> = (0..20_u8).map(|n| members[0].seal(&[n])).collect();
    for (n, bytes) in sealed.iter().enumerate().rev() {
        assert_eq!(members[1].reads(bytes), [u8::try_from(n).unwrap()]);
    }
}

#[test]
fn a_message_too_far_behind_the_others_of_its_author_is_void() {
    let mut members = coalition(2);
    let Member { key, group, .. } = &mut members[0];
    let first = group.seal(key, AAD, b"first").unwrap();
    let mut last = Vec::new();
    for _ in 0..=RATCHET_BACK {
        last = group.seal(key, AAD, b"later").unwrap();
    }
    assert_eq!(members[1].reads(&last), b"later");
    assert_eq!(members[1].refuses(&first), OpenError::OutsideWindow);
}

#[test]
fn a_message_is_open_for_five_epochs_of_key_updates_and_not_for_six() {
    let mut members = coalition(3);
    let (early, late) = (members[0].seal(b"early"), members[0].seal(b"too late"));
    for _ in 0..EPOCHS_ACCEPTED {
        let commit = members[1].update();
        everybody_folds(&mut members, &commit);
    }
    assert_eq!(members[2].reads(&early), b"early");
    assert!(matches!(
        members[0].fold(&early),
        Ok(Opened::OwnApplication { epoch: 1 })
    ));
    let commit = members[2].update();
    everybody_folds(&mut members, &commit);
    for member in &mut members {
        // Author and readers alike.
        assert_eq!(
            member.refuses(&late),
            OpenError::StaleEpoch {
                epoch: 1,
                current: 7
            }
        );
    }
}

#[test]
fn an_addition_closes_all_earlier_epochs_for_everybody() {
    let mut members = coalition(3);
    let sealed = members[0].seal(b"before the joiner");
    let joiner = newcomer(9);
    let commit = members[1].add(std::slice::from_ref(&joiner.package));
    everybody_folds(&mut members, &commit.bytes);
    members.push(joiner.join(&commit.welcome.unwrap()));
    agree(&members);
    for member in &mut members {
        assert_eq!(
            member.refuses(&sealed),
            OpenError::StaleEpoch {
                epoch: 1,
                current: 2
            }
        );
    }
}

#[test]
fn a_removal_closes_all_earlier_epochs_for_everybody() {
    let mut members = coalition(3);
    let late = members[2].seal(b"after my removal was ordered");
    let gone = members[2].id;
    let commit = members[0].remove(&[gone]);
    members.pop();
    everybody_folds(&mut members, &commit);
    for member in &mut members {
        assert_eq!(
            member.refuses(&late),
            OpenError::StaleEpoch {
                epoch: 1,
                current: 2
            }
        );
    }
}

#[test]
fn a_closed_epoch_stays_closed_after_a_restart() {
    let mut members = coalition(2);
    let sealed = members[0].seal(b"late");
    let update = members[0].update();
    everybody_folds(&mut members, &update);
    for member in &mut members {
        member.group.close_earlier_epochs().unwrap();
        member.persist();
        member.restart();
        assert_eq!(
            member.refuses(&sealed),
            OpenError::StaleEpoch {
                epoch: 1,
                current: 2
            }
        );
    }
    agree(&members);
}

#[test]
fn a_joiner_cannot_open_what_was_sealed_before_its_commit() {
    let mut members = coalition(2);
    let sealed = members[0].seal(b"not for you");
    assert_eq!(members[1].reads(&sealed), b"not for you");
    let joiner = newcomer(9);
    let commit = members[0].add(std::slice::from_ref(&joiner.package));
    everybody_folds(&mut members, &commit.bytes);
    let mut joiner = joiner.join(&commit.welcome.unwrap());
    assert_eq!(
        joiner.refuses(&sealed),
        OpenError::StaleEpoch {
            epoch: 1,
            current: 2
        }
    );
}

#[test]
fn a_message_from_an_epoch_that_the_log_has_not_reached_is_void() {
    let mut members = coalition(2);
    let commit = members[0].update();
    members[0].fold(&commit).unwrap();
    let ahead = members[0].seal(b"from the future");
    let next = members[0].update();
    for bytes in [ahead, next] {
        let error = members[1].refuses(&bytes);
        assert_eq!(
            error,
            OpenError::FutureEpoch {
                epoch: 2,
                current: 1
            }
        );
        assert!(error.is_void());
    }
}

#[test]
fn a_replayed_message_is_refused_also_after_a_restart() {
    let mut members = coalition(2);
    let sealed = members[0].seal(b"once");
    assert_eq!(members[1].reads(&sealed), b"once");
    assert_eq!(members[1].refuses(&sealed), OpenError::Replayed);
    members[1].restart();
    assert_eq!(members[1].refuses(&sealed), OpenError::Replayed);
    let next = members[0].seal(b"goes on");
    assert_eq!(members[1].reads(&next), b"goes on");
}

#[test]
fn a_sender_restored_from_a_backup_is_refused_by_its_receivers() {
    let mut members = coalition(3);
    let backup = members[0].rows.clone();
    let first = members[0].seal(b"before the loss");
    assert_eq!(members[1].reads(&first), b"before the loss");
    members[0].rows = backup;
    members[0].restart();
    let reused = members[0].seal(b"same key, other text");
    assert_eq!(members[1].refuses(&reused), OpenError::Replayed);
}

#[test]
fn a_receiver_restored_from_a_backup_reads_the_log_again() {
    let mut members = coalition(2);
    let backup = members[1].rows.clone();
    let sealed = members[0].seal(b"twice read, once folded");
    assert_eq!(members[1].reads(&sealed), b"twice read, once folded");
    members[1].rows = backup;
    members[1].restart();
    assert_eq!(members[1].reads(&sealed), b"twice read, once folded");
}
