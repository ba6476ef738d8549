//! A member that was away comes back to a long log: how fast it reads, opens and folds what was said.

use super::{
    measure::{Watch, rounded},
    table,
};
use anyhow::{Context, Result, ensure};
use commonturf::{
    app::App,
    sync::{append, outbox},
};
use protocol::{
    entry::{
        payload::{Channels, SuppressionRow, write_rows},
        suppression::Suppress,
    },
    token::Token,
};
use rand::RngCore;
use serde_json::{Map, Value, json};

/// Contact points that one entry names.
const POINTS: usize = 5;
/// Entries that wait at once while the log is written.
const AT_ONCE: u64 = 512;

/// One member says so many things while the other is away; then the other reads them.
///
/// # Errors
/// When the nodes cannot be made, or do not agree in the end.
pub async fn run(entries: u64) -> Result<Map<String, Value>> {
    let directory = tempfile::tempdir()?;
    let mut nodes = Vec::new();
    for n in 0..2 {
        nodes.push(table::start(directory.path(), n, n == 0).await?);
    }
    table::gather(&nodes).await?;
    table::agree(&nodes).await?;
    let [present, away] = nodes.as_slice() else {
        anyhow::bail!("two nodes were asked for");
    };
    table::until(&[present], async || generation(present).await.is_some()).await?;
    let watch = Watch::start();
    let mut said = 0;
    while said < entries {
        let some = AT_ONCE.min(entries - said);
        say(present, some).await?;
        append::step(present).await?;
        while table::read(present).await? {}
        said += some;
    }
    let written = watch.seconds();
    let behind = table::position(present).await - table::position(away).await;
    ensure!(behind >= entries, "not everything was ordered");
    let watch = Watch::start();
    while table::read(away).await? {}
    let seconds = watch.seconds();
    let (one, other) = (hash(present).await, hash(away).await);
    ensure!(one.is_some() && one == other, "the two do not agree");
    for app in nodes {
        table::stop(app).await;
    }
    let mut figures = Map::new();
    figures.insert("entries".to_owned(), json!(behind));
    figures.insert("points_per_entry".to_owned(), json!(POINTS));
    figures.insert("written_seconds".to_owned(), rounded(written));
    figures.insert("catch_up_seconds".to_owned(), rounded(seconds));
    figures.insert(
        "catch_up_entries_per_second".to_owned(),
        rounded(behind as f64 / seconds),
    );
    Ok(figures)
}

/// Queues so many entries of a usual kind.
async fn say(app: &App, entries: u64) -> Result<()> {
    let generation = generation(app).await.context("no keys yet")?;
    let mut tx = app.store.write("writing a long log").await?;
    for _ in 0..entries {
        let mut rows: Vec<SuppressionRow> = (0..POINTS).map(|_| row()).collect();
        rows.sort_by_key(|row| row.token.0);
        let bytes = write_rows(rows);
        let packed = outbox::pack(&bytes)?;
        let entry = Suppress {
            rows: packed.payload.clone(),
            generation,
        };
        outbox::queue(app, &mut tx, entry.into(), Some((&packed, &bytes))).await?;
    }
    tx.commit().await?;
    Ok(())
}

fn row() -> SuppressionRow {
    let mut token = Token([0; 16]);
    rand::rngs::OsRng.fill_bytes(&mut token.0);
    SuppressionRow {
        token,
        channels: Channels::EVERY,
        deceased: false,
    }
}

async fn generation(app: &App) -> Option<u32> {
    let guard = app.coalition.read().await;
    guard.as_ref()?.state.meta().generation
}

/// What a node holds the coalition's state to be.
async fn hash(app: &App) -> Option<protocol::id::Hash> {
    let guard = app.coalition.read().await;
    Some(guard.as_ref()?.state.hash())
}
