//! Simulation: seeds, lists that once showed a fault, planted faults that must be caught.

mod keepers;
mod mutants;

use protocol::channel::Channel;
use testnet::sim::{
    self, List, Run,
    act::act,
    generate,
    mutant::Mutant,
    op::{Op, Place},
    time::virtually,
    world::{Beginnings, World},
};

/// Seeds of every check, every other one with three keepers; `cargo testnet sim` runs as many as one likes.
const SEEDS: std::ops::Range<u64> = 1..5;

/// Runs lists one after the other.
fn run_all(lists: &[List], mutant: Option<Mutant>) -> Vec<Run> {
    virtually(async {
        let mut beginnings = Beginnings::default();
        let mut runs = Vec::new();
        for list in lists {
            let beginning = sim::begin(&mut beginnings, list.keepers).await.unwrap();
            runs.push(sim::run_list(beginning, list, mutant).await.unwrap());
        }
        runs
    })
}

/// A list that is written by hand.
fn list(keepers: usize, operations: Vec<Op>) -> List {
    List {
        seed: 1,
        keepers,
        showed: String::new(),
        operations,
    }
}

/// Everybody works, speaks and reads, some times.
fn rounds(rounds: usize, nodes: usize) -> Vec<Op> {
    let mut operations = Vec::new();
    for _ in 0..rounds {
        for node in 0..nodes {
            operations.extend([Op::Jobs { node }, Op::Push { node }]);
        }
        operations.extend((0..nodes).map(|node| Op::Read { node }));
    }
    operations
}

/// A node claims the doors of a list that is its own alone.
fn claim(node: usize, ahead: i64) -> Op {
    Op::Claim {
        node,
        list: 1,
        channel: Channel::Door,
        ahead,
        days: 1,
    }
}

#[test]
fn nothing_that_must_never_be_is_seen_under_faults() {
    let lists: Vec<List> = SEEDS.map(generate::list).collect();
    let (mut faults, mut entries) = (0, 0);
    for (list, run) in lists.iter().zip(run_all(&lists, None)) {
        assert_eq!(
            run.violation, None,
            "cargo testnet sim --seeds 1 --first-seed {}",
            list.seed
        );
        faults += run.faults;
        entries += run.entries;
    }
    assert!(faults > 20 && entries > 200, "{faults} {entries}");
}

#[test]
fn lists_that_showed_a_fault_show_none_any_more() {
    let folder = testnet::workspace().join("testnet/src/sim/regressions");
    let mut lists: Vec<List> = Vec::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        lists.push(serde_json::from_str(&text).unwrap());
    }
    assert!(!lists.is_empty());
    for (list, run) in lists.iter().zip(run_all(&lists, None)) {
        assert_eq!(run.violation, None, "{}", list.showed);
    }
}

#[test]
fn a_node_seals_on_after_a_commit_that_lasted_and_reported_an_error() {
    virtually(async {
        let mut beginnings = Beginnings::default();
        let beginning = sim::begin(&mut beginnings, 1).await.unwrap();
        let mut world = World::begin(beginning).await.unwrap();
        let push = Op::Push { node: 1 };
        let lasts = Op::Disk {
            node: 1,
            after: 0,
            failing: 1,
            stage: Place::Committed,
            during: Box::new(push.clone()),
        };
        for (op, is_done) in [
            (claim(1, 1), true),
            (lasts, false),
            (Op::Invite { node: 1 }, true),
            (push, true),
        ] {
            let done = act(&mut world, &op).await.unwrap();
            assert_eq!(
                done.refused.is_none(),
                is_done,
                "{op:?}: {:?}",
                done.refused
            );
        }
        world.close().await;
    });
}

#[test]
fn the_same_seed_comes_to_the_same_twice_and_another_to_something_else() {
    let mut traces = Vec::new();
    for seed in [3, 3, 5] {
        let run = run_all(&[generate::list(seed)], None).remove(0);
        traces.push((run.trace, run.time));
    }
    assert_eq!(traces[0], traces[1]);
    assert_ne!(traces[0], traces[2]);
}

#[test]
fn a_list_is_written_and_read_without_its_seed() {
    for seed in 0..200 {
        let operations = generate::list(seed).operations;
        let text = serde_json::to_string(&operations).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Op>>(&text).unwrap(), operations);
    }
    let unknown = r#"[{"read": {"node": 1, "faster": true}}]"#;
    assert!(serde_json::from_str::<Vec<Op>>(unknown).is_err());
    let alone = r#"{"seed": 1, "showed": "", "operations": []}"#;
    assert_eq!(serde_json::from_str::<List>(alone).unwrap().keepers, 1);
}
