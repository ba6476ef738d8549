//! How long it takes until every member of a large coalition knows of a claim.

use super::{
    measure::{Watch, percentile, rounded},
    table,
};
use anyhow::{Context, Result, ensure};
use commonturf::{app::App, sync::outbox};
use protocol::{
    channel::Channel,
    entry::{claim::Claim, payload::write_rows},
    id::EntryId,
    time::DAY,
    token::Token,
};
use rand::RngCore;
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Doors of one claim.
const DOORS: usize = 50;
/// Claims that are taken, one after the other, by one member after the other.
const CLAIMS: usize = 60;
/// Between two looks at a member's state.
const LOOK: Duration = Duration::from_millis(1);
/// How long a claim may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// So many members, one of them the keeper, all with their own databases, on this one machine.
///
/// # Errors
/// When the nodes cannot be made, or a claim does not reach everybody.
pub async fn run(members: usize) -> Result<Map<String, Value>> {
    ensure!(members > 1, "nobody would see a claim");
    let directory = tempfile::tempdir()?;
    let mut nodes = Vec::new();
    for n in 0..members {
        nodes.push(table::start(directory.path(), n, n == 0).await?);
    }
    table::gather(&nodes).await?;
    table::agree(&nodes).await?;
    let all: Vec<&App> = nodes.iter().collect();
    table::until(&all, async || has_keys(&nodes).await).await?;
    for app in &nodes {
        table::run(app);
    }
    let mut milliseconds = Vec::new();
    let mut slowest = Vec::new();
    for author in nodes.iter().cycle().take(CLAIMS) {
        let seen = visible(author, &nodes).await?;
        slowest.push(seen.iter().copied().fold(0.0, f64::max));
        milliseconds.extend(seen);
    }
    for app in nodes {
        table::stop(app).await;
    }
    milliseconds.sort_by(f64::total_cmp);
    slowest.sort_by(f64::total_cmp);
    let mut figures = Map::new();
    figures.insert("members".to_owned(), json!(members));
    figures.insert("claims".to_owned(), json!(CLAIMS));
    figures.insert("doors_per_claim".to_owned(), json!(DOORS));
    let mut figure = |name: &str, value| figures.insert(name.to_owned(), rounded(value));
    figure("visible_at_one_p50_ms", percentile(&milliseconds, 0.5));
    figure("visible_at_one_p95_ms", percentile(&milliseconds, 0.95));
    figure("visible_at_all_p50_ms", percentile(&slowest, 0.5));
    figure("visible_at_all_p95_ms", percentile(&slowest, 0.95));
    Ok(figures)
}

async fn has_keys(nodes: &[App]) -> bool {
    let mut all = true;
    for app in nodes {
        let guard = app.coalition.read().await;
        let state = guard.as_ref().map(|coalition| &coalition.state);
        all &= state.is_some_and(|state| state.meta().generation.is_some());
    }
    all
}

/// Takes a claim and tells after how many milliseconds each member has it in its state.
async fn visible(author: &App, nodes: &[App]) -> Result<Vec<f64>> {
    let watch = Watch::start();
    let claim = take(author).await?;
    let seen = nodes.iter().map(async |app| {
        while !knows(app, claim).await {
            tokio::time::sleep(LOOK).await;
        }
        watch.seconds() * 1_000.0
    });
    let seen = futures_util::future::join_all(seen);
    tokio::time::timeout(PATIENCE, seen)
        .await
        .context("a claim did not reach everybody")
}

async fn knows(app: &App, claim: EntryId) -> bool {
    let guard = app.coalition.read().await;
    guard
        .as_ref()
        .is_some_and(|coalition| coalition.state.claims.get(&claim).is_some())
}

async fn take(app: &App) -> Result<EntryId> {
    let mut tokens = [[0; 16]; DOORS];
    for token in &mut tokens {
        rand::rngs::OsRng.fill_bytes(token);
    }
    tokens.sort_unstable();
    let rows = write_rows(tokens.map(Token));
    let packed = outbox::pack(&rows)?;
    let (agreement, generation) = {
        let guard = app.coalition.read().await;
        let meta = guard.as_ref().context("no coalition")?.state.meta();
        let agreement = meta.agreement.context("no agreement")?;
        (agreement, meta.generation.context("no keys")?)
    };
    let now = app.now();
    let entry = Claim {
        channel: Channel::Door,
        from: now.plus(DAY),
        to: now.plus(2 * DAY),
        tokens: packed.payload.clone(),
        grant_by: now.plus(DAY),
        agreement,
        generation,
        paired: false,
    };
    let mut tx = app.store.write("taking a claim").await?;
    let id = outbox::queue(app, &mut tx, entry.into(), Some((&packed, &rows))).await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok(id)
}
