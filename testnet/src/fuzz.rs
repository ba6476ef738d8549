//! `cargo testnet fuzz`: feeds damaged files to every parser that reads what strangers write, for longer
//! than the check does.
//!
//! The check runs the same tests with 256 cases each. Texts to start from are the repository's own:
//! templates, forms, records, files of evidence, samples of every export format.
#![expect(clippy::print_stdout, reason = "a person waits for this")]

use crate::check::cargo;
use anyhow::{Context, Result};
use clap::Args;
use std::process::ExitCode;

/// How long to go on.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Cases of each test.
    #[arg(long, default_value_t = 20_000)]
    cases: u32,
}

/// The tests: what is read, its package, and cargo's words that choose them.
const TARGETS: [(&str, &str, &[&str]); 4] = [
    (
        "terms, own rules, consent forms and records, vectors",
        "commonturf-policy",
        &["--test", "it", "damage"],
    ),
    (
        "files of evidence and proofs",
        "commonturf-protocol",
        &["--lib", "evidence"],
    ),
    ("invitations", "commonturf-protocol", &["--lib", "invite"]),
    (
        "files of lists",
        "commonturf",
        &["--test", "import", "harm"],
    ),
];

/// Runs every target; the first that fails ends it, with the case that failed, made as small as it goes.
///
/// # Errors
/// When cargo cannot be started.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    for (what, package, words) in TARGETS {
        println!("{} damaged {what}", arguments.cases);
        let mut command = cargo::cargo();
        command.args(["test", "--quiet", "--locked", "--package", package]);
        command.args(words);
        command.env("PROPTEST_CASES", arguments.cases.to_string());
        let status = command.status().context("cargo cannot be started")?;
        if !status.success() {
            return Ok(ExitCode::FAILURE);
        }
    }
    println!("Every parser gave a value or said where the fault is.");
    Ok(ExitCode::SUCCESS)
}
