//! Several real keepers in one process: they elect, order, die, catch up and change over. Real
//! databases, routers, signatures and elections; only the wire is the test's, so that it can be cut.
#![cfg(test)]
mod changes;
mod failures;
mod net;
mod refusals;
