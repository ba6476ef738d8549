//! `cargo testnet demo`: four organizations on your desk play a whole round by the commands that people
//! type, and what happened is checked against what the generator of the people knows.

mod bring;
mod canary;
mod findings;
mod known;
mod observed;
mod place;
mod report;
mod round;
mod text;

pub use findings::Finding;
pub use report::Report;

use crate::child::Interrupt;
use crate::nodes::{self, Node};
use anyhow::Result;
use place::Place;
use std::path::PathBuf;
use std::process::ExitCode;

/// People per list, unless told otherwise.
const SIZE: usize = 3_000;
/// The most people per list: the demo is for a desk.
const SIZE_MAX: usize = 100_000;
/// The exit code that shells expect after Ctrl-C.
const INTERRUPTED: u8 = 130;

/// `cargo testnet demo`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// End all processes after the report; without it the nodes run on until Ctrl-C.
    #[arg(long)]
    exit: bool,
    /// Print the report as JSON on standard output; progress goes to standard error.
    #[arg(long)]
    json: bool,
    /// What the synthetic people follow from.
    #[arg(long, default_value_t = 1, conflicts_with = "data")]
    seed: u64,
    /// Synthetic people per list.
    #[arg(long, default_value_t = SIZE, value_parser = size, conflicts_with = "data")]
    size: usize,
    /// Play the round on these files: one folder per organization, with its list, its consent forms
    /// and its canvass history.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Where nodes and files live and stay; without it, a temporary folder that goes at the end.
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
}

fn size(text: &str) -> Result<usize, String> {
    let size: usize = text.parse().map_err(|_| "a number of people".to_owned())?;
    if (100..=SIZE_MAX).contains(&size) {
        Ok(size)
    } else {
        Err(format!("from 100 to {SIZE_MAX} people"))
    }
}

/// Plays the round and reports it; fails when something was found that must not be.
///
/// # Errors
/// When a node cannot be built or started, or a command is refused that must not be.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut interrupt = Interrupt::listen()?;
    let place = Place::new(arguments.keep.as_deref())?;
    let played = tokio::select! {
        played = play(&arguments, &place) => played?,
        // What was started ends with the round that is dropped here.
        () = interrupt.arrived() => return Ok(ExitCode::from(INTERRUPTED)),
    };
    let (mut nodes, report) = played;
    text::show(&report, arguments.json);
    if !arguments.exit {
        text::show_pages(&report);
        interrupt.arrived().await;
        text::say("Ending the nodes ...");
    }
    nodes::stop_all(&mut nodes).await?;
    Ok(if report.findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn play(arguments: &Arguments, place: &Place) -> Result<(Vec<Node>, Report)> {
    let game = match &arguments.data {
        Some(dir) => round::Game::brought(dir)?,
        None => round::Game::synthetic(&place.data(), arguments.seed, arguments.size)?,
    };
    round::play(game, place).await
}
