//! Papers that an organization owes its people: what it has and who was given it, and a receipt for
//! their consent; and the list of those whose consent ends.

pub mod receipt;
pub mod renewals;
pub mod statement;
