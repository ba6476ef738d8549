//! `cargo testnet demo`: four organizations on your desk play a whole round.

mod bring;
mod canary;
mod findings;
mod known;
mod observed;

pub use findings::Finding;
