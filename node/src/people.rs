//! The organization's own lists: files in, people and their contact points out.
//!
//! An import has two passes. The upload goes to a nameless file and is read once to its end, so that a
//! file that must be refused is refused before anything of it is kept. Then its rows are taken in
//! batches, each in one transaction together with how far the import has come: after a crash the same
//! command goes on behind the last batch, and a file that was imported before changes nothing.
//!
//! In reading order: `request` is what was asked for, `spool` the upload, `judge` the first pass, `job`
//! the batches, `incoming` a row in normal form, `matching` who it is, `merge` what changes, `person`
//! writes it together with its `batch`, `marks` and `consents` what it says about being contacted; `history` is a row of a
//! contact history. `refer` finds whom somebody at the desk means.

pub mod refer;
pub mod report;
pub mod request;
pub mod spool;

mod batch;
mod consents;
pub(crate) mod history;
mod incoming;
mod job;
mod judge;
mod marks;
mod matching;
mod merge;
mod person;

pub(crate) use incoming::{door_point, plain_point};
pub use job::{ImportFailure, run};
