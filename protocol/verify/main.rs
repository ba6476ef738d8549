//! `commonturf-verify FILE [--json]`: what a file of evidence proves, without a node.
//!
//! It reads one file and nothing else: no database, no network, no clock. Exit 0 when everything
//! holds, 1 when something does not or the file cannot be read, 2 for wrong use.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command speaks to people"
)]

use protocol::evidence::{EVIDENCE_BYTES, Report, verify};
use std::{fs::File, io::Read, process::ExitCode};

const USAGE: &str = "usage: commonturf-verify FILE [--json]";

fn main() -> ExitCode {
    let (mut file, mut json, mut wrong) = (None, false, false);
    for argument in std::env::args_os().skip(1) {
        match argument.to_str() {
            Some("--json") => json = true,
            Some("--help" | "-h") => {
                println!("{USAGE}");
                return ExitCode::SUCCESS;
            }
            Some(option) if option.starts_with("--") => wrong = true,
            _ if file.is_some() => wrong = true,
            _ => file = Some(argument),
        }
    }
    let Some(file) = file.filter(|_| !wrong) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let report = read(&file).and_then(|bytes| verify(&bytes).map_err(|error| error.to_string()));
    match report {
        Ok(report) => {
            show(&report, json);
            if report.holds {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(why) => {
            if json {
                println!("{}", serde_json::json!({ "holds": false, "error": why }));
            } else {
                eprintln!("error: {why}");
            }
            ExitCode::FAILURE
        }
    }
}

/// Reads a file, and no more of it than a file of evidence may have.
fn read(file: &std::ffi::OsStr) -> Result<Vec<u8>, String> {
    let at = |error: std::io::Error| format!("{}: {error}", file.display());
    let mut bytes = Vec::new();
    let most = EVIDENCE_BYTES as u64 + 1;
    File::open(file)
        .map_err(at)?
        .take(most)
        .read_to_end(&mut bytes)
        .map_err(at)?;
    Ok(bytes)
}

fn show(report: &Report, json: bool) {
    if json {
        match serde_json::to_string_pretty(report) {
            Ok(text) => println!("{text}"),
            Err(error) => eprintln!("error: {error}"),
        }
        return;
    }
    println!("{report}");
}
