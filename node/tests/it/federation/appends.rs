//! Appending and blobs: the same bytes once, whole blobs only, each entry its author's.

use super::{Call, at, coalition_id, code};
use crate::site::{Site, two};
use protocol::{
    blob::{BlobId, Manifest},
    chain::{Append, AppendResult, Appended, Sealed},
    codec,
    entry::Class,
    envelope::{Envelope, Form, Header, VERSION},
    id::{CoalitionId, EntryId, Hash, Lineage, NodeId},
};

pub(super) async fn envelope(site: &Site, author: NodeId, blobs: Vec<BlobId>) -> Envelope {
    let guard = site.app.coalition.read().await;
    let row = &guard.as_ref().unwrap().row;
    Envelope {
        header: Header {
            version: VERSION,
            coalition: row.id,
            lineage: row.lineage,
            entry: EntryId::random(&mut commonturf::ambient::rng()),
            class: Class::Control,
            form: Form::Application,
            blobs,
            author,
            evidence: None,
        },
        sealed: b"nothing that opens".to_vec(),
    }
}

async fn append(keeper: &Site, member: &Site, envelopes: &[Envelope]) -> Vec<AppendResult> {
    let entries = envelopes.iter().map(|one| Sealed(one.bytes())).collect();
    let body = codec::encode(&Append { entries });
    let call = Call::post(&at(keeper, "log").await, body);
    let answer = call
        .signed(&member.app.signer(), keeper.app.me, member.app.now())
        .send(&keeper.app)
        .await;
    assert!(answer.status().is_success(), "{:?}", answer.body());
    codec::decode::<Appended>(answer.body()).unwrap().results
}

fn refused(result: &AppendResult) -> &str {
    match result {
        AppendResult::Refused { code } => code,
        AppendResult::Ordered { position, .. } => panic!("it was ordered at {position}"),
    }
}

#[tokio::test]
async fn the_same_bytes_get_the_same_position() {
    let (keeper, member) = two().await;
    let one = envelope(&member, member.app.me, Vec::new()).await;
    let first = append(&keeper, &member, std::slice::from_ref(&one)).await;
    keeper.clock.set(keeper.app.now().plus(5_000));
    let twice = append(&keeper, &member, &[one.clone(), one]).await;
    assert_eq!(twice, [first[0].clone(), first[0].clone()]);
}

#[tokio::test]
async fn each_entry_is_judged_for_itself() {
    let (keeper, member) = two().await;
    let good = envelope(&member, member.app.me, Vec::new()).await;
    let mut foreign_coalition = good.clone();
    foreign_coalition.header.coalition = CoalitionId([9; 16]);
    let mut foreign_lineage = good.clone();
    foreign_lineage.header.lineage = Lineage([9; 16]);
    let mut version = good.clone();
    version.header.version = 2;
    let in_anothers_name = envelope(&member, keeper.app.me, Vec::new()).await;
    let nowhere = BlobId(Hash::of(b"nowhere"));
    let missing = envelope(&member, member.app.me, vec![nowhere]).await;
    let many = envelope(&member, member.app.me, vec![nowhere; 5]).await;
    let batch = [
        foreign_coalition,
        foreign_lineage,
        version,
        in_anothers_name,
        missing,
        many,
        good,
    ];
    let results = append(&keeper, &member, &batch).await;
    let codes: Vec<&str> = results.iter().take(6).map(refused).collect();
    assert_eq!(
        codes,
        [
            "unsupported",
            "unsupported",
            "unsupported",
            "forbidden",
            "blob-missing",
            "unsupported"
        ]
    );
    assert!(matches!(results[6], AppendResult::Ordered { .. }));
}

#[tokio::test]
async fn an_entry_that_is_too_long_and_an_append_that_is_too_long_are_refused() {
    let (keeper, member) = two().await;
    let mut long = envelope(&member, member.app.me, Vec::new()).await;
    long.sealed = vec![0; 64 * 1024];
    let results = append(&keeper, &member, &[long]).await;
    assert_eq!(refused(&results[0]), "too-large");
    let many = codec::encode(&Append {
        entries: vec![Sealed(vec![0]); 257],
    });
    let big = codec::encode(&Append {
        entries: vec![Sealed(vec![0; 64 * 1024]); 17],
    });
    for body in [many, big] {
        let call = Call::post(&at(&keeper, "log").await, body);
        let answer = call
            .signed(&member.app.signer(), keeper.app.me, member.app.now())
            .send(&keeper.app)
            .await;
        assert_eq!(code(&answer), "too-large");
    }
    for body in [vec![0x80], vec![0x81, 0x9f, 0xff], vec![0x81, 0x80, 0x00]] {
        let call = Call::post(&at(&keeper, "log").await, body);
        let answer = call
            .signed(&member.app.signer(), keeper.app.me, member.app.now())
            .send(&keeper.app)
            .await;
        assert_eq!(code(&answer), "unsupported");
    }
}

async fn put(
    keeper: &Site,
    member: &Site,
    blob: BlobId,
    n: u64,
    body: &[u8],
) -> http::Response<bytes::Bytes> {
    let call = Call {
        method: "PUT",
        content_type: Some("application/octet-stream"),
        body: body.to_vec(),
        ..Call::get(&at(keeper, &format!("blobs/{blob}/{n}")).await, None)
    };
    call.signed(&member.app.signer(), keeper.app.me, member.app.now())
        .send(&keeper.app)
        .await
}

async fn get(keeper: &Site, member: &Site, rest: &str) -> http::Response<bytes::Bytes> {
    let call = Call::get(&at(keeper, rest).await, None);
    call.signed(&member.app.signer(), keeper.app.me, member.app.now())
        .send(&keeper.app)
        .await
}

#[tokio::test]
async fn a_blob_is_named_by_an_entry_only_once_every_chunk_is_the_declared_one() {
    let (keeper, member) = two().await;
    let bytes = b"sealed rows".to_vec();
    let manifest = Manifest::of(&bytes).unwrap();
    let id = manifest.id();
    let named = envelope(&member, member.app.me, vec![id]).await;
    assert_eq!(
        code(&put(&keeper, &member, id, 0, &bytes).await),
        "blob-missing"
    );
    let declare = Call::post(&at(&keeper, "blobs").await, codec::encode(&manifest));
    let answer = declare
        .signed(&member.app.signer(), keeper.app.me, member.app.now())
        .send(&keeper.app)
        .await;
    assert!(answer.status().is_success());
    for (n, wrong) in [
        (0, b"sealed rowz".as_slice()),
        (0, b"sealed row"),
        (0, b""),
        (1, &bytes),
        (u64::MAX, &bytes),
    ] {
        assert_eq!(
            code(&put(&keeper, &member, id, n, wrong).await),
            "blob-mismatch"
        );
    }
    let results = append(&keeper, &member, std::slice::from_ref(&named)).await;
    assert_eq!(refused(&results[0]), "blob-missing");
    for rest in [format!("blobs/{id}"), format!("blobs/{id}/0")] {
        assert_eq!(code(&get(&keeper, &member, &rest).await), "blob-missing");
    }
    for _ in 0..2 {
        assert!(
            put(&keeper, &member, id, 0, &bytes)
                .await
                .status()
                .is_success()
        );
    }
    assert_eq!(
        get(&keeper, &member, &format!("blobs/{id}/0")).await.body(),
        &bytes
    );
    let results = append(&keeper, &member, &[named]).await;
    assert!(matches!(results[0], AppendResult::Ordered { .. }));
}

#[tokio::test]
async fn a_manifest_that_contradicts_itself_is_refused() {
    let (keeper, member) = two().await;
    let good = codec::encode(&Manifest::of(&[1; 100]).unwrap());
    for body in [
        Vec::new(),
        good[..good.len() - 1].to_vec(),
        [good.as_slice(), &[0]].concat(),
    ] {
        let call = Call::post(&at(&keeper, "blobs").await, body);
        let answer = call
            .signed(&member.app.signer(), keeper.app.me, member.app.now())
            .send(&keeper.app)
            .await;
        assert!(matches!(
            code(&answer).as_str(),
            "unsupported" | "bad-signature"
        ));
    }
}

#[tokio::test]
async fn log_time_never_goes_back_even_when_the_keepers_clock_does() {
    let (keeper, member) = two().await;
    let first = append(
        &keeper,
        &member,
        &[envelope(&member, member.app.me, Vec::new()).await],
    )
    .await;
    keeper.clock.set(keeper.app.now().plus(-60_000));
    member.clock.set(keeper.app.now());
    let call = Call::post(
        &at(&keeper, "log").await,
        codec::encode(&Append {
            entries: vec![Sealed(
                envelope(&member, member.app.me, Vec::new()).await.bytes(),
            )],
        }),
    );
    // The keeper remembers nonces by the latest time it has seen, so it must be asked directly.
    let _ = call;
    let sealed = Sealed(envelope(&member, member.app.me, Vec::new()).await.bytes());
    let second = commonturf::keeper::log::append(&keeper.app, member.app.me, vec![sealed])
        .await
        .unwrap();
    let time = |result: &AppendResult| match result {
        AppendResult::Ordered { log_time, .. } => *log_time,
        AppendResult::Refused { code } => panic!("{code}"),
    };
    assert_eq!(time(&second.results[0]), time(&first[0]));
    assert_eq!(
        coalition_id(&keeper.app).await,
        coalition_id(&member.app).await
    );
}
