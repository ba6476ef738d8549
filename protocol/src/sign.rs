//! Request signatures: who calls now (RFC 9421, RFC 9530). Spec: identity.md, section 4.
//!
//! One profile and no choices: label `ct`, Ed25519, four fixed lists of components, five required
//! parameters in one order. Nothing is negotiated, so nothing can be negotiated away, and one
//! message has exactly one spelling of its signature.
//!
//! This module works on a neutral view of a message, so it serves any HTTP library. A request
//! signature says who calls *now* and is not kept; what is kept is signed inside MLS.

mod base;
mod content;
mod error;
mod fields;
mod nonces;
mod parameters;
mod request;
mod response;

pub use base::{Component, signature_base};
pub use content::content_digest;
pub use error::SignatureError;
pub use fields::{LogPoint, Seen, ShownHead};
pub use nonces::{Nonce, NonceError, Nonces};
pub use parameters::KeyName;
pub use request::{RequestView, VerifiedRequest, sign_request, verify_request};
pub use response::{Answered, ResponseView, VerifiedResponse, sign_response, verify_response};

use crate::{
    id::NodeId,
    identity::{KeyId, KeyUse, SigningKey},
    limits::SIGNED_HEADER_BYTES,
};

/// The keeper that a request is for.
pub const TO: &str = "commonturf-to";
/// How far the caller has read the log.
pub const SEEN: &str = "commonturf-seen";
/// How far the answering keeper's log reaches.
pub const HEAD: &str = "commonturf-head";
/// The digest of the content.
pub const CONTENT_DIGEST: &str = "content-digest";
/// The type of the content.
pub const CONTENT_TYPE: &str = "content-type";
/// Components and parameters.
pub const SIGNATURE_INPUT: &str = "signature-input";
/// The signature itself.
pub const SIGNATURE: &str = "signature";

/// Headers as a slice of names and values. Names match in any case.
pub type Headers<'a> = &'a [(&'a str, &'a str)];

/// Headers to add to a message.
pub type AddedHeaders = Vec<(&'static str, String)>;

/// A node's key for requests, with the name under which others find it.
pub struct RequestSigner {
    name: KeyName,
    key: SigningKey,
}

impl RequestSigner {
    /// Pairs a node with its key for [`KeyUse::Request`].
    #[must_use]
    pub fn new(node: NodeId, key: SigningKey) -> Self {
        let kid = KeyId::of(KeyUse::Request, &key.public());
        Self {
            name: KeyName { node, kid },
            key,
        }
    }

    /// The key's full name.
    #[must_use]
    pub fn name(&self) -> KeyName {
        self.name
    }
}

/// The one value of a header. A header that is sent twice could be read as either.
fn header<'a>(headers: Headers<'a>, name: &'static str) -> Result<&'a str, SignatureError> {
    let mut values = headers
        .iter()
        .filter(|(found, _)| found.eq_ignore_ascii_case(name));
    let (_, value) = values.next().ok_or(SignatureError::Missing { name })?;
    if values.next().is_some() {
        return Err(SignatureError::Repeated { name });
    }
    if value.len() > SIGNED_HEADER_BYTES {
        return Err(SignatureError::TooLong { what: name });
    }
    Ok(value)
}

/// Content of no bytes is no content: HTTP libraries disagree about the difference.
fn content(body: Option<&[u8]>) -> Option<&[u8]> {
    body.filter(|bytes| !bytes.is_empty())
}

#[cfg(test)]
mod tests;
