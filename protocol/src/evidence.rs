//! Files that prove to outsiders what a coalition's log says. Spec: protocol.md, section 11.
//!
//! A *record* is the log without its content: when each entry was ordered, the hash of what was
//! sealed, the signed heads over all of it, and those entries that its author discloses. It holds no
//! personal data. A *person's proof* shows one row of one share: the row with its salt, its place in
//! the share tree, the announcement of the share, and the announcement's place in the log.
//!
//! A *proof of two histories* shows what was signed about one length of the log and cannot all be
//! true.
//!
//! [`verify`] needs the file alone: no database, no network, no clock, and no trust in who made it.
//! It tells in plain sentences what holds and what does not.

mod accuse;
mod check;
mod file;
mod fork;
mod person;
mod record;
mod roster;

pub use accuse::accusations;
pub use check::{Finding, Report, verify};
pub use file::{
    Body, DOCUMENTS, ENTRIES, EVIDENCE_BYTES, Evidence, EvidenceError, ForkProof, HEADS, NOTES,
    PersonProof, RECORD_ITEMS, ROW_BYTES, Record, RecordItem, Shown, SignedHead, Vouched,
    document_in,
};

#[cfg(test)]
mod tests;
