//! What a file of two histories holds against an organization, in the form in which the log takes it.

use super::file::ForkProof;
use crate::{
    codec,
    entry::two_truths::{Cosigned, Truths, TwoTruths},
    id::{CoalitionId, Lineage, NodeId},
    identity::{IdentityDocument, SignedDocument},
    limits::VOUCHED_APART,
    note::{self, Note},
};
use std::collections::BTreeMap;

impl ForkProof {
    /// What looks like two truths of one organization here, one of each kind per length or number.
    /// Whether it is proof, the fold says ([`crate::fold::two_truths::judge`]).
    #[must_use]
    pub fn accusations(&self) -> Vec<TwoTruths> {
        accusations((self.coalition, self.lineage), &self.notes, &self.documents)
    }
}

/// As [`ForkProof::accusations`], of notes and documents that are in no file.
#[must_use]
pub fn accusations(
    (coalition, lineage): (CoalitionId, Lineage),
    notes: &[String],
    documents: &[SignedDocument],
) -> Vec<TwoTruths> {
    let origin = note::origin(coalition, lineage);
    let mut words: BTreeMap<(NodeId, u64), Vec<Cosigned>> = BTreeMap::new();
    let read = notes.iter().filter_map(|text| text.parse::<Note>().ok());
    for note in read.filter(|note| note.head.origin == origin) {
        for line in &note.signatures {
            let (Some(seconds), Ok(node)) = (line.time, line.name.parse()) else {
                continue;
            };
            let word = Cosigned {
                root: note.head.root,
                seconds,
                signature: line.signature,
            };
            words.entry((node, note.head.size)).or_default().push(word);
        }
    }
    let mut found = Vec::new();
    for ((node, size), words) in words {
        if let Some((first, second)) = pair(&words, |one, other| {
            one.root != other.root && one.seconds.abs_diff(other.seconds) < VOUCHED_APART
        }) {
            let truths = Truths::Heads {
                size,
                first: *first,
                second: *second,
            };
            found.push(TwoTruths { node, truths });
        }
    }
    let mut numbered: BTreeMap<(NodeId, u64), Vec<&SignedDocument>> = BTreeMap::new();
    for signed in documents {
        if let Ok(document) = codec::decode::<IdentityDocument>(&signed.document) {
            let key = (document.node_id, document.seq);
            numbered.entry(key).or_default().push(signed);
        }
    }
    for ((node, _), same) in numbered {
        if let Some((first, second)) = pair(&same, |one, other| one.document != other.document) {
            let truths = Truths::Documents {
                first: codec::encode(*first).into(),
                second: codec::encode(*second).into(),
            };
            found.push(TwoTruths { node, truths });
        }
    }
    found
}

/// The first two of a list that contradict each other.
fn pair<T>(all: &[T], contradict: impl Fn(&T, &T) -> bool) -> Option<(&T, &T)> {
    all.iter().enumerate().find_map(|(n, one)| {
        let mut later = all.iter().skip(n + 1);
        Some((one, later.find(|other| contradict(one, other))?))
    })
}
