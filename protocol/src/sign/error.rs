//! Why a signature is refused, and which problem the other side is told.

use crate::{limits::NONCE_LIFE, problem::ProblemKind, time::Moment};

/// Why a signature is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// A header that the profile needs.
    #[error("the header {name} is missing; a proxy may have removed it")]
    Missing {
        /// Which one.
        name: &'static str,
    },
    /// A header that may occur once.
    #[error("the header {name} occurs more than once")]
    Repeated {
        /// Which one.
        name: &'static str,
    },
    /// Over a named limit.
    #[error("{what} is longer than a signed message may have it")]
    TooLong {
        /// Which part.
        what: &'static str,
    },
    /// A value with line breaks, control characters, other than ASCII, or spaces at its ends.
    #[error("the value of {what} has characters that cannot be signed")]
    Characters {
        /// Which component.
        what: &'static str,
    },
    /// GET, HEAD and DELETE carry no content.
    #[error("a {method} request carries content, and it must not")]
    ContentNotAllowed {
        /// The method.
        method: &'static str,
    },
    /// Another label, list of components, or order.
    #[error("the covered components are not the ones of this profile, under the label ct")]
    Components,
    /// A parameter that must be there.
    #[error("the signature parameter {name} is missing")]
    MissingParameter {
        /// Which one.
        name: &'static str,
    },
    /// The algorithm belongs to the key, not to the message.
    #[error("the signature names an algorithm; leave alg out, the key says which it is")]
    AlgorithmNamed,
    /// A value that is no value of its kind, an unknown or repeated parameter, another order.
    #[error("{what} is not written as this profile writes it")]
    Syntax {
        /// Which part.
        what: &'static str,
    },
    /// Meant for another node.
    #[error("this request is for another keeper")]
    OtherRecipient,
    /// Signed by another node than the one that was asked.
    #[error("this answer is signed by another node than the one that was asked")]
    OtherKeeper,
    /// Nobody here knows the key.
    #[error("the key that signed is not in the roster; publish it, then ask again")]
    UnknownKey,
    /// The sender's clock is ahead.
    #[error("this was signed at {created:?}, which has not come yet; set the clock")]
    Ahead {
        /// When it says it was signed.
        created: Moment,
    },
    /// Its time is over.
    #[error("this signature counted until {expires:?}, and it is later; sign when sending")]
    Expired {
        /// Its last moment.
        expires: Moment,
    },
    /// Longer than five minutes, or not after it began.
    #[error("a signature counts for 1 to {} seconds", NONCE_LIFE / 1_000)]
    Lifetime,
    /// The content is not what was signed.
    #[error("the content does not match content-digest; something changed it on the way")]
    Digest,
    /// The signature does not fit.
    #[error(
        "the signature does not fit this message and key; a proxy may have changed host or path"
    )]
    Signature,
}

impl SignatureError {
    /// What the other side is told.
    #[must_use]
    pub fn problem(&self) -> ProblemKind {
        match self {
            Self::Ahead { .. } | Self::Expired { .. } => ProblemKind::ClockSkew,
            Self::UnknownKey => ProblemKind::NotMember,
            Self::TooLong { .. } => ProblemKind::TooLarge,
            _ => ProblemKind::BadSignature,
        }
    }
}
