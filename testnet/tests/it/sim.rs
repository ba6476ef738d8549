//! Simulation: seeds, lists that once showed a fault, planted faults that must be caught.

use protocol::channel::Channel;
use testnet::sim::{
    self, List,
    act::act,
    generate,
    mutant::Mutant,
    op::{Op, Place},
    world::World,
};

/// Seeds of every check; `cargo testnet sim` runs as many as one likes.
const SEEDS: std::ops::Range<u64> = 1..7;
/// Within so many seeds a planted fault must be caught.
const CAUGHT_WITHIN: u64 = 12;

#[tokio::test]
async fn nothing_that_must_never_be_is_seen_under_faults() {
    let beginning = sim::beginning().await.unwrap();
    let (mut faults, mut entries) = (0, 0);
    for seed in SEEDS {
        let operations = generate::operations(seed);
        let run = sim::run_list(&beginning, seed, &operations, None)
            .await
            .unwrap();
        assert_eq!(
            run.violation, None,
            "cargo testnet sim --seeds 1 --first-seed {seed}"
        );
        faults += run.faults;
        entries += run.entries;
    }
    assert!(faults > 10 && entries > 200, "{faults} {entries}");
}

#[tokio::test]
async fn lists_that_showed_a_fault_show_none_any_more() {
    let beginning = sim::beginning().await.unwrap();
    let folder = testnet::workspace().join("testnet/src/sim/regressions");
    let mut lists = 0;
    for file in std::fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let list: List = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let run = sim::run_list(&beginning, list.seed, &list.operations, None)
            .await
            .unwrap();
        assert_eq!(run.violation, None, "{}", path.display());
        lists += 1;
    }
    assert!(lists > 0);
}

#[tokio::test]
async fn a_node_seals_on_after_a_commit_that_lasted_and_reported_an_error() {
    let beginning = sim::beginning().await.unwrap();
    let mut world = World::begin(&beginning).await.unwrap();
    let push = Op::Push { node: 1 };
    let claim = Op::Claim {
        node: 1,
        list: 0,
        channel: Channel::Door,
        ahead: 1,
        days: 2,
    };
    let lasts = Op::Disk {
        node: 1,
        after: 0,
        failing: 1,
        stage: Place::Committed,
        during: Box::new(push.clone()),
    };
    for (op, is_done) in [
        (claim, true),
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
}

#[tokio::test]
async fn the_same_seed_comes_to_the_same_twice_and_another_to_something_else() {
    let mut traces = Vec::new();
    for seed in [3, 3, 4] {
        let beginning = sim::beginning().await.unwrap();
        let operations = generate::operations(seed);
        let run = sim::run_list(&beginning, seed, &operations, None)
            .await
            .unwrap();
        traces.push(run.trace);
    }
    assert_eq!(traces[0], traces[1]);
    assert_ne!(traces[0], traces[2]);
}

#[tokio::test]
async fn a_list_is_written_and_read_without_its_seed() {
    for seed in 0..200 {
        let operations = generate::operations(seed);
        let text = serde_json::to_string(&operations).unwrap();
        assert_eq!(serde_json::from_str::<Vec<Op>>(&text).unwrap(), operations);
    }
    let unknown = r#"[{"read": {"node": 1, "faster": true}}]"#;
    assert!(serde_json::from_str::<Vec<Op>>(unknown).is_err());
}

/// Runs seeds until a planted fault shows; the rule that it broke.
async fn caught(mutant: Mutant) -> &'static str {
    let beginning = sim::beginning().await.unwrap();
    for seed in 1..=CAUGHT_WITHIN {
        let operations = generate::operations(seed);
        let run = sim::run_list(&beginning, seed, &operations, Some(mutant))
            .await
            .unwrap();
        if let Some(violation) = run.violation {
            return violation.rule;
        }
    }
    panic!("{mutant:?} was not caught within {CAUGHT_WITHIN} seeds");
}

#[tokio::test]
async fn a_fold_that_skips_is_caught() {
    assert_eq!(
        caught(Mutant::FoldSkips).await,
        "equal position means equal state"
    );
}

#[tokio::test]
async fn a_door_granted_twice_is_caught_though_all_agree_on_it() {
    let rule = caught(Mutant::HeldDoorGranted).await;
    assert_eq!(rule, "no two claims hold one door");
}

#[tokio::test]
async fn a_keeper_that_forgets_is_caught() {
    assert_eq!(caught(Mutant::KeeperForgets).await, "the log only grows");
}

#[tokio::test]
async fn an_outbox_that_drops_early_is_caught() {
    // It meets an own entry that it does not know, and goes the way back instead of saying it again.
    let rule = caught(Mutant::OutboxDropsEarly).await;
    let rules = [
        "no node stops by itself",
        "every position comes to the same at every node",
    ];
    assert!(rules.contains(&rule), "{rule}");
}

#[tokio::test]
async fn a_row_that_is_kept_against_ones_signature_is_caught() {
    let rule = caught(Mutant::RowIsKept).await;
    assert_eq!(rule, "an erased row does not come back");
}

#[tokio::test]
async fn a_gate_that_lets_everybody_pass_is_caught() {
    let rule = caught(Mutant::GateLetsAll).await;
    assert_eq!(rule, "no row is anywhere without consent");
}

#[tokio::test]
async fn an_effect_that_is_lost_is_caught() {
    let rule = caught(Mutant::EffectIsLost).await;
    assert_eq!(rule, "a node's tables follow the state");
}
