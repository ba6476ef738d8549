//! Who is in: the first entry, invitations, newcomers. Spec: section 5.1.
//!
//! Adding and removing members has no entry of its own: the MLS commit is the act.

use crate::{
    id::{Hash, NodeId},
    time::Moment,
};
use minicbor::{Decode, Encode};

/// The first entry of a log, by the founder and keeper.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Genesis {
    /// The coalition's name.
    #[n(0)]
    pub name: String,
    /// The founder's signed identity document.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub document: Vec<u8>,
}

/// A one-use invitation; the code that carries its token is told to one person only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Invite {
    /// SHA-256 of the token.
    #[n(0)]
    pub token_hash: Hash,
    /// For whom it is meant, in the inviter's words.
    #[n(1)]
    pub to_name: String,
    /// The last moment of log time at which it is good.
    #[n(2)]
    pub expires: Moment,
}

/// A newcomer who showed an invitation's token to the keeper.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct JoinRequest {
    /// SHA-256 of the token that was shown.
    #[n(0)]
    pub token_hash: Hash,
    /// The newcomer.
    #[n(1)]
    pub node: NodeId,
    /// The newcomer's signed identity document.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub document: Vec<u8>,
    /// The newcomer's MLS key package.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub key_package: Vec<u8>,
}

/// The identity document that follows a member's present one. Its root key has signed it, so it
/// does not matter who carries it: a member whose own keys were stolen asks another one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Identity {
    /// [`crate::identity::SignedDocument`], encoded.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub document: Vec<u8>,
}
