//! Blobs: whole when every chunk is there, kept until their time is over.

use super::node;
use crate::site::stores;
use commonturf::store::blob;
use protocol::{blob::Manifest, time::Moment};

fn manifest() -> (Manifest, Vec<Vec<u8>>) {
    let bytes = vec![7; 4 * 1024 * 1024 + 3];
    let manifest = Manifest::of(&bytes).unwrap();
    (
        manifest,
        bytes.chunks(4 * 1024 * 1024).map(<[u8]>::to_vec).collect(),
    )
}

#[tokio::test]
async fn a_blob_is_whole_with_its_last_chunk_and_a_chunk_counts_once() {
    for test in stores().await {
        let (manifest, chunks) = manifest();
        let id = manifest.id();
        let mut tx = test.store.write("writing").await.unwrap();
        assert!(blob::find(&mut tx, id).await.unwrap().is_none());
        blob::declare(&mut tx, &manifest, node(1), Moment(1), Moment(50))
            .await
            .unwrap();
        for (n, missing) in [(1_u64, 1), (1, 1), (0, 0), (0, 0)] {
            let bytes = &chunks[usize::try_from(n).unwrap()];
            blob::put_chunk(&mut tx, id, n, bytes).await.unwrap();
            assert_eq!(
                blob::find(&mut tx, id).await.unwrap().unwrap().missing,
                missing
            );
        }
        assert_eq!(blob::present(&mut tx, id).await.unwrap(), [0, 1]);
        assert_eq!(
            blob::chunk(&mut tx, id, 1).await.unwrap().unwrap(),
            chunks[1]
        );
        assert_eq!(blob::chunk(&mut tx, id, 2).await.unwrap(), None);
        let found = blob::find(&mut tx, id).await.unwrap().unwrap();
        assert_eq!(
            (found.manifest.id(), found.owner),
            (id, node(1).to_string())
        );
    }
}

#[tokio::test]
async fn declaring_again_keeps_owner_and_chunks_and_only_lengthens_its_life() {
    for test in stores().await {
        let (manifest, chunks) = manifest();
        let id = manifest.id();
        let mut tx = test.store.write("writing").await.unwrap();
        blob::declare(&mut tx, &manifest, node(1), Moment(1), Moment(50))
            .await
            .unwrap();
        blob::put_chunk(&mut tx, id, 0, &chunks[0]).await.unwrap();
        blob::declare(&mut tx, &manifest, node(2), Moment(2), Moment(40))
            .await
            .unwrap();
        assert_eq!(blob::find(&mut tx, id).await.unwrap().unwrap().missing, 1);
        assert_eq!(
            blob::bytes_of(&mut tx, node(1)).await.unwrap(),
            manifest.size()
        );
        assert_eq!(blob::bytes_of(&mut tx, node(2)).await.unwrap(), 0);
        assert!(
            blob::expired(&mut tx, Moment(50), 9)
                .await
                .unwrap()
                .is_empty()
        );
        blob::declare(&mut tx, &manifest, node(2), Moment(2), Moment(90))
            .await
            .unwrap();
        assert!(
            blob::expired(&mut tx, Moment(90), 9)
                .await
                .unwrap()
                .is_empty()
        );
        assert_eq!(
            blob::expired(&mut tx, Moment(91), 9).await.unwrap(),
            [id.to_string()]
        );
    }
}

#[tokio::test]
async fn a_blob_that_goes_takes_its_chunks_along() {
    for test in stores().await {
        let (manifest, chunks) = manifest();
        let id = manifest.id();
        let mut tx = test.store.write("writing").await.unwrap();
        blob::declare(&mut tx, &manifest, node(1), Moment(1), Moment(50))
            .await
            .unwrap();
        blob::put_chunk(&mut tx, id, 0, &chunks[0]).await.unwrap();
        blob::remove(&mut tx, id).await.unwrap();
        assert!(blob::find(&mut tx, id).await.unwrap().is_none());
        assert_eq!(blob::chunk(&mut tx, id, 0).await.unwrap(), None);
    }
}
