//! Checking evidence of two histories: what was signed about one length of the log, and by whom.

use super::{
    check::{Findings, Log, Report},
    file::ForkProof,
    roster::Roster,
};
use crate::{
    id::{Hash, NodeId},
    identity::KeyUse,
    note::{self, Note},
};
use std::collections::{BTreeMap, BTreeSet};

/// What somebody signed about so many entries: each kind of hash is held against its own kind only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Chain,
    Root,
}

/// Who signed which hash over so many entries.
type Signed = BTreeMap<(Kind, u64), BTreeMap<Hash, BTreeSet<NodeId>>>;

pub(super) fn check(proof: &ForkProof) -> Report {
    let mut findings = Findings::default();
    let roster = Roster::read(&proof.documents, proof.span(), &mut findings);
    let mut signed = Signed::new();
    heads(proof, &roster, &mut signed, &mut findings);
    notes(proof, &roster, &mut signed, &mut findings);
    let mut accused = BTreeSet::new();
    let mut two = false;
    for ((kind, size), hashes) in &signed {
        if hashes.len() < 2 {
            continue;
        }
        two = true;
        let what = match kind {
            Kind::Chain => "chain hashes",
            Kind::Root => "roots",
        };
        let mut times: BTreeMap<NodeId, usize> = BTreeMap::new();
        for node in hashes.values().flatten() {
            *times.entry(*node).or_default() += 1;
        }
        let liars: Vec<NodeId> = times
            .iter()
            .filter(|(_, times)| **times > 1)
            .map(|(node, _)| *node)
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
            let names: Vec<String> = times.keys().map(|node| roster.name(*node)).collect();
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
        let holds = head.lineage == proof.lineage && keys.any(|key| shown.is_signed(&key));
        if holds {
            let hashes = signed.entry((Kind::Chain, head.position)).or_default();
            hashes.entry(head.chain).or_default().insert(node);
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
        let hashes = signed.entry((Kind::Root, size)).or_default();
        for (node, _) in signers {
            hashes.entry(note.head.root).or_default().insert(node);
        }
    }
}
