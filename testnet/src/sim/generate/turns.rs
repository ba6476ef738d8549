//! Longer turns of events: several operations that only make sense together, with others in between.

use super::{MEMBERS, Op, Rng, SliceRandom, StdRng, Style, heard, one};

/// Now and then such a turn, as the style has it.
pub(super) fn of(rng: &mut StdRng, style: &Style, operations: &mut Vec<Op>) {
    if style.joins && rng.gen_bool(0.03) {
        comes_in(rng, style, operations);
    }
    if style.parts && rng.gen_bool(0.015) {
        goes(rng, style, operations);
    }
    if style.changes && rng.gen_bool(0.03) {
        keepers_change(rng, style, operations);
    }
    if let Some(node) = style.restores.filter(|_| rng.gen_bool(0.02)) {
        comes_back(rng, style, node, operations);
    }
    if style.rotates && rng.gen_bool(0.03) {
        rotates(rng, style, operations);
    }
    if style.counts && rng.gen_bool(0.025) {
        counts(rng, style, operations);
    }
}

/// Everybody works, speaks and reads, some times.
fn rounds(style: &Style, rounds: usize, operations: &mut Vec<Op>) {
    for _ in 0..rounds {
        for node in 0..style.nodes {
            operations.extend([Op::Jobs { node }, Op::Push { node }]);
        }
        operations.extend((0..style.nodes).map(|node| Op::Read { node }));
    }
}

/// Who keeps the log changes, perhaps because one of the keepers has burned down.
fn keepers_change(rng: &mut StdRng, style: &Style, operations: &mut Vec<Op>) {
    const SETS: [&[usize]; 5] = [&[0, 1, 2], &[0], &[1], &[0, 1, 3], &[1, 2, 3]];
    let lost = style.loses.filter(|_| rng.gen_bool(0.5));
    operations.extend(lost.map(|node| Op::Lose { node }));
    let can = |set: &&[usize]| {
        let member = set.iter().all(|node| *node < style.nodes);
        member && style.loses.is_none_or(|lost| !set.contains(&lost))
    };
    let sets: Vec<&[usize]> = SETS.into_iter().filter(can).collect();
    let Some(keepers) = sets.choose(rng) else {
        return;
    };
    let node = style.node(rng);
    let keepers = keepers.to_vec();
    operations.push(Op::Keepers { node, keepers });
    heard(rng, style, node, operations);
    for node in 0..style.nodes {
        operations.push(Op::Read { node });
        operations.push(Op::Sign { node });
        operations.push(Op::Push { node });
        if rng.gen_bool(0.3) {
            let op = one(rng, style);
            operations.push(op);
        }
    }
    rounds(style, 2, operations);
}

/// A node's database becomes an older copy of itself, and the node goes its way back.
fn comes_back(rng: &mut StdRng, style: &Style, node: usize, operations: &mut Vec<Op>) {
    operations.push(Op::BackUp { node });
    for _ in 0..rng.gen_range(1..8) {
        let op = one(rng, style);
        let said = op.node();
        operations.push(op);
        if let Some(node) = said {
            heard(rng, style, node, operations);
        }
    }
    let marked = rng.gen_bool(0.6);
    operations.push(Op::Restore { node, marked });
    if rng.gen_bool(0.5) {
        operations.push(Op::KeepAgain { node });
    }
    for _ in 0..rng.gen_range(2..6) {
        operations.extend([Op::Read { node }, Op::Jobs { node }, Op::Push { node }]);
        if rng.gen_bool(0.6) {
            let op = one(rng, style);
            operations.push(op);
        }
        operations.extend((0..style.nodes).map(|node| Op::Read { node }));
    }
}

/// A node gets new keys.
fn rotates(rng: &mut StdRng, style: &Style, operations: &mut Vec<Op>) {
    let node = style.node(rng);
    let by = rng.gen_bool(0.25).then(|| rng.gen_range(0..MEMBERS));
    let all = rng.gen_bool(0.6);
    operations.push(Op::Rotate { node, all, by });
    let said = by.unwrap_or(node);
    for _ in 0..2 {
        heard(rng, style, said, operations);
        if rng.gen_bool(0.6) {
            let op = one(rng, style);
            operations.push(op);
        }
        heard(rng, style, node, operations);
    }
}

/// Registers are compared, or somebody does not want it.
fn counts(rng: &mut StdRng, style: &Style, operations: &mut Vec<Op>) {
    let node = rng.gen_range(0..MEMBERS);
    let other = (node + rng.gen_range(1..MEMBERS)) % MEMBERS;
    let with = vec![other];
    let counter = rng.gen_bool(0.7);
    operations.push(Op::Count {
        node,
        with,
        counter,
    });
    rounds(style, 1, operations);
    let agree = rng.gen_bool(0.85);
    operations.push(Op::Answer {
        node: other,
        nth: 0,
        agree,
    });
    for _ in 0..4 {
        rounds(style, 1, operations);
        if rng.gen_bool(0.5) {
            let op = one(rng, style);
            operations.push(op);
        }
    }
}

/// The stranger is invited, asks and is let in, and all sign, with something else in between.
fn comes_in(rng: &mut StdRng, style: &Style, operations: &mut Vec<Op>) {
    let host = rng.gen_range(0..MEMBERS);
    let mut steps = vec![
        Op::Invite { node: host },
        Op::Join,
        Op::Approve { node: host },
    ];
    steps.push(Op::Propose { node: host });
    steps.extend((0..style.nodes).map(|node| Op::Sign { node }));
    for step in steps {
        operations.push(step);
        for node in [host, MEMBERS] {
            operations.push(Op::Jobs { node });
            operations.push(Op::Push { node });
        }
        operations.push(Op::Push { node: 0 });
        for node in 0..style.nodes {
            operations.push(Op::Read { node });
        }
        if rng.gen_bool(0.5) {
            let op = one(rng, style);
            operations.push(op);
        }
    }
}

/// A member leaves or is removed, with something else in between.
fn goes(rng: &mut StdRng, style: &Style, operations: &mut Vec<Op>) {
    let whom = rng.gen_range(1..style.nodes);
    let steps: Vec<Op> = if rng.gen_bool(0.5) {
        vec![Op::Leave { node: whom }; 3]
    } else {
        let others = (0..style.nodes).filter(|node| *node != whom);
        let remove = |(n, node)| Op::Remove {
            node,
            whom,
            agree: n > 0,
        };
        others.enumerate().map(remove).collect()
    };
    for step in steps {
        let said = step.node();
        operations.push(step);
        if let Some(node) = said {
            heard(rng, style, node, operations);
        }
        if rng.gen_bool(0.5) {
            let op = one(rng, style);
            operations.push(op);
        }
    }
}
