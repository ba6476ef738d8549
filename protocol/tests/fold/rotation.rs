//! The keys after a removal for cause, as every member folds it: what keepers must say, and who may not.

use super::world::{World, token};
use protocol::{
    channel::Channel,
    codec,
    entry::{
        ceremony::{
            CeremonyConfirm, CeremonyStart, KeyRotation, RotationFault, RotationStep, TokensMoved,
        },
        housekeeping::Tick,
        parting::{Leave, Remove, RemoveApprove},
        payload::{Channels, Payload, SuppressionRow, write_rows},
        suppression::Suppress,
    },
    fold::{
        Void, ceremony,
        generation::CLOSING_LIFE,
        rotation::{self, ROTATION_LIFE},
    },
    id::Hash,
    state::rows::{RotationRow, RotationStanding},
    time::DAY,
    token::{Keyset, KeysetParts, Rotation, ceremony::CeremonyKind},
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// A ceremony of the first three, from its beginning to its end.
fn three_keys(world: &mut World) {
    world.keep(&[0, 1, 2]);
    let plan = ceremony::wanted(&world.state).unwrap();
    let id = world.done(0, CeremonyStart { plan: plan.clone() });
    for n in 0..3 {
        let commit = world.committed(n, id, &plan);
        world.done(n, commit);
    }
    for n in 0..3 {
        let deal = world.dealt(n, id, &plan);
        world.done(n, deal);
    }
    let digest = world.digest(id);
    for n in 0..3 {
        let ceremony = id;
        world.done(n, CeremonyConfirm { ceremony, digest });
    }
}

/// Five members of whom the first three hold shares of keys, and nothing that was said by tokens.
fn three_keepers() -> World {
    let mut world = World::agreed(5, 0);
    three_keys(&mut world);
    world
}

/// All others agree that a member goes, and the first one makes the commit.
fn removed(world: &mut World, n: usize) -> u64 {
    let stay: Vec<usize> = (0..5)
        .filter(|other| *other != n && world.state.active(world.id(*other)).is_some())
        .collect();
    let remove = Remove {
        node: world.id(n),
        reason: "it sold a list".to_owned(),
    };
    let proposal = world.done(stay[0], remove);
    for voter in &stay[1..] {
        let node = world.id(n);
        world.done(*voter, RemoveApprove { node, proposal });
    }
    let removing = world.removing(stay[0], &[n]);
    world.commit(stay[0], removing).unwrap();
    world.state.meta().head.position
}

fn row(world: &World) -> &RotationRow {
    world.state.rotation.get(&()).expect("a rotation")
}

fn factor() -> Rotation {
    Rotation::new(&[7; 64]).unwrap()
}

fn product(world: &World) -> Vec<u8> {
    let before = ceremony::current(&world.state).unwrap();
    codec::encode(&factor().keyset(&before).unwrap())
}

fn step(removal: u64, step: RotationStep) -> KeyRotation {
    KeyRotation { removal, step }
}

fn keyset(removal: u64, bytes: &[u8]) -> KeyRotation {
    step(removal, RotationStep::Keyset(bytes.to_vec()))
}

fn confirm(removal: u64, bytes: &[u8]) -> KeyRotation {
    step(removal, RotationStep::Confirm(Hash::of(bytes)))
}

fn refuse(removal: u64, why: RotationFault) -> KeyRotation {
    step(removal, RotationStep::Refuse(why))
}

fn no_contact(token_: u8, generation: u32) -> Suppress {
    let row = SuppressionRow {
        token: token(token_),
        channels: Channels::EVERY,
        deceased: false,
    };
    Suppress {
        rows: Payload::Inline(write_rows([row])),
        generation,
    }
}

#[test]
fn rotated_keys_are_in_use_once_every_keeper_comes_to_them() {
    let mut world = three_keepers();
    let removal = removed(&mut world, 4);
    assert_eq!(row(&world).position, removal);
    assert_eq!(row(&world).removed, [world.id(4)]);
    assert_eq!(
        ceremony::wanted(&world.state),
        None,
        "no ceremony is needed"
    );
    let made = product(&world);
    world.done(1, keyset(removal, &made));
    world.done(0, confirm(removal, &made));
    assert_eq!(world.state.meta().generation, Some(2));
    world.done(2, confirm(removal, &made));
    assert_eq!(world.state.meta().generation, Some(3));
    assert_eq!(row(&world).standing, RotationStanding::InUse);
    let in_use = ceremony::current(&world.state).unwrap();
    assert_eq!((in_use.generation(), in_use.reshare()), (3, 0));
    assert_eq!(
        in_use.keepers(),
        codec::decode::<Keyset>(&made).unwrap().keepers()
    );
}

#[test]
fn one_keeper_rotates_alone() {
    let mut world = World::agreed(5, 0);
    world.done(1, no_contact(1, 1));
    let removal = removed(&mut world, 3);
    let made = product(&world);
    world.done(0, keyset(removal, &made));
    assert_eq!(world.state.meta().generation, Some(2));
    // What was said by the old tokens protects until it was said again.
    assert_eq!(world.state.closing.get(&()).unwrap().generation, 1);
    assert!(!world.state.suppressions.is_empty());
}

#[test]
fn whoever_leaves_by_itself_changes_no_keys() {
    let mut world = three_keepers();
    world.done(4, Leave {});
    let removing = world.removing(0, &[4]);
    world.commit(0, removing).unwrap();
    assert!(world.state.rotation.is_empty());
    let made = product(&world);
    assert!(matches!(
        world.void(0, keyset(world.state.meta().head.position, &made)),
        Void::Unknown(_)
    ));
}

#[test]
fn a_member_that_leaves_while_others_want_it_gone_changes_the_keys() {
    let mut world = three_keepers();
    world.done(
        1,
        Remove {
            node: world.id(4),
            reason: "it sold a list".to_owned(),
        },
    );
    world.done(4, Leave {});
    let removing = world.removing(0, &[4]);
    world.commit(0, removing).unwrap();
    assert!(rotation::open(&world.state).is_some());
}

#[test]
fn a_holder_of_a_share_that_is_removed_calls_for_fresh_keys() {
    let mut world = three_keepers();
    let removal = removed(&mut world, 2);
    assert!(rotation::has_failed(&world.state));
    let plan = ceremony::wanted(&world.state).unwrap();
    assert_eq!(plan.kind, CeremonyKind::Fresh);
    assert!(matches!(
        world.void(0, keyset(removal, &product(&world))),
        Void::NotAllowed(_)
    ));
    // Another keeper in its place gets no share of keys that it holds a share of.
    world.keep(&[0, 1, 3]);
    let plan = ceremony::wanted(&world.state).unwrap();
    assert_eq!(plan.kind, CeremonyKind::Fresh);
}

#[test]
fn a_false_keyset_is_refused_as_far_as_everybody_can_see() {
    let mut world = three_keepers();
    let removal = removed(&mut world, 4);
    let good: Keyset = codec::decode(&product(&world)).unwrap();
    let before = ceremony::current(&world.state).unwrap();
    let changed = |change: &dyn Fn(&mut KeysetParts)| {
        let mut parts = good.parts().clone();
        change(&mut parts);
        codec::encode(&parts)
    };
    let bounds = [
        changed(&|parts| parts.generation = 4),
        changed(&|parts| parts.generation = 2),
        changed(&|parts| parts.reshare = 1),
        changed(&|parts| parts.keepers[2].id = 9),
        changed(&|parts| parts.classes.clone_from(&before.parts().classes)),
        changed(&|parts| parts.classes[1] = before.parts().classes[1].clone()),
    ];
    for bytes in bounds {
        // Another id puts the shares on another polynomial, which is no keyset at all.
        let void = world.void(0, keyset(removal, &bytes));
        assert!(matches!(void, Void::Bounds(_) | Void::Entry(_)), "{void:?}");
    }
    let unreadable = [
        changed(&|parts| parts.classes[2].shares.swap(0, 1)),
        changed(&|parts| parts.classes[0].group = parts.classes[1].group),
        Vec::new(),
        b"no keyset".to_vec(),
    ];
    for bytes in unreadable {
        assert!(matches!(
            world.void(0, keyset(removal, &bytes)),
            Void::Entry(_)
        ));
    }
    assert_eq!(row(&world).keyset, None);
}

#[test]
fn nobody_confirms_another_keyset_or_twice_or_before_there_is_one() {
    let mut world = three_keepers();
    let removal = removed(&mut world, 4);
    let made = product(&world);
    assert!(matches!(
        world.void(0, confirm(removal, &made)),
        Void::NotAllowed(_)
    ));
    world.done(0, keyset(removal, &made));
    assert_eq!(world.void(0, confirm(removal, &made)), Void::Repeated);
    assert_eq!(world.void(1, keyset(removal, &made)), Void::Repeated);
    assert!(matches!(
        world.void(1, confirm(removal, b"another")),
        Void::Signature(_)
    ));
    world.done(1, confirm(removal, &made));
    assert_eq!(world.void(1, confirm(removal, &made)), Void::Repeated);
}

#[test]
fn only_keepers_of_the_keys_take_part_and_the_removed_one_says_nothing() {
    let mut world = three_keepers();
    let removal = removed(&mut world, 4);
    let made = product(&world);
    world.done(0, keyset(removal, &made));
    for entry in [
        confirm(removal, &made),
        refuse(removal, RotationFault::Other),
    ] {
        assert!(matches!(world.void(3, entry.clone()), Void::NotAllowed(_)));
        assert_eq!(
            world.void(4, entry),
            Void::NotAllowed("the author is not a member")
        );
    }
    assert!(matches!(
        world.void(1, confirm(removal - 1, &made)),
        Void::Unknown(_)
    ));
}

#[test]
fn a_keeper_that_refuses_calls_for_fresh_keys_and_its_word_is_final() {
    let mut world = three_keepers();
    let removal = removed(&mut world, 4);
    let made = product(&world);
    world.done(0, keyset(removal, &made));
    world.done(1, refuse(removal, RotationFault::Lost));
    assert_eq!(row(&world).standing, RotationStanding::Failed);
    for n in [1, 2] {
        assert!(matches!(
            world.void(n, confirm(removal, &made)),
            Void::NotAllowed(_)
        ));
        assert!(matches!(
            world.void(n, refuse(removal, RotationFault::Other)),
            Void::NotAllowed(_)
        ));
    }
    assert!(ceremony::wanted(&world.state).is_some());
    three_keys(&mut world);
    assert_eq!(world.state.meta().generation, Some(3));
    assert!(world.state.rotation.is_empty());
}

#[test]
fn late_steps_change_nothing_and_fresh_keys_are_called_for() {
    let mut world = three_keepers();
    let removal = removed(&mut world, 4);
    let made = product(&world);
    world.done(0, keyset(removal, &made));
    world.wait(ROTATION_LIFE);
    assert!(matches!(
        world.void(1, confirm(removal, &made)),
        Void::NotAllowed(_)
    ));
    assert!(rotation::has_failed(&world.state));
    assert!(ceremony::wanted(&world.state).is_some());
}

#[test]
fn a_sole_keeper_whose_factor_is_lost_makes_a_fresh_key() {
    let mut world = World::agreed(5, 0);
    let removal = removed(&mut world, 4);
    world.done(0, refuse(removal, RotationFault::Lost));
    assert!(rotation::has_failed(&world.state));
    let (_, keyset) =
        protocol::token::KeyShare::found(2, world.id(0), &mut ChaCha8Rng::seed_from_u64(1));
    let keyset = codec::encode(&keyset);
    world.done(0, protocol::entry::housekeeping::Keyset { keyset });
    assert!(world.state.rotation.is_empty());
}

#[test]
fn a_second_removal_begins_anew_because_the_second_one_knew_the_first_factor() {
    let mut world = three_keepers();
    let first = removed(&mut world, 4);
    let made = product(&world);
    world.done(0, keyset(first, &made));
    world.done(1, confirm(first, &made));
    let second = removed(&mut world, 3);
    assert!(matches!(
        world.void(2, confirm(first, &made)),
        Void::Unknown(_)
    ));
    assert_eq!(row(&world).keyset, None);
    assert!(row(&world).confirmed.is_empty());
    assert_eq!(row(&world).removed.len(), 2);
    let other = Rotation::new(&[8; 64]).unwrap();
    let before = ceremony::current(&world.state).unwrap();
    let made = codec::encode(&other.keyset(&before).unwrap());
    world.done(2, keyset(second, &made));
    for n in [0, 1] {
        world.done(n, confirm(second, &made));
    }
    assert_eq!(world.state.meta().generation, Some(3));
}

#[test]
fn a_rotation_waits_until_an_older_generation_has_closed() {
    let mut world = World::agreed(5, 0);
    world.done(1, no_contact(1, 1));
    let first = removed(&mut world, 4);
    let made = product(&world);
    world.done(0, keyset(first, &made));
    let second = removed(&mut world, 3);
    assert_eq!(row(&world).deadline, None);
    let made = product(&world);
    assert!(matches!(
        world.void(0, keyset(second, &made)),
        Void::NotAllowed(_)
    ));
    world.wait(CLOSING_LIFE);
    world.done(0, Tick {});
    let deadline = row(&world).deadline;
    assert_eq!(deadline, Some(world.now.plus(ROTATION_LIFE)));
    assert_eq!(ceremony::next_end(&world.state), deadline);
    world.done(0, keyset(second, &made));
    assert_eq!(world.state.meta().generation, Some(3));
}

#[test]
fn a_refresh_under_way_ends_with_a_removal_and_none_begins_before_the_keys_are_rotated() {
    let mut world = three_keepers();
    world.wait(DAY);
    let plan = ceremony::refreshable(&world.state).unwrap();
    let id = world.done(0, CeremonyStart { plan: plan.clone() });
    removed(&mut world, 4);
    assert_eq!(ceremony::refreshable(&world.state), None);
    let commit = world.committed(0, id, &plan);
    assert!(matches!(world.void(0, commit), Void::Unknown(_)));
    assert!(matches!(
        world.void(0, CeremonyStart { plan }),
        Void::Bounds(_)
    ));
}

#[test]
fn a_member_says_once_that_the_keys_in_use_are_not_the_product() {
    let mut world = World::agreed(5, 0);
    let removal = removed(&mut world, 4);
    let made = product(&world);
    world.done(0, keyset(removal, &made));
    assert!(matches!(
        world.void(2, refuse(removal, RotationFault::Lost)),
        Void::NotAllowed(_)
    ));
    world.done(2, refuse(removal, RotationFault::Other));
    assert_eq!(
        world.void(2, refuse(removal, RotationFault::Other)),
        Void::Repeated
    );
    assert_eq!(row(&world).refused, [world.id(2)]);
    assert_eq!(row(&world).standing, RotationStanding::InUse);
    assert_eq!(world.state.meta().generation, Some(2));
}

#[test]
fn claims_go_on_by_both_tokens_while_rotated_keys_take_over() {
    let mut world = World::agreed(5, 0);
    world.done(1, world.claim(Channel::Door, 0, 24, &[1]));
    let removal = removed(&mut world, 4);
    let made = product(&world);
    world.done(0, keyset(removal, &made));
    assert_eq!(
        world.void(2, world.claim(Channel::Door, 0, 24, &[2])),
        Void::Generation
    );
    for n in 0..4 {
        world.done(n, TokensMoved { generation: 2 });
    }
    world.wait(2 * DAY);
    world.done(0, Tick {});
    assert!(world.state.closing.is_empty());
}
