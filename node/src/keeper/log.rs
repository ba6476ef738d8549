//! The log that this keeper orders. Spec: section 8.2.
//!
//! A position means: on disk. The keeper judges caller, size, shape and blobs, never what is inside.

use crate::{
    app::App,
    http::problem::Failure,
    store::{self, Write},
};
use protocol::{
    chain::{AppendResult, Appended, Head, LogItem, Page, READ_BYTES, READ_ITEMS, Sealed},
    envelope::Envelope,
    id::{CoalitionId, Hash, Lineage, NodeId},
    identity::KeyUse,
    note::{self, TreeHead},
    problem::ProblemKind,
    sign::LogPoint,
};

async fn numbering(app: &App) -> Result<(CoalitionId, Lineage), Failure> {
    let coalition = app.coalition.read().await;
    let row = coalition
        .as_ref()
        .filter(|coalition| coalition.is_kept_by(app.me))
        .map(|coalition| &coalition.row);
    row.map(|row| (row.id, row.lineage))
        .ok_or_else(|| Failure::new(ProblemKind::UnknownCoalition, "this node keeps no log"))
}

/// Orders entries and answers for each what became of it, after all of them are on disk.
///
/// # Errors
/// [`Failure`] when the database fails; then nothing was ordered.
pub async fn append(app: &App, author: NodeId, entries: Vec<Sealed>) -> Result<Appended, Failure> {
    let (coalition, lineage) = numbering(app).await?;
    let mut tx = app.store.write("ordering entries").await?;
    let mut head = store::keeper::head(&mut tx, lineage).await?;
    let mut tree = store::proof::keeper_tree(&mut tx, lineage).await?;
    let mut results = Vec::with_capacity(entries.len());
    for Sealed(bytes) in entries {
        let before = head.position;
        let leaf = |head: &Head| {
            let sealed = Hash::of(&bytes);
            protocol::chain::leaf(lineage, head.position, head.log_time, sealed)
        };
        let result = order(app, &mut tx, &mut head, coalition, author, bytes.clone()).await?;
        if head.position > before {
            tree.push(leaf(&head));
        }
        results.push(result);
    }
    store::proof::put_keeper_tree(&mut tx, &tree).await?;
    tx.commit().await?;
    app.wake.kept.send_if_modified(|kept| {
        let moved = head.position > *kept;
        *kept = head.position.max(*kept);
        moved
    });
    Ok(Appended { results })
}

async fn order(
    app: &App,
    tx: &mut Write,
    head: &mut Head,
    coalition: CoalitionId,
    author: NodeId,
    bytes: Vec<u8>,
) -> Result<AppendResult, Failure> {
    let refused = |kind: ProblemKind| AppendResult::Refused {
        code: kind.code().to_owned(),
    };
    let hash = Hash::of(&bytes);
    if let Some((position, log_time)) = store::keeper::position_of(&mut *tx, hash).await? {
        return Ok(AppendResult::Ordered { position, log_time });
    }
    let envelope = match Envelope::read(&bytes, coalition, head.lineage) {
        Ok(envelope) => envelope,
        Err(protocol::envelope::EnvelopeError::Codec(protocol::codec::CodecError::TooLong {
            ..
        })) => {
            return Ok(refused(ProblemKind::TooLarge));
        }
        Err(_) => return Ok(refused(ProblemKind::Unsupported)),
    };
    if envelope.header.author != author {
        return Ok(refused(ProblemKind::Forbidden));
    }
    for blob in &envelope.header.blobs {
        let whole = store::blob::find(&mut *tx, *blob)
            .await?
            .is_some_and(|row| row.missing == 0);
        if !whole {
            return Ok(refused(ProblemKind::BlobMissing));
        }
    }
    let item = LogItem {
        position: head.position + 1,
        log_time: app.now().max(head.log_time),
        sealed: bytes,
    };
    let next = head.after(&item).map_err(Failure::internal)?;
    store::keeper::append(&mut *tx, &item, next.chain, author, envelope.header.class).await?;
    *head = next;
    Ok(AppendResult::Ordered {
        position: item.position,
        log_time: item.log_time,
    })
}

/// Entries after a position, as many as fit a page.
///
/// # Errors
/// [`Failure`] when the database fails.
pub async fn page(app: &App, after: u64) -> Result<Page, Failure> {
    let (coalition, lineage) = numbering(app).await?;
    let mut db = app.store.read("reading the log").await?;
    // The tree first, then the head: what is appended meanwhile is in the next page.
    let tree = store::proof::keeper_tree(&mut db, lineage).await?;
    let head = store::keeper::head(&mut db, lineage).await?;
    let limit = i64::try_from(READ_ITEMS).unwrap_or(i64::MAX);
    let mut items = store::keeper::after(&mut db, after, limit).await?;
    let mut bytes = 0;
    let fitting = items
        .iter()
        .take_while(|item| {
            bytes += item.sealed.len();
            item.position <= head.position && bytes <= READ_BYTES
        })
        .count();
    items.truncate(fitting);
    let note = TreeHead {
        origin: note::origin(coalition, lineage),
        size: tree.size(),
        root: tree.root(),
    }
    .signed(&app.secrets.signing_key(KeyUse::Head))
    .to_string();
    Ok(Page { items, head, note })
}

/// Compares what a member has folded with this log: another chain at the same position is a fork.
///
/// # Errors
/// A `fork-suspected` problem.
pub async fn check_seen(app: &App, seen: Option<LogPoint>) -> Result<(), Failure> {
    let (_, lineage) = numbering(app).await?;
    let Some(seen) = seen.filter(|seen| seen.position > 0) else {
        return Ok(());
    };
    let mut db = app.store.read("comparing histories").await?;
    let chain = store::keeper::chain_at(&mut db, seen.position).await?;
    let same = seen.lineage == lineage && chain.is_none_or(|chain| chain == seen.chain);
    if same {
        Ok(())
    } else {
        Err(Failure::new(
            ProblemKind::ForkSuspected,
            "the member has folded another history than this keeper's",
        ))
    }
}

/// Shows readers where the log stands, before anybody reads.
///
/// # Errors
/// When the database fails.
pub async fn start(app: &App) -> anyhow::Result<()> {
    let Ok((_, lineage)) = numbering(app).await else {
        return Ok(());
    };
    let mut db = app.store.read("reading the head").await?;
    let head = store::keeper::head(&mut db, lineage).await?;
    app.wake.kept.send_replace(head.position);
    Ok(())
}
