//! A coalition's only keeper after a restore: it takes back what members hold of its log. Spec: section 8.10.
//!
//! The lines of a tail count when they lead from the end of its own log to a head that its own key has
//! signed; so nobody can add, change or leave out an entry. The bytes of an entry count when they have
//! the hash of its line. What nobody holds any more is named, not hidden.

use super::{circle, keeps_nothing, machine::End, running};
use crate::{
    app::App,
    federation::{
        rejoin::GroupNow,
        repair::{RepairNow, Word},
    },
    http::problem::Failure,
    store::{
        self,
        coalition::Phase,
        repair::{self as table, Repair, Stage},
        way_back,
    },
    sync::{coalition::Coalition, fold, vouch},
};
use protocol::{
    chain::{LogItem, LogLine, READ_ITEMS},
    codec,
    id::{Hash, NodeId},
    limits::REPAIR_LINES,
    note::{self, Note},
    problem::ProblemKind,
};
use std::collections::BTreeMap;

/// Why a restored keeper keeps nothing, as its pages and commands say it.
pub(super) const LONE: &str = "this node is the coalition's only keeper and its database is older than what it has \
    ordered: it was restored from a backup or copied. It orders, grants and signs nothing until the members have \
    handed back the log that they hold; their nodes do it by themselves as soon as they reach this one. See who is \
    missing with `commonturf coalition keep-again --lone --dry-run`";

/// Whether the agreement, as far as this node has read, names it and nobody else as a keeper.
pub(crate) fn is_alone(app: &App) -> bool {
    let circle = app.kept.circle();
    circle.is_some_and(|circle| {
        let mut keepers = circle.keepers();
        keepers.next() == Some(app.me) && keepers.next().is_none()
    })
}

/// The repair as the database has it.
pub(super) async fn stored(app: &App) -> Result<Option<Repair>, Failure> {
    let mut db = app.store.read("looking for a repair").await?;
    Ok(table::find(&mut db).await?)
}

/// Begins to gather what members hold, unless this keeper does so already.
pub(super) async fn begin(app: &App) -> Result<(), Failure> {
    let lineage = app.kept.circle().ok_or_else(keeps_nothing)?.lineage;
    let known = stored(app).await?;
    if known.is_none_or(|known| known.stage != Stage::Gathering) {
        let mut tx = app.store.write("beginning a repair").await?;
        let end = store::keeper::head(&mut tx, lineage).await?;
        table::begin(&mut tx, end.position, app.now().0).await?;
        tx.commit().await?;
    }
    app.kept.set_stage(Some(Stage::Gathering));
    let phase = {
        let guard = app.coalition.read().await;
        guard.as_ref().map(|coalition| coalition.row.phase)
    };
    if matches!(phase, Some(Phase::Active | Phase::Stopped)) {
        // What it would seal with its old state could use a key twice.
        fold::set_phase(app, Phase::Restored, Some(LONE))
            .await
            .map_err(Failure::internal)?;
    }
    Ok(())
}

/// What this keeper tells a member of its repair.
///
/// # Errors
/// [`Failure`] when the database fails.
pub async fn now(app: &App, caller: NodeId, after: u64) -> Result<RepairNow, Failure> {
    // Whoever asks first after a start must not be told that nothing is wrong.
    let _ = running(app).await;
    let circle = app.kept.circle().ok_or_else(keeps_nothing)?;
    let mut db = app.store.read("telling of a repair").await?;
    let head = store::keeper::head(&mut db, circle.lineage).await?;
    let tree = store::proof::keeper_tree(&mut db, circle.lineage).await?;
    let mut told = RepairNow {
        stage: app.kept.stage().map_or(RepairNow::DONE, RepairNow::stage),
        position: head.position,
        root: tree.root(),
        lacks: Vec::new(),
        heard: None,
        wants_group: false,
        commit: None,
    };
    let Some(repair) = table::find(&mut db).await? else {
        return Ok(told);
    };
    match repair.stage {
        Stage::Done => {}
        Stage::Gathering => {
            let limit = i64::try_from(READ_ITEMS).unwrap_or(i64::MAX);
            told.lacks = table::lacking(&mut db, repair.before, after, limit).await?;
            let words = table::words(&mut db).await?;
            told.heard = words
                .iter()
                .find(|(node, _)| *node == caller)
                .map(|(_, reached)| *reached);
        }
        Stage::Returning => {
            let sent = way_back::find(&mut db)
                .await?
                .and_then(|sent| sent.envelope);
            if let Some(sent) = &sent {
                let ordered = store::keeper::position_of(&mut db, Hash::of(sent)).await?;
                let told_of = repair.came.map(|(position, _)| position);
                told.commit = ordered
                    .map(|(position, _)| position)
                    .filter(|position| told_of != Some(*position));
            }
            let known = repair.group.map(|(position, _)| position);
            told.wants_group = sent.is_none() && known != Some(head.position);
        }
    }
    Ok(told)
}

fn refused(detail: impl Into<String>) -> Failure {
    Failure::new(ProblemKind::TailRefused, detail)
}

/// Takes what a member hands back.
///
/// # Errors
/// `tail-refused` when it is not this keeper's own log; `conflict` when nothing of the kind is needed now.
pub async fn hear(app: &App, caller: NodeId, word: Word) -> Result<(), Failure> {
    let _ = running(app).await;
    let stage = app.kept.stage();
    match (stage, word) {
        (Some(Stage::Gathering), Word::Lines { note, lines }) => {
            lines_back(app, &note, &lines).await
        }
        (Some(Stage::Gathering), Word::Items { items }) => items_back(app, &items).await,
        (Some(Stage::Gathering), Word::Said { reached }) => {
            let mut tx = app.store.write("noting who has handed back").await?;
            table::put_word(&mut tx, caller, reached, app.now().0).await?;
            tx.commit().await?;
            app.wake.jobs.notify_one();
            Ok(())
        }
        (Some(Stage::Returning), Word::Group { position, now }) => {
            let mut tx = app.store.write("keeping the group from a member").await?;
            let lineage = app.kept.circle().ok_or_else(keeps_nothing)?.lineage;
            let end = store::keeper::head(&mut tx, lineage).await?.position;
            if end == position {
                table::set_group(&mut tx, position, &codec::encode(&now)).await?;
                tx.commit().await?;
                app.wake.jobs.notify_one();
            }
            Ok(())
        }
        (Some(Stage::Returning), Word::State { position, snapshot }) => {
            let mut tx = app.store.write("noting where the state lies").await?;
            table::set_came(&mut tx, position, snapshot).await?;
            tx.commit().await?;
            app.wake.jobs.notify_one();
            Ok(())
        }
        _ => Err(Failure::new(
            ProblemKind::Conflict,
            "this keeper does not need that now; ask it what it lacks",
        )),
    }
}

/// Whether this node's own key for heads signed a note, and of this very log.
fn must_be_own(app: &App, coalition: &Coalition, text: &str) -> Result<Note, Failure> {
    let note: Note = text
        .parse()
        .map_err(|error| refused(format!("the head cannot be read: {error}")))?;
    if note.head.origin != note::origin(coalition.row.id, coalition.row.lineage) {
        return Err(refused("the head is one of another log"));
    }
    // By any key that it ever had: what it signed it signed.
    let keys = vouch::head_keys(&coalition.row, &coalition.state);
    if vouch::signer(&keys, &note, 0) == Some(app.me) {
        Ok(note)
    } else {
        Err(refused("this keeper has not signed that head"))
    }
}

/// Puts lines behind the log, if they end in a head that this keeper signed.
async fn lines_back(app: &App, text: &str, lines: &[LogLine]) -> Result<(), Failure> {
    if lines.len() > REPAIR_LINES {
        return Err(refused(format!(
            "a tail has at most {REPAIR_LINES} lines; restore a newer copy of this keeper"
        )));
    }
    let (note, lineage) = {
        let guard = app.coalition.read().await;
        let coalition = guard.as_ref().ok_or_else(keeps_nothing)?;
        (must_be_own(app, coalition, text)?, coalition.row.lineage)
    };
    let mut tx = app.store.write("taking back a tail").await?;
    let mut end = End::read(&mut tx, lineage).await?;
    if note.head.size <= end.position() {
        let own = match note.head.size == end.position() {
            true => Some(end.root()),
            false => store::proof::root_at(&mut tx, note.head.size).await?,
        };
        return match own {
            Some(own) if own != note.head.root => Err(refused(
                "this keeper signed another head of the same length; that is proof of two histories",
            )),
            _ => Ok(()),
        };
    }
    let begin = end.position();
    let mut next = lines.iter().filter(|line| line.position > begin);
    while end.position() < note.head.size {
        let line = next
            .next()
            .ok_or_else(|| refused("the tail ends before the head that it came with"))?;
        end.extend(&mut tx, line)
            .await?
            .map_err(|error| refused(error.to_string()))?;
    }
    if next.next().is_some() {
        return Err(refused(
            "the tail goes on behind the head that it came with",
        ));
    }
    if end.root() != note.head.root {
        return Err(refused(
            "the lines do not lead to the head that this keeper signed: one was altered, left out or added, or \
             the copy is of another log",
        ));
    }
    end.write(&mut tx).await?;
    tx.commit().await?;
    app.wake
        .kept
        .send_modify(|kept| *kept = end.position().max(*kept));
    tracing::info!(
        from = begin,
        to = end.position(),
        "a member handed back lines of the log"
    );
    Ok(())
}

/// Puts bytes behind their lines, all or none.
async fn items_back(app: &App, items: &[LogItem]) -> Result<(), Failure> {
    if items.len() > READ_ITEMS {
        return Err(Failure::new(
            ProblemKind::TooLarge,
            format!("a page has at most {READ_ITEMS} entries"),
        ));
    }
    let mut tx = app.store.write("taking back what was said").await?;
    for item in items {
        let (author, class) = super::machine::shown(&item.sealed);
        if !table::fill(&mut tx, item, author, class).await? {
            return Err(refused(format!(
                "the entry at position {} is not the one that this keeper ordered there",
                item.position
            )));
        }
    }
    Ok(tx.commit().await?)
}

/// How the repair of the only keeper stands.
#[derive(Debug, serde::Serialize)]
pub struct Report {
    /// How far it has come.
    pub stage: Stage,
    /// The last position in the copy that was restored.
    pub before: u64,
    /// The last position now.
    pub position: u64,
    /// Entries of which nobody has handed back more than the line.
    pub without_bytes: u64,
    /// The members at the time of the copy, and how far each that has handed back had read.
    pub members: Vec<MemberWord>,
    /// Whether the word of somebody is missing.
    pub missing: bool,
}

/// What one member has handed back.
#[derive(Debug, serde::Serialize)]
pub struct MemberWord {
    /// Its node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// How far it has read; none while it has handed back nothing.
    pub reached: Option<u64>,
}

/// How the repair stands, if there was one since this node's database was made.
///
/// # Errors
/// [`Failure`] when the database fails.
pub async fn report(app: &App) -> Result<Option<Report>, Failure> {
    let mut db = app.store.read("reading a repair").await?;
    let Some(repair) = table::find(&mut db).await? else {
        return Ok(None);
    };
    let words: BTreeMap<NodeId, u64> = table::words(&mut db).await?.into_iter().collect();
    let (without_bytes, _) = table::lost(&mut db, repair.before).await?;
    drop(db);
    let guard = app.coalition.read().await;
    let Some(coalition) = guard.as_ref() else {
        return Ok(None);
    };
    let others = coalition
        .state
        .roster()
        .filter(|(node, _)| **node != app.me);
    let members: Vec<MemberWord> = others
        .map(|(node, member)| MemberWord {
            node: *node,
            name: member.name.clone(),
            reached: words.get(node).copied(),
        })
        .collect();
    Ok(Some(Report {
        stage: repair.stage,
        before: repair.before,
        position: match repair.stage {
            Stage::Done => repair.after.unwrap_or_default(),
            _ => *app.wake.kept.borrow(),
        },
        without_bytes,
        missing: members.iter().any(|member| member.reached.is_none()),
        members,
    }))
}

/// Opens the log again once every member has handed back what it holds.
///
/// # Errors
/// When the database fails.
pub async fn run(app: &App) -> anyhow::Result<()> {
    if app.kept.stage() != Some(Stage::Gathering) {
        return Ok(());
    }
    let said = |failure: Failure| anyhow::anyhow!("{}", failure.0.title);
    match report(app).await.map_err(said)? {
        Some(report) if !report.missing && !report.members.is_empty() => {
            open(app).await.map_err(said)
        }
        _ => Ok(()),
    }
}

/// A person says that the log opens with what was handed back. A dry run changes nothing.
///
/// # Errors
/// `conflict` when nothing is to be repaired here.
pub async fn keep_again_alone(app: &App, dry_run: bool) -> Result<Report, Failure> {
    let _ = running(app).await;
    let report = report(app).await?.filter(|report| {
        report.stage == Stage::Gathering && app.kept.stage() == Some(Stage::Gathering)
    });
    let report = report.ok_or_else(|| {
        Failure::new(
            ProblemKind::Conflict,
            "this node is not an only keeper in repair; nothing has to be done",
        )
    })?;
    if !dry_run {
        open(app).await?;
    }
    Ok(report)
}

/// Ends the gathering: the log is read from again, under a new Raft id, and this node comes back.
async fn open(app: &App) -> Result<(), Failure> {
    circle::refresh(app).await;
    // Without the file a start finds promises that nothing vouches for, and gathers on.
    match std::fs::remove_file(app.dir.mark()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(Failure::internal(error));
        }
        _ => {}
    }
    let alone = {
        let guard = app.coalition.read().await;
        let state = guard.as_ref().map(|coalition| &coalition.state);
        state.is_some_and(|state| state.roster().all(|(node, _)| *node == app.me))
    };
    let lineage = app.kept.circle().ok_or_else(keeps_nothing)?.lineage;
    let mut tx = app.store.write("opening a repaired log").await?;
    let repair = table::find(&mut tx).await?.ok_or_else(keeps_nothing)?;
    if let (_, Some(last)) = table::lost(&mut tx, repair.before).await? {
        store::keeper::note_pruned(&mut tx, last).await?;
    }
    let end = store::keeper::head(&mut tx, lineage).await?.position;
    // Where nobody else was a member, nobody can give the group, and nobody has read what was said.
    let next = if alone { Stage::Done } else { Stage::Returning };
    table::set_stage(&mut tx, next, Some(end)).await?;
    if alone {
        store::coalition::set_phase(&mut tx, Phase::Active, None).await?;
    }
    store::raft::forget(&mut tx).await?;
    store::raft::begin(&mut tx, super::start::drawn()).await?;
    tx.commit().await?;
    if alone {
        fold::set_phase(app, Phase::Active, None)
            .await
            .map_err(Failure::internal)?;
    }
    tracing::warn!(position = end, "the only keeper opens its log again");
    running(app).await?;
    app.wake.jobs.notify_one();
    app.wake.joined.notify_waiters();
    Ok(())
}

/// The group as a member gave it, at the end of this log.
///
/// # Errors
/// `unavailable` until a member has given it.
pub async fn group(app: &App) -> Result<GroupNow, Failure> {
    let lineage = app.kept.circle().ok_or_else(keeps_nothing)?.lineage;
    let mut db = app.store.read("looking for the group").await?;
    let end = store::keeper::head(&mut db, lineage).await?.position;
    let repair = table::find(&mut db).await?;
    let given = repair.and_then(|repair| repair.group);
    match given.filter(|(position, _)| *position == end) {
        Some((_, bytes)) => codec::decode(&bytes)
            .map_err(|error| store::StoreError::damaged("keeper_repair", error).into()),
        None => Err(Failure::new(
            ProblemKind::Unavailable,
            "no member has given the group yet",
        )),
    }
}

/// What a member tells of this node's commit from outside.
///
/// # Errors
/// When the database fails.
pub async fn came(app: &App) -> Result<Option<(u64, Option<protocol::blob::BlobId>)>, Failure> {
    Ok(stored(app).await?.and_then(|repair| repair.came))
}
