//! Appends to a keeper's log, one by one, each on disk before it is answered.

use super::measure::{Watch, percentile, rounded};
use anyhow::{Context, Result};
use commonturf::{
    ambient::SystemClock,
    app::App,
    coalition,
    config::{Config, Database, Desk, Federation, Lists, NodeDir, Peers},
    init, keeper,
};
use protocol::{
    chain::Sealed,
    entry::Class,
    envelope::{Envelope, Form, Header, VERSION},
    id::EntryId,
};
use rand::RngCore;
use serde_json::{Map, Value, json};

/// Bytes of a sealed entry: a small application message.
const SEALED_BYTES: usize = 400;

/// A keeper that nobody calls: its listeners are never opened.
fn config() -> Result<Config> {
    Ok(Config {
        desk: Desk {
            listen: "127.0.0.1:7310".parse()?,
        },
        federation: Some(Federation {
            listen: "127.0.0.1:7410".parse()?,
            public_url: "http://127.0.0.1:7410".to_owned(),
            tls_certificate: None,
            tls_key: None,
        }),
        database: Database::default(),
        peers: Peers::default(),
        lists: Lists::default(),
    })
}

/// Appends entries of a usual size to a fresh log on this disk.
///
/// # Errors
/// When the node cannot be made or an append is refused.
pub async fn run(rows: u64) -> Result<Map<String, Value>> {
    let directory = tempfile::tempdir()?;
    let dir = NodeDir(directory.path().join("keeper"));
    init::make(
        &dir,
        &config()?,
        "Keeper".parse()?,
        policy::facts::OrgKind::C4,
        &SystemClock,
    )
    .await?;
    let app = App::open(dir, Box::new(SystemClock)).await?;
    let terms = policy::terms::template("us-claims-only")
        .context("the template is gone")?
        .text;
    coalition::found::found(&app, "Bench", terms)
        .await
        .map_err(|failure| anyhow::anyhow!("{failure:?}"))?;
    let (id, lineage) = {
        let guard = app.coalition.read().await;
        let row = &guard.as_ref().context("no coalition")?.row;
        (row.id, row.lineage)
    };
    let mut rng = rand::rngs::OsRng;
    let mut milliseconds = Vec::new();
    let whole = Watch::start();
    for _ in 0..rows {
        let mut sealed = vec![0; SEALED_BYTES];
        rng.fill_bytes(&mut sealed);
        let header = Header {
            version: VERSION,
            coalition: id,
            lineage,
            entry: EntryId::random(&mut rng),
            class: Class::Claims,
            form: Form::Application,
            blobs: Vec::new(),
            author: app.me,
            evidence: None,
        };
        let bytes = Envelope { header, sealed }.bytes();
        let one = Watch::start();
        let answer = keeper::log::append(&app, app.me, vec![Sealed(bytes)]).await;
        milliseconds.push(one.seconds() * 1000.0);
        answer.map_err(|failure| anyhow::anyhow!("{failure:?}"))?;
    }
    let seconds = whole.seconds();
    milliseconds.sort_by(f64::total_cmp);
    let mut figures = Map::new();
    figures.insert("appends".to_owned(), json!(rows));
    figures.insert("entry_bytes".to_owned(), json!(SEALED_BYTES));
    figures.insert(
        "appends_per_second".to_owned(),
        rounded(rows as f64 / seconds),
    );
    figures.insert("p50_ms".to_owned(), rounded(percentile(&milliseconds, 0.5)));
    figures.insert(
        "p99_ms".to_owned(),
        rounded(percentile(&milliseconds, 0.99)),
    );
    Ok(figures)
}
