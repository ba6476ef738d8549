//! Laws of the fold, and a table of what it refuses.
#![cfg(test)]

#[path = "fold/agreement.rs"]
mod agreement;
#[path = "fold/ceremony.rs"]
mod ceremony;
#[path = "fold/claims.rs"]
mod claims;
#[path = "fold/laws.rs"]
mod laws;
#[path = "fold/membership.rs"]
mod membership;
#[path = "fold/people.rs"]
mod people;
#[path = "fold/recall.rs"]
mod recall;
#[path = "fold/world.rs"]
mod world;
