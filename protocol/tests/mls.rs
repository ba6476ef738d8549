//! The coalition's MLS group: races, windows, restarts, and what is refused.
#![cfg(test)]

#[path = "mls/coalition.rs"]
mod coalition;
#[path = "mls/commits.rs"]
mod commits;
#[path = "mls/joining.rs"]
mod joining;
#[path = "mls/messages.rs"]
mod messages;
#[path = "mls/storage.rs"]
mod storage;
#[path = "mls/wire.rs"]
mod wire;
