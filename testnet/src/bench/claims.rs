//! A large claim of doors: how long until every member sees it, and how long a check against it takes.

use super::{
    measure::{Watch, rounded},
    memory::member,
};
use crate::nodes::{Node, Program, found_quietly};
use anyhow::{Context, Result, ensure};
use futures_util::future::try_join_all;
use serde_json::{Map, Value, json};
use std::{
    fs::File,
    io::{BufWriter, Write},
    time::Duration,
};

/// How many members, unless something else is asked for.
pub const MEMBERS: usize = 5;
/// Who they are; a measurement uses the first ones.
const NAMES: [&str; 10] = [
    "holder", "ally-1", "ally-2", "ally-3", "ally-4", "ally-5", "ally-6", "ally-7", "ally-8",
    "ally-9",
];
/// How long an ally may take until it sees the claim.
const VISIBLE: Duration = Duration::from_secs(120);
/// The list's name at the nodes that have one.
const LIST: &str = "voters";
/// Houses of one street.
const STREET: u64 = 500;

/// Two nodes hold the same list; one claims its doors, all look, and the other checks its own list.
///
/// # Errors
/// When the nodes cannot be run, or the ally's check does not find everything held.
pub async fn run(rows: u64, members: usize) -> Result<Map<String, Value>> {
    ensure!(
        (2..=NAMES.len()).contains(&members),
        "2 to 10 members take part"
    );
    let program = Program::build().await?;
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("doors.csv");
    write_doors(BufWriter::new(File::create(&file)?), rows)?;
    let path = file.to_str().context("a path that is text")?;
    let names = NAMES.iter().take(members).enumerate();
    let who: Vec<_> = names.map(|(n, slug)| member(slug, n == 0)).collect();
    let terms = "template:us-claims-only";
    let nodes = found_quietly(&program, directory.path(), &who, terms).await?;
    let [holder, allies @ ..] = nodes.as_slice() else {
        anyhow::bail!("nobody was started");
    };
    let ally = allies.first().context("an ally")?;
    for node in [holder, ally] {
        let report = node.run(&["import", path, "--list", LIST]).await?;
        ensure!(
            report["imported"] == rows,
            "not everybody was imported: {report}"
        );
        node.run(&["tokens", "status", "--wait"]).await?;
    }
    let (from, to) = days(1)?;
    let words = |verb: &'static str| {
        let mut words = vec!["claim", verb, "--list", LIST, "--channel", "door"];
        words.extend(["--from", from.as_str(), "--to", to.as_str()]);
        words
    };
    let watch = Watch::start();
    let taken = holder.run(&words("take")).await?;
    let taken_seconds = watch.seconds();
    try_join_all(allies.iter().map(wait_until_visible)).await?;
    let visible_seconds = watch.seconds();
    let watch = Watch::start();
    let checked = ally.run(&words("check")).await?;
    let check_seconds = watch.seconds();
    let granted = &taken["claim"]["granted"];
    ensure!(
        checked["counts"]["held"] == *granted,
        "the ally sees other points held than were granted"
    );
    let mut figures = Map::new();
    figures.insert("rows".to_owned(), json!(rows));
    figures.insert("members".to_owned(), json!(members));
    figures.insert("doors_granted".to_owned(), granted.clone());
    let mut figure = |name: &str, value| figures.insert(name.to_owned(), rounded(value));
    figure("granted_seconds", taken_seconds);
    figure("visible_at_all_seconds", visible_seconds);
    figure("check_against_held_seconds", check_seconds);
    Ok(figures)
}

/// So many people, each behind a door of its own.
fn write_doors(mut out: impl Write, rows: u64) -> Result<()> {
    writeln!(out, "First Name,Last Name,Address,City,State,Zip")?;
    for n in 0..rows {
        let (street, house) = (n / STREET, n % STREET + 1);
        writeln!(
            out,
            "P{n},Resident,{house} Number{street} St,Columbus,OH,43215"
        )?;
    }
    out.flush()?;
    Ok(())
}

/// So many people, each with a phone number of its own.
pub(super) fn write_phones(mut out: impl Write, rows: u64) -> Result<()> {
    writeln!(out, "First Name,Last Name,Phone")?;
    // Exchanges such as 411 are no subscribers'.
    let exchanges = (200..1_000).filter(|exchange| exchange % 100 != 11);
    let numbers = exchanges.flat_map(|exchange| (0..10_000).map(move |line| (exchange, line)));
    let mut written = 0;
    for (n, (exchange, line)) in (0..rows).zip(numbers) {
        writeln!(out, "P{n},Caller,614-{exchange}-{line:04}")?;
        written = n + 1;
    }
    ensure!(written == rows, "there are at most {written} numbers");
    out.flush()?;
    Ok(())
}

/// Two days, the first one so many days from today.
pub(super) fn days(ahead: i64) -> Result<(String, String)> {
    let first = crate::ambient::today().checked_add(jiff::Span::new().days(ahead))?;
    Ok((first.to_string(), first.tomorrow()?.to_string()))
}

async fn wait_until_visible(ally: &Node) -> Result<()> {
    let seen = |claims: &Value| {
        let claims = claims.as_array()?;
        (!claims.is_empty()).then_some(())
    };
    ally.until(
        "it sees the claim",
        VISIBLE,
        &["claim", "list", "--all"],
        seen,
    )
    .await
}
