//! Key packages and welcomes.

use super::coalition::{
    AAD, GROUP, Member, agree, coalition, everybody_folds, newcomer, node, write,
};
use protocol::mls::{Group, MlsError, Overlay, Rows, inspect_key_package, key_package};

#[test]
fn a_key_package_tells_whose_it_is() {
    let newcomer = newcomer(5);
    assert_eq!(
        inspect_key_package(&newcomer.package),
        Ok((newcomer.id, newcomer.key.public()))
    );
}

#[test]
fn a_key_package_with_any_byte_changed_is_refused_or_names_another_leaf() {
    let package = newcomer(5).package;
    for position in 0..package.len() {
        let mut changed = package.clone();
        changed[position] ^= 1;
        assert!(
            matches!(inspect_key_package(&changed), Err(MlsError::KeyPackage(_))),
            "byte {position}"
        );
    }
}

#[test]
fn what_is_no_key_package_is_refused() {
    let mut members = coalition(2);
    let sealed = members[0].seal(b"x");
    for bytes in [&[][..], &[0; 40], &sealed] {
        assert!(matches!(
            inspect_key_package(bytes),
            Err(MlsError::KeyPackage(_))
        ));
        let Member { key, group, .. } = &mut members[0];
        assert!(matches!(
            group.commit_add(key, AAD, &[bytes]),
            Err(MlsError::KeyPackage(_))
        ));
    }
}

#[test]
fn a_key_package_is_used_once() {
    let mut founder = Member::founder();
    let newcomer = newcomer(1);
    let commit = founder.add(std::slice::from_ref(&newcomer.package));
    founder.fold(&commit.bytes).unwrap();
    let welcome = commit.welcome.unwrap();
    let member = newcomer.join(&welcome);
    let again = Group::join(Overlay::from_rows(member.rows.clone()), &welcome);
    assert_eq!(again.unwrap_err(), MlsError::NoMatchingKeyPackage);

    // Nor does it help a second group.
    let (other, key) = node(40);
    let mut second = Group::create(Overlay::default(), &key, other, [8; 16]).unwrap();
    let reuse = second
        .commit_add(&key, AAD, &[inspectable(&member)])
        .unwrap();
    let refused = Group::join(Overlay::from_rows(member.rows), &reuse.welcome.unwrap());
    assert_eq!(refused.unwrap_err(), MlsError::NoMatchingKeyPackage);
}

#[test]
fn a_welcome_tells_who_has_made_it() {
    let mut founder = Member::founder();
    let (first, second) = (newcomer(1), newcomer(2));
    let commit = founder.add(std::slice::from_ref(&first.package));
    founder.fold(&commit.bytes).unwrap();
    let mut first = first.join(&commit.welcome.unwrap());
    let commit = first.add(std::slice::from_ref(&second.package));
    let overlay = Overlay::from_rows(second.rows);
    let (_, by) = Group::join_by(overlay, &commit.welcome.unwrap()).unwrap();
    assert_eq!(by, (first.id, first.key.public()));
    assert_ne!(by.0, founder.id);
}

/// A package whose private part the member's rows never held.
fn inspectable(member: &Member) -> Vec<u8> {
    key_package(&mut Overlay::default(), &member.key, member.id).unwrap()
}

#[test]
fn a_welcome_for_somebody_else_is_refused() {
    let mut founder = Member::founder();
    let (invited, other) = (newcomer(1), newcomer(2));
    let commit = founder.add(&[invited.package]);
    let refused = Group::join(Overlay::from_rows(other.rows), &commit.welcome.unwrap());
    assert_eq!(refused.unwrap_err(), MlsError::NoMatchingKeyPackage);
}

#[test]
fn a_welcome_with_any_byte_changed_is_refused() {
    let mut founder = Member::founder();
    let invited = newcomer(1);
    let welcome = founder
        .add(std::slice::from_ref(&invited.package))
        .welcome
        .unwrap();
    for position in 0..welcome.len() {
        let mut changed = welcome.clone();
        changed[position] ^= 1;
        let joined = Group::join(Overlay::from_rows(invited.rows.clone()), &changed);
        assert!(joined.is_err(), "byte {position} of {}", welcome.len());
    }
    Group::join(Overlay::from_rows(invited.rows), &welcome).unwrap();
}

#[test]
fn an_interrupted_join_can_be_repeated_from_the_rows() {
    let mut founder = Member::founder();
    let newcomer = newcomer(1);
    let commit = founder.add(std::slice::from_ref(&newcomer.package));
    founder.fold(&commit.bytes).unwrap();
    let welcome = commit.welcome.unwrap();
    drop(Group::join(Overlay::from_rows(newcomer.rows.clone()), &welcome).unwrap()); // the crash
    agree(&[founder, newcomer.join(&welcome)]);
}

#[test]
fn a_welcome_does_not_replace_a_group_in_use() {
    let mut members = coalition(2);
    let mut overlay = Overlay::from_rows(members[1].rows.clone());
    let package = key_package(&mut overlay, &members[1].key, members[1].id).unwrap();
    let mut rows = members[1].rows.clone();
    write(&mut rows, overlay.changes());
    // Somebody founds a group with the very same id and welcomes the member into it.
    let (other, key) = node(40);
    let mut forged = Group::create(Overlay::default(), &key, other, GROUP).unwrap();
    let commit = forged.commit_add(&key, AAD, &[package]).unwrap();
    let refused = Group::join(Overlay::from_rows(rows), &commit.welcome.unwrap());
    assert_eq!(refused.unwrap_err(), MlsError::GroupExists);
    let commit = members[0].update();
    everybody_folds(&mut members, &commit);
}

#[test]
fn a_group_is_not_founded_twice_and_an_unknown_one_is_not_loaded() {
    let founder = Member::founder();
    let again = Group::create(
        Overlay::from_rows(founder.rows.clone()),
        &founder.key,
        founder.id,
        GROUP,
    );
    assert_eq!(again.unwrap_err(), MlsError::GroupExists);
    assert!(
        Group::load(Overlay::from_rows(founder.rows), [9; 16])
            .unwrap()
            .is_none()
    );
    assert!(
        Group::load(Overlay::from_rows(Rows::new()), GROUP)
            .unwrap()
            .is_none()
    );
}
