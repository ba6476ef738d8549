//! Vectors of members that signed two truths: a state with one, good entries, and what proves nothing.

use super::{
    cases::{one, start, world},
    file::hex,
    world::World,
};
use protocol::{
    entry::{
        Entry,
        two_truths::{Cosigned, QuarantineLift, Truths, TwoTruths},
    },
    id::{EntryId, Hash},
    identity::KeyUse,
    note::{self, TreeHead},
    state::State,
};
use serde_json::{Value, json};

/// A member's cosignature over three entries, with a root of its own.
fn word(world: &World, n: usize, root: &[u8], seconds: u64) -> Cosigned {
    let meta = world.state.meta();
    let head = TreeHead {
        origin: note::origin(meta.coalition, meta.head.lineage),
        size: 3,
        root: Hash::of(root),
    };
    let key = world.actors[n].secrets.signing_key(KeyUse::Statement);
    Cosigned {
        root: head.root,
        seconds,
        signature: head.cosigned(&key, seconds),
    }
}

fn heads(world: &World, n: usize, first: Cosigned, second: Cosigned) -> TwoTruths {
    TwoTruths {
        node: world.id(n),
        truths: Truths::Heads {
            size: 3,
            first,
            second,
        },
    }
}

fn proof(world: &World, n: usize) -> TwoTruths {
    let first = word(world, n, b"one history", 900);
    heads(world, n, first, word(world, n, b"another", 4_499))
}

fn quarantined(working: &State) -> State {
    let mut world = world(working);
    let said = proof(&world, 2);
    world.done(1, said);
    world.state
}

pub(crate) fn states(working: &State) -> Vec<(String, Value)> {
    let state = quarantined(working);
    let value = json!({
        "section": "protocol.md 5.16",
        "why": "member 2 has signed two truths",
        "snapshot": hex(&state.snapshot()),
        "hash": state.hash().to_string(),
    });
    vec![("quarantined".to_owned(), value)]
}

fn lift(world: &World) -> QuarantineLift {
    let node = world.id(2);
    let proof = world.state.quarantines.get(&node).unwrap().proof;
    QuarantineLift { node, proof }
}

pub(crate) fn good(working: &State) -> Vec<(&'static str, &'static str, Entry, usize)> {
    let lifted = lift(&start(working, "quarantined"));
    vec![
        ("5.16", "working", proof(&world(working), 2).into(), 1),
        ("5.16", "quarantined", lifted.into(), 1),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table with a row per refusal")]
pub(crate) fn refused(working: &State) -> Vec<(String, Value)> {
    let w = world(working);
    let (one_word, other) = (
        word(&w, 2, b"one history", 900),
        word(&w, 2, b"another", 900),
    );
    let stranger = word(&w, 1, b"another", 900);
    let later = word(&w, 2, b"another", 900 + 3_600);
    let lifting = lift(&start(working, "quarantined"));
    let elsewhere = QuarantineLift {
        proof: EntryId([7; 16]),
        ..lifting
    };
    let cases: Vec<(&str, &str, &str, usize, Entry)> = vec![
        (
            "working",
            "not_signed",
            "the accused signed but one of the two",
            1,
            heads(&w, 2, one_word, stranger).into(),
        ),
        (
            "working",
            "same",
            "both are about one root",
            1,
            heads(&w, 2, one_word, one_word).into(),
        ),
        (
            "working",
            "hour_apart",
            "an hour lies between the two",
            1,
            heads(&w, 2, one_word, later).into(),
        ),
        (
            "working",
            "of_another",
            "another member signed both",
            1,
            heads(&w, 1, one_word, other).into(),
        ),
        (
            "quarantined",
            "quarantined",
            "it is quarantined already",
            1,
            proof(&w, 2).into(),
        ),
        (
            "quarantined",
            "own",
            "nobody lifts its own quarantine",
            2,
            lifting.clone().into(),
        ),
        (
            "quarantined",
            "other_proof",
            "it names another proof",
            1,
            elsewhere.into(),
        ),
        (
            "working",
            "none",
            "nobody is quarantined",
            1,
            lifting.into(),
        ),
        (
            "quarantined",
            "quarantined",
            "its author signed two truths",
            2,
            w.plan(24, 48, "ward 27").into(),
        ),
        (
            "quarantined",
            "to_quarantined",
            "its recipient signed two truths",
            1,
            w.share(2, 3).into(),
        ),
    ];
    cases
        .into_iter()
        .map(|(from, name, why, author, entry)| {
            one(working, "5.16", from, name, why, author, &entry)
        })
        .collect()
}
