//! `cargo testnet COMMAND`: reads the command line and hands over.

use clap::{Parser, Subcommand};
use std::process::ExitCode;
use testnet::{bench, chaos, check, conform, demo, fuzz, generated, postgres, sim};

/// A coalition on your desk.
#[derive(Parser)]
#[command(name = "testnet", bin_name = "cargo testnet", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Four organizations on your desk play a whole round.
    Demo(demo::Arguments),
    /// Everything that must hold before a change is merged.
    Check(check::Arguments),
    /// Write the files that the check compares: generated texts, checksums of new migrations.
    Generate,
    /// Measure one thing on this machine, in an optimized build.
    Bench(bench::Arguments),
    /// Feed damaged files to every parser, for longer than the check does.
    Fuzz(fuzz::Arguments),
    /// Whole nodes on virtual time, with faults that a seed decides.
    Sim(sim::Arguments),
    /// Real processes behind a bad network, killed at any moment while people work.
    Chaos(chaos::Arguments),
    /// Ask a keeper's node, whoever wrote it, whether it keeps to the specification.
    Conform(conform::Arguments),
    /// Run a command with a PostgreSQL cluster at its side, gone when it ends.
    Postgres(postgres::Arguments),
}

#[tokio::main]
async fn main() -> ExitCode {
    let ended = match Arguments::parse().command {
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Check(arguments) => check::run(arguments).await,
        Command::Bench(arguments) => bench::run(arguments).await,
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Sim(arguments) => sim::run(arguments).await,
        Command::Chaos(arguments) => chaos::run(arguments).await,
        Command::Conform(arguments) => conform::run(arguments).await,
        Command::Generate => generated::run(),
        Command::Postgres(arguments) => postgres::run(arguments).await,
    };
    ended.unwrap_or_else(|error| {
        #[expect(
            clippy::print_stderr,
            reason = "the last word of a command goes to the person"
        )]
        {
            eprintln!("{error:#}");
        }
        ExitCode::FAILURE
    })
}
