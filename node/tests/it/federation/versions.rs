//! Nodes of different versions: what both know is spoken, and without that both are told plainly.

use super::{Call, coalition_id, code};
use crate::site::{Site, Wire, folded, founded_by, invitation, joins, pump, state_hash};
use commonturf::{coalition, store::outbox};
use protocol::{problem::Problem, version::Versions};

/// What the program of before speaks, that of now, and one that has forgotten the first version.
fn before() -> Versions {
    Versions::new(1, 1).unwrap()
}

fn now() -> Versions {
    Versions::new(1, 2).unwrap()
}

fn after() -> Versions {
    Versions::new(2, 3).unwrap()
}

async fn keeper(speaks: Versions) -> Site {
    founded_by(&Wire::default(), speaks).await
}

async fn says(site: &Site) -> protocol::id::EntryId {
    let (_, entry) = coalition::invite::invite(&site.app, "somebody", 5)
        .await
        .unwrap();
    entry
}

/// In which version an own entry was sealed.
async fn sealed_in(site: &Site, entry: protocol::id::EntryId) -> u8 {
    let mut db = site.app.store.read("looking").await.unwrap();
    let row = outbox::find(&mut db, entry).await.unwrap().unwrap();
    assert_eq!(row.progress, outbox::Progress::Done);
    let position = row.position.unwrap();
    let page = commonturf::keeper::log::page(&site.app, position - 1)
        .await
        .unwrap();
    let item = page.items.first().unwrap();
    let envelope: protocol::envelope::Envelope = protocol::codec::decode(&item.sealed).unwrap();
    envelope.header.version
}

#[tokio::test]
async fn a_member_of_the_version_before_is_a_full_member_and_all_speak_its_version() {
    let keeper = keeper(now()).await;
    let old = joins(&keeper, "Green Table", before()).await.unwrap();
    let new = joins(&keeper, "Third Street", now()).await.unwrap();
    for site in [&keeper, &old, &new] {
        says(site).await;
    }
    let entry = says(&keeper).await;
    pump(&[&keeper.app, &old.app, &new.app]).await;
    assert_eq!(sealed_in(&keeper, entry).await, 1);
    let hash = state_hash(&keeper.app).await;
    assert_eq!(hash, state_hash(&old.app).await);
    assert_eq!(hash, state_hash(&new.app).await);
}

#[tokio::test]
async fn a_keeper_of_the_version_before_takes_a_newcomer_that_speaks_both() {
    let keeper = keeper(before()).await;
    let new = joins(&keeper, "Green Table", now()).await.unwrap();
    pump(&[&keeper.app, &new.app]).await;
    assert_eq!(folded(&keeper.app).await, folded(&new.app).await);
}

#[tokio::test]
async fn nodes_that_speak_the_next_version_speak_it_as_soon_as_all_do() {
    let keeper = keeper(now()).await;
    let new = joins(&keeper, "Green Table", after()).await.unwrap();
    let entry = says(&keeper).await;
    pump(&[&keeper.app, &new.app]).await;
    assert_eq!(sealed_in(&keeper, entry).await, 2);
    assert_eq!(state_hash(&keeper.app).await, state_hash(&new.app).await);
}

#[tokio::test]
async fn a_newcomer_without_a_common_version_is_refused_in_a_plain_sentence_and_left_as_it_was() {
    for (keeps, comes, sentence) in [
        (
            before(),
            after(),
            "this node speaks versions 2 to 3 of the protocol and the other one version 1: the other one has to be updated",
        ),
        (
            after(),
            before(),
            "this node speaks version 1 of the protocol and the other one versions 2 to 3: this node has to be updated",
        ),
    ] {
        let keeper = keeper(keeps).await;
        let newcomer = Site::speaking("Green Table", false, &keeper.wire, comes).await;
        let code = invitation(&keeper.app).await;
        let refused = coalition::join::ask(&newcomer.app, &code)
            .await
            .unwrap_err();
        assert_eq!(refused.0.code, "unsupported");
        assert!(refused.0.detail.ends_with(sentence), "{}", refused.0.detail);
        assert!(newcomer.app.coalition.read().await.is_none());
        pump(&[&keeper.app]).await;
        let guard = keeper.app.coalition.read().await;
        assert!(guard.as_ref().unwrap().state.joins.is_empty());
    }
}

#[tokio::test]
async fn a_newcomer_that_some_member_could_not_read_is_refused_by_the_keeper() {
    let keeper = keeper(now()).await;
    let _old = joins(&keeper, "Green Table", before()).await.unwrap();
    let refused = joins(&keeper, "Third Street", after()).await.err().unwrap();
    assert_eq!(refused.0.code, "unsupported");
    let sentence = "all members of the coalition speak version 1 of the protocol and the newcomer versions 2 to 3";
    assert!(
        refused.0.detail.starts_with(sentence),
        "{}",
        refused.0.detail
    );
}

#[tokio::test]
async fn a_call_in_a_version_that_a_keeper_does_not_speak_is_told_which_ones_it_speaks() {
    let keeper = keeper(now()).await;
    let coalition = coalition_id(&keeper.app).await;
    for (version, told) in [
        ("v3", "unsupported"),
        ("v0", "unsupported"),
        ("w1", "not-found"),
    ] {
        let path = format!("/{version}/c/{coalition}/log");
        let call = Call::get(&path, Some("after=0"));
        let answer = call.signed(&keeper.app.signer(), keeper.app.me, keeper.app.now());
        let answer = answer.send(&keeper.app).await;
        assert_eq!(code(&answer), told, "{version}");
        if told == "unsupported" {
            let problem: Problem = serde_json::from_slice(answer.body()).unwrap();
            assert!(
                problem.detail.contains("versions 1 to 2"),
                "{}",
                problem.detail
            );
        }
    }
}
