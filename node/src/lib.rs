//! The one program an organization runs.
//!
//! Edges ([`cli`], [`http`], [`api`], [`pages`], [`federation`]) call work ([`coalition`],
//! [`import`], [`claims`], [`calls`], [`contacts`], [`suppressions`], [`shares`], [`overlap`], [`sync`], [`keeper`],
//! [`jobs`]), work calls [`store`]; the store knows no HTTP and importing knows no federation.

pub mod ambient;
pub mod api;
pub mod app;
pub mod audit;
pub mod backup;
pub mod calls;
pub mod claims;
pub mod cli;
pub mod coalition;
pub mod config;
pub mod contacts;
pub mod disclosure;
pub mod federation;
pub mod http;
pub mod impact;
pub mod import;
pub mod init;
pub mod jobs;
pub mod keeper;
pub mod keys;
pub mod lifecycle;
pub mod overlap;
pub mod pages;
pub mod papers;
pub mod people;
pub mod plans;
pub mod shares;
pub mod store;
pub mod suppressions;
pub mod sync;
pub mod telemetry;
pub mod transport;
pub mod turf;
