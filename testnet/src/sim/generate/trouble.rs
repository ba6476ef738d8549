//! What goes wrong: network, disks, machines, and members that mean ill.

use super::{Evil, Fate, MEMBERS, Op, Place, Rng, SliceRandom, StdRng, Style, work};

fn place(rng: &mut StdRng) -> Place {
    *Place::ALL.choose(rng).unwrap_or(&Place::Commit)
}

/// Something that goes wrong.
pub(super) fn some(rng: &mut StdRng, style: &Style, node: usize) -> Op {
    if style.keepers > 1 && rng.gen_bool(0.45) {
        return among_keepers(rng, style);
    }
    match rng.gen_range(0..29) {
        0..8 => Op::Wire {
            node,
            fates: (0..rng.gen_range(1..4)).map(|_| fate(rng)).collect(),
        },
        8 => Op::Late,
        9 => Op::Replay {
            back: rng.gen_range(0..20),
        },
        10..13 => Op::Cut {
            node,
            cut: rng.gen_bool(0.35),
        },
        13..16 => Op::Disk {
            node,
            after: rng.gen_range(0..4),
            failing: rng.gen_range(1..3),
            stage: place(rng),
            during: Box::new(busy(rng, style, node)),
        },
        16..22 => Op::Crash {
            node,
            after: rng.gen_range(0..5),
            stage: place(rng),
            during: Box::new(busy(rng, style, node)),
        },
        22 => Op::Restart { node },
        23 => torn(rng, style, node),
        24 | 25 => Op::Cut { node, cut: false },
        _ => match style.evil {
            Some(node) => Op::Evil {
                node,
                how: *EVIL.choose(rng).unwrap_or(&Evil::Garbage),
            },
            None => Op::Read { node },
        },
    }
}

fn torn(rng: &mut StdRng, style: &Style, node: usize) -> Op {
    Op::Torn {
        node,
        after: rng.gen_range(0..5),
        bytes: rng.gen_range(0..4_000),
        during: Box::new(busy(rng, style, node)),
    }
}

/// Something that goes wrong among several keepers.
fn among_keepers(rng: &mut StdRng, style: &Style) -> Op {
    let node = rng.gen_range(0..MEMBERS);
    let other = (node + rng.gen_range(1..MEMBERS)) % MEMBERS;
    match rng.gen_range(0..20) {
        0..2 => Op::SplitLeader,
        2 => Op::Split { side: vec![node] },
        // Whoever is alone with a stranger to it is alone all the same.
        3 => Op::Split {
            side: vec![node, MEMBERS],
        },
        4..8 => Op::Split { side: Vec::new() },
        8..10 => Op::Mute {
            from: node,
            to: other,
            mute: rng.gen_bool(0.6),
        },
        10 => Op::Kill { node },
        11 => Op::KillLeader,
        12..15 => Op::Restart { node },
        15..17 => torn(rng, style, node),
        17 => Op::Pass {
            seconds: rng.gen_range(2..6),
        },
        _ => Op::Raft {
            node,
            fates: (0..rng.gen_range(1..6)).map(|_| fate(rng)).collect(),
        },
    }
}

/// Something during which a node writes.
fn busy(rng: &mut StdRng, style: &Style, node: usize) -> Op {
    // What others append is written by the keeper, too.
    let speaker = rng.gen_range(0..style.nodes);
    match rng.gen_range(0..10) {
        0..3 => Op::Jobs { node },
        3..5 => Op::Push { node },
        5..7 => Op::Read { node },
        7 => Op::Push { node: speaker },
        _ => work(rng, style, node),
    }
}

fn fate(rng: &mut StdRng) -> Fate {
    const FATES: [Fate; 8] = [
        Fate::Arrive,
        Fate::Lost,
        Fate::AnswerLost,
        Fate::AnswerLost,
        Fate::Twice,
        Fate::Late,
        Fate::Late,
        Fate::Damaged,
    ];
    *FATES.choose(rng).unwrap_or(&Fate::Lost)
}

const EVIL: [Evil; 13] = [
    Evil::ReleaseOthers,
    Evil::RenewOthers,
    Evil::ClaimBackwards,
    Evil::ClaimUnderNothing,
    Evil::ClaimAll,
    Evil::AnswerOthersNotice,
    Evil::FalseCheckpoint,
    Evil::UseIdAgain,
    Evil::RowsOfNothing,
    Evil::SecondGenesis,
    Evil::Garbage,
    Evil::OthersEntry,
    Evil::Flood,
];
