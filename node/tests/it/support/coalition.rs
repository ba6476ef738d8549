//! Several whole nodes in one process: real databases, real MLS, real keeper; only the clock and the
//! wire are the test's.
//!
//! Nothing runs in the background. [`Coalition::settle`] lets every node work, speak and read until
//! nothing changes any more, so a test reads like a conversation and never sleeps.

use bytes::Bytes;
use commonturf::{
    app::App,
    coalition as work,
    config::{Config, Database, Desk, Federation, Lists, NodeDir, Peers},
    http, init, jobs,
    store::Store,
    sync::{self, append},
    transport::{Transport, TransportError},
};
use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use protocol::{
    id::NodeId,
    state::State,
    time::{Clock, FixedClock, HOUR, Moment},
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};
use tower::ServiceExt;

/// 2026-11-25 12:00 UTC, a Wednesday; 07:00 where the agreement's days begin.
pub(crate) const NOON: Moment = Moment(1_795_608_000_000);
/// The keeper's address; the wire leads there whatever is asked for.
const KEEPER: &str = "http://127.0.0.1:7999";
/// The port of the first further keeper.
const KEEPERS: usize = 7_900;
/// Rounds after which a coalition that still talks is taken for broken.
const ROUNDS: usize = 60;

/// One clock for all nodes; each may be off by some milliseconds.
#[derive(Clone)]
struct Shared(Arc<FixedClock>, Arc<AtomicI64>);

impl Clock for Shared {
    fn now(&self) -> Moment {
        self.0.now().plus(self.1.load(Ordering::SeqCst))
    }
}

/// Leads every request to the keeper's router, unless it is cut.
#[derive(Clone, Default)]
struct Wire {
    keeper: Arc<Mutex<Option<axum::Router>>>,
    /// Further keepers by their address.
    others: Arc<Mutex<BTreeMap<String, axum::Router>>>,
    cut: Arc<AtomicBool>,
    /// Of one node alone.
    away: Arc<AtomicBool>,
}

impl Transport for Wire {
    fn send<'a>(
        &'a self,
        url: &'a str,
        request: ::http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<::http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let unreachable = |why: &str| TransportError::Unreachable(why.to_owned());
            let further = (KEEPERS..KEEPERS + 10)
                .map(address)
                .any(|known| known == url);
            let router = if further {
                self.others.lock().unwrap().get(url).cloned()
            } else {
                self.keeper.lock().unwrap().clone()
            };
            let silent = [&self.cut, &self.away];
            let silent = silent.into_iter().any(|flag| flag.load(Ordering::SeqCst));
            let router = router.filter(|_| !silent);
            let router = router.ok_or_else(|| unreachable("the wire is cut"))?;
            // The authority is signed, and a server knows it from the Host header.
            let (mut parts, body) = request.into_parts();
            let host = if further { url } else { KEEPER };
            let host = host.trim_start_matches("http://").parse().unwrap();
            parts.headers.insert(::http::header::HOST, host);
            let request = ::http::Request::from_parts(parts, axum::body::Body::from(body));
            let answer = router.oneshot(request).await.unwrap();
            let (parts, body) = answer.into_parts();
            let body = body.collect().await.map_err(|_| unreachable("no body"))?;
            Ok(::http::Response::from_parts(parts, body.to_bytes()))
        })
    }
}

/// A coalition with its network and clock; the first node keeps the log.
pub(crate) struct Coalition {
    clock: Shared,
    wire: Wire,
    dirs: Vec<tempfile::TempDir>,
    away: Vec<Arc<AtomicBool>>,
    off: Vec<Arc<AtomicI64>>,
    nodes: Vec<App>,
    keepers: usize,
    /// PostgreSQL databases of the nodes; those without one use SQLite.
    databases: Vec<Option<String>>,
}

impl Coalition {
    /// Organizations by name and kind, members of one coalition with an agreement in force.
    pub(crate) async fn of(names: &[(&str, &str)], terms: &str) -> Self {
        Self::with_addresses(names, terms, 1).await
    }

    /// As [`Coalition::of`]; the first `keepers` nodes can be reached by others.
    pub(crate) async fn with_addresses(
        names: &[(&str, &str)],
        terms: &str,
        keepers: usize,
    ) -> Self {
        Self::on(names, terms, keepers, Vec::new()).await
    }

    /// As [`Coalition::of`], with databases by URL for those nodes that have one.
    pub(crate) async fn on(
        names: &[(&str, &str)],
        terms: &str,
        keepers: usize,
        databases: Vec<Option<String>>,
    ) -> Self {
        let coalition = Self::strangers(names, keepers, databases).await;
        work::found::found(coalition.node(0), "Riverside", terms)
            .await
            .unwrap();
        coalition.settle().await;
        for n in 1..names.len() {
            coalition.admit(n).await;
        }
        coalition.sign().await;
        coalition
    }

    /// Two organizations under the template for issue tables.
    pub(crate) async fn two() -> Self {
        let terms = policy::terms::template("us-issue-table").unwrap().text;
        Self::of(&[("Tenants United", "c4"), ("Green Table", "c3")], terms).await
    }

    async fn strangers(
        names: &[(&str, &str)],
        keepers: usize,
        databases: Vec<Option<String>>,
    ) -> Self {
        let clock = Shared(Arc::new(FixedClock::at(NOON)), Arc::default());
        let mut coalition = Self {
            clock,
            wire: Wire::default(),
            dirs: Vec::new(),
            away: Vec::new(),
            off: Vec::new(),
            nodes: Vec::new(),
            keepers,
            databases,
        };
        for (n, (name, kind)) in names.iter().enumerate() {
            let dir = tempfile::tempdir().unwrap();
            let path = NodeDir(dir.path().join("node"));
            let (name, kind) = (name.parse().unwrap(), kind.parse().unwrap());
            init::make(&path, &coalition.config(n), name, kind, &coalition.clock)
                .await
                .unwrap();
            coalition.dirs.push(dir);
            coalition.away.push(Arc::default());
            coalition.off.push(Arc::default());
            let app = coalition.open(n).await;
            coalition.nodes.push(app);
        }
        coalition.pass(10_000).await;
        coalition
    }

    fn config(&self, n: usize) -> Config {
        let mut config = config(n, self.keepers);
        config.database.url = self.databases.get(n).cloned().flatten();
        config
    }

    async fn open(&self, n: usize) -> App {
        let dir = NodeDir(self.dirs[n].path().join("node"));
        let config = self.config(n);
        let store = Store::open(&dir.database(&config)).await.unwrap();
        let rest = commonturf::app::read_rest_key(&dir).unwrap();
        let wire = Wire {
            away: self.away[n].clone(),
            ..self.wire.clone()
        };
        let clock = Shared(self.clock.0.clone(), self.off[n].clone());
        let (clock, wire) = (Box::new(clock), Box::new(wire));
        let app = App::assemble(dir, config, store, clock, rest, wire)
            .await
            .unwrap();
        let router = http::federation(app.clone());
        let _ = app.federation.set(router.clone());
        if n == 0 {
            commonturf::keeper::log::start(&app).await.unwrap();
            *self.wire.keeper.lock().unwrap() = Some(router);
        } else if n < self.keepers {
            let url = address(KEEPERS + n);
            self.wire.others.lock().unwrap().insert(url, router);
        }
        app
    }

    async fn admit(&self, n: usize) {
        let name = self.node(n).name.clone();
        let (invite, _) = work::invite::invite(self.node(0), &name, 72).await.unwrap();
        self.settle().await;
        work::join::ask(self.node(n), &invite.to_string())
            .await
            .unwrap();
        self.settle().await;
        let digits = crate::site::compared(self.node(0), self.node(n)).await;
        work::join::approve(self.node(0), &name, Some(&digits))
            .await
            .unwrap();
        self.settle().await;
    }

    /// Everybody signs the present terms for the present members.
    async fn sign(&self) {
        if self.nodes.len() == 1 {
            return;
        }
        work::agreement::propose(self.node(0), None).await.unwrap();
        self.settle().await;
        for app in self.nodes.iter().skip(1) {
            work::agreement::sign(app, None).await.unwrap();
        }
        self.settle().await;
    }

    /// Makes the first members keepers, as an agreement that names them would.
    pub(crate) async fn keep(&self, keepers: usize) {
        self.entrust(&(0..keepers).collect::<Vec<_>>()).await;
    }

    /// Makes these members keepers, as an agreement that names them would.
    pub(crate) async fn entrust(&self, keepers: &[usize]) {
        for app in &self.nodes {
            let mut guard = app.coalition.write().await;
            let state = &mut guard.as_mut().unwrap().state;
            for n in 0..self.nodes.len() {
                state.members.get_mut(&self.id(n)).unwrap().keeper = keepers.contains(&n);
            }
        }
    }

    /// A member starts to listen for others, as after a change of its configuration.
    pub(crate) async fn listen(&mut self, n: usize) {
        self.keepers = self.keepers.max(n + 1);
        self.restart(n).await;
    }

    /// A further keeper answers nobody any more.
    pub(crate) fn silence(&self, n: usize) {
        let mut others = self.wire.others.lock().unwrap();
        others.remove(&address(KEEPERS + n));
    }

    /// A node.
    pub(crate) fn node(&self, n: usize) -> &App {
        &self.nodes[n]
    }

    /// What everybody calls a node.
    pub(crate) fn id(&self, n: usize) -> NodeId {
        self.nodes[n].me
    }

    /// The present moment.
    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Lets time pass; no node notices before it works again.
    pub(crate) async fn pass(&self, milliseconds: i64) {
        self.clock.0.set(self.now().plus(milliseconds));
    }

    /// A node's own clock is set wrong by so much.
    pub(crate) fn clock_off(&self, n: usize, milliseconds: i64) {
        self.off[n].store(milliseconds, Ordering::SeqCst);
    }

    /// Lets hours pass and every node work.
    pub(crate) async fn hours(&self, hours: i64) {
        self.pass(hours * HOUR).await;
        self.settle().await;
    }

    /// Cuts the way to the keeper, or mends it.
    pub(crate) fn cut(&self, cut: bool) {
        self.wire.cut.store(cut, Ordering::SeqCst);
    }

    /// Cuts one node's way to the keeper, or mends it.
    pub(crate) fn away(&self, n: usize, away: bool) {
        self.away[n].store(away, Ordering::SeqCst);
    }

    /// Everything that a node keeps on disk lies below this.
    pub(crate) fn dir(&self, n: usize) -> &std::path::Path {
        self.dirs[n].path()
    }

    /// One node reads and folds what there is, and says nothing.
    pub(crate) async fn read(&self, n: usize) {
        read(self.node(n)).await.unwrap();
    }

    /// One node reads and folds what there is, if it can.
    pub(crate) async fn try_read(&self, n: usize) -> anyhow::Result<()> {
        read(self.node(n)).await
    }

    /// Does something that waits for the fold while the coalition goes on.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let done = std::cell::Cell::new(false);
        let work = async {
            let out = work.await;
            done.set(true);
            out
        };
        let rest = async {
            while !done.get() {
                self.settle().await;
                tokio::task::yield_now().await;
            }
        };
        tokio::join!(work, rest).0
    }

    /// Drops a node in the middle of whatever it does, and opens its files again.
    pub(crate) async fn restart(&mut self, n: usize) {
        if n == 0 {
            *self.wire.keeper.lock().unwrap() = None;
        }
        self.nodes[n].store.close().await;
        let app = self.open(n).await;
        self.nodes[n] = app;
        self.pass(10_000).await;
    }

    /// Copies a node's database, as a backup would.
    pub(crate) async fn back_up(&mut self, n: usize) -> tempfile::TempDir {
        let backup = tempfile::tempdir().unwrap();
        self.nodes[n].store.close().await;
        let database = self.dirs[n].path().join("node").join("node.db");
        std::fs::copy(database, backup.path().join("node.db")).unwrap();
        let app = self.open(n).await;
        self.nodes[n] = app;
        backup
    }

    /// Puts an old database in the place of a node's, and opens it.
    pub(crate) async fn restore(&mut self, n: usize, backup: &tempfile::TempDir) {
        self.nodes[n].store.close().await;
        let dir = self.dirs[n].path().join("node");
        for log in ["node.db-wal", "node.db-shm"] {
            let _ = std::fs::remove_file(dir.join(log));
        }
        std::fs::copy(backup.path().join("node.db"), dir.join("node.db")).unwrap();
        let app = self.open(n).await;
        self.nodes[n] = app;
    }

    /// Puts another directory in the place of a node's, and opens it.
    pub(crate) async fn replace(&mut self, n: usize, dir: tempfile::TempDir) {
        self.nodes[n].store.close().await;
        self.dirs[n] = dir;
        let app = self.open(n).await;
        self.nodes[n] = app;
    }

    /// One round: every node does its jobs, says what waits and reads what there is.
    pub(crate) async fn round(&self) {
        for app in &self.nodes {
            jobs::run_all(app).await;
            // A member that cannot reach the keeper keeps what it has to say.
            let _ = append::step(app).await;
        }
        for app in &self.nodes {
            let _ = read(app).await;
        }
    }

    /// Rounds until nobody has anything more to say.
    pub(crate) async fn settle(&self) {
        let mut before = Vec::new();
        for _ in 0..ROUNDS {
            self.round().await;
            let now = self.standing().await;
            if now == before {
                return;
            }
            before = now;
        }
        panic!("the coalition does not come to rest");
    }

    /// Where every node stands: position, what waits, points without a token.
    async fn standing(&self) -> Vec<(u64, i64, i64)> {
        let mut standing = Vec::new();
        for app in &self.nodes {
            let position = app
                .coalition
                .read()
                .await
                .as_ref()
                .map(|c| c.state.meta().head.position);
            let mut db = app.store.read("looking at a node").await.unwrap();
            let waiting = commonturf::store::outbox::waiting(&mut db).await.unwrap();
            let (points, done) = commonturf::store::point::counts(&mut db).await.unwrap();
            standing.push((position.unwrap_or(0), waiting, points - done));
        }
        standing
    }

    /// A copy of the state as one node has folded it.
    pub(crate) async fn state_of(&self, n: usize) -> State {
        let guard = self.nodes[n].coalition.read().await;
        guard.as_ref().unwrap().state.clone()
    }

    /// A copy of the folded state, after making sure that all members that have read as far agree.
    pub(crate) async fn state(&self) -> State {
        let mut states = Vec::new();
        for app in &self.nodes {
            let guard = app.coalition.read().await;
            let coalition = guard.as_ref().unwrap();
            // Who has gone has read as far as to its removal.
            if coalition.row.phase != commonturf::store::coalition::Phase::Gone {
                states.push(coalition.state.clone());
            }
        }
        for state in &states[1..] {
            assert_eq!(state.hash(), states[0].hash(), "members' states differ");
        }
        states.remove(0)
    }
}

fn address(port: usize) -> String {
    format!("http://127.0.0.1:{port}")
}

fn config(n: usize, keepers: usize) -> Config {
    let port = if n == 0 { 7_999 } else { KEEPERS + n };
    let federation = Federation {
        listen: format!("127.0.0.1:{port}").parse().unwrap(),
        public_url: address(port),
        tls_certificate: None,
        tls_key: None,
    };
    Config {
        desk: Desk {
            listen: "127.0.0.1:7998".parse().unwrap(),
        },
        federation: (n < keepers).then_some(federation),
        database: Database::default(),
        peers: Peers::default(),
        lists: Lists::default(),
    }
}

/// Reads and folds one page without waiting for more.
async fn read(app: &App) -> anyhow::Result<()> {
    let reads = {
        let guard = app.coalition.read().await;
        guard.as_ref().is_some_and(|coalition| coalition.reads())
    };
    if reads {
        sync::read::one_page(app, 0).await?;
    }
    Ok(())
}
