//! Shares, their recall, acknowledgements and receipts.

use super::world::World;
use protocol::{
    codec,
    entry::{
        payload::Payload,
        recall::{Dispute, DisputeCode, ExceptionKind, NoticeException},
        share::{
            ERASURE_PREFIX, ErasureReceipt, ErasureResult, ErasureStatement, NoticeAck, Retained,
            Revoke, RevokeKind, Share, ShareReceived,
        },
    },
    fold::Void,
    id::{EntryId, Hash},
    state::rows::DisputeKey,
    time::{DAY, HOUR, Moment},
};

pub(super) fn shared() -> (World, EntryId) {
    let mut world = World::agreed(3, 0);
    let share = world.done(1, world.share(2, 10));
    (world, share)
}

pub(super) fn revoke(share: EntryId, kind: RevokeKind, count: u64) -> Revoke {
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

pub(super) fn statement(
    world: &World,
    n: usize,
    notice: EntryId,
    share: EntryId,
) -> ErasureStatement {
    let known = world.state.notices.get(&notice);
    ErasureStatement {
        node: world.id(n),
        notice,
        share,
        result: ErasureResult::Erased,
        erased: 4,
        completed_at: Moment(5),
        backups_expire_by: Moment(6),
        retained: Vec::new(),
        suppression_kept: true,
        notice_position: known.map_or(0, |known| known.position),
        notice_hash: known.map_or(Hash([0; 32]), |known| known.hash),
        onward: Vec::new(),
    }
}

pub(super) fn receipt(
    world: &World,
    signer: usize,
    statement: &ErasureStatement,
) -> ErasureReceipt {
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
        (RevokeKind::Restriction, 30 * DAY),
        (RevokeKind::Rectification, 30 * DAY),
        (RevokeKind::Lift, 30 * DAY),
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
        Void::Receipt(_)
    ));
    assert!(matches!(
        refuse(&mut world, 2, &|s| s.share = notice),
        Void::Receipt(_)
    ));
    assert_eq!(
        refuse(&mut world, 2, &|s| s.notice = share),
        Void::Receipt("no notice before it has this id")
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
    assert!(matches!(world.void(1, entry.clone()), Void::Receipt(_)));
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

/// Makes another statement of a good one.
pub(super) type Change = Box<dyn Fn(&mut ErasureStatement)>;

fn kept(class: &str) -> Retained {
    Retained {
        class: class.to_owned(),
        ground: "accounts are kept for seven years".to_owned(),
        until: Moment(7),
    }
}

#[test]
fn a_receipt_answers_what_was_asked_and_names_what_is_kept_and_why() {
    let (mut world, share) = shared();
    let erase = world.done(1, revoke(share, RevokeKind::Erasure, 4));
    let restrict = world.done(1, revoke(share, RevokeKind::Restriction, 4));
    let rectify = world.done(1, revoke(share, RevokeKind::Rectification, 4));
    let with = |world: &World, notice, change: &dyn Fn(&mut ErasureStatement)| {
        let mut statement = statement(world, 2, notice, share);
        change(&mut statement);
        receipt(world, 2, &statement)
    };
    let partly = |retained: Vec<Retained>| {
        move |s: &mut ErasureStatement| {
            s.result = ErasureResult::PartlyRetained;
            s.retained.clone_from(&retained);
        }
    };
    let without = |change: &dyn Fn(&mut Retained)| {
        let mut one = kept("identity");
        change(&mut one);
        partly(vec![one])
    };
    let refused: [(EntryId, Change); 13] = [
        (erase, Box::new(|s| s.result = ErasureResult::Restricted)),
        (erase, Box::new(|s| s.result = ErasureResult::Rectified)),
        (rectify, Box::new(|s| s.result = ErasureResult::Restricted)),
        (restrict, Box::new(partly(vec![kept("identity")]))),
        (erase, Box::new(|s| s.erased = 0)),
        (erase, Box::new(|s| s.result = ErasureResult::NotFound)),
        (erase, Box::new(partly(Vec::new()))),
        (erase, Box::new(|s| s.retained = vec![kept("identity")])),
        (
            erase,
            Box::new(partly(vec![kept("phone"), kept("identity")])),
        ),
        (erase, Box::new(without(&|kept| kept.ground.clear()))),
        (
            erase,
            Box::new(without(&|kept| kept.ground = "two\nlines".to_owned())),
        ),
        (erase, Box::new(without(&|kept| kept.until = Moment(5)))),
        (
            erase,
            Box::new(without(&|kept| kept.class = "diary".to_owned())),
        ),
    ];
    for (n, (notice, change)) in refused.iter().enumerate() {
        let entry = with(&world, *notice, change);
        let void = world.void(2, entry);
        assert!(
            void.to_string().starts_with("E_RECEIPT_INVALID"),
            "{n}: {void}"
        );
    }
    let good = with(
        &world,
        erase,
        &partly(vec![kept("engagement"), kept("identity")]),
    );
    world.done(2, good);
    let good = with(&world, restrict, &|s| s.result = ErasureResult::Restricted);
    world.done(2, good);
    let good = with(&world, rectify, &|s| s.result = ErasureResult::Rectified);
    world.done(2, good);
    let row = world.state.notices.get(&erase).unwrap();
    let said = row.receipt.as_ref().unwrap();
    assert_eq!((said.retained.len(), said.suppression_kept), (2, true));
}

#[test]
fn a_receipt_that_comes_before_its_notice_is_void() {
    let (mut world, share) = shared();
    let early = statement(&world, 2, EntryId([9; 16]), share);
    let early = receipt(&world, 2, &early);
    let void = world.void(2, early);
    assert!(void.to_string().contains("E_RECEIPT_INVALID"));
}

#[test]
fn an_exception_ends_the_wait_for_a_receipt_and_only_the_sender_makes_it() {
    let (mut world, share, notice) = noticed();
    let exception = NoticeException {
        notice,
        kind: ExceptionKind::Impossible,
        reason: "the organization has dissolved".to_owned(),
        approver: "Ada Quill".to_owned(),
    };
    let with = |change: &dyn Fn(&mut NoticeException)| {
        let mut exception = exception.clone();
        change(&mut exception);
        exception
    };
    world.wait(2 * DAY);
    let overdue = |world: &World| {
        let row = world.state.notices.get(&notice).unwrap();
        row.is_overdue(world.now)
    };
    assert!(overdue(&world));
    for author in [0, 2] {
        let void = world.void(author, exception.clone());
        assert!(matches!(void, Void::NotAllowed(_)));
    }
    assert_eq!(
        world.void(1, with(&|e| e.notice = share)),
        Void::Unknown("the notice")
    );
    for reason in ["", "two\nlines", "turned\u{202e}round", &"x".repeat(501)] {
        let void = world.void(1, with(&|e| e.reason = reason.to_owned()));
        assert!(matches!(void, Void::Bounds(_)), "{reason:?}");
    }
    for approver in ["", "Ada\tQuill", &"x".repeat(121)] {
        let void = world.void(1, with(&|e| e.approver = approver.to_owned()));
        assert!(matches!(void, Void::Bounds(_)), "{approver:?}");
    }
    world.done(1, exception.clone());
    assert!(!overdue(&world));
    assert_eq!(world.void(1, exception.clone()), Void::Repeated);
    // A receipt may still come, and then there is nothing to except.
    let said = statement(&world, 2, notice, share);
    let said = receipt(&world, 2, &said);
    world.done(2, said);
    assert_eq!(world.void(1, exception), Void::Repeated);
}

#[test]
fn a_recipient_disputes_its_own_shares_once_and_settles_them() {
    let (mut world, share) = shared();
    let dispute = |count| Dispute {
        share,
        code: DisputeCode::ErasedResurfaced,
        count,
    };
    for author in [0, 1] {
        assert!(matches!(
            world.void(author, dispute(1)),
            Void::NotAllowed(_)
        ));
    }
    assert!(matches!(world.void(2, dispute(11)), Void::Bounds(_)));
    assert_eq!(world.void(2, dispute(0)), Void::Unknown("the dispute"));
    let unknown = Dispute {
        share: EntryId([9; 16]),
        ..dispute(1)
    };
    assert_eq!(world.void(2, unknown), Void::Unknown("the share"));
    world.done(2, dispute(3));
    assert_eq!(world.void(2, dispute(2)), Void::Repeated);
    let key = DisputeKey {
        share,
        code: DisputeCode::ErasedResurfaced,
    };
    let row = *world.state.disputes.get(&key).unwrap();
    assert_eq!((row.from, row.by, row.count), (world.id(1), world.id(2), 3));
    let other = Dispute {
        code: DisputeCode::Overshare,
        ..dispute(10)
    };
    world.done(2, other);
    world.done(2, dispute(0));
    let row = world.state.disputes.get(&key).unwrap();
    assert_eq!((row.count, row.settled), (3, Some(world.now)));
    assert_eq!(world.void(2, dispute(0)), Void::Repeated);
    assert_eq!(world.void(2, dispute(3)), Void::Repeated);
}

#[test]
fn a_receipt_whose_backups_outlive_the_agreement_is_void() {
    let (mut world, share, notice) = noticed();
    let mut said = statement(&world, 2, notice, share);
    // 35 days by this agreement.
    said.backups_expire_by = said.completed_at.plus(35 * DAY + 1);
    let long = receipt(&world, 2, &said);
    let void = Void::Receipt("backups hold the rows for too long");
    assert_eq!(world.void(2, long), void);
    said.backups_expire_by = said.completed_at.plus(35 * DAY);
    let good = receipt(&world, 2, &said);
    world.done(2, good);
}
