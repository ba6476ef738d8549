//! The log that keepers order. Spec: section 8.2.
//!
//! A position means: on disk at a majority of them. A keeper judges caller, size, shape and blobs, never what is inside.

use super::raft;
use crate::{app::App, http::problem::Failure, store};
use protocol::{
    chain::{AppendResult, Appended, OUTLINE_LINES, Outline, Page, READ_BYTES, READ_ITEMS, Sealed},
    envelope::Envelope,
    id::{CoalitionId, Hash, Lineage, NodeId},
    identity::KeyUse,
    note::{self, TreeHead},
    problem::ProblemKind,
    sign::LogPoint,
};
use sqlx::AnyConnection;

async fn numbering(app: &App) -> Result<(CoalitionId, Lineage), Failure> {
    let coalition = app.coalition.read().await;
    let row = coalition
        .as_ref()
        .filter(|coalition| coalition.is_kept_by(app.me))
        .map(|coalition| &coalition.row);
    row.map(|row| (row.id, row.lineage))
        .ok_or_else(|| Failure::new(ProblemKind::UnknownCoalition, "this node keeps no log"))
}

/// Orders entries and answers for each what became of it, after all of them are on disk at a majority
/// of the keepers.
///
/// # Errors
/// [`Failure`]: `not-leader`, `no-quorum`; `outcome-unknown`, and then the same bytes may be sent again.
pub async fn append(app: &App, author: NodeId, entries: Vec<Sealed>) -> Result<Appended, Failure> {
    let (coalition, lineage) = numbering(app).await?;
    let running = raft::running(app).await?;
    let mut results = Vec::with_capacity(entries.len());
    let mut proposed = Vec::new();
    let mut db = app.store.read("judging entries").await?;
    for Sealed(bytes) in entries {
        let judged = judge(&mut db, (coalition, lineage), author, &bytes).await?;
        if judged.is_none() {
            proposed.push(Sealed(bytes));
        }
        results.push(judged);
    }
    drop(db);
    if !proposed.is_empty() {
        running.must_lead(app.me)?;
        let placed = running.order(app.now(), proposed).await?;
        let mut placed = placed.into_iter();
        for result in results.iter_mut().filter(|result| result.is_none()) {
            *result = placed
                .next()
                .map(|(position, log_time)| AppendResult::Ordered { position, log_time });
        }
    }
    let results: Option<Vec<AppendResult>> = results.into_iter().collect();
    let results = results.ok_or_else(|| Failure::new(ProblemKind::OutcomeUnknown, ""))?;
    Ok(Appended { results })
}

/// What becomes of an entry without ordering it: it stands in the log already, or is refused. None
/// when it is to be ordered.
async fn judge(
    db: &mut AnyConnection,
    (coalition, lineage): (CoalitionId, Lineage),
    author: NodeId,
    bytes: &[u8],
) -> Result<Option<AppendResult>, Failure> {
    let refused = |kind: ProblemKind| {
        Some(AppendResult::Refused {
            code: kind.code().to_owned(),
        })
    };
    if let Some((position, log_time)) =
        store::keeper::position_of(&mut *db, Hash::of(bytes)).await?
    {
        return Ok(Some(AppendResult::Ordered { position, log_time }));
    }
    let envelope = match Envelope::read(bytes, coalition, lineage) {
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
        let whole = store::blob::find(&mut *db, *blob)
            .await?
            .is_some_and(|row| row.missing == 0);
        if !whole {
            return Ok(refused(ProblemKind::BlobMissing));
        }
    }
    Ok(None)
}

/// Entries after a position, as many as fit a page.
///
/// # Errors
/// [`Failure`] when the database fails.
pub async fn page(app: &App, after: u64) -> Result<Page, Failure> {
    let (coalition, lineage) = numbering(app).await?;
    raft::running(app).await?.must_be_readable().await?;
    let mut db = app.store.read("reading the log").await?;
    // The tree first, then the head: what is appended meanwhile is in the next page.
    let tree = store::proof::keeper_tree(&mut db, lineage).await?;
    let head = store::keeper::head(&mut db, lineage).await?;
    let limit = i64::try_from(READ_ITEMS).unwrap_or(i64::MAX);
    let pruned = store::keeper::pruned(&mut db).await?;
    if after < pruned {
        return Err(Failure::new(
            ProblemKind::LogPruned,
            format!("this keeper holds what was said after position {pruned} only"),
        ));
    }
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
    .signed(&app.keys().known_at(Some(after)).signing_key(KeyUse::Head))
    .to_string();
    Ok(Page { items, head, note })
}

/// Lines after a position: enough to continue chain and tree where what was said is gone.
///
/// # Errors
/// As [`page`].
pub async fn outline(app: &App, after: u64) -> Result<Outline, Failure> {
    numbering(app).await?;
    raft::running(app).await?.must_be_readable().await?;
    let mut db = app.store.read("reading lines of the log").await?;
    let limit = i64::try_from(OUTLINE_LINES).unwrap_or(i64::MAX);
    Ok(Outline {
        pruned: store::keeper::pruned(&mut db).await?,
        lines: store::keeper::lines(&mut db, after, limit).await?,
    })
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

/// Shows readers where the log stands, before anybody reads, and takes part among the keepers.
///
/// # Errors
/// When the database fails. A keeper whose database went back in time starts, and keeps nothing.
pub async fn start(app: &App) -> anyhow::Result<()> {
    let Ok((_, lineage)) = numbering(app).await else {
        return Ok(());
    };
    let mut db = app.store.read("reading the head").await?;
    let head = store::keeper::head(&mut db, lineage).await?;
    drop(db);
    app.wake.kept.send_replace(head.position);
    raft::change::run(app).await
}
