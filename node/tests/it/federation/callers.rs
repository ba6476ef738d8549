//! Who is answered: members whose signature covers the whole call, once and in time.

use super::{Call, at, code, path};
use crate::site::{Site, stranger, two};
use protocol::{
    id::{CoalitionId, Hash, Lineage},
    identity::KeyUse,
    problem::Problem,
    sign::{LogPoint, RequestSigner},
};

async fn read(keeper: &Site) -> Call {
    Call::get(&at(keeper, "log").await, Some("after=0&wait=0"))
}

#[tokio::test]
async fn a_member_is_answered_and_the_same_call_again_is_not() {
    let (keeper, member) = two().await;
    let call = read(&keeper)
        .await
        .signed(&member.app.signer(), keeper.app.me, member.app.now());
    let first = call.send(&keeper.app).await;
    assert!(first.status().is_success());
    assert!(
        first.headers().contains_key("signature")
            && first.headers().contains_key("commonturf-head")
    );
    let again = call.send(&keeper.app).await;
    assert_eq!(
        (again.status().as_u16(), code(&again).as_str()),
        (409, "replayed")
    );
}

#[tokio::test]
async fn a_stranger_gets_the_same_answer_whether_the_coalition_exists_or_not() {
    let (keeper, _member) = two().await;
    let secrets = stranger();
    let signer = RequestSigner::new(secrets.node_id(), secrets.signing_key(KeyUse::Request));
    let mut answers = Vec::new();
    for id in [super::coalition_id(&keeper.app).await, CoalitionId([9; 16])] {
        let call = Call::get(&path(&keeper.app, id, "log"), Some("after=0"));
        let answer = call
            .signed(&signer, keeper.app.me, keeper.app.now())
            .send(&keeper.app)
            .await;
        let problem: Problem = serde_json::from_slice(answer.body()).unwrap();
        let head = answer.headers().get("commonturf-head").cloned();
        answers.push((answer.status(), problem.code, problem.detail, head));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0].1, "not-member");
}

#[tokio::test]
async fn a_member_is_a_stranger_to_another_coalition() {
    let (keeper, member) = two().await;
    let call = Call::get(
        &path(&keeper.app, CoalitionId([9; 16]), "log"),
        Some("after=0"),
    );
    let answer = call
        .signed(&member.app.signer(), keeper.app.me, member.app.now())
        .send(&keeper.app)
        .await;
    assert_eq!(code(&answer), "not-member");
}

#[tokio::test]
async fn whoever_signs_in_a_members_name_is_refused() {
    let (keeper, member) = two().await;
    let signer = RequestSigner::new(member.app.me, stranger().signing_key(KeyUse::Request));
    let answer = read(&keeper)
        .await
        .signed(&signer, keeper.app.me, member.app.now())
        .send(&keeper.app)
        .await;
    assert_eq!(code(&answer), "not-member");
}

#[tokio::test]
async fn every_altered_part_of_a_call_breaks_its_signature() {
    let (keeper, member) = two().await;
    let base = || async {
        let call = Call::post(&at(&keeper, "log").await, vec![0x81, 0x80]);
        call.signed(&member.app.signer(), keeper.app.me, member.app.now())
    };
    let mut altered = Vec::new();
    for _ in 0..9 {
        altered.push(base().await);
    }
    altered[0].call.body = vec![0x81, 0x81, 0x41, 0x00];
    altered[1].call.path = at(&keeper, "evaluate").await;
    altered[2].call.query = Some("after=0");
    altered[3].call.method = "PUT";
    altered[4].call.body.clear();
    *altered[5].header("content-type") = "application/octet-stream".to_owned();
    *altered[6].header("commonturf-to") = format!(":{}:", "A".repeat(43));
    let seen = altered[7].header("commonturf-seen").replace("d=1", "d=2");
    *altered[7].header("commonturf-seen") = format!("{seen} ");
    let input = altered[8]
        .header("signature-input")
        .replace("nonce=\":", "nonce=\":A");
    *altered[8].header("signature-input") = input.replace("created=", "created=1");
    for (n, call) in altered.iter().enumerate() {
        let answer = call.send(&keeper.app).await;
        assert!(
            matches!(answer.status().as_u16(), 400 | 401 | 403 | 405),
            "{n}: {}",
            answer.status()
        );
    }
    let honest = base().await.send(&keeper.app).await;
    assert!(honest.status().is_success(), "{:?}", honest.body());
}

#[tokio::test]
async fn a_call_without_a_signature_or_with_a_part_of_it_missing_is_refused() {
    let (keeper, member) = two().await;
    let whole = read(&keeper)
        .await
        .signed(&member.app.signer(), keeper.app.me, member.app.now());
    for missing in [
        "signature",
        "signature-input",
        "commonturf-to",
        "commonturf-seen",
    ] {
        let mut call = whole.clone();
        call.headers.retain(|(name, _)| name != missing);
        let answer = call.send(&keeper.app).await;
        assert!(
            matches!(code(&answer).as_str(), "bad-signature"),
            "{missing}"
        );
    }
    let mut none = whole;
    none.headers.clear();
    assert_eq!(code(&none.send(&keeper.app).await), "bad-signature");
}

#[tokio::test]
async fn a_call_that_was_meant_for_another_keeper_is_refused() {
    let (keeper, member) = two().await;
    let call =
        read(&keeper)
            .await
            .signed(&member.app.signer(), stranger().node_id(), member.app.now());
    assert_eq!(code(&call.send(&keeper.app).await), "bad-signature");
}

#[tokio::test]
async fn a_call_signed_too_early_or_too_late_is_told_the_time_and_signed_once_more() {
    let (keeper, member) = two().await;
    for created in [
        keeper.app.now().plus(6_000),
        keeper.app.now().plus(-301_000),
    ] {
        let call = read(&keeper)
            .await
            .signed(&member.app.signer(), keeper.app.me, created);
        let answer = call.send(&keeper.app).await;
        assert_eq!(code(&answer), "clock-skew");
        let problem: Problem = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(problem.server_time, Some(keeper.app.now()));
    }
    // The member's own client corrects itself.
    member.clock.set(keeper.app.now().plus(3_600_000));
    let (_, entry) = commonturf::coalition::invite::invite(&member.app, "somebody", 5)
        .await
        .unwrap();
    crate::site::pump(&[&keeper.app, &member.app]).await;
    let mut db = member.app.store.read("looking").await.unwrap();
    let row = commonturf::store::outbox::find(&mut db, entry)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.progress, commonturf::store::outbox::Progress::Done);
}

#[tokio::test]
async fn what_may_have_been_answered_before_a_restart_is_refused_after_it() {
    let (mut keeper, member) = two().await;
    let call = read(&keeper)
        .await
        .signed(&member.app.signer(), keeper.app.me, member.app.now());
    assert!(call.send(&keeper.app).await.status().is_success());
    keeper.restart(true).await;
    assert_eq!(code(&call.send(&keeper.app).await), "stale-since-restart");
}

#[tokio::test]
async fn a_body_beyond_all_limits_is_refused_before_anything_is_read_of_it() {
    let (keeper, member) = two().await;
    let call = Call::post(
        &at(&keeper, "log").await,
        vec![0; 4 * 1024 * 1024 + 64 * 1024 + 1],
    );
    let answer = call
        .signed(&member.app.signer(), keeper.app.me, member.app.now())
        .send(&keeper.app)
        .await;
    assert_eq!(
        (answer.status().as_u16(), code(&answer).as_str()),
        (413, "too-large")
    );
}

#[tokio::test]
async fn a_member_with_another_history_is_told_that_there_are_two() {
    let (keeper, member) = two().await;
    let seen = |position, chain, lineage| {
        Some(LogPoint {
            lineage,
            position,
            chain,
        })
    };
    let lineage = member
        .app
        .coalition
        .read()
        .await
        .as_ref()
        .unwrap()
        .row
        .lineage;
    for point in [
        seen(1, Hash::of(b"x"), lineage),
        seen(1, Hash::of(b"x"), Lineage([1; 16])),
    ] {
        let mut call = read(&keeper).await;
        call.seen = point;
        let answer = call
            .signed(&member.app.signer(), keeper.app.me, member.app.now())
            .send(&keeper.app)
            .await;
        assert_eq!(code(&answer), "fork-suspected");
    }
    let ahead = Call::get(&at(&keeper, "log").await, Some("after=99999&wait=0"));
    let answer = ahead
        .signed(&member.app.signer(), keeper.app.me, member.app.now())
        .send(&keeper.app)
        .await;
    assert_eq!(code(&answer), "keeper-behind");
}
