//! The identity document: which keys speak for a node, until when. Spec: identity.md, section 2.

use super::{Endpoint, KeyId, KeyUse, Name, PublicKey, Signature, SigningKey, Word};
use crate::{
    codec::{Canonical, CodecError, decode, encode},
    id::{Hash, NodeId},
    limits::{
        CAPABILITIES_MAX, DOCUMENT_KEYS, DOCUMENT_LIFE, ENDPOINTS_MAX, IDENTITY_BYTES, SERIAL_STEP,
    },
    seal::AgeRecipient,
    time::Moment,
};
use minicbor::{Decode, Encode};

/// What stands before the document's bytes when the root signs them.
const SIGNATURE_DOMAIN: &[u8] = b"commonturf identity document v1\0";

/// A key in use, with its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct DocumentKey {
    /// Always [`KeyId::of`] the other two.
    #[n(0)]
    pub kid: KeyId,
    /// The one thing that it may be used for.
    #[n(1)]
    pub usage: KeyUse,
    /// The public key.
    #[n(2)]
    pub public: PublicKey,
}

impl DocumentKey {
    /// Names a public key.
    #[must_use]
    pub fn new(usage: KeyUse, public: PublicKey) -> Self {
        Self {
            kid: KeyId::of(usage, &public),
            usage,
            public,
        }
    }
}

/// Something that the node's version can do, and in which versions of that.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Capability {
    /// What it is called.
    #[n(0)]
    pub name: Word,
    /// The oldest version that is still spoken.
    #[n(1)]
    pub min: u32,
    /// The newest version.
    #[n(2)]
    pub max: u32,
}

/// Who a node is, as its root key says. Values come from [`SignedDocument::verify`].
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct IdentityDocument {
    /// The hash of `root`.
    #[n(0)]
    pub node_id: NodeId,
    /// One for the first document; larger for each that follows, by a step that is drawn.
    #[n(1)]
    pub seq: u64,
    /// The hash of the document before; none for the first.
    #[n(2)]
    pub prev: Option<Hash>,
    /// The key that signs this document.
    #[n(3)]
    pub root: PublicKey,
    /// The hash of the root key that would follow, so that a thief of the present one cannot name it.
    #[n(4)]
    pub next_root_hash: Hash,
    /// What the organization calls itself.
    #[n(5)]
    pub organization: Name,
    /// Its legal kind, a word that policies know.
    #[n(6)]
    pub kind: Word,
    /// Keys in use, one per use, in the order of their uses.
    #[n(7)]
    pub keys: Vec<DocumentKey>,
    /// Where a keeper is reached; empty at every other node.
    #[n(8)]
    pub endpoints: Vec<Endpoint>,
    /// What the node can do, in alphabetical order.
    #[n(9)]
    pub capabilities: Vec<Capability>,
    /// The document counts until this moment, by log time.
    #[n(10)]
    pub valid_until: Moment,
}

impl Canonical for IdentityDocument {
    const WHAT: &'static str = "identity document";
    const MAX_BYTES: usize = IDENTITY_BYTES;
}

/// Why an identity document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    /// The bytes are no document.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// The id belongs to another root key.
    #[error("the node id is not the hash of the root key in this document")]
    NodeId,
    /// The root key did not sign these bytes.
    #[error("the root key's signature does not fit this document; ask for it again")]
    Signature,
    /// First documents have number one and no predecessor; later ones have both.
    #[error("document number {seq} and its link to the one before do not fit together")]
    Sequence {
        /// The number in the document.
        seq: u64,
    },
    /// Not the document that comes next.
    #[error("this document does not follow the one that is known: {what} differs")]
    NotNext {
        /// Number, link, root key, next root key or node id.
        what: &'static str,
    },
    /// A use that every node needs has no key.
    #[error("this document has no key for {0}")]
    MissingUse(KeyUse),
    /// Two keys for one use, or keys out of order.
    #[error("the keys of this document are not one per use in the order of their uses, at {0}")]
    DuplicateUse(KeyUse),
    /// The root key is named apart, never among the keys in use.
    #[error("the root key stands among the keys in use")]
    RootInUse,
    /// The name of a key is not derived from it.
    #[error("the name of the key for {0} does not belong to it")]
    KeyId(KeyUse),
    /// One key may not serve two uses.
    #[error("the key for {0} already serves another use")]
    SharedKey(KeyUse),
    /// A key under which signatures or seals mean nothing.
    #[error("the key for {0} is one of the few that protect nothing")]
    WeakKey(KeyUse),
    /// Keepers have an endpoint and a key for heads, others have neither.
    #[error("a keeper has both an endpoint and a key for heads, any other node neither")]
    HalfKeeper,
    /// Over a named limit.
    #[error("a document has at most {limit} {what}, this has {found}")]
    TooMany {
        /// What there is too much of.
        what: &'static str,
        /// The named limit.
        limit: usize,
        /// What was found.
        found: usize,
    },
    /// Endpoints repeat.
    #[error("an endpoint is listed twice")]
    RepeatedEndpoint,
    /// A range that holds no version, or a list out of order.
    #[error("the capabilities are not in alphabetical order, or one of them spans no version")]
    Capabilities,
    /// Its time is over.
    #[error("this document counted until {until:?}, and it is later; ask for the newer one")]
    Expired {
        /// Its last moment.
        until: Moment,
    },
    /// Nobody promises anything for so long.
    #[error("this document claims to count for more than 400 days")]
    TooLongValid,
}

impl IdentityDocument {
    /// The key in use for something; none for the root, and for heads at a node that keeps no log.
    #[must_use]
    pub fn key(&self, usage: KeyUse) -> Option<&DocumentKey> {
        self.keys.iter().find(|key| key.usage == usage)
    }

    /// The key with this name, if it serves this use.
    #[must_use]
    pub fn key_named(&self, usage: KeyUse, kid: &KeyId) -> Option<PublicKey> {
        self.key(usage)
            .filter(|key| key.kid == *kid)
            .map(|key| key.public)
    }

    /// To whom things are sealed that only this node may open.
    #[must_use]
    pub fn age_recipient(&self) -> Option<AgeRecipient> {
        self.key(KeyUse::Age)
            .and_then(|key| AgeRecipient::from_bytes(key.public.0).ok())
    }

    /// Whether the node offers to keep a log.
    #[must_use]
    pub fn is_keeper(&self) -> bool {
        !self.endpoints.is_empty()
    }

    /// Signs the document with its root key.
    ///
    /// # Errors
    /// What [`SignedDocument::verify`] would say, dates apart.
    pub fn sign(&self, root: &SigningKey) -> Result<SignedDocument, IdentityError> {
        self.check()?;
        if root.public() != self.root {
            return Err(IdentityError::Signature);
        }
        let document = encode(self);
        if document.len() > IDENTITY_BYTES {
            let found = document.len();
            return Err(IdentityError::TooMany {
                what: "bytes",
                limit: IDENTITY_BYTES,
                found,
            });
        }
        let signature = root.sign(&signed_bytes(&document));
        Ok(SignedDocument {
            document,
            signature,
        })
    }

    fn check(&self) -> Result<(), IdentityError> {
        if self.node_id != NodeId::of_root_key(&self.root.0) {
            return Err(IdentityError::NodeId);
        }
        if self.seq == 0 || (self.seq == 1) != self.prev.is_none() {
            return Err(IdentityError::Sequence { seq: self.seq });
        }
        self.check_keys()?;
        self.check_lists()
    }

    fn check_keys(&self) -> Result<(), IdentityError> {
        at_most("keys", DOCUMENT_KEYS, self.keys.len())?;
        if !self.root.is_sound_ed25519() {
            return Err(IdentityError::WeakKey(KeyUse::Root));
        }
        let mut met = vec![DocumentKey::new(KeyUse::Root, self.root)];
        for key in &self.keys {
            if key.usage == KeyUse::Root {
                return Err(IdentityError::RootInUse);
            }
            if met.iter().any(|other| other.usage >= key.usage) {
                return Err(IdentityError::DuplicateUse(key.usage));
            }
            if met.iter().any(|other| other.public == key.public) {
                return Err(IdentityError::SharedKey(key.usage));
            }
            if key.kid != KeyId::of(key.usage, &key.public) {
                return Err(IdentityError::KeyId(key.usage));
            }
            if !is_sound(key) {
                return Err(IdentityError::WeakKey(key.usage));
            }
            met.push(*key);
        }
        for usage in [KeyUse::Request, KeyUse::Mls, KeyUse::Age, KeyUse::Statement] {
            self.key(usage).ok_or(IdentityError::MissingUse(usage))?;
        }
        Ok(())
    }

    fn check_lists(&self) -> Result<(), IdentityError> {
        at_most("endpoints", ENDPOINTS_MAX, self.endpoints.len())?;
        at_most("capabilities", CAPABILITIES_MAX, self.capabilities.len())?;
        if self.is_keeper() != self.key(KeyUse::Head).is_some() {
            return Err(IdentityError::HalfKeeper);
        }
        let distinct: std::collections::BTreeSet<_> = self.endpoints.iter().collect();
        if distinct.len() != self.endpoints.len() {
            return Err(IdentityError::RepeatedEndpoint);
        }
        let rising = self.capabilities.is_sorted_by(|a, b| a.name < b.name);
        if !rising || self.capabilities.iter().any(|one| one.min > one.max) {
            return Err(IdentityError::Capabilities);
        }
        Ok(())
    }

    fn check_dates(&self, now: Moment) -> Result<(), IdentityError> {
        if now > self.valid_until {
            return Err(IdentityError::Expired {
                until: self.valid_until,
            });
        }
        if self.valid_until.since(now) > DOCUMENT_LIFE {
            return Err(IdentityError::TooLongValid);
        }
        Ok(())
    }
}

/// A document's bytes and the root's signature over them; what travels and is stored.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct SignedDocument {
    /// The canonical bytes of an [`IdentityDocument`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub document: Vec<u8>,
    /// By the root key, over a fixed prefix and `document`.
    #[n(1)]
    pub signature: Signature,
}

impl Canonical for SignedDocument {
    const WHAT: &'static str = "signed identity document";
    const MAX_BYTES: usize = IDENTITY_BYTES + 80;
}

impl SignedDocument {
    /// The hash by which a later document names this one.
    #[must_use]
    pub fn hash(&self) -> Hash {
        Hash::of(&self.document)
    }

    /// Reads the document, if everything about it holds at this moment. Members pass log time.
    ///
    /// # Errors
    /// [`IdentityError`], the first thing that does not hold.
    pub fn verify(&self, now: Moment) -> Result<IdentityDocument, IdentityError> {
        let document = self.verify_undated()?;
        document.check_dates(now)?;
        Ok(document)
    }

    /// Reads the document, if its root signed it, whether or not it counts at any moment: what was
    /// signed stays signed.
    ///
    /// # Errors
    /// As [`Self::verify`], dates apart.
    pub fn verify_undated(&self) -> Result<IdentityDocument, IdentityError> {
        let document: IdentityDocument = decode(&self.document)?;
        document.check()?;
        if !document
            .root
            .verifies(&signed_bytes(&self.document), &self.signature)
        {
            return Err(IdentityError::Signature);
        }
        Ok(document)
    }

    /// Reads the document, if it also follows one that is known.
    ///
    /// # Errors
    /// [`IdentityError`]; [`IdentityError::NotNext`] when it follows another one.
    pub fn verify_after(
        &self,
        known: &Self,
        now: Moment,
    ) -> Result<IdentityDocument, IdentityError> {
        let before: IdentityDocument = decode(&known.document)?;
        let document = self.verify(now)?;
        let checks = [
            ("the node id", document.node_id == before.node_id),
            ("the root key", document.root == before.root),
            (
                "the next root key",
                document.next_root_hash == before.next_root_hash,
            ),
            (
                "the number",
                (before.seq.saturating_add(1)..=before.seq.saturating_add(SERIAL_STEP))
                    .contains(&document.seq),
            ),
            ("the link", document.prev == Some(known.hash())),
        ];
        match checks.into_iter().find(|(_, holds)| !holds) {
            Some((what, _)) => Err(IdentityError::NotNext { what }),
            None => Ok(document),
        }
    }
}

fn signed_bytes(document: &[u8]) -> Vec<u8> {
    [SIGNATURE_DOMAIN, document].concat()
}

fn is_sound(key: &DocumentKey) -> bool {
    match key.usage {
        KeyUse::Age => AgeRecipient::from_bytes(key.public.0).is_ok(),
        _ => key.public.is_sound_ed25519(),
    }
}

fn at_most(what: &'static str, limit: usize, found: usize) -> Result<(), IdentityError> {
    if found > limit {
        Err(IdentityError::TooMany { what, limit, found })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests;
