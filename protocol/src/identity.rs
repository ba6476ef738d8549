//! Who a node is: keys by use, the document that binds them to a node id, and the secrets behind.
//!
//! A node id is the hash of a root key, so nobody assigns or vouches for it. The root signs an
//! [`IdentityDocument`] that lists the keys in daily use, where a keeper is reached, and what the
//! node's version can do. Documents travel in the coalition log, so every member changes to new
//! keys at the same position. Spec: identity.md, sections 1 to 3.

mod document;
mod endpoint;
mod key;
mod name;
mod secrets;

pub use document::{Capability, DocumentKey, IdentityDocument, IdentityError, SignedDocument};
pub use endpoint::{Endpoint, EndpointError};
pub use key::{KeyId, KeyUse, PublicKey, Signature, SigningKey};
pub(crate) use name::is_hidden;
pub use name::{Name, NameError, Word, WordError};
pub use secrets::{NodeSecrets, Particulars, SecretsError, Skip};

/// Gives a checked text type its printing, its CBOR form and its JSON form. Reading goes through
/// the strict rule in `$strict`: text that is acceptable but not in its one spelling is refused.
macro_rules! checked_text {
    ($name:ident, $strict:path) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                to: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                to.str(&self.0)?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(
                from: &mut minicbor::Decoder<'b>,
                _: &mut C,
            ) -> Result<Self, minicbor::decode::Error> {
                $strict(from.str()?).map_err(minicbor::decode::Error::message)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
use checked_text;
