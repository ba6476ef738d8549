//! `cargo testnet sim`: whole nodes in one process on virtual time, with faults that a seed decides.
//!
//! A seed makes a list of operations ([`generate`]); the world does them one by one ([`mod@act`]) and an
//! oracle looks after each ([`watch`]); then the faults stop and all must come to rest ([`rest`]). A
//! list that shows a fault is made short ([`shrink`]) and kept under `regressions/`, where a test runs
//! it for ever.
//!
//! What repeats: with one keeper, the position and effect of every entry, and virtual time; MLS and sealing
//! draw randomness of their own, so bytes do not. With three keepers, who leads and when follows from the
//! seed too, since elections draw from the node's generator and every way between two nodes has a time of
//! its own. Within one node, though, Raft's tasks and an operation share the database, whose threads decide
//! who is first where both come at one virtual moment; so a fault that strikes "the third transaction" may
//! meet another one the next time, and what follows from it may differ. A list with three keepers is
//! therefore run [`AGAIN`] times before it is said to show a fault no more.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a person or a program waits for the findings"
)]

pub mod act;
pub mod disk;
pub mod evil;
pub mod generate;
pub mod mutant;
pub mod network;
pub mod op;
pub mod people;
pub mod rest;
pub mod shrink;
pub mod time;
pub mod watch;
pub mod world;

use anyhow::{Context, Result};
use clap::Args;
use commonturf::ambient::Repeatable;
use futures_util::FutureExt;
use mutant::Mutant;
use op::Op;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap, panic::AssertUnwindSafe, path::PathBuf, process::ExitCode,
    time::Duration,
};
use watch::{Violation, Watch, violated};
use world::{Beginning, Beginnings, World};

/// Runs of a list while it is made short.
const SHRINKING: usize = 100;
/// Runs of a list with several keepers before it is said to show nothing.
pub const AGAIN: usize = 3;
/// The seed of what nodes draw before a list begins: one beginning for all.
const BEGINNING: u64 = 1;

/// What to run.
#[derive(Debug, Args)]
pub struct Arguments {
    /// How many seeds.
    #[arg(long, default_value_t = 20)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    first_seed: u64,
    /// Stop after so many minutes, however many seeds are left.
    #[arg(long)]
    minutes: Option<u64>,
    /// Run the list of a file instead of seeds.
    #[arg(long)]
    list: Option<PathBuf>,
    /// One JSON document on standard output.
    #[arg(long)]
    json: bool,
}

/// A list of operations that runs by itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct List {
    /// What nodes draw follows from it.
    pub seed: u64,
    /// How many keep the log at the beginning: 1 or 3.
    #[serde(default = "one_keeper")]
    pub keepers: usize,
    /// What it showed when it was found, for people.
    pub showed: String,
    /// What happens.
    pub operations: Vec<Op>,
}

const fn one_keeper() -> usize {
    1
}

/// How a run went.
#[derive(Debug, Default)]
pub struct Run {
    /// What must never be, if it was.
    pub violation: Option<Violation>,
    /// What every step came to, equal for equal lists.
    pub trace: Vec<String>,
    /// Virtual milliseconds.
    pub time: i64,
    /// Faults that met with something.
    pub faults: u64,
    /// Entries of the log at the end.
    pub entries: u64,
    /// By operation: how often it was done, and how often refused.
    pub operations: BTreeMap<String, (u64, u64)>,
    /// Why, for people who look.
    pub refusals: BTreeMap<String, u64>,
}

impl Run {
    fn note(&mut self, op: &Op, done: &act::Done, head: u64) {
        let count = self.operations.entry(op.name()).or_default();
        match &done.refused {
            None => count.0 += 1,
            Some(why) => {
                count.1 += 1;
                let why = format!("{}: {why}", op.inner().name());
                *self.refusals.entry(why).or_default() += 1;
            }
        }
        self.trace
            .push(format!("{}, at {head}", done.refused.is_none()));
    }
}

/// The coalition that runs with so many keepers begin with; founded when it is first asked for.
///
/// # Errors
/// When any of it fails.
pub async fn begin(beginnings: &mut Beginnings, keepers: usize) -> Result<&Beginning> {
    let _repeatable = Repeatable::from_seed(BEGINNING);
    beginnings.with(keepers).await
}

/// Runs a list, with a planted fault where there is one.
///
/// # Errors
/// When the nodes' files cannot be made; everything else is a finding.
pub async fn run_list(beginning: &Beginning, list: &List, mutant: Option<Mutant>) -> Result<Run> {
    let _repeatable = Repeatable::from_seed(list.seed);
    let mut world = World::begin(beginning).await?;
    let begun = world.time();
    let mut run = Run::default();
    let mut watch = Watch::default();
    let steps = steps(&mut world, &mut watch, &list.operations, mutant, &mut run);
    // What panics must never be, either.
    let ended = AssertUnwindSafe(steps).catch_unwind().await;
    run.violation = match ended {
        Ok(verdict) => verdict.err(),
        Err(panic) => {
            let said = panic.downcast_ref::<String>().cloned();
            let said = said.or_else(|| panic.downcast_ref::<&str>().map(|&said| said.to_owned()));
            violated::<()>("nothing panics", said.unwrap_or_default()).err()
        }
    };
    run.time = world.time().since(begun);
    run.faults = world.injected();
    run.entries = watch.head();
    run.trace.push(format!("{:?}", watch.effects()));
    world.close().await;
    Ok(run)
}

async fn steps(
    world: &mut World,
    watch: &mut Watch,
    operations: &[Op],
    mutant: Option<Mutant>,
    run: &mut Run,
) -> watch::Verdict {
    watch.look(world).await?;
    for (n, op) in operations.iter().enumerate() {
        let done = act::act(world, op).await;
        let done = done.map_err(|broken| Violation {
            rule: "a node starts again",
            seen: format!("step {n}: {:#}", broken.0),
        })?;
        world.run(1_000).await;
        watch.note(op, &done.promised);
        watch.took_back(world, op, done.refused.is_some());
        if let Some(mutant) = mutant {
            // A mutant that finds nothing to harm yet waits.
            drop(mutant.harm(world, op).await);
        }
        run.note(op, &done, watch.head());
        let looked = async {
            watch.look(world).await?;
            watch::no_two_at_one_door(world).await
        };
        looked.await.map_err(|violation| Violation {
            seen: format!("after step {n}: {}", violation.seen),
            ..violation
        })?;
    }
    rest::come_to_rest(world, watch).await
}

/// Makes a list short, keeping what it violates.
///
/// # Errors
/// When the nodes' files cannot be made.
pub async fn shortened(
    beginning: &Beginning,
    list: List,
    violation: &Violation,
    mutant: Option<Mutant>,
) -> List {
    struct Again<'a>(&'a Beginning, List, &'static str, Option<Mutant>);
    impl shrink::Shows for Again<'_> {
        async fn shows(&mut self, operations: &[Op]) -> bool {
            let times = if self.1.keepers == 1 { 1 } else { AGAIN };
            self.1.operations = operations.to_vec();
            for _ in 0..times {
                let run = run_list(self.0, &self.1, self.3).await;
                if run.is_ok_and(|run| run.violation.is_some_and(|seen| seen.rule == self.2)) {
                    return true;
                }
            }
            false
        }
    }
    let operations = list.operations.clone();
    let mut again = Again(beginning, list.clone(), violation.rule, mutant);
    let operations = shrink::shrink(operations, &mut again, SHRINKING).await;
    List {
        showed: format!("{}: {}", violation.rule, violation.seen),
        operations,
        ..list
    }
}

/// What all runs came to.
#[derive(Debug, Default, Serialize)]
struct Findings {
    seeds: u64,
    virtual_days: f64,
    faults: u64,
    entries: u64,
    /// By operation: how often it was done, and how often refused.
    operations: BTreeMap<String, (u64, u64)>,
    violations: Vec<List>,
}

/// `cargo testnet sim`, on a thread of its own: virtual time has one, and nobody beside it.
///
/// # Errors
/// When the nodes' files cannot be made, or a list cannot be read.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let run = tokio::task::spawn_blocking(move || time::virtually(run_all(arguments)));
    run.await.context("the simulation ended by itself")?
}

async fn run_all(arguments: Arguments) -> Result<ExitCode> {
    let begun = crate::ambient::stopwatch();
    let limit = arguments
        .minutes
        .map(|minutes| Duration::from_secs(60 * minutes));
    let mut beginnings = Beginnings::default();
    let mut findings = Findings::default();
    if let Some(file) = &arguments.list {
        let text = std::fs::read_to_string(file).context("cannot read the list")?;
        let list: List = serde_json::from_str(&text).context("this is no list")?;
        one(&mut beginnings, list, &mut findings).await?;
    } else {
        for seed in arguments.first_seed..arguments.first_seed.saturating_add(arguments.seeds) {
            if limit.is_some_and(|limit| begun.elapsed() >= limit) {
                break;
            }
            one(&mut beginnings, generate::list(seed), &mut findings).await?;
        }
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        println!(
            "{} seeds, {:.1} virtual days, {} faults, {} entries, {} violations",
            findings.seeds,
            findings.virtual_days,
            findings.faults,
            findings.entries,
            findings.violations.len()
        );
        for list in &findings.violations {
            println!("{}", serde_json::to_string_pretty(list)?);
        }
    }
    Ok(if findings.violations.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

async fn one(beginnings: &mut Beginnings, list: List, findings: &mut Findings) -> Result<()> {
    let beginning = begin(beginnings, list.keepers).await?;
    let run = run_list(beginning, &list, None).await?;
    findings.seeds += 1;
    #[expect(clippy::cast_precision_loss, reason = "days for people")]
    let days = run.time as f64 / protocol::time::DAY as f64;
    findings.virtual_days += days;
    findings.faults += run.faults;
    findings.entries += run.entries;
    for (name, (done, refused)) in run.operations {
        let count = findings.operations.entry(name).or_default();
        *count = (count.0 + done, count.1 + refused);
    }
    if let Some(violation) = run.violation {
        // At once, since making it short takes a while.
        let seed = list.seed;
        eprintln!("seed {seed}: {}: {}", violation.rule, violation.seen);
        let list = shortened(beginning, list, &violation, None).await;
        findings.violations.push(list);
    }
    Ok(())
}
