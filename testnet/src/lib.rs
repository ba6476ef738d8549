//! A coalition on your desk: what checks, shows and measures the whole. No other room uses this one.

pub mod ambient;
pub mod bench;
pub mod chaos;
pub mod check;
mod child;
pub mod conform;
pub mod demo;
pub mod door;
pub mod export_files;
pub mod fuzz;
pub mod generated;
pub mod nodes;
pub mod people;
pub mod postgres;
pub mod setup;
pub mod sim;

use std::path::Path;

/// The folder that holds the workspace's `Cargo.toml`.
#[must_use]
pub fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the room lies inside the workspace")
}
