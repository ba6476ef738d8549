//! The agreement: the rules of a coalition, as bytes that every member signs. Spec: section 5.2.
//!
//! The terms are the text that people read, kept to the letter, so that what was signed is what is
//! shown. [`policy::terms::Terms`] parses them; this module knows versions and signatures, and
//! [`facts`] what is signed of each organization.

pub mod facts;

use crate::{
    codec::{self, Canonical},
    id::{CoalitionId, Hash, NodeId},
};
use facts::{Facts, FactsError, Reason};
use minicbor::{Decode, Encode};
use ring::signature::{ED25519, UnparsedPublicKey};

/// The longest terms, in bytes: an agreement fits into one entry.
pub const TERMS_BYTES: usize = 40 * 1024;

/// One version of the agreement.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Agreement {
    /// The coalition.
    #[n(0)]
    pub coalition: CoalitionId,
    /// 1, 2, 3, ...
    #[n(1)]
    pub version: u32,
    /// SHA-256 of the version in force when this one was proposed; [`Hash::ZERO`] for the first.
    #[n(2)]
    pub before: Hash,
    /// Every member, in rising order of node id: exactly who must sign.
    #[n(3)]
    pub parties: Vec<Party>,
    /// The members that keep the log.
    #[n(4)]
    pub keepers: Vec<NodeId>,
    /// The terms, to the letter.
    #[n(5)]
    pub terms: String,
}

/// An organization as the agreement names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Party {
    /// Its node.
    #[n(0)]
    pub node: NodeId,
    /// Its name.
    #[n(1)]
    pub name: String,
    /// Its legal kind, a word of the policy vocabulary.
    #[n(2)]
    pub kind: String,
    /// What the rules read of it besides.
    #[n(3)]
    pub facts: Facts,
}

impl Canonical for Agreement {
    const WHAT: &'static str = "agreement";
    const MAX_BYTES: usize = 56 * 1024;
}

impl Agreement {
    /// The hash by which entries refer to this version.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::of(&codec::encode(self))
    }

    /// Whether an organization is a party.
    #[must_use]
    pub fn has(&self, node: NodeId) -> bool {
        self.parties.iter().any(|party| party.node == node)
    }

    /// The organizations as the gate reads them.
    ///
    /// # Errors
    /// [`FactsError`] for facts that nothing can read, and for organizations that cannot share one
    /// coalition: they stand on both sides of a race.
    pub fn policy_parties(&self) -> Result<Vec<policy::Party>, FactsError> {
        let parties = self.parties.iter().map(Party::to_policy);
        let parties = parties.collect::<Result<Vec<_>, _>>()?;
        match policy::opposite_sides(&parties).into_iter().next() {
            None => Ok(parties),
            Some(fault) => Err(FactsError {
                name: fault
                    .id
                    .and_then(|id| self.name_of(&id))
                    .unwrap_or_default(),
                reason: Reason::OppositeSides(fault.message),
            }),
        }
    }

    fn name_of(&self, id: &str) -> Option<String> {
        let party = self
            .parties
            .iter()
            .find(|party| party.node.to_string() == id);
        Some(party?.name.clone())
    }
}

impl Party {
    /// The organization as the gate reads it, not suspended and owing nothing.
    ///
    /// # Errors
    /// [`FactsError`] when a word is not one of the policy vocabulary, when a list is not in order or
    /// too long, or when it stands on both sides of one race.
    pub fn to_policy(&self) -> Result<policy::Party, FactsError> {
        let refused = |reason| FactsError {
            name: self.name.clone(),
            reason,
        };
        let kind = self.kind.parse().map_err(|_| refused(Reason::Kind))?;
        let place = self.facts.place().map_err(refused)?;
        self.facts.check().map_err(refused)?;
        let facts = &self.facts;
        let mut party = policy::Party::new(&self.node.to_string(), &self.name, kind, place);
        party.federal = facts.federal;
        party.incorporated = facts.incorporated;
        party.transfer_basis = facts.transfer_basis;
        party.coordinated_races = facts.coordinated.iter().cloned().collect();
        party.ie_races = facts.independent.iter().cloned().collect();
        Ok(party)
    }
}

/// What a member signs: a prefix that no other signature has, and the agreement's bytes.
#[must_use]
pub fn signed_bytes(agreement: &[u8]) -> Vec<u8> {
    [b"commonturf agreement v1\0".as_slice(), agreement].concat()
}

/// Whether a signature is this key's over this agreement.
#[must_use]
pub fn is_signed_by(agreement: &[u8], signature: &[u8; 64], statement_key: &[u8; 32]) -> bool {
    UnparsedPublicKey::new(&ED25519, statement_key)
        .verify(&signed_bytes(agreement), signature)
        .is_ok()
}
