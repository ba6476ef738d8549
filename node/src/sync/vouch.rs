//! Vouching for the log: the keeper's signed heads are checked against what was folded, and this
//! member cosigns what it found. Spec: sections 3 and 5.10.
//!
//! Every member reads every entry, so it computes the root of the log tree itself: that is the
//! consistency check, and it costs no exchange.

use crate::{
    app::App,
    audit::truths,
    store::{
        StoreError, Write, coalition as table, outbox as out,
        proof::{self, Fork, NoteRow},
    },
};
use protocol::{
    chain::LogItem,
    codec,
    entry::housekeeping::Checkpoint,
    fold::{self, At},
    id::{Hash, NodeId},
    identity::{IdentityDocument, KeyUse, PublicKey},
    limits::VOUCHED_APART,
    mls::Group,
    note::{self, Note, NoteSignature, TreeHead},
    state::State,
    time::HOUR,
};

/// A head whose log time is further from this node's clock is not vouched for.
const CLOCK_WITHIN: i64 = HOUR / 6;
/// For how long a node that was set back does not vouch: what it says then names a moment that lies too
/// far behind whatever it said before for the two to be evidence.
const SILENT: i64 = VOUCHED_APART as i64 * 1_000 + 2 * CLOCK_WITHIN;

/// Keeps the subtrees that an item completes, before it is folded, and its chain hash.
pub(super) async fn grow(
    app: &App,
    tx: &mut Write,
    state: &State,
    item: &LogItem,
) -> Result<(), StoreError> {
    let meta = state.meta();
    let chain = item.line().chain(meta.head.chain, meta.head.lineage);
    app.heads.folded(meta.head.lineage, item.position, chain);
    let mut tree = meta.tree;
    let mut nodes = Vec::new();
    tree.push_and_note(item.leaf(meta.head.lineage), |at, hash| {
        nodes.push((at, hash));
    });
    proof::put_nodes(tx, nodes).await
}

/// What a note is held against.
struct Known {
    origin: String,
    head_keys: Vec<HeadKey>,
    position: u64,
}

/// Checks the keeper's note that came with a page, after the page was folded.
///
/// A note beyond what this node has folded is left for a later page: pages end with one that
/// reaches the head. `began` is the position before the page: the keeper may have signed with a key
/// that the page retires.
///
/// # Errors
/// When the note cannot be read or is not the keeper's. A head that shrank or contradicts what this
/// node folded is no error: the evidence is kept, and claims freeze.
pub async fn check(app: &App, text: &str, began: u64) -> anyhow::Result<()> {
    let Some(known) = known(app).await? else {
        return Ok(());
    };
    let shown: Note = text.parse()?;
    let signer =
        signer(&known.head_keys, &shown, began).filter(|_| shown.head.origin == known.origin);
    let signer = signer.ok_or_else(|| anyhow::anyhow!("the note with the page is no keeper's"))?;
    let size = shown.head.size;
    let mut db = app.store.read("checking a head").await?;
    // Keepers differ in how far they are; each by itself never goes back.
    let last = proof::note_of(&mut db, &proof::of_keeper(signer)).await?;
    let before = last.as_ref().map_or(0, |row| row.size.unsigned_abs());
    if size < before {
        let why = format!(
            "E_LOG_FORK: the keeper signed a head over {before} entries, and now one over {size}"
        );
        drop(db);
        return fork(app, why, text, last).await;
    }
    if size > known.position {
        return Ok(());
    }
    let root = proof::root_at(&mut db, size).await?;
    drop(db);
    match root {
        Some(root) if root != shown.head.root => {
            let why = format!(
                "E_LOG_FORK: the head that the keeper signed over {size} entries is not the one that \
                 its entries lead to"
            );
            fork(app, why, text, last).await
        }
        Some(_) if size > before => keep(app, signer, size, text).await,
        _ => Ok(()),
    }
}

async fn known(app: &App) -> anyhow::Result<Option<Known>> {
    let guard = app.coalition.read().await;
    let Some(coalition) = guard.as_ref() else {
        return Ok(None);
    };
    Ok(Some(Known {
        origin: note::origin(coalition.row.id, coalition.row.lineage),
        head_keys: head_keys(&coalition.row, &coalition.state),
        position: coalition.state.meta().head.position,
    }))
}

/// A key for heads of somebody who may have kept the log.
pub(crate) struct HeadKey {
    node: NodeId,
    key: PublicKey,
    /// The position at which it was retired.
    until: Option<u64>,
}

/// The keys for heads of everybody who may have kept the log, retired ones included.
#[must_use]
pub(crate) fn head_keys(row: &table::CoalitionRow, state: &State) -> Vec<HeadKey> {
    let introduced = codec::decode(&row.keeper_document).ok().and_then(
        |signed: protocol::identity::SignedDocument| {
            codec::decode::<IdentityDocument>(&signed.document).ok()
        },
    );
    let introduced = introduced.filter(|document| !state.members.has(&document.node_id));
    let present = state
        .members
        .iter()
        .filter_map(|(node, _)| state.document(*node))
        .chain(introduced)
        .map(|document| (None, document));
    let past = state
        .members
        .iter()
        .flat_map(|(node, _)| fold::identity::past(state, *node))
        .map(|(until, document)| (Some(until), document));
    present
        .chain(past)
        .filter_map(|(until, document)| {
            let key = document.key(KeyUse::Head)?.public;
            let node = document.node_id;
            Some(HeadKey { node, key, until })
        })
        .collect()
}

/// Which keeper signed a note, by a key that was not retired by a position.
#[must_use]
pub(crate) fn signer(head_keys: &[HeadKey], note: &Note, position: u64) -> Option<NodeId> {
    let mut signers = head_keys.iter().filter(|known| {
        known.until.is_none_or(|until| position < until) && note.is_signed_by_keeper(&known.key)
    });
    signers.next().map(|known| known.node)
}

async fn keep(app: &App, signer: NodeId, size: u64, text: &str) -> anyhow::Result<()> {
    let row = |signer: String| NoteRow {
        signer,
        size: crate::store::integer(size),
        note: text.to_owned(),
        at: app.now().0,
    };
    let mut tx = app.store.write("keeping a checked head").await?;
    proof::put_note(&mut tx, &row(proof::of_keeper(signer))).await?;
    let largest = proof::note_of(&mut tx, proof::KEEPER).await?;
    if largest.is_none_or(|largest| largest.size.unsigned_abs() < size) {
        proof::put_note(&mut tx, &row(proof::KEEPER.to_owned())).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn fork(app: &App, why: String, shown: &str, known: Option<NoteRow>) -> anyhow::Result<()> {
    let fork = Fork {
        why: why.clone(),
        shown: shown.to_owned(),
        known: known.map(|row| row.note),
        at: app.now().0,
    };
    let mut tx = app.store.write("keeping evidence of two histories").await?;
    proof::put_fork(&mut tx, &fork).await?;
    tx.commit().await?;
    tracing::error!(why, "the log has two histories");
    Ok(())
}

/// Keeps the hashes where members compare, and speaks when it is this node's turn, a day began, or
/// it has answered a share (`answers`): then two organizations vouch for the log that the share stands
/// in. A node that is on its way back (`answers` is none) keeps the hashes alone.
pub(super) async fn checkpoint(
    app: &App,
    tx: &mut Write,
    state: &State,
    group: &Group,
    at: At,
    answers: Option<bool>,
) -> anyhow::Result<()> {
    let turn = fold::checkpoint_turn(state);
    let owes =
        answers == Some(true) || turn == Some(app.me) || fold::owes_daily_checkpoint(state, app.me);
    let speaks = owes
        && answers.is_some()
        && out::waiting_of(&mut *tx, "checkpoint").await? == 0
        && may_vouch(app, tx, state).await?;
    if turn.is_none() && !speaks {
        return Ok(());
    }
    let (hash, authenticator) = (state.hash(), group.authenticator());
    table::put_fold_hash(&mut *tx, at.position, hash, authenticator).await?;
    if speaks {
        let entry = build(app, state, hash, authenticator);
        super::outbox::queue(app, tx, entry.into(), None).await?;
    }
    Ok(())
}

/// Whether this node may vouch for the log where it stands: what it signs names a moment by its own
/// clock, and what it signed before it was set back, an hour or more before. So it never gives two words
/// for one length of the log that count as two truths, whatever it has forgotten.
async fn may_vouch(app: &App, tx: &mut Write, state: &State) -> Result<bool, StoreError> {
    let (now, head) = (app.now(), state.meta().head);
    let is_now = now.since(head.log_time).abs() <= CLOCK_WITHIN;
    let not_before = proof::vouches_from(&mut *tx).await?;
    let last = proof::note_of(&mut *tx, &app.me.to_string()).await?;
    let last: Option<Note> = last.and_then(|row| row.note.parse().ok());
    let origin = note::origin(state.meta().coalition, head.lineage);
    // Who was removed and comes in again is given a state, not the entries that lead to it.
    let is_new =
        last.is_none_or(|last| last.head.origin != origin || last.head.size < head.position);
    Ok(is_now && is_new && not_before.is_none_or(|from| now >= from))
}

/// This node was set back and does not know what it vouched for: it is silent for a while.
///
/// # Errors
/// [`StoreError`].
pub(super) async fn was_set_back(app: &App, tx: &mut Write) -> Result<(), StoreError> {
    proof::vouch_from(&mut *tx, app.now().plus(SILENT)).await
}

/// A checkpoint of the state as it is, with this member's cosignature.
#[must_use]
pub fn build(app: &App, state: &State, hash: Hash, authenticator: Hash) -> Checkpoint {
    let meta = state.meta();
    let head = TreeHead {
        origin: note::origin(meta.coalition, meta.head.lineage),
        size: meta.head.position,
        root: meta.tree.root(),
    };
    let seconds = (meta.head.log_time.0 / 1_000).unsigned_abs();
    Checkpoint {
        position: head.size,
        state: hash,
        authenticator,
        root: head.root,
        seconds,
        cosignature: head.cosigned(
            &app.keys().stating().signing_key(KeyUse::Statement),
            seconds,
        ),
    }
}

/// Whether a member found the root that this node found; keeps its cosignature when it did. The
/// fold has checked that the cosignature holds.
pub(super) async fn cosigned(
    app: &App,
    tx: &mut Write,
    state: &State,
    author: NodeId,
    checkpoint: &Checkpoint,
) -> Result<bool, StoreError> {
    let meta = state.meta();
    let head = TreeHead {
        origin: note::origin(meta.coalition, meta.head.lineage),
        size: checkpoint.position,
        root: checkpoint.root,
    };
    let key = state
        .document(author)
        .and_then(|document| document.key(KeyUse::Statement).map(|key| key.public));
    let (Some(own), Some(key)) = (proof::root_at(&mut *tx, head.size).await?, key) else {
        return Ok(true);
    };
    let line = NoteSignature::member(author, &key, checkpoint.seconds, checkpoint.cosignature);
    let agrees = own == head.root;
    let size = head.size;
    let shown = Note {
        head,
        signatures: vec![line],
    };
    truths::cosigned(app, tx, state, author, &shown).await?;
    let text = shown.to_string();
    if !agrees {
        let known = proof::note_of(&mut *tx, proof::KEEPER).await?;
        let fork = Fork {
            why: format!(
                "E_ROOT_DIFFERS: {} cosigned another root over {size} entries than this node folded",
                author.short()
            ),
            shown: text,
            known: known.map(|row| row.note),
            at: app.now().0,
        };
        proof::put_fork(&mut *tx, &fork).await?;
        return Ok(false);
    }
    let row = NoteRow {
        signer: author.to_string(),
        size: crate::store::integer(size),
        note: text,
        at: app.now().0,
    };
    let before = proof::note_of(&mut *tx, &row.signer).await?;
    if before.is_none_or(|before| before.size < row.size) {
        proof::put_note(&mut *tx, &row).await?;
    }
    Ok(true)
}
