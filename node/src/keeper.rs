//! A keeper's work: it orders the log, stores blobs, evaluates match tokens, lets newcomers knock.

pub mod blobs;
pub mod evaluator;
mod growth;
pub mod join;
pub mod ledger;
pub mod log;
pub mod raft;
pub mod retention;
pub mod tick;
pub mod turns;
