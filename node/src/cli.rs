//! The command line: every command a person types, one file each.
//!
//! `init`, `serve`, `backup` and `restore` work on the node's directory and `policy` on files alone; all others ask the
//! running node through its desk, with the token that lies in the directory. Exit 2 means wrong use, 1 a refusal or failure.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "commands speak to people"
)]

pub mod agreement;
pub mod audit;
pub mod backup;
pub mod calls;
pub mod claim;
pub mod client;
pub mod coalition;
pub mod consent;
pub mod contacts;
pub mod desk_link;
pub mod door;
pub mod identity;
pub mod impact;
pub mod import;
pub mod imports;
pub mod init;
pub mod lists;
mod out_file;
pub mod output;
pub mod overlap;
mod parting;
pub mod people;
mod people_file;
pub mod plan;
pub mod policy;
mod quarantine;
pub mod receipts;
pub mod received;
pub mod rectify;
pub mod restore;
pub mod revoke;
pub mod serve;
pub mod share;
mod simulate;
mod standing;
pub mod statement;
pub mod suppress;
pub mod tokens;
pub mod turf;
pub mod who_has;

use clap::{Parser, Subcommand};
use client::{CliError, Desk};
use std::{path::PathBuf, process::ExitCode};

/// Allied organizations work the same ground without handing each other their lists.
#[derive(Debug, Parser)]
#[command(name = "commonturf", version, propagate_version = true)]
struct Cli {
    /// The node's directory.
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "COMMONTURF_NODE",
        default_value = "commonturf-node"
    )]
    node: PathBuf,
    /// Print JSON for other tools.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a node: keys, configuration, database.
    Init(init::Init),
    /// Run the node until it is told to stop.
    Serve(serve::Serve),
    /// Write a sealed copy of the node's database to a file.
    Backup(backup::Backup),
    /// Make a node from such a copy; it comes back into its coalition before it speaks.
    Restore(restore::Restore),
    /// Print a one-time link that opens the desk's pages.
    DeskLink(desk_link::DeskLink),
    /// Found, join and look after a coalition.
    #[command(subcommand)]
    Coalition(coalition::Coalition),
    /// Show this node's keys, change them, and carry an ally's new document.
    #[command(subcommand)]
    Identity(identity::Identity),
    /// Show, propose and sign the coalition's agreement.
    #[command(subcommand)]
    Agreement(agreement::Agreement),
    /// Check and test rules, and read those that are built in.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Show how far points have been turned into match tokens.
    #[command(subcommand)]
    Tokens(tokens::Tokens),
    /// Bring a file into a list.
    Import(import::Import),
    /// Bring canvass histories into the node.
    #[command(subcommand)]
    Contacts(contacts::Contacts),
    /// Find people of the own lists.
    #[command(subcommand)]
    People(people::People),
    /// Show the own lists with their counts.
    Lists(lists::Lists),
    /// Show the imports, or one with every row that it left out.
    Imports(imports::Imports),
    /// File, list and withdraw plans: what members intend to do, where and when.
    #[command(subcommand)]
    Plan(plan::Plan),
    /// Look at, take and give back contact points.
    #[command(subcommand)]
    Claim(claim::Claim),
    /// Print a granted claim's people in walking order.
    Walklist(claim::WalkList),
    /// Tell where doors lie.
    #[command(subcommand)]
    Places(turf::Places),
    /// Name parts of the ground for claims and plans; they stay in this node.
    #[command(subcommand)]
    Area(turf::Area),
    /// Cut a granted claim into packets that canvassers take along.
    #[command(subcommand)]
    Packets(turf::Packets),
    /// Call people by phone: each caller is given the next number that nobody else calls.
    #[command(subcommand)]
    Calls(calls::Calls),
    Impact(impact::Impact),
    /// Tell every member that somebody must not be contacted.
    Suppress(suppress::Suppress),
    /// Show own suppressions and what allies say about your people.
    #[command(subcommand)]
    Suppressions(suppress::Suppressions),
    /// Share people with allies: preview, explain, send, list, uses.
    #[command(subcommand)]
    Share(share::Share),
    /// Count what your list and allies' lists have in common, before anybody shares anything.
    #[command(subcommand)]
    Overlap(overlap::Overlap),
    /// See and export what allies have shared with this organization.
    #[command(subcommand)]
    Received(received::Received),
    /// Take back what was shared: a person, many people, or a whole share.
    Revoke(revoke::Revoke),
    Rectify(rectify::Rectify),
    /// Show who has confirmed that rows taken back are gone.
    Receipts(receipts::Receipts),
    /// Show who was given a person.
    WhoHas(who_has::WhoHas),
    /// Tell a person what this organization has, who was given it, and who has confirmed that it is gone.
    Statement(statement::Statement),
    /// Give people receipts for their consent, and see whose consent ends.
    #[command(subcommand)]
    Consent(consent::Consent),
    /// Show who vouches for the log, and make and check files that prove what it says.
    #[command(subcommand)]
    Audit(audit::Audit),
}

/// `commonturf ... | head` closes the pipe early: that ends the command and is no fault of it.
#[expect(
    clippy::disallowed_methods,
    reason = "a panic hook cannot return from main"
)]
fn end_quietly_with_the_reader() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let broken = panic.payload_as_str().is_some_and(|text| {
            text.starts_with("failed printing to stdout") && text.contains("Broken pipe")
        });
        if broken {
            std::process::exit(0);
        }
        usual(panic);
    }));
}

/// Runs the command line.
#[must_use]
pub fn main() -> ExitCode {
    end_quietly_with_the_reader();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()) * 2);
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("the program cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run(&cli)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error, cli.json);
            ExitCode::from(error.exit_code())
        }
    }
}

async fn run(cli: &Cli) -> Result<(), CliError> {
    match &cli.command {
        Command::Init(init) => return init.run(&cli.node, cli.json).await,
        Command::Serve(serve) => return serve.run(&cli.node, cli.json).await,
        Command::Backup(backup) => return backup.run(&cli.node, cli.json).await,
        Command::Restore(restore) => return restore.run(&cli.node, cli.json).await,
        Command::Policy(command) if !command.asks_the_node() => return command.run(cli.json),
        Command::Audit(audit::Audit::Verify { file }) => return audit::check(file, cli.json),
        _ => {}
    }
    let desk = Desk::open(&cli.node, cli.json)?;
    match &cli.command {
        Command::Init(_) | Command::Serve(_) | Command::Backup(_) | Command::Restore(_) => Ok(()),
        Command::Policy(command) => command.ask(&desk).await,
        Command::DeskLink(command) => command.run(&desk).await,
        Command::Coalition(command) => command.run(&desk).await,
        Command::Identity(command) => command.run(&desk).await,
        Command::Agreement(command) => command.run(&desk).await,
        Command::Tokens(command) => command.run(&desk).await,
        Command::Import(command) => command.run(&desk).await,
        Command::Contacts(command) => command.run(&desk).await,
        Command::People(command) => command.run(&desk).await,
        Command::Lists(command) => command.run(&desk).await,
        Command::Imports(command) => command.run(&desk).await,
        Command::Plan(command) => command.run(&desk).await,
        Command::Claim(command) => command.run(&desk).await,
        Command::Walklist(command) => command.run(&desk).await,
        Command::Places(command) => command.run(&desk).await,
        Command::Area(command) => command.run(&desk).await,
        Command::Packets(command) => command.run(&desk).await,
        Command::Calls(command) => command.run(&desk).await,
        Command::Impact(command) => command.run(&desk).await,
        Command::Suppress(command) => command.run(&desk).await,
        Command::Suppressions(command) => command.run(&desk).await,
        Command::Share(command) => command.run(&desk).await,
        Command::Overlap(command) => command.run(&desk).await,
        Command::Received(command) => command.run(&desk).await,
        Command::Revoke(command) => command.run(&desk).await,
        Command::Rectify(command) => command.run(&desk).await,
        Command::Receipts(command) => command.run(&desk).await,
        Command::WhoHas(command) => command.run(&desk).await,
        Command::Statement(command) => command.run(&desk).await,
        Command::Consent(command) => command.run(&desk).await,
        Command::Audit(command) => command.run(&desk).await,
    }
}
