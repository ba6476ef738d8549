//! `cargo testnet bench NAME`: measures one thing on this machine and prints one JSON object.
//!
//! Figures come from an optimized build: a debug build of this program runs itself again in release.
//! Every figure has its unit in its name; the processor and its cores stand beside them.
#![expect(clippy::print_stdout, reason = "a measurement is what this prints")]

pub mod calls;
pub mod catch_up;
pub mod claims;
pub mod gate;
pub mod import;
pub mod linkage;
pub mod log;
pub mod measure;
pub mod memory;
pub mod overlap;
pub mod preview;
pub mod proof;
pub mod recall;
pub mod share;
mod table;
pub mod tokens;
pub mod visible;

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
use std::{
    path::PathBuf,
    process::{Command, ExitCode},
};

/// What to measure.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The measurement.
    name: Name,
    /// How many rows, tokens or entries; each measurement has its own default.
    #[arg(long)]
    rows: Option<u64>,
    /// Linkage: the first file.
    #[arg(long, value_name = "FILE")]
    a: Option<PathBuf>,
    /// Linkage: the second file.
    #[arg(long, value_name = "FILE")]
    b: Option<PathBuf>,
    /// `log` alone: how many keepers the log has: 1, 3 or 5.
    #[arg(long, default_value_t = 1)]
    keepers: usize,
    /// `calls` alone: how many callers at once.
    #[arg(long)]
    callers: Option<usize>,
    /// `claims`, `memory` and `visible`: how many members the coalition has.
    #[arg(long)]
    members: Option<usize>,
    /// Measure this very build, optimized or not.
    #[arg(long)]
    here: bool,
    /// How many organizations receive, where a measurement has several.
    #[arg(long)]
    recipients: Option<usize>,
    /// One JSON object on one line, and nothing else.
    #[arg(long)]
    json: bool,
}

/// The measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Name {
    /// Phone banks of four organizations with the same list: many callers at once, one keeper.
    Calls,
    /// A member that was away reads a long log.
    CatchUp,
    /// A large claim of doors: until every member sees it, and a check against it.
    Claims,
    /// Decisions of the gate on a large list toward ten recipients, beside plain Cedar.
    Gate,
    /// Rows per second from a VAN export into the lists.
    Import,
    /// Precision and recall of person keys on two lists (`--a`, `--b`).
    Linkage,
    /// Appends to the log, each on disk at a majority of its keepers; then the leader dies.
    Log,
    /// Resident memory of nodes at rest.
    Memory,
    /// A count of what two lists have in common, half of each.
    Overlap,
    /// A preview and a simulation of a large list toward many recipients, by a node.
    Preview,
    /// The log tree: growth, size and checking of proofs.
    Proof,
    /// A recall at five recipients until all receipts are there.
    Recall,
    /// A share from the command to the recipient's answer.
    Share,
    /// Match tokens at client and evaluator.
    Tokens,
    /// A claim until every member of a large coalition knows of it.
    Visible,
}

/// Runs a measurement.
///
/// # Errors
/// When it cannot be set up.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    // Nothing is timed where two files are compared, so any build will do.
    if cfg!(debug_assertions) && arguments.name != Name::Linkage && !arguments.here {
        return in_release(&arguments);
    }
    let figures = match arguments.name {
        Name::Calls => calls::run(arguments.callers.unwrap_or(calls::CALLERS)).await?,
        Name::CatchUp => catch_up::run(arguments.rows.unwrap_or(100_000)).await?,
        Name::Claims => {
            let members = arguments.members.unwrap_or(claims::MEMBERS);
            claims::run(arguments.rows.unwrap_or(100_000), members).await?
        }
        Name::Share => share::run(arguments.rows.unwrap_or(10_000)).await?,
        Name::Recall => recall::run(arguments.rows.unwrap_or(10_000)).await?,
        Name::Gate => gate::run(arguments.rows.unwrap_or(1_000_000))?,
        Name::Import => import::run(arguments.rows.unwrap_or(100_000)).await?,
        Name::Preview => {
            let recipients = arguments.recipients.unwrap_or(preview::RECIPIENTS);
            preview::run(arguments.rows.unwrap_or(1_000_000), recipients).await?
        }
        Name::Overlap => overlap::run(arguments.rows.unwrap_or(100_000))?,
        Name::Proof => proof::run(arguments.rows.unwrap_or(10_000_000))?,
        Name::Memory => memory::run(arguments.members.unwrap_or(2)).await?,
        Name::Log => log::run(arguments.rows.unwrap_or(2_000), arguments.keepers).await?,
        Name::Linkage => match (&arguments.a, &arguments.b) {
            (Some(a), Some(b)) => linkage::run(a, b)?,
            _ => anyhow::bail!("linkage compares two files: --a FILE --b FILE"),
        },
        Name::Tokens => tokens::run(arguments.rows.unwrap_or(32_768))?,
        Name::Visible => visible::run(arguments.members.unwrap_or(20)).await?,
    };
    print(&arguments, figures)?;
    Ok(ExitCode::SUCCESS)
}

fn print(arguments: &Arguments, figures: Map<String, Value>) -> Result<()> {
    let mut object = Map::new();
    let name = arguments
        .name
        .to_possible_value()
        .map(|value| value.get_name().to_owned());
    object.insert("bench".to_owned(), json!(name));
    object.extend(measure::machine());
    object.extend(figures);
    let object = Value::Object(object);
    if arguments.json {
        println!("{object}");
    } else {
        println!("{}", serde_json::to_string_pretty(&object)?);
    }
    Ok(())
}

/// The same measurement by the optimized build of this program.
fn in_release(arguments: &Arguments) -> Result<ExitCode> {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let mut command = Command::new(cargo);
    command.current_dir(crate::workspace());
    command.args([
        "run",
        "--quiet",
        "--release",
        "--locked",
        "--package",
        "commonturf-testnet",
    ]);
    command.args(["--bin", "testnet", "--", "bench"]);
    if let Some(name) = arguments.name.to_possible_value() {
        command.arg(name.get_name());
    }
    if let Some(rows) = arguments.rows {
        command.args(["--rows", &rows.to_string()]);
    }
    command.args(["--keepers", &arguments.keepers.to_string()]);
    if let Some(members) = arguments.members {
        command.args(["--members", &members.to_string()]);
    }
    if let Some(callers) = arguments.callers {
        command.args(["--callers", &callers.to_string()]);
    }
    if let Some(recipients) = arguments.recipients {
        command.args(["--recipients", &recipients.to_string()]);
    }
    if arguments.json {
        command.arg("--json");
    }
    let status = command.status().context("cargo cannot be started")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
