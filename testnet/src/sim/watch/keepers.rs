//! What must hold of those who keep the log: one log at all of them that only grows, nothing lost that was
//! acknowledged, one head of a length, and no claim granted twice whoever leads.

use super::{QUEUE, Verdict, Watch, blind, violated};
use crate::sim::world::World;
use commonturf::app::App;
use protocol::{id::NodeId, state::State};

/// A grant as it was first seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Granted {
    author: NodeId,
    position: u64,
    /// The position of the first state without it.
    ended: Option<u64>,
}

/// No keeper has signed two heads of one length.
pub(super) fn one_head_of_a_length(world: &World) -> Verdict {
    match world.network.two_heads() {
        None => Ok(()),
        Some(seen) => violated("a keeper signs one head of a length", seen),
    }
}

impl Watch {
    /// No acknowledged entry is lost, none is replaced, and all keepers have one log.
    pub(super) async fn log_only_grows(&mut self, world: &World) -> Verdict {
        for (node, app) in world.apps() {
            let mut db = app.store.read("watching").await.map_err(blind)?;
            let rows: Vec<(i64, String)> =
                sqlx::query_as("SELECT position, hash FROM keeper_log ORDER BY position")
                    .fetch_all(&mut *db)
                    .await
                    .map_err(blind)?;
            drop(db);
            let numbered = rows
                .iter()
                .zip(1_i64..)
                .all(|((position, _), n)| *position == n);
            let log: Vec<String> = rows.into_iter().map(|(_, hash)| hash).collect();
            let length = self.lengths.entry(node).or_default();
            let common = log.len().min(self.log.len());
            if !numbered || log.len() < *length || log[..common] != self.log[..common] {
                return violated(
                    "the log only grows",
                    format!(
                        "{length} entries were known of node {node}, {} are there",
                        log.len()
                    ),
                );
            }
            *length = log.len();
            if log.len() > self.log.len() {
                self.log = log;
            }
        }
        self.what_was_told_stands()
    }

    fn what_was_told_stands(&self) -> Verdict {
        for (position, (entry, hash)) in &self.told {
            let there = self.at(*position);
            // What no keeper has applied yet is on the disks of most of them, and comes.
            if there.is_some_and(|there| there != hash) {
                return violated(
                    "an acknowledged entry is never lost",
                    format!("{entry} is not at position {position}"),
                );
            }
        }
        Ok(())
    }

    fn at(&self, position: u64) -> Option<&String> {
        let index = usize::try_from(position).ok()?.checked_sub(1)?;
        self.log.get(index)
    }

    /// What an author was told was ordered stands where it was told, byte for byte.
    pub(super) async fn acknowledged_is_ordered(&mut self, node: usize, app: &App) -> Verdict {
        let mut db = app.store.read("watching").await.map_err(blind)?;
        let rows: Vec<(String, i64, Option<String>)> = sqlx::query_as(
            "SELECT entry_id, position, envelope_hash FROM outbox \
             WHERE position > 0 AND state IN ('ordered', 'done')",
        )
        .fetch_all(&mut *db)
        .await
        .map_err(blind)?;
        let waiting: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM outbox WHERE state IN ('queued', 'sealed', 'ordered')",
        )
        .fetch_one(&mut *db)
        .await
        .map_err(blind)?;
        if waiting > QUEUE {
            return violated(
                "queues keep their limits",
                format!("{waiting} wait at node {node}"),
            );
        }
        for (entry, position, hash) in rows {
            let position = u64::try_from(position).unwrap_or_default();
            self.told
                .insert(position, (entry, hash.unwrap_or_default()));
        }
        self.what_was_told_stands()
    }

    /// At rest nothing is missing any more of what was acknowledged, and every keeper that lives has it all.
    ///
    /// # Errors
    /// A [`Violation`](super::Violation) that names the entry or the keeper.
    pub fn all_is_kept(&self, keepers: &[usize]) -> Verdict {
        for (position, (entry, _)) in &self.told {
            if self.at(*position).is_none() {
                return violated(
                    "an acknowledged entry is never lost",
                    format!("{entry} of position {position} is nowhere"),
                );
            }
        }
        for keeper in keepers {
            let length = self.lengths.get(keeper).copied().unwrap_or_default();
            if length != self.log.len() {
                return violated(
                    "every keeper has the whole log at rest",
                    format!("{length} of {} entries at node {keeper}", self.log.len()),
                );
            }
        }
        Ok(())
    }

    /// A claim is granted at one position, to one member, and never again once it has ended.
    pub(super) fn granted_once(&mut self, state: &State) -> Verdict {
        let now = state.meta().head.position;
        for (id, row) in state.claims.iter() {
            let new = Granted {
                author: row.author,
                position: row.position,
                ended: None,
            };
            let known = self.claims.entry(*id).or_insert(new);
            let same = known.author == row.author && known.position == row.position;
            let again = known.ended.is_some_and(|ended| ended <= now);
            if !same || again {
                return violated(
                    "a claim is granted once",
                    format!("{id} is granted again at position {now}"),
                );
            }
        }
        for (id, known) in &mut self.claims {
            let over = known.position <= now && state.claims.get(id).is_none();
            if over && known.ended.is_none_or(|ended| now < ended) {
                known.ended = Some(now);
            }
        }
        Ok(())
    }
}
