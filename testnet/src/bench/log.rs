//! Appends to the coalition log, one by one and many at once, each on disk at a majority of the
//! keepers before it is answered; then the leader dies.
//!
//! Keepers are whole nodes in this process, with databases of their own on this disk and real calls
//! over this machine's network. They share its processor and its disk, which real ones do not.

use super::measure::{Watch, percentile, rounded};
use anyhow::{Context, Result, bail, ensure};
use commonturf::{
    ambient::SystemClock,
    app::App,
    coalition,
    config::{Config, Database, Desk, Federation, Lists, NodeDir, Peers},
    http::{self, serve},
    init, jobs, keeper,
    sync::{append, fold, keeper_client::Keeper},
};
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
use tokio::net::TcpListener;

/// Bytes of a sealed entry: a small application message.
const SEALED_BYTES: usize = 400;
/// Appends under way at once in the second part.
const AT_ONCE: usize = 32;
/// Rounds of talk after which a coalition that is not set up is taken for broken.
const ROUNDS: usize = 600;
/// A moment between rounds: keepers change over meanwhile.
const MOMENT: Duration = Duration::from_millis(50);
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
        nodes.push(start(NodeDir(directory.path().join(format!("keeper-{n}"))), n).await?);
    }
    set_up(&nodes).await?;
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

async fn start(dir: NodeDir, n: usize) -> Result<App> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let listen = listener.local_addr()?;
    let config = Config {
        desk: Desk {
            listen: "127.0.0.1:7310".parse()?,
        },
        federation: Some(Federation {
            listen,
            public_url: format!("http://{listen}"),
            tls_certificate: None,
            tls_key: None,
        }),
        database: Database::default(),
        peers: Peers::default(),
        lists: Lists::default(),
    };
    let name = format!("Keeper {n}").parse()?;
    init::make(
        &dir,
        &config,
        name,
        policy::facts::OrgKind::C4,
        &SystemClock,
    )
    .await?;
    let app = App::open(dir, Box::new(SystemClock)).await?;
    let _ = app.federation.set(http::federation(app.clone()));
    let life = app.life.clone();
    let router = http::federation(app.clone());
    app.life.spawn(serve::run(
        listener,
        router,
        None,
        serve::Manners::FEDERATION,
        life,
    ));
    Ok(app)
}

/// Brings the nodes into one coalition whose keepers they all are. Nothing else runs in them, so that
/// nobody folds what is appended later.
async fn set_up(nodes: &[App]) -> Result<()> {
    let refused = |failure: http::problem::Failure| anyhow::anyhow!("{failure:?}");
    let terms = policy::terms::template("us-claims-only")
        .context("the template is gone")?
        .text;
    let (founder, others) = nodes.split_first().context("no keeper")?;
    coalition::found::found(founder, "Bench", terms)
        .await
        .map_err(refused)?;
    until(nodes, async || agreed(founder).await).await?;
    if others.is_empty() {
        return Ok(());
    }
    for newcomer in others {
        let invited = coalition::invite::invite(founder, &newcomer.name, 1).await;
        let code = invited.map_err(refused)?.0.to_string();
        until(nodes, async || {
            coalition::join::ask(newcomer, &code).await.is_ok()
        })
        .await?;
        until(nodes, async || {
            coalition::join::approve(founder, &newcomer.name)
                .await
                .is_ok()
        })
        .await?;
        until(nodes, async || newcomer_is_in(newcomer).await).await?;
    }
    let names: Vec<String> = nodes.iter().map(|app| app.name.clone()).collect();
    let wanted = coalition::agreement::Wanted {
        keepers: Some(&names),
        ..Default::default()
    };
    let draft = coalition::agreement::draft(founder, wanted)
        .await
        .map_err(refused)?;
    coalition::agreement::put_forward(founder, &draft)
        .await
        .map_err(refused)?;
    let hash = draft.hash().to_string();
    for app in others {
        until(nodes, async || {
            coalition::agreement::sign(app, Some(&hash)).await.is_ok()
        })
        .await?;
    }
    until(nodes, async || {
        let mut voters = 0;
        for app in nodes {
            voters = voters.max(keeper::raft::voters(app).await);
        }
        voters == nodes.len()
    })
    .await
}

async fn agreed(app: &App) -> bool {
    let guard = app.coalition.read().await;
    guard
        .as_ref()
        .is_some_and(|coalition| coalition.state.meta().agreement.is_some())
}

async fn newcomer_is_in(app: &App) -> bool {
    let guard = app.coalition.read().await;
    guard
        .as_ref()
        .is_some_and(|coalition| coalition.is_active())
}

/// Lets every node speak and read until something is so.
async fn until(nodes: &[App], so: impl AsyncFn() -> bool) -> Result<()> {
    for _ in 0..ROUNDS {
        if so().await {
            return Ok(());
        }
        for app in nodes {
            jobs::run_all(app).await;
            let _ = append::step(app).await;
            let _ = read(app).await;
        }
        tokio::time::sleep(MOMENT).await;
    }
    bail!("the keepers do not come together")
}

async fn read(app: &App) -> Result<()> {
    let (keeper, position) = {
        let guard = app.coalition.read().await;
        let Some(coalition) = guard.as_ref().filter(|coalition| coalition.is_active()) else {
            return Ok(());
        };
        let position = coalition.state.meta().head.position;
        (Keeper::of(app, coalition), position)
    };
    let page = keeper.page(app, position, 0).await?;
    fold::page(app, page).await
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
