//! The secret half of a node: one seed per use. Spec: identity.md, section 3.

use super::{
    Capability, DocumentKey, Endpoint, IdentityDocument, IdentityError, KeyUse, Name, PublicKey,
    SignedDocument, SigningKey, Word,
};
use crate::{
    id::{Hash, NodeId},
    seal::AgeIdentity,
    time::Moment,
};
use rand_core::{CryptoRng, RngCore};
use zeroize::Zeroizing;

type Seed = Zeroizing<[u8; 32]>;

/// The version of [`NodeSecrets::to_bytes`].
const VERSION: u8 = 1;
/// Root, next root, request, mls, age, head, statement.
const SEEDS: usize = 7;

/// Everything secret that makes a node this node. It has no `Debug` and no `Serialize`; it is
/// stored only sealed, and wiped when it goes out of scope.
pub struct NodeSecrets {
    root: Seed,
    next_root: Seed,
    request: Seed,
    mls: Seed,
    age: Seed,
    head: Seed,
    statement: Seed,
}

/// What an organization says about itself in its document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Particulars {
    /// What it calls itself.
    pub organization: Name,
    /// Its legal kind.
    pub kind: Word,
    /// Where it is reached, if it keeps a log.
    pub endpoints: Vec<Endpoint>,
    /// What its program can do, in alphabetical order.
    pub capabilities: Vec<Capability>,
    /// Until when the document counts.
    pub valid_until: Moment,
}

/// How many numbers a document leaves out after the one that it follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skip(pub u32);

impl Skip {
    /// Draws one from the generator that the caller was given.
    pub fn draw(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        Self(rng.next_u32())
    }
}

/// Why bytes are no node's secrets. It says nothing about the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretsError {
    /// Written by another version.
    #[error("these node secrets have format {found}, this program reads format 1; upgrade it")]
    Version {
        /// The version byte.
        found: u8,
    },
    /// Cut off, or something else.
    #[error("these are no node secrets: restore the backup again")]
    Length,
}

impl NodeSecrets {
    /// Draws all seeds from the generator that the caller was given.
    pub fn generate(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut draw = || {
            let mut seed = Seed::default();
            rng.fill_bytes(seed.as_mut());
            seed
        };
        Self {
            root: draw(),
            next_root: draw(),
            request: draw(),
            mls: draw(),
            age: draw(),
            head: draw(),
            statement: draw(),
        }
    }

    /// The same node with fresh seeds for some uses. Root and next root stay: they are the node.
    #[must_use]
    pub fn rotated(&self, uses: &[KeyUse], rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut seed = |usage: KeyUse, old: &Seed| {
            let mut seed = old.clone();
            if uses.contains(&usage) {
                rng.fill_bytes(seed.as_mut());
            }
            seed
        };
        Self {
            root: self.root.clone(),
            next_root: self.next_root.clone(),
            request: seed(KeyUse::Request, &self.request),
            mls: seed(KeyUse::Mls, &self.mls),
            age: seed(KeyUse::Age, &self.age),
            head: seed(KeyUse::Head, &self.head),
            statement: seed(KeyUse::Statement, &self.statement),
        }
    }

    /// Whether these are the secrets behind every key that a document lists.
    #[must_use]
    pub fn fit(&self, document: &IdentityDocument) -> bool {
        document.root == self.signing_key(KeyUse::Root).public()
            && document
                .keys
                .iter()
                .all(|key| key.public == self.public(key.usage))
    }

    fn public(&self, usage: KeyUse) -> PublicKey {
        match usage {
            KeyUse::Age => self.age().recipient().key(),
            _ => self.signing_key(usage).public(),
        }
    }

    /// The bytes to seal and store: a version and the seven seeds.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(1 + SEEDS * 32));
        bytes.push(VERSION);
        for seed in [
            &self.root,
            &self.next_root,
            &self.request,
            &self.mls,
            &self.age,
            &self.head,
            &self.statement,
        ] {
            bytes.extend_from_slice(seed.as_ref());
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`SecretsError`]: another version, or not whole.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SecretsError> {
        let (version, rest) = bytes.split_first().ok_or(SecretsError::Length)?;
        if *version != VERSION {
            return Err(SecretsError::Version { found: *version });
        }
        if rest.len() != SEEDS * 32 {
            return Err(SecretsError::Length);
        }
        let mut seeds = rest.chunks_exact(32);
        let mut next = || -> Result<Seed, SecretsError> {
            let chunk = seeds.next().ok_or(SecretsError::Length)?;
            let mut seed = Seed::default();
            seed.copy_from_slice(chunk);
            Ok(seed)
        };
        Ok(Self {
            root: next()?,
            next_root: next()?,
            request: next()?,
            mls: next()?,
            age: next()?,
            head: next()?,
            statement: next()?,
        })
    }

    /// The id of this node.
    #[must_use]
    pub fn node_id(&self) -> NodeId {
        NodeId::of_root_key(&self.signing_key(KeyUse::Root).public().0)
    }

    /// The seed of a use, for libraries that make their own key of it.
    #[must_use]
    pub fn seed(&self, usage: KeyUse) -> &[u8; 32] {
        match usage {
            KeyUse::Root => &self.root,
            KeyUse::Request => &self.request,
            KeyUse::Mls => &self.mls,
            KeyUse::Age => &self.age,
            KeyUse::Head => &self.head,
            KeyUse::Statement => &self.statement,
        }
    }

    /// The Ed25519 key of a use. The key for [`KeyUse::Age`] opens and never signs: take
    /// [`Self::age`] for it.
    #[must_use]
    pub fn signing_key(&self, usage: KeyUse) -> SigningKey {
        SigningKey::from_seed(self.seed(usage))
    }

    /// The identity that opens what is sealed to this node.
    #[must_use]
    pub fn age(&self) -> AgeIdentity {
        AgeIdentity::from_bytes(&self.age)
    }

    /// Writes and signs this node's document: the first one, or one that follows a known one. The key
    /// for heads is listed only by a keeper, which is a node with an endpoint.
    ///
    /// A number that follows is drawn, so that a node that signs again what it no longer knows to have
    /// signed (it was restored, or the log refused the first) does not sign two documents of one
    /// number: that would be evidence against it.
    ///
    /// # Errors
    /// [`IdentityError`] when the particulars break a limit, or `known` is no document.
    pub fn document(
        &self,
        particulars: Particulars,
        known: Option<(&SignedDocument, Skip)>,
    ) -> Result<SignedDocument, IdentityError> {
        let (seq, prev) = match known {
            None => (1, None),
            Some((known, Skip(skip))) => {
                let before: IdentityDocument = crate::codec::decode(&known.document)?;
                let seq = before.seq.saturating_add(1).saturating_add(skip.into());
                (seq, Some(known.hash()))
            }
        };
        let public = |usage| self.public(usage);
        let mut keys: Vec<_> = [KeyUse::Request, KeyUse::Mls, KeyUse::Age]
            .map(|usage| DocumentKey::new(usage, public(usage)))
            .into();
        if !particulars.endpoints.is_empty() {
            keys.push(DocumentKey::new(KeyUse::Head, public(KeyUse::Head)));
        }
        keys.push(DocumentKey::new(
            KeyUse::Statement,
            public(KeyUse::Statement),
        ));
        let next_root = SigningKey::from_seed(&self.next_root).public();
        IdentityDocument {
            node_id: self.node_id(),
            seq,
            prev,
            root: public(KeyUse::Root),
            next_root_hash: Hash::of(&next_root.0),
            organization: particulars.organization,
            kind: particulars.kind,
            keys,
            endpoints: particulars.endpoints,
            capabilities: particulars.capabilities,
            valid_until: particulars.valid_until,
        }
        .sign(&self.signing_key(KeyUse::Root))
    }
}
