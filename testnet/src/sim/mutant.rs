//! Planted faults: what the oracle is for. A simulation with one of them must be caught.
//!
//! A mutant does to a node's state or tables what code with the fault would have done; the program
//! itself has no switch for it.

mod counts;
mod keepers;
mod members;

use super::{
    op::Op,
    people,
    world::{MEMBERS, World},
};
use anyhow::{Result, ensure};
use protocol::{state::rows::Tokens, time::DAY, token::Token};

/// A planted fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// A member's fold forgets the suppressions of an item.
    FoldSkips,
    /// The compare of claim windows is off: a later claim gets a door that is held, at all alike.
    HeldDoorGranted,
    /// The keeper comes back without its last entry.
    KeeperForgets,
    /// An outbox row is dropped once the keeper has the entry.
    OutboxDropsEarly,
    /// The recipient signs that a row is gone, and keeps it.
    RowIsKept,
    /// The sender's gate takes everybody for having agreed.
    GateLetsAll,
    /// A claim that was decided is not written down at its author.
    EffectIsLost,
    /// A claim that has ended is granted again, at all alike.
    GrantedAgain,
    /// A keeper signs two heads of one length.
    TwoHeads,
    /// A keeper that was restored from a backup votes under its old id.
    AmnesiacVotes,
    /// A leader tells an author that something is ordered before most keepers have it.
    ToldTooEarly,
    /// Whoever was removed still reads.
    RemovedReads,
    /// A node goes on under keys that the log does not list any more.
    OldKeysStay,
    /// Whoever comes back does not make good what its tables missed.
    ReturnForgets,
    /// A count is told to the last person.
    SmallCellTold,
    /// A count is told to somebody who is no party.
    ThirdIsTold,
}

impl Mutant {
    /// Every one.
    pub const ALL: [Self; 16] = [
        Self::FoldSkips,
        Self::HeldDoorGranted,
        Self::KeeperForgets,
        Self::OutboxDropsEarly,
        Self::RowIsKept,
        Self::GateLetsAll,
        Self::EffectIsLost,
        Self::GrantedAgain,
        Self::TwoHeads,
        Self::AmnesiacVotes,
        Self::ToldTooEarly,
        Self::RemovedReads,
        Self::OldKeysStay,
        Self::ReturnForgets,
        Self::SmallCellTold,
        Self::ThirdIsTold,
    ];

    /// Does its harm after an operation.
    ///
    /// # Errors
    /// When a database fails.
    pub async fn harm(self, world: &mut World, op: &Op) -> Result<()> {
        match self {
            Self::FoldSkips => fold_skips(world).await,
            Self::HeldDoorGranted => held_door(world).await,
            Self::KeeperForgets => match op {
                Op::Crash { node: 0, .. } | Op::Restart { node: 0 } => {
                    let last = "DELETE FROM keeper_log WHERE position = \
                                (SELECT MAX(position) FROM keeper_log)";
                    sql(world, 0, last).await
                }
                _ => Ok(()),
            },
            Self::OutboxDropsEarly => {
                sql(world, 1, "DELETE FROM outbox WHERE state = 'ordered'").await
            }
            Self::EffectIsLost => {
                let undone = "UPDATE claim SET state = 'asked' WHERE state = 'granted'";
                sql(world, 1, undone).await
            }
            Self::RowIsKept => {
                let kept = "INSERT INTO received_row (share_id, row_ref, fields, grounds) \
                            SELECT share_id, row_ref, '{}', '{}' FROM erased_row \
                            WHERE true ON CONFLICT DO NOTHING";
                for node in 0..MEMBERS {
                    sql(world, node, kept).await?;
                }
                Ok(())
            }
            Self::GateLetsAll => all_agree(world).await,
            Self::GrantedAgain | Self::TwoHeads | Self::AmnesiacVotes | Self::ToldTooEarly => {
                keepers::harm(self, world, op).await
            }
            Self::RemovedReads | Self::OldKeysStay | Self::ReturnForgets => {
                members::harm(self, world).await
            }
            Self::SmallCellTold | Self::ThirdIsTold => counts::harm(self, world).await,
        }
    }
}

async fn sql(world: &World, node: usize, sql: &'static str) -> Result<()> {
    ensure!(world.runs(node), "the node does not run");
    let mut tx = world.app(node).store.write("harm").await?;
    sqlx::query(sql).execute(&mut *tx).await?;
    Ok(tx.commit().await?)
}

async fn fold_skips(world: &World) -> Result<()> {
    let mut guard = world.app(1).coalition.write().await;
    let Some(coalition) = guard.as_mut() else {
        return Ok(());
    };
    let keys: Vec<_> = coalition
        .state
        .suppressions
        .iter()
        .map(|(key, _)| *key)
        .collect();
    for key in keys {
        coalition.state.suppressions.remove(&key);
    }
    Ok(())
}

/// Gives the latest claim, at every node, a door that an earlier one holds.
async fn held_door(world: &World) -> Result<()> {
    for (_, app) in world.apps() {
        let mut guard = app.coalition.write().await;
        let Some(coalition) = guard.as_mut() else {
            continue;
        };
        let mut claims: Vec<_> = coalition
            .state
            .claims
            .iter()
            .map(|(id, row)| (*id, row.clone()))
            .collect();
        claims.sort_by_key(|(_, row)| row.position);
        let Some(((id, mut last), earlier)) = claims.pop().map(|last| (last, claims)) else {
            continue;
        };
        let touching = earlier.iter().find(|(_, row)| {
            row.author != last.author
                && row.channel == last.channel
                && row.from < last.to
                && last.from < row.to
        });
        if let Some((_, held)) = touching {
            let mut tokens: Vec<Token> = last.tokens.as_slice().to_vec();
            tokens.extend(held.tokens.as_slice().first());
            last.tokens = Tokens::new(tokens);
            coalition.state.claims.put(id, last);
        }
    }
    Ok(())
}

/// What nobody said, a day before the beginning.
async fn all_agree(world: &World) -> Result<()> {
    let names: Vec<&str> = people::ORGANIZATIONS
        .iter()
        .map(|(name, _)| *name)
        .collect();
    for node in 0..MEMBERS {
        let mut tx = world.app(node).store.write("harm").await?;
        for person in 0..people::PEOPLE - people::LATE {
            let at = world.time().plus(-DAY).0;
            people::agree(&mut tx, &people::id(person), &names, at).await?;
        }
        tx.commit().await?;
    }
    Ok(())
}
