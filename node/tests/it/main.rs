//! Nodes as a whole, in one process.
#![cfg(test)]

mod shares;
