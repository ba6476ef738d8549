//! `cargo testnet conform`: asks a keeper's node, whoever wrote it, whether it keeps to `spec/`.
//!
//! A black box: the kit needs an address and an invitation, comes in as a newcomer with fresh keys, and
//! says nothing but what goes over the wire. One file per chapter; each clause names its section.
//! A newcomer proves only what members may do, so token evaluation, shares and Raft stay outside.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a person or a program waits for the report"
)]

mod answers;
mod append;
mod blobs;
mod bodies;
mod joining;
mod log;
mod peer;
mod report;
mod signatures;
mod versions;
mod wire;

pub use peer::Peer;
pub use report::{Clause, Report};

use crate::nodes::{Hand, Program};
use anyhow::{Context, Result, bail};
use clap::Args;
use protocol::invite::Invite;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// How long one command at the inviting node may take.
const COMMAND: Duration = Duration::from_secs(60);
/// How long the kit's request takes at most to reach the inviting node.
const ANNOUNCED: Duration = Duration::from_secs(60);
/// How often to try again what comes too early.
const LOOK: Duration = Duration::from_millis(500);

/// What to ask, and how to come in.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The node's address for members; the invitation's where it is left out.
    #[arg(long)]
    url: Option<String>,
    /// An invitation to a coalition that was made for this. Somebody approves the kit when it asks.
    #[arg(long, value_name = "CODE", required_unless_present = "coalition_dir")]
    invite: Option<String>,
    /// The directory of a Commonturf node in that coalition, which invites and approves the kit.
    #[arg(long, value_name = "DIR", conflicts_with = "invite")]
    coalition_dir: Option<PathBuf>,
    /// How long to wait until somebody has approved the kit, in seconds.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    wait: u64,
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
}

/// The whole result.
#[derive(Serialize)]
struct Findings<'a> {
    url: &'a str,
    vectors: String,
    kept: usize,
    broken: usize,
    clauses: &'a [Clause],
}

/// `cargo testnet conform`.
///
/// # Errors
/// When the kit does not get in: then there is nothing to report.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut report = Report::default();
    let patience = Duration::from_secs(arguments.wait);
    let url = arguments.url.as_deref();
    let peer = match (&arguments.invite, &arguments.coalition_dir) {
        (Some(code), _) => by_invitation(code, url, patience, &mut report).await?,
        (None, Some(dir)) => {
            let hand = Hand::new(Program::build().await?, dir.clone());
            come_in(&hand, url, &mut report).await?
        }
        (None, None) => bail!("an invitation is needed, or the directory of a node that invites"),
    };
    chapters(&peer, &mut report).await;
    show(&peer, &report, arguments.json)?;
    Ok(match report.holds() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// Comes in where a person approves.
async fn by_invitation(
    code: &str,
    url: Option<&str>,
    patience: Duration,
    report: &mut Report,
) -> Result<Peer> {
    let invite: Invite = code.parse()?;
    let mut peer = Peer::new(&invite, url)?;
    let name = name(&peer);
    let digits = joining::ask(&mut peer, &invite, &name, report).await?;
    eprintln!(
        "Compare these digits with those that the organization shows which invited \"{name}\", and approve it \
         there: {digits}"
    );
    joining::come_in(&peer, patience, report).await?;
    Ok(peer)
}

/// Comes in where a node of ours invites and approves.
///
/// # Errors
/// When a command is refused, or the kit is not let in.
pub async fn come_in(hand: &Hand, url: Option<&str>, report: &mut Report) -> Result<Peer> {
    let invite = ["coalition", "invite", "--to-name", "Conformance kit"];
    let invited = hand.run(&invite, COMMAND).await?;
    let code = invited["code"].as_str().context("it gave no code")?;
    let invite: Invite = code.parse()?;
    let mut peer = Peer::new(&invite, url)?;
    let name = name(&peer);
    let digits = joining::ask(&mut peer, &invite, &name, report)
        .await?
        .to_string();
    let shown = tokio::time::timeout(ANNOUNCED, shown(hand, &name))
        .await
        .context("the inviting node does not hear of the kit")?;
    let same = (shown == digits).then_some(());
    report.clause(
        "identity.md 8",
        "both ends show the same digits to compare",
        same.ok_or_else(|| format!("the kit has {digits}, the node {shown}")),
    );
    let approve = ["coalition", "approve", &name, "--no-propose"];
    let approve = [approve.as_slice(), &["--compared", &digits]].concat();
    hand.run(&approve, COMMAND).await?;
    joining::come_in(&peer, ANNOUNCED, report).await?;
    Ok(peer)
}

/// The digits that the inviting node shows, a moment after the keeper has taken the request.
async fn shown(hand: &Hand, name: &str) -> String {
    loop {
        let waiting = hand.run(&["coalition", "waiting"], COMMAND).await;
        let waiting = waiting.unwrap_or_default();
        let newcomers = waiting["newcomers"].as_array();
        let newcomer = newcomers.and_then(|all| all.iter().find(|join| join["name"] == name));
        if let Some(digits) = newcomer.and_then(|join| join["digits"].as_str()) {
            return digits.to_owned();
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// A name that no earlier run has.
fn name(peer: &Peer) -> String {
    format!("Conformance kit {}", peer.me.short())
}

/// Tries everything that a member can try.
pub async fn chapters(peer: &Peer, report: &mut Report) {
    versions::run(peer, report).await;
    signatures::run(peer, report).await;
    bodies::run(peer, report).await;
    log::run(peer, report).await;
    append::run(peer, report).await;
    blobs::run(peer, report).await;
    answers::run(peer, report);
}

/// SHA-256 over the names and bytes of all test vectors: two implementations that were tested with
/// the same ones name the same hash.
///
/// # Errors
/// When the files cannot be read.
pub fn vectors(folder: &Path) -> Result<String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next)? {
            let path = entry?.path();
            match path.is_dir() {
                true => folders.push(path),
                false => files.push(path),
            }
        }
    }
    files.sort();
    let mut digest = Sha256::new();
    for file in files {
        let name = file.strip_prefix(folder)?.to_string_lossy().into_owned();
        let bytes = std::fs::read(&file)?;
        for part in [name.as_bytes(), &bytes] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
    }
    Ok(digest
        .finalize()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect())
}

fn show(peer: &Peer, report: &Report, json: bool) -> Result<()> {
    let broken = report.broken().count();
    let findings = Findings {
        url: peer.url(),
        vectors: vectors(&crate::workspace().join("spec/vectors"))?,
        kept: report.clauses.len() - broken,
        broken,
        clauses: &report.clauses,
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
        return Ok(());
    }
    let mut chapter = "";
    for clause in &report.clauses {
        if clause.chapter != chapter {
            chapter = clause.chapter;
            println!("\n{chapter}");
        }
        let mark = if clause.kept { "ok  " } else { "FAIL" };
        println!("  {mark}  {:<17}  {}", clause.spec, clause.says);
        if let Some(seen) = &clause.seen {
            println!("        {:<17}  seen: {seen}", "");
        }
    }
    println!(
        "\n{} of {} clauses are kept at {}; test vectors {}",
        findings.kept,
        report.clauses.len(),
        findings.url,
        &findings.vectors[..16]
    );
    Ok(())
}
