//! The import as its callers see it: every format's sample, the contract that all formats keep,
//! archives and workbooks, and files made to do harm.
#![cfg(test)]

mod archives;
mod contract;
mod harm;
mod samples;
mod tables;
