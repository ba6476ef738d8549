//! Waits at the door: fetches the admission once somebody has approved, and becomes a member.

use crate::{
    app::App,
    store::{self, coalition::Phase},
    sync::{coalition::Coalition, keeper_client::Keeper},
};
use protocol::{
    mls::Group,
    state::{SNAPSHOT_BYTES, State},
};

/// Comes in where the door is open.
///
/// # Errors
/// When the keeper is not reached, or what it hands out does not fit together.
pub async fn run(app: &App) -> anyhow::Result<()> {
    let keeper = {
        let guard = app.coalition.read().await;
        let Some(coalition) = guard
            .as_ref()
            .filter(|coalition| coalition.row.phase == Phase::Joining)
        else {
            return Ok(());
        };
        Keeper::of(app, coalition)
    };
    let Some(admission) = keeper.admission(app).await? else {
        return Ok(());
    };
    let sealed = keeper
        .download(app, admission.snapshot, SNAPSHOT_BYTES as u64)
        .await?;
    let snapshot = app.keys().open(&sealed, SNAPSHOT_BYTES)?;
    let (state, rows) = State::from_snapshot(&snapshot)?;
    let mut guard = app.coalition.write().await;
    let Some(coalition) = guard.as_mut() else {
        return Ok(());
    };
    let group = Group::join(coalition.overlay(), &admission.welcome)?;
    check(app, coalition, &state, &group, admission.position)?;
    let mut tx = app.store.write("coming in").await?;
    store::coalition::put_state(&mut tx, &rows).await?;
    store::proof::put_nodes(&mut tx, state.meta().tree.peaks()).await?;
    coalition.begin_group(&mut tx, &app.rest, &group).await?;
    store::coalition::set_phase(&mut tx, Phase::Active, None).await?;
    tx.commit().await?;
    let mut db = app.store.read("reading the coalition").await?;
    *guard = Coalition::load(&mut db, &app.rest).await?;
    drop(db);
    drop(guard);
    app.wake.folded.send_replace(admission.position);
    app.wake.joined.notify_waiters();
    tracing::info!(position = admission.position, "this node is a member now");
    Ok(())
}

/// The state must be this coalition's, at the joining position, and name the same members as the
/// group; the next checkpoint of another member proves the rest.
fn check(
    app: &App,
    coalition: &Coalition,
    state: &State,
    group: &Group,
    position: u64,
) -> anyhow::Result<()> {
    let meta = state.meta();
    let same_log = meta.coalition == coalition.row.id && meta.head.lineage == coalition.row.lineage;
    anyhow::ensure!(
        same_log && meta.head.position == position,
        "the snapshot is another log's or position's"
    );
    anyhow::ensure!(
        state.active(app.me).is_some(),
        "the snapshot does not name this node as a member"
    );
    let mut members: Vec<_> = group.members().into_iter().map(|(node, _)| node).collect();
    members.sort_unstable();
    anyhow::ensure!(
        members.iter().eq(state.roster().map(|(node, _)| node)),
        "the group has other members"
    );
    Ok(())
}
