//! Appends to the coalition log, one by one and many at once, each on disk at a majority of the
//! keepers before it is answered; then the leader dies.
//!
//! Keepers are whole nodes in this process, with databases of their own on this disk and real calls
//! over this machine's network. They share its processor and its disk, which real ones do not.

use super::{
    measure::{Watch, percentile, rounded},
    table,
};
use anyhow::{Context, Result, bail, ensure};
use commonturf::{app::App, keeper};
use protocol::{
    chain::Sealed,
    entry::Class,
    envelope::{Envelope, Form, Header, VERSION},
    id::EntryId,
    limits::KEEPERS,
};
use rand::RngCore;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Bytes of a sealed entry: a small application message.
const SEALED_BYTES: usize = 400;
/// Appends under way at once in the second part.
const AT_ONCE: usize = 32;
/// How long an election may take.
const ELECTION: Duration = Duration::from_secs(60);

/// Appends entries of a usual size to a fresh log of so many keepers.
///
/// # Errors
/// When the nodes cannot be made or an append is refused.
pub async fn run(rows: u64, keepers: usize) -> Result<Map<String, Value>> {
    ensure!(KEEPERS.contains(&keepers), "a log has 1, 3 or 5 keepers");
    let directory = tempfile::tempdir()?;
    let mut nodes = Vec::new();
    for n in 0..keepers {
        nodes.push(table::start(directory.path(), n, true).await?);
    }
    table::gather(&nodes).await?;
    table::entrust(&nodes).await?;
    let leader = leader(&nodes).await?;
    let mut figures = Map::new();
    figures.insert("keepers".to_owned(), json!(keepers));
    figures.insert("appends".to_owned(), json!(rows));
    figures.insert("entry_bytes".to_owned(), json!(SEALED_BYTES));
    one_by_one(&nodes[leader], rows, &mut figures).await?;
    at_once(&nodes[leader], rows, &mut figures).await?;
    if keepers > 1 {
        let dead = nodes.remove(leader);
        let since = Watch::start();
        dead.life.stop();
        drop(dead);
        let next = tokio::time::timeout(ELECTION, first_append(&nodes));
        next.await.context("nobody was elected")??;
        let seconds = since.seconds();
        figures.insert("new_leader_ms".to_owned(), rounded(seconds * 1_000.0));
    }
    for app in &nodes {
        app.life.stop();
    }
    Ok(figures)
}

async fn leader(nodes: &[App]) -> Result<usize> {
    for (n, app) in nodes.iter().enumerate() {
        let entry = sealed(app).await?;
        if keeper::log::append(app, app.me, vec![entry]).await.is_ok() {
            return Ok(n);
        }
    }
    bail!("no keeper leads")
}

async fn first_append(nodes: &[App]) -> Result<()> {
    while leader(nodes).await.is_err() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

async fn one_by_one(app: &App, rows: u64, figures: &mut Map<String, Value>) -> Result<()> {
    let mut milliseconds = Vec::new();
    let whole = Watch::start();
    for _ in 0..rows {
        let entry = sealed(app).await?;
        let one = Watch::start();
        append_one(app, entry).await?;
        milliseconds.push(one.seconds() * 1_000.0);
    }
    let seconds = whole.seconds();
    milliseconds.sort_by(f64::total_cmp);
    let mut figure = |name: &str, value: Value| figures.insert(name.to_owned(), value);
    figure("appends_per_second", rounded(rows as f64 / seconds));
    figure("p50_ms", rounded(percentile(&milliseconds, 0.5)));
    figure("p99_ms", rounded(percentile(&milliseconds, 0.99)));
    Ok(())
}

async fn at_once(app: &App, rows: u64, figures: &mut Map<String, Value>) -> Result<()> {
    let each = rows / AT_ONCE as u64;
    let whole = Watch::start();
    let many = (0..AT_ONCE).map(|_| async {
        for _ in 0..each {
            append_one(app, sealed(app).await?).await?;
        }
        anyhow::Ok(())
    });
    futures_util::future::try_join_all(many).await?;
    let done = (each * AT_ONCE as u64) as f64;
    figures.insert(
        format!("appends_per_second_{AT_ONCE}_at_once"),
        rounded(done / whole.seconds()),
    );
    Ok(())
}

async fn append_one(app: &App, entry: Sealed) -> Result<()> {
    let answer = keeper::log::append(app, app.me, vec![entry]).await;
    answer
        .map(drop)
        .map_err(|failure| anyhow::anyhow!("{failure:?}"))
}

/// Bytes that a keeper takes for an entry of a node; nobody can open them.
async fn sealed(app: &App) -> Result<Sealed> {
    let (coalition, lineage) = {
        let guard = app.coalition.read().await;
        let row = &guard.as_ref().context("no coalition")?.row;
        (row.id, row.lineage)
    };
    let mut rng = rand::rngs::OsRng;
    let mut sealed = vec![0; SEALED_BYTES];
    rng.fill_bytes(&mut sealed);
    let header = Header {
        version: VERSION,
        coalition,
        lineage,
        entry: EntryId::random(&mut rng),
        class: Class::Claims,
        form: Form::Application,
        blobs: Vec::new(),
        author: app.me,
        evidence: None,
    };
    Ok(Sealed(Envelope { header, sealed }.bytes()))
}
