//! Several whole nodes in one process: real databases, real MLS, real routers; clock, network, disks
//! and randomness are the simulation's.
//!
//! Nothing runs in the background: an operation is awaited to its end before the next begins, so the
//! threads of the databases cannot change the order of anything.

use super::{
    disk::Disk,
    network::Network,
    people::{self, LISTS, ORGANIZATIONS, PEOPLE},
};
use anyhow::{Context, Result};
use commonturf::{
    app::{App, read_rest_key},
    coalition as work,
    config::{Config, Database, Desk, Federation, Lists, NodeDir, Peers},
    http, init, jobs,
    store::Store,
    sync::{append, read},
};
use protocol::time::{Clock, FixedClock, Moment};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;

/// 2026-11-25 12:00 UTC, a Wednesday.
const NOON: Moment = Moment(1_795_608_000_000);
/// Where the keeper answers.
pub const KEEPER_URL: &str = "http://127.0.0.1:7999";
/// How long a node takes to start, in milliseconds; a keeper answers nothing older than its start.
const BOOT: i64 = 10_000;
/// Members from the beginning; one more organization is a stranger.
pub const MEMBERS: usize = 3;
/// Memory that is a folder, where there is one: nothing here has to survive.
const MEMORY: &str = "/dev/shm";

/// A clock that a node and the simulation share.
#[derive(Clone)]
struct Shared(Arc<FixedClock>);

impl Clock for Shared {
    fn now(&self) -> Moment {
        self.0.now()
    }
}

/// One node of the simulation.
pub struct Site {
    /// Its directory.
    pub dir: NodeDir,
    clock: Arc<FixedClock>,
    /// How far its clock is ahead, in milliseconds.
    pub skew: i64,
    /// Its disk.
    pub disk: Arc<Disk>,
    app: Option<App>,
    /// Whether its database is an older copy of itself.
    pub restored: bool,
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
    /// True time.
    pub time: Moment,
    /// The latest invitation.
    pub invite: Option<String>,
}

/// A coalition that is founded and signed, as files, from which every run begins.
pub struct Beginning {
    folder: TempDir,
    time: Moment,
}

fn folder() -> Result<TempDir> {
    let memory = Path::new(MEMORY);
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.context("no folder for the nodes")
}

fn node_dir(folder: &Path, node: usize) -> NodeDir {
    NodeDir(folder.join(format!("node-{node}")))
}

fn config(keeper: bool) -> Result<Config> {
    Ok(Config {
        desk: Desk {
            listen: "127.0.0.1:7998".parse()?,
        },
        federation: match keeper {
            true => Some(Federation {
                listen: "127.0.0.1:7999".parse()?,
                public_url: KEEPER_URL.to_owned(),
                tls_certificate: None,
                tls_key: None,
            }),
            false => None,
        },
        database: Database::default(),
        peers: Peers::default(),
        lists: Lists::default(),
    })
}

/// Copies every file of a folder, folders included.
fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

impl Beginning {
    /// Founds the coalition: three members under one agreement, their people with tokens, and a
    /// stranger.
    ///
    /// # Errors
    /// When any of it fails.
    pub async fn make() -> Result<Self> {
        let folder = folder()?;
        for (node, (name, kind)) in ORGANIZATIONS.iter().enumerate() {
            let clock = Shared(Arc::new(FixedClock::at(NOON)));
            let dir = node_dir(folder.path(), node);
            let kind = kind.parse().map_err(|_| anyhow::anyhow!("no kind"))?;
            init::make(&dir, &config(node == 0)?, name.parse()?, kind, &clock).await?;
        }
        let mut world = World::open(folder, NOON).await?;
        world.found().await?;
        world.close().await;
        Ok(Self {
            folder: world.folder,
            time: world.time,
        })
    }
}

impl World {
    /// Opens a copy of the beginning.
    ///
    /// # Errors
    /// When a node does not open.
    pub async fn begin(beginning: &Beginning) -> Result<Self> {
        let folder = folder()?;
        copy(beginning.folder.path(), folder.path())?;
        Self::open(folder, beginning.time).await
    }

    async fn open(folder: TempDir, time: Moment) -> Result<Self> {
        let mut world = Self {
            network: Network::default(),
            sites: Vec::new(),
            time,
            invite: None,
            folder,
        };
        for node in 0..ORGANIZATIONS.len() {
            world.sites.push(Site {
                dir: node_dir(world.folder.path(), node),
                clock: Arc::new(FixedClock::at(time)),
                skew: 0,
                disk: Arc::default(),
                app: None,
                restored: false,
                evil: false,
            });
            world.start(node).await?;
        }
        world.pass(BOOT);
        Ok(world)
    }

    async fn found(&mut self) -> Result<()> {
        let terms = policy::template("us-issue-table").context("the template is there")?;
        let failed = |failure: http::problem::Failure| anyhow::anyhow!("{failure:?}");
        work::found::found(self.app(0), "Riverside", terms.text)
            .await
            .map_err(failed)?;
        self.rounds(2).await;
        for node in 1..MEMBERS {
            let name = self.app(node).name.clone();
            let (invite, _) = work::invite::invite(self.app(0), &name, 72)
                .await
                .map_err(failed)?;
            self.rounds(2).await;
            work::join::ask(self.app(node), &invite.to_string())
                .await
                .map_err(failed)?;
            self.rounds(3).await;
            let digits = crate::door::compared(self.app(0), self.app(node)).await?;
            work::join::approve(self.app(0), &name, Some(&digits))
                .await
                .map_err(failed)?;
            self.rounds(4).await;
        }
        work::agreement::propose(self.app(0), None)
            .await
            .map_err(failed)?;
        self.rounds(2).await;
        for node in 1..MEMBERS {
            work::agreement::sign(self.app(node), None)
                .await
                .map_err(failed)?;
        }
        self.rounds(3).await;
        for node in 0..ORGANIZATIONS.len() {
            for list in 0..LISTS {
                let on = |person: &usize| people::is_on(node, list, *person);
                let people: Vec<usize> = (0..PEOPLE).filter(on).collect();
                people::put(self.app(node), node, list, &people).await?;
            }
        }
        self.rounds(6).await;
        Ok(())
    }

    /// Every node works, speaks and reads, some times, with a little time between.
    pub async fn rounds(&mut self, rounds: usize) {
        for _ in 0..rounds {
            for node in 0..self.sites.len() {
                jobs::run_all(self.app(node)).await;
                // Whoever cannot reach the keeper keeps what it has to say.
                drop(self.push(node).await);
            }
            for node in 0..self.sites.len() {
                drop(self.read(node).await);
            }
            self.pass(2_000);
        }
    }

    /// A node.
    ///
    /// # Panics
    /// Between the end and the start of a node, which no operation sees.
    #[must_use]
    pub fn app(&self, node: usize) -> &App {
        self.sites[node].app.as_ref().expect("every node runs")
    }

    /// Every node, by number.
    pub fn apps<'a>(&'a self) -> impl Iterator<Item = (usize, &'a App)> {
        let runs = |(node, site): (usize, &'a Site)| Some((node, site.app.as_ref()?));
        self.sites.iter().enumerate().filter_map(runs)
    }

    /// The number of a node with an id.
    #[must_use]
    pub fn number(&self, id: protocol::id::NodeId) -> Option<usize> {
        self.apps().find(|(_, app)| app.me == id).map(|(n, _)| n)
    }

    /// Lets milliseconds pass at every node.
    pub fn pass(&mut self, milliseconds: i64) {
        self.time = self.time.plus(milliseconds);
        for site in &self.sites {
            site.clock.set(self.time.plus(site.skew));
        }
    }

    /// A node that is a member reads one page and folds it.
    ///
    /// # Errors
    /// When the keeper is not reached, or the node stops.
    pub async fn read(&self, node: usize) -> Result<()> {
        if self.is_active(node).await {
            read::one_page(self.app(node), 0).await?;
        }
        Ok(())
    }

    /// A node that is a member says what waits.
    ///
    /// # Errors
    /// When the keeper is not reached or the disk fails.
    pub async fn push(&self, node: usize) -> Result<()> {
        if self.is_active(node).await {
            append::step(self.app(node)).await?;
        }
        Ok(())
    }

    /// Whether a node is a member and has not stopped.
    pub async fn is_active(&self, node: usize) -> bool {
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
        let site = &mut self.sites[node];
        site.disk.heal();
        site.clock.set(self.time.plus(site.skew));
        let config = config(node == 0)?;
        let store = Store::open(&site.dir.database(&config)).await?;
        let store = store.with_faults(site.disk.clone());
        let rest = read_rest_key(&site.dir)?;
        let wire = self.network.wire(node, site.disk.clone());
        let clock = Shared(site.clock.clone());
        let (clock, wire) = (Box::new(clock), Box::new(wire));
        let app = App::assemble(site.dir.clone(), config, store, clock, rest, wire).await?;
        let router = http::federation(app.clone());
        drop(app.federation.set(router.clone()));
        commonturf::keeper::log::start(&app).await?;
        if node == 0 {
            let disk = site.disk.clone();
            self.network.open(KEEPER_URL, node, router, disk);
        }
        site.app = Some(app);
        Ok(())
    }

    /// Ends a node as it is.
    pub async fn stop(&mut self, node: usize) {
        if node == 0 {
            self.network.close(KEEPER_URL);
        }
        if let Some(app) = self.sites[node].app.take() {
            app.life.stop();
            app.store.close().await;
        }
    }

    /// Ends a node as it is, and starts it on its files.
    ///
    /// # Errors
    /// When it does not open.
    pub async fn restart(&mut self, node: usize) -> Result<()> {
        self.stop(node).await;
        self.start(node).await?;
        self.pass(BOOT);
        Ok(())
    }

    fn backup(&self, node: usize) -> PathBuf {
        self.folder.path().join(format!("backup-{node}"))
    }

    fn database(&self, node: usize) -> PathBuf {
        self.sites[node].dir.0.join("node.db")
    }

    /// Copies a node's database.
    ///
    /// # Errors
    /// When the files fail.
    pub async fn back_up(&mut self, node: usize) -> Result<()> {
        self.stop(node).await;
        std::fs::copy(self.database(node), self.backup(node))?;
        self.start(node).await?;
        self.pass(BOOT);
        Ok(())
    }

    /// Puts the copy in the place of a node's database, if there is one.
    ///
    /// # Errors
    /// When the files fail.
    pub async fn restore(&mut self, node: usize) -> Result<bool> {
        if !self.backup(node).exists() {
            return Ok(false);
        }
        self.stop(node).await;
        for log in ["node.db-wal", "node.db-shm"] {
            // Gone already where the database was closed as it should be.
            drop(std::fs::remove_file(self.sites[node].dir.0.join(log)));
        }
        std::fs::copy(self.backup(node), self.database(node))?;
        self.sites[node].restored = true;
        self.start(node).await?;
        self.pass(BOOT);
        Ok(true)
    }

    /// Ends every node.
    pub async fn close(&mut self) {
        for node in 0..self.sites.len() {
            self.stop(node).await;
        }
    }

    /// Ends every fault: the network is whole, disks are good, clocks are right.
    pub fn heal(&mut self) {
        self.network.heal();
        for site in &mut self.sites {
            site.disk.heal();
            site.skew = 0;
        }
        self.pass(0);
    }

    /// How many faults met with something so far.
    #[must_use]
    pub fn injected(&self) -> u64 {
        let disks: u64 = self.sites.iter().map(|site| site.disk.injected()).sum();
        self.network.injected() + disks
    }
}
