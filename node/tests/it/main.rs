//! The node as allies meet it: whole nodes in one process, with a clock and a network of the test's own.
#![cfg(test)]

mod claims;
mod reports;
mod shares;
mod support;
mod suppressions;
mod tokens;
