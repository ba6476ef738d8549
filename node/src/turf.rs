//! From a universe to the street: where doors lie ([`places`]), areas of the organization's own
//! ([`area`]), packets that canvassers walk ([`packet`]), and what came of it ([`result`]).
//!
//! Coordinates stay in this node: plans name cells and postal codes, claims name tokens, and neither
//! holds a point.

pub mod area;
pub mod boundary;
pub mod cells;
pub mod cut;
pub mod drawing;
pub mod packet;
pub mod places;
pub mod position;
pub mod result;
pub mod sheet;
