//! A node whose database is older than what was taken back: the log tells it again.

use super::{
    net::{Net, ask},
    people::{LIST, who},
};
use commonturf::{
    shares::{self, export},
    store::coalition::Phase,
};
use policy::FieldClass;
use protocol::entry::share::RevokeKind;

const ALLIES: [(&str, &str); 2] = [("Tenants United", "c4"), ("Clean Air Fund", "c3")];
const TO: [&str; 1] = ["Clean Air Fund"];
const FIELDS: [FieldClass; 2] = [FieldClass::Identity, FieldClass::Postal];

async fn tombstones(net: &Net, node: usize) -> i64 {
    let mut db = net.nodes[node].app.store.read("test").await.unwrap();
    sqlx::query_scalar("SELECT COUNT(*) FROM tombstone")
        .fetch_one(&mut *db)
        .await
        .unwrap()
}

async fn held(net: &Net, node: usize) -> u64 {
    let received = shares::view::received(&net.nodes[node].app).await;
    received.unwrap().iter().map(|share| share.held).sum()
}

#[tokio::test]
async fn a_restored_backup_erases_again_what_was_taken_back_and_must_join_anew_to_speak() {
    let mut net = Net::of(&ALLIES).await;
    net.nodes[0].add(&[who(0, &TO), who(1, &TO)]).await;
    net.settle().await;
    net.send(0, ask(&TO, &FIELDS), LIST).await;
    let backup = net.back_up(1).await;
    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    assert_eq!((held(&net, 1).await, tombstones(&net, 1).await), (1, 1));
    net.restore(1, &backup).await;
    assert_eq!((held(&net, 1).await, tombstones(&net, 1).await), (2, 0));
    net.settle().await;
    assert_eq!((held(&net, 1).await, tombstones(&net, 1).await), (1, 1));
    // Its own receipt, which it does not remember, ends what it can read.
    let guard = net.nodes[1].app.coalition.read().await;
    let row = &guard.as_ref().unwrap().row;
    assert_eq!(row.phase, Phase::Stopped);
    let why = row.stopped_because.clone().unwrap();
    assert!(
        why.contains("restored from a backup") && why.contains("join"),
        "{why}"
    );
    drop(guard);
    let refused = export::export(&net.nodes[1].app, None).await.unwrap_err();
    assert!(
        refused.0.detail.contains("taken back"),
        "{}",
        refused.0.detail
    );
}

#[tokio::test]
async fn a_backup_of_a_node_that_has_said_nothing_since_reads_on() {
    let mut net = Net::of(&ALLIES).await;
    net.nodes[0].add(&[who(0, &TO), who(1, &TO)]).await;
    net.settle().await;
    net.send(0, ask(&TO, &FIELDS), LIST).await;
    let backup = net.back_up(1).await;
    net.away(1, true);
    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    net.restore(1, &backup).await;
    net.away(1, false);
    net.settle().await;
    assert_eq!((held(&net, 1).await, tombstones(&net, 1).await), (1, 1));
    let receipts = shares::view::receipts(&net.nodes[0].app, false).await;
    assert_eq!(receipts.unwrap()[0].state, "erased");
}
