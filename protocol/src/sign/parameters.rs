//! The parameters of a signature: five, all required, in one order.

use super::{
    Nonce, SignatureError,
    base::{Component, component_list},
    content::{print_base64, read_base64},
};
use crate::{
    id::NodeId,
    identity::KeyId,
    limits::{CLOCK_AHEAD, NONCE_LIFE},
    time::Moment,
};
use std::{fmt, str::FromStr};

/// The one label.
pub(super) const LABEL: &str = "ct";
/// In the order in which they are written.
const NAMES: [&str; 5] = ["created", "expires", "nonce", "keyid", "tag"];
/// Twelve digits of seconds are 31,000 years.
const SECONDS_DIGITS: usize = 12;

/// The full name of a key: node and key id, `node_id.kid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName {
    /// Whose key it is.
    pub node: NodeId,
    /// Which of its keys.
    pub kid: KeyId,
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.node, self.kid)
    }
}

impl FromStr for KeyName {
    type Err = SignatureError;
    fn from_str(text: &str) -> Result<Self, SignatureError> {
        let syntax = SignatureError::Syntax { what: "keyid" };
        let (node, kid) = text.split_once('.').ok_or(syntax)?;
        let name = Self {
            node: node.parse().map_err(|_| syntax)?,
            kid: kid.parse().map_err(|_| syntax)?,
        };
        if name.to_string() == text {
            Ok(name)
        } else {
            Err(syntax)
        }
    }
}

/// What a signature says about itself. Times are whole seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parameters {
    pub(super) created: i64,
    pub(super) expires: i64,
    pub(super) nonce: Nonce,
    pub(super) key: KeyName,
}

impl Parameters {
    /// Parameters of a signature made now that counts as long as any may.
    pub(super) fn new(created: Moment, nonce: Nonce, key: KeyName) -> Self {
        let created = created.0.div_euclid(1_000);
        Self {
            created,
            expires: created.saturating_add(NONCE_LIFE / 1_000),
            nonce,
            key,
        }
    }

    pub(super) fn created(&self) -> Moment {
        Moment(self.created.saturating_mul(1_000))
    }

    pub(super) fn expires(&self) -> Moment {
        Moment(self.expires.saturating_mul(1_000))
    }

    /// As the end of the signature base and of `Signature-Input`.
    pub(super) fn print(&self, tag: &str) -> String {
        let Self {
            created,
            expires,
            nonce,
            key,
        } = self;
        let nonce = print_base64(&nonce.0);
        format!(
            ";created={created};expires={expires};nonce=\"{nonce}\";keyid=\"{key}\";tag=\"{tag}\""
        )
    }

    /// Reads a whole `Signature-Input` that covers exactly these components.
    pub(super) fn read(
        input: &str,
        covered: &[Component<'_>],
        tag: &str,
    ) -> Result<Self, SignatureError> {
        let start = format!("{LABEL}={}", component_list(covered));
        let rest = input
            .strip_prefix(&start)
            .ok_or(SignatureError::Components)?;
        let values = split(rest)?;
        let [created, expires, nonce, keyid, found_tag] = values;
        let parameters = Self {
            created: seconds(created, "created")?,
            expires: seconds(expires, "expires")?,
            nonce: Nonce(read_base64(unquote(nonce, "nonce")?, "nonce")?),
            key: unquote(keyid, "keyid")?.parse()?,
        };
        if unquote(found_tag, "tag")? != tag || parameters.print(tag) != rest {
            return Err(SignatureError::Syntax { what: "tag" });
        }
        Ok(parameters)
    }

    /// Whether the lifetime is one that a signature may have.
    pub(super) fn check_lifetime(&self) -> Result<(), SignatureError> {
        match self.expires().since(self.created()) {
            1..=NONCE_LIFE => Ok(()),
            _ => Err(SignatureError::Lifetime),
        }
    }

    /// Whether the signature counts by this clock.
    pub(super) fn check_time(&self, now: Moment) -> Result<(), SignatureError> {
        let (created, expires) = (self.created(), self.expires());
        if created > now.plus(CLOCK_AHEAD) {
            return Err(SignatureError::Ahead { created });
        }
        if expires < now {
            return Err(SignatureError::Expired { expires });
        }
        Ok(())
    }
}

/// The five values. No value can contain a semicolon: none of their alphabets has one.
fn split(text: &str) -> Result<[&str; 5], SignatureError> {
    let mut pieces = text.split(';');
    if pieces.next() != Some("") {
        return Err(SignatureError::Components);
    }
    let pieces: Vec<_> = pieces
        .take(NAMES.len() + 2)
        .map(|piece| piece.split_once('=').unwrap_or((piece, "")))
        .collect();
    if pieces.iter().any(|(name, _)| *name == "alg") {
        return Err(SignatureError::AlgorithmNamed);
    }
    for name in NAMES {
        if !pieces.iter().any(|(found, _)| *found == name) {
            return Err(SignatureError::MissingParameter { name });
        }
    }
    let in_order = pieces.iter().map(|(name, _)| *name).eq(NAMES);
    let values: Vec<_> = pieces.into_iter().map(|(_, value)| value).collect();
    values
        .try_into()
        .ok()
        .filter(|_| in_order)
        .ok_or(SignatureError::Syntax {
            what: super::SIGNATURE_INPUT,
        })
}

fn seconds(text: &str, what: &'static str) -> Result<i64, SignatureError> {
    let number: Option<i64> = text.parse().ok().filter(|_| text.len() <= SECONDS_DIGITS);
    number
        .filter(|number| *number >= 0 && number.to_string() == text)
        .ok_or(SignatureError::Syntax { what })
}

fn unquote<'a>(text: &'a str, what: &'static str) -> Result<&'a str, SignatureError> {
    let inner = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.ok_or(SignatureError::Syntax { what })
}
