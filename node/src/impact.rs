//! What working together spares and brings, for those who pay for it.
//!
//! Every member's claims are counted as they are decided ([`count`]), at each node in the same way, so
//! two members' reports of the same days say the same. The report ([`report`]) adds what was shared and
//! how far the organization's own lists are covered.

pub mod count;
pub mod report;
pub mod sheet;
