//! Saying what waits: seal and store first, send after. Spec: section 7.2.
//!
//! Ciphertext, MLS state and outbox row are committed together before any byte leaves; a lost answer
//! is answered by sending the same bytes again.

use super::{
    blob_client::Chunks,
    coalition::Coalition,
    keeper_client::Keeper,
    outbox::{self, COMMIT, Intent},
};
use crate::{
    app::App,
    keys::restate,
    store::{
        StoreError, Write,
        outbox::{self as table, Outgoing, Progress},
    },
};
use protocol::{
    chain::{APPEND_BYTES, APPEND_ENTRIES, Append, AppendResult, Sealed},
    codec,
    entry::Class,
    envelope::{ENTRY_BYTES, Envelope, Form, Header},
    fold,
    id::{EntryId, Hash},
    mls::Group,
    problem::ProblemKind,
};

/// The header of a commit of this node.
#[must_use]
pub fn commit_header(app: &App, coalition: &Coalition, entry: EntryId) -> Header {
    header(
        app,
        coalition,
        entry,
        Class::Control,
        Form::Commit,
        Vec::new(),
    )
}

/// The most entries that are sealed in one transaction.
const SEAL_BATCH: i64 = 64;

/// Seals and sends until nothing waits.
///
/// # Errors
/// When the keeper is not reached or the database fails; everything stays in the outbox.
pub async fn step(app: &App) -> anyhow::Result<()> {
    loop {
        let sealed = seal_queued(app).await?;
        let sent = send_sealed(app).await?;
        if sealed == 0 && sent == 0 {
            return Ok(());
        }
    }
}

async fn seal_queued(app: &App) -> anyhow::Result<usize> {
    let mut guard = app.coalition.write().await;
    let Some(coalition) = guard.as_mut().filter(|coalition| coalition.is_active()) else {
        return Ok(0);
    };
    let sealed = seal_batch(app, coalition).await;
    if sealed.is_err() {
        // A commit that reports an error may last all the same; then the group on disk is ahead.
        super::fold::read_back(app, &mut guard).await?;
    }
    sealed
}

async fn seal_batch(app: &App, coalition: &mut Coalition) -> anyhow::Result<usize> {
    let mut tx = app.store.write("sealing entries").await?;
    let is_stale = fold::identity::has_stale_leaf(&coalition.state, app.me);
    // Nothing counts before the leaf is renewed, so that comes first, however much waits.
    let limit = if is_stale { i64::MAX } else { SEAL_BATCH };
    let mut queued = table::in_progress(&mut tx, Progress::Queued, limit).await?;
    if is_stale {
        queued.retain(rekeys);
    }
    if queued.is_empty() {
        return Ok(0);
    }
    let mut group = coalition.group()?;
    let mut sealed = 0;
    for row in &queued {
        sealed += usize::from(seal_one(app, &mut tx, coalition, &mut group, row).await?);
    }
    coalition.write_group(&mut tx, &app.rest, &group).await?;
    tx.commit().await?;
    coalition.settle(&group);
    Ok(sealed)
}

/// Whether a row puts the key of this node's new document into its leaf.
fn rekeys(row: &Outgoing) -> bool {
    let intent = row.intent.as_deref().map(codec::decode::<Intent>);
    intent.is_some_and(|intent| intent.is_ok_and(|intent| intent.rekeys))
}

/// Seals one entry; `false` when it must wait or has ended.
async fn seal_one(
    app: &App,
    tx: &mut Write,
    coalition: &Coalition,
    group: &mut Group,
    row: &Outgoing,
) -> anyhow::Result<bool> {
    if row.kind == COMMIT {
        return build_commit(app, tx, coalition, group, row).await;
    }
    let mut entry = outbox::plain(app, row)?;
    if let Some(anew) = restate::restated(&app.keys(), &coalition.state, &entry) {
        outbox::replace(app, tx, row.entry, &anew).await?;
        entry = anew;
    }
    let header = header(
        app,
        coalition,
        row.entry,
        row.class,
        Form::Application,
        entry.blobs(),
    )
    .with_evidence(entry.evidence());
    let sealed = group.seal(
        &app.mls_key(),
        &header.authenticated(),
        &codec::encode(&entry),
    )?;
    store_envelope(tx, row.entry, Envelope { header, sealed }, None).await
}

async fn build_commit(
    app: &App,
    tx: &mut Write,
    coalition: &Coalition,
    group: &mut Group,
    row: &Outgoing,
) -> anyhow::Result<bool> {
    let intent = row
        .intent
        .as_deref()
        .ok_or_else(|| StoreError::damaged("outbox", "a commit without an intent"))?;
    let intent: Intent = codec::decode(intent)?;
    if !intent.is_wanted(&coalition.state) {
        let why = "it is done, or nobody asks for it any more";
        table::set_final(&mut *tx, row.entry, 0, Some(why)).await?;
        return Ok(false);
    }
    if group.has_pending_commit() {
        return Ok(false);
    }
    let header = commit_header(app, coalition, row.entry);
    let (key, aad) = (app.mls_key(), header.authenticated());
    if intent.rekeys {
        let old = group
            .leaf_key()
            .and_then(|leaf| app.keys().mls_with(leaf))
            .ok_or_else(|| anyhow::anyhow!("this node lost the key of its leaf"))?;
        let commit = group.commit_rekey(&old, &key, app.me, &aad)?;
        let sealed = commit.bytes;
        return store_envelope(tx, row.entry, Envelope { header, sealed }, None).await;
    }
    let commit = match (coalition.state.joins.get(&intent.node), intent.removes) {
        (_, true) => group.commit_remove(&key, &aad, &[intent.node])?,
        (Some(join), false) => group.commit_add(&key, &aad, &[&join.key_package])?,
        (None, false) => return Ok(false),
    };
    let welcome = commit.welcome.map(|welcome| {
        app.rest.seal(
            &outbox::rows_place(row.entry),
            &welcome,
            &mut crate::ambient::rng(),
        )
    });
    store_envelope(
        tx,
        row.entry,
        Envelope {
            header,
            sealed: commit.bytes,
        },
        welcome.as_deref(),
    )
    .await
}

fn header(
    app: &App,
    coalition: &Coalition,
    entry: EntryId,
    class: Class,
    form: Form,
    blobs: Vec<protocol::blob::BlobId>,
) -> Header {
    Header {
        version: coalition.speaks(&app.identity()),
        coalition: coalition.row.id,
        lineage: coalition.row.lineage,
        entry,
        class,
        form,
        blobs,
        author: app.me,
        evidence: None,
    }
}

async fn store_envelope(
    tx: &mut Write,
    entry: EntryId,
    envelope: Envelope,
    welcome: Option<&[u8]>,
) -> anyhow::Result<bool> {
    let bytes = envelope.bytes();
    if bytes.len() > ENTRY_BYTES {
        end_here(tx, entry, "the entry is longer than 64 KiB").await?;
        return Ok(false);
    }
    let hash = Hash::of(&bytes);
    match envelope.header.form {
        Form::Commit => table::set_commit(&mut *tx, entry, &bytes, hash, welcome).await?,
        Form::Application => table::set_sealed(&mut *tx, entry, &bytes, hash).await?,
    }
    Ok(true)
}

async fn send_sealed(app: &App) -> anyhow::Result<usize> {
    let keeper = {
        let guard = app.coalition.read().await;
        let Some(coalition) = guard.as_ref() else {
            return Ok(0);
        };
        Keeper::of(app, coalition)
    };
    let mut db = app.store.read("reading the outbox").await?;
    let limit = i64::try_from(APPEND_ENTRIES).unwrap_or(i64::MAX);
    let waiting = table::in_progress(&mut db, Progress::Sealed, limit).await?;
    drop(db);
    let batch = fitting(waiting);
    if batch.is_empty() {
        return Ok(0);
    }
    for (_, bytes) in &batch {
        upload_blobs(app, &keeper, bytes).await?;
    }
    let append = Append {
        entries: batch
            .iter()
            .map(|(_, bytes)| Sealed(bytes.clone()))
            .collect(),
    };
    let answer = keeper.append(app, &append).await?;
    if answer.results.len() != batch.len() {
        anyhow::bail!("the keeper answered for other entries than were sent");
    }
    let mut taken = 0;
    for ((entry, bytes), result) in batch.iter().zip(answer.results) {
        taken += usize::from(note(app, *entry, bytes, result).await?);
    }
    // Sending the same at once again would bring the same answer.
    anyhow::ensure!(taken > 0, "the keeper did not take what waits yet");
    Ok(batch.len())
}

/// As many of one class as one append carries, in order: what is urgent comes first and does not
/// share the fate of the rest.
fn fitting(waiting: Vec<Outgoing>) -> Vec<(EntryId, Vec<u8>)> {
    let mut bytes = 0;
    let class = waiting.first().map(|row| row.class);
    waiting
        .into_iter()
        .take_while(|row| Some(row.class) == class)
        .filter_map(|row| Some((row.entry, row.envelope?)))
        .take_while(|(_, envelope)| {
            bytes += envelope.len() + 8;
            bytes < APPEND_BYTES
        })
        .collect()
}

/// Uploads what an entry names and this node still holds.
pub(super) async fn upload_blobs(
    app: &App,
    keeper: &Keeper,
    envelope: &[u8],
) -> anyhow::Result<()> {
    let envelope: Envelope = codec::decode(envelope)?;
    for blob in envelope.header.blobs {
        let mut db = app.store.read("reading a blob").await?;
        let Some(row) = crate::store::blob::find(&mut db, blob).await? else {
            continue;
        };
        drop(db);
        keeper.upload(app, &row.manifest, Chunks::Kept).await?;
    }
    Ok(())
}

/// Notes what became of an entry; `false` when it has to be sent again later.
async fn note(
    app: &App,
    entry: EntryId,
    envelope: &[u8],
    result: AppendResult,
) -> anyhow::Result<bool> {
    let is_keeper = app
        .coalition
        .read()
        .await
        .as_ref()
        .is_some_and(|coalition| coalition.is_kept_by(app.me));
    let mut tx = app.store.write("noting an answer").await?;
    match result {
        AppendResult::Ordered { position, .. } => {
            table::set_ordered(&mut tx, entry, position).await?;
            if !is_keeper {
                let envelope: Envelope = codec::decode(envelope)?;
                for blob in envelope.header.blobs {
                    crate::store::blob::remove(&mut tx, blob).await?;
                }
            }
        }
        AppendResult::Refused { code } => match ProblemKind::from_code(&code) {
            Some(ProblemKind::TooLarge | ProblemKind::Unsupported) => {
                end_here(&mut tx, entry, &format!("the keeper refused it: {code}")).await?;
            }
            _ => {
                let why = format!("the keeper did not take it yet: {code}");
                table::set_note(&mut tx, entry, &why).await?;
                tx.commit().await?;
                return Ok(false);
            }
        },
    }
    tx.commit().await?;
    Ok(true)
}

/// Ends an entry that will never be ordered: whoever waits for it learns why, as for a void one.
async fn end_here(tx: &mut Write, entry: EntryId, why: &str) -> crate::store::Result<()> {
    super::react::own_void(tx, entry, why).await?;
    table::set_final(&mut *tx, entry, 0, Some(why)).await
}
