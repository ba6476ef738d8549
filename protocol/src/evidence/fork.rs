//! Checking evidence of two histories: what was signed about one length of the log, and by whom.

use super::{
    check::{Findings, Log, Report},
    file::ForkProof,
    roster::Roster,
};
use crate::{
    id::{Hash, NodeId},
    identity::{KeyUse, PublicKey},
    limits::VOUCHED_APART,
    note::{self, Note},
};
use std::collections::{BTreeMap, BTreeSet};

/// What somebody signed about so many entries: each kind of hash is held against its own kind only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Chain,
    Root,
}

/// A word about so many entries: who gave it, and the key and moment by which two of them are held
/// against each other.
#[derive(Debug, Clone, Copy)]
struct Word {
    node: NodeId,
    hash: Hash,
    key: PublicKey,
    seconds: Option<u64>,
}

impl Word {
    /// Whether whoever gave both gave two words for one. A member's cosignature by another key or of
    /// another hour is none: a node that was set back may have forgotten the first.
    fn betrays(&self, other: &Self) -> bool {
        let apart = match (self.seconds, other.seconds) {
            (Some(one), Some(two)) => one.abs_diff(two) >= VOUCHED_APART || self.key != other.key,
            (None, None) => false,
            _ => true,
        };
        self.node == other.node && self.hash != other.hash && !apart
    }
}

/// Who signed which hash over so many entries.
type Signed = BTreeMap<(Kind, u64), Vec<Word>>;

pub(super) fn check(proof: &ForkProof) -> Report {
    let mut findings = Findings::default();
    let roster = Roster::read(&proof.documents, proof.span(), &mut findings);
    let mut signed = Signed::new();
    heads(proof, &roster, &mut signed, &mut findings);
    notes(proof, &roster, &mut signed, &mut findings);
    let mut accused = BTreeSet::new();
    let mut two = false;
    for (node, serials) in roster.contradictions() {
        two = true;
        accused.insert(node);
        for serial in serials {
            let who = roster.name(node);
            findings.say(
                true,
                format!("{who} signed two different identity documents of number {serial}"),
            );
        }
    }
    for ((kind, size), words) in &signed {
        let hashes: BTreeSet<Hash> = words.iter().map(|word| word.hash).collect();
        if hashes.len() < 2 {
            continue;
        }
        two = true;
        let what = match kind {
            Kind::Chain => "chain hashes",
            Kind::Root => "roots",
        };
        let is_betrayed = |word: &&Word| words.iter().any(|other| word.betrays(other));
        let liars: BTreeSet<NodeId> = words
            .iter()
            .filter(is_betrayed)
            .map(|word| word.node)
            .collect();
        for node in &liars {
            let who = roster.name(*node);
            findings.say(
                true,
                format!(
                    "{who} signed different {what} over {size} entries: it showed two histories"
                ),
            );
        }
        if liars.is_empty() {
            let nodes: BTreeSet<NodeId> = words.iter().map(|word| word.node).collect();
            let names: Vec<String> = nodes.iter().map(|node| roster.name(*node)).collect();
            findings.say(
                true,
                format!(
                    "{} signed different {what} over {size} entries: there are two histories, and this file does not \
                     tell which of them made the second",
                    names.join(" and ")
                ),
            );
        }
        accused.extend(liars);
    }
    if !two {
        findings.say(
            false,
            "nothing in this file contradicts anything else in it: it accuses nobody",
        );
    }
    findings.accuse(proof.coalition, accused.into_iter().collect())
}

fn heads(proof: &ForkProof, roster: &Roster, signed: &mut Signed, findings: &mut Findings) {
    for shown in &proof.heads {
        let (node, head) = (shown.node, &shown.head);
        let who = roster.name(node);
        let mut keys = roster.keys(node, KeyUse::Head);
        let key = keys.find(|key| head.lineage == proof.lineage && shown.is_signed(key));
        let holds = key.is_some();
        if let Some(key) = key {
            let words = signed.entry((Kind::Chain, head.position)).or_default();
            words.push(Word {
                node,
                hash: head.chain,
                key,
                seconds: None,
            });
        }
        findings.say(
            holds,
            format!("{who} signed the head over {} entries", head.position),
        );
    }
}

fn notes(proof: &ForkProof, roster: &Roster, signed: &mut Signed, findings: &mut Findings) {
    let log = Log {
        coalition: proof.coalition,
        lineage: proof.lineage,
    };
    for text in &proof.notes {
        let note: Option<Note> = text.parse().ok();
        let origin = note::origin(log.coalition, log.lineage);
        let Some(note) = note.filter(|note| note.head.origin == origin) else {
            findings.say(false, "a note cannot be read, or is about another log");
            continue;
        };
        let signers = roster.signers(&note);
        let size = note.head.size;
        findings.say(
            signers.len() == note.signatures.len(),
            format!("the signatures of the note over {size} entries"),
        );
        let words = signed.entry((Kind::Root, size)).or_default();
        words.extend(signers.iter().map(|signer| Word {
            node: signer.node,
            hash: note.head.root,
            key: signer.key,
            seconds: signer.seconds,
        }));
    }
}
