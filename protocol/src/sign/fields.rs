//! The three Commonturf headers, each with one spelling (RFC 9651).

use super::{
    SignatureError,
    content::{print_bytes, read_bytes},
};
use crate::{
    id::{Hash, Lineage, NodeId},
    identity::Signature,
    time::Moment,
};
use minicbor::{Decode, Encode};
use std::fmt;

/// RFC 9651 integers have at most 15 digits.
const LARGEST_INTEGER: u64 = 999_999_999_999_999;

/// A point of a coalition log: which numbering, which entry, and the hash of the chain up to it.
/// Position zero with the hash [`Hash::ZERO`] stands before the first entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct LogPoint {
    /// The numbering.
    #[n(0)]
    pub lineage: Lineage,
    /// The entry.
    #[n(1)]
    pub position: u64,
    /// The hash of the chain up to and with that entry.
    #[n(2)]
    pub chain: Hash,
}

impl fmt::Display for LogPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (lineage, chain) = (print_bytes(&self.lineage.0), print_bytes(&self.chain.0));
        write!(
            f,
            "lineage={lineage}, position={}, chain={chain}",
            self.position
        )
    }
}

/// `commonturf-seen`: how far the caller has folded the log, and which document it speaks under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Nothing while joining.
    pub log: Option<LogPoint>,
    /// The number of the caller's newest own document.
    pub document: u64,
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(log) = self.log {
            write!(f, "{log}, ")?;
        }
        write!(f, "doc={}", self.document)
    }
}

impl Seen {
    /// Reads the header.
    ///
    /// # Errors
    /// [`SignatureError`] when it is spelled otherwise than [`fmt::Display`] has it.
    pub fn read(text: &str) -> Result<Self, SignatureError> {
        let what = super::SEEN;
        let mut members = Members::of(text, what);
        let log = if text.starts_with("doc=") {
            None
        } else {
            Some(members.log_point()?)
        };
        let seen = Self {
            log,
            document: members.integer("doc")?,
        };
        one_spelling(text, &seen, what)?;
        Ok(seen)
    }
}

/// `commonturf-head`: the end of the keeper's log. What it signs is defined with the log's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownHead {
    /// The last entry that the keeper has.
    pub log: LogPoint,
    /// The log time of that entry.
    pub log_time: Moment,
    /// By the keeper's key for heads.
    pub signature: Signature,
}

impl fmt::Display for ShownHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (time, signature) = (self.log_time.0, print_bytes(&self.signature.0));
        write!(f, "{}, time={time}, sig={signature}", self.log)
    }
}

/// What stands in `commonturf-head` when there is nothing to show: a refusal to a stranger must not
/// tell whether the coalition exists.
const NO_HEAD: &str = "none";

pub(super) fn print_head(head: Option<&ShownHead>) -> String {
    head.map_or_else(|| NO_HEAD.to_owned(), ToString::to_string)
}

pub(super) fn read_head(text: &str) -> Result<Option<ShownHead>, SignatureError> {
    if text == NO_HEAD {
        return Ok(None);
    }
    let what = super::HEAD;
    let mut members = Members::of(text, what);
    let log = members.log_point()?;
    let time =
        i64::try_from(members.integer("time")?).map_err(|_| SignatureError::Syntax { what })?;
    let signature = Signature(members.bytes("sig")?);
    let head = ShownHead {
        log,
        log_time: Moment(time),
        signature,
    };
    one_spelling(text, &head, what)?;
    Ok(Some(head))
}

/// `commonturf-to`: the recipient's id as a string item.
pub(super) fn print_to(node: NodeId) -> String {
    format!("\"{node}\"")
}

/// The members of a dictionary, read in a fixed order.
struct Members<'a> {
    rest: std::str::Split<'a, &'static str>,
    what: &'static str,
}

impl<'a> Members<'a> {
    fn of(text: &'a str, what: &'static str) -> Self {
        Self {
            rest: text.split(", "),
            what,
        }
    }

    fn value(&mut self, name: &str) -> Result<&'a str, SignatureError> {
        let member = self.rest.next().and_then(|member| member.split_once('='));
        let value = member
            .filter(|(found, _)| *found == name)
            .map(|(_, value)| value);
        value.ok_or(SignatureError::Syntax { what: self.what })
    }

    fn integer(&mut self, name: &str) -> Result<u64, SignatureError> {
        let value = self.value(name)?.parse().ok();
        value
            .filter(|value| *value <= LARGEST_INTEGER)
            .ok_or(SignatureError::Syntax { what: self.what })
    }

    fn bytes<const N: usize>(&mut self, name: &str) -> Result<[u8; N], SignatureError> {
        let value = self.value(name)?;
        read_bytes(value, self.what)
    }

    fn log_point(&mut self) -> Result<LogPoint, SignatureError> {
        Ok(LogPoint {
            lineage: Lineage(self.bytes("lineage")?),
            position: self.integer("position")?,
            chain: Hash(self.bytes("chain")?),
        })
    }
}

/// Printing what was read must give the same text: leading zeros, signs and leftovers end here.
fn one_spelling(
    text: &str,
    value: &impl fmt::Display,
    what: &'static str,
) -> Result<(), SignatureError> {
    if value.to_string() == text {
        Ok(())
    } else {
        Err(SignatureError::Syntax { what })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point() -> LogPoint {
        LogPoint {
            lineage: Lineage([1; 16]),
            position: 12,
            chain: Hash([2; 32]),
        }
    }

    #[test]
    fn seen_and_head_are_read_back() {
        for log in [None, Some(point())] {
            let seen = Seen { log, document: 3 };
            assert_eq!(Seen::read(&seen.to_string()), Ok(seen));
        }
        let head = ShownHead {
            log: point(),
            log_time: Moment(1_700_000_000_000),
            signature: Signature([3; 64]),
        };
        assert_eq!(read_head(&head.to_string()), Ok(Some(head)));
        assert_eq!(read_head("none"), Ok(None));
    }

    #[test]
    fn another_spelling_of_seen_is_refused() {
        let good = Seen {
            log: Some(point()),
            document: 3,
        }
        .to_string();
        let error = Err(SignatureError::Syntax {
            what: super::super::SEEN,
        });
        for (from, to) in [
            ("position=12", "position=012"),
            ("position=12", "position=+12"),
            ("position=12", "position=-1"),
            ("position=12", "position=1000000000000000"),
            ("position=12, ", ""),
            (", doc=3", ""),
            (", doc=3", ", doc=3, doc=4"),
            (", ", ","),
            ("doc", "Doc"),
            ("lineage=:", "lineage=::"),
        ] {
            let text = good.replace(from, to);
            assert_eq!(Seen::read(&text), error, "{text}");
        }
        assert_eq!(Seen::read(""), error);
    }
}
