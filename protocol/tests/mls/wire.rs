//! What travels: no names, and nothing that can be changed on the way.

use super::coalition::{Member, agree, coalition, everybody_folds, newcomer, node};
use protocol::mls::{Group, MLS_BYTES, OpenError, Opened, Overlay};

/// Every byte changed in turn: refused as void, never followed, and nobody is stopped by it.
fn refused_with_any_byte_changed(member: &mut Member, bytes: &[u8]) {
    for position in 0..bytes.len() {
        for bit in [0x01, 0x80] {
            let mut changed = bytes.to_vec();
            changed[position] ^= bit;
            let error = member.group.open(&changed).expect_err("a changed message");
            assert!(error.is_void(), "byte {position}: {error:?}");
        }
    }
    assert!(
        member.group.changes().is_empty(),
        "refused entries change no row"
    );
}

#[test]
fn a_commit_with_any_byte_changed_is_void_and_the_true_one_is_still_followed() {
    let mut members = coalition(3);
    let joiner = newcomer(9);
    let commit = members[0].add(std::slice::from_ref(&joiner.package)).bytes;
    refused_with_any_byte_changed(&mut members[1], &commit);
    refused_with_any_byte_changed(&mut members[0], &commit);
    everybody_folds(&mut members, &commit);
    agree(&members);
}

#[test]
fn an_external_commit_with_any_byte_changed_is_not_followed() {
    let mut members = coalition(3);
    let info = members[0].group.export_group_info(&members[0].key).unwrap();
    let (id, key) = (members[2].id, &members[2].key);
    let (_, bytes) = Group::rejoin(Overlay::default(), key, id, &info, b"").unwrap();
    let mut stops = 0;
    for position in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[position] ^= 1;
        let error = members[0]
            .group
            .open(&changed)
            .expect_err("a changed message");
        stops += usize::from(!error.is_void());
    }
    // The confirmation tag is under no signature, and an external commit has no membership tag.
    assert_eq!(stops, 32);
    assert!(members[0].group.changes().is_empty());
}

#[test]
fn a_message_with_any_byte_changed_is_void_and_the_true_one_is_still_read() {
    let mut members = coalition(2);
    let sealed = members[0].seal(b"knocked, nobody home");
    refused_with_any_byte_changed(&mut members[1], &sealed);
    assert_eq!(members[1].reads(&sealed), b"knocked, nobody home");
}

#[test]
fn a_truncated_or_lengthened_message_is_malformed() {
    let mut members = coalition(2);
    let (sealed, commit) = (members[0].seal(b"x"), members[0].update());
    for bytes in [sealed, commit] {
        for length in 0..bytes.len() {
            assert_eq!(
                members[1].group.open(&bytes[..length]).unwrap_err(),
                OpenError::Malformed
            );
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(members[1].refuses(&longer), OpenError::Malformed);
    }
}

#[test]
fn what_the_log_does_not_carry_is_malformed() {
    let mut members = coalition(2);
    let newcomer = newcomer(9);
    let info = members[0].group.export_group_info(&members[0].key).unwrap();
    let welcome = members[0]
        .add(std::slice::from_ref(&newcomer.package))
        .welcome
        .unwrap();
    for bytes in [
        newcomer.package,
        info,
        welcome,
        Vec::new(),
        vec![0; MLS_BYTES + 1],
    ] {
        assert_eq!(members[1].refuses(&bytes), OpenError::Malformed);
    }
}

#[test]
fn a_message_of_another_group_is_refused() {
    let mut members = coalition(2);
    let (other, key) = node(40);
    let mut elsewhere = Group::create(Overlay::default(), &key, other, [8; 16]).unwrap();
    let sealed = elsewhere.seal(&key, b"", b"x").unwrap();
    assert_eq!(members[0].refuses(&sealed), OpenError::NotForThisGroup);
    let commit = elsewhere.commit_update(&key, b"").unwrap();
    assert_eq!(
        members[0].refuses(&commit.bytes),
        OpenError::NotForThisGroup
    );
}

#[test]
fn a_message_of_a_fork_with_the_same_id_and_epoch_is_forged() {
    let mut members = coalition(2);
    let (other, key) = node(40);
    let mut fork = Group::create(Overlay::default(), &key, other, members[0].group.id()).unwrap();
    let commit = fork.commit_update(&key, b"").unwrap();
    assert!(matches!(
        fork.open(&commit.bytes),
        Ok(Opened::OwnCommit { .. })
    ));
    fork.merge_own().unwrap();
    assert_eq!(fork.epoch(), members[0].group.epoch());
    let sealed = fork.seal(&key, b"", b"x").unwrap();
    assert_eq!(members[0].refuses(&sealed), OpenError::Forged);
    let commit = fork.commit_update(&key, b"").unwrap();
    assert_eq!(members[0].refuses(&commit.bytes), OpenError::Forged);
}

#[test]
fn an_application_message_hides_its_text_author_and_length() {
    let mut members = coalition(2);
    let (short, long) = (
        members[0].seal(b"short"),
        members[0].seal(b"a somewhat longer text"),
    );
    assert_eq!(short.len(), long.len());
    let id = members[0].id.0;
    assert!(!contains(&short, b"short") && !contains(&short, &id));
}

#[test]
fn a_public_commit_shows_ids_and_keys_and_no_name() {
    // An organization's name is in its identity document; only the id of that reaches the group.
    let name = b"Neighbors United";
    let mut members = coalition(2);
    let sealed_name = members[0].seal(name);
    let joiner = newcomer(9);
    let commit = members[0].add(std::slice::from_ref(&joiner.package));
    assert!(
        contains(&commit.bytes, &joiner.id.0),
        "the credential is visible: it is the node id"
    );
    for bytes in [&commit.bytes, &sealed_name, &joiner.package] {
        assert!(!contains(bytes, name));
    }
    // The credential is the id alone: basic credential type, length 32, id, then the capabilities.
    let credential = [&[0, 1, 32][..], &joiner.id.0].concat();
    assert!(contains(&commit.bytes, &credential));
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}
