//! Nodes whose state was lost, restored or stopped come back into the group before they speak.

use super::{ANN, ask, claim, of, phase, say};
use crate::support::{coalition::Coalition, people::put};
use commonturf::{
    app::App,
    claims::{show, walk_list},
    coalition::parting,
    store::{self, coalition::Phase, outbox::Progress},
    sync::{fold, outbox},
};
use protocol::{entry::housekeeping::Tick, id::EntryId, time::HOUR};

async fn progress(app: &App, entry: EntryId) -> Progress {
    let mut db = app.store.read("test").await.unwrap();
    let row = store::outbox::find(&mut db, entry).await.unwrap();
    row.unwrap().progress
}

/// When allies saw a member come back last.
async fn returned(coalition: &Coalition, n: usize) -> Option<u64> {
    let state = coalition.state().await;
    let member = state.active(coalition.id(n)).unwrap();
    member.returned.map(|returned| returned.position)
}

#[tokio::test]
async fn a_restored_node_comes_back_speaks_again_and_allies_see_it() {
    let mut coalition = of(3).await;
    let backup = coalition.back_up(1).await;
    say(&coalition, 1).await;
    coalition.restore(1, &backup).await;
    coalition.settle().await;
    assert_eq!(phase(coalition.node(1)).await, Phase::Active);
    assert!(returned(&coalition, 1).await.is_some());
    let entry = say(&coalition, 1).await;
    assert_eq!(progress(coalition.node(1), entry).await, Progress::Done);
    say(&coalition, 2).await;
    coalition.state().await;
}

#[tokio::test]
async fn a_node_on_its_way_back_seals_nothing_and_hands_out_no_list() {
    let mut coalition = of(3).await;
    let claim = claim(&coalition, 1).await;
    let backup = coalition.back_up(1).await;
    say(&coalition, 1).await;
    coalition.restore(1, &backup).await;
    assert!(coalition.try_read(1).await.is_err());
    let app = coalition.node(1).clone();
    assert_eq!(phase(&app).await, Phase::Returning);
    coalition.away(1, true);
    let mut tx = app.store.write("test").await.unwrap();
    let entry = outbox::queue(&app, &mut tx, Tick {}.into(), None)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    coalition.settle().await;
    assert_eq!(progress(&app, entry).await, Progress::Queued);
    let refused = walk_list::make(&app, &claim.to_string()).await;
    assert!(refused.unwrap_err().0.detail.contains("way back"));
    coalition.away(1, false);
    coalition.settle().await;
    assert_eq!(phase(&app).await, Phase::Active);
    walk_list::make(&app, &claim.to_string()).await.unwrap();
    // It was said once it was in; only a keeper ticks.
    assert_eq!(progress(&app, entry).await, Progress::Void);
}

#[tokio::test]
async fn a_claim_that_was_asked_for_before_the_copy_is_decided_after_the_return() {
    let mut coalition = of(3).await;
    put(coalition.node(1), "ours", &[ANN]).await;
    coalition.settle().await;
    coalition.away(1, true);
    let claim = ask(&coalition, 1).await;
    let backup = coalition.back_up(1).await;
    coalition.away(1, false);
    coalition.settle().await;
    say(&coalition, 1).await;
    coalition.restore(1, &backup).await;
    coalition.settle().await;
    let whole = show::whole(coalition.node(1), &claim.to_string(), 10).await;
    assert_eq!(whole.unwrap().states.get("granted"), Some(&1));
    assert_eq!(coalition.state().await.claims.len(), 1);
}

#[tokio::test]
async fn two_nodes_that_were_restored_come_back_one_after_the_other() {
    let mut coalition = of(3).await;
    let backups = [coalition.back_up(1).await, coalition.back_up(2).await];
    say(&coalition, 1).await;
    say(&coalition, 2).await;
    coalition.restore(1, &backups[0]).await;
    coalition.restore(2, &backups[1]).await;
    for _ in 0..4 {
        coalition.settle().await;
        coalition.pass(60_000).await;
    }
    for n in [1, 2] {
        assert_eq!(phase(coalition.node(n)).await, Phase::Active, "node {n}");
        assert!(returned(&coalition, n).await.is_some());
    }
}

#[tokio::test]
async fn a_node_that_is_restored_again_within_the_hour_waits_until_it_is_over() {
    let mut coalition = of(3).await;
    let backup = coalition.back_up(1).await;
    say(&coalition, 1).await;
    coalition.restore(1, &backup).await;
    coalition.settle().await;
    let first = returned(&coalition, 1).await;
    coalition.restore(1, &backup).await;
    coalition.settle().await;
    assert_eq!(phase(coalition.node(1)).await, Phase::Returning);
    coalition.pass(HOUR).await;
    say(&coalition, 2).await;
    coalition.settle().await;
    assert_eq!(phase(coalition.node(1)).await, Phase::Active);
    assert!(returned(&coalition, 1).await > first);
}

#[tokio::test]
async fn a_person_brings_a_node_back_that_had_stopped() {
    let coalition = of(3).await;
    let app = coalition.node(1);
    assert!(parting::come_back(app).await.is_err(), "it has not stopped");
    fold::set_phase(app, Phase::Stopped, Some("a fault"))
        .await
        .unwrap();
    say(&coalition, 2).await;
    assert_eq!(phase(app).await, Phase::Stopped);
    parting::come_back(app).await.unwrap();
    coalition.settle().await;
    assert_eq!(phase(app).await, Phase::Active);
    say(&coalition, 1).await;
    coalition.state().await;
}

#[tokio::test]
async fn proof_of_two_histories_is_shown_first() {
    let coalition = of(3).await;
    let app = coalition.node(1);
    let mut tx = app.store.write("test").await.unwrap();
    let fork = store::proof::Fork {
        why: "E_LOG_FORK".to_owned(),
        shown: String::new(),
        known: None,
        at: 0,
    };
    store::proof::put_fork(&mut tx, &fork).await.unwrap();
    tx.commit().await.unwrap();
    fold::set_phase(app, Phase::Stopped, Some("E_LOG_FORK"))
        .await
        .unwrap();
    let refused = parting::come_back(app).await.unwrap_err();
    assert!(refused.0.detail.contains("two histories"));
}

#[tokio::test]
async fn the_only_keeper_is_handed_the_group_by_nobody() {
    let mut coalition = of(3).await;
    let app = coalition.node(0).clone();
    fold::set_phase(&app, Phase::Returning, Some("a fault"))
        .await
        .unwrap();
    assert!(commonturf::jobs::come_back::run(&app).await.is_err());
    coalition.restart(0).await;
    assert_eq!(phase(coalition.node(0)).await, Phase::Returning);
}
