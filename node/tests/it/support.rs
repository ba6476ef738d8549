//! What tests share.

pub(crate) mod alone;
pub(crate) mod coalition;
pub(crate) mod people;
