//! Fetching the rows that a batch needs, before the transaction that folds it: no network in there.
//!
//! Entries with blobs are opened once in a group that is thrown away, to learn which blob holds rows
//! for everybody and how it opens. A batch ends with a commit, so the epochs are known.

use super::{coalition::Coalition, keeper_client::Keeper, outbox};
use crate::{app::App, store};
use protocol::{
    blob::BlobId,
    chain::LogItem,
    codec,
    entry::{
        Entry,
        payload::{PAYLOAD_BYTES, Payload},
    },
    envelope::{Envelope, Form},
    id::Hash,
    mls::Opened,
    seal::{self, AgeIdentity},
};
use std::collections::BTreeMap;

/// Opened rows by blob; none where the blob's content is no sealed rows, for all members alike.
pub type RowsByBlob = BTreeMap<BlobId, Option<Vec<u8>>>;

/// The rows that entries of a batch bring in blobs.
///
/// # Errors
/// When a blob cannot be fetched: the fold waits, it never skips.
pub async fn rows(app: &App, batch: &[LogItem]) -> anyhow::Result<RowsByBlob> {
    let (keeper, wanted) = {
        let guard = app.coalition.read().await;
        let Some(coalition) = guard.as_ref() else {
            return Ok(RowsByBlob::new());
        };
        (
            Keeper::of(app, coalition),
            wanted(app, coalition, batch).await?,
        )
    };
    let mut rows = RowsByBlob::new();
    for (blob, bytes, identity) in wanted {
        let limit = (PAYLOAD_BYTES as u64).min(bytes) + 1024 * 1024;
        let sealed = keeper.download(app, blob, limit).await?;
        let opened = AgeIdentity::from_secret_text(&identity)
            .ok()
            .and_then(|identity| seal::open(&sealed, &identity, PAYLOAD_BYTES).ok())
            .filter(|opened| opened.len() as u64 == bytes);
        rows.insert(blob, opened);
    }
    Ok(rows)
}

async fn wanted(
    app: &App,
    coalition: &Coalition,
    batch: &[LogItem],
) -> anyhow::Result<Vec<(BlobId, u64, String)>> {
    let mut wanted = Vec::new();
    let mut group = None;
    for item in batch {
        let Ok(envelope) = Envelope::read(&item.sealed, coalition.row.id, coalition.row.lineage)
        else {
            continue;
        };
        if envelope.header.form == Form::Commit || envelope.header.blobs.is_empty() {
            continue;
        }
        let mut db = app.store.read("looking for an own entry").await?;
        if store::outbox::find_by_envelope(&mut db, Hash::of(&item.sealed))
            .await?
            .is_some()
        {
            continue;
        }
        let group = match &mut group {
            Some(group) => group,
            none => none.insert(coalition.group()?),
        };
        let Ok(Opened::Application { plaintext, .. }) = group.open(&envelope.sealed) else {
            continue;
        };
        let Ok(entry) = codec::decode::<Entry>(&plaintext) else {
            continue;
        };
        if let Some(Payload::Blob {
            blob,
            bytes,
            identity: Some(identity),
        }) = entry.payload()
        {
            wanted.push((*blob, *bytes, identity.clone()));
        }
    }
    Ok(wanted)
}

/// The rows of an entry: inside it, from its blob, or, for an own entry, from the outbox.
///
/// # Errors
/// [`store::StoreError`] when the outbox is damaged.
pub fn of_entry(
    app: &App,
    entry: &Entry,
    own: Option<&store::outbox::Outgoing>,
    rows: &RowsByBlob,
) -> store::Result<Option<Vec<u8>>> {
    match entry.payload() {
        None => Ok(None),
        Some(Payload::Inline(bytes)) => Ok(Some(bytes.clone())),
        Some(Payload::Blob { blob, .. }) => match own {
            Some(own) => outbox::rows_plain(app, own),
            None => Ok(rows.get(blob).cloned().flatten()),
        },
    }
}
