//! Simulation: planted faults that must be caught, each by the rule that is about it.

use super::{claim, keepers, list, rounds};
use testnet::sim::{
    self, List, generate,
    mutant::Mutant,
    op::Op,
    time::virtually,
    world::{Beginning, Beginnings},
};

/// Within so many seeds a planted fault must be caught.
const CAUGHT_WITHIN: usize = 12;

/// Runs seeds with one keeper until a planted fault shows; the rule that it broke.
async fn caught(beginning: &Beginning, mutant: Mutant) -> &'static str {
    for seed in (1..).step_by(2).take(CAUGHT_WITHIN) {
        let list = generate::list(seed);
        let run = sim::run_list(beginning, &list, Some(mutant)).await.unwrap();
        if let Some(violation) = run.violation {
            return violation.rule;
        }
    }
    panic!("{mutant:?} was not caught within {CAUGHT_WITHIN} seeds");
}

#[test]
fn faults_planted_in_fold_outbox_gate_and_tables_are_caught_by_seeds() {
    // An outbox that drops early meets an own entry that it does not know, and goes the way back.
    const EARLY: [&str; 3] = [
        "no node stops by itself",
        "every position comes to the same at every node",
        "a promise is kept",
    ];
    let planted: [(Mutant, &[&str]); 7] = [
        (Mutant::FoldSkips, &["equal position means equal state"]),
        (Mutant::HeldDoorGranted, &["no two claims hold one door"]),
        (Mutant::KeeperForgets, &["the log only grows"]),
        (Mutant::OutboxDropsEarly, &EARLY),
        (Mutant::RowIsKept, &["an erased row does not come back"]),
        (Mutant::GateLetsAll, &["no row is anywhere without consent"]),
        (Mutant::EffectIsLost, &["a node's tables follow the state"]),
    ];
    virtually(async {
        let mut beginnings = Beginnings::default();
        let beginning = sim::begin(&mut beginnings, 1).await.unwrap();
        for (mutant, rules) in planted {
            let rule = caught(beginning, mutant).await;
            assert!(rules.contains(&rule), "{mutant:?}: {rule}");
        }
    });
}

/// A claim is given back, and keepers change their leader.
fn given_back() -> List {
    let mut operations = vec![claim(0, 1), claim(1, 2)];
    operations.extend(rounds(2, 3));
    let (node, nth, whole) = (0, 0, true);
    operations.push(Op::Release { node, nth, whole });
    operations.extend(rounds(1, 3));
    operations.extend([Op::SplitLeader, Op::Pass { seconds: 5 }]);
    operations.extend(rounds(1, 3));
    list(3, operations)
}

/// A keeper that hears of nobody wants to say something.
fn alone() -> List {
    let mut operations = vec![Op::Split { side: vec![1] }, claim(1, 1)];
    operations.extend(rounds(2, 3));
    list(3, operations)
}

#[test]
fn faults_planted_in_keepers_members_and_counts_are_caught_by_lists() {
    const AMNESIA: [&str; 2] = ["the log only grows", "an acknowledged entry is never lost"];
    let planted: [(Mutant, List, &[&str]); 9] = [
        (
            Mutant::GrantedAgain,
            given_back(),
            &["a claim is granted once"],
        ),
        (
            Mutant::TwoHeads,
            list(1, rounds(3, 3)),
            &["a keeper signs one head of a length"],
        ),
        (Mutant::AmnesiacVotes, keepers::amnesia(), &AMNESIA),
        (Mutant::ToldTooEarly, alone(), &AMNESIA[1..]),
        (
            Mutant::RemovedReads,
            keepers::remove(),
            &["a removed member reads nothing more"],
        ),
        (
            Mutant::OldKeysStay,
            keepers::rotate(),
            &["a member speaks under the keys that the log lists"],
        ),
        (
            Mutant::ReturnForgets,
            keepers::comes_back(true),
            &["a node's tables follow the state"],
        ),
        (
            Mutant::SmallCellTold,
            keepers::count(),
            &["a count tells no less than a cell"],
        ),
        (
            Mutant::ThirdIsTold,
            keepers::count(),
            &["a count is told to its parties alone"],
        ),
    ];
    virtually(async {
        let mut beginnings = Beginnings::default();
        for (mutant, list, rules) in planted {
            let beginning = sim::begin(&mut beginnings, list.keepers).await.unwrap();
            let run = sim::run_list(beginning, &list, Some(mutant)).await.unwrap();
            let Some(seen) = run.violation else {
                panic!("{mutant:?} was not caught: {:?}", run.refusals);
            };
            assert!(rules.contains(&seen.rule), "{mutant:?}: {seen:?}");
        }
    });
}
