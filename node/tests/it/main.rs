//! Tests of the node with its real database, in one process: one program, so that it links once.
#![cfg(test)]

mod federation;
mod fold;
mod store;
mod site;
