//! Drafts of the agreement and the signatures under them. Spec: section 5.2.

use crate::id::Hash;
use minicbor::{Decode, Encode};

/// A draft of the agreement, as its canonical bytes.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AgreementPropose {
    /// [`crate::agreement::Agreement`], encoded: what members sign.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub agreement: Vec<u8>,
}

/// A member's signature under a draft.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct AgreementSign {
    /// SHA-256 of the draft's canonical bytes.
    #[n(0)]
    pub agreement: Hash,
    /// Ed25519 over [`crate::agreement::signed_bytes`], by the author's statement key.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}
