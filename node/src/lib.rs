//! x
#![allow(missing_docs)]
pub mod ambient;
pub mod import;
pub mod store;
