//! A large claim: how long until an ally sees it, and how long a check against it takes.

use super::{
    measure::{Watch, rounded},
    memory::member,
};
use crate::nodes::{Node, Program, found_quietly};
use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use std::{
    fs::File,
    io::{BufWriter, Write},
    time::Duration,
};

/// How long the ally may take until it sees the claim.
const VISIBLE: Duration = Duration::from_secs(120);
/// The list's name at both nodes.
const LIST: &str = "voters";

/// Two nodes hold the same list; one claims its phones, the other looks.
///
/// # Errors
/// When the nodes cannot be run, or the ally's check does not find everything held.
pub async fn run(rows: u64) -> Result<Map<String, Value>> {
    let program = Program::build().await?;
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("phones.csv");
    write_phones(BufWriter::new(File::create(&file)?), rows)?;
    let path = file.to_str().context("a path that is text")?;
    let members = [member("holder", true), member("ally", false)];
    let terms = "template:us-claims-only";
    let nodes = found_quietly(&program, directory.path(), &members, terms).await?;
    let [holder, ally] = nodes.as_slice() else {
        anyhow::bail!("two nodes were asked for");
    };
    for node in [holder, ally] {
        let report = node.run(&["import", path, "--list", LIST]).await?;
        ensure!(
            report["imported"] == rows,
            "not everybody was imported: {report}"
        );
        node.run(&["tokens", "status", "--wait"]).await?;
    }
    let (from, to) = window()?;
    let words = |verb: &'static str| {
        let mut words = vec!["claim", verb, "--list", LIST, "--channel", "phone"];
        words.extend(["--from", from.as_str(), "--to", to.as_str()]);
        words
    };
    let watch = Watch::start();
    let taken = holder.run(&words("take")).await?;
    let taken_seconds = watch.seconds();
    wait_until_visible(ally).await?;
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
    figures.insert("phones_granted".to_owned(), granted.clone());
    figures.insert("claim_taken_seconds".to_owned(), rounded(taken_seconds));
    figures.insert(
        "claim_100k_visible_seconds".to_owned(),
        rounded(visible_seconds),
    );
    figures.insert(
        "check_against_held_seconds".to_owned(),
        rounded(check_seconds),
    );
    Ok(figures)
}

/// So many people, each with a phone number of its own.
fn write_phones(mut out: impl Write, rows: u64) -> Result<()> {
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

/// Tomorrow and the day after.
fn window() -> Result<(String, String)> {
    let tomorrow = crate::ambient::today().tomorrow()?;
    Ok((tomorrow.to_string(), tomorrow.tomorrow()?.to_string()))
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
