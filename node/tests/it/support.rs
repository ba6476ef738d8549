//! What tests share.

pub(crate) mod coalition;
pub(crate) mod people;
