//! The way back: one try at a time, and what a keeper holds for others.

use crate::support::alone::stores;
use commonturf::store::{coalition, way_back, way_back::Try};
use protocol::{
    blob::BlobId,
    id::{EntryId, Hash, NodeId},
};

#[tokio::test]
async fn a_try_takes_the_place_of_the_one_before_and_its_rows_become_the_groups() {
    for node in stores().await {
        let mut tx = node.app.store.write("test").await.unwrap();
        coalition::put_mls_row(&mut tx, b"old", Some(b"row"))
            .await
            .unwrap();
        let mut first = Try {
            entry: EntryId([1; 16]),
            envelope: Some(vec![1, 2]),
            group_id: [7; 16],
            tries: 0,
            next_at: 0,
        };
        let rows = [(b"k".to_vec(), b"v".to_vec())];
        way_back::put(&mut tx, &first, &rows).await.unwrap();
        first.envelope = None;
        first.tries = 1;
        way_back::put(&mut tx, &first, &[]).await.unwrap();
        let found = way_back::find(&mut tx).await.unwrap().unwrap();
        assert_eq!((found.envelope, found.tries), (None, 1));
        assert!(way_back::rows(&mut tx).await.unwrap().is_empty());
        first.envelope = Some(vec![3]);
        way_back::put(&mut tx, &first, &rows).await.unwrap();
        way_back::adopt(&mut tx, [7; 16], "format").await.unwrap();
        let group = coalition::mls_rows(&mut tx).await.unwrap();
        assert_eq!(group.into_iter().collect::<Vec<_>>(), rows);
        assert!(way_back::find(&mut tx).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_keeper_holds_the_latest_state_of_a_member_and_lets_it_go_for_a_blob() {
    for node in stores().await {
        let mut tx = node.app.store.write("test").await.unwrap();
        let member = NodeId([4; 32]);
        assert!(way_back::held(&mut tx, member).await.unwrap().is_none());
        way_back::hold(&mut tx, member, 5, b"sealed").await.unwrap();
        let blob = BlobId(Hash::of(b"blob"));
        way_back::set_blob(&mut tx, member, blob).await.unwrap();
        let held = way_back::held(&mut tx, member).await.unwrap().unwrap();
        assert_eq!((held.position, held.blob), (5, Some(blob)));
        assert!(held.snapshot.is_empty());
        way_back::hold(&mut tx, member, 9, b"later").await.unwrap();
        let held = way_back::held(&mut tx, member).await.unwrap().unwrap();
        assert_eq!((held.position, held.blob), (9, None));
        assert_eq!(held.snapshot, b"later");
    }
}
