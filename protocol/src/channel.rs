//! The four ways in which canvassers reach people.

use minicbor::{Decode, Encode};
use std::{fmt, str::FromStr};

/// A channel of a claim, contact report or suppression.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// A knock on a door.
    #[n(0)]
    Door,
    /// A phone call.
    #[n(1)]
    Phone,
    /// A text message.
    #[n(2)]
    Text,
    /// An e-mail.
    #[n(3)]
    Email,
}

impl Channel {
    /// Every channel, in the order in which people list them.
    pub const ALL: [Self; 4] = [Self::Door, Self::Phone, Self::Text, Self::Email];

    /// The word that people type and read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Door => "door",
            Self::Phone => "phone",
            Self::Text => "text",
            Self::Email => "email",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Channel {
    type Err = UnknownChannel;
    fn from_str(text: &str) -> Result<Self, UnknownChannel> {
        Self::ALL
            .into_iter()
            .find(|channel| channel.name() == text)
            .ok_or(UnknownChannel)
    }
}

/// A word that names no channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a channel is one of: door, phone, text, email")]
pub struct UnknownChannel;
