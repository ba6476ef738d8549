//! Phone banks: each caller is given the next number that may be called now, and nobody else is.
//!
//! A phone bank claims numbers a portion at a time ([`fill`]), so that several organizations can call
//! through the same ground at once: what one holds, the others pass over. Within the organization a
//! number is leased to one caller for some minutes ([`next`]) and leaves the queue with its result
//! ([`outcome`]). Claims, suppressions, caps on contacts and hours are looked at when a number is handed
//! out, not when it was queued.

pub mod bank;
pub mod fill;
pub mod next;
pub mod outcome;
