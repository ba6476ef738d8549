//! `cargo testnet chaos`: real processes behind a bad network, killed at any moment while people work.
//!
//! A seed makes the faults ([`plan`]) and what people type ([`work`]); real time and the system decide
//! how both meet, so a seed makes a run likely to show the same and does not repeat it. In front of
//! each keeper stands a [`proxy`]. Then all is well again, all must come to rest, and [`judge`] looks.
#![expect(
    clippy::print_stdout,
    reason = "a person or a program waits for the findings"
)]

pub mod judge;
pub mod plan;
pub mod proxy;
pub mod record;
pub mod work;

use crate::{
    child::Interrupt,
    nodes::{self, Node, Organization, Program, Standing},
    sim::watch::Violation,
};
use anyhow::{Context, Result};
use clap::Args;
use judge::{Book, broken};
use plan::{Event, Fault};
use proxy::{Proxy, Weather};
use record::Record;
use serde::Serialize;
use std::{collections::BTreeMap, process::ExitCode, time::Duration};
use work::{NAMES, Worker};

/// How long a desk may take to answer a small question on a busy machine.
const START: Duration = Duration::from_secs(60);
/// How long everything may take to come to rest when all is well again.
const REST: Duration = Duration::from_secs(180);
/// How long to pause between two looks at what is awaited.
const LOOK: Duration = Duration::from_millis(500);
/// The exit code that shells expect after Ctrl-C.
const INTERRUPTED: u8 = 130;
/// The longest run, in minutes.
const MINUTES: u64 = 24 * 60;

/// What to run.
#[derive(Debug, Args)]
pub struct Arguments {
    /// How long people work while everything goes wrong.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=MINUTES))]
    minutes: u64,
    /// What faults and work follow from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many organizations keep the log: 1, or 3 of four.
    #[arg(long, default_value = "1", value_parser = ["1", "3"])]
    keepers: String,
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
}

/// How a run went.
#[derive(Debug, Default, Serialize)]
pub struct Findings {
    /// What it followed from.
    pub seed: u64,
    /// How many keepers.
    pub keepers: usize,
    /// How long people worked.
    pub seconds: u64,
    /// Kills of a process.
    pub kills: u64,
    /// Changes of the weather before a keeper.
    pub weathers: u64,
    /// Pieces that met with bad weather.
    pub pieces: u64,
    /// The log's length at the end.
    pub position: u64,
    /// Entries that a desk acknowledged.
    pub acknowledged: u64,
    /// By command: how often it was answered, and how often not.
    pub commands: BTreeMap<&'static str, (u64, u64)>,
    /// Seconds until all had come to rest.
    pub rest_seconds: u64,
    /// What must never be, if it was.
    pub violation: Option<Violation>,
    /// What was done, where something was violated.
    pub done: Vec<String>,
}

/// `cargo testnet chaos`.
///
/// # Errors
/// When the nodes cannot be made; everything later is a finding.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut interrupt = Interrupt::listen()?;
    let span = Duration::from_secs(60 * arguments.minutes);
    let keepers = arguments.keepers.parse()?;
    let findings = tokio::select! {
        findings = play(arguments.seed, span, keepers) => findings?,
        () = interrupt.arrived() => return Ok(ExitCode::from(INTERRUPTED)),
    };
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        show(&findings);
    }
    Ok(match findings.violation {
        None => ExitCode::SUCCESS,
        Some(_) => ExitCode::FAILURE,
    })
}

fn show(findings: &Findings) {
    for line in &findings.done {
        println!("{line}");
    }
    println!(
        "seed {}, {} keepers, {} s: {} kills, {} changes of weather, {} entries, {} acknowledged, at rest after {} s",
        findings.seed,
        findings.keepers,
        findings.seconds,
        findings.kills,
        findings.weathers,
        findings.position,
        findings.acknowledged,
        findings.rest_seconds
    );
    for (command, (answered, refused)) in &findings.commands {
        println!("  {command}: {answered} answered, {refused} not");
    }
    match &findings.violation {
        None => println!("Nothing was violated."),
        Some(violation) => println!("VIOLATED: {}: {}", violation.rule, violation.seen),
    }
}

/// Runs a seed.
///
/// # Errors
/// When the nodes cannot be made and brought together, in clear weather.
pub async fn play(seed: u64, span: Duration, keepers: usize) -> Result<Findings> {
    let folder = tempfile::tempdir().context("no folder for the nodes")?;
    // One more than the keepers, and at least three, so that two members meet.
    let organizations = if keepers == 1 { 3 } else { keepers + 1 };
    let mut table = Table::lay(folder.path(), organizations, keepers).await?;
    let mut workers = Vec::new();
    for (who, node) in table.nodes.iter().enumerate() {
        let folder = folder.path().to_owned();
        workers.push(Worker::new(seed, who, organizations, node.hand(), folder)?);
    }
    let record = Record::default();
    let begun = workers.iter_mut().map(|worker| worker.begin(&record));
    futures_util::future::try_join_all(begun).await?;
    let mut findings = Findings {
        seed,
        keepers,
        seconds: span.as_secs(),
        ..Findings::default()
    };
    let events = plan::events(seed, span, organizations, keepers);
    let verdict = table
        .go_wrong(&events, &mut workers, &record, span, &mut findings)
        .await;
    for worker in &workers {
        findings.acknowledged += worker.told.entries.len() as u64;
        for (command, (answered, refused)) in &worker.told.commands {
            let count = findings.commands.entry(command).or_default();
            *count = (count.0 + answered, count.1 + refused);
        }
    }
    findings.violation = verdict.err();
    if findings.violation.is_some() {
        findings.done = record.lines();
        for node in &table.nodes {
            let text = std::fs::read_to_string(node.log()).unwrap_or_default();
            let warned = text.lines().filter(|line| line.contains("ERROR"));
            let said = warned.map(|line| format!("{} logged: {line}", node.name()));
            findings.done.extend(said);
        }
    }
    drop(nodes::stop_all(&mut table.nodes).await);
    Ok(findings)
}

/// The nodes, and a proxy before each keeper.
struct Table {
    nodes: Vec<Node>,
    proxies: Vec<Proxy>,
}

impl Table {
    /// Starts nodes, each keeper behind its proxy, and brings them together in clear weather.
    async fn lay(folder: &std::path::Path, organizations: usize, keepers: usize) -> Result<Self> {
        let program = Program::build().await?;
        let (mut nodes, mut proxies) = (Vec::new(), Vec::new());
        for (n, &name) in NAMES[..organizations].iter().enumerate() {
            let who = Organization {
                name,
                kind: "c4",
                keeper: n < keepers,
            };
            let dir = folder.join(format!("node-{n}"));
            let mut front = None;
            if who.keeper {
                let proxy = Proxy::open().await?;
                front = Some(format!("http://{}", proxy.address()));
                proxies.push(proxy);
            }
            let mut node = Node::make_behind(&program, &dir, who, front.as_deref()).await?;
            if let (Some(proxy), Some(own)) = (proxies.get(n), node.federation()) {
                proxy.leads_to(own.trim_start_matches("http://").parse()?);
            }
            node.start().await?;
            nodes.push(node);
        }
        nodes::bring_together(&nodes, "template:us-issue-table", |_| ()).await?;
        if keepers > 1 {
            nodes::entrust(&nodes, &NAMES[..keepers]).await?;
        }
        Ok(Self { nodes, proxies })
    }

    /// People work, faults happen, all is well again, and then nothing may be wrong.
    async fn go_wrong(
        &mut self,
        events: &[Event],
        workers: &mut [Worker],
        record: &Record,
        span: Duration,
        findings: &mut Findings,
    ) -> Result<(), Violation> {
        self.troubled(events, workers, record, span).await?;
        for event in events {
            match event.fault {
                Fault::Kill { .. } => findings.kills += 1,
                Fault::Line { .. } => findings.weathers += 1,
            }
        }
        for proxy in &self.proxies {
            findings.pieces += proxy.met();
            proxy.turn(Weather::Clear);
        }
        record.note("all is well again");
        let well = record.since();
        let (mut books, standings) = self.come_to_rest(record).await?;
        record.note("all has come to rest");
        findings.rest_seconds = (record.since() - well).as_secs();
        findings.position = standings.iter().map(|at| at.position).max().unwrap_or(0);
        let hands = self.nodes.iter().map(Node::hand);
        let told: Vec<_> = hands
            .zip(workers.iter().map(|worker| &worker.told))
            .collect();
        judge::judge(&mut books, self.proxies.len(), &standings, &told).await
    }

    /// People work while every fault happens at its moment.
    async fn troubled(
        &mut self,
        events: &[Event],
        workers: &mut [Worker],
        record: &Record,
        span: Duration,
    ) -> Result<(), Violation> {
        let begun = record.since();
        let at = |event: &Event| begun + Duration::from_millis(event.at);
        let lines = async {
            for event in events {
                if let Fault::Line { keeper, weather } = event.fault {
                    wait_until(record, at(event)).await;
                    self.proxies[keeper].turn(weather);
                    record.note(&format!("before {}: {weather:?}", NAMES[keeper]));
                }
            }
        };
        let kills = self.nodes.iter_mut().enumerate().map(async |(n, node)| {
            for event in events {
                match event.fault {
                    Fault::Kill { node: victim, away } if victim == n => {
                        wait_until(record, at(event)).await;
                        record.note(&format!("{} is killed", node.name()));
                        node.kill().await?;
                        tokio::time::sleep(Duration::from_millis(away)).await;
                        node.start().await?;
                        record.note(&format!("{} runs again", node.name()));
                    }
                    _ => {}
                }
            }
            anyhow::Ok(())
        });
        let end = begun + span;
        let works = workers.iter_mut().map(|worker| worker.work(record, end));
        let (killed, worked, ()) = tokio::join!(
            futures_util::future::try_join_all(kills),
            futures_util::future::try_join_all(works),
            lines
        );
        killed.map_err(|error| broken("a node starts again", &error))?;
        worked
            .map(drop)
            .map_err(|error| broken("people can work", &error))
    }

    /// Waits until nobody has anything more to say or to do.
    async fn come_to_rest(&self, record: &Record) -> Result<(Vec<Book>, Vec<Standing>), Violation> {
        let mut books = Vec::new();
        for node in &self.nodes {
            let book = Book::open(node).await;
            books.push(book.map_err(|error| broken("a database can be read", &error))?);
        }
        let all: Vec<&Node> = self.nodes.iter().collect();
        let end = record.since() + REST;
        loop {
            let left = end.saturating_sub(record.since());
            let standings = nodes::quiet(&all, left).await;
            let standings = standings.map_err(|error| broken("all comes to rest", &error))?;
            let mut waits = Ok(());
            for (n, book) in books.iter().enumerate() {
                waits = waits.and(book.rests(n).await);
            }
            match waits {
                Ok(()) => return Ok((books, standings)),
                Err(violation) if record.since() >= end => return Err(violation),
                Err(_) => tokio::time::sleep(LOOK).await,
            }
        }
    }
}

async fn wait_until(record: &Record, moment: Duration) {
    tokio::time::sleep(moment.saturating_sub(record.since())).await;
}
