//! This node has left, or was removed: what ends here with it.

use super::{outbox::COMMIT, react};
use crate::{
    app::App,
    store::{
        Result, Write, coalition as table,
        coalition::Phase,
        outbox::{self as out, Progress},
    },
};
use protocol::state::State;

/// Entries that are ended at a time.
const AT_ONCE: i64 = 256;

/// Ends what this node still had to say, and forgets the group's keys; returns what is shown of it.
///
/// # Errors
/// When the database fails.
pub(super) async fn gone(app: &App, tx: &mut Write, state: &State) -> Result<String> {
    let left = state
        .members
        .get(&app.me)
        .is_some_and(|member| member.leaving.is_some());
    let why = if left {
        "this organization has left the coalition"
    } else {
        "the other members have removed this organization from the coalition"
    };
    let why = format!(
        "{why}; it reads nothing more, its own lists stay here, and its entries that waited were not said"
    );
    for progress in [Progress::Queued, Progress::Sealed, Progress::Ordered] {
        loop {
            let rows = out::in_progress(&mut *tx, progress, AT_ONCE).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                let note = "this organization is not a member any more";
                if row.kind != COMMIT {
                    react::own_void(tx, row.entry, note).await?;
                }
                out::set_final(&mut *tx, row.entry, 0, Some(note)).await?;
            }
        }
    }
    for factor in crate::store::node::secrets_beginning(&mut *tx, super::rotated::FACTORS).await? {
        crate::store::node::delete_secret(&mut *tx, &factor).await?;
    }
    table::forget_group(&mut *tx).await?;
    table::set_phase(&mut *tx, Phase::Gone, Some(&why)).await?;
    Ok(why)
}
