//! The node as allies meet it: whole nodes in one process, with a clock and a network of the test's own.
#![cfg(test)]
#![expect(clippy::large_futures, reason = "a whole round in one test is large")]

mod agreement;
mod calls;
mod claims;
mod federation;
mod fold;
mod impact;
mod imports;
mod keygen;
mod ledger;
mod listeners;
mod members;
mod overlap;
mod plans;
mod policy;
mod reports;
mod rotation;
mod shares;
mod site;
mod standing;
mod store;
mod support;
mod suppressions;
mod tokens;
mod turf;
