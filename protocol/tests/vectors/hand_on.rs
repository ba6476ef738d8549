//! Vectors of a share that is handed on: member 3 takes the place of member 2 among three keepers.

use super::{
    cases::{one, start},
    file::hex,
    world::World,
};
use protocol::{
    entry::{
        Entry,
        ceremony::{CeremonyConfirm, CeremonyDeal, CeremonyHandOn, CeremonyStart, SealedPart},
    },
    fold::ceremony::{current, open, wanted},
    id::EntryId,
    state::State,
    token::ceremony::Plan,
};
use serde_json::{Value, json};

fn sum(ceremony: EntryId) -> CeremonyHandOn {
    CeremonyHandOn {
        ceremony,
        sealed: b"sealed".to_vec(),
    }
}

/// The helpers as members.
fn helpers(world: &World, plan: &Plan) -> Vec<usize> {
    let before = current(&world.state).unwrap();
    let helps = |id: &u16| {
        let keeper = plan.keepers.iter().find(|keeper| keeper.id == *id);
        (0..4)
            .find(|n| world.id(*n) == keeper.unwrap().node)
            .unwrap()
    };
    plan.helpers(&before).iter().map(helps).collect()
}

fn deal(world: &World, ceremony: EntryId, plan: &Plan, n: usize) -> CeremonyDeal {
    let own = plan.id_of(&world.id(n));
    let others = plan.helpers(&current(&world.state).unwrap()).into_iter();
    let part = |to| SealedPart {
        to,
        sealed: b"sealed".to_vec(),
    };
    CeremonyDeal {
        ceremony,
        parts: others.filter(|id| Some(*id) != own).map(part).collect(),
    }
}

fn steps() -> Vec<(&'static str, &'static str, State)> {
    let mut world = World::agreed(5, 1);
    world.keep(&[0, 1, 2]);
    let plan = wanted(&world.state).unwrap();
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
    world.keep(&[0, 1, 3]);
    let plan = wanted(&world.state).unwrap();
    let id = world.done(3, CeremonyStart { plan: plan.clone() });
    let helpers = helpers(&world, &plan);
    let first = deal(&world, id, &plan, helpers[0]);
    world.done(helpers[0], first);
    let mut steps = vec![(
        "handing_on",
        "one of two helpers has dealt",
        world.state.clone(),
    )];
    let second = deal(&world, id, &plan, helpers[1]);
    world.done(helpers[1], second);
    world.done(helpers[0], sum(id));
    steps.push((
        "summing",
        "both helpers have dealt, and the first has handed its sum on",
        world.state,
    ));
    steps
}

pub(crate) fn states() -> Vec<(String, Value)> {
    let vector = |(name, why, state): (&str, &str, State)| {
        let value = json!({
            "section": "protocol.md 5.12",
            "why": why,
            "snapshot": hex(&state.snapshot()),
            "hash": state.hash().to_string(),
        });
        (name.to_owned(), value)
    };
    steps().into_iter().map(vector).collect()
}

/// The world at a step, with its ceremony and its helpers.
fn at(working: &State, step: &str) -> (World, EntryId, Vec<usize>) {
    let world = start(working, step);
    let (id, plan) = open(&world.state)
        .map(|(id, row)| (id, row.plan.clone()))
        .unwrap();
    let helpers = helpers(&world, &plan);
    (world, id, helpers)
}

/// One good entry.
pub(crate) fn good(working: &State) -> Vec<(&'static str, &'static str, Entry, usize)> {
    let (_, id, helpers) = at(working, "summing");
    vec![("5.12", "summing", sum(id).into(), helpers[1])]
}

type Case = (&'static str, &'static str, &'static str, usize, Entry);

/// Refusals that only this has.
pub(crate) fn refused(working: &State) -> Vec<(String, Value)> {
    let (_, id, helpers) = at(working, "summing");
    let mut long = sum(id);
    long.sealed = vec![0; 1_025];
    let cases: Vec<Case> = vec![
        (
            "handing_on",
            "early",
            "not all helpers have dealt",
            helpers[0],
            sum(id).into(),
        ),
        (
            "summing",
            "twice",
            "the helper has handed its sum on",
            helpers[0],
            sum(id).into(),
        ),
        (
            "summing",
            "by_the_new_keeper",
            "its author does not help",
            3,
            sum(id).into(),
        ),
        (
            "summing",
            "too_long",
            "more bytes than a sealed part has",
            helpers[1],
            long.into(),
        ),
        (
            "dealing",
            "of_a_ceremony",
            "no share is handed on in this ceremony",
            1,
            {
                let world = start(working, "dealing");
                let (id, _) = open(&world.state).unwrap();
                sum(id).into()
            },
        ),
    ];
    let vector = |(from, name, why, author, entry): Case| {
        one(working, "5.12", from, name, why, author, &entry)
    };
    cases.into_iter().map(vector).collect()
}
