//! The rows of the folded state. Spec: section 6.
//!
//! Those about keys, recall and who goes have files of their own beside this one.

use crate::{
    blob::BlobId,
    chain::Head,
    channel::Channel,
    entry::{
        payload::{Channels, TokenPair, read_rows},
        plan::Plan,
    },
    id::{CoalitionId, Hash, Lineage, NodeId},
    merkle::Tree,
    state::rules::Rules,
    time::Moment,
    token::Token,
    version::Versions,
};
use minicbor::{Decode, Encode};

pub use super::keys::{
    CeremonyRow, ClosingRow, Committed, DealtRow, Failure, FaultKey, FaultRow, KeysetRow,
    RotationRow, RotationStanding, Summed,
};
pub use super::overlap::OverlapRow;
pub use super::parting::{RemovalRow, Returned};
pub use super::recall::{DisputeKey, DisputeRow, ExceptionRow, NoticeRow, ReceiptRow};

/// Where the log stands and what the coalition is called.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Meta {
    /// The coalition's name; empty before the first entry.
    #[n(0)]
    pub name: String,
    /// The coalition.
    #[n(1)]
    pub coalition: CoalitionId,
    /// The head up to which this state was folded.
    #[n(2)]
    pub head: Head,
    /// Application messages of earlier MLS epochs are void.
    #[n(3)]
    pub epoch_floor: u64,
    /// The agreement in force.
    #[n(4)]
    pub agreement: Option<Hash>,
    /// The generation of match tokens in use.
    #[n(5)]
    pub generation: Option<u32>,
    /// Entries that took effect, checkpoints and ticks not counted.
    #[n(6)]
    pub counted: u64,
    /// The log tree over all entries up to the head.
    #[n(7)]
    pub tree: Tree,
    /// The versions that every member speaks; none before the first entry.
    #[n(8)]
    pub versions: Option<Versions>,
}

impl Default for Meta {
    fn default() -> Self {
        Self {
            name: String::new(),
            coalition: CoalitionId([0; 16]),
            head: Head::start(Lineage([0; 16])),
            epoch_floor: 0,
            agreement: None,
            generation: None,
            counted: 0,
            tree: Tree::default(),
            versions: None,
        }
    }
}

/// An organization of the coalition, past ones included.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Member {
    /// Its signed identity document.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub document: Vec<u8>,
    /// Its name.
    #[n(1)]
    pub name: String,
    /// Its legal kind.
    #[n(2)]
    pub kind: String,
    /// The position of the commit that added it.
    #[n(3)]
    pub joined_at: u64,
    /// The position of the commit that removed it.
    #[n(4)]
    pub left_at: Option<u64>,
    /// Whether it keeps the log.
    #[n(5)]
    pub keeper: bool,
    /// The position of its latest checkpoint.
    #[n(6)]
    pub checkpoint: u64,
    /// How often it has changed the group lately without adding anybody.
    #[n(7)]
    pub updates: Updates,
    /// The day of log time of its latest checkpoint, counted from 1970-01-01.
    #[n(8)]
    pub checkpoint_day: i64,
    /// Where it said that it wants to go.
    #[n(9)]
    pub leaving: Option<u64>,
    /// When it came back last by a commit from outside.
    #[n(10)]
    pub returned: Option<Returned>,
    /// Its leaf in the group still bears a key that its document does not list any more.
    #[n(11)]
    pub stale_leaf: bool,
}

/// An identity document that another one has followed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PastDocument {
    /// As it was signed.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub document: Vec<u8>,
    /// The position of the entry that brought the next one: nothing later verifies with its keys.
    #[n(1)]
    pub until: u64,
    /// Log time there.
    #[n(2)]
    pub at: Moment,
}

/// Changes of the group by one member on its latest such day of log time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Encode, Decode)]
pub struct Updates {
    /// The day, counted from 1970-01-01.
    #[n(0)]
    pub day: i64,
    /// How many on that day.
    #[n(1)]
    pub count: u32,
}

/// A plan that stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct PlanRow {
    /// Whose.
    #[n(0)]
    pub author: NodeId,
    /// As it was filed.
    #[n(1)]
    pub filed: Plan,
    /// Log time at which it was filed.
    #[n(2)]
    pub at: Moment,
    /// Its position.
    #[n(3)]
    pub position: u64,
}

/// An invitation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct InviteRow {
    /// Who invited.
    #[n(0)]
    pub inviter: NodeId,
    /// For whom it is meant.
    #[n(1)]
    pub to_name: String,
    /// The last moment of log time at which it is good.
    #[n(2)]
    pub expires: Moment,
    /// Who used it.
    #[n(3)]
    pub used_by: Option<NodeId>,
}

/// A newcomer who waits.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct JoinRow {
    /// Who may approve.
    #[n(0)]
    pub inviter: NodeId,
    /// The newcomer's signed identity document.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub document: Vec<u8>,
    /// The newcomer's MLS key package.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub key_package: Vec<u8>,
    /// The position of the request.
    #[n(3)]
    pub position: u64,
    /// The newcomer's name.
    #[n(4)]
    pub name: String,
    /// The newcomer's legal kind.
    #[n(5)]
    pub kind: String,
    /// The hash of the token that it showed.
    #[n(6)]
    pub token_hash: Hash,
    /// Log time of the request.
    #[n(7)]
    pub at: Moment,
}

/// A draft or version of the agreement.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AgreementRow {
    /// [`crate::agreement::Agreement`], encoded.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
    /// Who proposed it.
    #[n(1)]
    pub proposer: NodeId,
    /// Where it was proposed.
    #[n(2)]
    pub position: u64,
    /// Who has signed, in order.
    #[n(3)]
    pub signatures: Vec<Signed>,
    /// Where its last signature was folded.
    #[n(4)]
    pub active_from: Option<u64>,
    /// The numbers of its terms.
    #[n(5)]
    pub rules: Rules,
}

/// One signature under an agreement.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Signed {
    /// Who.
    #[n(0)]
    pub node: NodeId,
    /// Ed25519 by the signer's statement key.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: [u8; 64],
    /// When, in log time.
    #[n(2)]
    pub at: Moment,
}

/// A claim in force.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ClaimRow {
    /// Who holds it.
    #[n(0)]
    pub author: NodeId,
    /// How the people will be contacted.
    #[n(1)]
    pub channel: Channel,
    /// The window's first moment.
    #[n(2)]
    pub from: Moment,
    /// The moment after the window's last.
    #[n(3)]
    pub to: Moment,
    /// When it ends: the window's end, or sooner without a renewal.
    #[n(4)]
    pub ends: Moment,
    /// The contact points it holds, in rising order.
    #[n(5)]
    pub tokens: Tokens,
    /// How many were asked for.
    #[n(6)]
    pub asked: u64,
    /// How many were granted at first.
    #[n(7)]
    pub granted: u64,
    /// The position of the grant: the number on walk lists and contact reports.
    #[n(8)]
    pub position: u64,
    /// The generation of its tokens.
    #[n(9)]
    pub generation: u32,
    /// The same points by both tokens, as rows of [`TokenPair`], where it was made while an older
    /// generation closed.
    #[n(10)]
    pub pairs: minicbor::bytes::ByteVec,
}

impl ClaimRow {
    /// The pairs of tokens; none where it was made by one generation alone.
    #[must_use]
    pub fn pairs(&self) -> Vec<TokenPair> {
        read_rows(&self.pairs).unwrap_or_default()
    }
}

/// Tokens in rising order, each once, written as one byte string.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tokens(Vec<Token>);

impl Tokens {
    /// Sorts the tokens and drops repetitions.
    #[must_use]
    pub fn new(mut tokens: Vec<Token>) -> Self {
        tokens.sort_unstable();
        tokens.dedup();
        Self(tokens)
    }

    /// The tokens, in rising order.
    #[must_use]
    pub fn as_slice(&self) -> &[Token] {
        &self.0
    }

    /// Whether a token is among them.
    #[must_use]
    pub fn has(&self, token: Token) -> bool {
        self.0.binary_search(&token).is_ok()
    }
}

impl<C> Encode<C> for Tokens {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes_len((self.0.len() * 16) as u64)?;
        for token in &self.0 {
            e.writer_mut()
                .write_all(&token.0)
                .map_err(minicbor::encode::Error::write)?;
        }
        Ok(())
    }
}

impl<'b, C> Decode<'b, C> for Tokens {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        let bytes = d.bytes()?;
        let (rows, rest) = bytes.as_chunks::<16>();
        let tokens: Vec<Token> = rows.iter().map(|row| Token(*row)).collect();
        if !rest.is_empty() || !tokens.is_sorted_by(|a, b| a < b) {
            return Err(minicbor::decode::Error::message(
                "tokens are cut off or out of order",
            ));
        }
        Ok(Self(tokens))
    }
}

/// One organization's contacts at one contact point on one channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct ContactKey {
    /// The contact point.
    #[n(0)]
    pub token: Token,
    /// The channel.
    #[n(1)]
    pub channel: Channel,
    /// The organization that reported.
    #[n(2)]
    pub node: NodeId,
}

/// When an organization was at a contact point, as [`crate::state::cap`] keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Default, Encode, Decode)]
pub struct ContactTimes {
    /// Attempts of any kind, in rising order.
    #[n(0)]
    pub attempts: Vec<Moment>,
    /// Those of them at which somebody was reached.
    #[n(1)]
    pub contacts: Vec<Moment>,
    /// The generation of the token.
    #[n(2)]
    pub generation: u32,
}

/// What one organization asserts about a contact point or person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Encode, Decode)]
pub struct Assertion {
    /// Channels on which there must be no contact.
    #[n(0)]
    pub channels: Channels,
    /// Said to have died.
    #[n(1)]
    pub deceased: bool,
    /// Since when, in log time.
    #[n(2)]
    pub since: Moment,
    /// The generation of the token.
    #[n(3)]
    pub generation: u32,
}

/// A share that was announced.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct ShareRow {
    /// The sender.
    #[n(0)]
    pub from: NodeId,
    /// The announcement as it was made.
    #[n(1)]
    pub announced: crate::entry::share::Share,
    /// Where it was announced.
    #[n(2)]
    pub position: u64,
    /// When, in log time.
    #[n(3)]
    pub at: Moment,
    /// The recipient's answer.
    #[n(4)]
    pub received: Option<Received>,
}

impl ShareRow {
    /// The blob with its rows.
    #[must_use]
    pub fn blob(&self) -> BlobId {
        self.announced.blob
    }
}

/// A recipient's answer to a share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Received {
    /// Persons taken.
    #[n(0)]
    pub accepted: u64,
    /// Persons dropped by the recipient's own gate.
    #[n(1)]
    pub dropped: u64,
    /// When, in log time.
    #[n(2)]
    pub at: Moment,
}

/// A use of a share's rows that its recipient announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct UseRow {
    /// When it begins.
    #[n(0)]
    pub from: Moment,
    /// When it was announced, in log time.
    #[n(1)]
    pub at: Moment,
}
