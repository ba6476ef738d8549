//! Shares, their recall, acknowledgements and receipts.

use super::world::World;
use protocol::{
    codec,
    entry::{
        payload::Payload,
        share::{
            ERASURE_PREFIX, ErasureReceipt, ErasureResult, ErasureStatement, NoticeAck, Revoke,
            RevokeKind, Share, ShareReceived,
        },
    },
    fold::Void,
    id::{EntryId, Hash},
    time::{DAY, HOUR, Moment},
};

fn shared() -> (World, EntryId) {
    let mut world = World::agreed(3, 0);
    let share = world.done(1, world.share(2, 10));
    (world, share)
}

fn revoke(share: EntryId, kind: RevokeKind, count: u64) -> Revoke {
    Revoke {
        share,
        kind,
        count,
        row_refs: Payload::Inline(b"sealed".to_vec()),
    }
}

fn noticed() -> (World, EntryId, EntryId) {
    let (mut world, share) = shared();
    let notice = world.done(1, revoke(share, RevokeKind::Withdrawal, 4));
    (world, share, notice)
}

fn statement(world: &World, n: usize, notice: EntryId, share: EntryId) -> ErasureStatement {
    ErasureStatement {
        node: world.id(n),
        notice,
        share,
        result: ErasureResult::Erased,
        erased: 4,
        completed_at: Moment(5),
        backups_expire_by: Moment(6),
    }
}

fn receipt(world: &World, signer: usize, statement: &ErasureStatement) -> ErasureReceipt {
    let statement = codec::encode(statement);
    let signature = world.actors[signer].states(&[ERASURE_PREFIX, &statement].concat());
    ErasureReceipt {
        statement,
        signature,
    }
}

#[test]
fn a_share_goes_from_one_party_to_another_under_the_agreement_in_force() {
    let mut world = World::agreed(4, 1);
    let base = world.share(2, 10);
    let with = |change: &dyn Fn(&mut Share)| {
        let mut share = base.clone();
        change(&mut share);
        share
    };
    let (me, stranger) = (world.id(1), world.id(3));
    let other = with(&|s| s.agreement = Hash::of(b"other"));
    assert_eq!(world.void(1, other), Void::Agreement);
    assert!(matches!(
        world.void(1, with(&|s| s.to = me)),
        Void::NotAllowed(_)
    ));
    assert!(matches!(
        world.void(1, with(&|s| s.to = stranger)),
        Void::NotAllowed(_)
    ));
    assert!(matches!(
        world.void(1, with(&|s| s.count = 0)),
        Void::Bounds(_)
    ));
    assert!(matches!(
        world.void(1, with(&|s| s.count = 1_000_001)),
        Void::Bounds(_)
    ));
    assert_eq!(
        world.void(1, with(&|s| s.purpose = "spam".to_owned())),
        Void::Unknown("the purpose")
    );
    for fields in [
        vec![],
        vec!["phone", "identity"],
        vec!["phone", "phone"],
        vec!["diary"],
    ] {
        let fields: Vec<String> = fields.into_iter().map(str::to_owned).collect();
        let share = with(&|s| s.fields.clone_from(&fields));
        assert_eq!(world.void(1, share), Void::Unknown("the field classes"));
    }
    world.comes_in(3);
    assert!(
        matches!(world.void(3, base.clone()), Void::NotAllowed(_)),
        "no party yet"
    );
    world.done(1, base);
    let mut none = World::joined(3, 0);
    assert_eq!(none.void(1, none.share(2, 10)), Void::Agreement);
}

#[test]
fn the_recipient_answers_once_and_not_for_more_than_was_sent() {
    let (mut world, share) = shared();
    let received = |accepted, dropped| ShareReceived {
        share,
        accepted,
        dropped,
    };
    assert!(matches!(
        world.void(1, received(10, 0)),
        Void::NotAllowed(_)
    ));
    assert!(matches!(
        world.void(0, received(10, 0)),
        Void::NotAllowed(_)
    ));
    assert!(matches!(world.void(2, received(10, 1)), Void::Bounds(_)));
    assert!(matches!(
        world.void(2, received(u64::MAX, u64::MAX)),
        Void::Bounds(_)
    ));
    let unknown = ShareReceived {
        share: EntryId([9; 16]),
        accepted: 1,
        dropped: 0,
    };
    assert_eq!(world.void(2, unknown), Void::Unknown("the share"));
    world.done(2, received(7, 3));
    assert_eq!(world.void(2, received(7, 3)), Void::Repeated);
}

#[test]
fn the_sender_takes_back_what_it_shared_and_nobody_else_does() {
    let (mut world, share) = shared();
    let all = |count| revoke(share, RevokeKind::Recall, count);
    assert!(matches!(world.void(2, all(10)), Void::NotAllowed(_)));
    assert!(matches!(world.void(0, all(10)), Void::NotAllowed(_)));
    assert!(matches!(world.void(1, all(0)), Void::Bounds(_)));
    assert!(matches!(world.void(1, all(11)), Void::Bounds(_)));
    let unknown = revoke(EntryId([9; 16]), RevokeKind::Recall, 1);
    assert_eq!(world.void(1, unknown), Void::Unknown("the share"));
    world.done(1, all(10));
}

#[test]
fn deadlines_follow_the_kind_and_the_agreement_in_log_time() {
    let (mut world, share) = shared();
    let now = world.now; // a Monday
    for (kind, due) in [
        (RevokeKind::Withdrawal, 14 * DAY),
        (RevokeKind::Objection, 14 * DAY),
        (RevokeKind::Erasure, 30 * DAY),
        (RevokeKind::Recall, 30 * DAY),
    ] {
        let notice = world.done(1, revoke(share, kind, 1));
        let row = world.state.notices.get(&notice).unwrap();
        assert_eq!(
            (row.ack_due, row.due),
            (now.plus(24 * HOUR), now.plus(due)),
            "{kind:?}"
        );
        assert_eq!((row.from, row.to), (world.id(1), world.id(2)));
    }
}

#[test]
fn a_new_agreement_is_no_obstacle_to_recall() {
    let (mut world, share) = shared();
    let mut draft = world.draft();
    draft.terms = draft.terms.replace("min_cell = 10", "min_cell = 12");
    world.done(0, super::world::proposal(&draft));
    for n in 0..3 {
        let sign = world.signature(n, draft.hash());
        world.done(n, sign);
    }
    world.done(1, revoke(share, RevokeKind::Objection, 1));
}

#[test]
fn the_recipient_alone_acknowledges_and_once() {
    let (mut world, share, notice) = noticed();
    assert!(matches!(
        world.void(1, NoticeAck { notice }),
        Void::NotAllowed(_)
    ));
    assert_eq!(
        world.void(2, NoticeAck { notice: share }),
        Void::Unknown("the notice")
    );
    world.wait(HOUR);
    world.done(2, NoticeAck { notice });
    assert_eq!(
        world.state.notices.get(&notice).unwrap().acknowledged,
        Some(world.now)
    );
    assert_eq!(world.void(2, NoticeAck { notice }), Void::Repeated);
}

#[test]
fn a_receipt_is_the_recipients_signed_word_about_its_own_notice() {
    let (mut world, share, notice) = noticed();
    let good = statement(&world, 2, notice, share);
    let refuse = |world: &mut World, signer: usize, change: &dyn Fn(&mut ErasureStatement)| {
        let mut statement = good.clone();
        change(&mut statement);
        let entry = receipt(world, signer, &statement);
        world.void(2, entry)
    };
    let sender = world.id(1);
    assert!(matches!(
        refuse(&mut world, 2, &|s| s.node = sender),
        Void::NotAllowed(_)
    ));
    assert!(matches!(
        refuse(&mut world, 2, &|s| s.share = notice),
        Void::NotAllowed(_)
    ));
    assert_eq!(
        refuse(&mut world, 2, &|s| s.notice = share),
        Void::Unknown("the notice")
    );
    assert!(matches!(
        refuse(&mut world, 2, &|s| s.erased = 5),
        Void::Bounds(_)
    ));
    assert!(matches!(refuse(&mut world, 1, &|_| ()), Void::Signature(_)));
    let mut changed = receipt(&world, 2, &good);
    changed.signature[0] ^= 1;
    assert!(matches!(world.void(2, changed), Void::Signature(_)));
    let mut cut = receipt(&world, 2, &good);
    cut.statement.pop();
    assert!(matches!(world.void(2, cut), Void::Entry(_)));
    let entry = receipt(&world, 2, &good);
    assert!(matches!(world.void(1, entry.clone()), Void::NotAllowed(_)));
    world.done(2, entry.clone());
    let row = world.state.notices.get(&notice).unwrap();
    assert_eq!(row.acknowledged, Some(world.now), "who erased has stopped");
    assert_eq!(row.receipt.as_ref().unwrap().erased, 4);
    assert_eq!(world.void(2, entry), Void::Repeated);
}

#[test]
fn nobody_puts_an_own_row_in_the_place_of_anothers_share_or_notice() {
    let (mut world, share, notice) = noticed();
    let seen: Vec<u64> = world
        .state
        .seen
        .iter()
        .map(|(position, _)| *position)
        .collect();
    for position in seen {
        world.state.seen.remove(&position);
    }
    for id in [share, notice] {
        let entry = world.share(1, 3).into();
        let header = world.header(0, id, &entry);
        let said = world.next(
            0,
            id,
            header,
            super::world::Inside::Entry(Box::new(entry), None),
        );
        assert_eq!(world.fold(said), Err(Void::Repeated));
    }
    assert_eq!(world.state.shares.get(&share).unwrap().from, world.id(1));
}
