//! A notice as it is sealed to its recipient, and how it is queued.

use super::payload::{Fields, RowToken};
use crate::{
    app::App,
    http::problem::Failure,
    store::{
        Write,
        share::{
            ledger::Disclosure,
            notice::{self, NoticeOut},
        },
    },
    sync::outbox,
};
use minicbor::{Decode, Encode};
use protocol::{
    codec::{self, Canonical},
    entry::share::{Revoke, RevokeKind},
    id::{EntryId, NodeId, RowRef},
    problem::ProblemKind,
    state::State,
};
use std::collections::BTreeMap;

/// The rows of a notice, as they are sealed to the recipient.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct RecalledRows {
    /// Their names, rising.
    #[n(0)]
    pub rows: Vec<RowRef>,
    /// What they hold now, in the order of the rows; only a rectification has any.
    #[n(1)]
    pub corrections: Vec<Correction>,
}

impl Canonical for RecalledRows {
    const WHAT: &'static str = "list of recalled rows";
    const MAX_BYTES: usize = 20 * 1024 * 1024;
}

/// What a row holds now.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Correction {
    /// The classes that it speaks of, words of the policy vocabulary; one that holds nothing now is
    /// here and not among the fields.
    #[n(0)]
    pub classes: Vec<String>,
    /// The fields.
    #[n(1)]
    pub fields: Fields,
    /// Match tokens of these fields.
    #[n(2)]
    pub tokens: Vec<RowToken>,
}

/// The kinds of notices that are about one person.
pub const KINDS: [&str; 6] = [
    "withdrawal",
    "objection",
    "erasure",
    "restriction",
    "rectification",
    "lift",
];

/// A kind of these.
///
/// # Errors
/// [`Failure`] that lists the kinds.
pub fn person_kind(word: &str) -> Result<RevokeKind, Failure> {
    KINDS
        .contains(&word)
        .then(|| RevokeKind::named(word))
        .flatten()
        .ok_or_else(|| Failure::input(format!("a person takes back by: {}", KINDS.join(", "))))
}

/// What sealing and telling needs of the folded state, taken before any transaction.
#[derive(Debug)]
pub(super) struct Names(BTreeMap<NodeId, (String, Option<protocol::seal::AgeRecipient>)>);

impl Names {
    pub(super) fn of(state: &State) -> Self {
        let member = |node: &NodeId| {
            let key = state
                .document(*node)
                .and_then(|document| document.age_recipient());
            (*node, (crate::coalition::members::name(state, *node), key))
        };
        Self(state.members.iter().map(|(node, _)| member(node)).collect())
    }

    pub(super) fn name(&self, node: NodeId) -> String {
        self.0
            .get(&node)
            .map_or_else(|| node.short(), |(name, _)| name.clone())
    }
}

/// Queues one notice about rows of one share, and notes it in the list of notices; the ledger is the
/// caller's.
pub(super) async fn queue(
    app: &App,
    tx: &mut Write,
    names: &Names,
    kind: RevokeKind,
    rows: Vec<(&Disclosure, Option<Correction>)>,
) -> Result<EntryId, Failure> {
    let (share, to) = rows
        .first()
        .map(|(line, _)| (line.share, line.recipient))
        .ok_or_else(|| Failure::internal("a notice without rows"))?;
    let key = names.0.get(&to).and_then(|(_, key)| *key).ok_or_else(|| {
        Failure::new(
            ProblemKind::Conflict,
            "the recipient is not known to the coalition any more",
        )
    })?;
    let count = rows.len() as u64;
    let mut rows: Vec<(RowRef, Option<Correction>)> = rows
        .into_iter()
        .map(|(line, correction)| (line.row_ref, correction))
        .collect();
    rows.sort_by_key(|(row, _)| *row);
    let (rows, corrections): (Vec<RowRef>, Vec<Option<Correction>>) = rows.into_iter().unzip();
    let plain = codec::encode(&RecalledRows {
        rows,
        corrections: corrections.into_iter().flatten().collect(),
    });
    let packed = outbox::pack_for(key, &plain)?;
    let revoke = Revoke {
        share,
        kind,
        count,
        row_refs: packed.payload.clone(),
    };
    let id = outbox::queue(app, &mut *tx, revoke.into(), Some((&packed, &plain))).await?;
    let out = NoticeOut {
        notice: id,
        share,
        recipient: to,
        kind: kind.name().to_owned(),
        count,
        receipt: None,
        created_at: app.now().0,
    };
    notice::insert_out(&mut *tx, &out).await?;
    Ok(id)
}
