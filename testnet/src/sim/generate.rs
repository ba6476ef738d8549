//! From a seed to a list of operations.

use super::{
    op::{Evil, Fate, Op, Place},
    people::{LATE, LISTS, PEOPLE},
    world::MEMBERS,
};
use protocol::channel::Channel;
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};

/// Operations of one list.
pub const LENGTH: usize = 180;

/// What a seed's list is like.
struct Style {
    nodes: usize,
    evil: Option<usize>,
    restores: bool,
    joins: bool,
    parts: bool,
}

/// The list of a seed.
#[must_use]
pub fn operations(seed: u64) -> Vec<Op> {
    let mut rng = StdRng::seed_from_u64(seed);
    let joins = rng.gen_bool(0.4);
    let style = Style {
        nodes: if joins { MEMBERS + 1 } else { MEMBERS },
        evil: rng.gen_bool(0.35).then(|| rng.gen_range(1..MEMBERS)),
        restores: rng.gen_bool(0.15),
        joins,
        parts: rng.gen_bool(0.25),
    };
    let mut operations = Vec::new();
    while operations.len() < LENGTH {
        let op = one(&mut rng, &style);
        let said = op.node();
        operations.push(op);
        // What was decided is often said and read soon, else little would ever happen.
        match said {
            Some(node) if rng.gen_bool(0.6) => heard(&mut rng, &style, node, &mut operations),
            _ => {}
        }
        if style.joins && rng.gen_bool(0.03) {
            comes_in(&mut rng, &style, &mut operations);
        }
        if style.parts && rng.gen_bool(0.015) {
            goes(&mut rng, &style, &mut operations);
        }
    }
    operations
}

/// A node speaks, the keeper reads, and so do some others, who then do their jobs.
fn heard(rng: &mut StdRng, style: &Style, node: usize, operations: &mut Vec<Op>) {
    operations.push(Op::Push { node });
    for node in 0..style.nodes {
        if rng.gen_bool(0.7) {
            operations.push(Op::Read { node });
        }
        if rng.gen_bool(0.35) {
            operations.push(Op::Jobs { node });
            operations.push(Op::Push { node });
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

fn one(rng: &mut StdRng, style: &Style) -> Op {
    let node = rng.gen_range(0..style.nodes);
    match rng.gen_range(0..100) {
        0..6 => time(rng, node),
        6..16 => Op::Read { node },
        16..21 => Op::Push { node },
        21..27 => Op::Jobs { node },
        27..72 => work(rng, style, node),
        _ => trouble(rng, style, node),
    }
}

fn time(rng: &mut StdRng, node: usize) -> Op {
    if rng.gen_bool(0.2) {
        return Op::Skew {
            node,
            // The keeper's clock is log time: a keeper that is hours ahead ends everybody's claims.
            seconds: if node == 0 {
                rng.gen_range(-200..200)
            } else {
                *[-3_000, -200, -4, 0, 4, 200, 3_000]
                    .choose(rng)
                    .unwrap_or(&0)
            },
        };
    }
    let most = *[30, 3_600, 86_400, 4 * 86_400].choose(rng).unwrap_or(&30);
    Op::Pass {
        seconds: rng.gen_range(1..=most),
    }
}

fn channel(rng: &mut StdRng) -> Channel {
    if rng.gen_bool(0.8) {
        Channel::Door
    } else {
        Channel::Phone
    }
}

fn work(rng: &mut StdRng, style: &Style, node: usize) -> Op {
    let person = rng.gen_range(0..PEOPLE - LATE);
    let list = rng.gen_range(0..LISTS);
    let nth = rng.gen_range(0..4);
    let members = if style.joins { 30 } else { 26 };
    match rng.gen_range(0..members) {
        0..7 => Op::Claim {
            node,
            list,
            channel: channel(rng),
            ahead: rng.gen_range(0..4),
            days: rng.gen_range(1..6),
        },
        7..9 => Op::Renew { node, nth },
        9..11 => Op::Release {
            node,
            nth,
            whole: rng.gen_bool(0.6),
        },
        11..13 => Op::Contact {
            node,
            person,
            ago: rng.gen_range(0..72),
        },
        13..16 => Op::Mark {
            node,
            person,
            channel: channel(rng),
            withdraw: rng.gen_bool(0.35),
        },
        16 => Op::Plan {
            node,
            list,
            ahead: rng.gen_range(0..4),
            days: rng.gen_range(1..6),
        },
        17 if rng.gen_bool(0.3) => Op::Unplan { node, nth },
        17..20 => Op::Share {
            node,
            list,
            to: (node + rng.gen_range(1..MEMBERS)) % MEMBERS,
        },
        20..23 => Op::Revoke {
            node,
            person,
            erase: rng.gen_bool(0.7),
        },
        23 => Op::Recall { node, nth },
        24 => Op::Import {
            node,
            person: PEOPLE - 1 - rng.gen_range(0..LATE),
        },
        25 if rng.gen_bool(0.5) => Op::Propose { node },
        25 => Op::Sign { node },
        26 => Op::Invite {
            node: rng.gen_range(0..MEMBERS),
        },
        27 => Op::Join,
        _ => Op::Approve {
            node: rng.gen_range(0..MEMBERS),
        },
    }
}

fn place(rng: &mut StdRng) -> Place {
    *Place::ALL.choose(rng).unwrap_or(&Place::Commit)
}

fn trouble(rng: &mut StdRng, style: &Style, node: usize) -> Op {
    match rng.gen_range(0..28) {
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
        23 if style.restores && node != 0 => Op::BackUp { node },
        24 if style.restores && node != 0 => Op::Restore { node },
        23 | 24 => Op::Cut { node, cut: false },
        _ => match style.evil {
            Some(node) => Op::Evil {
                node,
                how: *EVIL.choose(rng).unwrap_or(&Evil::Garbage),
            },
            None => Op::Read { node },
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
