//! What a member can do that seals whatever it likes: nothing that stops or divides the others.

use crate::site::{Site, folded, joined, pump, read, state_hash, two};
use commonturf::{
    keeper,
    store::{coalition::Phase, history},
};
use protocol::{
    blob::{BlobId, Manifest},
    chain::{AppendResult, Sealed},
    codec,
    entry::{
        Entry,
        housekeeping::{Checkpoint, Tick},
        payload::{Channels, Payload, SuppressionRow, write_rows},
        suppression::Suppress,
    },
    envelope::{Envelope, Form, Header, VERSION},
    id::{EntryId, Hash, NodeId},
    seal::{self, AgeIdentity},
    time::DAY,
    token::Token,
};

/// What a member's keys can seal, whatever its program would allow.
struct Crafted {
    entry: Entry,
    author: NodeId,
    blobs: Vec<BlobId>,
    id: EntryId,
}

impl Crafted {
    fn by(site: &Site, entry: impl Into<Entry>) -> Self {
        let entry = entry.into();
        Self {
            author: site.app.me,
            blobs: entry.blobs(),
            id: EntryId::random(&mut commonturf::ambient::rng()),
            entry,
        }
    }
}

/// Seals entries one after the other with a member's keys; the member's own node knows nothing.
async fn seal_all(site: &Site, crafted: &[Crafted]) -> Vec<Sealed> {
    let guard = site.app.coalition.read().await;
    let coalition = guard.as_ref().unwrap();
    let mut group = coalition.group().unwrap();
    crafted
        .iter()
        .map(|one| {
            let header = Header {
                version: VERSION,
                coalition: coalition.row.id,
                lineage: coalition.row.lineage,
                entry: one.id,
                class: one.entry.class(),
                form: Form::Application,
                blobs: one.blobs.clone(),
                author: one.author,
                evidence: one.entry.evidence(),
            };
            let plain = codec::encode(&one.entry);
            let sealed = group
                .seal(&site.app.mls_key(), &header.authenticated(), &plain)
                .unwrap();
            Sealed(Envelope { header, sealed }.bytes())
        })
        .collect()
}

async fn ordered(keeper: &Site, caller: &Site, entries: Vec<Sealed>) {
    let answer = keeper::log::append(&keeper.app, caller.app.me, entries)
        .await
        .unwrap();
    for result in &answer.results {
        assert!(matches!(result, AppendResult::Ordered { .. }), "{result:?}");
    }
}

/// Why the latest entries changed nothing at a node, the last one first.
async fn voids(site: &Site, count: i64) -> Vec<Option<String>> {
    let mut db = site.app.store.read("looking").await.unwrap();
    let lines = history::latest(&mut db, count).await.unwrap();
    lines.into_iter().map(|line| line.void).collect()
}

async fn agree(sites: &[&Site]) {
    let head = folded(&sites[0].app).await;
    assert!(head.is_some());
    for site in sites {
        assert_eq!(folded(&site.app).await, head);
        assert_eq!(state_hash(&site.app).await, state_hash(&sites[0].app).await);
    }
}

/// What a member says of its state where it stands now, with a good cosignature.
async fn word(site: &Site, state: Hash, authenticator: Hash) -> Checkpoint {
    let guard = site.app.coalition.read().await;
    let folded = &guard.as_ref().unwrap().state;
    commonturf::sync::vouch::build(&site.app, folded, state, authenticator)
}

async fn three() -> (Site, Site, Site) {
    let (keeper, liar) = two().await;
    let third = joined(&keeper, "Late Comers").await;
    pump(&[&keeper.app, &liar.app, &third.app]).await;
    (keeper, liar, third)
}

fn rows(n: u8) -> Vec<u8> {
    write_rows((0..3000_u16).map(|i| {
        let mut token = [n; 16];
        token[..2].copy_from_slice(&i.to_be_bytes());
        SuppressionRow {
            token: Token(token),
            channels: Channels::EVERY,
            deceased: false,
        }
    }))
}

/// Puts a blob at the keeper, as an upload does.
async fn uploaded(keeper: &Site, bytes: &[u8]) -> BlobId {
    let manifest = Manifest::of(bytes).unwrap();
    let now = keeper.app.now();
    let mut tx = keeper.app.store.write("a test's blob").await.unwrap();
    commonturf::store::blob::declare(&mut tx, &manifest, keeper.app.me, now, now.plus(30 * DAY))
        .await
        .unwrap();
    commonturf::store::blob::put_chunk(&mut tx, manifest.id(), 0, bytes)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    manifest.id()
}

fn in_blob(blob: BlobId, bytes: u64, identity: &str) -> Suppress {
    Suppress {
        generation: 1,
        rows: Payload::Blob {
            blob,
            bytes,
            identity: Some(identity.to_owned()),
        },
    }
}

#[tokio::test]
async fn an_entry_that_waits_for_a_blob_which_never_comes_is_void_and_holds_up_nobody() {
    let (keeper, liar, third) = three().await;
    let identity = AgeIdentity::generate(&mut commonturf::ambient::rng());
    let secret = identity.to_secret_text().to_string();
    let present = uploaded(&keeper, b"something").await;
    let nowhere = BlobId(Hash::of(b"nowhere"));
    let mut elsewhere = Crafted::by(&liar, in_blob(nowhere, 54_000, &secret));
    elsewhere.blobs = vec![present];
    let mut unnamed = Crafted::by(&liar, in_blob(nowhere, 54_000, &secret));
    unnamed.blobs = Vec::new();
    let sealed = seal_all(&liar, &[elsewhere, unnamed]).await;
    ordered(&keeper, &liar, sealed).await;
    for site in [&keeper, &third] {
        read(&site.app, &keeper.app).await.unwrap();
        let voids = voids(site, 2).await;
        assert!(
            voids
                .iter()
                .all(|void| void.as_deref() == Some("the header does not fit the entry")),
            "{voids:?}"
        );
    }
    agree(&[&keeper, &third]).await;
}

#[tokio::test]
async fn rows_that_do_not_open_or_have_another_length_than_announced_are_void() {
    let (keeper, liar, third) = three().await;
    let identity = AgeIdentity::generate(&mut commonturf::ambient::rng());
    let secret = identity.to_secret_text().to_string();
    let rows = rows(1);
    let sealed_rows = seal::seal(&rows, &[identity.recipient()]).unwrap();
    let blob = uploaded(&keeper, &sealed_rows).await;
    let noise = uploaded(&keeper, &[7; 100]).await;
    let huge = uploaded(&keeper, &vec![7; 4 * 1024 * 1024]).await;
    let length = rows.len() as u64;
    let crafted = [
        in_blob(blob, 16, &secret),
        in_blob(blob, u64::MAX, &secret),
        in_blob(blob, length, "AGE-SECRET-KEY-NONSENSE"),
        in_blob(noise, length, &secret),
        in_blob(huge, 16, &secret),
        in_blob(blob, length, &secret),
    ]
    .map(|suppress| Crafted::by(&liar, suppress));
    let sealed = seal_all(&liar, &crafted).await;
    ordered(&keeper, &liar, sealed).await;
    for site in [&keeper, &third] {
        read(&site.app, &keeper.app).await.unwrap();
        let voids = voids(site, 6).await;
        assert_eq!(voids[0], None, "the honest one counts");
        assert!(voids[1..].iter().all(Option::is_some), "{voids:?}");
    }
    agree(&[&keeper, &third]).await;
}

#[tokio::test]
async fn two_entries_that_disagree_about_one_blob_are_judged_each_for_itself_in_any_batch() {
    let (keeper, liar, third) = three().await;
    let identity = AgeIdentity::generate(&mut commonturf::ambient::rng());
    let secret = identity.to_secret_text().to_string();
    let other = AgeIdentity::generate(&mut commonturf::ambient::rng())
        .to_secret_text()
        .to_string();
    let rows = rows(2);
    let blob = uploaded(
        &keeper,
        &seal::seal(&rows, &[identity.recipient()]).unwrap(),
    )
    .await;
    let length = rows.len() as u64;
    let crafted = [
        Crafted::by(&liar, in_blob(blob, length, &secret)),
        Crafted::by(&liar, in_blob(blob, length, &other)),
    ];
    let mut sealed = seal_all(&liar, &crafted).await;
    let second = sealed.pop().unwrap();
    ordered(&keeper, &liar, sealed).await;
    // One node reads them apart, the other in one page.
    read(&keeper.app, &keeper.app).await.unwrap();
    ordered(&keeper, &liar, vec![second]).await;
    for site in [&keeper, &third] {
        read(&site.app, &keeper.app).await.unwrap();
        let voids = voids(site, 2).await;
        assert!(voids[0].is_some() && voids[1].is_none(), "{voids:?}");
    }
    agree(&[&keeper, &third]).await;
}

#[tokio::test]
async fn an_entry_in_the_name_of_another_is_void_at_all_and_does_not_stop_the_one_it_names() {
    let (keeper, liar, victim) = three().await;
    // What only the victim could seal stands for what a member can forge: to the victim both look
    // the same, because a node cannot open its own messages.
    let mut forged = Crafted::by(&victim, Tick {});
    forged.author = liar.app.me;
    let sealed = seal_all(&victim, &[forged]).await;
    ordered(&keeper, &liar, sealed).await;
    for site in [&keeper, &victim, &liar] {
        read(&site.app, &keeper.app).await.unwrap();
        assert_eq!(
            voids(site, 1).await,
            [Some("the header does not fit the entry".to_owned())]
        );
    }
    agree(&[&keeper, &victim, &liar]).await;
    let refused = seal_all(&victim, &[Crafted::by(&victim, Tick {})]).await;
    let answer = keeper::log::append(&keeper.app, liar.app.me, refused)
        .await
        .unwrap();
    assert!(matches!(&answer.results[0], AppendResult::Refused { code } if code == "forbidden"));
}

#[tokio::test]
async fn a_node_that_meets_an_own_entry_which_it_does_not_know_sets_out_on_its_way_back() {
    let (keeper, restored, third) = three().await;
    let sealed = seal_all(&restored, &[Crafted::by(&restored, Tick {})]).await;
    ordered(&keeper, &restored, sealed).await;
    assert!(read(&restored.app, &keeper.app).await.is_err());
    let guard = restored.app.coalition.read().await;
    let row = &guard.as_ref().unwrap().row;
    assert_eq!(row.phase, Phase::Returning);
    assert!(
        row.stopped_because
            .as_ref()
            .unwrap()
            .contains("restored from a backup")
    );
    drop(guard);
    for site in [&keeper, &third] {
        read(&site.app, &keeper.app).await.unwrap();
    }
    agree(&[&keeper, &third]).await;
}

async fn phase(site: &Site) -> Phase {
    site.app.coalition.read().await.as_ref().unwrap().row.phase
}

#[tokio::test]
async fn one_member_with_another_state_stops_nobody_and_most_of_them_do() {
    let (keeper, liar, third) = three().await;
    let position = folded(&keeper.app).await.unwrap();
    let mut tx = keeper.app.store.write("a test's hash").await.unwrap();
    let (state, authenticator) = (state_hash(&keeper.app).await, Hash::of(b"authenticator"));
    commonturf::store::coalition::put_fold_hash(&mut tx, position, state, authenticator)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let lie = word(&liar, Hash::of(b"another"), authenticator).await;
    let sealed = seal_all(
        &liar,
        &[Crafted::by(&liar, lie.clone()), Crafted::by(&liar, lie)],
    )
    .await;
    ordered(&keeper, &liar, sealed).await;
    read(&keeper.app, &keeper.app).await.unwrap();
    assert_eq!(phase(&keeper).await, Phase::Active, "one of two others");
    let lie = word(&third, Hash::of(b"another"), authenticator).await;
    let sealed = seal_all(&third, &[Crafted::by(&third, lie)]).await;
    ordered(&keeper, &third, sealed).await;
    assert!(read(&keeper.app, &keeper.app).await.is_err());
    assert_eq!(phase(&keeper).await, Phase::Stopped, "both others");
}

#[tokio::test]
async fn a_member_that_agrees_again_is_forgiven() {
    let (keeper, other, third) = three().await;
    let position = folded(&keeper.app).await.unwrap();
    let mut tx = keeper.app.store.write("a test's hash").await.unwrap();
    let (state, authenticator) = (state_hash(&keeper.app).await, Hash::of(b"authenticator"));
    commonturf::store::coalition::put_fold_hash(&mut tx, position, state, authenticator)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let another = Hash::of(b"another");
    let words = [
        Crafted::by(&other, word(&other, another, authenticator).await),
        Crafted::by(&other, word(&other, state, authenticator).await),
    ];
    let sealed = seal_all(&other, &words).await;
    ordered(&keeper, &other, sealed).await;
    let lie = word(&third, another, authenticator).await;
    let sealed = seal_all(&third, &[Crafted::by(&third, lie)]).await;
    ordered(&keeper, &third, sealed).await;
    read(&keeper.app, &keeper.app).await.unwrap();
    assert_eq!(phase(&keeper).await, Phase::Active);
}

#[tokio::test]
async fn bytes_that_mean_nothing_are_void_and_the_log_goes_on() {
    let (keeper, liar, third) = three().await;
    let mut noise = seal_all(&liar, &[Crafted::by(&liar, Tick {})])
        .await
        .pop()
        .unwrap();
    let mut envelope: Envelope = codec::decode(&noise.0).unwrap();
    for form in [Form::Application, Form::Commit] {
        for sealed in [
            Vec::new(),
            vec![0; 40],
            vec![0xff; 40],
            envelope.sealed.clone(),
        ] {
            envelope.header.entry = EntryId::random(&mut commonturf::ambient::rng());
            envelope.header.form = form;
            noise.0 = Envelope {
                header: envelope.header.clone(),
                sealed,
            }
            .bytes();
            ordered(&keeper, &liar, vec![Sealed(noise.0.clone())]).await;
        }
    }
    for site in [&keeper, &third] {
        read(&site.app, &keeper.app).await.unwrap();
        assert!(voids(site, 8).await.iter().all(Option::is_some));
    }
    agree(&[&keeper, &third]).await;
}

#[tokio::test]
async fn a_node_that_restarts_anywhere_folds_on_to_the_same_state() {
    let (mut keeper, mut member) = two().await;
    for n in 0..3 {
        let (_, entry) =
            commonturf::coalition::invite::invite(&member.app, &format!("friend {n}"), 5)
                .await
                .unwrap();
        if n == 1 {
            commonturf::sync::append::step(&member.app).await.unwrap();
        }
        member.restart(false).await;
        keeper.restart(true).await;
        member.clock.set(keeper.app.now().plus(1_000));
        keeper.clock.set(keeper.app.now().plus(1_000));
        keeper::log::start(&keeper.app).await.unwrap();
        pump(&[&keeper.app, &member.app]).await;
        let mut db = member.app.store.read("looking").await.unwrap();
        let row = commonturf::store::outbox::find(&mut db, entry)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(row.progress, commonturf::store::outbox::Progress::Done);
        drop(db);
        agree(&[&keeper, &member]).await;
    }
}
