//! What a node knows after reading the log: the folded state, equal at every member.
//!
//! The state is a handful of ordered tables. Its canonical bytes ([`State::snapshot`]) are what a
//! newcomer is given, and their hash is what checkpoints compare. Spec: section 6.

pub mod cap;
pub mod keys;
pub mod overlap;
pub mod parting;
pub mod quarantine;
pub mod recall;
pub mod reconcile;
pub mod rows;
pub mod rules;
pub mod table;
pub mod uses;

use crate::{
    agreement::Agreement,
    chain::Head,
    channel::Channel,
    codec::{self, Canonical},
    entry::payload::Channels,
    id::{CoalitionId, EntryId, Hash, Lineage, NodeId},
    identity::{IdentityDocument, SignedDocument},
    time::Moment,
    token::Token,
};
use minicbor::{Decode, Encode, bytes::ByteVec};
use rows::{
    AgreementRow, Assertion, ClaimRow, ContactKey, ContactTimes, DisputeKey, DisputeRow, InviteRow,
    JoinRow, Member, Meta, NoticeRow, PlanRow, RemovalRow, ShareRow, UseRow,
};
use rules::Rules;
use table::{Change, Table};

/// The most bytes of a snapshot.
pub const SNAPSHOT_BYTES: usize = 2 * 1024 * 1024 * 1024;

macro_rules! tables {
    ($($(#[$doc:meta])* $index:literal $name:ident: $key:ty => $row:ty;)*) => {
        /// The folded state of one coalition.
        #[derive(Debug, Clone, Default, PartialEq)]
        pub struct State {
            $($(#[$doc])* pub $name: Table<$key, $row>,)*
        }

        impl State {
            /// Rows touched since the last call, by table number, for the node to store.
            pub fn take_changes(&mut self) -> Vec<(u8, Change)> {
                let mut changes = Vec::new();
                $(changes.extend(self.$name.take_changes().into_iter().map(|change| ($index, change)));)*
                changes
            }

            /// Puts a stored row back.
            ///
            /// # Errors
            /// [`StateError`] when the row cannot be read or its table is unknown.
            pub fn restore(&mut self, table: u8, key: &[u8], value: &[u8]) -> Result<(), StateError> {
                match table {
                    $($index => self.$name.restore(key, value),)*
                    _ => return Err(StateError { table, detail: "no such table".to_owned() }),
                }
                .map_err(|error| StateError { table, detail: error.to_string() })
            }

            fn encoded(&self) -> Vec<EncodedTable> {
                vec![$(EncodedTable { table: $index, rows: self.$name.encoded() },)*]
            }
        }
    };
}

tables! {
    /// One row: where the log stands and what it is called.
    0 meta: () => Meta;
    /// Members, former ones included.
    1 members: NodeId => Member;
    /// Invitations by the hash of their token.
    2 invites: Hash => InviteRow;
    /// Newcomers who wait for approval.
    3 joins: NodeId => JoinRow;
    /// Drafts and versions of the agreement.
    4 agreements: Hash => AgreementRow;
    /// Match-token keys by generation.
    5 keysets: u32 => rows::KeysetRow;
    /// Claims that have not ended.
    6 claims: EntryId => ClaimRow;
    /// The latest attempts and contacts of each organization at each contact point.
    7 contacts: ContactKey => ContactTimes;
    /// Who asserts what about which contact point or person.
    8 suppressions: (Token, NodeId) => Assertion;
    /// Every share that was announced.
    9 shares: EntryId => ShareRow;
    /// Every revocation notice.
    10 notices: EntryId => NoticeRow;
    /// Ids of the latest entries that took effect, by position.
    11 seen: u64 => EntryId;
    /// What recipients report of shares.
    12 disputes: DisputeKey => DisputeRow;
    /// Plans whose window is not over.
    13 plans: EntryId => PlanRow;
    /// Proposals that a member goes, by the member.
    14 removals: NodeId => RemovalRow;
    /// Uses of shares that recipients announced, by share and entry.
    15 uses: (EntryId, EntryId) => UseRow;
    /// The key ceremony that is under way, or the last one where it failed.
    16 ceremonies: EntryId => rows::CeremonyRow;
    /// One row while an older generation of match tokens closes.
    17 closing: () => rows::ClosingRow;
    /// False evaluations that members report of keepers.
    18 faults: rows::FaultKey => rows::FaultRow;
    /// Documents that others have followed, by node and number.
    19 past_documents: (NodeId, u64) => rows::PastDocument;
    /// Counts of what lists have in common, asked for in the last 30 days.
    20 overlaps: EntryId => rows::OverlapRow;
    /// One row from a removal for cause until the keys after it are followed by others.
    21 rotation: () => rows::RotationRow;
    /// Members that signed two truths, until and after the members decided about them.
    24 quarantines: NodeId => quarantine::QuarantineRow;
}

/// A stored state that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the stored state is damaged in table {table}: {detail}")]
pub struct StateError {
    /// The table's number.
    pub table: u8,
    /// What the decoder says.
    pub detail: String,
}

#[derive(Encode, Decode)]
struct EncodedTable {
    #[n(0)]
    table: u8,
    #[n(1)]
    rows: Vec<(ByteVec, ByteVec)>,
}

#[derive(Encode, Decode)]
struct Snapshot {
    #[n(0)]
    version: u8,
    #[n(1)]
    tables: Vec<EncodedTable>,
}

impl Canonical for Snapshot {
    const WHAT: &'static str = "state snapshot";
    const MAX_BYTES: usize = SNAPSHOT_BYTES;
}

impl State {
    /// The state of a log without entries.
    #[must_use]
    pub fn start(coalition: CoalitionId, lineage: Lineage) -> Self {
        let mut state = Self::default();
        state.meta.put(
            (),
            Meta {
                coalition,
                head: Head::start(lineage),
                ..Meta::default()
            },
        );
        state
    }

    /// The whole state as canonical bytes.
    #[must_use]
    pub fn snapshot(&self) -> Vec<u8> {
        codec::encode(&Snapshot {
            version: 1,
            tables: self.encoded(),
        })
    }

    /// The hash that checkpoints compare.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::of(&self.snapshot())
    }

    /// Reads a snapshot; every row counts as touched, so that the node stores it.
    ///
    /// # Errors
    /// [`StateError`] when the bytes are no snapshot.
    pub fn from_snapshot(bytes: &[u8]) -> Result<(Self, Vec<(u8, Change)>), StateError> {
        let damaged = |detail: String| StateError {
            table: u8::MAX,
            detail,
        };
        let snapshot: Snapshot =
            codec::decode(bytes).map_err(|error| damaged(error.to_string()))?;
        if snapshot.version != 1 {
            return Err(damaged(format!("version {}", snapshot.version)));
        }
        let mut state = Self::default();
        let mut changes = Vec::new();
        for table in snapshot.tables {
            for (key, value) in table.rows {
                state.restore(table.table, &key, &value)?;
                changes.push((table.table, (key.into(), Some(value.into()))));
            }
        }
        if state.snapshot() != bytes {
            return Err(damaged("rows are repeated or out of order".to_owned()));
        }
        Ok((state, changes))
    }

    /// Where the log stands; the start before the first entry.
    #[must_use]
    pub fn meta(&self) -> Meta {
        self.meta.get(&()).cloned().unwrap_or_default()
    }

    /// A member that is in the coalition now.
    #[must_use]
    pub fn active(&self, node: NodeId) -> Option<&Member> {
        self.members
            .get(&node)
            .filter(|member| member.left_at.is_none())
    }

    /// All members that are in the coalition now, in order of node id.
    pub fn roster(&self) -> impl Iterator<Item = (&NodeId, &Member)> {
        self.members
            .iter()
            .filter(|(_, member)| member.left_at.is_none())
    }

    /// The identity document of a member, past ones included.
    ///
    /// Its signature was checked when it was folded.
    #[must_use]
    pub fn document(&self, node: NodeId) -> Option<IdentityDocument> {
        let signed: SignedDocument = codec::decode(&self.members.get(&node)?.document).ok()?;
        codec::decode(&signed.document).ok()
    }

    /// The agreement in force, with its hash.
    #[must_use]
    pub fn agreement(&self) -> Option<(Hash, Agreement)> {
        let hash = self.meta().agreement?;
        let row = self.agreements.get(&hash)?;
        Some((hash, codec::decode(&row.bytes).ok()?))
    }

    /// The numbers of the agreement in force, with its hash.
    #[must_use]
    pub fn rules(&self) -> Option<(Hash, &Rules)> {
        let hash = self.meta().agreement?;
        Some((hash, &self.agreements.get(&hash)?.rules))
    }

    /// The longest time for which any agreement so far lets a backup hold what was erased.
    #[must_use]
    pub fn longest_backup(&self) -> Option<i64> {
        let signed = self.agreements.iter().map(|(_, row)| row);
        let signed = signed.filter(|row| row.active_from.is_some());
        signed.map(|row| row.rules.backup).max()
    }

    /// The claims of a channel that are in force and touch a window.
    ///
    /// A claim reserves its whole window, also the part after the moment at which it would lapse:
    /// its holder may renew it until then.
    pub fn claims_touching(
        &self,
        channel: Channel,
        from: Moment,
        to: Moment,
    ) -> impl Iterator<Item = (&EntryId, &ClaimRow)> {
        self.claims.iter().filter(move |(_, claim)| {
            claim.channel == channel && claim.from < to && from < claim.to
        })
    }

    /// Whether contact on a channel is suppressed for a token, and by whom it is said.
    ///
    /// An assertion that somebody died counts once two organizations make it.
    #[must_use]
    pub fn suppressed(&self, token: Token, channel: Channel) -> Option<NodeId> {
        let range = (token, NodeId([0; 32]))..=(token, NodeId([0xff; 32]));
        let mut deceased = 0;
        let mut first = None;
        for ((_, node), assertion) in self.suppressions.range(range) {
            if assertion.channels.has(channel) {
                return Some(*node);
            }
            if assertion.deceased {
                deceased += 1;
                first = first.or(Some(*node));
            }
        }
        first.filter(|_| deceased >= DECEASED_SOURCES)
    }

    /// What each organization reported at a contact point on a channel.
    pub fn contacts_at(
        &self,
        channel: Channel,
        token: Token,
    ) -> impl Iterator<Item = (NodeId, &ContactTimes)> {
        let first = ContactKey {
            token,
            channel,
            node: NodeId([0; 32]),
        };
        let last = ContactKey {
            token,
            channel,
            node: NodeId([0xff; 32]),
        };
        self.contacts
            .range(first..=last)
            .map(|(key, times)| (key.node, times))
    }

    /// The channels on which one organization's assertion about a token stands.
    #[must_use]
    pub fn assertion_of(&self, token: Token, node: NodeId) -> Channels {
        self.suppressions
            .get(&(token, node))
            .map(|assertion| assertion.channels)
            .unwrap_or_default()
    }
}

/// How many organizations must say that somebody died before it counts.
pub const DECEASED_SOURCES: usize = 2;
