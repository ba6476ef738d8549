//! What a node does by itself for a count: one step at a time, each decided by the folded state, so that a
//! node that was killed or away goes on where the log stands.
//!
//! A step is written down in the transaction that puts its entry into the outbox: it happens once. Whatever
//! is wrong with a list ends the count openly; a keeper that cannot be reached is a reason to try again.

use super::say::{points_place, secret_place};
use crate::{
    app::App,
    store::{self, Write},
    sync::{
        keeper_client::{Keeper, KeeperError},
        outbox,
    },
};
use protocol::{
    blob::Manifest,
    codec,
    entry::{
        Entry,
        overlap::{
            Cell, Counts, End, OVERLAP_VERSION, OverlapEnd, OverlapPass, PassFault, PassedList,
        },
    },
    id::{CoalitionId, EntryId, NodeId},
    problem::ProblemKind,
    seal::{self, AgeRecipient},
    state::{
        State,
        overlap::{Ended, OVERLAP_PERIOD, OverlapRow, PassRow},
    },
    token::{
        Point,
        overlap::{Exponent, ListError, POINT_BYTES, Raised, Setting, common},
    },
};

/// Steps of one run of the job; long lists must not keep other work waiting.
const STEPS_AT_ONCE: usize = 4;
/// The step under which the end of a count is written down.
const END: &str = "end";

/// Something that is this node's to do.
#[derive(Debug)]
enum Task {
    /// Raise a list and hand it on.
    Pass {
        list: u8,
        step: u8,
        /// To whom it is sealed.
        readers: Vec<AgeRecipient>,
    },
    /// Count, as the member that was named for it.
    CountForAll { parties: Vec<AgeRecipient> },
    /// Count, as every party does.
    CountForOneself,
    /// Open the counts.
    Open { sealed: Vec<u8> },
}

/// A task with all that is known of its count.
#[derive(Debug)]
struct Due {
    overlap: EntryId,
    row: OverlapRow,
    coalition: CoalitionId,
    min_cell: u64,
    task: Task,
}

/// Takes the steps that are this node's.
///
/// # Errors
/// When a keeper is not reached or the database fails; other steps are taken nevertheless.
pub async fn run(app: &App) -> anyhow::Result<()> {
    let (due, keeper) = {
        let guard = app.coalition.read().await;
        let Some(coalition) = guard.as_ref().filter(|coalition| coalition.is_active()) else {
            return Ok(());
        };
        if coalition.state.overlaps.is_empty() {
            drop(guard);
            return wipe(app, None).await;
        }
        (
            all_due(&coalition.state, app.me),
            Keeper::of(app, coalition),
        )
    };
    let mut failed = None;
    let mut taken = 0;
    for due in due {
        if taken == STEPS_AT_ONCE {
            app.wake.jobs.notify_one();
            break;
        }
        match take(app, &keeper, &due).await {
            Ok(done) => taken += usize::from(done),
            Err(error) => failed = Some(error),
        }
    }
    let state = {
        let guard = app.coalition.read().await;
        guard.as_ref().map(|coalition| ended(&coalition.state))
    };
    wipe(app, state).await?;
    failed.map_or(Ok(()), Err)
}

/// Everything that is a node's to do now, as the log stands.
fn all_due(state: &State, me: NodeId) -> Vec<Due> {
    let min_cell = state.rules().map_or(0, |(_, rules)| rules.min_cell);
    let coalition = state.meta().coalition;
    let mut all = Vec::new();
    for (overlap, row) in state.overlaps_with(me) {
        let tasks = tasks(state, row, me);
        all.extend(tasks.into_iter().map(|task| Due {
            overlap,
            row: row.clone(),
            coalition,
            min_cell,
            task,
        }));
    }
    all
}

fn tasks(state: &State, row: &OverlapRow, me: NodeId) -> Vec<Task> {
    let is_party = row.place(me).is_some();
    if let Some(ended) = &row.ended {
        return match &ended.how {
            Ended::Counted(None) if is_party => vec![Task::CountForOneself],
            Ended::Counted(Some(sealed)) if is_party => vec![Task::Open {
                sealed: sealed.clone(),
            }],
            _ => Vec::new(),
        };
    }
    if !row.is_running() {
        return Vec::new();
    }
    if row.is_passed() {
        let parties = keys(state, &row.parties()).filter(|_| row.ask.counter == Some(me));
        return parties
            .map(|parties| Task::CountForAll { parties })
            .into_iter()
            .collect();
    }
    let pass = |list: u8| {
        let step = row.step(list);
        let mine = row.turn(list, step) == Some(me);
        let readers = keys(state, &row.readers(list, step)).filter(|_| mine)?;
        Some(Task::Pass {
            list,
            step,
            readers,
        })
    };
    (0..row.lists()).filter_map(pass).collect()
}

/// To which keys it is sealed for some members; nothing when one of them has gone.
fn keys(state: &State, nodes: &[NodeId]) -> Option<Vec<AgeRecipient>> {
    let key = |node: &NodeId| {
        state.active(*node)?;
        state.document(*node)?.age_recipient()
    };
    nodes.iter().map(key).collect()
}

/// Takes a step; false when it was taken before.
async fn take(app: &App, keeper: &Keeper, due: &Due) -> anyhow::Result<bool> {
    let mut db = app.store.read("looking at a count").await?;
    let taken = match &due.task {
        Task::Pass { list, step, .. } => {
            store::overlap::has_taken(&mut db, due.overlap, &name(*list, *step)).await?
                || store::overlap::has_taken(&mut db, due.overlap, END).await?
        }
        Task::CountForAll { .. } => store::overlap::has_taken(&mut db, due.overlap, END).await?,
        Task::CountForOneself | Task::Open { .. } => {
            let own = store::overlap::own(&mut db, due.overlap).await?;
            own.is_none_or(|own| own.cells.is_some() || own.note.is_some())
        }
    };
    drop(db);
    if taken {
        return Ok(false);
    }
    match &due.task {
        Task::Pass {
            list,
            step,
            readers,
        } => pass(app, keeper, due, (*list, *step), readers).await?,
        Task::CountForAll { parties } => count_for_all(app, keeper, due, parties).await?,
        Task::CountForOneself => count_for_oneself(app, keeper, due).await?,
        Task::Open { sealed } => open_counts(app, due, sealed).await?,
    }
    Ok(true)
}

fn name(list: u8, step: u8) -> String {
    format!("{list}/{step}")
}

/// Why a list of another party is of no use.
struct Unusable {
    list: u8,
    step: u8,
    fault: PassFault,
}

/// Raises a list and puts it into the outbox for its next reader.
async fn pass(
    app: &App,
    keeper: &Keeper,
    due: &Due,
    (list, step): (u8, u8),
    readers: &[AgeRecipient],
) -> anyhow::Result<()> {
    let mut db = app.store.read("reading the secrets of a count").await?;
    let (secret, points) = store::overlap::secrets(&mut db, due.overlap).await?;
    drop(db);
    // A node that was restored from before it agreed cannot go on: the count expires.
    let Some(secret) = secret else { return Ok(()) };
    let secret = app.rest.open(&secret_place(due.overlap), &secret)?;
    let exponent = <[u8; 32]>::try_from(secret).ok();
    let exponent = exponent.and_then(|bytes| Exponent::from_bytes(&bytes));
    let exponent = exponent.ok_or_else(|| anyhow::anyhow!("the secret of a count is damaged"))?;
    let raised = if step == 0 {
        let Some(points) = points else { return Ok(()) };
        let points = app.rest.open(&points_place(due.overlap), &points)?;
        let setting = Setting {
            coalition: due.coalition,
            overlap: due.overlap,
            generation: due.row.ask.generation,
            kind: due.row.ask.kind,
        };
        tokio::task::spawn_blocking(move || {
            let (points, _) = points.as_chunks::<POINT_BYTES>();
            let points = points.iter().copied().map(Point).collect();
            Raised::own(&setting, points, &exponent)
        })
        .await?
    } else {
        let size = due.row.size(list).unwrap_or(0);
        let before = match fetch(app, keeper, due, list, step - 1).await? {
            Ok(before) => before,
            Err(unusable) => return complain(app, due, &unusable).await,
        };
        let again = move || Raised::again(&before, size, &exponent);
        match tokio::task::spawn_blocking(again).await? {
            Ok(raised) => raised,
            Err(error) => {
                let unusable = Unusable {
                    list,
                    step: step - 1,
                    fault: fault(error),
                };
                return complain(app, due, &unusable).await;
            }
        }
    };
    hand_on(app, due, (list, step), &raised, readers).await
}

async fn hand_on(
    app: &App,
    due: &Due,
    (list, step): (u8, u8),
    raised: &Raised,
    readers: &[AgeRecipient],
) -> anyhow::Result<()> {
    let plain = codec::encode(&PassedList {
        version: OVERLAP_VERSION,
        overlap: due.overlap,
        list,
        step,
        points: raised.to_bytes(),
    });
    let sealed = seal::seal(&plain, readers)?;
    let manifest = Manifest::of(&sealed)?;
    let entry = OverlapPass {
        overlap: due.overlap,
        list,
        step,
        blob: manifest.id(),
        bytes: sealed.len() as u64,
    };
    let mut tx = app.store.write("handing a list on").await?;
    if !store::overlap::take_step(&mut tx, due.overlap, &name(list, step)).await? {
        return Ok(());
    }
    if step == 0 {
        store::overlap::forget_points(&mut tx, due.overlap).await?;
    }
    outbox::keep_blob(app, &mut tx, &manifest, &sealed).await?;
    say(app, tx, entry.into()).await
}

async fn say(app: &App, mut tx: Write, entry: Entry) -> anyhow::Result<()> {
    outbox::queue(app, &mut tx, entry, None).await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok(())
}

/// Ends a count because of a list that cannot be used.
async fn complain(app: &App, due: &Due, unusable: &Unusable) -> anyhow::Result<()> {
    let Unusable { list, step, fault } = *unusable;
    tracing::warn!(overlap = %due.overlap, list, step, ?fault, "a list of a count cannot be used");
    let end = OverlapEnd {
        overlap: due.overlap,
        how: End::Fault { list, step, fault },
    };
    let mut tx = app.store.write("ending a count").await?;
    let note = format!("a list {}", fault.words());
    store::overlap::finish(&mut tx, due.overlap, None, Some(&note)).await?;
    if !store::overlap::take_step(&mut tx, due.overlap, END).await? {
        tx.commit().await?;
        return Ok(());
    }
    say(app, tx, end.into()).await
}

fn fault(error: ListError) -> PassFault {
    match error {
        ListError::Length => PassFault::Length,
        ListError::Order => PassFault::Order,
        ListError::Element => PassFault::Element,
    }
}

/// The points of a list as they were handed on at a step, still to be checked one by one.
async fn fetch(
    app: &App,
    keeper: &Keeper,
    due: &Due,
    list: u8,
    step: u8,
) -> anyhow::Result<Result<Vec<u8>, Unusable>> {
    let unusable = |fault| Err(Unusable { list, step, fault });
    let Some(PassRow { blob, bytes, .. }) = due.row.pass(list, step) else {
        anyhow::bail!("a list was not handed on yet");
    };
    let sealed = match keeper.download(app, *blob, *bytes).await {
        Ok(sealed) => sealed,
        Err(error) if error.kind() == Some(ProblemKind::BlobMissing) => {
            return Ok(unusable(PassFault::Missing));
        }
        Err(KeeperError::Unreadable(_) | KeeperError::TooLong) => {
            return Ok(unusable(PassFault::Unreadable));
        }
        Err(error) => return Err(error.into()),
    };
    let limit = <PassedList as codec::Canonical>::MAX_BYTES;
    let plain = app.keys().open(&sealed, limit).ok();
    let read = plain.and_then(|plain| codec::decode::<PassedList>(&plain).ok());
    let Some(read) = read.filter(|read| read.version == OVERLAP_VERSION) else {
        return Ok(unusable(PassFault::Unreadable));
    };
    if (read.overlap, read.list, read.step) != (due.overlap, list, step) {
        return Ok(unusable(PassFault::Other));
    }
    Ok(Ok(read.points))
}

/// What may be told of the lists that went all the way.
async fn counted(
    app: &App,
    keeper: &Keeper,
    due: &Due,
) -> anyhow::Result<Result<Vec<Cell>, Unusable>> {
    let last = due.row.lists().saturating_sub(1);
    let mut lists = Vec::new();
    for list in 0..due.row.lists() {
        let size = due.row.size(list).unwrap_or(0);
        let points = match fetch(app, keeper, due, list, last).await? {
            Ok(points) => points,
            Err(unusable) => return Ok(Err(unusable)),
        };
        let read = tokio::task::spawn_blocking(move || Raised::read(&points, size)).await?;
        match read {
            Ok(read) => lists.push(read),
            Err(error) => {
                return Ok(Err(Unusable {
                    list,
                    step: last,
                    fault: fault(error),
                }));
            }
        }
    }
    let sizes: Vec<u64> = due.row.sizes.iter().map(|size| size.unwrap_or(0)).collect();
    let counts = tokio::task::spawn_blocking(move || common(&lists)).await?;
    let told = |(lists, count)| Cell::told(lists, count, &sizes, due.min_cell);
    Ok(Ok(counts.into_iter().map(told).collect()))
}

async fn count_for_all(
    app: &App,
    keeper: &Keeper,
    due: &Due,
    parties: &[AgeRecipient],
) -> anyhow::Result<()> {
    let cells = match counted(app, keeper, due).await? {
        Ok(cells) => cells,
        Err(unusable) => return complain(app, due, &unusable).await,
    };
    let counts = codec::encode(&Counts {
        version: OVERLAP_VERSION,
        overlap: due.overlap,
        cells,
    });
    let end = OverlapEnd {
        overlap: due.overlap,
        how: End::Counted(seal::seal(&counts, parties)?),
    };
    let mut tx = app.store.write("counting for others").await?;
    if !store::overlap::take_step(&mut tx, due.overlap, END).await? {
        return Ok(());
    }
    say(app, tx, end.into()).await
}

async fn count_for_oneself(app: &App, keeper: &Keeper, due: &Due) -> anyhow::Result<()> {
    match counted(app, keeper, due).await? {
        Ok(cells) => keep(app, due, &cells).await,
        Err(unusable) => complain(app, due, &unusable).await,
    }
}

async fn keep(app: &App, due: &Due, cells: &[Cell]) -> anyhow::Result<()> {
    let cells = serde_json::to_string(cells)?;
    let mut tx = app.store.write("keeping counts").await?;
    store::overlap::finish(&mut tx, due.overlap, Some(&cells), None).await?;
    tx.commit().await?;
    Ok(())
}

async fn open_counts(app: &App, due: &Due, sealed: &[u8]) -> anyhow::Result<()> {
    let limit = <Counts as codec::Canonical>::MAX_BYTES;
    let plain = app.keys().open(sealed, limit).ok();
    let counts = plain.and_then(|plain| codec::decode::<Counts>(&plain).ok());
    let fits = |counts: &Counts| {
        let sets = counts.cells.iter().map(|cell| cell.lists);
        let several = (0..1_u16 << due.row.lists()).filter(|set| set.count_ones() >= 2);
        counts.version == OVERLAP_VERSION
            && counts.overlap == due.overlap
            && sets.map(u16::from).eq(several)
    };
    if let Some(counts) = counts.filter(fits) {
        return keep(app, due, &counts.cells).await;
    }
    let mut tx = app.store.write("giving up counts").await?;
    let note = "the counts that were sent cannot be read";
    store::overlap::finish(&mut tx, due.overlap, None, Some(note)).await?;
    tx.commit().await?;
    Ok(())
}

/// Counts that ended without a result, and all that the state still knows.
struct Known {
    over: Vec<EntryId>,
    all: Vec<EntryId>,
}

fn ended(state: &State) -> Known {
    let over = state.overlaps.iter().filter(|(_, row)| {
        let how = row.ended.as_ref().map(|ended| &ended.how);
        how.is_some_and(|how| !matches!(how, Ended::Counted(_)))
    });
    Known {
        over: over.map(|(id, _)| *id).collect(),
        all: state.overlaps.iter().map(|(id, _)| *id).collect(),
    }
}

/// Forgets secrets of counts that ended without a result, or that nobody speaks of any more.
async fn wipe(app: &App, known: Option<Known>) -> anyhow::Result<()> {
    let mut db = app.store.read("looking for secrets of counts").await?;
    let held = store::overlap::with_secrets(&mut db).await?;
    drop(db);
    let old = app.now().0 - OVERLAP_PERIOD;
    for (overlap, created_at) in held {
        let overlap: EntryId = overlap.parse()?;
        let known = known.as_ref();
        let over = known.is_some_and(|known| known.over.contains(&overlap));
        let unknown = known.is_none_or(|known| !known.all.contains(&overlap));
        if over || (unknown && created_at < old) {
            let mut tx = app.store.write("forgetting secrets of a count").await?;
            store::overlap::finish(&mut tx, overlap, None, None).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}
