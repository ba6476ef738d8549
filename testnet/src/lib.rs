//! A coalition on your desk: synthetic people, export files, demo, check, bench.

pub mod export_files;
pub mod people;
