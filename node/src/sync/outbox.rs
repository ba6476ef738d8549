//! Deciding to say something: the entry waits in the outbox, in the transaction that decided it.

use crate::{
    app::App,
    store::{
        Result, StoreError, Write,
        outbox::{self as table, New, Outgoing, Progress},
    },
};
use minicbor::{Decode, Encode};
use protocol::{
    blob::Manifest,
    codec::{self, Canonical},
    comparison::Comparison,
    entry::{
        Class, Entry,
        payload::{INLINE_BYTES, Payload},
    },
    fold,
    id::{EntryId, Hash, NodeId},
    seal::{self, AgeIdentity, AgeRecipient},
    state::State,
    time::DAY,
};
use std::time::Duration;

/// Rows made ready to travel: in the entry, or in a blob beside it.
#[derive(Debug)]
pub struct Packed {
    /// What the entry carries.
    pub payload: Payload,
    blob: Option<(Manifest, Vec<u8>)>,
}

/// Packs rows that every member reads; large ones are sealed to an identity that the entry names.
///
/// # Errors
/// When sealing fails, which it does for no valid rows.
pub fn pack(rows: &[u8]) -> anyhow::Result<Packed> {
    if rows.len() <= INLINE_BYTES {
        return Ok(Packed {
            payload: Payload::Inline(rows.to_vec()),
            blob: None,
        });
    }
    let identity = AgeIdentity::generate(&mut crate::ambient::rng());
    let sealed = seal::seal(rows, &[identity.recipient()])?;
    let manifest = Manifest::of(&sealed)?;
    let payload = Payload::Blob {
        blob: manifest.id(),
        bytes: rows.len() as u64,
        identity: Some(identity.to_secret_text().to_string()),
    };
    Ok(Packed {
        payload,
        blob: Some((manifest, sealed)),
    })
}

/// Seals bytes to one recipient; large ones travel in a blob.
///
/// # Errors
/// When sealing fails.
pub fn pack_for(recipient: AgeRecipient, bytes: &[u8]) -> anyhow::Result<Packed> {
    let sealed = seal::seal(bytes, &[recipient])?;
    if sealed.len() <= INLINE_BYTES {
        return Ok(Packed {
            payload: Payload::Inline(sealed),
            blob: None,
        });
    }
    let manifest = Manifest::of(&sealed)?;
    let payload = Payload::Blob {
        blob: manifest.id(),
        bytes: bytes.len() as u64,
        identity: None,
    };
    Ok(Packed {
        payload,
        blob: Some((manifest, sealed)),
    })
}

/// Keeps ciphertext in the caller's transaction until the keeper has it.
///
/// # Errors
/// [`StoreError`].
pub async fn keep_blob(
    app: &App,
    tx: &mut Write,
    manifest: &Manifest,
    sealed: &[u8],
) -> Result<()> {
    let now = app.now();
    let days = crate::federation::blob::BLOB_DAYS;
    crate::store::blob::declare(&mut *tx, manifest, app.me, now, now.plus(days * DAY)).await?;
    for (n, chunk) in (0..).zip(sealed.chunks(crate::federation::CHUNK)) {
        crate::store::blob::put_chunk(&mut *tx, manifest.id(), n, chunk).await?;
    }
    Ok(())
}

/// Queues an entry in the caller's transaction and returns its id.
///
/// `rows` are what was packed into the entry, with their plain bytes; the caller wakes the outbox
/// after it has committed.
///
/// # Errors
/// [`StoreError`].
pub async fn queue(
    app: &App,
    tx: &mut Write,
    entry: Entry,
    rows: Option<(&Packed, &[u8])>,
) -> Result<EntryId> {
    let id = EntryId::random(&mut crate::ambient::rng());
    queue_as(app, tx, id, entry, rows).await?;
    Ok(id)
}

/// As [`queue`], with an id that the caller has chosen.
///
/// # Errors
/// [`StoreError`].
pub async fn queue_as(
    app: &App,
    tx: &mut Write,
    id: EntryId,
    entry: Entry,
    rows: Option<(&Packed, &[u8])>,
) -> Result<()> {
    let mut rows_plain = None;
    if let Some((packed, plain)) = rows
        && let Some((manifest, sealed)) = &packed.blob
    {
        keep_blob(app, tx, manifest, sealed).await?;
        // Rows for one recipient are not needed to fold the echo.
        if matches!(
            packed.payload,
            Payload::Blob {
                identity: Some(_),
                ..
            }
        ) {
            rows_plain = Some(
                app.rest
                    .seal(&rows_place(id), plain, &mut crate::ambient::rng()),
            );
        }
    }
    let plain = app.rest.seal(
        &plain_place(id),
        &codec::encode(&entry),
        &mut crate::ambient::rng(),
    );
    let new = New {
        entry: id,
        kind: entry.kind(),
        class: entry.class(),
        plain: &plain,
        rows_plain: rows_plain.as_deref(),
        intent: None,
    };
    table::insert(&mut *tx, &new, app.now().0).await
}

/// What a commit is for; it is built when it is sent, and built again when it loses a race.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Intent {
    /// Who comes or goes.
    #[n(0)]
    pub node: NodeId,
    /// Whether it goes.
    #[n(1)]
    pub removes: bool,
    /// Whether it puts the key of this node's new document into its leaf.
    #[n(2)]
    pub rekeys: bool,
    /// What a person has compared with the newcomer: another request of it is not meant.
    #[n(3)]
    pub compared: Option<Hash>,
}

impl Intent {
    /// Whether the coalition still waits for it.
    #[must_use]
    pub fn is_wanted(&self, state: &State) -> bool {
        if self.rekeys {
            fold::identity::has_stale_leaf(state, self.node)
        } else if self.removes {
            fold::parting::is_settled(state, self.node)
        } else {
            state
                .joins
                .get(&self.node)
                .is_some_and(|join| self.compared == Some(Comparison::of_newcomer(state, join).0))
        }
    }
}

impl Canonical for Intent {
    const WHAT: &'static str = "intent of a commit";
    const MAX_BYTES: usize = 128;
}

/// Queues a change of the group.
///
/// # Errors
/// [`StoreError`].
pub async fn queue_commit(app: &App, tx: &mut Write, intent: &Intent) -> Result<EntryId> {
    let id = EntryId::random(&mut crate::ambient::rng());
    let intent = codec::encode(intent);
    let new = New {
        entry: id,
        kind: COMMIT,
        class: Class::Control,
        plain: &[],
        rows_plain: None,
        intent: Some(&intent),
    };
    table::insert(&mut *tx, &new, app.now().0).await?;
    Ok(id)
}

/// The kind under which a commit stands in the outbox.
pub const COMMIT: &str = "commit";

/// The entry that waits in a row.
///
/// # Errors
/// [`StoreError`] when the row is damaged.
pub fn plain(app: &App, row: &Outgoing) -> Result<Entry> {
    let bytes = app
        .rest
        .open(&plain_place(row.entry), &row.plain)
        .map_err(|error| StoreError::damaged("outbox", error))?;
    codec::decode(&bytes).map_err(|error| StoreError::damaged("outbox", error))
}

/// Puts another form of an entry that waits in its place.
///
/// # Errors
/// [`StoreError`].
pub async fn replace(app: &App, tx: &mut Write, id: EntryId, entry: &Entry) -> Result<()> {
    let place = plain_place(id);
    let plain = app
        .rest
        .seal(&place, &codec::encode(entry), &mut crate::ambient::rng());
    table::set_plain(&mut *tx, id, &plain).await
}

/// The rows, or the Welcome, that wait beside an entry.
///
/// # Errors
/// [`StoreError`] when the row is damaged.
pub fn rows_plain(app: &App, row: &Outgoing) -> Result<Option<Vec<u8>>> {
    let open = |sealed: &Vec<u8>| {
        app.rest
            .open(&rows_place(row.entry), sealed)
            .map_err(|error| StoreError::damaged("outbox", error))
    };
    row.rows_plain.as_ref().map(open).transpose()
}

fn plain_place(id: EntryId) -> String {
    format!("outbox/plain/{id}")
}

/// To what rows beside an entry are sealed.
#[must_use]
pub fn rows_place(id: EntryId) -> String {
    format!("outbox/rows/{id}")
}

/// What became of an entry that was waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It took effect.
    Done,
    /// It changed nothing, for this reason.
    Void(String),
    /// It has not come back yet; it stays in the outbox.
    Waiting,
}

/// Waits until an entry's echo was folded, or the patience is over.
///
/// # Errors
/// [`StoreError`].
pub async fn wait(app: &App, entry: EntryId, patience: Duration) -> Result<Fate> {
    let mut folded = app.wake.folded.subscribe();
    let arrival = async {
        loop {
            let mut db = app.store.read("waiting for an entry").await?;
            let row = table::find(&mut db, entry).await?;
            drop(db);
            match row.map(|row| (row.progress, row.note)) {
                Some((Progress::Done, _)) | None => return Ok(Fate::Done),
                Some((Progress::Void, note)) => return Ok(Fate::Void(note.unwrap_or_default())),
                Some(_) => {}
            }
            if folded.changed().await.is_err() {
                return Ok(Fate::Waiting);
            }
        }
    };
    tokio::time::timeout(patience, arrival)
        .await
        .unwrap_or(Ok(Fate::Waiting))
}
