//! Every order of a few claims, renewals, returns and waits, held against a model in plain words.
//!
//! All orders up to [`DEPTH`] steps are walked, not a sample of them. Orders that come to the same are
//! walked on once: the state is compared with the model whole, so the model names it.

use super::world::{World, token};
use protocol::{
    channel::Channel,
    entry::{
        Entry,
        claim::{ClaimRelease, ClaimRenew},
        housekeeping::Tick,
        payload::{Payload, write_rows},
    },
    id::EntryId,
    state::State,
    time::{HOUR, Moment},
};
use std::collections::{BTreeMap, BTreeSet};

/// Steps of the longest order.
const DEPTH: usize = 7;
/// A claim lapses so long after its last sign of life.
const LAPSE: i64 = 96;

/// What two members do with three doors. Hours are from now.
#[derive(Debug, Clone, Copy)]
enum Step {
    Claim {
        by: usize,
        from: i64,
        hours: i64,
        doors: &'static [u8],
    },
    /// The oldest own claim.
    Renew {
        by: usize,
    },
    /// The oldest claim of the other.
    RenewOthers {
        by: usize,
    },
    Return {
        by: usize,
        doors: Option<&'static [u8]>,
    },
    ReturnOthers {
        by: usize,
    },
    Wait {
        hours: i64,
    },
}

const STEPS: [Step; 14] = [
    Step::Claim {
        by: 1,
        from: 0,
        hours: 240,
        doors: &[1, 2],
    },
    Step::Claim {
        by: 2,
        from: 0,
        hours: 240,
        doors: &[2, 3],
    },
    Step::Claim {
        by: 2,
        from: 120,
        hours: 24,
        doors: &[1],
    },
    Step::Claim {
        by: 1,
        from: 24,
        hours: 24,
        doors: &[3],
    },
    Step::Renew { by: 1 },
    Step::Renew { by: 2 },
    Step::RenewOthers { by: 1 },
    Step::Return { by: 1, doors: None },
    Step::Return {
        by: 1,
        doors: Some(&[2]),
    },
    Step::Return {
        by: 2,
        doors: Some(&[3]),
    },
    Step::ReturnOthers { by: 2 },
    Step::Wait { hours: 24 },
    Step::Wait { hours: 95 },
    Step::Wait { hours: 1 },
];

/// A claim in force, as people would say it. Hours are from the beginning.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Grant {
    by: usize,
    from: i64,
    to: i64,
    ends: i64,
    doors: BTreeSet<u8>,
}

/// Claims in force, the oldest first, and what time it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Model {
    now: i64,
    grants: Vec<Grant>,
}

impl Model {
    fn oldest(&self, mine: impl Fn(usize) -> bool) -> Option<usize> {
        self.grants.iter().position(|grant| mine(grant.by))
    }

    /// The same words, carried out on paper.
    fn step(&mut self, step: Step) {
        if let Step::Wait { hours } = step {
            self.now += hours;
        }
        let now = self.now;
        self.grants.retain(|grant| grant.ends > now);
        match step {
            Step::Claim {
                by,
                from,
                hours,
                doors,
            } => {
                let (from, to) = (now + from, now + from + hours);
                let taken = |door: &u8| {
                    let mut grants = self.grants.iter();
                    grants.any(|g| g.doors.contains(door) && g.from < to && from < g.to)
                };
                let doors: BTreeSet<u8> = doors.iter().copied().filter(|d| !taken(d)).collect();
                if !doors.is_empty() {
                    let ends = to.min(from + LAPSE);
                    self.grants.push(Grant {
                        by,
                        from,
                        to,
                        ends,
                        doors,
                    });
                }
            }
            Step::Renew { by } => {
                if let Some(n) = self.oldest(|who| who == by) {
                    let grant = &mut self.grants[n];
                    grant.ends = grant.to.min(grant.from.max(now) + LAPSE);
                }
            }
            Step::Return { by, doors } => {
                if let Some(n) = self.oldest(|who| who == by) {
                    match doors {
                        Some(doors) => self.grants[n].doors.retain(|door| !doors.contains(door)),
                        None => self.grants[n].doors.clear(),
                    }
                    self.grants.retain(|grant| !grant.doors.is_empty());
                }
            }
            Step::RenewOthers { .. } | Step::ReturnOthers { .. } | Step::Wait { .. } => {}
        }
    }

    /// No door is held twice at one time.
    fn holds_every_door_once(&self) -> bool {
        self.grants.iter().enumerate().all(|(n, a)| {
            let later = self.grants[n + 1..].iter();
            later
                .filter(|b| a.from < b.to && b.from < a.to)
                .all(|b| a.doors.is_disjoint(&b.doors))
        })
    }
}

/// The entry of a step, by whom it is said; nothing where there is no claim to speak of.
fn entry(world: &World, step: Step) -> Option<(usize, Entry)> {
    let oldest = |mine: &dyn Fn(usize) -> bool| -> Option<EntryId> {
        let claims = world.state.claims.iter();
        let own = claims.filter(|(_, row)| mine(who(world, row.author)));
        own.min_by_key(|(_, row)| row.position).map(|(id, _)| *id)
    };
    Some(match step {
        Step::Claim {
            by,
            from,
            hours,
            doors,
        } => (by, world.claim(Channel::Door, from, hours, doors).into()),
        Step::Renew { by } => (
            by,
            ClaimRenew {
                claim: oldest(&|who| who == by)?,
            }
            .into(),
        ),
        Step::RenewOthers { by } => (
            by,
            ClaimRenew {
                claim: oldest(&|who| who != by)?,
            }
            .into(),
        ),
        Step::Return { by, doors } => {
            let rows = |doors: &[u8]| Payload::Inline(write_rows(doors.iter().map(|n| token(*n))));
            let release = ClaimRelease {
                claim: oldest(&|who| who == by)?,
                tokens: doors.map(rows),
            };
            (by, release.into())
        }
        Step::ReturnOthers { by } => {
            let claim = oldest(&|who| who != by)?;
            (
                by,
                ClaimRelease {
                    claim,
                    tokens: None,
                }
                .into(),
            )
        }
        Step::Wait { .. } => (0, Tick {}.into()),
    })
}

fn who(world: &World, author: protocol::id::NodeId) -> usize {
    (0..3).find(|n| world.id(*n) == author).unwrap()
}

/// What the fold came to, in the model's words.
fn told(world: &World, start: Moment) -> Model {
    let hours = |moment: Moment| moment.since(start) / HOUR;
    let mut rows: Vec<_> = world.state.claims.iter().map(|(_, row)| row).collect();
    rows.sort_by_key(|row| row.position);
    let grant = |row: &&protocol::state::rows::ClaimRow| Grant {
        by: who(world, row.author),
        from: hours(row.from),
        to: hours(row.to),
        ends: hours(row.ends),
        doors: (1..=3).filter(|n| row.tokens.has(token(*n))).collect(),
    };
    Model {
        now: hours(world.now),
        grants: rows.iter().map(grant).collect(),
    }
}

#[test]
fn every_order_of_claims_comes_to_what_plain_words_say() {
    let mut world = World::agreed(3, 0);
    let start = world.now;
    let mut reached: BTreeMap<Model, State> = BTreeMap::new();
    reached.insert(Model::default(), world.state.clone());
    let mut new = reached.clone();
    let mut walked = 0;
    for _ in 0..DEPTH {
        let mut next = BTreeMap::new();
        for (before, state) in &new {
            for step in STEPS {
                world.state = state.clone();
                world.now = start.plus(before.now * HOUR);
                world.log.clear();
                if let Step::Wait { hours } = step {
                    world.wait(hours * HOUR);
                }
                // A claim that is over is nobody's to renew: the log must know the time first.
                let Some((by, said)) = entry(&world, step) else {
                    continue;
                };
                // Others' claims are not touched, whatever the answer.
                let _ = world.say(by, said);
                let mut model = before.clone();
                model.step(step);
                assert_eq!(told(&world, start), model, "{step:?} after {before:?}");
                assert!(model.holds_every_door_once(), "{step:?} after {before:?}");
                walked += 1;
                // More than three weeks bring nothing that was not there.
                if model.now <= 21 * 24 && !reached.contains_key(&model) {
                    reached.insert(model.clone(), world.state.clone());
                    next.insert(model, world.state.clone());
                }
            }
        }
        new = next;
    }
    assert!(walked > 10_000, "{walked} steps");
}
