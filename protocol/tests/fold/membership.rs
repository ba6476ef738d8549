//! Who is in: founding, inviting, asking, approving; keys, checkpoints, ticks.

use super::world::{Actor, Inside, START, World, header};
use protocol::{
    codec,
    entry::{
        Class, Entry,
        housekeeping::{Checkpoint, Keyset, Tick},
        membership::{Genesis, Invite},
    },
    envelope::Form,
    fold::{
        Outcome, Void, checkpoint_turn,
        membership::{INVITES_OPEN, UPDATES_PER_DAY},
        owes_daily_checkpoint,
    },
    id::{EntryId, Hash, NodeId},
    identity::SignedDocument,
    time::{DAY, Moment},
    token::KeyShare,
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

fn genesis(world: &World, name: &str) -> Genesis {
    Genesis {
        name: name.to_owned(),
        document: world.actors[0].document.clone(),
    }
}

fn refused(void: &Void) -> bool {
    matches!(void, Void::NotAllowed(_))
}

#[test]
fn a_log_begins_with_its_founder_and_only_once() {
    let mut world = World::founded(2);
    let member = world.state.active(world.id(0)).unwrap();
    assert!(member.keeper && member.joined_at == 1 && member.name == "Ash");
    assert_eq!(world.state.meta().name, "Riverside");
    let again = genesis(&world, "Riverside");
    assert!(refused(&world.void(0, again.clone())));
    assert!(refused(&world.void(1, again)));
}

#[test]
fn a_first_entry_with_a_foreign_expired_or_changed_document_or_a_bad_name_is_void() {
    for name in [
        "",
        "   ",
        " Riverside",
        "River\nside",
        "River\u{202e}side",
        &"x".repeat(121),
    ] {
        let mut world = World::empty(2);
        let entry = genesis(&world, name);
        assert!(matches!(world.void(0, entry), Void::Bounds(_)), "{name:?}");
    }
    let mut world = World::empty(2);
    let foreign = genesis(&world, "Riverside");
    assert!(matches!(world.void(1, foreign), Void::Signature(_)));
    let mut world = World::empty(1);
    let late = genesis(&world, "Riverside");
    world.now = START.plus(301 * DAY);
    assert!(matches!(world.void(0, late), Void::Signature(_)));
    let mut world = World::empty(1);
    let mut changed = genesis(&world, "Riverside");
    let mut signed: SignedDocument = codec::decode(&changed.document).unwrap();
    signed.signature.0[0] ^= 1;
    changed.document = codec::encode(&signed);
    assert!(matches!(world.void(0, changed), Void::Signature(_)));
}

#[test]
fn before_the_first_entry_and_for_strangers_everything_is_void() {
    let mut world = World::empty(2);
    assert_eq!(
        world.void(0, Tick {}),
        Void::NotAllowed("the author is not a member")
    );
    let mut world = World::agreed(3, 1);
    let invitation = world.invitation(1, 3);
    assert_eq!(
        world.void(2, invitation),
        Void::NotAllowed("the author is not a member")
    );
    let renewing = world.renewing(2);
    assert!(refused(&world.commit(2, renewing).unwrap_err()));
}

#[test]
fn a_name_of_many_bytes_and_few_characters_is_a_name() {
    let mut world = World::empty(1);
    let entry = genesis(&world, &"\u{1f33e}".repeat(60));
    world.done(0, entry);
}

#[test]
fn an_invitation_is_good_for_thirty_days_at_most_and_its_token_for_one() {
    let mut world = World::joined(2, 0);
    world.done(1, world.invitation(1, 30));
    let with = |days, name: &str| Invite {
        to_name: name.to_owned(),
        ..world.invitation(2, days)
    };
    let (long, past, unnamed, now) = (with(31, "x"), with(-1, "x"), with(3, " "), with(0, "x"));
    for entry in [long, past, unnamed, now] {
        assert!(matches!(world.void(1, entry), Void::Bounds(_)));
    }
    let same_token = world.invitation(1, 3);
    assert!(refused(&world.void(0, same_token)));
}

#[test]
fn a_member_has_at_most_twenty_open_invitations() {
    let mut world = World::joined(2, 0);
    for n in 0..INVITES_OPEN {
        world.done(1, world.invitation(u8::try_from(n).unwrap(), 3));
    }
    let one_more = world.invitation(200, 3);
    assert!(matches!(world.void(1, one_more.clone()), Void::Bounds(_)));
    world.done(0, one_more);
    world.wait(4 * DAY);
    world.done(1, world.invitation(201, 3));
}

#[test]
fn a_newcomer_is_announced_by_the_keeper_for_an_open_invitation() {
    let mut world = World::joined(3, 1);
    world.done(1, world.invitation(7, 3));
    let good = world.request(7, 2);
    let mut unknown = good.clone();
    unknown.token_hash = Hash::of(b"guessed");
    let mut foreign_document = good.clone();
    foreign_document
        .document
        .clone_from(&world.actors[1].document);
    let mut foreign_package = good.clone();
    foreign_package.key_package = world.actors[1].key_package();
    let mut cut = good.clone();
    cut.key_package.pop();
    let mut member = good.clone();
    (member.node, member.document) = (world.id(1), world.actors[1].document.clone());
    assert!(
        refused(&world.void(1, good.clone())),
        "only a keeper announces"
    );
    assert_eq!(world.void(0, unknown), Void::Unknown("the invitation"));
    assert!(refused(&world.void(0, member)));
    for entry in [foreign_document, foreign_package, cut] {
        assert!(matches!(world.void(0, entry), Void::Signature(_)));
    }
    world.done(0, good);
    assert_eq!(
        world.state.joins.get(&world.id(2)).unwrap().inviter,
        world.id(1)
    );
}

#[test]
fn a_spent_or_expired_invitation_opens_no_door() {
    let mut world = World::joined(4, 2);
    world.done(1, world.invitation(7, 3));
    world.done(0, world.request(7, 2));
    let spent = world.request(7, 3);
    assert_eq!(
        world.void(0, spent),
        Void::NotAllowed("the invitation is spent")
    );
    world.done(1, world.invitation(8, 3));
    world.wait(3 * DAY + 1);
    let late = world.request(8, 3);
    assert_eq!(world.void(0, late), Void::TooLate);
}

#[test]
fn a_newcomer_that_lost_its_keys_asks_again_with_fresh_ones() {
    let mut world = World::joined(3, 1);
    world.done(1, world.invitation(7, 3));
    world.done(0, world.request(7, 2));
    let again = world.request(7, 2);
    let package = again.key_package.clone();
    world.done(0, again);
    assert_eq!(
        world.state.joins.get(&world.id(2)).unwrap().key_package,
        package
    );
}

#[test]
fn two_members_never_bear_one_name() {
    let mut world = World::joined(4, 2);
    world.actors[2] = Actor::named(2, "BIRCH");
    world.done(0, world.invitation(7, 3));
    let taken = world.request(7, 2);
    assert_eq!(
        world.void(0, taken),
        Void::NotAllowed("another member has this name")
    );
    // Two newcomers of one name may wait; one of them comes in.
    world.actors[2] = Actor::named(2, "Maple");
    world.actors[3] = Actor::named(3, "maple");
    world.done(0, world.invitation(8, 3));
    world.done(0, world.request(7, 2));
    world.done(0, world.request(8, 3));
    let (first, second) = (world.adding(0, 2), world.adding(0, 3));
    world.commit(0, first).unwrap();
    assert_eq!(
        world.commit(0, second),
        Err(Void::NotAllowed("another member has this name"))
    );
}

#[test]
fn the_inviter_alone_approves_and_adds_just_who_asked() {
    let mut world = World::joined(4, 2);
    world.done(1, world.invitation(7, 3));
    let early = world.adding(1, 2);
    assert_eq!(
        world.commit(1, early),
        Err(Void::Unknown("the newcomer's request"))
    );
    world.done(0, world.request(7, 2));
    let (by_another, good) = (world.adding(0, 2), world.adding(1, 2));
    assert_eq!(
        world.commit(0, by_another),
        Err(Void::NotAllowed("the inviter approves"))
    );
    type Leaves = Vec<(NodeId, [u8; 32])>;
    type Lie<'a> = dyn Fn(&mut Leaves, &mut Vec<NodeId>, &mut Option<[u8; 32]>) + 'a;
    let with = |change: &Lie<'_>| {
        let Inside::Commit {
            mut added,
            mut removed,
            mut author_key,
            opens,
            rejoin,
        } = good.clone()
        else {
            unreachable!()
        };
        change(&mut added, &mut removed, &mut author_key);
        Inside::Commit {
            added,
            removed,
            author_key,
            opens,
            rejoin,
        }
    };
    let third = world.id(3);
    let founder = world.id(0);
    let other_key = with(&|added, _, _| added[0].1[0] ^= 1);
    let one_more = with(&|added, _, _| added.push((third, [1; 32])));
    let removal = with(&|_, removed, _| removed.push(founder));
    let own_key = with(&|_, _, key| *key = Some([1; 32]));
    assert!(matches!(
        world.commit(1, other_key),
        Err(Void::Signature(_))
    ));
    assert_eq!(
        world.commit(1, one_more),
        Err(Void::Unknown("the newcomer's request"))
    );
    assert!(matches!(world.commit(1, removal), Err(Void::NotAllowed(_))));
    assert!(matches!(world.commit(1, own_key), Err(Void::Signature(_))));
    assert_eq!(world.commit(1, good), Ok(Outcome::Done));
    assert!(
        world
            .state
            .active(world.id(2))
            .is_some_and(|member| !member.keeper)
    );
    assert!(!world.state.joins.has(&world.id(2)));
    assert_eq!(
        world.state.meta().epoch_floor,
        2,
        "earlier messages count for nobody"
    );
}

#[test]
fn a_member_renews_its_keys_at_most_so_often_a_day() {
    let mut world = World::joined(2, 0);
    for _ in 0..UPDATES_PER_DAY {
        let inside = world.renewing(1);
        world.commit(1, inside).unwrap();
    }
    let (again, other) = (world.renewing(1), world.renewing(0));
    assert!(matches!(
        world.commit(1, again.clone()),
        Err(Void::Bounds(_))
    ));
    world.commit(0, other).unwrap();
    world.wait(DAY);
    world.commit(1, again).unwrap();
}

#[test]
fn a_header_that_does_not_fit_makes_the_entry_void() {
    let mut world = World::agreed(2, 0);
    let blob = protocol::blob::BlobId(Hash::of(b"x"));
    for (class, blobs) in [
        (Class::Data, vec![]),
        (Class::Claims, vec![]),
        (Class::Control, vec![blob]),
    ] {
        let id = world.fresh_id();
        let outside = header(world.id(0), id, class, Form::Application, blobs.clone());
        let said = world.next(
            0,
            id,
            outside,
            Inside::Entry(Box::new(Tick {}.into()), None),
        );
        assert_eq!(world.fold(said), Err(Void::Header));
        let id = world.fresh_id();
        let outside = header(world.id(0), id, class, Form::Commit, blobs);
        let renewing = world.renewing(0);
        let said = world.next(0, id, outside, renewing);
        assert_eq!(world.fold(said), Err(Void::Header));
    }
}

#[test]
fn an_id_takes_effect_once_whoever_uses_it() {
    let mut world = World::agreed(2, 0);
    let id = world.done(0, Tick {});
    for author in [0, 1] {
        let entry: Entry = world.invitation(9, 3).into();
        let outside = world.header(author, id, &entry);
        let said = world.next(author, id, outside, Inside::Entry(Box::new(entry), None));
        assert_eq!(world.fold(said), Err(Void::Repeated));
    }
    // What was void may be said again under its id: that is how a late entry is sealed anew.
    let id = EntryId([5; 16]);
    let void: Entry = world.invitation(9, 99).into();
    let outside = world.header(1, id, &void);
    let said = world.next(1, id, outside, Inside::Entry(Box::new(void), None));
    assert!(world.fold(said).is_err());
    let good: Entry = world.invitation(9, 3).into();
    let outside = world.header(1, id, &good);
    let said = world.next(1, id, outside, Inside::Entry(Box::new(good), None));
    assert_eq!(world.fold(said), Ok(Outcome::Done));
}

#[test]
fn keysets_follow_one_another_and_lie_with_keepers() {
    let mut world = World::joined(2, 0);
    let keyset = |generation, node| {
        let (_, keyset) = KeyShare::found(generation, node, &mut ChaCha8Rng::seed_from_u64(3));
        Keyset {
            keyset: codec::encode(&keyset),
        }
    };
    let (founder, member) = (world.id(0), world.id(1));
    assert!(refused(&world.void(1, keyset(2, founder))));
    assert!(matches!(world.void(0, keyset(1, founder)), Void::Bounds(_)));
    assert!(matches!(world.void(0, keyset(3, founder)), Void::Bounds(_)));
    assert!(refused(&world.void(0, keyset(2, member))));
    assert!(matches!(
        world.void(0, Keyset { keyset: vec![0x80] }),
        Void::Entry(_)
    ));
    world.done(0, keyset(2, founder));
    assert_eq!(world.state.meta().generation, Some(2));
}

#[test]
fn a_checkpoint_looks_back_and_a_tick_is_the_keepers() {
    let mut world = World::joined(2, 0);
    let next = world.state.meta().head.position + 1;
    for position in [next, u64::MAX] {
        let ahead = world.checkpoint(1, position);
        assert!(matches!(world.void(1, ahead), Void::Bounds(_)));
    }
    let of_another = world.checkpoint(0, 3);
    assert!(matches!(world.void(1, of_another), Void::Signature(_)));
    let later = Checkpoint {
        seconds: 0,
        ..world.checkpoint(1, 3)
    };
    assert!(matches!(world.void(1, later), Void::Signature(_)));
    assert!(owes_daily_checkpoint(&world.state, world.id(1)));
    assert!(refused(&world.void(1, Tick {})));
    let counted = world.state.meta().counted;
    let checkpoint = world.checkpoint(1, 3);
    world.done(1, checkpoint);
    assert!(!owes_daily_checkpoint(&world.state, world.id(1)));
    world.done(0, Tick {});
    assert_eq!(
        world.state.meta().counted,
        counted,
        "they call for no checkpoint themselves"
    );
    assert_eq!(world.state.active(world.id(1)).unwrap().checkpoint, 3);
}

#[test]
fn every_member_has_its_turn_to_write_a_checkpoint() {
    let mut world = World::agreed(3, 0);
    let mut turns = Vec::new();
    for n in 0..200_i64 {
        world.done(0, world.claim(protocol::channel::Channel::Door, n, 1, &[1]));
        turns.extend(checkpoint_turn(&world.state));
    }
    turns.sort_unstable();
    turns.dedup();
    assert_eq!(turns.len(), 3);
    assert!(checkpoint_turn(&World::empty(1).state).is_none());
    assert!(world.now > Moment(0));
}
