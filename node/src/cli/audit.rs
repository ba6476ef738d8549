//! `commonturf audit`: how the log is vouched for, whose books differ, files that prove it.

use super::{
    client::{CliError, Desk, segment},
    out_file::OutFile,
    output, quarantine,
    share::{items, moment, number, text},
};
use clap::Subcommand;
use protocol::evidence::{EVIDENCE_BYTES, verify};
use serde_json::{Value, json};
use std::{
    io::Read,
    path::{Path, PathBuf},
};

/// Show who vouches for the log, and make and check files that prove what it says.
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// Show up to where the log is checked, who signed for it, and whether anything does not fit.
    Status,
    /// Show shares whose two ends do not agree: not answered in time, or with other numbers.
    Reconcile,
    /// Write the record of the log, without anything personal: anybody can check it without a node.
    Export {
        /// Where to write it.
        #[command(flatten)]
        out: OutFile,
        /// Only entries after this position.
        #[arg(long, value_name = "POSITION", conflicts_with = "fork")]
        after: Option<u64>,
        /// Instead, what keepers and members signed and cannot all be true: the proof of two histories.
        #[arg(long)]
        fork: bool,
    },
    /// Tell the coalition that a member signed two things that cannot both be true. Every node checks it by
    /// itself; nothing new is granted to that member until the others lift it.
    Accuse {
        /// A file from `audit export --fork`; without it, what this node has seen itself.
        file: Option<PathBuf>,
        /// Show who it is about and say nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Agree that a member that signed two truths may go on.
    Lift {
        /// Its name, or the beginning of its node id.
        organization: String,
        /// Show how many agree and say nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Check a file of evidence; needs no node. `commonturf-verify` does the same.
    Verify {
        /// The file.
        file: PathBuf,
    },
    /// Write the proof of what one share carried of one person. The file holds the person's row.
    Prove {
        /// The share.
        #[arg(long)]
        share: String,
        /// The person: id, system:value or whole name.
        #[arg(long)]
        person: String,
        /// Where to write it.
        #[command(flatten)]
        out: OutFile,
    },
}

impl Audit {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Status => status(desk).await,
            Self::Reconcile => reconcile(desk).await,
            Self::Export {
                out, fork: true, ..
            } => {
                out.check()?;
                let bytes = desk.download("/audit/fork").await?;
                save(
                    desk,
                    out,
                    &bytes,
                    "It holds nothing personal; anybody can check who signed two histories:",
                )
            }
            Self::Export { out, after, .. } => {
                out.check()?;
                let query = after.map_or_else(String::new, |after| format!("?after={after}"));
                let bytes = desk.download(&format!("/audit/record{query}")).await?;
                save(
                    desk,
                    out,
                    &bytes,
                    "It holds nothing personal; anybody can check it:",
                )
            }
            Self::Accuse { file, dry_run } => {
                quarantine::accuse(desk, file.as_deref(), *dry_run).await
            }
            Self::Lift {
                organization,
                dry_run,
            } => quarantine::lift(desk, organization, *dry_run).await,
            Self::Verify { file } => check(file, desk.json),
            Self::Prove { share, person, out } => {
                out.check()?;
                let path = format!(
                    "/audit/shares/{}/people/{}",
                    segment(share),
                    segment(person)
                );
                let bytes = desk.download(&path).await?;
                save(
                    desk,
                    out,
                    &bytes,
                    "It holds the person's row; whoever gets it can check it:",
                )
            }
        }
    }
}

/// Checks a file without any node.
///
/// # Errors
/// [`CliError`] when it cannot be read or does not hold.
pub fn check(file: &Path, as_json: bool) -> Result<(), CliError> {
    let mut bytes = Vec::new();
    std::fs::File::open(file)
        .and_then(|open| open.take(EVIDENCE_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| CliError::file(file, &error))?;
    let report = verify(&bytes).map_err(|error| CliError::Failed(error.to_string()))?;
    if as_json {
        output::json(&report);
    } else {
        println!("{report}");
    }
    if report.holds {
        Ok(())
    } else {
        Err(CliError::Failed(
            "the file does not prove what it is about".to_owned(),
        ))
    }
}

fn save(desk: &Desk, out: &OutFile, bytes: &[u8], what: &str) -> Result<(), CliError> {
    out.write(bytes)?;
    if desk.json {
        output::json(&json!({ "file": out.name(), "bytes": bytes.len() }));
    } else {
        println!("Wrote {} ({} bytes).", out.name(), bytes.len());
        println!("{what} commonturf-verify {}", out.name());
    }
    Ok(())
}

async fn status(desk: &Desk) -> Result<(), CliError> {
    let answer: Value = desk.get("/audit").await?;
    let forks = items(&answer["forks"]);
    if desk.json {
        output::json(&answer);
    } else {
        println!(
            "The log has {} entries, checked against the keeper's signed head up to {}.",
            number(&answer, "position"),
            number(&answer, "checked"),
        );
        let rows: Vec<Vec<String>> = items(&answer["vouched"])
            .iter()
            .map(|vouched| {
                vec![
                    text(vouched, "name").to_owned(),
                    text(vouched, "role").to_owned(),
                    number(vouched, "entries"),
                    moment(vouched, "at"),
                ]
            })
            .collect();
        output::table(&["who signed", "as", "entries", "checked"], &rows);
        println!(
            "{} shares have two ends that do not agree.",
            number(&answer, "one_sided")
        );
    }
    if forks.is_empty() {
        return Ok(());
    }
    let why: Vec<&str> = forks.iter().map(|fork| text(fork, "why")).collect();
    Err(CliError::Failed(why.join("; ")))
}

async fn reconcile(desk: &Desk) -> Result<(), CliError> {
    let answer: Value = desk.get("/audit/reconcile").await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = items(&answer["items"])
        .iter()
        .map(|share| {
            vec![
                text(share, "share").to_owned(),
                text(share, "from_name").to_owned(),
                text(share, "to_name").to_owned(),
                moment(share, "at"),
                number(share, "announced"),
                number(share, "accepted"),
                number(share, "dropped"),
                text(share, "why").to_owned(),
            ]
        })
        .collect();
    if rows.is_empty() {
        println!("Every share was answered in time, and the numbers agree.");
        return Ok(());
    }
    output::table(
        &[
            "share",
            "from",
            "to",
            "announced on",
            "people",
            "accepted",
            "dropped",
            "why",
        ],
        &rows,
    );
    Ok(())
}
