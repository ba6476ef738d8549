//! The outbox: from decided to folded, in order of class and speech.

use super::{TRICKY, entry};
use crate::site::stores;
use commonturf::store::outbox::{self, New, Progress};
use protocol::{entry::Class, id::Hash};

fn new(n: u8, class: Class) -> New<'static> {
    New {
        entry: entry(n),
        kind: "claim",
        class,
        plain: b"12",
        rows_plain: Some(b"34"),
        intent: Some(b"56"),
    }
}

#[tokio::test]
async fn an_entry_goes_from_queued_to_done_and_leaves_no_content_behind() {
    for test in stores().await {
        let mut tx = test.store.write("writing").await.unwrap();
        outbox::insert(&mut tx, &new(1, Class::Control), 1)
            .await
            .unwrap();
        let row = outbox::find(&mut tx, entry(1)).await.unwrap().unwrap();
        assert_eq!(
            (row.progress, row.attempts, row.plain.as_slice()),
            (Progress::Queued, 0, b"12".as_slice())
        );
        for (n, bytes) in (1..).zip(TRICKY) {
            let hash = Hash::of(bytes);
            outbox::set_sealed(&mut tx, entry(1), bytes, hash)
                .await
                .unwrap();
            let row = outbox::find_by_envelope(&mut tx, hash)
                .await
                .unwrap()
                .unwrap();
            assert_eq!(
                (row.progress, row.attempts, row.envelope.as_deref()),
                (Progress::Sealed, n, Some(bytes))
            );
        }
        outbox::set_ordered(&mut tx, entry(1), 9).await.unwrap();
        let row = outbox::find(&mut tx, entry(1)).await.unwrap().unwrap();
        assert_eq!((row.progress, row.position), (Progress::Ordered, Some(9)));
        outbox::set_final(&mut tx, entry(1), 9, None).await.unwrap();
        let row = outbox::find(&mut tx, entry(1)).await.unwrap().unwrap();
        assert_eq!(row.progress, Progress::Done);
        assert!(
            row.plain.is_empty()
                && row.rows_plain.is_none()
                && row.envelope.is_none()
                && row.intent.is_none()
        );
    }
}

#[tokio::test]
async fn an_answer_that_comes_after_the_echo_changes_nothing() {
    for test in stores().await {
        let mut tx = test.store.write("writing").await.unwrap();
        outbox::insert(&mut tx, &new(1, Class::Control), 1)
            .await
            .unwrap();
        outbox::set_sealed(&mut tx, entry(1), b"bytes", Hash::of(b"bytes"))
            .await
            .unwrap();
        outbox::set_final(&mut tx, entry(1), 9, Some("why"))
            .await
            .unwrap();
        outbox::set_ordered(&mut tx, entry(1), 9).await.unwrap();
        let row = outbox::find(&mut tx, entry(1)).await.unwrap().unwrap();
        assert_eq!(
            (row.progress, row.note.as_deref()),
            (Progress::Void, Some("why"))
        );
        outbox::insert(&mut tx, &new(2, Class::Control), 1)
            .await
            .unwrap();
        outbox::set_ordered(&mut tx, entry(2), 9).await.unwrap();
        assert_eq!(
            outbox::find(&mut tx, entry(2))
                .await
                .unwrap()
                .unwrap()
                .progress,
            Progress::Queued
        );
    }
}

#[tokio::test]
async fn what_is_sealed_anew_is_no_longer_known_by_its_old_bytes() {
    for test in stores().await {
        let mut tx = test.store.write("writing").await.unwrap();
        outbox::insert(&mut tx, &new(1, Class::Control), 1)
            .await
            .unwrap();
        let hash = Hash::of(b"bytes");
        outbox::set_commit(&mut tx, entry(1), b"bytes", hash, Some(b"welcome"))
            .await
            .unwrap();
        let row = outbox::find(&mut tx, entry(1)).await.unwrap().unwrap();
        assert_eq!(row.rows_plain.as_deref(), Some(b"welcome".as_slice()));
        outbox::set_queued(&mut tx, entry(1), "lost a race")
            .await
            .unwrap();
        assert!(
            outbox::find_by_envelope(&mut tx, hash)
                .await
                .unwrap()
                .is_none()
        );
        let row = outbox::find(&mut tx, entry(1)).await.unwrap().unwrap();
        assert_eq!(
            (row.progress, row.attempts, row.note.as_deref()),
            (Progress::Queued, 1, Some("lost a race"))
        );
    }
}

#[tokio::test]
async fn control_goes_before_claims_and_claims_before_data_each_in_order() {
    for test in stores().await {
        let mut tx = test.store.write("writing").await.unwrap();
        for (n, class) in [
            (1, Class::Data),
            (2, Class::Claims),
            (3, Class::Control),
            (4, Class::Claims),
            (5, Class::Control),
        ] {
            outbox::insert(&mut tx, &new(n, class), 1).await.unwrap();
        }
        let order = |rows: Vec<outbox::Outgoing>| {
            rows.into_iter()
                .map(|row| row.entry.0[0])
                .collect::<Vec<_>>()
        };
        let all = outbox::in_progress(&mut tx, Progress::Queued, 9)
            .await
            .unwrap();
        assert_eq!(order(all), [3, 5, 2, 4, 1]);
        let some = outbox::in_progress(&mut tx, Progress::Queued, 2)
            .await
            .unwrap();
        assert_eq!(order(some), [3, 5]);
        assert_eq!(outbox::waiting(&mut tx).await.unwrap(), 5);
        outbox::set_final(&mut tx, entry(3), 1, None).await.unwrap();
        assert_eq!(outbox::waiting_of(&mut tx, "claim").await.unwrap(), 4);
        assert_eq!(outbox::waiting_of(&mut tx, "tick").await.unwrap(), 0);
    }
}

#[tokio::test]
async fn an_entry_is_decided_once() {
    for test in stores().await {
        let mut tx = test.store.write("writing").await.unwrap();
        outbox::insert(&mut tx, &new(1, Class::Control), 1)
            .await
            .unwrap();
        let again = outbox::insert(&mut tx, &new(1, Class::Data), 1).await;
        assert!(again.unwrap_err().is_unique_violation());
    }
}
