//! Laws of the fold, and a table of what it refuses.
#![cfg(test)]

#[path = "fold/agreement.rs"]
mod agreement;
#[path = "fold/cap.rs"]
mod cap;
#[path = "fold/ceremony.rs"]
mod ceremony;
#[path = "fold/claims.rs"]
mod claims;
#[path = "fold/hand_on.rs"]
mod hand_on;
#[path = "fold/identity.rs"]
mod identity;
#[path = "fold/laws.rs"]
mod laws;
#[path = "fold/membership.rs"]
mod membership;
#[path = "fold/model.rs"]
mod model;
#[path = "fold/onward.rs"]
mod onward;
#[path = "fold/overlap.rs"]
mod overlap;
#[path = "fold/parting.rs"]
mod parting;
#[path = "fold/people.rs"]
mod people;
#[path = "fold/plans.rs"]
mod plans;
#[path = "fold/recall.rs"]
mod recall;
#[path = "fold/rotation.rs"]
mod rotation;
#[path = "fold/two_truths.rs"]
mod two_truths;
#[path = "fold/uses.rs"]
mod uses;
#[path = "fold/versions.rs"]
mod versions;
#[path = "fold/world.rs"]
mod world;
