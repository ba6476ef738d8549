//! Key ceremonies and the change of generations, as every member folds them.

use super::world::{Actor, World, token};
use protocol::{
    channel::Channel,
    codec,
    entry::{
        ceremony::{CeremonyAbandon, CeremonyConfirm, CeremonyStart, Complaint, TokensMoved},
        claim::Claim,
        payload::{Channels, Payload, SuppressionRow, TokenPair, write_rows},
        suppression::Suppress,
    },
    fold::{
        Outcome, Void, ceremony,
        claim::{Decision, Refusal},
        generation::CLOSING_LIFE,
    },
    id::{EntryId, Hash},
    time::{DAY, HOUR},
    token::ceremony::{Commitments, Plan},
};

/// Four organizations of which the first three keep the log, under an agreement.
fn three_keepers() -> World {
    let mut world = World::agreed(4, 0);
    world.keep(&[0, 1, 2]);
    world
}

fn plan(world: &World) -> Plan {
    ceremony::wanted(&world.state).expect("the agreement has other keepers than the keyset")
}

/// Every step of a ceremony of the first three that has begun.
fn carry_out(world: &mut World, id: EntryId, plan: &Plan) {
    for n in 0..3 {
        let commit = world.committed(n, id, plan);
        world.done(n, commit);
    }
    for n in 0..3 {
        let deal = world.dealt(n, id, plan);
        world.done(n, deal);
    }
    let digest = world.digest(id);
    for n in 0..3 {
        world.done(
            n,
            CeremonyConfirm {
                ceremony: id,
                digest,
            },
        );
    }
}

/// A whole ceremony of the first three.
fn run(world: &mut World) -> u32 {
    let plan = plan(world);
    let id = world.done(1, CeremonyStart { plan: plan.clone() });
    carry_out(world, id, &plan);
    world.state.meta().generation.unwrap()
}

#[test]
fn a_keyset_is_in_use_once_every_keeper_has_confirmed_it() {
    let mut world = three_keepers();
    assert_eq!(run(&mut world), 2);
    let keyset = ceremony::current(&world.state).unwrap();
    assert_eq!((keyset.threshold(), keyset.keepers().len()), (2, 3));
    assert!(world.state.ceremonies.is_empty());
    assert!(
        world.state.closing.is_empty(),
        "nothing was said by the old tokens"
    );
    assert_eq!(ceremony::wanted(&world.state), None);
}

#[test]
fn only_a_keeper_begins_a_ceremony_and_only_the_one_that_is_called_for() {
    let mut world = three_keepers();
    let plan = plan(&world);
    let start = CeremonyStart { plan: plan.clone() };
    assert!(matches!(world.void(3, start.clone()), Void::NotAllowed(_)));
    let mut other = plan.clone();
    other.threshold = 3;
    assert!(matches!(
        world.void(0, CeremonyStart { plan: other }),
        Void::Bounds(_)
    ));
    let mut other = plan;
    other.keepers[2].id = 9;
    assert!(matches!(
        world.void(0, CeremonyStart { plan: other }),
        Void::Bounds(_)
    ));
    world.done(0, start.clone());
    assert!(matches!(world.void(1, start), Void::NotAllowed(_)));
}

#[test]
fn each_step_waits_for_the_one_before_and_is_taken_once() {
    let mut world = three_keepers();
    let plan = plan(&world);
    let id = world.done(0, CeremonyStart { plan: plan.clone() });
    let commit = world.committed(0, id, &plan);
    let early = world.dealt(0, id, &plan);
    assert!(matches!(world.void(0, early.clone()), Void::NotAllowed(_)));
    world.done(0, commit.clone());
    assert_eq!(world.void(0, commit.clone()), Void::Repeated);
    assert!(
        matches!(world.void(1, commit.clone()), Void::Signature(_)),
        "another keeper's commitments"
    );
    assert!(matches!(world.void(3, commit), Void::NotAllowed(_)));
    for n in 1..3 {
        let commit = world.committed(n, id, &plan);
        world.done(n, commit);
    }
    let confirm = CeremonyConfirm {
        ceremony: id,
        digest: world.digest(id),
    };
    assert!(matches!(
        world.void(0, confirm.clone()),
        Void::NotAllowed(_)
    ));
    let mut short = early.clone();
    short.parts.pop();
    assert!(matches!(world.void(0, short), Void::Bounds(_)));
    for n in 0..3 {
        let deal = world.dealt(n, id, &plan);
        world.done(n, deal);
    }
    assert_eq!(world.void(0, early), Void::Repeated);
    let wrong = CeremonyConfirm {
        digest: Hash::ZERO,
        ..confirm
    };
    assert!(matches!(world.void(0, wrong), Void::Signature(_)));
    world.done(0, confirm.clone());
    assert_eq!(world.void(0, confirm.clone()), Void::Repeated);
    world.done(1, confirm.clone());
    assert_eq!(world.state.meta().generation, Some(1));
    world.done(2, confirm);
    assert_eq!(world.state.meta().generation, Some(2));
}

#[test]
fn a_complaint_or_a_deadline_ends_a_ceremony_and_another_one_may_begin_an_hour_later() {
    let mut world = three_keepers();
    let plan = plan(&world);
    let start = CeremonyStart { plan: plan.clone() };
    let id = world.done(0, start.clone());
    let complaint = CeremonyAbandon {
        ceremony: id,
        about: 2,
        why: Complaint::Unfit,
    };
    assert!(matches!(
        world.void(3, complaint.clone()),
        Void::NotAllowed(_)
    ));
    let unknown = CeremonyAbandon {
        about: 9,
        ..complaint
    };
    assert!(matches!(world.void(1, unknown), Void::Unknown(_)));
    world.done(1, complaint.clone());
    assert!(matches!(world.void(1, complaint), Void::Unknown(_)));
    let commit = world.committed(0, id, &plan);
    assert!(matches!(world.void(0, commit), Void::Unknown(_)));
    assert!(matches!(world.void(0, start.clone()), Void::Bounds(_)));
    world.wait(HOUR);
    let id = world.done(0, start.clone());
    world.wait(DAY);
    let commit = world.committed(0, id, &plan);
    assert!(matches!(world.void(0, commit), Void::Unknown(_)));
    let row = world.state.ceremonies.get(&id).unwrap();
    assert_eq!(row.failed.unwrap().why, Complaint::Deadline);
    world.wait(HOUR);
    world.done(2, start);
}

#[test]
fn a_ceremony_for_keepers_that_are_no_longer_the_agreements_leads_nowhere() {
    let mut world = three_keepers();
    let first = plan(&world);
    let id = world.done(
        0,
        CeremonyStart {
            plan: first.clone(),
        },
    );
    world.keep(&[0, 1, 3]);
    let commit = world.committed(0, id, &first);
    assert!(matches!(world.void(0, commit), Void::Unknown(_)));
    let second = plan(&world);
    world.done(0, CeremonyStart { plan: second });
    assert!(!world.state.ceremonies.has(&id));
}

#[test]
fn a_refresh_keeps_the_generation_and_comes_at_most_once_a_day() {
    let mut world = three_keepers();
    run(&mut world);
    let refresh = ceremony::refreshable(&world.state).unwrap();
    let start = CeremonyStart {
        plan: refresh.clone(),
    };
    assert!(matches!(world.void(0, start.clone()), Void::Bounds(_)));
    world.wait(DAY);
    let before = ceremony::current(&world.state).unwrap();
    let id = world.done(0, start);
    carry_out(&mut world, id, &refresh);
    let after = ceremony::current(&world.state).unwrap();
    assert_eq!((after.generation(), after.reshare()), (2, 1));
    let group = |keyset: &protocol::token::Keyset| keyset.parts().classes[0].group;
    assert_eq!(group(&after), group(&before));
    assert_ne!(after, before);
}

fn pairs(world: &World, tokens: &[(u8, u8)]) -> Claim {
    let pair = |(token_, before): &(u8, u8)| TokenPair {
        token: token(*token_),
        before: token(*before),
    };
    Claim {
        tokens: Payload::Inline(write_rows(tokens.iter().map(pair))),
        generation: 2,
        paired: true,
        ..world.claim(Channel::Door, 0, 24, &[])
    }
}

fn decision(outcome: Result<Outcome, Void>) -> Decision {
    match outcome {
        Ok(Outcome::Claim(decision)) => decision,
        other => panic!("no decision: {other:?}"),
    }
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
fn doors_stay_held_and_suppressed_while_the_generation_changes() {
    let mut world = three_keepers();
    world.done(1, world.claim(Channel::Door, 0, 240, &[1]));
    world.done(2, no_contact(2, 1));
    run(&mut world);
    assert!(!world.state.closing.is_empty());
    // Points 1, 2 and 3 are 101, 102 and 103 by the new keys.
    let (_, outcome) = world.say(3, pairs(&world, &[(101, 1), (102, 2), (103, 3)]));
    let decision = decision(outcome);
    assert_eq!(decision.granted, [token(103)]);
    assert!(matches!(decision.refused[0].1, Refusal::Held { .. }));
    assert!(matches!(decision.refused[1].1, Refusal::Suppressed { .. }));
}

#[test]
fn nobody_claims_by_old_tokens_or_by_one_token_alone_while_the_generation_changes() {
    let mut world = three_keepers();
    world.done(1, world.claim(Channel::Door, 0, 240, &[1]));
    run(&mut world);
    let old = world.claim(Channel::Door, 0, 24, &[7]);
    assert_eq!(world.void(3, old.clone()), Void::Generation);
    let alone = Claim {
        generation: 2,
        ..old
    };
    assert_eq!(world.void(3, alone), Void::Generation);
    let twice = pairs(&world, &[(101, 1), (101, 2)]);
    assert!(matches!(world.void(3, twice), Void::Rows(_)));
}

#[test]
fn a_late_member_still_says_by_old_tokens_whom_nobody_may_contact() {
    let mut world = three_keepers();
    world.done(1, world.claim(Channel::Door, 0, 240, &[1]));
    run(&mut world);
    world.done(3, no_contact(5, 1));
    let (_, outcome) = world.say(0, pairs(&world, &[(105, 5)]));
    assert!(decision(outcome).granted.is_empty());
    assert_eq!(world.void(3, no_contact(5, 9)), Void::Generation);
}

#[test]
fn the_old_generation_closes_once_all_have_moved_and_its_claims_are_over() {
    let mut world = three_keepers();
    world.done(1, world.claim(Channel::Door, 0, 24, &[1]));
    world.done(2, no_contact(2, 1));
    run(&mut world);
    let moved = TokensMoved { generation: 2 };
    assert_eq!(
        world.void(0, TokensMoved { generation: 1 }),
        Void::Generation
    );
    world.done(2, no_contact(102, 2));
    for n in 0..4 {
        world.done(n, moved.clone());
    }
    assert_eq!(world.void(0, moved.clone()), Void::Repeated);
    assert!(!world.state.closing.is_empty(), "a claim of it is in force");
    world.wait(25 * HOUR);
    world.done(0, protocol::entry::housekeeping::Tick {});
    assert!(world.state.closing.is_empty());
    let left: Vec<_> = world
        .state
        .suppressions
        .iter()
        .map(|(key, _)| key.0)
        .collect();
    assert_eq!(left, [token(102)], "what was said again stays");
    assert_eq!(world.void(3, no_contact(5, 1)), Void::Generation);
    let plain = Claim {
        generation: 2,
        ..world.claim(Channel::Door, 0, 24, &[103])
    };
    world.done(3, plain);
    assert!(matches!(world.void(0, moved), Void::Unknown(_)));
}

#[test]
fn the_old_generation_closes_at_its_end_although_somebody_is_late() {
    let mut world = three_keepers();
    world.done(2, no_contact(2, 1));
    run(&mut world);
    world.wait(CLOSING_LIFE);
    world.done(0, protocol::entry::housekeeping::Tick {});
    assert!(world.state.closing.is_empty());
    assert!(world.state.suppressions.is_empty());
}

#[test]
fn a_part_given_back_is_free_by_both_tokens() {
    let mut world = three_keepers();
    world.done(2, no_contact(2, 1));
    run(&mut world);
    let (claim, outcome) = world.say(3, pairs(&world, &[(101, 1), (103, 3)]));
    assert_eq!(decision(outcome).granted.len(), 2);
    let release = protocol::entry::claim::ClaimRelease {
        claim,
        tokens: Some(Payload::Inline(write_rows([token(101)]))),
    };
    world.done(3, release);
    let (_, outcome) = world.say(0, pairs(&world, &[(101, 1), (103, 3)]));
    assert_eq!(decision(outcome).granted, [token(101)]);
}

#[test]
fn commitments_in_a_log_are_read_as_they_were_said() {
    let world = three_keepers();
    let plan = plan(&world);
    let commit = world.committed(0, EntryId([1; 16]), &plan);
    let read: Commitments = codec::decode(&commit.commitments).unwrap();
    assert_eq!(codec::encode(&read), commit.commitments);
    assert_eq!(Actor::new(0).id, world.id(0));
}
