//! Leaving and removal: what ends, who reads what, and what a member that has gone still has.

use super::{claim, of, phase};
use commonturf::{
    app::App,
    coalition::parting,
    shares::export,
    store::{self, coalition::Phase, outbox::Progress},
    sync::{append, outbox},
};
use protocol::{
    chain::{AppendResult, Sealed},
    entry::{housekeeping::Tick, parting::Leave},
};

/// Whether a keeper still answers a member.
async fn is_answered(app: &App) -> bool {
    let keeper = {
        let guard = app.coalition.read().await;
        commonturf::sync::keeper_client::Keeper::of(app, guard.as_ref().unwrap())
    };
    let position = app
        .coalition
        .read()
        .await
        .as_ref()
        .unwrap()
        .state
        .meta()
        .head
        .position;
    keeper.page(app, position, 0).await.is_ok()
}

#[tokio::test]
async fn a_removal_needs_the_agreed_share_of_those_who_stay_and_then_takes_effect_at_once() {
    let coalition = of(4).await;
    claim(&coalition, 3).await;
    let why = "it sold a list";
    let preview = parting::remove(coalition.node(1), "River Watch", Some(why), true).await;
    let preview = preview.unwrap();
    assert_eq!((preview.agree, preview.needed, preview.claims), (0, 3, 1));
    assert!(preview.entry.is_none());
    for n in [1, 2] {
        let reason = (n == 1).then_some(why);
        parting::remove(coalition.node(n), "River Watch", reason, false)
            .await
            .unwrap();
        coalition.settle().await;
        assert!(coalition.state().await.active(coalition.id(3)).is_some());
    }
    parting::remove(coalition.node(0), "River Watch", None, false)
        .await
        .unwrap();
    coalition.settle().await;
    let state = coalition.state().await;
    assert!(state.active(coalition.id(3)).is_none());
    assert!(state.claims.is_empty());
    // The agreement stays in force among those who stayed: nobody is locked out.
    assert!(state.agreement().is_some());
    claim(&coalition, 1).await;
    assert_eq!(coalition.state().await.claims.len(), 1);
    // The removed node has read of its removal, says so, and reads nothing more.
    let gone = coalition.node(3);
    assert_eq!(phase(gone).await, Phase::Gone);
    assert!(!is_answered(gone).await);
    assert!(is_answered(coalition.node(2)).await);
    assert!(export::export(gone, None).await.is_err());
    let mut db = gone.store.read("test").await.unwrap();
    let people: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM person")
        .fetch_one(&mut *db)
        .await
        .unwrap();
    let keys: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM mls_state")
        .fetch_one(&mut *db)
        .await
        .unwrap();
    assert_eq!(
        (people, keys),
        (1, 0),
        "its lists stay, the group's keys do not"
    );
}

#[tokio::test]
async fn what_a_removed_member_still_had_to_say_is_not_said() {
    let coalition = of(4).await;
    let app = coalition.node(3).clone();
    coalition.away(3, true);
    let mut tx = app.store.write("test").await.unwrap();
    let late = outbox::queue(&app, &mut tx, Leave {}.into(), None)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    parting::remove(
        coalition.node(1),
        "River Watch",
        Some("it sold a list"),
        false,
    )
    .await
    .unwrap();
    coalition.settle().await;
    for n in [0, 2] {
        parting::remove(coalition.node(n), "River Watch", None, false)
            .await
            .unwrap();
    }
    coalition.settle().await;
    coalition.away(3, false);
    coalition.settle().await;
    assert_eq!(phase(&app).await, Phase::Gone);
    let mut db = app.store.read("test").await.unwrap();
    let row = store::outbox::find(&mut db, late).await.unwrap().unwrap();
    assert_eq!(row.progress, Progress::Void);
    drop(db);
    let member = coalition.state().await;
    assert!(member.members.get(&app.me).unwrap().leaving.is_none());
}

#[tokio::test]
async fn what_a_removed_member_sealed_before_is_void_when_it_is_ordered_after() {
    let coalition = of(4).await;
    let app = coalition.node(3).clone();
    coalition.away(3, true);
    let mut tx = app.store.write("test").await.unwrap();
    let late = outbox::queue(&app, &mut tx, Leave {}.into(), None)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(append::step(&app).await.is_err(), "sealed and not sent");
    let mut db = app.store.read("test").await.unwrap();
    let row = store::outbox::find(&mut db, late).await.unwrap().unwrap();
    drop(db);
    for n in [1, 0, 2] {
        let reason = (n == 1).then_some("it sold a list");
        parting::remove(coalition.node(n), "River Watch", reason, false)
            .await
            .unwrap();
        coalition.settle().await;
    }
    // A keeper that had not folded the removal yet would have ordered it.
    let sealed = vec![Sealed(row.envelope.unwrap())];
    let keeper = coalition.node(0);
    let answer = commonturf::keeper::log::append(keeper, app.me, sealed)
        .await
        .unwrap();
    let AppendResult::Ordered { position, .. } = answer.results[0] else {
        panic!("{answer:?}")
    };
    coalition.settle().await;
    let mut db = coalition.node(1).store.read("test").await.unwrap();
    let lines = store::history::latest(&mut db, 10).await.unwrap();
    let line = lines
        .iter()
        .find(|line| line.position.unsigned_abs() == position);
    assert!(line.unwrap().void.is_some());
    drop(db);
    coalition.away(3, false);
    coalition.settle().await;
    coalition.state().await;
}

#[tokio::test]
async fn leaving_ends_the_membership_by_another_members_commit() {
    let coalition = of(4).await;
    let app = coalition.node(2).clone();
    let preview = parting::leave(&app, true, true).await.unwrap();
    assert!(preview.dry_run && preview.entry.is_none());
    coalition.settle().await;
    assert_eq!(phase(&app).await, Phase::Active);
    let left = parting::leave(&app, true, false).await.unwrap();
    assert!(left.entry.is_some(), "nobody owes it anything");
    coalition.settle().await;
    assert_eq!(phase(&app).await, Phase::Gone);
    let guard = app.coalition.read().await;
    let because = guard.as_ref().unwrap().row.stopped_because.clone().unwrap();
    assert!(because.contains("has left"), "{because}");
    drop(guard);
    assert!(coalition.state().await.active(app.me).is_none());
    // It stays so after a restart.
    let mut coalition = coalition;
    coalition.restart(2).await;
    assert_eq!(phase(coalition.node(2)).await, Phase::Gone);
    coalition.settle().await;
}

#[tokio::test]
async fn the_only_keeper_cannot_leave_and_nobody_removes_itself() {
    let coalition = of(4).await;
    let refused = parting::leave(coalition.node(0), false, false).await;
    assert!(refused.unwrap_err().0.detail.contains("keeps the log"));
    let refused = parting::remove(coalition.node(1), "Green Table", Some("why"), false).await;
    assert!(refused.unwrap_err().0.detail.contains("leave"));
    let refused = parting::remove(coalition.node(1), "River Watch", None, false).await;
    assert!(
        refused
            .unwrap_err()
            .0
            .detail
            .contains("nobody has proposed")
    );
    let mut tx = coalition.node(1).store.write("test").await.unwrap();
    let tick = outbox::queue(coalition.node(1), &mut tx, Tick {}.into(), None).await;
    tx.commit().await.unwrap();
    coalition.settle().await;
    let mut db = coalition.node(1).store.read("test").await.unwrap();
    let row = store::outbox::find(&mut db, tick.unwrap()).await.unwrap();
    assert_eq!(row.unwrap().progress, Progress::Void);
}
