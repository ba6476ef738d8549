//! What nodes say to each other and what it means, as pure functions.
//!
//! Reading order: [`id`] names things, [`codec`] turns them into bytes and back, [`entry`] is one
//! item of the coalition log, [`envelope`] is what a keeper sees of it, [`mls`] seals it for the
//! members, [`state`] is what a node knows after reading the log, and [`fold`] is the one function
//! that leads from one state to the next. Beside that road stand [`identity`] and [`sign`] (who
//! speaks), [`version`] (in which version), [`token`] (equal things recognized without showing them), [`seal`] and [`blob`] (large
//! and private payloads), [`agreement`] (the rules that the members signed), [`merkle`] and [`note`]
//! (what proves to outsiders that nobody rewrote the log) and [`problem`] (every way to say no).
//!
//! Nothing here does IO: time and randomness are arguments, and the caller stores what changed.
//! The normative text is `spec/protocol.md`; module documentation cites its sections.
#![warn(clippy::indexing_slicing, clippy::float_arithmetic)]

pub mod agreement;
pub mod blob;
pub mod chain;
pub mod channel;
pub mod codec;
pub mod comparison;
pub mod entry;
pub mod envelope;
pub mod evidence;
pub mod fold;
pub mod id;
pub mod identity;
pub mod invite;
pub mod limits;
pub mod merkle;
pub mod mls;
pub mod note;
pub mod problem;
pub mod rate;
pub mod seal;
pub mod sign;
pub mod state;
pub mod time;
pub mod token;
pub mod version;
