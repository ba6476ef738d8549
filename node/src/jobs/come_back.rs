//! The way back into the group, for a node whose state was lost, restored or stopped.
//!
//! It asks a keeper for the group, makes a commit from outside onto its own leaf, appends it, and
//! adopts the new group once the coalition has accepted the commit. What was said in between comes
//! as the folded state at that commit; the log itself is read and chained all the same, so a keeper
//! cannot hand over the state of another log. Before that the node says nothing: a message sealed
//! with an old state would use a key twice. Spec: mls.md, section 6.

use crate::{
    app::App,
    federation::join::Admission,
    store::{
        self,
        coalition::Phase,
        history::{self, Line},
        repair::Stage,
        way_back::{self, Try},
    },
    sync::{
        append,
        coalition::{Coalition, open_rows, seal_row},
        keeper_client::Keeper,
        returned,
    },
};
use protocol::{
    chain::{Append, AppendResult, Head, LogLine, Sealed},
    envelope::Envelope,
    id::{EntryId, Hash},
    merkle::{Subtree, Tree},
    mls::{Group, MlsError, Overlay, Rows, STORAGE_FORMAT},
    problem::ProblemKind,
    state::{SNAPSHOT_BYTES, State},
};

/// The first pause after a try that failed, in milliseconds; it doubles.
const PAUSE_FIRST: i64 = 10_000;
/// The longest pause between tries, in milliseconds.
const PAUSE_MOST: i64 = 600_000;

/// Goes one step on the way back, if this node is on it.
///
/// # Errors
/// When the keeper is not reached, or what it hands out does not fit together.
pub async fn run(app: &App) -> anyhow::Result<()> {
    let (keeper, road) = {
        let guard = app.coalition.read().await;
        let Some(coalition) = guard
            .as_ref()
            .filter(|coalition| coalition.row.phase == Phase::Returning)
        else {
            return Ok(());
        };
        let meta = coalition.state.meta();
        let keepers = Keeper::of(app, coalition);
        // An only keeper in repair asks itself: members have told it what others would ask a keeper.
        let keepers = match app.kept.stage() {
            Some(Stage::Gathering) => return Ok(()),
            Some(Stage::Returning) => keepers,
            _ => keepers.others(),
        };
        (keepers, Road::from(meta.head, meta.tree))
    };
    anyhow::ensure!(
        keeper.node().is_some(),
        "this node alone keeps the log, so nobody can hand it the group"
    );
    let mut db = app.store.read("reading the way back").await?;
    let known = way_back::find(&mut db).await?;
    drop(db);
    let sent = match known {
        Some(known) if known.envelope.is_some() => known,
        known => match build(app, &keeper, known).await? {
            Some(new) => new,
            None => return Ok(()),
        },
    };
    let envelope = sent.envelope.clone().unwrap_or_default();
    let append = Append {
        entries: vec![Sealed(envelope.clone())],
    };
    let answer = keeper.append(app, &append).await?;
    let position = match answer.results.as_slice() {
        [AppendResult::Ordered { position, .. }] => *position,
        [AppendResult::Refused { code }] => anyhow::bail!("the keeper did not take it yet: {code}"),
        _ => anyhow::bail!("the keeper answered for other entries than were sent"),
    };
    let road = road.to(app, &keeper, position, &envelope).await?;
    // Each keeper makes a snapshot of its own, so it is fetched from the one that names it.
    let mut folded = false;
    for one in keeper.each() {
        let Ok(standing) = one.standing(app).await else {
            continue; // another may have it
        };
        match standing.admission {
            Some(admission) if admission.position == position => {
                return come_in(app, &one, &sent, road, &admission).await;
            }
            _ => folded |= standing.folded >= position,
        }
    }
    if folded {
        failed(app, sent).await
    } else {
        Ok(()) // no keeper has read it yet
    }
}

/// Makes the commit from outside and keeps it, before any byte leaves.
async fn build(app: &App, keeper: &Keeper, before: Option<Try>) -> anyhow::Result<Option<Try>> {
    if before
        .as_ref()
        .is_some_and(|before| app.now().0 < before.next_at)
    {
        return Ok(None);
    }
    let now = match keeper.group_now(app).await {
        Ok(now) => now,
        // No member has given it yet.
        Err(error)
            if app.kept.stage() == Some(Stage::Returning)
                && error.kind() == Some(ProblemKind::Unavailable) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    if now.not_before.is_some_and(|moment| app.now() < moment) {
        return Ok(None);
    }
    let entry = EntryId::random(&mut crate::ambient::rng());
    let header = {
        let guard = app.coalition.read().await;
        let Some(coalition) = guard.as_ref() else {
            return Ok(None);
        };
        append::commit_header(app, coalition, entry)
    };
    let aad = header.authenticated();
    let (group, sealed) = rejoin(app, &now.group_info, &aad)?;
    let new = Try {
        entry,
        envelope: Some(Envelope { header, sealed }.bytes()),
        group_id: group.id(),
        tries: before.map_or(0, |before| before.tries),
        next_at: 0,
    };
    let changes = group.changes();
    let rows: Vec<(Vec<u8>, Vec<u8>)> = changes
        .iter()
        .filter_map(|(k, v)| Some((k.clone(), seal_row(&app.rest, k, v.as_ref()?))))
        .collect();
    let mut tx = app.store.write("keeping the way back").await?;
    way_back::put(&mut tx, &new, &rows).await?;
    tx.commit().await?;
    Ok(Some(new))
}

/// Takes the own leaf again, under whichever own key it bears there.
fn rejoin(app: &App, group_info: &[u8], aad: &[u8]) -> Result<(Group, Vec<u8>), MlsError> {
    let mut made = Err(MlsError::Leaf);
    for key in app.keys().leaf_keys() {
        let overlay = Overlay::from_rows(Rows::new());
        made = Group::rejoin(overlay, &key, app.me, group_info, aad);
        if !matches!(made, Err(MlsError::Leaf)) {
            break;
        }
    }
    made
}

/// The commit was void: another one came first, or it came too soon. It is made anew, never resent.
async fn failed(app: &App, sent: Try) -> anyhow::Result<()> {
    let pause = PAUSE_FIRST
        .saturating_mul(1 << sent.tries.clamp(0, 10))
        .min(PAUSE_MOST);
    let next = Try {
        envelope: None,
        tries: sent.tries + 1,
        next_at: app.now().plus(pause).0,
        ..sent
    };
    let mut tx = app.store.write("noting a failed way back").await?;
    way_back::put(&mut tx, &next, &[]).await?;
    tx.commit().await?;
    tracing::warn!(tries = next.tries, "coming back did not succeed yet");
    Ok(())
}

/// The lines of the log between what this node folded and its commit: chained, not opened.
struct Road {
    head: Head,
    tree: Tree,
    nodes: Vec<(Subtree, Hash)>,
    lines: Vec<Line>,
}

impl Road {
    fn from(head: Head, tree: Tree) -> Self {
        Self {
            head,
            tree,
            nodes: Vec::new(),
            lines: Vec::new(),
        }
    }

    async fn to(
        mut self,
        app: &App,
        keeper: &Keeper,
        position: u64,
        envelope: &[u8],
    ) -> anyhow::Result<Self> {
        let mut last = None;
        while self.head.position < position {
            let outline = keeper.outline(app, self.head.position).await?;
            anyhow::ensure!(
                !outline.lines.is_empty(),
                "the keeper gives fewer entries than it has ordered"
            );
            for line in outline.lines {
                if self.head.position < position {
                    self.step(&line)?;
                    last = Some(line.sealed);
                }
            }
        }
        anyhow::ensure!(
            self.head.position == position && last == Some(Hash::of(envelope)),
            "the log has another entry where this node's own should stand"
        );
        Ok(self)
    }

    fn step(&mut self, line: &LogLine) -> anyhow::Result<()> {
        self.head = self.head.after_line(line)?;
        let leaf = line.leaf(self.head.lineage);
        let nodes = &mut self.nodes;
        self.tree
            .push_and_note(leaf, |at, hash| nodes.push((at, hash)));
        self.lines.push(Line {
            kind: "not read".to_owned(),
            ..Line::of(line)
        });
        Ok(())
    }
}

/// Adopts the group and the state, and makes good what this node's tables missed.
async fn come_in(
    app: &App,
    keeper: &Keeper,
    sent: &Try,
    road: Road,
    admission: &Admission,
) -> anyhow::Result<()> {
    let most = SNAPSHOT_BYTES as u64;
    let sealed = keeper.download(app, admission.snapshot, most).await?;
    let snapshot = app.keys().open(&sealed, SNAPSHOT_BYTES)?;
    let (state, changes) = State::from_snapshot(&snapshot)?;
    let mut guard = app.coalition.write().await;
    let Some(coalition) = guard.as_mut() else {
        return Ok(());
    };
    let mut tx = app.store.write("coming back").await?;
    let rows = open_rows(&app.rest, way_back::rows(&mut tx).await?)?;
    let group = Group::load(Overlay::from_rows(rows), sent.group_id)?
        .ok_or_else(|| anyhow::anyhow!("the rows of the way back are gone"))?;
    check(app, coalition, &state, &group, &road)?;
    store::coalition::replace_state(&mut tx, &changes).await?;
    store::proof::put_nodes(&mut tx, road.nodes).await?;
    for line in &road.lines {
        history::insert(&mut tx, line).await?;
    }
    let (hash, authenticator) = (state.hash(), group.authenticator());
    store::coalition::put_fold_hash(&mut tx, admission.position, hash, authenticator).await?;
    way_back::adopt(&mut tx, sent.group_id, STORAGE_FORMAT).await?;
    returned::make_good(app, &mut tx, &state).await?;
    let before = coalition.state.meta().generation;
    returned::new_keys(&mut tx, &state, before).await?;
    let since = coalition.state.meta().head.log_time;
    crate::keeper::ledger::note_restored(app, &mut tx, &state, since).await?;
    crate::keys::bring_in_line(app, &mut tx, &state).await?;
    store::coalition::set_phase(&mut tx, Phase::Active, None).await?;
    store::repair::set_stage(&mut tx, Stage::Done, None).await?;
    tx.commit().await?;
    app.kept.set_stage(None);
    crate::keys::reload_if_changed(app, &state).await?;
    let mut db = app.store.read("reading the coalition").await?;
    *guard = Coalition::load(&mut db, &app.rest).await?;
    drop(db);
    drop(guard);
    app.wake.folded.send_replace(admission.position);
    app.wake.joined.notify_waiters();
    app.wake.outbox.notify_one();
    tracing::info!(
        position = admission.position,
        "this node is back in the group"
    );
    Ok(())
}

/// The state must be this log's at this very commit, and name the members that the group has, each
/// with the key of its document. Checkpoints of others prove the rest.
fn check(
    app: &App,
    coalition: &Coalition,
    state: &State,
    group: &Group,
    road: &Road,
) -> anyhow::Result<()> {
    let meta = state.meta();
    anyhow::ensure!(
        meta.coalition == coalition.row.id && meta.head == road.head && meta.tree == road.tree,
        "the state is another log's, or of another position"
    );
    anyhow::ensure!(
        state.active(app.me).is_some(),
        "the state does not name this node as a member"
    );
    super::come_in::members_fit(state, group)
}
