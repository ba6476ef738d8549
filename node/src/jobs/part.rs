//! Removes whom the coalition has let go: by its own word, or because enough others agreed.
//!
//! Keepers do it, and who proposed a removal: while the log grows, one of the keepers is there.

use crate::{
    app::App,
    store,
    sync::outbox::{self, Intent},
};
use protocol::{
    fold::parting::is_settled,
    id::NodeId,
    state::{State, rows::Member},
};

/// Queues a commit for a member that is to go.
///
/// # Errors
/// When the database fails.
pub async fn run(app: &App) -> anyhow::Result<()> {
    let due = {
        let guard = app.coalition.read().await;
        let Some(coalition) = guard.as_ref().filter(|coalition| coalition.is_active()) else {
            return Ok(());
        };
        due(&coalition.state, app.me)
    };
    let Some(node) = due else { return Ok(()) };
    let mut tx = app.store.write("removing a member").await?;
    if store::outbox::waiting_of(&mut tx, outbox::COMMIT).await? == 0 {
        outbox::queue_commit(
            app,
            &mut tx,
            &Intent {
                node,
                removes: true,
                rekeys: false,
                compared: None,
            },
        )
        .await?;
        tx.commit().await?;
        app.wake.outbox.notify_one();
    }
    Ok(())
}

/// Whom this node removes now.
fn due(state: &State, me: NodeId) -> Option<NodeId> {
    let keeper = state.active(me)?.keeper;
    let mine = |(node, member): &(&NodeId, &Member)| {
        let removal = state.removals.get(*node);
        let proposed = removal.is_some_and(|row| row.approvals.first() == Some(&me));
        let turn = keeper || proposed;
        // The only keeper cannot be removed; its word waits until there is another one.
        **node != me && turn && is_settled(state, **node) && !(member.keeper && is_alone(state))
    };
    state.roster().find(mine).map(|(node, _)| *node)
}

fn is_alone(state: &State) -> bool {
    state.roster().filter(|(_, member)| member.keeper).count() <= 1
}
