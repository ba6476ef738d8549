//! Who signed: identity documents of a file, and the notes under which their keys stand.

use super::{
    check::{Findings, Log},
    file::document_in,
};
use crate::{
    id::{Hash, NodeId},
    identity::{IdentityDocument, KeyUse, PublicKey, SignedDocument},
    note::{self, Note, TreeHead},
    time::Moment,
};
use std::collections::{BTreeMap, BTreeSet};

/// Who signed a note.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signer {
    /// The organization.
    pub(super) node: NodeId,
    /// In which way, as a past tense.
    pub(super) how: &'static str,
    /// By which key.
    pub(super) key: PublicKey,
    /// The moment that a member's cosignature names.
    pub(super) seconds: Option<u64>,
}

/// The organizations that a file names.
#[derive(Debug, Default)]
pub(super) struct Roster {
    /// Of each, the documents in the order of the file: the newest first, then those it has retired.
    known: BTreeMap<NodeId, Vec<IdentityDocument>>,
    vouched: BTreeSet<NodeId>,
}

impl Roster {
    /// Reads the documents of a file; each must count at an end of what the file is about.
    pub(super) fn read(
        documents: &[SignedDocument],
        span: (Moment, Moment),
        findings: &mut Findings,
    ) -> Self {
        let mut roster = Self::default();
        for signed in documents {
            match document_in(signed, span) {
                Ok(document) => {
                    roster
                        .known
                        .entry(document.node_id)
                        .or_default()
                        .push(document);
                }
                Err(error) => {
                    findings.say(false, format!("an identity document: {error}"));
                }
            }
        }
        roster
    }

    /// An organization in words: what it calls itself, and the id that cannot be borrowed.
    pub(super) fn name(&self, node: NodeId) -> String {
        match self.known.get(&node).and_then(|known| known.first()) {
            Some(document) => format!("{} ({node})", document.organization),
            None => format!("an organization not named in this file ({node})"),
        }
    }

    /// The keys of an organization for a use, present and retired.
    pub(super) fn keys(&self, node: NodeId, usage: KeyUse) -> impl Iterator<Item = PublicKey> {
        let documents = self.known.get(&node).into_iter().flatten();
        documents.filter_map(move |document| Some(document.key(usage)?.public))
    }

    pub(super) fn vouched_by(&self) -> Vec<NodeId> {
        self.vouched.iter().copied().collect()
    }

    /// Checks a note's origin, root and signatures. `root` tells whether the file's own data lead to
    /// the root of that head.
    pub(super) fn note(
        &mut self,
        text: &str,
        log: Log,
        root: impl FnOnce(&TreeHead) -> Result<(), String>,
        findings: &mut Findings,
    ) {
        let note: Note = match text.parse() {
            Ok(note) => note,
            Err(error) => {
                findings.say(false, format!("a note: {error}"));
                return;
            }
        };
        let size = note.head.size;
        if note.head.origin != note::origin(log.coalition, log.lineage) {
            findings.say(
                false,
                format!("the note about {size} entries is about another log"),
            );
            return;
        }
        if let Err(why) = root(&note.head) {
            findings.say(false, format!("the note about {size} entries: {why}"));
            return;
        }
        let signers = self.signers(&note);
        let names: Vec<String> = signers
            .iter()
            .map(|signer| format!("{} by {}", signer.how, self.name(signer.node)))
            .collect();
        let how = if names.is_empty() {
            "signed by nobody whom this file names".to_owned()
        } else {
            names.join(", ")
        };
        let others = note.signatures.len().saturating_sub(signers.len());
        if others > 0 {
            findings.say(
                false,
                format!("{others} signatures of the note about {size} entries do not hold"),
            );
        }
        findings.say(
            !signers.is_empty(),
            format!(
                "the head over {size} entries with root {} is {how}",
                short(note.head.root)
            ),
        );
        self.vouched
            .extend(signers.into_iter().map(|signer| signer.node));
    }

    /// Documents of one number of one organization that say different things.
    pub(super) fn contradictions(&self) -> BTreeMap<NodeId, BTreeSet<u64>> {
        let mut found: BTreeMap<NodeId, BTreeSet<u64>> = BTreeMap::new();
        for (node, documents) in &self.known {
            for (n, one) in documents.iter().enumerate() {
                let differs = |other: &&IdentityDocument| other.seq == one.seq && *other != one;
                if documents.iter().skip(n + 1).any(|other| differs(&other)) {
                    found.entry(*node).or_default().insert(one.seq);
                }
            }
        }
        found
    }

    pub(super) fn signers(&self, note: &Note) -> Vec<Signer> {
        let mut signers = Vec::new();
        for node in self.known.keys() {
            let mut heads = self.keys(*node, KeyUse::Head);
            if let Some(key) = heads.find(|key| note.is_signed_by_keeper(key)) {
                signers.push(Signer {
                    node: *node,
                    how: "signed",
                    key,
                    seconds: None,
                });
            }
            for key in self.keys(*node, KeyUse::Statement) {
                if let Some(seconds) = note.cosigned_by(*node, &key) {
                    signers.push(Signer {
                        node: *node,
                        how: "cosigned",
                        key,
                        seconds: Some(seconds),
                    });
                    break;
                }
            }
        }
        signers
    }
}

fn short(root: Hash) -> String {
    root.to_string().chars().take(16).collect()
}
