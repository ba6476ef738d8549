//! Vectors of the rotation of keys after a removal for cause: states, good steps, and what is refused.

use super::{
    cases::{one, start, world},
    file::hex,
    particular::approval,
    world::World,
};
use protocol::{
    codec,
    entry::{
        Entry,
        ceremony::{KeyRotation, RotationFault, RotationStep},
    },
    fold::ceremony::current,
    id::Hash,
    state::State,
    token::{Keyset, Rotation},
};
use serde_json::{Value, json};

/// Member 2 is removed for cause; member 0 holds the keys alone.
fn steps(working: &State) -> Vec<(&'static str, &'static str, State)> {
    let mut world = world(working);
    let agrees = approval(&world, 2);
    world.done(1, agrees);
    let removing = world.removing(0, &[2]);
    world.commit(0, removing).unwrap();
    let mut steps = vec![(
        "rotating",
        "member 2 was removed for cause",
        world.state.clone(),
    )];
    let said = product(&world);
    world.done(0, step(&world, RotationStep::Keyset(said)));
    steps.push((
        "rotated",
        "the rotated keys are in use, and the ones before close",
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

fn product(world: &World) -> Vec<u8> {
    let factor = Rotation::new(&[7; 64]).unwrap();
    codec::encode(&factor.keyset(&current(&world.state).unwrap()).unwrap())
}

fn step(world: &World, step: RotationStep) -> KeyRotation {
    let row = world.state.rotation.get(&()).unwrap();
    KeyRotation {
        removal: row.position,
        step,
    }
}

/// One good entry.
pub(crate) fn good(working: &State) -> Vec<(&'static str, &'static str, Entry, usize)> {
    let rotating = start(working, "rotating");
    let said = RotationStep::Keyset(product(&rotating));
    vec![("5.12", "rotating", step(&rotating, said).into(), 0)]
}

type Case = (&'static str, &'static str, &'static str, usize, Entry);

/// Refusals that only this kind has.
#[expect(clippy::too_many_lines, reason = "a table with a row per refusal")]
pub(crate) fn refused(working: &State) -> Vec<(String, Value)> {
    let rotating = start(working, "rotating");
    let rotated = start(working, "rotated");
    let made = product(&rotating);
    let keyset: Keyset = codec::decode(&made).unwrap();
    let mut later = keyset.parts().clone();
    later.generation += 1;
    let mut same = current(&rotating.state).unwrap().parts().clone();
    same.generation += 1;
    let said = |bytes| Entry::from(step(&rotating, RotationStep::Keyset(bytes)));
    let mut other = step(&rotating, RotationStep::Keyset(made.clone()));
    other.removal -= 1;
    let confirm = RotationStep::Confirm(Hash::of(&made));
    let refuse = |world, why| Entry::from(step(world, RotationStep::Refuse(why)));
    let cases: Vec<Case> = vec![
        (
            "rotating",
            "later",
            "the generation is not the next one",
            0,
            said(codec::encode(&later)),
        ),
        (
            "rotating",
            "same_keys",
            "the keys are those of before",
            0,
            said(codec::encode(&same)),
        ),
        (
            "rotating",
            "no_keyset",
            "the bytes are no keyset",
            0,
            said(vec![0x80]),
        ),
        (
            "rotating",
            "other_removal",
            "the removal called for no rotation",
            0,
            other.into(),
        ),
        (
            "rotating",
            "by_no_keeper",
            "its author keeps no share",
            1,
            said(made),
        ),
        (
            "rotating",
            "by_the_removed",
            "its author was removed",
            2,
            refuse(&rotating, RotationFault::Other),
        ),
        (
            "rotating",
            "early",
            "no keyset was said",
            0,
            step(&rotating, confirm.clone()).into(),
        ),
        (
            "rotated",
            "late",
            "the rotated keys are in use",
            0,
            step(&rotated, confirm).into(),
        ),
        (
            "rotated",
            "lost",
            "the rotated keys are in use",
            0,
            refuse(&rotated, RotationFault::Lost),
        ),
    ];
    let vector = |(from, name, why, author, entry): Case| {
        one(working, "5.12", from, name, why, author, &entry)
    };
    cases.into_iter().map(vector).collect()
}
