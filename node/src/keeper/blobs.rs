//! Blobs that entries name and this keeper lacks: it fetches them from the other keepers.
//!
//! An author uploads to a majority; the rest, and every keeper that comes later, copies from there.

use super::raft;
use crate::{
    app::App,
    federation::blob::BLOB_DAYS,
    store,
    sync::keeper_client::{Keeper, KeeperError},
};
use protocol::{
    blob::BlobId,
    codec,
    envelope::Envelope,
    problem::ProblemKind,
    time::{DAY, Moment},
};
use std::sync::atomic::Ordering;

/// The most entries that are looked at in one go.
const AT_ONCE: i64 = 500;

/// Copies what is missing of the entries since the last go.
///
/// # Errors
/// When the database fails, or a blob cannot be fetched now; it is tried again.
pub async fn run(app: &App) -> anyhow::Result<()> {
    let keepers = app
        .kept
        .circle()
        .map_or(0, |circle| circle.keepers().count());
    let Some(running) = raft::if_running(app).await.filter(|_| keepers > 1) else {
        return Ok(());
    };
    if running.must_be_readable().await.is_err() {
        return Ok(());
    }
    loop {
        let done = app.kept.copied().load(Ordering::Relaxed);
        let mut db = app.store.read("looking for blobs to copy").await?;
        let items = store::keeper::after(&mut db, done, AT_ONCE).await?;
        let mut wanted = Vec::new();
        for item in &items {
            let alive = item.log_time.plus(BLOB_DAYS * DAY) > app.now();
            let Ok(envelope) = codec::decode::<Envelope>(&item.sealed) else {
                continue;
            };
            for blob in envelope.header.blobs.into_iter().filter(|_| alive) {
                if !is_whole(&mut db, blob).await? {
                    wanted.push((blob, item.log_time, envelope.header.author));
                }
            }
        }
        drop(db);
        for (blob, since, author) in wanted {
            copy(app, blob, since, author).await?;
        }
        match items.last() {
            Some(last) => app.kept.copied().store(last.position, Ordering::Relaxed),
            None => return Ok(()),
        }
    }
}

async fn is_whole(db: &mut sqlx::AnyConnection, blob: BlobId) -> store::Result<bool> {
    let row = store::blob::find(db, blob).await?;
    Ok(row.is_some_and(|row| row.missing == 0))
}

async fn copy(
    app: &App,
    blob: BlobId,
    since: Moment,
    author: protocol::id::NodeId,
) -> anyhow::Result<()> {
    let keepers = {
        let guard = app.coalition.read().await;
        let Some(coalition) = guard.as_ref() else {
            return Ok(());
        };
        Keeper::of(app, coalition).others()
    };
    let manifest = match keepers.manifest(app, blob).await {
        Ok(manifest) => manifest,
        // Nobody has it any more: its time was over, or its author took it back.
        Err(error) if error.kind() == Some(ProblemKind::BlobMissing) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let mut tx = app.store.write("beginning to copy a blob").await?;
    let expires = since.plus(BLOB_DAYS * DAY);
    store::blob::declare(&mut tx, &manifest, author, app.now(), expires).await?;
    let present = store::blob::present(&mut tx, blob).await?;
    tx.commit().await?;
    for n in (0..manifest.chunks().len() as u64).filter(|n| !present.contains(n)) {
        let chunk = keepers.chunk(app, blob, n).await?;
        manifest
            .verify_chunk(n, &chunk)
            .map_err(|error| KeeperError::Unreadable(error.to_string()))?;
        let mut tx = app.store.write("copying a chunk").await?;
        store::blob::put_chunk(&mut tx, blob, n, &chunk).await?;
        tx.commit().await?;
    }
    Ok(())
}
