//! A node whose database is older than what was taken back: the log tells it again.

use super::{
    net::{Net, ask},
    people::{LIST, who},
};
use commonturf::{shares, store::coalition::Phase};
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
async fn a_restored_backup_erases_again_what_was_taken_back_and_comes_back_before_it_speaks() {
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
    // Its own receipt, which it does not remember, ended what it could read: it came back.
    let guard = net.nodes[1].app.coalition.read().await;
    let coalition = guard.as_ref().unwrap();
    assert_eq!(coalition.row.phase, Phase::Active);
    let me = coalition.state.active(net.id(1)).unwrap();
    assert!(me.returned.is_some(), "allies see that it came back");
    drop(guard);
    net.state().await;
}

#[tokio::test]
async fn what_was_shared_and_taken_back_after_the_stop_comes_with_the_state() {
    let mut net = Net::of(&ALLIES).await;
    net.nodes[0].add(&[who(0, &TO), who(1, &TO)]).await;
    net.settle().await;
    let backup = net.back_up(1).await;
    // A receipt of the first share stops the restored node; all that follows it cannot read.
    net.send(0, ask(&TO, &FIELDS), LIST).await;
    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    net.nodes[0].add(&[who(2, &TO)]).await;
    net.hours(1).await;
    net.send(0, ask(&TO, &FIELDS), LIST).await;
    let before = (held(&net, 1).await, tombstones(&net, 1).await);
    net.restore(1, &backup).await;
    net.settle().await;
    assert_eq!((held(&net, 1).await, tombstones(&net, 1).await), before);
    net.state().await;
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
