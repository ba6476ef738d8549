//! Simulation: planted faults that must be caught, each by the rule that is about it.

use super::{claim, keepers, list, rounds, run_all};
use testnet::sim::{self, List, generate, mutant::Mutant, op::Op, time::virtually, world::Beginnings};

/// Within so many seeds a planted fault must be caught.
const CAUGHT_WITHIN: u64 = 12;

/// Runs seeds with one keeper until a planted fault shows; the rule that it broke.
fn caught(mutant: Mutant) -> &'static str {
    virtually(async {
        let mut beginnings = Beginnings::default();
        let beginning = sim::begin(&mut beginnings, 1).await.unwrap();
        for seed in (1..).step_by(2).take(CAUGHT_WITHIN as usize) {
            let list = generate::list(seed);
            let run = sim::run_list(beginning, &list, Some(mutant)).await.unwrap();
            if let Some(violation) = run.violation {
                return violation.rule;
            }
        }
        panic!("{mutant:?} was not caught within {CAUGHT_WITHIN} seeds");
    })
}

/// Runs a list with a planted fault; the rule that it broke.
fn caught_by(list: &List, mutant: Mutant) -> &'static str {
    let run = run_all(std::slice::from_ref(list), Some(mutant)).remove(0);
    let seen = run.violation.unwrap_or_else(|| panic!("{mutant:?} was not caught"));
    seen.rule
}

#[test]
fn a_fold_that_skips_is_caught() {
    assert_eq!(
        caught(Mutant::FoldSkips),
        "equal position means equal state"
    );
}

#[test]
fn a_door_granted_twice_is_caught_though_all_agree_on_it() {
    let rule = caught(Mutant::HeldDoorGranted);
    assert_eq!(rule, "no two claims hold one door");
}

#[test]
fn a_keeper_that_forgets_is_caught() {
    assert_eq!(caught(Mutant::KeeperForgets), "the log only grows");
}

#[test]
fn an_outbox_that_drops_early_is_caught() {
    // It meets an own entry that it does not know, and goes the way back instead of saying it again.
    let rule = caught(Mutant::OutboxDropsEarly);
    let rules = [
        "no node stops by itself",
        "every position comes to the same at every node",
    ];
    assert!(rules.contains(&rule), "{rule}");
}

#[test]
fn a_row_that_is_kept_against_ones_signature_is_caught() {
    let rule = caught(Mutant::RowIsKept);
    assert_eq!(rule, "an erased row does not come back");
}

#[test]
fn a_gate_that_lets_everybody_pass_is_caught() {
    let rule = caught(Mutant::GateLetsAll);
    assert_eq!(rule, "no row is anywhere without consent");
}

#[test]
fn an_effect_that_is_lost_is_caught() {
    let rule = caught(Mutant::EffectIsLost);
    assert_eq!(rule, "a node's tables follow the state");
}

#[test]
fn a_claim_that_is_granted_again_after_its_end_is_caught_whoever_leads() {
    let mut operations = vec![claim(0, 1), claim(1, 2)];
    operations.extend(rounds(2, 3));
    let (node, nth, whole) = (0, 0, true);
    operations.push(Op::Release { node, nth, whole });
    operations.extend(rounds(1, 3));
    operations.extend([Op::SplitLeader, Op::Pass { seconds: 5 }]);
    operations.extend(rounds(1, 3));
    let rule = caught_by(&list(3, operations), Mutant::GrantedAgain);
    assert_eq!(rule, "a claim is granted once");
}

#[test]
fn a_keeper_that_signs_two_heads_of_one_length_is_caught() {
    let rule = caught_by(&list(1, rounds(3, 3)), Mutant::TwoHeads);
    assert_eq!(rule, "a keeper signs one head of a length");
}

#[test]
fn a_keeper_that_votes_with_a_memory_from_a_backup_is_caught() {
    let rule = caught_by(&keepers::amnesia(), Mutant::AmnesiacVotes);
    let rules = ["the log only grows", "an acknowledged entry is never lost"];
    assert!(rules.contains(&rule), "{rule}");
}

#[test]
fn a_leader_that_answers_before_most_keepers_have_an_entry_is_caught() {
    let mut operations = vec![Op::SplitLeader, claim(1, 1)];
    operations.extend(rounds(2, 3));
    let rule = caught_by(&list(3, operations), Mutant::ToldTooEarly);
    assert_eq!(rule, "an acknowledged entry is never lost");
}

#[test]
fn a_removed_member_that_reads_on_is_caught() {
    let rule = caught_by(&keepers::remove(), Mutant::RemovedReads);
    assert_eq!(rule, "a removed member reads nothing more");
}

#[test]
fn a_node_that_goes_on_under_old_keys_is_caught() {
    let rule = caught_by(&keepers::rotate(), Mutant::OldKeysStay);
    assert_eq!(rule, "a member speaks under the keys that the log lists");
}

#[test]
fn a_return_that_does_not_make_good_what_was_missed_is_caught() {
    let rule = caught_by(&keepers::comes_back(true), Mutant::ReturnForgets);
    assert_eq!(rule, "a node's tables follow the state");
}

#[test]
fn a_count_that_tells_of_one_person_is_caught() {
    let rule = caught_by(&keepers::count(), Mutant::SmallCellTold);
    assert_eq!(rule, "a count tells no less than a cell");
}

#[test]
fn a_count_that_is_told_to_a_third_is_caught() {
    let rule = caught_by(&keepers::count(), Mutant::ThirdIsTold);
    assert_eq!(rule, "a count is told to its parties alone");
}
