//! What holds for every sequence of entries by several members.

use super::world::{Inside, Said, World, token};
use proptest::prelude::*;
use protocol::{
    channel::Channel,
    entry::{
        Entry,
        claim::{ClaimRelease, ClaimRenew},
        contact_report::ContactReport,
        payload::{Channels, ContactEffect, ContactRow, Payload, SuppressionRow, write_rows},
        share::{NoticeAck, Revoke, RevokeKind, ShareReceived},
        suppression::{Suppress, SuppressWithdraw},
    },
    fold::{
        self, Outcome, Void,
        claim::{Decision, Refusal},
    },
    id::EntryId,
    state::State,
    time::HOUR,
};
use std::{collections::BTreeMap, sync::LazyLock};

const MEMBERS: u8 = 3;

static AGREED: LazyLock<State> = LazyLock::new(|| World::agreed(MEMBERS, 0).state);

fn world() -> World {
    World::at(AGREED.clone(), super::world::START, MEMBERS)
}

/// Something that a member says; small numbers, so that members get in each other's way.
#[derive(Debug, Clone)]
enum Op {
    Wait(i64),
    Claim(usize, u8, i64, i64, Vec<u8>),
    Renew(usize, usize),
    Release(usize, usize, Option<Vec<u8>>),
    Report(usize, u8, Vec<(u8, i64, bool)>),
    Suppress(usize, Vec<(u8, u8, bool)>),
    Withdraw(usize, Vec<(u8, u8, bool)>),
    Share(usize, usize, u64),
    Received(usize, usize, u64),
    Revoke(usize, usize, u64),
    Ack(usize, usize),
    UpdateKeys(usize),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let who = || 0_usize..usize::from(MEMBERS);
    let tokens = || proptest::collection::vec(0_u8..6, 1..5);
    let assertions = || proptest::collection::vec((0_u8..6, 0_u8..17, any::<bool>()), 1..4);
    let op = prop_oneof![
        3 => (1_i64..60).prop_map(Op::Wait),
        6 => (who(), 0_u8..2, -5_i64..200, 1_i64..340, tokens())
            .prop_map(|(who, channel, from, hours, tokens)| Op::Claim(who, channel, from, hours, tokens)),
        3 => (who(), 0_usize..12).prop_map(|(who, n)| Op::Renew(who, n)),
        1 => (who(), 0_usize..12, proptest::option::of(tokens()))
            .prop_map(|(who, n, tokens)| Op::Release(who, n, tokens)),
        2 => (who(), 0_u8..2, proptest::collection::vec((0_u8..6, -900_i64..60, any::<bool>()), 1..4))
            .prop_map(|(who, channel, rows)| Op::Report(who, channel, rows)),
        1 => (who(), assertions()).prop_map(|(who, rows)| Op::Suppress(who, rows)),
        1 => (who(), assertions()).prop_map(|(who, rows)| Op::Withdraw(who, rows)),
        1 => (who(), who(), 0_u64..5).prop_map(|(from, to, count)| Op::Share(from, to, count)),
        1 => (who(), 0_usize..4, 0_u64..5).prop_map(|(who, n, count)| Op::Received(who, n, count)),
        1 => (who(), 0_usize..4, 0_u64..5).prop_map(|(who, n, count)| Op::Revoke(who, n, count)),
        1 => (who(), 0_usize..4).prop_map(|(who, n)| Op::Ack(who, n)),
        1 => who().prop_map(Op::UpdateKeys),
    ];
    proptest::collection::vec(op, 1..40)
}

fn channel(n: u8) -> Channel {
    Channel::ALL[usize::from(n)]
}

/// The n-th id of a table, or one that is not there.
fn nth<V>(rows: Vec<(EntryId, V)>, n: usize) -> EntryId {
    rows.get(n).map_or(EntryId([0xee; 16]), |(id, _)| *id)
}

fn suppressions(rows: &[(u8, u8, bool)]) -> Vec<u8> {
    write_rows(rows.iter().map(|(n, channels, deceased)| SuppressionRow {
        token: token(*n),
        channels: Channels(*channels),
        deceased: *deceased,
    }))
}

#[expect(clippy::too_many_lines, reason = "a table: one arm per kind of entry")]
fn entry_of(world: &World, op: &Op) -> Option<(usize, Entry)> {
    let claims = || {
        world
            .state
            .claims
            .iter()
            .map(|(id, row)| (*id, row))
            .collect()
    };
    let shares = || {
        world
            .state
            .shares
            .iter()
            .map(|(id, row)| (*id, row))
            .collect()
    };
    let notices = || {
        world
            .state
            .notices
            .iter()
            .map(|(id, row)| (*id, row))
            .collect()
    };
    let tokens = |tokens: &[u8]| Payload::Inline(write_rows(tokens.iter().map(|n| token(*n))));
    Some(match op {
        Op::Wait(_) | Op::UpdateKeys(_) => return None,
        Op::Claim(who, c, from, hours, tokens) => {
            (*who, world.claim(channel(*c), *from, *hours, tokens).into())
        }
        Op::Renew(who, n) => (
            *who,
            ClaimRenew {
                claim: nth(claims(), *n),
            }
            .into(),
        ),
        Op::Release(who, n, back) => {
            let tokens = back.as_deref().map(tokens);
            (
                *who,
                ClaimRelease {
                    claim: nth(claims(), *n),
                    tokens,
                }
                .into(),
            )
        }
        Op::Report(who, c, rows) => {
            let row = |(n, hours, reached): &(u8, i64, bool)| ContactRow {
                token: token(*n),
                at: world.now.plus(hours * HOUR),
                effect: if *reached {
                    ContactEffect::Contact
                } else {
                    ContactEffect::Attempt
                },
            };
            let rows = Payload::Inline(write_rows(rows.iter().map(row)));
            (
                *who,
                ContactReport {
                    generation: 1,
                    channel: channel(*c),
                    rows,
                    claim: None,
                }
                .into(),
            )
        }
        Op::Suppress(who, rows) => (
            *who,
            Suppress {
                generation: 1,
                rows: Payload::Inline(suppressions(rows)),
            }
            .into(),
        ),
        Op::Withdraw(who, rows) => (
            *who,
            SuppressWithdraw {
                generation: 1,
                rows: Payload::Inline(suppressions(rows)),
            }
            .into(),
        ),
        Op::Share(from, to, count) => (*from, world.share(*to, *count).into()),
        Op::Received(who, n, count) => {
            let share = nth(shares(), *n);
            (
                *who,
                ShareReceived {
                    share,
                    accepted: *count,
                    dropped: 0,
                }
                .into(),
            )
        }
        Op::Revoke(who, n, count) => {
            let row_refs = Payload::Inline(b"sealed to the recipient".to_vec());
            let share = nth(shares(), *n);
            (
                *who,
                Revoke {
                    share,
                    kind: RevokeKind::Withdrawal,
                    count: *count,
                    row_refs,
                }
                .into(),
            )
        }
        Op::Ack(who, n) => (
            *who,
            NoticeAck {
                notice: nth(notices(), *n),
            }
            .into(),
        ),
    })
}

/// Says one thing and checks what must hold of every single step.
fn step(world: &mut World, op: &Op) {
    if let Op::Wait(hours) = op {
        world.wait(hours * HOUR);
        return;
    }
    let mut advanced = world.state.clone();
    let outcome = match entry_of(world, op) {
        Some((author, entry)) => world.say(author, entry).1,
        None => {
            let Op::UpdateKeys(who) = op else { return };
            let inside = world.renewing(*who);
            world.commit(*who, inside)
        }
    };
    let said = world.log.last().unwrap();
    let before = advanced.clone();
    let ended = fold::advance(&mut advanced, &said.item).unwrap();
    for claim in before.claims.iter().map(|(id, _)| *id) {
        let due = before.claims.get(&claim).unwrap().ends <= said.at.time;
        assert_eq!(
            due,
            ended.contains(&claim),
            "claims end by log time and by nothing else"
        );
    }
    match &outcome {
        Err(_) => assert_eq!(advanced, world.state, "what is void changes nothing"),
        Ok(Outcome::Claim(decision)) => explained(&advanced, said, decision),
        Ok(_) => {}
    }
    no_two_claims_overlap(&world.state);
}

fn no_two_claims_overlap(state: &State) {
    let claims: Vec<_> = state.claims.iter().collect();
    for (n, (a, one)) in claims.iter().enumerate() {
        for (b, other) in claims.iter().skip(n + 1) {
            let meet = one.channel == other.channel && one.from < other.to && other.from < one.to;
            let shared = one
                .tokens
                .as_slice()
                .iter()
                .find(|token| other.tokens.has(**token));
            assert!(
                !meet || shared.is_none(),
                "{a} and {b} hold the same door at one time"
            );
        }
    }
}

/// Every refused point names who stands in the way, and every granted one was free.
fn explained(before: &State, said: &Said, decision: &Decision) {
    let Inside::Entry(entry, _) = &said.inside else {
        return;
    };
    let Entry::Claim(claim) = &**entry else {
        return;
    };
    let holder = |token| {
        before
            .claims
            .iter()
            .find(|(_, row)| {
                row.channel == claim.channel
                    && row.tokens.has(token)
                    && row.from < claim.to
                    && claim.from < row.to
            })
            .map(|(id, row)| (*id, row.author))
    };
    for token in &decision.granted {
        assert_eq!(holder(*token), None, "the first in log order wins");
        assert_eq!(before.suppressed(*token, claim.channel), None);
    }
    for (token, refusal) in &decision.refused {
        match refusal {
            Refusal::Held {
                claim: id,
                by,
                until,
            } => {
                assert_eq!(holder(*token), Some((*id, *by)));
                assert!(*until > claim.from);
            }
            Refusal::Recent { by, at, until } => {
                assert_ne!(*by, said.at.author, "nobody stands in the own way");
                assert!(at < until && claim.from < *until);
                assert!(
                    before
                        .contacts_at(claim.channel, *token)
                        .any(|(node, _)| node == *by)
                );
            }
            Refusal::Capped { until } => {
                let (_, rules) = before.rules().unwrap();
                assert_eq!(before.capped(rules, &[*token], claim.from), Some(*until));
                assert_eq!(before.capped(rules, &[*token], *until), None);
                assert!(claim.from < *until);
            }
            Refusal::Suppressed { by } => {
                assert_eq!(before.suppressed(*token, claim.channel), Some(*by));
            }
        }
    }
    let asked = decision.granted.len() + decision.refused.len();
    assert!(asked > 0);
}

fn refold(from: &State, log: &[Said]) -> (State, Vec<Result<Outcome, Void>>) {
    let mut state = from.clone();
    let outcomes = log.iter().map(|said| said.fold(&mut state)).collect();
    (state, outcomes)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn no_two_granted_claims_overlap_and_every_refusal_is_explained(ops in ops()) {
        let mut world = world();
        for op in &ops {
            step(&mut world, op);
        }
    }

    #[test]
    fn the_same_log_leads_to_the_same_state_also_from_a_snapshot_in_its_middle(
        ops in ops(),
        middle in any::<proptest::sample::Index>(),
    ) {
        let mut world = world();
        for op in &ops {
            step(&mut world, op);
        }
        prop_assume!(!world.log.is_empty());
        let (again, outcomes) = refold(&AGREED, &world.log);
        prop_assert_eq!(&again, &world.state);
        prop_assert_eq!(again.hash(), world.state.hash());
        let (half, rest) = world.log.split_at(middle.index(world.log.len()));
        let (state, first) = refold(&AGREED, half);
        let (joined, rows) = State::from_snapshot(&state.snapshot()).unwrap();
        prop_assert_eq!(&joined, &state);
        prop_assert!(rows.iter().all(|(_, (_, value))| value.is_some()));
        let (end, second) = refold(&joined, rest);
        prop_assert_eq!(end.hash(), world.state.hash());
        prop_assert_eq!([first, second].concat(), outcomes);
    }

    #[test]
    fn what_was_ordered_twice_takes_effect_once(ops in ops()) {
        let mut world = world();
        for op in &ops {
            step(&mut world, op);
        }
        // Log time goes on, so nothing but claims that end may differ: let none end.
        let log = world.log.clone();
        let (effective, outcomes) = refold(&AGREED, &log);
        let mut state = effective.clone();
        let time = state.meta().head.log_time;
        for (said, outcome) in log.iter().zip(outcomes).filter(|(_, outcome)| outcome.is_ok()) {
            let mut again = said.clone();
            again.item.position = state.meta().head.position + 1;
            again.item.log_time = time;
            again.at.position = again.item.position;
            again.at.time = time;
            prop_assert_eq!(again.fold(&mut state), Err(Void::Repeated), "{:?}", outcome);
        }
        let mut meta = state.meta();
        meta.head = effective.meta().head;
        meta.tree = effective.meta().tree;
        state.meta.put((), meta);
        prop_assert_eq!(state, effective);
    }

    #[test]
    fn what_a_node_stores_step_by_step_is_the_state(ops in ops(), every in 1_usize..7) {
        let mut world = world();
        let mut rows: BTreeMap<(u8, Vec<u8>), Vec<u8>> = BTreeMap::new();
        let (mut state, first) = State::from_snapshot(&AGREED.snapshot()).unwrap();
        for (table, (key, value)) in first {
            rows.insert((table, key), value.unwrap());
        }
        for op in &ops {
            step(&mut world, op);
        }
        for batch in world.log.chunks(every) {
            for said in batch {
                let _ = said.fold(&mut state);
            }
            for (table, (key, value)) in state.take_changes() {
                match value {
                    Some(value) => rows.insert((table, key), value),
                    None => rows.remove(&(table, key)),
                };
            }
        }
        let mut restored = State::default();
        for ((table, key), value) in &rows {
            restored.restore(*table, key, value).unwrap();
        }
        prop_assert_eq!(&restored, &world.state);
        prop_assert_eq!(restored.hash(), world.state.hash());
        prop_assert!(state.take_changes().is_empty());
    }
}

#[test]
fn a_snapshot_with_a_changed_row_order_or_version_is_refused() {
    let bytes = AGREED.snapshot();
    assert!(State::from_snapshot(&bytes[..bytes.len() - 1]).is_err());
    assert!(State::from_snapshot(&[bytes.as_slice(), &[0]].concat()).is_err());
    let mut version = bytes.clone();
    version[1] = 2;
    assert!(State::from_snapshot(&version).is_err());
    let mut table = bytes;
    table[4] = 23; // the number of the first table
    assert!(State::from_snapshot(&table).is_err());
}

#[test]
fn a_gap_in_the_log_and_time_that_goes_back_stop_the_fold() {
    let mut world = world();
    world.done(0, protocol::entry::housekeeping::Tick {});
    let mut said = world.log.pop().unwrap();
    let mut state = AGREED.clone();
    said.item.position += 1;
    assert!(fold::advance(&mut state, &said.item).is_err());
    said.item.position -= 2;
    assert!(fold::advance(&mut state, &said.item).is_err());
    said.item.position += 1;
    said.item.log_time = state.meta().head.log_time.plus(-1);
    assert!(fold::advance(&mut state, &said.item).is_err());
    assert_eq!(state, *AGREED);
}
