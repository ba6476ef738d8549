//! Several whole nodes in one process: real databases, real MLS, real Raft, real routers; clock, network,
//! disks and randomness are the simulation's.
//!
//! Nodes do what an operation says and nothing else, but for Raft among several keepers, which runs beside
//! it on virtual time ([`super::time`]). One keeper alone has nobody to talk to.

mod begin;
mod files;

pub use begin::{Beginning, Beginnings};

use super::{
    disk::Disk,
    network::Network,
    people::ORGANIZATIONS,
    time::{self, Hold, Holds, NodeClock},
};
use anyhow::Result;
use commonturf::{
    app::{App, read_rest_key},
    config::{Config, Database, Desk, Federation, Lists, NodeDir, Peers},
    http, jobs,
    keeper::raft,
    store::Store,
    sync::{append, read},
};
use protocol::{id::NodeId, time::Moment};
use std::{path::Path, sync::Arc};
use tempfile::TempDir;
use tokio::time::Instant;

/// How long a node takes to start, in milliseconds; a keeper answers nothing older than its start.
const BOOT: i64 = 10_000;
/// The most milliseconds that timers run while time passes; days pass while all machines sleep.
const AWAKE: i64 = 5_000;
/// Members from the beginning; one more organization is a stranger.
pub const MEMBERS: usize = 3;

/// One node of the simulation.
pub struct Site {
    /// Its directory.
    pub dir: NodeDir,
    clock: NodeClock,
    /// How far its clock is ahead, in milliseconds.
    pub skew: i64,
    /// Its disk.
    pub disk: Arc<Disk>,
    app: Option<App>,
    /// Whether it is gone for ever.
    pub lost: bool,
    /// Whether it says what it may not.
    pub evil: bool,
}

/// The whole.
pub struct World {
    folder: TempDir,
    /// The network.
    pub network: Network,
    /// The nodes.
    pub sites: Vec<Site>,
    /// What true time was when the world was opened, and the time that passed while machines slept.
    base: Moment,
    opened: Instant,
    holds: Holds,
    /// The latest invitation.
    pub invite: Option<String>,
}

fn node_dir(folder: &Path, node: usize) -> NodeDir {
    NodeDir(folder.join(format!("node-{node}")))
}

/// Where a node answers, if it keeps the log.
fn url(node: usize) -> String {
    format!("http://127.0.0.1:{}", 7_990 + node)
}

fn config(node: usize) -> Result<Config> {
    Ok(Config {
        desk: Desk {
            listen: "127.0.0.1:7989".parse()?,
        },
        federation: Some(Federation {
            listen: "127.0.0.1:7988".parse()?,
            public_url: url(node),
            tls_certificate: None,
            tls_key: None,
        }),
        database: Database::default(),
        peers: Peers::default(),
        lists: Lists::default(),
    })
}

impl World {
    /// Opens a copy of a beginning.
    ///
    /// # Errors
    /// When a node does not open.
    pub async fn begin(beginning: &Beginning) -> Result<Self> {
        let mut world = Self::open(beginning.copied()?, beginning.time()).await?;
        // Who keeps the log together finds a leader first.
        world.run(AWAKE).await;
        Ok(world)
    }

    async fn open(folder: TempDir, base: Moment) -> Result<Self> {
        let (opened, holds) = (time::present(), Holds::default());
        let site = |node| Site {
            dir: node_dir(folder.path(), node),
            clock: NodeClock::opened(base, opened),
            skew: 0,
            disk: Arc::new(Disk::new(holds.clone())),
            app: None,
            lost: false,
            evil: false,
        };
        let mut world = Self {
            network: Network::default(),
            sites: (0..ORGANIZATIONS.len()).map(site).collect(),
            base,
            opened,
            holds: holds.clone(),
            invite: None,
            folder,
        };
        for node in 0..ORGANIZATIONS.len() {
            world.start(node).await?;
        }
        world.pass(BOOT);
        Ok(world)
    }

    /// Every node works, speaks and reads, some times, with a little time between.
    pub async fn rounds(&mut self, rounds: usize) {
        for _ in 0..rounds {
            for node in self.running() {
                jobs::run_all(self.app(node)).await;
                // Whoever cannot reach the keeper keeps what it has to say.
                drop(self.push(node).await);
            }
            for node in self.running() {
                drop(self.read(node).await);
            }
            self.run(2_000).await;
        }
    }

    /// A node.
    ///
    /// # Panics
    /// When it does not run; [`World::runs`] tells.
    #[must_use]
    pub fn app(&self, node: usize) -> &App {
        self.sites[node].app.as_ref().expect("the node runs")
    }

    /// Whether a node runs.
    #[must_use]
    pub fn runs(&self, node: usize) -> bool {
        self.sites.get(node).is_some_and(|site| site.app.is_some())
    }

    /// The numbers of the nodes that run.
    #[must_use]
    pub fn running(&self) -> Vec<usize> {
        self.apps().map(|(node, _)| node).collect()
    }

    /// Every node that runs, by number.
    pub fn apps<'a>(&'a self) -> impl Iterator<Item = (usize, &'a App)> {
        let runs = |(node, site): (usize, &'a Site)| Some((node, site.app.as_ref()?));
        self.sites.iter().enumerate().filter_map(runs)
    }

    /// The number of a node with an id.
    #[must_use]
    pub fn number(&self, id: NodeId) -> Option<usize> {
        self.apps().find(|(_, app)| app.me == id).map(|(n, _)| n)
    }

    /// Who leads the keepers, if anybody does.
    pub async fn leader(&self) -> Option<usize> {
        for (node, app) in self.apps() {
            if raft::leader(app).await == Some(app.me) {
                return Some(node);
            }
        }
        None
    }

    /// True time.
    #[must_use]
    pub fn time(&self) -> Moment {
        self.base.plus(time::since(self.opened))
    }

    /// Lets milliseconds pass at every node, while all machines sleep.
    pub fn pass(&mut self, milliseconds: i64) {
        self.base = self.base.plus(milliseconds);
        for site in &self.sites {
            site.clock.set(self.base.plus(site.skew));
        }
    }

    /// Lets milliseconds pass with all that happens by itself in them.
    pub async fn run(&mut self, milliseconds: i64) {
        let awake = milliseconds.min(AWAKE);
        self.pass(milliseconds - awake);
        time::run_for(awake).await;
    }

    /// Holds time while something happens of which the clock knows nothing.
    #[must_use]
    pub fn hold(&self) -> Hold {
        self.holds.hold()
    }

    /// A node that follows the log reads one page and folds it.
    ///
    /// # Errors
    /// When no keeper is reached, or the node stops.
    pub async fn read(&self, node: usize) -> Result<()> {
        let reads = {
            let guard = self.app(node).coalition.read().await;
            guard.as_ref().is_some_and(|coalition| coalition.reads())
        };
        if reads {
            read::one_page(self.app(node), 0).await?;
        }
        Ok(())
    }

    /// A node that is a member says what waits.
    ///
    /// # Errors
    /// When no keeper is reached or the disk fails.
    pub async fn push(&self, node: usize) -> Result<()> {
        if self.is_active(node).await {
            append::step(self.app(node)).await?;
        }
        Ok(())
    }

    /// Whether a node runs, is a member and has not stopped.
    pub async fn is_active(&self, node: usize) -> bool {
        if !self.runs(node) {
            return false;
        }
        let guard = self.app(node).coalition.read().await;
        guard
            .as_ref()
            .is_some_and(commonturf::sync::coalition::Coalition::is_active)
    }

    /// Starts a node on its files.
    ///
    /// # Errors
    /// When it does not open.
    pub async fn start(&mut self, node: usize) -> Result<()> {
        let _still = self.hold();
        let site = &mut self.sites[node];
        site.disk.heal();
        site.clock.set(self.base.plus(site.skew));
        let config = config(node)?;
        let store = Store::open(&site.dir.database(&config)).await?;
        let store = store.with_faults(site.disk.clone());
        let rest = read_rest_key(&site.dir)?;
        let wire = self.network.wire(node, site.disk.clone());
        let (clock, wire) = (Box::new(site.clock.clone()), Box::new(wire));
        let app = App::assemble(site.dir.clone(), config, store, clock, rest, wire).await?;
        let router = http::federation(app.clone());
        drop(app.federation.set(router.clone()));
        let disk = site.disk.clone();
        self.network.open(&url(node), node, router, disk);
        site.app = Some(app.clone());
        drop(_still);
        commonturf::keeper::log::start(&app).await
    }

    /// Ends a node as it is.
    pub async fn stop(&mut self, node: usize) {
        self.network.close(&url(node));
        if let Some(app) = self.sites[node].app.take() {
            app.life.stop();
            app.life.finish().await;
            let _still = self.hold();
            app.store.close().await;
        }
    }

    /// Ends a node as it is, and starts it on its files, unless those are lost.
    ///
    /// # Errors
    /// When it does not open.
    pub async fn restart(&mut self, node: usize) -> Result<()> {
        self.stop(node).await;
        if !self.sites[node].lost {
            self.start(node).await?;
        }
        self.pass(BOOT);
        Ok(())
    }

    /// Ends every node.
    pub async fn close(&mut self) {
        for node in 0..self.sites.len() {
            self.stop(node).await;
        }
    }

    /// Ends every fault: the network is whole, disks are good, clocks are right, and whoever stopped runs.
    ///
    /// # Errors
    /// When a node does not start.
    pub async fn heal(&mut self) -> Result<()> {
        self.network.heal();
        for site in &mut self.sites {
            site.disk.heal();
            site.skew = 0;
        }
        self.pass(0);
        for node in 0..self.sites.len() {
            if !self.runs(node) && !self.sites[node].lost {
                self.restart(node).await?;
            }
        }
        Ok(())
    }

    /// How many faults met with something so far.
    #[must_use]
    pub fn injected(&self) -> u64 {
        let disks: u64 = self.sites.iter().map(|site| site.disk.injected()).sum();
        self.network.injected() + disks
    }
}
