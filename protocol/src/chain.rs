//! The hash chain over a log, and what keepers say about its head. Spec: section 3.

use crate::{
    codec::Canonical,
    id::{Hash, Lineage},
    time::Moment,
};
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

/// One ordered entry, as a keeper stores and hands it out.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct LogItem {
    /// Counted from 1 without gaps.
    #[n(0)]
    pub position: u64,
    /// Set by the keeper; never goes back.
    #[n(1)]
    pub log_time: Moment,
    /// The [`crate::envelope::Envelope`], as it was appended.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub sealed: Vec<u8>,
}

impl LogItem {
    /// Where, when, and the hash of what was said.
    #[must_use]
    pub fn line(&self) -> LogLine {
        LogLine {
            position: self.position,
            log_time: self.log_time,
            sealed: Hash::of(&self.sealed),
        }
    }

    /// As [`LogLine::leaf`].
    #[must_use]
    pub fn leaf(&self, lineage: Lineage) -> Hash {
        self.line().leaf(lineage)
    }
}

/// What stays of an ordered entry for ever: enough to continue the chain and the tree over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct LogLine {
    /// Counted from 1 without gaps.
    #[n(0)]
    pub position: u64,
    /// Set by the keeper; never goes back.
    #[n(1)]
    pub log_time: Moment,
    /// The hash of the envelope.
    #[n(2)]
    pub sealed: Hash,
}

impl LogLine {
    /// What the log tree hashes of this entry: the numbering, where and when, and the hash of what
    /// was said.
    #[must_use]
    pub fn leaf(&self, lineage: Lineage) -> Hash {
        leaf(lineage, self.position, self.log_time, self.sealed)
    }

    /// The chain hash at this entry, given the one before it ([`Hash::ZERO`] before the first).
    #[must_use]
    pub fn chain(&self, before: Hash, lineage: Lineage) -> Hash {
        let mut digest = Sha256::new();
        digest.update(b"commonturf chain v1\0");
        digest.update(before.0);
        digest.update(lineage.0);
        digest.update(self.position.to_be_bytes());
        digest.update(self.log_time.0.to_be_bytes());
        digest.update(self.sealed.0);
        Hash(digest.finalize().into())
    }
}

/// The leaf of the log tree for an entry of which no more than its hash is known. The first entry,
/// at position 1, is leaf 0.
#[must_use]
pub fn leaf(lineage: Lineage, position: u64, log_time: Moment, sealed: Hash) -> Hash {
    let data = [
        lineage.0.as_slice(),
        &position.to_be_bytes(),
        &log_time.0.to_be_bytes(),
        &sealed.0,
    ];
    crate::merkle::leaf(&data.concat())
}

/// The most entries of one append.
pub const APPEND_ENTRIES: usize = 256;
/// The most bytes of one append.
pub const APPEND_BYTES: usize = 1024 * 1024;

/// Entries to be ordered, one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Append {
    /// Each an [`crate::envelope::Envelope`], encoded.
    #[n(0)]
    pub entries: Vec<Sealed>,
}

/// Sealed bytes as one CBOR byte string.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Sealed(#[cbor(n(0), with = "minicbor::bytes")] pub Vec<u8>);

impl Canonical for Append {
    const WHAT: &'static str = "append";
    const MAX_BYTES: usize = APPEND_BYTES;
}

/// What became of each entry of an append.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Appended {
    /// In the order of the entries.
    #[n(0)]
    pub results: Vec<AppendResult>,
}

impl Canonical for Appended {
    const WHAT: &'static str = "answer to an append";
    const MAX_BYTES: usize = 64 * 1024;
}

/// What became of one entry.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum AppendResult {
    /// It is on the keeper's disk at this position, now or from an earlier append.
    #[n(0)]
    Ordered {
        /// Where.
        #[n(0)]
        position: u64,
        /// When.
        #[n(1)]
        log_time: Moment,
    },
    /// The keeper did not take it.
    #[n(1)]
    Refused {
        /// A problem code.
        #[n(0)]
        code: String,
    },
}

/// The most entries of one page.
pub const READ_ITEMS: usize = 1_000;
/// The most bytes of entries in one page.
pub const READ_BYTES: usize = 1024 * 1024;

/// An answer to a read: entries in order, and where the log stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Page {
    /// Entries after the position that was asked for.
    #[n(0)]
    pub items: Vec<LogItem>,
    /// Where the log stands.
    #[n(1)]
    pub head: Head,
    /// The keeper's signed head of the log tree, a [`crate::note::Note`]: at this head or a little
    /// before it.
    #[n(2)]
    pub note: String,
}

impl Canonical for Page {
    const WHAT: &'static str = "page of entries";
    const MAX_BYTES: usize = READ_BYTES + crate::envelope::ENTRY_BYTES + 64 * 1024;
}

/// The most lines of one outline.
pub const OUTLINE_LINES: usize = 10_000;

/// An answer to whoever needs to continue chain and tree, not what was said.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Outline {
    /// Lines after the position that was asked for, in order.
    #[n(0)]
    pub lines: Vec<LogLine>,
    /// Up to this position no more than the lines are kept.
    #[n(1)]
    pub pruned: u64,
}

impl Canonical for Outline {
    const WHAT: &'static str = "outline of the log";
    const MAX_BYTES: usize = OUTLINE_LINES * 64 + 64;
}

/// Where a log stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Head {
    /// The numbering.
    #[n(0)]
    pub lineage: Lineage,
    /// The last position; 0 for an empty log.
    #[n(1)]
    pub position: u64,
    /// The chain hash there.
    #[n(2)]
    pub chain: Hash,
    /// The log time there.
    #[n(3)]
    pub log_time: Moment,
}

impl Head {
    /// The head of a log that has no entry yet.
    #[must_use]
    pub fn start(lineage: Lineage) -> Self {
        Self {
            lineage,
            position: 0,
            chain: Hash::ZERO,
            log_time: Moment(0),
        }
    }

    /// What a keeper's key for heads signs.
    #[must_use]
    pub fn signed_bytes(&self) -> Vec<u8> {
        [
            b"commonturf head v1\0".as_slice(),
            &self.lineage.0,
            &self.position.to_be_bytes(),
            &self.chain.0,
            &self.log_time.0.to_be_bytes(),
        ]
        .concat()
    }

    /// The head after one more item.
    ///
    /// # Errors
    /// When the item leaves a gap, repeats a position or goes back in time.
    pub fn after(&self, item: &LogItem) -> Result<Self, ChainError> {
        self.after_line(&item.line())
    }

    /// As [`Head::after`], where no more than the line is known.
    ///
    /// # Errors
    /// As [`Head::after`].
    pub fn after_line(&self, line: &LogLine) -> Result<Self, ChainError> {
        if line.position != self.position + 1 {
            return Err(ChainError::Gap {
                expected: self.position + 1,
                found: line.position,
            });
        }
        if line.log_time < self.log_time {
            return Err(ChainError::TimeWentBack {
                position: line.position,
            });
        }
        Ok(Self {
            lineage: self.lineage,
            position: line.position,
            chain: line.chain(self.chain, self.lineage),
            log_time: line.log_time,
        })
    }
}

/// Why entries do not continue a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// A position is missing or repeated.
    #[error("the log continues at position {expected}, not {found}")]
    Gap {
        /// The next position.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// Log time never goes back.
    #[error("log time went back at position {position}")]
    TimeWentBack {
        /// Where.
        position: u64,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINEAGE: Lineage = Lineage([1; 16]);

    fn item(position: u64, time: i64) -> LogItem {
        LogItem {
            position,
            log_time: Moment(time),
            sealed: vec![9; 4],
        }
    }

    #[test]
    fn a_gap_is_refused() {
        let head = Head::start(LINEAGE);
        assert_eq!(
            head.after(&item(2, 5)),
            Err(ChainError::Gap {
                expected: 1,
                found: 2
            })
        );
    }

    #[test]
    fn log_time_that_goes_back_is_refused() {
        let head = Head::start(LINEAGE).after(&item(1, 5)).unwrap();
        assert_eq!(
            head.after(&item(2, 4)),
            Err(ChainError::TimeWentBack { position: 2 })
        );
    }

    #[test]
    fn every_part_of_an_item_changes_the_chain() {
        let chain = |item: LogItem| item.line().chain(Hash::ZERO, LINEAGE);
        let base = chain(item(1, 5));
        assert_ne!(base, chain(item(2, 5)));
        assert_ne!(base, chain(item(1, 6)));
        assert_ne!(
            base,
            chain(LogItem {
                sealed: vec![8; 4],
                ..item(1, 5)
            })
        );
        let line = item(1, 5).line();
        assert_ne!(base, line.chain(Hash::of(b"x"), LINEAGE));
        assert_ne!(base, line.chain(Hash::ZERO, Lineage([2; 16])));
    }

    #[test]
    fn a_line_continues_the_log_as_its_entry_does() {
        let (head, item) = (Head::start(LINEAGE), item(1, 5));
        assert_eq!(head.after_line(&item.line()), head.after(&item));
        assert!(
            head.after_line(
                &LogItem {
                    position: 2,
                    ..item
                }
                .line()
            )
            .is_err()
        );
    }
}
