//! The key ceremony: n keepers make the keys of all four classes so that nobody ever holds one whole.
//!
//! It is FROST's distributed key generation and share refresh, run four times side by side. What a
//! keeper says to all ([`Commitments`]) stands in the log, so nobody can say two things; what it
//! deals to one other ([`Dealt`]) travels sealed. Every node computes the public keys from the log
//! ([`keyset`]), so no keeper is believed about them. Section 3.6.
//!
//! ```text
//! commit --Commitments--> log --> deal --Dealt, sealed--> log --> finish --> KeyShare
//!                          '----> keyset (every node)
//! ```
//!
//! A keeper keeps one secret from [`Participant::commit`] on; all later steps follow from it and the
//! log, so a crash between any two of them loses nothing.

mod commitments;
mod enrol;
mod participant;

pub use commitments::{CheckedCommitments, Commitment, CommitmentError, Commitments, keyset};
pub use enrol::{EnrolError, expected_share, gather, handed_on, help, join};
pub use participant::{DEALT_BYTES, Dealt, FinishError, Participant};

use super::{Keeper, Keyset, MAX_KEEPERS};
use crate::id::NodeId;
use minicbor::{Decode, Encode};

/// What a ceremony is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum CeremonyKind {
    /// New keys: tokens change.
    #[n(0)]
    Fresh,
    /// New shares of the same keys: tokens stay.
    #[n(1)]
    Refresh,
    /// A share for one new keeper in the place of another: tokens and all other shares stay.
    #[n(2)]
    HandOn,
}

/// What keyset a ceremony is to make.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Plan {
    /// Fresh keys, or fresh shares of the keys there are.
    #[n(0)]
    pub kind: CeremonyKind,
    /// The keyset's generation.
    #[n(1)]
    pub generation: u32,
    /// The keyset's reshare number.
    #[n(2)]
    pub reshare: u32,
    /// t of the keyset.
    #[n(3)]
    pub threshold: u8,
    /// All keepers, by rising id.
    #[n(4)]
    pub keepers: Vec<Keeper>,
}

/// How many of n keepers answer a batch: the fewest of which any two sets overlap.
#[must_use]
pub fn threshold_of(keepers: usize) -> u8 {
    u8::try_from(keepers / 2 + 1).unwrap_or(u8::MAX)
}

impl Plan {
    /// Fresh keys for some nodes. Nodes of the keyset before keep their ids; others get ids after
    /// `last_id`, the highest ever given, so that no id stands for two nodes.
    ///
    /// `None` unless there are 2 to [`MAX_KEEPERS`] nodes: one keeper needs no ceremony.
    #[must_use]
    pub fn fresh(before: Option<&Keyset>, last_id: u16, nodes: &[NodeId]) -> Option<Self> {
        if !(2..=MAX_KEEPERS).contains(&nodes.len()) {
            return None;
        }
        let mut next = last_id;
        let mut keepers = Vec::new();
        for node in nodes {
            let id = match before.and_then(|keyset| keyset.id_of(node)) {
                Some(id) => id,
                None => {
                    next = next.checked_add(1)?;
                    next
                }
            };
            keepers.push(Keeper { id, node: *node });
        }
        keepers.sort_unstable_by_key(|keeper| keeper.id);
        Some(Self {
            kind: CeremonyKind::Fresh,
            generation: before.map_or(Some(1), |keyset| keyset.generation().checked_add(1))?,
            reshare: 0,
            threshold: threshold_of(nodes.len()),
            keepers,
        })
    }

    /// Fresh shares of a keyset's keys for the keepers that it has. `None` for one keeper.
    #[must_use]
    pub fn refresh(before: &Keyset) -> Option<Self> {
        (before.keepers().len() >= 2).then_some(Self {
            kind: CeremonyKind::Refresh,
            generation: before.generation(),
            reshare: before.reshare().checked_add(1)?,
            threshold: before.threshold(),
            keepers: before.keepers().to_vec(),
        })
    }

    /// A share for the one node among the new keepers that has none, in the place of the one keeper that
    /// is not among them. The newcomer gets the id after `last_id`.
    ///
    /// `None` unless exactly one is replaced, and for one keeper, whose key nobody can hand on but itself.
    #[must_use]
    pub fn hand_on(before: &Keyset, last_id: u16, nodes: &[NodeId]) -> Option<Self> {
        let known = before.keepers();
        let mut keepers: Vec<Keeper> = known
            .iter()
            .filter(|keeper| nodes.contains(&keeper.node))
            .copied()
            .collect();
        let mut new = nodes.iter().filter(|node| before.id_of(node).is_none());
        let (newcomer, others) = (new.next()?, new.next());
        if others.is_some() || keepers.len() + 1 != known.len() || nodes.len() != known.len() {
            return None;
        }
        keepers.push(Keeper {
            id: last_id.checked_add(1)?,
            node: *newcomer,
        });
        let plan = Self {
            kind: CeremonyKind::HandOn,
            generation: before.generation(),
            reshare: before.reshare(),
            threshold: before.threshold(),
            keepers,
        };
        (plan.helpers(before).len() == usize::from(plan.threshold)).then_some(plan)
    }

    /// Who makes the newcomer's share: the first t keepers that stay.
    #[must_use]
    pub fn helpers(&self, before: &Keyset) -> Vec<u16> {
        let stay = self.keepers.iter().map(|keeper| keeper.id);
        stay.filter(|id| before.keeper(*id).is_some())
            .take(self.threshold.into())
            .collect()
    }

    /// The id of the keeper that has no share yet.
    #[must_use]
    pub fn newcomer(&self, before: &Keyset) -> Option<u16> {
        let mut ids = self.keepers.iter().map(|keeper| keeper.id);
        ids.find(|id| before.keeper(*id).is_none())
    }

    /// The id under which a node takes part.
    #[must_use]
    pub fn id_of(&self, node: &NodeId) -> Option<u16> {
        let keeper = self.keepers.iter().find(|keeper| keeper.node == *node);
        keeper.map(|keeper| keeper.id)
    }

    /// Points of one commitment: FROST leaves the constant term out of a refresh, where it is zero.
    fn points(&self) -> usize {
        let threshold = usize::from(self.threshold);
        match self.kind {
            CeremonyKind::Fresh => threshold,
            CeremonyKind::Refresh => threshold.saturating_sub(1),
            CeremonyKind::HandOn => 0, // nobody commits: what is handed on is held against the keyset
        }
    }
}
