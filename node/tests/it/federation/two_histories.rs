//! A keeper that shows two histories: whoever meets both can prove it, claims freeze, and what is
//! taken back still goes out.

use crate::site::{Site, joined, pump, two};
use commonturf::{
    audit::fork,
    coalition::invite::invite,
    store::outbox::{self, Progress},
    sync::{heads, keeper_client::Keeper},
};
use protocol::{
    chain::Head,
    evidence::{SignedHead, verify},
    id::Hash,
    identity::KeyUse,
};

/// The head of what a node has folded.
async fn head(site: &Site) -> Head {
    let guard = site.app.coalition.read().await;
    guard.as_ref().unwrap().state.meta().head
}

/// A head that a node signs, as a keeper does.
fn signed(by: &Site, head: Head) -> SignedHead {
    let key = by.app.keys().secrets.signing_key(KeyUse::Head);
    SignedHead {
        node: by.app.me,
        head,
        signature: key.sign(&head.signed_bytes()),
    }
}

/// What a lying keeper says of a position that it has shown to others, too.
fn lie(by: &Site, mut head: Head) -> SignedHead {
    head.chain = Hash::of(b"another history");
    signed(by, head)
}

async fn says(site: &Site) -> Progress {
    let (_, entry) = invite(&site.app, "somebody", 5).await.unwrap();
    commonturf::sync::append::step(&site.app).await.unwrap();
    let mut db = site.app.store.read("looking").await.unwrap();
    let row = outbox::find(&mut db, entry).await.unwrap().unwrap();
    row.progress
}

#[tokio::test]
async fn two_heads_of_one_keeper_are_proof_for_everybody_and_freeze_claims() {
    let (keeper, member) = two().await;
    pump(&[&keeper.app, &member.app]).await;
    // The keeper's honest head comes with its answer to any call.
    let guard = member.app.coalition.read().await;
    let asked = Keeper::of(&member.app, guard.as_ref().unwrap());
    drop(guard);
    asked.status(&member.app).await.unwrap();
    assert!(fork::frozen(&member.app).await.unwrap().is_none());
    member.app.heads.shown(lie(&keeper, head(&member).await));
    heads::run(&member.app).await.unwrap();
    let why = fork::frozen(&member.app).await.unwrap().unwrap();
    assert!(why.starts_with("E_LOG_FORK"), "{why}");
    let refused = fork::nothing_new_while_frozen(&member.app)
        .await
        .unwrap_err();
    assert!(refused.0.detail.contains("--fork"));
    let status = commonturf::api::status::read(&member.app).await.unwrap();
    assert_eq!(status.coalition.unwrap().frozen, Some(why));
    // Anybody can check the file, without a node.
    let file = fork::file(&member.app).await.unwrap();
    let report = verify(&file).unwrap();
    assert!(report.holds, "{report}");
    assert_eq!(report.accused, [keeper.app.me]);
    // A revocation would take the same road.
    assert_eq!(says(&member).await, Progress::Ordered);
}

#[tokio::test]
async fn the_proof_outlives_a_restart() {
    let (keeper, mut member) = two().await;
    pump(&[&keeper.app, &member.app]).await;
    let at = head(&member).await;
    member.app.heads.shown(signed(&keeper, at));
    member.app.heads.shown(lie(&keeper, at));
    heads::run(&member.app).await.unwrap();
    member.restart(false).await;
    assert!(fork::frozen(&member.app).await.unwrap().is_some());
    let report = verify(&fork::file(&member.app).await.unwrap()).unwrap();
    assert_eq!(report.accused, [keeper.app.me]);
}

#[tokio::test]
async fn a_head_that_contradicts_what_comes_later_is_found_when_it_comes() {
    let (keeper, member) = two().await;
    pump(&[&keeper.app, &member.app]).await;
    let mut ahead = head(&member).await;
    ahead.position += 1;
    member.app.heads.shown(lie(&keeper, ahead));
    heads::run(&member.app).await.unwrap();
    assert!(fork::frozen(&member.app).await.unwrap().is_none());
    says(&member).await;
    pump(&[&keeper.app, &member.app]).await;
    heads::run(&member.app).await.unwrap();
    assert!(fork::frozen(&member.app).await.unwrap().is_some());
}

#[tokio::test]
async fn where_two_sign_what_differs_nobody_is_accused_and_a_former_keeper_freezes_nobody() {
    let (keeper, member) = two().await;
    let third = joined(&keeper, "Third Street").await;
    pump(&[&keeper.app, &member.app, &third.app]).await;
    let at = head(&member).await;
    member.app.heads.shown(signed(&keeper, at));
    // The third keeps no log: its word is kept, and stops no work.
    member.app.heads.shown(lie(&third, at));
    heads::run(&member.app).await.unwrap();
    assert!(fork::frozen(&member.app).await.unwrap().is_none());
    let report = verify(&fork::file(&member.app).await.unwrap()).unwrap();
    assert!(report.accused.is_empty(), "{report}");
}

#[tokio::test]
async fn an_honest_keeper_is_never_accused() {
    let (mut keeper, mut member) = two().await;
    for n in 0..3 {
        says(&member).await;
        says(&keeper).await;
        pump(&[&keeper.app, &member.app]).await;
        if n == 1 {
            keeper.restart(true).await;
            member.clock.set(keeper.app.now());
            commonturf::keeper::log::start(&keeper.app).await.unwrap();
            member.restart(false).await;
            keeper.clock.set(member.app.now());
        }
        for site in [&keeper, &member] {
            let guard = site.app.coalition.read().await;
            let asked = Keeper::of(&site.app, guard.as_ref().unwrap());
            drop(guard);
            asked.status(&site.app).await.unwrap();
            heads::run(&site.app).await.unwrap();
        }
    }
    for site in [&keeper, &member] {
        assert!(fork::frozen(&site.app).await.unwrap().is_none());
        let refused = fork::file(&site.app).await.unwrap_err();
        assert_eq!(refused.0.code, "not-found");
    }
}
