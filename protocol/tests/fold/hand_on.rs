//! One keeper takes another's place: its share is made by those who stay, and tokens stay.

use super::world::World;
use protocol::{
    entry::ceremony::{
        CeremonyAbandon, CeremonyConfirm, CeremonyDeal, CeremonyHandOn, CeremonyStart, Complaint,
        SealedPart,
    },
    fold::{
        Void,
        ceremony::{self, CEREMONY_LIFE},
    },
    id::{EntryId, Hash},
    time::HOUR,
    token::{
        Class, Keyset,
        ceremony::{CeremonyKind, Plan, expected_share},
    },
};

/// Every step of a ceremony of these members.
fn carry_out(world: &mut World, members: &[usize], id: EntryId, plan: &Plan) {
    for n in members {
        let commit = world.committed(*n, id, plan);
        world.done(*n, commit);
    }
    for n in members {
        let deal = world.dealt(*n, id, plan);
        world.done(*n, deal);
    }
    let digest = world.digest(id);
    for n in members {
        let ceremony = id;
        world.done(*n, CeremonyConfirm { ceremony, digest });
    }
}

/// The first three of five made the keys.
fn three_keepers() -> World {
    let mut world = World::agreed(5, 0);
    world.keep(&[0, 1, 2]);
    let plan = ceremony::wanted(&world.state).unwrap();
    let id = world.done(0, CeremonyStart { plan: plan.clone() });
    carry_out(&mut world, &[0, 1, 2], id, &plan);
    world
}

/// Keeper 3 takes the place of one of them.
fn replaced(gone: usize) -> (World, Plan) {
    let mut world = three_keepers();
    let keepers: Vec<usize> = [0, 1, 2, 3]
        .into_iter()
        .filter(|keeper| *keeper != gone)
        .collect();
    world.keep(&keepers);
    let plan = ceremony::wanted(&world.state).unwrap();
    assert_eq!(plan.kind, CeremonyKind::HandOn);
    (world, plan)
}

/// The members that help, and the one that stays and does not.
fn helpers(world: &World, plan: &Plan) -> (Vec<usize>, usize) {
    let before = ceremony::current(&world.state).unwrap();
    let ids = plan.helpers(&before);
    let member = |id: &u16| {
        let node = plan.keepers.iter().find(|keeper| keeper.id == *id);
        let node = node.unwrap().node;
        (0..5).find(|n| world.id(*n) == node).unwrap()
    };
    let helpers: Vec<usize> = ids.iter().map(member).collect();
    let idle = plan.keepers.iter().map(|keeper| member(&keeper.id));
    let mut idle = idle.filter(|n| !helpers.contains(n) && *n != 3);
    (helpers.clone(), idle.next().unwrap_or(4))
}

/// What a helper deals to the others, as far as the fold can see.
fn deal(world: &World, ceremony: EntryId, plan: &Plan, n: usize) -> CeremonyDeal {
    let before = ceremony::current(&world.state).unwrap();
    let own = plan.id_of(&world.id(n));
    let part = |to| SealedPart {
        to,
        sealed: b"sealed".to_vec(),
    };
    let others = plan.helpers(&before).into_iter();
    CeremonyDeal {
        ceremony,
        parts: others.filter(|id| Some(*id) != own).map(part).collect(),
    }
}

fn sum(ceremony: EntryId) -> CeremonyHandOn {
    CeremonyHandOn {
        ceremony,
        sealed: b"sealed".to_vec(),
    }
}

#[test]
fn a_new_keeper_has_the_share_that_the_keys_call_for_and_all_other_keys_stay() {
    let (mut world, plan) = replaced(1);
    let before = ceremony::current(&world.state).unwrap();
    let (helpers, _) = helpers(&world, &plan);
    let id = world.done(3, CeremonyStart { plan: plan.clone() });
    for n in &helpers {
        let deal = deal(&world, id, &plan, *n);
        world.done(*n, deal);
    }
    for n in &helpers {
        world.done(*n, sum(id));
    }
    let digest = world.digest(id);
    let ceremony = id;
    world.done(3, CeremonyConfirm { ceremony, digest });
    let after = ceremony::current(&world.state).unwrap();
    assert_eq!((after.generation(), after.reshare()), (2, 0));
    assert!(world.state.closing.is_empty(), "tokens stay");
    let newcomer = after.id_of(&world.id(3)).unwrap();
    assert!(
        before.keeper(newcomer).is_none(),
        "ids are never given twice"
    );
    assert!(after.id_of(&world.id(1)).is_none());
    let share = |keyset: &Keyset, class: Class, id: u16| {
        let place = keyset.keepers().iter().position(|keeper| keeper.id == id);
        keyset.parts().classes[class as usize].shares[place.unwrap()]
    };
    for class in Class::ALL {
        let group = |keyset: &Keyset| keyset.parts().classes[class as usize].group;
        assert_eq!(group(&after), group(&before));
        assert_eq!(
            share(&after, class, newcomer),
            expected_share(&before, class, newcomer)
        );
        for n in [0, 2] {
            let id = before.id_of(&world.id(n)).unwrap();
            assert_eq!(share(&after, class, id), share(&before, class, id));
        }
    }
    // The old share is good still, so new ones are made at once.
    let refresh = ceremony::refreshable(&world.state).unwrap();
    let id = world.done(
        0,
        CeremonyStart {
            plan: refresh.clone(),
        },
    );
    carry_out(&mut world, &[0, 2, 3], id, &refresh);
    let refreshed = ceremony::current(&world.state).unwrap();
    assert_eq!((refreshed.generation(), refreshed.reshare()), (2, 1));
    let again = ceremony::refreshable(&world.state).unwrap();
    assert!(matches!(
        world.void(0, CeremonyStart { plan: again }),
        Void::Bounds(_)
    ));
}

#[test]
fn two_new_keepers_or_another_number_of_them_make_fresh_keys() {
    for keepers in [vec![0, 3, 4], vec![0, 1, 2, 3, 4], vec![0]] {
        let mut world = three_keepers();
        world.keep(&keepers);
        let plan = ceremony::wanted(&world.state);
        assert!(
            plan.is_none_or(|plan| plan.kind == CeremonyKind::Fresh),
            "{keepers:?}"
        );
    }
}

#[test]
fn only_helpers_deal_and_each_to_the_others_once() {
    let (mut world, plan) = replaced(2);
    let (helpers, _) = helpers(&world, &plan);
    assert_eq!(helpers.len(), 2);
    let id = world.done(0, CeremonyStart { plan: plan.clone() });
    let good = deal(&world, id, &plan, helpers[0]);
    for stranger in [2, 3, 4] {
        assert!(matches!(
            world.void(stranger, good.clone()),
            Void::NotAllowed(_)
        ));
    }
    let mut to_newcomer = good.clone();
    to_newcomer.parts[0].to = plan.keepers.last().unwrap().id;
    let mut to_all = good.clone();
    to_all.parts.extend(to_newcomer.parts.clone());
    let mut long = good.clone();
    long.parts[0].sealed = vec![0; 1_025];
    let mut none = good.clone();
    none.parts.clear();
    for wrong in [to_newcomer, to_all, long, none] {
        assert!(matches!(world.void(helpers[0], wrong), Void::Bounds(_)));
    }
    world.done(helpers[0], good.clone());
    assert_eq!(world.void(helpers[0], good), Void::Repeated);
    let commit = protocol::entry::ceremony::CeremonyCommit {
        ceremony: id,
        commitments: Vec::new(),
    };
    assert!(matches!(
        world.void(helpers[0], commit),
        Void::NotAllowed(_)
    ));
}

#[test]
fn sums_wait_for_all_helpers_and_the_new_keeper_alone_confirms() {
    let (mut world, plan) = replaced(2);
    let (helpers, _) = helpers(&world, &plan);
    let id = world.done(0, CeremonyStart { plan: plan.clone() });
    let first = deal(&world, id, &plan, helpers[0]);
    world.done(helpers[0], first);
    assert!(matches!(
        world.void(helpers[0], sum(id)),
        Void::NotAllowed(_)
    ));
    let second = deal(&world, id, &plan, helpers[1]);
    world.done(helpers[1], second);
    for stranger in [2, 3, 4] {
        assert!(matches!(world.void(stranger, sum(id)), Void::NotAllowed(_)));
    }
    let mut long = sum(id);
    long.sealed = vec![0; 1_025];
    assert!(matches!(world.void(helpers[0], long), Void::Bounds(_)));
    assert!(matches!(
        world.void(helpers[0], sum(EntryId([9; 16]))),
        Void::Unknown(_)
    ));
    world.done(helpers[0], sum(id));
    assert_eq!(world.void(helpers[0], sum(id)), Void::Repeated);
    let confirm = |digest| CeremonyConfirm {
        ceremony: id,
        digest,
    };
    assert!(matches!(
        world.void(3, confirm(Hash::ZERO)),
        Void::NotAllowed(_)
    ));
    world.done(helpers[1], sum(id));
    assert!(matches!(
        world.void(3, confirm(Hash::ZERO)),
        Void::Signature(_)
    ));
    let digest = world.digest(id);
    for other in [helpers[0], 2, 4] {
        assert!(matches!(
            world.void(other, confirm(digest)),
            Void::NotAllowed(_)
        ));
    }
    world.done(3, confirm(digest));
    assert!(matches!(world.void(3, confirm(digest)), Void::Unknown(_)));
}

#[test]
fn a_share_that_cannot_be_handed_on_calls_for_fresh_keys() {
    let (mut world, plan) = replaced(2);
    let id = world.done(0, CeremonyStart { plan: plan.clone() });
    let newcomer = plan.id_of(&world.id(3)).unwrap();
    world.done(
        3,
        CeremonyAbandon {
            ceremony: id,
            about: newcomer,
            why: Complaint::Unfit,
        },
    );
    let fresh = ceremony::wanted(&world.state).unwrap();
    assert_eq!((fresh.kind, fresh.generation), (CeremonyKind::Fresh, 3));
    world.wait(HOUR);
    assert!(matches!(
        world.void(0, CeremonyStart { plan }),
        Void::Bounds(_)
    ));
    let id = world.done(
        0,
        CeremonyStart {
            plan: fresh.clone(),
        },
    );
    carry_out(&mut world, &[0, 1, 3], id, &fresh);
    assert_eq!(world.state.meta().generation, Some(3));
}

#[test]
fn a_share_that_is_not_handed_on_in_time_calls_for_fresh_keys() {
    let (mut world, plan) = replaced(2);
    let id = world.done(0, CeremonyStart { plan: plan.clone() });
    world.wait(CEREMONY_LIFE);
    let (helpers, _) = helpers(&world, &plan);
    let late = deal(&world, id, &plan, helpers[0]);
    assert!(matches!(world.void(helpers[0], late), Void::Unknown(_)));
    let fresh = ceremony::wanted(&world.state).unwrap();
    assert_eq!(fresh.kind, CeremonyKind::Fresh);
}

#[test]
fn no_share_is_handed_on_in_another_ceremony() {
    let mut world = World::agreed(5, 0);
    world.keep(&[0, 1, 2]);
    let plan = ceremony::wanted(&world.state).unwrap();
    let id = world.done(0, CeremonyStart { plan });
    assert!(matches!(world.void(0, sum(id)), Void::NotAllowed(_)));
}
