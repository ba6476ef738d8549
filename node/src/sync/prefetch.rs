//! Fetching the rows that a batch needs, before the transaction that folds it: no network in there.
//!
//! Entries with blobs are opened once in a group that is thrown away, to learn which blob holds rows
//! for everybody and how it opens. A batch ends with a commit, so the epochs are known.

use super::{
    coalition::Coalition,
    keeper_client::{Keeper, KeeperError},
    outbox,
};
use crate::{app::App, store};
use protocol::{
    blob::BlobId,
    chain::LogItem,
    codec,
    entry::{
        Entry,
        payload::{PAYLOAD_BYTES, Payload},
    },
    envelope::Form,
    id::Hash,
    mls::Opened,
    seal::{self, AgeIdentity},
};
use std::collections::BTreeMap;

/// Opened rows by the position of the entry that brings them; none where its blob holds no such
/// rows, for all members alike. Two entries may name one blob and disagree about what is in it.
pub type RowsByPosition = BTreeMap<u64, Option<Vec<u8>>>;

/// What an entry says about the blob with its rows.
struct Wanted {
    position: u64,
    blob: BlobId,
    bytes: u64,
    identity: String,
}

/// The longest blob that can hold the rows of an entry: sealing adds a header and little else.
const SEALED_BYTES: u64 = PAYLOAD_BYTES as u64 + 1024 * 1024;

/// The rows that entries of a batch bring in blobs.
///
/// # Errors
/// When a blob cannot be fetched: the fold waits, it never skips.
pub async fn rows(app: &App, batch: &[LogItem]) -> anyhow::Result<RowsByPosition> {
    let (keeper, wanted) = {
        let guard = app.coalition.read().await;
        let Some(coalition) = guard.as_ref() else {
            return Ok(RowsByPosition::new());
        };
        (
            Keeper::of(app, coalition),
            wanted(app, coalition, batch).await?,
        )
    };
    let mut rows = RowsByPosition::new();
    for one in wanted {
        let opened = match keeper.download(app, one.blob, SEALED_BYTES).await {
            Ok(sealed) => open(&sealed, &one),
            // The blob's id says how long it is, so everybody finds it too long for rows.
            Err(KeeperError::TooLong) => None,
            Err(error) => return Err(error.into()),
        };
        rows.insert(one.position, opened);
    }
    Ok(rows)
}

fn open(sealed: &[u8], wanted: &Wanted) -> Option<Vec<u8>> {
    let identity = AgeIdentity::from_secret_text(&wanted.identity).ok()?;
    let opened = seal::open(sealed, &identity, PAYLOAD_BYTES).ok()?;
    (opened.len() as u64 == wanted.bytes).then_some(opened)
}

async fn wanted(
    app: &App,
    coalition: &Coalition,
    batch: &[LogItem],
) -> anyhow::Result<Vec<Wanted>> {
    let mut wanted = Vec::new();
    let mut group = None;
    for item in batch {
        let Ok(envelope) = coalition.envelope(&item.sealed) else {
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
        // An entry that names other blobs than its header is void. The keeper has seen the header's
        // only, so waiting for another one might never end.
        if entry.blobs() != envelope.header.blobs {
            continue;
        }
        if let Some(Payload::Blob {
            blob,
            bytes,
            identity: Some(identity),
        }) = entry.payload()
        {
            wanted.push(Wanted {
                position: item.position,
                blob: *blob,
                bytes: *bytes,
                identity: identity.clone(),
            });
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
    position: u64,
    entry: &Entry,
    own: Option<&store::outbox::Outgoing>,
    rows: &RowsByPosition,
) -> store::Result<Option<Vec<u8>>> {
    match entry.payload() {
        None => Ok(None),
        Some(Payload::Inline(bytes)) => Ok(Some(bytes.clone())),
        Some(Payload::Blob { .. }) => match own {
            Some(own) => outbox::rows_plain(app, own),
            None => Ok(rows.get(&position).cloned().flatten()),
        },
    }
}
