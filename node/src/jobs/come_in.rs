//! Waits at the door: fetches the admission once somebody has approved, and becomes a member.

use crate::{
    app::App,
    store::{self, coalition::Phase, joining},
    sync::{coalition::Coalition, keeper_client::Keeper},
};
use protocol::{
    codec, fold,
    id::NodeId,
    identity::{IdentityDocument, KeyUse, SignedDocument},
    mls::{Group, Leaf},
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
    let mut db = app.store.read("reading a request to join").await?;
    let door = joining::find(&mut db).await?;
    drop(db);
    // However open the door is: before a person has compared, nobody knows whose door it is.
    let Some(door) = door.filter(|door| door.compared_at.is_some()) else {
        return Ok(());
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
    let (group, by) = Group::join_by(coalition.overlay(), &admission.welcome)?;
    let checked = check(app, coalition, &state, &group, admission.position)
        .and_then(|()| let_in_by(&state, door.inviter, by));
    if let Err(error) = checked {
        app.wake
            .contact
            .send_modify(|contact| contact.error = Some(error.to_string()));
        return Err(error);
    }
    let mut tx = app.store.write("coming in").await?;
    store::coalition::put_state(&mut tx, &rows).await?;
    store::proof::put_nodes(&mut tx, state.meta().tree.peaks()).await?;
    coalition.begin_group(&mut tx, &app.rest, &group).await?;
    store::coalition::set_phase(&mut tx, Phase::Active, None).await?;
    joining::forget(&mut tx).await?;
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
    members_fit(state, group)
}

/// The group must have the members of the state, each under the key that its document lists.
///
/// # Errors
/// When it has others.
pub(super) fn members_fit(state: &State, group: &Group) -> anyhow::Result<()> {
    let mut leaves = group.members();
    leaves.sort_unstable();
    let fits = |(node, key): &(_, [u8; 32])| {
        let document = state.document(*node);
        let listed =
            document.and_then(|document| document.key(KeyUse::Mls).map(|key| key.public.0));
        // A member that has just changed its key renews its leaf next.
        listed == Some(*key) || fold::identity::has_stale_leaf(state, *node)
    };
    let members = leaves.iter().map(|(node, _)| node);
    anyhow::ensure!(
        members.eq(state.roster().map(|(node, _)| node)) && leaves.iter().all(fits),
        "the group has other members or other keys than the state"
    );
    Ok(())
}

/// Whoever hands out a welcome and a state could have made both up. So the welcome must be signed by the
/// inviter, with the key in a document that its root has signed, and every member's document must be
/// signed by the root that its node id stands for.
fn let_in_by(state: &State, inviter: NodeId, by: Leaf) -> anyhow::Result<()> {
    let now = state.meta().head.log_time;
    for (node, member) in state.roster() {
        let signed: SignedDocument = codec::decode(&member.document)?;
        let claimed: IdentityDocument = codec::decode(&signed.document)?;
        // One that ran out while its member was away is true all the same.
        let document = signed.verify(now.min(claimed.valid_until))?;
        anyhow::ensure!(
            document.node_id == *node,
            "the state shows another node's document as that of {node}"
        );
    }
    let document = state.active(inviter).and_then(|_| state.document(inviter));
    let key = document.and_then(|document| document.key(KeyUse::Mls).map(|key| key.public.0));
    anyhow::ensure!(
        by.0 == inviter && key == Some(by.1),
        "whoever lets this node in is not the organization that invited it: ask for a new invitation over another road"
    );
    Ok(())
}
