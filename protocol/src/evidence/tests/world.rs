//! A small coalition's log with one share in it, and everybody who can vouch for it.

use crate::{
    blob::BlobId,
    chain::LogItem,
    channel::Channel,
    codec,
    entry::{
        Class, Entry,
        share::{Consideration, Share, row_leaf},
    },
    envelope::{Envelope, Form, Header, VERSION},
    evidence::{PersonProof, Record, RecordItem, Shown, Vouched},
    id::{CoalitionId, EntryId, Hash, Lineage, NodeId},
    identity::{KeyUse, NodeSecrets, Particulars, SignedDocument},
    merkle::{self, Tree},
    note::{self, Note, NoteSignature, TreeHead},
    time::{DAY, Moment},
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::sync::LazyLock;

pub(super) const COALITION: CoalitionId = CoalitionId([1; 16]);
pub(super) const LINEAGE: Lineage = Lineage([2; 16]);
pub(super) const START: Moment = Moment(20_782 * DAY);
pub(super) const ENTRIES_OF_LOG: u64 = 37;
pub(super) const SHARE_AT: u64 = 20;
pub(super) const ROWS: u64 = 5;

pub(super) struct Organization {
    pub(super) secrets: NodeSecrets,
    pub(super) document: SignedDocument,
}

impl Organization {
    pub(super) fn new(n: u64, name: &str, keeper: bool) -> Self {
        let secrets = NodeSecrets::generate(&mut ChaCha8Rng::seed_from_u64(n));
        let endpoints = keeper.then(|| "https://keeper.example.org".parse().unwrap());
        let particulars = Particulars {
            organization: name.parse().unwrap(),
            kind: "c4".parse().unwrap(),
            endpoints: endpoints.into_iter().collect(),
            capabilities: Vec::new(),
            valid_until: START.plus(300 * DAY),
        };
        let document = secrets.document(particulars, None).unwrap();
        Self { secrets, document }
    }

    pub(super) fn id(&self) -> NodeId {
        self.secrets.node_id()
    }
}

/// A log with one share in it, and everybody who can vouch for it.
pub(super) struct World {
    pub(super) keeper: Organization,
    pub(super) member: Organization,
    pub(super) log: Vec<LogItem>,
    pub(super) share: Entry,
    pub(super) rows: Vec<Vec<u8>>,
}

pub(super) fn salt(n: u64) -> [u8; 32] {
    Hash::of(&n.to_be_bytes()).0
}

pub(super) static WORLD: LazyLock<World> = LazyLock::new(|| {
    let (keeper, member) = (
        Organization::new(1, "Tenants United", true),
        Organization::new(2, "Green Table", false),
    );
    let rows: Vec<Vec<u8>> = (0..ROWS).map(|n| codec::encode(&("row", n))).collect();
    let leaves = leaves_of(&rows);
    let share: Entry = Share {
        to: keeper.id(),
        purpose: "gotv".to_owned(),
        channel: Channel::Door,
        fields: vec!["identity".to_owned()],
        count: ROWS,
        agreement: Hash::of(b"agreement"),
        blob: BlobId(Hash::of(b"blob")),
        bytes: 1_000,
        expires: None,
        root: merkle::root(&leaves),
        consideration: Consideration::none(),
    }
    .into();
    let item = |position: u64| LogItem {
        position,
        log_time: START.plus(i64::try_from(position).unwrap()),
        sealed: if position == SHARE_AT {
            envelope(member.id(), &share)
        } else {
            position.to_be_bytes().to_vec()
        },
    };
    World {
        log: (1..=ENTRIES_OF_LOG).map(item).collect(),
        keeper,
        member,
        share,
        rows,
    }
});

pub(super) fn leaves_of(rows: &[Vec<u8>]) -> Vec<Hash> {
    let leaf = |(n, row): (u64, &Vec<u8>)| row_leaf(&salt(n), row);
    (0..).zip(rows).map(leaf).collect()
}

pub(super) fn envelope(author: NodeId, entry: &Entry) -> Vec<u8> {
    let header = Header {
        version: VERSION,
        coalition: COALITION,
        lineage: LINEAGE,
        entry: EntryId([9; 16]),
        class: Class::Data,
        form: Form::Application,
        blobs: entry.blobs(),
        author,
        evidence: entry.evidence(),
    };
    let sealed = b"what only members open".to_vec();
    Envelope { header, sealed }.bytes()
}

impl World {
    pub(super) fn leaves(&self) -> Vec<Hash> {
        self.log.iter().map(|item| item.leaf(LINEAGE)).collect()
    }

    pub(super) fn head(&self, size: u64) -> TreeHead {
        let leaves = self.leaves();
        TreeHead {
            origin: note::origin(COALITION, LINEAGE),
            size,
            root: merkle::root(&leaves[..usize::try_from(size).unwrap()]),
        }
    }

    pub(super) fn signed(&self, size: u64) -> Note {
        let key = self.keeper.secrets.signing_key(KeyUse::Head);
        self.head(size).signed(&key)
    }

    pub(super) fn cosigned(&self, size: u64) -> Note {
        let head = self.head(size);
        let key = self.member.secrets.signing_key(KeyUse::Statement);
        let signature = head.cosigned(&key, 7);
        let line = NoteSignature::member(self.member.id(), &key.public(), 7, signature);
        Note {
            head,
            signatures: vec![line],
        }
    }

    pub(super) fn documents(&self) -> Vec<SignedDocument> {
        vec![self.keeper.document.clone(), self.member.document.clone()]
    }

    pub(super) fn shown(&self) -> Shown {
        let item = &self.log[usize::try_from(SHARE_AT - 1).unwrap()];
        Shown {
            position: SHARE_AT,
            log_time: item.log_time,
            envelope: item.sealed.clone(),
            entry: codec::encode(&self.share),
        }
    }

    /// The record after the first `from` entries.
    pub(super) fn record(&self, from: u64) -> Record {
        let mut start = Tree::default();
        let from = usize::try_from(from).unwrap();
        for leaf in &self.leaves()[..from] {
            start.push(*leaf);
        }
        let items = self.log[from..].iter().map(|item| RecordItem {
            log_time: item.log_time,
            sealed: Hash::of(&item.sealed),
        });
        Record {
            coalition: COALITION,
            lineage: LINEAGE,
            start,
            items: items.collect(),
            notes: vec![
                self.signed(ENTRIES_OF_LOG).to_string(),
                self.cosigned(30).to_string(),
            ],
            documents: self.documents(),
            entries: vec![self.shown()],
        }
    }

    pub(super) fn person(&self) -> PersonProof {
        let leaves = self.leaves();
        let vouched = [self.signed(ENTRIES_OF_LOG), self.cosigned(30)].map(|note| {
            let size = usize::try_from(note.head.size).unwrap();
            Vouched {
                path: merkle::prove_inclusion(&leaves[..size], SHARE_AT - 1).unwrap(),
                note: note.to_string(),
            }
        });
        PersonProof {
            coalition: COALITION,
            lineage: LINEAGE,
            share: self.shown(),
            vouched: vouched.into(),
            documents: self.documents(),
            salt: salt(3),
            row: self.rows[3].clone(),
            index: 3,
            path: merkle::prove_inclusion(&leaves_of(&self.rows), 3).unwrap(),
        }
    }
}
