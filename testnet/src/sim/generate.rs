//! From a seed to a list of operations.

mod trouble;
mod turns;

use super::{
    List,
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
    keepers: usize,
    evil: Option<usize>,
    /// Whose database becomes an older copy of itself.
    restores: Option<usize>,
    /// Who burns down.
    loses: Option<usize>,
    joins: bool,
    parts: bool,
    /// Who keeps the log changes.
    changes: bool,
    rotates: bool,
    counts: bool,
}

impl Style {
    fn of(rng: &mut StdRng, keepers: usize) -> Self {
        let several = keepers > 1;
        let joins = rng.gen_bool(0.4);
        let restores = rng.gen_bool(0.25);
        let loses = several && !restores && rng.gen_bool(0.2);
        // A keeper that is alone must not lose what nobody else has.
        let first = usize::from(!several);
        Self {
            nodes: if joins { MEMBERS + 1 } else { MEMBERS },
            keepers,
            evil: rng.gen_bool(0.3).then(|| rng.gen_range(1..MEMBERS)),
            restores: restores.then(|| rng.gen_range(first..MEMBERS)),
            loses: loses.then(|| rng.gen_range(0..MEMBERS)),
            joins,
            parts: rng.gen_bool(0.25),
            changes: loses || (rng.gen_bool(0.3) && !restores),
            rotates: rng.gen_bool(0.35),
            counts: rng.gen_bool(0.25),
        }
    }

    fn node(&self, rng: &mut StdRng) -> usize {
        rng.gen_range(0..self.nodes)
    }
}

/// The list of a seed: every other one begins with three keepers.
#[must_use]
pub fn list(seed: u64) -> List {
    let keepers = if seed.is_multiple_of(2) { MEMBERS } else { 1 };
    let mut rng = StdRng::seed_from_u64(seed);
    let style = Style::of(&mut rng, keepers);
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
        turns::of(&mut rng, &style, &mut operations);
    }
    List {
        seed,
        keepers,
        showed: String::new(),
        operations,
    }
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

fn one(rng: &mut StdRng, style: &Style) -> Op {
    let node = rng.gen_range(0..style.nodes);
    match rng.gen_range(0..100) {
        0..6 => time(rng, style, node),
        6..16 => Op::Read { node },
        16..21 => Op::Push { node },
        21..27 => Op::Jobs { node },
        27..70 => work(rng, style, node),
        _ => trouble::some(rng, style, node),
    }
}

fn time(rng: &mut StdRng, style: &Style, node: usize) -> Op {
    if rng.gen_bool(0.2) {
        return Op::Skew {
            node,
            // The keeper's clock is log time: a keeper that is hours ahead ends everybody's claims.
            seconds: if node == 0 || (style.keepers > 1 && node < MEMBERS) {
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
