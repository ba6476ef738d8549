//! What keepers sign about the length of the log, held against each other and against what this node
//! folded. Spec: section 3.
//!
//! Every answer of a keeper shows a signed head, and every keeper is asked where it stands again and
//! again. Two heads at one position with different chain hashes are two histories.

use crate::{
    app::App,
    store::proof::{self, Fork},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use protocol::{
    codec,
    evidence::SignedHead,
    id::{Hash, Lineage, NodeId},
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The most positions of which heads and own chain hashes are remembered.
const POSITIONS: usize = 4_096;
/// The most contradictions that wait to be stored.
const FOUND: usize = 64;
/// What begins a head where a note may stand, too.
const MARK: &str = "commonturf head ";

/// Heads that were seen lately; forgotten when the node stops. What contradicts is stored.
#[derive(Debug, Default)]
pub struct Heads(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    lineage: Option<Lineage>,
    own: BTreeMap<u64, Hash>,
    shown: BTreeMap<u64, BTreeMap<NodeId, SignedHead>>,
    found: Vec<Found>,
}

#[derive(Debug)]
struct Found {
    why: String,
    shown: SignedHead,
    known: Option<SignedHead>,
}

impl Seen {
    fn find(&mut self, why: String, shown: SignedHead, known: Option<SignedHead>) {
        if self.found.len() < FOUND {
            self.found.push(Found { why, shown, known });
        }
    }

    fn against_own(&mut self, shown: SignedHead) {
        let position = shown.head.position;
        let own = self.own.get(&position).copied();
        // Another numbering is another log.
        let same_log = self.lineage == Some(shown.head.lineage);
        if !same_log || own.is_none_or(|own| own == shown.head.chain) {
            return;
        }
        // A keeper that signed what this node folded, if one did: then both are signed.
        let at = self
            .shown
            .get(&position)
            .into_iter()
            .flat_map(BTreeMap::values);
        let known = at.copied().find(|known| Some(known.head.chain) == own);
        let why = format!(
            "E_LOG_FORK: {} signed another history of {position} entries than this node folded",
            shown.node.short()
        );
        self.find(why, shown, known);
    }
}

impl Heads {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A keeper showed a head, and its signature holds.
    pub fn shown(&self, shown: SignedHead) {
        let position = shown.head.position;
        if position == 0 {
            return;
        }
        let mut seen = self.seen();
        let here = seen.shown.entry(position).or_default();
        let contradicts = |known: &&SignedHead| {
            known.head.lineage == shown.head.lineage && known.head.chain != shown.head.chain
        };
        // Its own other word first: that proves who it is.
        let same = here.get(&shown.node).filter(contradicts).copied();
        let other = here.values().find(contradicts).copied();
        let is_new = here.insert(shown.node, shown) != Some(shown);
        if let Some(known) = same {
            let why = format!(
                "E_LOG_FORK: {} signed two histories of {position} entries",
                shown.node.short()
            );
            seen.find(why, shown, Some(known));
        } else if let Some(known) = other.filter(|_| is_new) {
            let why = format!(
                "E_LOG_FORK: {} and {} signed different histories of {position} entries",
                shown.node.short(),
                known.node.short()
            );
            seen.find(why, shown, Some(known));
        } else if is_new {
            seen.against_own(shown);
        }
        while seen.shown.len() > POSITIONS {
            seen.shown.pop_first();
        }
    }

    /// A keeper that is openly in repair has taken back all that this node holds: what it signed beyond that
    /// is lost, as it says itself, and is no second history.
    pub fn lost(&self, keeper: NodeId, after: u64) {
        for (_, shown) in self.seen().shown.range_mut(after + 1..) {
            shown.remove(&keeper);
        }
    }

    /// This node has folded up to a position.
    pub fn folded(&self, lineage: Lineage, position: u64, chain: Hash) {
        let mut seen = self.seen();
        if seen.lineage != Some(lineage) {
            seen.lineage = Some(lineage);
            seen.own.clear();
        }
        seen.own.insert(position, chain);
        let here = seen.shown.get(&position);
        let here: Vec<SignedHead> = here
            .into_iter()
            .flat_map(BTreeMap::values)
            .copied()
            .collect();
        for shown in here {
            seen.against_own(shown);
        }
        while seen.own.len() > POSITIONS {
            seen.own.pop_first();
        }
    }
}

/// Stores what contradicts, so that it outlives the node's memory and can be shown to others.
///
/// # Errors
/// When the database fails; what was found is lost then and found again with the next answer.
pub async fn run(app: &App) -> anyhow::Result<()> {
    let found = std::mem::take(&mut app.heads.seen().found);
    if found.is_empty() {
        return Ok(());
    }
    let mut tx = app.store.write("keeping evidence of two histories").await?;
    for Found { why, shown, known } in found {
        tracing::error!(why, "the log has two histories");
        let fork = Fork {
            why,
            shown: text(&shown),
            known: known.as_ref().map(text),
            at: app.now().0,
        };
        proof::put_fork(&mut tx, &fork).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// A signed head as a line, as evidence is stored.
#[must_use]
pub fn text(head: &SignedHead) -> String {
    format!("{MARK}{}", STANDARD.encode(codec::encode(head)))
}

/// Reads such a line; none when it is something else, as a note is.
#[must_use]
pub fn parse(text: &str) -> Option<SignedHead> {
    let bytes = STANDARD.decode(text.strip_prefix(MARK)?).ok()?;
    codec::decode(&bytes).ok()
}
