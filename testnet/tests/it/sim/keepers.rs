//! Simulation: three keepers, and members that come back, by lists that are written by hand.

use super::{claim, list, rounds, run_all};
use testnet::sim::{List, Run, op::Op};

/// What a list with three keepers came to: nothing that must never be, and most of it was done.
fn well(operations: Vec<Op>) -> Run {
    let run = run_all(&[list(3, operations)], None).remove(0);
    assert_eq!(run.violation, None, "{:?}", run.refusals);
    run
}

fn done(run: &Run, name: &str) -> (u64, u64) {
    run.operations.get(name).copied().unwrap_or_default()
}

fn pass(seconds: i64) -> Op {
    Op::Pass { seconds }
}

#[test]
fn a_leader_that_is_cut_off_and_a_follower_that_crashes_lose_nothing() {
    let mut operations = vec![claim(0, 1), Op::Push { node: 0 }, Op::SplitLeader];
    operations.extend([claim(1, 1), claim(2, 2), pass(5)]);
    operations.extend(rounds(1, 3));
    operations.push(Op::Split { side: Vec::new() });
    operations.extend([pass(5), Op::Restart { node: 2 }, pass(5)]);
    operations.extend(rounds(2, 3));
    let run = well(operations);
    assert_eq!(done(&run, "split_leader"), (1, 0));
    assert!(run.faults > 0, "nobody was cut off");
}

#[test]
fn keepers_grow_shrink_and_replace_one_that_burned_down() {
    let mut operations = Vec::new();
    let change = |node: usize, keepers: &[usize], signers: &[usize]| {
        let keepers = keepers.to_vec();
        let mut ops = vec![Op::Keepers { node, keepers }, Op::Push { node }];
        for node in signers {
            ops.extend([
                Op::Read { node: *node },
                Op::Sign { node: *node },
                Op::Push { node: *node },
            ]);
        }
        ops.extend(rounds(4, 4));
        ops
    };
    operations.extend([Op::Invite { node: 0 }]);
    operations.extend(rounds(1, 4));
    operations.push(Op::Join);
    operations.extend(rounds(2, 4));
    operations.push(Op::Approve { node: 0 });
    operations.extend(rounds(3, 4));
    operations.push(Op::Propose { node: 0 });
    operations.extend(rounds(1, 4));
    operations.extend((1..4).map(|node| Op::Sign { node }));
    operations.extend(rounds(2, 4));
    operations.extend(change(0, &[1], &[1, 2, 3]));
    operations.push(claim(2, 1));
    operations.extend(rounds(1, 4));
    operations.extend(change(2, &[0, 1, 2], &[0, 1, 3]));
    operations.extend([Op::Lose { node: 0 }, pass(5)]);
    operations.extend(change(1, &[1, 2, 3], &[2, 3]));
    operations.push(claim(3, 1));
    operations.extend(rounds(1, 4));
    let run = well(operations);
    assert_eq!(done(&run, "keepers"), (3, 0), "{:?}", run.refusals);
}

/// A follower's database goes back to before an entry that only it and the leader have.
pub(super) fn amnesia() -> List {
    let mut operations = vec![Op::BackUp { node: 1 }, Op::Kill { node: 2 }, pass(5)];
    operations.extend([claim(0, 1), Op::Push { node: 0 }]);
    let marked = false;
    operations.push(Op::Restore { node: 1, marked });
    operations.extend([Op::Kill { node: 0 }, Op::Restart { node: 2 }]);
    operations.extend([pass(5), pass(5), claim(2, 2), Op::Push { node: 2 }, pass(5)]);
    list(3, operations)
}

#[test]
fn a_keeper_that_was_restored_does_not_vote_before_it_has_learned_the_log() {
    let run = well(amnesia().operations);
    assert_eq!(done(&run, "restore"), (1, 0));
}

/// A member that goes back to before it shared and claimed, and returns.
pub(super) fn comes_back(marked: bool) -> List {
    let mut operations = rounds(1, 3);
    operations.push(Op::BackUp { node: 1 });
    let share = |node, to| Op::Share { node, list: 0, to };
    operations.extend([share(1, 2), share(2, 1), claim(1, 1)]);
    operations.extend(rounds(2, 3));
    operations.push(Op::Restore { node: 1, marked });
    operations.extend(rounds(6, 3));
    list(3, operations)
}

#[test]
fn a_member_from_a_backup_comes_back_whether_it_knows_that_it_is_a_copy_or_not() {
    for marked in [true, false] {
        let run = well(comes_back(marked).operations);
        assert_eq!(done(&run, "share"), (2, 0), "{:?}", run.refusals);
        assert_eq!(done(&run, "restore"), (1, 0));
    }
}

#[test]
fn keepers_with_wrong_clocks_full_disks_and_torn_ends_lose_nothing() {
    let mut operations = Vec::new();
    for (node, seconds) in [(0, 190), (1, -190), (2, 3)] {
        operations.push(Op::Skew { node, seconds });
    }
    for node in 0..3 {
        let push = Box::new(Op::Push {
            node: (node + 1) % 3,
        });
        operations.push(claim((node + 1) % 3, 1 + node as i64));
        operations.push(Op::Torn {
            node,
            after: 1,
            bytes: 900,
            during: push.clone(),
        });
        operations.push(claim((node + 1) % 3, 4));
        operations.push(Op::Disk {
            node,
            after: 0,
            failing: 3,
            stage: testnet::sim::op::Place::Commit,
            during: push,
        });
        operations.push(pass(5));
        operations.extend(rounds(1, 3));
    }
    let run = well(operations);
    assert!(run.faults >= 4, "{} faults met with something", run.faults);
}

/// Two parties compare their registers, and a third counts.
pub(super) fn count() -> List {
    let mut operations = vec![Op::Count {
        node: 0,
        with: vec![1],
        counter: true,
    }];
    operations.extend(rounds(2, 3));
    let (node, nth, agree) = (1, 0, true);
    operations.push(Op::Answer { node, nth, agree });
    operations.extend(rounds(8, 3));
    list(3, operations)
}

#[test]
fn registers_are_counted_among_three_keepers() {
    let run = well(count().operations);
    assert_eq!(done(&run, "count"), (1, 0), "{:?}", run.refusals);
    assert_eq!(done(&run, "answer"), (1, 0), "{:?}", run.refusals);
}

/// Members get new keys, one of them by another's word.
pub(super) fn rotate() -> List {
    let mut operations = Vec::new();
    for (node, by) in [(0, None), (1, Some(2)), (2, None)] {
        let all = true;
        operations.push(Op::Rotate { node, all, by });
        operations.extend(rounds(2, 3));
        operations.extend([claim(node, 1), Op::Push { node }]);
    }
    operations.extend(rounds(2, 3));
    list(3, operations)
}

#[test]
fn keepers_get_new_keys_and_go_on() {
    let run = well(rotate().operations);
    assert_eq!(done(&run, "rotate"), (3, 0), "{:?}", run.refusals);
}

/// A member is removed by the two others, and the rest goes on.
pub(super) fn remove() -> List {
    let mut operations = Vec::new();
    for node in [0, 1] {
        let (whom, agree) = (2, node > 0);
        operations.push(Op::Remove { node, whom, agree });
        operations.extend(rounds(2, 3));
    }
    operations.extend(rounds(2, 3));
    operations.extend([claim(0, 1)]);
    operations.extend(rounds(1, 3));
    list(1, operations)
}

#[test]
fn whoever_is_removed_reads_nothing_more() {
    let run = run_all(&[remove()], None).remove(0);
    assert_eq!(run.violation, None);
    assert_eq!(done(&run, "remove"), (2, 0), "{:?}", run.refusals);
}
