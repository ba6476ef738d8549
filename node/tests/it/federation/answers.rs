//! What a member refuses of a keeper: answers without its signature, altered ones, forged heads.

use crate::site::{folded, two};
use bytes::Bytes;
use commonturf::sync;
use http::{HeaderValue, Response, StatusCode};

async fn not_believed(
    meddle: impl Fn(Response<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
) -> String {
    let (keeper, member) = two().await;
    commonturf::coalition::invite::invite(&keeper.app, "somebody", 5)
        .await
        .unwrap();
    sync::append::step(&keeper.app).await.unwrap();
    let before = folded(&member.app).await;
    member.wire.meddle(meddle);
    let error = sync::read::step(&member.app).await.unwrap_err();
    assert_eq!(folded(&member.app).await, before, "nothing was folded");
    member.wire.leave_alone();
    sync::read::step(&member.app).await.unwrap();
    assert!(folded(&member.app).await > before, "and nothing was lost");
    error.to_string()
}

#[tokio::test]
async fn an_answer_without_a_signature_is_not_believed() {
    let error = not_believed(|mut answer| {
        answer.headers_mut().remove("signature");
        answer.headers_mut().remove("signature-input");
        answer
    })
    .await;
    assert!(error.contains("not the keeper's"), "{error}");
}

#[tokio::test]
async fn a_changed_body_is_not_believed() {
    not_believed(|answer| {
        let (parts, body) = answer.into_parts();
        let mut body = body.to_vec();
        let last = body.len() - 1;
        body[last] ^= 1;
        Response::from_parts(parts, body.into())
    })
    .await;
}

#[tokio::test]
async fn a_changed_status_is_not_believed() {
    not_believed(|mut answer| {
        *answer.status_mut() = StatusCode::ACCEPTED;
        answer
    })
    .await;
}

#[tokio::test]
async fn a_forged_head_is_not_believed() {
    not_believed(|mut answer| {
        let head = answer.headers()["commonturf-head"]
            .to_str()
            .unwrap()
            .to_owned();
        let forged = head.replacen(|c: char| c.is_ascii_digit(), "7", 1);
        let forged = if forged == head {
            head.replacen('7', "8", 1)
        } else {
            forged
        };
        answer
            .headers_mut()
            .insert("commonturf-head", HeaderValue::from_str(&forged).unwrap());
        answer
    })
    .await;
}

#[tokio::test]
async fn content_that_calls_itself_a_chunk_where_none_was_asked_for_is_not_believed() {
    not_believed(|answer| {
        let (mut parts, _) = answer.into_parts();
        let octets = HeaderValue::from_static("application/octet-stream");
        parts.headers.insert("content-type", octets);
        Response::from_parts(parts, Bytes::from_static(&[0x82, 0x80, 0x80]))
    })
    .await;
}

#[tokio::test]
async fn what_a_proxy_says_in_the_keepers_place_is_no_answer() {
    let error = not_believed(|_| {
        Response::builder()
            .status(StatusCode::BAD_GATEWAY)
            .body(Bytes::from_static(b"oops"))
            .unwrap()
    })
    .await;
    assert!(error.contains("in its place"), "{error}");
}

#[tokio::test]
async fn a_keeper_that_is_cut_off_loses_nothing() {
    let (keeper, member) = two().await;
    let (_, entry) = commonturf::coalition::invite::invite(&member.app, "somebody", 5)
        .await
        .unwrap();
    member.wire.cut();
    assert!(sync::append::step(&member.app).await.is_err());
    member.wire.connect(&keeper.app);
    crate::site::pump(&[&keeper.app, &member.app]).await;
    let mut db = member.app.store.read("looking").await.unwrap();
    let row = commonturf::store::outbox::find(&mut db, entry)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.progress, commonturf::store::outbox::Progress::Done);
}

#[tokio::test]
async fn an_answer_that_was_lost_is_asked_for_again_with_the_same_bytes() {
    let (keeper, member) = two().await;
    let (_, entry) = commonturf::coalition::invite::invite(&member.app, "somebody", 5)
        .await
        .unwrap();
    member.wire.meddle(|_| {
        Response::builder()
            .status(StatusCode::BAD_GATEWAY)
            .body(Bytes::new())
            .unwrap()
    });
    assert!(sync::append::step(&member.app).await.is_err());
    let head = *keeper.app.wake.kept.borrow();
    member.wire.leave_alone();
    sync::append::step(&member.app).await.unwrap();
    assert_eq!(*keeper.app.wake.kept.borrow(), head, "ordered once");
    crate::site::pump(&[&keeper.app, &member.app]).await;
    let mut db = member.app.store.read("looking").await.unwrap();
    let row = commonturf::store::outbox::find(&mut db, entry)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row.progress, commonturf::store::outbox::Progress::Done);
}
