//! A coalition of whole nodes in this process, with databases of their own on this disk and real calls over
//! this machine's network. They share its processor and its disk, which real ones do not.
//!
//! Nodes move only when they are told to ([`until`]), so that nothing else runs while something is timed;
//! [`run`] lets one go on by itself.

use anyhow::{Context, Result, bail};
use commonturf::{
    ambient::SystemClock,
    app::App,
    coalition,
    config::{Config, Database, Desk, Federation, Lists, NodeDir, Peers},
    http::{self, problem::Failure, serve},
    init, jobs, keeper,
    sync::{self, append},
};
use std::{path::Path, time::Duration};
use tokio::net::TcpListener;

/// Rounds of talk after which a coalition that is not set up is taken for broken.
const ROUNDS: usize = 600;
/// A moment between rounds: keepers change over meanwhile.
const MOMENT: Duration = Duration::from_millis(50);

/// Where the node of a number lies below a directory.
pub(super) fn directory(below: &Path, n: usize) -> NodeDir {
    NodeDir(below.join(format!("node-{n}")))
}

/// Makes a node; one that can be a keeper is reached by others at an address of its own.
pub(super) async fn start(below: &Path, n: usize, can_keep: bool) -> Result<App> {
    let dir = directory(below, n);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let listen = listener.local_addr()?;
    let config = Config {
        desk: Desk {
            listen: format!("127.0.0.1:{}", free_port().await?).parse()?,
        },
        federation: can_keep.then(|| Federation {
            listen,
            public_url: format!("http://{listen}"),
            tls_certificate: None,
            tls_key: None,
        }),
        database: Database::default(),
        peers: Peers::default(),
        lists: Lists::default(),
    };
    let name = format!("Organization {n}").parse()?;
    let kind = policy::facts::OrgKind::C4;
    init::make(&dir, &config, name, kind, &SystemClock).await?;
    let app = App::open(dir, Box::new(SystemClock)).await?;
    let _ = app.federation.set(http::federation(app.clone()));
    if can_keep {
        let (life, router) = (app.life.clone(), http::federation(app.clone()));
        app.life.spawn(serve::run(listener, router, None, life));
    }
    Ok(app)
}

/// A port that nobody has now, for a program that will ask for it.
async fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port())
}

/// Lets a node go on by itself, as the program does.
pub(super) fn run(app: &App) {
    sync::start(app);
    jobs::start(app);
}

/// Stops a node and closes its database.
pub(super) async fn stop(app: App) {
    app.life.stop();
    app.life.finish().await;
    app.store.close().await;
}

/// The first node founds a coalition and lets all others in.
pub(super) async fn gather(nodes: &[App]) -> Result<()> {
    let (founder, others) = nodes.split_first().context("no node")?;
    found(founder).await?;
    for newcomer in others {
        let_in(founder, newcomer).await?;
    }
    Ok(())
}

/// Founds a coalition that claims and suppresses and shares nobody.
pub(super) async fn found(founder: &App) -> Result<()> {
    let terms = policy::terms::template("us-claims-only")
        .context("the template is gone")?
        .text;
    coalition::found::found(founder, "Bench", terms)
        .await
        .map_err(refused)?;
    until(&[founder], async || agreement(founder).await.is_some()).await
}

/// Lets one more in. Nobody but the two moves meanwhile.
pub(super) async fn let_in(founder: &App, newcomer: &App) -> Result<()> {
    let both = [founder, newcomer];
    let invited = coalition::invite::invite(founder, &newcomer.name, 1).await;
    let code = invited.map_err(refused)?.0.to_string();
    until(&both, async || {
        coalition::join::ask(newcomer, &code).await.is_ok()
    })
    .await?;
    until(&both, async || {
        let Ok(digits) = crate::door::compared(founder, newcomer).await else {
            return false;
        };
        coalition::join::approve(founder, &newcomer.name, Some(&digits))
            .await
            .is_ok()
    })
    .await?;
    until(&both, async || is_in(newcomer).await).await
}

/// Brings an agreement of all members into force.
pub(super) async fn agree(nodes: &[App]) -> Result<()> {
    sign(nodes, coalition::agreement::Wanted::default()).await
}

/// Makes all nodes keepers of the log.
pub(super) async fn entrust(nodes: &[App]) -> Result<()> {
    let names: Vec<String> = nodes.iter().map(|app| app.name.clone()).collect();
    if names.len() > 1 {
        let wanted = coalition::agreement::Wanted {
            keepers: Some(&names),
            ..Default::default()
        };
        sign(nodes, wanted).await?;
    }
    let all: Vec<&App> = nodes.iter().collect();
    until(&all, async || {
        let mut voters = 0;
        for app in nodes {
            voters = voters.max(keeper::raft::voters(app).await);
        }
        voters == nodes.len()
    })
    .await
}

async fn sign(nodes: &[App], wanted: coalition::agreement::Wanted<'_>) -> Result<()> {
    let (founder, others) = nodes.split_first().context("no node")?;
    let draft = coalition::agreement::draft(founder, wanted)
        .await
        .map_err(refused)?;
    coalition::agreement::put_forward(founder, &draft)
        .await
        .map_err(refused)?;
    let hash = draft.hash().to_string();
    let all: Vec<&App> = nodes.iter().collect();
    for app in others {
        until(&all, async || {
            coalition::agreement::sign(app, Some(&hash)).await.is_ok()
        })
        .await?;
    }
    until(&all, async || {
        let mut signed = true;
        for app in nodes {
            signed &= agreement(app).await.is_some_and(|own| own == hash);
        }
        signed
    })
    .await
}

/// The agreement in force as a node sees it.
async fn agreement(app: &App) -> Option<String> {
    let guard = app.coalition.read().await;
    let agreement = guard.as_ref()?.state.meta().agreement?;
    Some(agreement.to_string())
}

async fn is_in(app: &App) -> bool {
    let guard = app.coalition.read().await;
    guard
        .as_ref()
        .is_some_and(|coalition| coalition.is_active())
}

/// Lets nodes speak and read, one after the other, until something is so.
pub(super) async fn until(nodes: &[&App], so: impl AsyncFn() -> bool) -> Result<()> {
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
    bail!("the nodes do not come together")
}

/// Reads and folds one page of the log; tells whether there was anything.
pub(super) async fn read(app: &App) -> Result<bool> {
    let before = position(app).await;
    if is_in(app).await {
        sync::read::one_page(app, 0).await?;
    }
    Ok(position(app).await > before)
}

/// Up to where a node has folded the log.
pub(super) async fn position(app: &App) -> u64 {
    let guard = app.coalition.read().await;
    guard
        .as_ref()
        .map_or(0, |coalition| coalition.state.meta().head.position)
}

pub(super) fn refused(failure: Failure) -> anyhow::Error {
    anyhow::anyhow!("{failure:?}")
}
