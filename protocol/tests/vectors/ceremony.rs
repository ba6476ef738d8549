//! Vectors of key ceremonies: one state for each step, one good entry from each, and what it refuses.

use super::{
    cases::{one, start, world},
    file::hex,
    world::World,
};
use protocol::{
    channel::Channel,
    entry::{
        Entry,
        ceremony::{
            CeremonyAbandon, CeremonyConfirm, CeremonyStart, Complaint, EvaluationFault,
            TokensMoved,
        },
        claim::Claim,
    },
    fold::ceremony::{open, wanted},
    id::{EntryId, Hash},
    state::State,
    token::{Class, ceremony::Plan},
};
use serde_json::{Value, json};

/// The steps of one ceremony of members 0, 1 and 2: at each, member 0 is ahead of the others.
fn steps(working: &State) -> Vec<(&'static str, &'static str, State)> {
    let mut world = world(working);
    world.keep(&[0, 1, 2]);
    let mut steps = vec![(
        "keepers",
        "the agreement has three keepers and the keyset one",
        world.state.clone(),
    )];
    let plan = wanted(&world.state).unwrap();
    let id = world.done(0, CeremonyStart { plan: plan.clone() });
    let commit = world.committed(0, id, &plan);
    world.done(0, commit);
    steps.push((
        "committing",
        "keeper 1 of 3 has committed",
        world.state.clone(),
    ));
    for n in 1..3 {
        let commit = world.committed(n, id, &plan);
        world.done(n, commit);
    }
    let deal = world.dealt(0, id, &plan);
    world.done(0, deal);
    steps.push(("dealing", "keeper 1 of 3 has dealt", world.state.clone()));
    for n in 1..3 {
        let deal = world.dealt(n, id, &plan);
        world.done(n, deal);
    }
    let digest = world.digest(id);
    world.done(
        0,
        CeremonyConfirm {
            ceremony: id,
            digest,
        },
    );
    steps.push((
        "confirming",
        "keeper 1 of 3 has confirmed",
        world.state.clone(),
    ));
    for n in 1..3 {
        world.done(
            n,
            CeremonyConfirm {
                ceremony: id,
                digest,
            },
        );
    }
    world.done(0, TokensMoved { generation: 2 });
    steps.push((
        "closing",
        "generation 2 is in use, and member 0 alone has moved to it",
        world.state,
    ));
    steps
}

pub(crate) fn states(working: &State) -> Vec<(String, Value)> {
    let vector = |(name, why, state): (&str, &str, State)| {
        let value = json!({
            "section": "protocol.md 5.12",
            "why": why,
            "snapshot": hex(&state.snapshot()),
            "hash": state.hash().to_string(),
        });
        (name.to_owned(), value)
    };
    steps(working).into_iter().map(vector).collect()
}

/// The world at a step, with its ceremony and plan.
fn at(working: &State, step: &str) -> (World, EntryId, Plan) {
    let world = start(working, step);
    let (id, plan) = match open(&world.state) {
        Some((id, row)) => (id, row.plan.clone()),
        None => (EntryId([9; 16]), wanted(&world.state).unwrap()),
    };
    (world, id, plan)
}

fn fault(world: &World) -> EvaluationFault {
    EvaluationFault {
        keeper: world.id(0),
        generation: 1,
        reshare: 0,
        class: Class::Phone,
        slot: 3,
        request: Hash::of(b"request"),
        reply: Hash::of(b"reply"),
    }
}

fn abandon(ceremony: EntryId, about: u16) -> CeremonyAbandon {
    CeremonyAbandon {
        ceremony,
        about,
        why: Complaint::Unfit,
    }
}

/// One good entry of each kind.
pub(crate) fn good(working: &State) -> Vec<(&'static str, &'static str, Entry, usize)> {
    let (_, _, plan) = at(working, "keepers");
    let (committing, id, _) = at(working, "committing");
    let (dealing, ..) = at(working, "dealing");
    let (confirming, ..) = at(working, "confirming");
    let digest = confirming.digest(id);
    vec![
        (
            "5.12",
            "keepers",
            CeremonyStart { plan: plan.clone() }.into(),
            0,
        ),
        (
            "5.12",
            "committing",
            committing.committed(1, id, &plan).into(),
            1,
        ),
        ("5.12", "dealing", dealing.dealt(1, id, &plan).into(), 1),
        (
            "5.12",
            "confirming",
            CeremonyConfirm {
                ceremony: id,
                digest,
            }
            .into(),
            1,
        ),
        ("5.12", "dealing", abandon(id, 3).into(), 1),
        ("5.13", "closing", TokensMoved { generation: 2 }.into(), 1),
        (
            "5.12",
            "working",
            fault(&start(working, "working")).into(),
            1,
        ),
    ]
}

type Case = (&'static str, &'static str, &'static str, usize, Entry);

/// Refusals that only one kind has.
#[expect(clippy::too_many_lines, reason = "a table with a row per refusal")]
pub(crate) fn refused(working: &State) -> Vec<(String, Value)> {
    let (_, _, plan) = at(working, "keepers");
    let (committing, id, _) = at(working, "committing");
    let (dealing, ..) = at(working, "dealing");
    let (closing, _) = (start(working, "closing"), ());
    let mut other_plan = plan.clone();
    other_plan.threshold = 3;
    let mut short = dealing.dealt(1, id, &plan);
    short.parts.pop();
    let claim = |generation, paired| Claim {
        generation,
        paired,
        ..closing.claim(Channel::Door, 24, 48, &[7])
    };
    let own_fault = fault(&committing);
    let unknown_keyset = EvaluationFault {
        generation: 7,
        ..own_fault
    };
    let cases: Vec<Case> = vec![
        (
            "keepers",
            "other_threshold",
            "the plan is not what the keepers call for",
            0,
            CeremonyStart { plan: other_plan }.into(),
        ),
        (
            "committing",
            "under_way",
            "another ceremony is under way",
            1,
            CeremonyStart { plan: plan.clone() }.into(),
        ),
        (
            "committing",
            "of_another",
            "the commitments are another keeper's",
            1,
            committing.committed(2, id, &plan).into(),
        ),
        (
            "committing",
            "twice",
            "the keeper has committed",
            0,
            committing.committed(0, id, &plan).into(),
        ),
        (
            "committing",
            "early",
            "not all keepers have committed",
            0,
            committing.dealt(0, id, &plan).into(),
        ),
        ("dealing", "short", "a keeper gets no part", 1, short.into()),
        (
            "confirming",
            "other_digest",
            "the digest is another keyset's",
            1,
            CeremonyConfirm {
                ceremony: id,
                digest: Hash::ZERO,
            }
            .into(),
        ),
        (
            "dealing",
            "unknown_keeper",
            "there is no such keeper",
            1,
            abandon(id, 9).into(),
        ),
        (
            "closing",
            "twice",
            "the member has moved",
            0,
            TokensMoved { generation: 2 }.into(),
        ),
        (
            "closing",
            "old",
            "the generation is not in use any more",
            1,
            TokensMoved { generation: 1 }.into(),
        ),
        (
            "working",
            "of_itself",
            "the keeper reports itself",
            0,
            own_fault.into(),
        ),
        (
            "working",
            "unknown_keyset",
            "there is no such keyset",
            1,
            unknown_keyset.into(),
        ),
        (
            "closing",
            "old_generation",
            "by tokens that are not in use any more",
            2,
            claim(1, false).into(),
        ),
        (
            "closing",
            "one_token",
            "an older generation closes, and its tokens are not named",
            2,
            claim(2, false).into(),
        ),
    ];
    let vector = |(from, name, why, author, entry): Case| {
        let section = match entry.kind() {
            "claim" => "5.5",
            "tokens_moved" => "5.13",
            _ => "5.12",
        };
        one(working, section, from, name, why, author, &entry)
    };
    cases.into_iter().map(vector).collect()
}
