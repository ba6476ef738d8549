//! Folding: MLS state, folded state, this node's own tables and the cursor in one transaction.
//!
//! A crash at any point repeats work and never loses or doubles it. What is void by rule is void for
//! all; what only this node cannot follow stops it, and it never skips. Spec: section 7.

use super::{
    coalition::Coalition,
    echo,
    inside::{self, Inside},
    parted,
    prefetch::{self, RowsByPosition},
    react, returned, rotated, vouch,
};
use crate::{
    app::App,
    audit::truths,
    store::{
        StoreError, Write,
        coalition::{self as table, Phase},
        history::{self, Line},
        outbox::{self as out, Outgoing},
        proof, tail,
    },
};
use protocol::{
    chain::{LogItem, Page},
    codec,
    entry::Entry,
    envelope::{Envelope, Form, Header},
    fold::{self, At, Content, Outcome, Void},
    id::Hash,
    limits::TAIL_STEP,
    mls::{Group, Staged},
};
use std::time::Duration;

/// The most entries of one transaction; beyond it nothing is gained.
const FOLD_BATCH: usize = 64;
/// How long the fold waits before it asks an unwilling database again.
const READ_BACK_EVERY: Duration = Duration::from_secs(1);

/// Why this node stops folding: a person must look.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Stop(pub String);

/// Why only this node cannot follow: it comes back from outside, by itself.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Lost(pub String);

/// Folds a page of entries.
///
/// # Errors
/// [`Stop`] when this node cannot go on, and whatever the database or the keeper brings; the
/// entries that were folded before stay folded.
pub async fn page(app: &App, page: Page) -> anyhow::Result<()> {
    let mut rest = page.items.as_slice();
    while !rest.is_empty() {
        let (batch, after) = rest.split_at(batch_length(rest));
        let rows = prefetch::rows(app, batch).await?;
        batch_in_one_transaction(app, batch, &rows).await?;
        if app
            .coalition
            .read()
            .await
            .as_ref()
            .is_none_or(|coalition| !coalition.reads())
        {
            return Ok(());
        }
        rest = after;
    }
    let first = page.items.first().map(|item| item.position);
    let began = first.map_or(page.head.position, |first| first.saturating_sub(1));
    vouch::check(app, &page.note, began).await?;
    let guard = app.coalition.read().await;
    let phase = guard.as_ref().map(|coalition| coalition.row.phase);
    let head = guard.as_ref().map(|coalition| coalition.state.meta().head);
    match head {
        Some(own) if own.position == page.head.position && own.chain != page.head.chain => {
            // The signed head of this answer is evidence by now. This node goes on with what it has,
            // so that what it must say still goes out.
            anyhow::bail!("the keeper shows another history than this node has folded")
        }
        // As far as the old state goes: now a new one.
        Some(own) if own.position == page.head.position && phase == Some(Phase::Restored) => {
            let why = guard.as_ref().and_then(|c| c.row.stopped_because.clone());
            drop(guard);
            set_phase(app, Phase::Returning, why.as_deref()).await
        }
        _ => Ok(()),
    }
}

/// A batch ends with the first commit, so that the epochs in it are known.
fn batch_length(items: &[LogItem]) -> usize {
    let is_commit = |item: &LogItem| {
        codec::decode::<Envelope>(&item.sealed)
            .is_ok_and(|envelope| envelope.header.form == Form::Commit)
    };
    let until_commit = items
        .iter()
        .position(is_commit)
        .map_or(items.len(), |n| n + 1);
    until_commit.min(FOLD_BATCH)
}

async fn batch_in_one_transaction(
    app: &App,
    batch: &[LogItem],
    rows: &RowsByPosition,
) -> anyhow::Result<()> {
    let mut guard = app.coalition.write().await;
    let Some(coalition) = guard.as_mut() else {
        return Ok(());
    };
    match try_batch(app, coalition, batch, rows).await {
        Ok(position) => {
            drop(guard);
            app.wake.folded.send_replace(position);
            app.wake.jobs.notify_one();
            app.wake.outbox.notify_one();
            Ok(())
        }
        Err(error) => {
            read_back(app, &mut guard).await?;
            if !error.is::<Stop>() && !error.is::<Lost>() {
                return Err(error);
            }
            up_to_the_stop(app, &mut guard, batch, rows).await?;
            drop(guard);
            match error.downcast_ref::<Lost>() {
                Some(Lost(why)) => {
                    tracing::error!(why, "this node has lost the group and is on its way back");
                    set_phase(app, Phase::Returning, Some(why)).await?;
                    app.wake.jobs.notify_one();
                    Err(error)
                }
                None => stop(app, &error.to_string()).await,
            }
        }
    }
}

/// Folds what stands before the entry that stops this node, one by one: a node that was restored from
/// a backup carries out the notices that it can still read.
async fn up_to_the_stop(
    app: &App,
    coalition: &mut Option<Coalition>,
    batch: &[LogItem],
    rows: &RowsByPosition,
) -> anyhow::Result<()> {
    for item in batch {
        let Some(folding) = coalition.as_mut() else {
            return Ok(());
        };
        let one = std::slice::from_ref(item);
        if try_batch(app, folding, one, rows).await.is_err() {
            return read_back(app, coalition).await;
        }
    }
    Ok(())
}

/// Memory and disk may differ: nobody may see memory before it was read back, however long that takes.
pub(super) async fn read_back(app: &App, coalition: &mut Option<Coalition>) -> anyhow::Result<()> {
    loop {
        let read = async {
            let mut db = app.store.read("reading the coalition back").await?;
            Coalition::load(&mut db, &app.rest).await
        };
        match read.await {
            Ok(read) => {
                *coalition = read;
                return Ok(());
            }
            Err(error) => {
                tracing::error!(%error, "the coalition cannot be read back from the database")
            }
        }
        if !app.life.pause(READ_BACK_EVERY).await {
            *coalition = None;
            anyhow::bail!("the node stopped while its database did not answer");
        }
    }
}

/// Moves this node to another phase, on disk and in memory.
///
/// # Errors
/// When the database fails.
pub async fn set_phase(app: &App, phase: Phase, why: Option<&str>) -> anyhow::Result<()> {
    let mut guard = app.coalition.write().await;
    let mut tx = app.store.write("moving to another phase").await?;
    table::set_phase(&mut tx, phase, why).await?;
    tx.commit().await?;
    if let Some(coalition) = guard.as_mut() {
        coalition.row.phase = phase;
        coalition.row.stopped_because = why.map(str::to_owned);
    }
    Ok(())
}

async fn stop(app: &App, why: &str) -> anyhow::Result<()> {
    set_phase(app, Phase::Stopped, Some(why)).await?;
    tracing::error!(why, "this node has stopped folding the coalition log");
    Err(Stop(why.to_owned()).into())
}

async fn try_batch(
    app: &App,
    coalition: &mut Coalition,
    batch: &[LogItem],
    rows: &RowsByPosition,
) -> anyhow::Result<u64> {
    let mut tx = app.store.write("folding a batch").await?;
    let mut group = coalition.group()?;
    let start = coalition.state.meta().head.position;
    for item in batch.iter().filter(|item| item.position > start) {
        one(app, &mut tx, coalition, &mut group, item, rows).await?;
    }
    keep_copies(app, &mut tx, coalition, batch, start).await?;
    let changes = coalition.state.take_changes();
    table::put_state(&mut tx, &changes).await?;
    if group.is_active() {
        coalition.write_group(&mut tx, &app.rest, &group).await?;
        tx.commit().await?;
        coalition.settle(&group);
        crate::keys::reload_if_changed(app, &coalition.state).await?;
    } else {
        let why = parted::gone(app, &mut tx, &coalition.state).await?;
        tx.commit().await?;
        coalition.row.phase = Phase::Gone;
        coalition.row.stopped_because = Some(why);
    }
    Ok(coalition.state.meta().head.position)
}

/// Keeps what was read, sealed as it is, where one keeper alone has it besides: that keeper may lose it.
async fn keep_copies(
    app: &App,
    tx: &mut Write,
    coalition: &Coalition,
    batch: &[LogItem],
    start: u64,
) -> Result<(), StoreError> {
    if coalition.is_kept_by(app.me) || fold::agreement::keepers(&coalition.state).len() > 1 {
        return Ok(());
    }
    let read: Vec<&LogItem> = batch.iter().filter(|item| item.position > start).collect();
    tail::put(&mut *tx, &read).await?;
    match read.last() {
        Some(last) if last.position / TAIL_STEP > start / TAIL_STEP => {
            tail::let_go(tx, last.position, last.log_time).await
        }
        _ => Ok(()),
    }
}

async fn one(
    app: &App,
    tx: &mut Write,
    coalition: &mut Coalition,
    group: &mut Group,
    item: &LogItem,
    rows: &RowsByPosition,
) -> anyhow::Result<()> {
    vouch::grow(app, tx, &coalition.state, item).await?;
    let ended =
        fold::advance(&mut coalition.state, item).map_err(|error| Stop(error.to_string()))?;
    react::claims_ended(tx, &ended).await?;
    let mut line = Line::of(&item.line());
    let own = out::find_by_envelope(&mut *tx, Hash::of(&item.sealed)).await?;
    let envelope = match coalition.envelope(&item.sealed) {
        Ok(envelope) => envelope,
        Err(error) => {
            line.void = Some(Void::Envelope(error.to_string()).to_string());
            history::insert(&mut *tx, &line).await?;
            return Ok(());
        }
    };
    line.entry_id = Some(envelope.header.entry.to_string());
    // A repeated id is void before its seal is looked at: opening the same commit twice would not work.
    let inside = if fold::is_repeated(&coalition.state, envelope.header.entry) {
        Inside::Void(Void::Repeated)
    } else {
        inside::open(app, group, &envelope, own.as_ref())?
    };
    let shown = inside.shown(&envelope.header);
    let void = match inside {
        Inside::Void(void) => Some(void),
        inside => {
            let at = At {
                position: item.position,
                time: item.log_time,
                author: inside.author(app.me),
                entry: envelope.header.entry,
            };
            line.author = Some(at.author.to_string());
            line.kind = inside.kind().to_owned();
            apply(
                app,
                tx,
                coalition,
                group,
                at,
                &envelope.header,
                inside,
                own.as_ref(),
                rows,
            )
            .await?
            .err()
        }
    };
    if let Some(entry) = shown.filter(|_| void.is_none()) {
        proof::put_shown(&mut *tx, item, envelope.header.entry, &entry).await?;
    }
    line.void = void.as_ref().map(ToString::to_string);
    history::insert(&mut *tx, &line).await?;
    if let Some(own) = own {
        echo::finish_own(
            tx,
            &coalition.state,
            group,
            (app.me, &own),
            item.position,
            void.as_ref(),
        )
        .await?;
    }
    Ok(())
}

/// An entry that is no commit, with its rows.
async fn say(
    app: &App,
    tx: &mut Write,
    coalition: &mut Coalition,
    at: At,
    header: &Header,
    (entry, rows): (&Entry, Option<&[u8]>),
) -> anyhow::Result<Result<(), Void>> {
    let content = Content::Entry(entry, rows);
    let outcome = match fold::apply(&mut coalition.state, at, header, content) {
        Ok(outcome) => outcome,
        Err(void) => {
            if let Entry::Identity(identity) = entry {
                let (state, bytes) = (&coalition.state, &identity.document);
                truths::refused_document(app, tx, state, bytes).await?;
            }
            return Ok(Err(void));
        }
    };
    let event = react::Event {
        at,
        entry,
        rows,
        outcome: &outcome,
    };
    react::entry(app, tx, &coalition.state, &event).await?;
    Ok(Ok(()))
}

#[expect(
    clippy::too_many_arguments,
    reason = "one entry and everything that it may change"
)]
async fn apply(
    app: &App,
    tx: &mut Write,
    coalition: &mut Coalition,
    group: &mut Group,
    at: At,
    header: &Header,
    inside: Inside,
    own: Option<&Outgoing>,
    rows: &RowsByPosition,
) -> anyhow::Result<Result<(), Void>> {
    let counted = coalition.state.meta().counted;
    let mut answers = at.author == app.me && inside.kind() == "share_received";
    match inside {
        Inside::Void(void) => return Ok(Err(void)),
        Inside::Entry { entry, .. } => {
            let rows = prefetch::of_entry(app, at.position, &entry, own, rows)?;
            let said = (&entry, rows.as_deref());
            if let Err(void) = say(app, tx, coalition, at, header, said).await? {
                return Ok(Err(void));
            }
        }
        Inside::Commit {
            added,
            removed,
            author_key,
            opens,
            rejoin,
            staged,
            ..
        } => {
            let content = Content::Commit {
                added: &added,
                removed: &removed,
                author_key,
                opens,
                rejoin,
            };
            let outcome = match follow(coalition, group, at, header, content, staged)? {
                Ok(outcome) => outcome,
                Err(void) => return Ok(Err(void)),
            };
            if at.author == app.me {
                react::admitted(app, tx, &coalition.state, at, &added, own).await?;
            }
            if let Outcome::Parted(claims) = &outcome {
                react::claims_ended(tx, claims).await?;
            }
            if rejoin {
                returned::help(app, tx, &coalition.state, at).await?;
                answers = returned::vouches(&coalition.state, at.author, app.me);
            }
            if !group.is_active() {
                return Ok(Ok(()));
            }
            rotated::keep(app, tx, &coalition.state, group, at).await?;
        }
    }
    if coalition.state.meta().counted > counted {
        // A node on its way back does not vouch: it does not know what it said.
        let owes = match coalition.row.phase {
            Phase::Active => Some(answers),
            _ => None,
        };
        vouch::checkpoint(app, tx, &coalition.state, group, at, owes).await?;
    }
    Ok(Ok(()))
}

/// Follows a change of the group that the fold accepts, and forgets an own one that is void.
fn follow(
    coalition: &mut Coalition,
    group: &mut Group,
    at: At,
    header: &Header,
    content: Content<'_>,
    staged: Option<Box<Staged>>,
) -> anyhow::Result<Result<Outcome, Void>> {
    let verdict = fold::apply(&mut coalition.state, at, header, content);
    match (&verdict, staged) {
        (Ok(_), Some(staged)) => {
            group.merge(*staged)?;
        }
        (Ok(_), None) => {
            group.merge_own()?;
        }
        (Err(_), Some(_)) => {}
        (Err(_), None) => group.discard_pending()?,
    }
    Ok(verdict)
}
