//! x
#![allow(missing_docs)]
pub mod ambient;
pub mod store;
