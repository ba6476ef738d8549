//! Receipts that list notices given in turn, the end of a rest, and flows that disputes suspend.

use super::{
    recall::{Change, receipt, revoke, shared, statement},
    world::World,
};
use protocol::{
    entry::{
        recall::{Dispute, DisputeCode},
        share::{ErasureResult, ErasureStatement, Onward, RevokeKind},
    },
    fold::Void,
    id::Hash,
    time::HOUR,
};

#[test]
fn a_receipt_lists_the_notices_that_its_author_gave_in_turn() {
    let mut world = World::agreed(4, 0);
    let share = world.done(1, world.share(2, 10));
    let onward = world.done(2, world.share(3, 5));
    let notice = world.done(1, revoke(share, RevokeKind::Erasure, 4));
    let next = world.done(2, revoke(onward, RevokeKind::Erasure, 3));
    let listed = |to, notice, receipt| Onward {
        to,
        notice,
        receipt,
    };
    let (sender, third) = (world.id(1), world.id(3));
    let said = |world: &World, change: &dyn Fn(&mut ErasureStatement)| {
        let mut said = statement(world, 2, notice, share);
        said.onward = vec![listed(third, Some(next), None)];
        change(&mut said);
        receipt(world, 2, &said)
    };
    let place = world.state.notices.get(&notice).unwrap().position;
    let refused: [Change; 7] = [
        Box::new(move |s| s.notice_position = place + 1),
        Box::new(|s| s.notice_hash = Hash::of(b"another")),
        Box::new(move |s| s.onward = vec![listed(sender, Some(next), None)]),
        Box::new(move |s| s.onward = vec![listed(third, Some(notice), None)]),
        Box::new(move |s| s.onward = vec![listed(third, Some(next), Some(Hash::of(b"")))]),
        Box::new(move |s| s.onward = vec![listed(third, None, Some(Hash::of(b"")))]),
        Box::new(move |s| s.onward = vec![listed(third, Some(next), None); 2]),
    ];
    for (n, change) in refused.iter().enumerate() {
        let entry = said(&world, change.as_ref());
        let void = world.void(2, entry);
        assert!(
            void.to_string().starts_with("E_RECEIPT_INVALID"),
            "{n}: {void}"
        );
    }
    // The next one answers first: then its answer is named, or left pending.
    let mut answer = statement(&world, 3, next, onward);
    answer.erased = 3;
    let answer = receipt(&world, 3, &answer);
    let hash = Hash::of(&answer.statement);
    world.done(3, answer);
    let good = said(&world, &|s| s.onward[0].receipt = Some(hash));
    world.done(2, good);
    let row = world.state.notices.get(&notice).unwrap();
    let onward = &row.receipt.as_ref().unwrap().onward;
    assert_eq!(onward, &[listed(third, Some(next), Some(hash))]);
}

#[test]
fn only_a_lift_is_answered_by_lifted() {
    let (mut world, share) = shared();
    let lift = world.done(1, revoke(share, RevokeKind::Lift, 4));
    let restrict = world.done(1, revoke(share, RevokeKind::Restriction, 4));
    let with = |world: &World, notice, result| {
        let mut said = statement(world, 2, notice, share);
        said.result = result;
        receipt(world, 2, &said)
    };
    for (notice, result) in [
        (lift, ErasureResult::Erased),
        (lift, ErasureResult::Restricted),
        (restrict, ErasureResult::Lifted),
    ] {
        let entry = with(&world, notice, result);
        assert!(matches!(world.void(2, entry), Void::Receipt(_)));
    }
    let good = with(&world, lift, ErasureResult::Lifted);
    world.done(2, good);
}

#[test]
fn two_open_disputes_over_too_much_suspend_one_sender_at_one_recipient() {
    let mut world = World::agreed(4, 0);
    let disputed = |world: &mut World, by: usize, code| {
        let share = world.done(1, world.share(by, 10));
        let dispute = |count| Dispute { share, code, count };
        world.done(by, dispute(2));
        dispute(0)
    };
    let (over, again) = (DisputeCode::Overshare, DisputeCode::ErasedResurfaced);
    let first = disputed(&mut world, 2, over);
    disputed(&mut world, 2, again);
    disputed(&mut world, 3, over);
    assert!(world.state.suspended_flows(world.now).is_empty());
    let before = world.now;
    world.wait(HOUR);
    disputed(&mut world, 2, over);
    let pair = (world.id(1), world.id(2));
    let suspended = world.state.suspended_flows(world.now);
    assert_eq!(suspended.into_iter().collect::<Vec<_>>(), [pair]);
    assert!(
        world.state.suspended_flows(before).is_empty(),
        "as it stood then"
    );
    world.wait(HOUR);
    let then = world.now;
    world.wait(HOUR);
    world.done(2, first);
    assert!(world.state.suspended_flows(world.now).is_empty());
    assert!(world.state.suspended_flows(then).contains(&pair));
}
