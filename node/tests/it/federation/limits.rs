//! How much one member may ask of a keeper: a noisy one is told to wait, and the others do not notice.

use super::{Call, Signed, appends::envelope, at, code};
use crate::site::{Site, joined, pump, stranger, two};
use bytes::Bytes;
use commonturf::{
    store::outbox::{self, Progress},
    sync::{self, keeper_client::KeeperError},
};
use protocol::{
    chain::{Append, Sealed},
    codec,
    entry::Class,
    identity::KeyUse,
    limits::{
        APPENDS_CLAIMS, APPENDS_CONTROL, APPENDS_DATA, BACKOFF_CAP, CALLS_PER_MEMBER,
        LONGPOLLS_PER_MEMBER, RATE_SECONDS,
    },
    problem::Problem,
    sign::RequestSigner,
};

/// An append of one entry of a class, signed.
async fn append(keeper: &Site, member: &Site, class: Class) -> Signed {
    let mut envelope = envelope(member, member.app.me, Vec::new()).await;
    envelope.header.class = class;
    let entries = vec![Sealed(envelope.bytes())];
    let call = Call::post(&at(keeper, "log").await, codec::encode(&Append { entries }));
    call.signed(&member.app.signer(), keeper.app.me, keeper.app.now())
}

async fn appended(keeper: &Site, member: &Site, class: Class) -> http::Response<Bytes> {
    append(keeper, member, class).await.send(&keeper.app).await
}

async fn read(keeper: &Site, member: &Site) -> http::Response<Bytes> {
    let call = Call::get(&at(keeper, "log").await, Some("after=0&wait=0"));
    call.signed(&member.app.signer(), keeper.app.me, keeper.app.now())
        .send(&keeper.app)
        .await
}

fn problem(answer: &http::Response<Bytes>) -> Problem {
    serde_json::from_slice(answer.body()).unwrap()
}

#[tokio::test]
async fn a_member_that_floods_a_class_waits_and_neither_the_other_classes_nor_the_others_do() {
    let (keeper, noisy) = two().await;
    let quiet = joined(&keeper, "Third Street").await;
    let classes = [
        (Class::Claims, APPENDS_CLAIMS),
        (Class::Data, APPENDS_DATA),
        (Class::Control, APPENDS_CONTROL),
    ];
    for (n, (class, rate)) in classes.into_iter().enumerate() {
        let mut through = 0;
        let refused = loop {
            let answer = appended(&keeper, &noisy, class).await;
            if !answer.status().is_success() {
                break answer;
            }
            through += 1;
        };
        // What the member said when it came in was of class control too.
        assert!(through <= rate * RATE_SECONDS && through > rate * (RATE_SECONDS - 1));
        assert_eq!(refused.status().as_u16(), 429);
        let problem = problem(&refused);
        assert_eq!(problem.code, "rate");
        let wait = i64::try_from(problem.retry_after_ms.unwrap()).unwrap();
        assert!(wait <= 1_000 / i64::from(rate) + 1, "{wait}");
        assert!(refused.headers().contains_key("retry-after"));
        for (other, _) in &classes[n + 1..] {
            let answer = appended(&keeper, &noisy, *other).await;
            assert!(answer.status().is_success(), "{other:?} after {class:?}");
        }
        let answer = appended(&keeper, &quiet, class).await;
        assert!(answer.status().is_success(), "{class:?} of the other");
        keeper.clock.set(keeper.app.now().plus(wait));
        let answer = appended(&keeper, &noisy, class).await;
        assert!(answer.status().is_success(), "{class:?} after the wait");
    }
}

#[tokio::test]
async fn a_member_that_has_spent_its_calls_is_refused_before_its_signature_is_looked_at() {
    let (keeper, noisy) = two().await;
    let quiet = joined(&keeper, "Third Street").await;
    let mut through = 0;
    while read(&keeper, &noisy).await.status().is_success() {
        through += 1;
        assert!(through <= CALLS_PER_MEMBER * RATE_SECONDS);
    }
    let answer = read(&keeper, &noisy).await;
    assert_eq!(code(&answer), "rate");
    assert!(!answer.headers().contains_key("signature"), "nor signed");
    let wrong = RequestSigner::new(noisy.app.me, stranger().signing_key(KeyUse::Request));
    let call = Call::get(&at(&keeper, "log").await, Some("after=0"));
    let answer = call.signed(&wrong, keeper.app.me, keeper.app.now());
    assert_eq!(code(&answer.send(&keeper.app).await), "rate");
    assert!(read(&keeper, &quiet).await.status().is_success());
    keeper.clock.set(keeper.app.now().plus(1_000));
    assert!(read(&keeper, &noisy).await.status().is_success());
}

#[tokio::test]
async fn nobody_spends_a_members_rate_by_calling_in_its_name() {
    let (keeper, member) = two().await;
    let wrong = RequestSigner::new(member.app.me, stranger().signing_key(KeyUse::Request));
    let path = at(&keeper, "log").await;
    for _ in 0..=CALLS_PER_MEMBER * RATE_SECONDS {
        let call = Call::get(&path, Some("after=0"));
        let call = call.signed(&wrong, keeper.app.me, keeper.app.now());
        assert_eq!(code(&call.send(&keeper.app).await), "not-member");
    }
    assert!(read(&keeper, &member).await.status().is_success());
}

#[tokio::test]
async fn a_member_waits_for_entries_twice_at_a_time_and_not_a_third_time() {
    let (keeper, member) = two().await;
    let quiet = joined(&keeper, "Third Street").await;
    pump(&[&keeper.app, &member.app, &quiet.app]).await;
    let path = at(&keeper, "log").await;
    let head = *keeper.app.wake.kept.borrow();
    let query: &'static str = Box::leak(format!("after={head}&wait=2").into_boxed_str());
    let poll = |site: &Site| {
        let call = Call::get(&path, Some(query));
        let call = call.signed(&site.app.signer(), keeper.app.me, keeper.app.now());
        let keeper = keeper.app.clone();
        async move { call.send(&keeper).await }
    };
    let waiting = futures_util::future::join_all((0..LONGPOLLS_PER_MEMBER).map(|_| poll(&member)));
    let meanwhile = async {
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        (poll(&member).await, poll(&quiet).await)
    };
    let (waiting, (third, other)) = tokio::join!(waiting, meanwhile);
    assert_eq!(code(&third), "rate");
    assert!(problem(&third).retry_after_ms.is_some());
    for one in waiting {
        assert!(one.status().is_success());
    }
    assert!(other.status().is_success());
    assert!(poll(&member).await.status().is_success());
}

#[tokio::test]
async fn a_packed_body_is_refused_whatever_it_unpacks_to() {
    let (keeper, member) = two().await;
    for encoding in ["gzip", "br", "deflate", "zstd", "identity, gzip"] {
        let mut call = append(&keeper, &member, Class::Data).await;
        let header = ("content-encoding".to_owned(), encoding.to_owned());
        call.headers.push(header);
        let answer = call.send(&keeper.app).await;
        assert_eq!(code(&answer), "unsupported-media-type", "{encoding}");
    }
    let answer = appended(&keeper, &member, Class::Data).await;
    assert!(answer.status().is_success());
}

#[tokio::test]
async fn a_member_does_as_it_is_told_and_what_waits_goes_out_later() {
    let (keeper, member) = two().await;
    let (_, entry) = commonturf::coalition::invite::invite(&member.app, "somebody", 5)
        .await
        .unwrap();
    for (says, waits) in [
        (
            r#"{"retry_after_ms":250,"type":"x","title":"x","status":429,"code":"rate","request_id":""}"#,
            250,
        ),
        (
            r#"{"retry_after_ms":99999999999,"type":"x","title":"x","status":429,"code":"not-member","request_id":""}"#,
            BACKOFF_CAP.unsigned_abs(),
        ),
        ("no problem at all", 1),
    ] {
        member.wire.meddle(move |_| {
            let answer = http::Response::builder().status(429);
            answer.body(Bytes::from_static(says.as_bytes())).unwrap()
        });
        let error = sync::append::step(&member.app).await.unwrap_err();
        let error = error.downcast_ref::<KeeperError>().unwrap();
        assert_eq!(error.asks_to_wait(), Some(waits), "{says}");
    }
    member.wire.leave_alone();
    pump(&[&keeper.app, &member.app]).await;
    let mut db = member.app.store.read("looking").await.unwrap();
    let row = outbox::find(&mut db, entry).await.unwrap().unwrap();
    assert_eq!(row.progress, Progress::Done);
}
