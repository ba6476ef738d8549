//! Nodes in one process: real databases and routers, a clock that is set, a network that a test owns.

use bytes::Bytes;
use commonturf::{
    app::{App, read_rest_key},
    coalition,
    config::{Config, Database, Desk, Federation, Lists, NodeDir, Peers},
    http, init, jobs,
    store::Store,
    sync,
    transport::{Transport, TransportError},
};
use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use protocol::{
    identity::NodeSecrets,
    time::{Clock, FixedClock, Moment},
    version::Versions,
};
use std::sync::{Arc, Mutex};
use tower::ServiceExt;

/// 2026-11-02, a Monday.
pub(crate) const START: Moment = Moment(1_793_577_600_000);
pub(crate) const KEEPER_URL: &str = "https://keeper.example.org";

/// A clock that a test and a node share.
#[derive(Clone)]
pub(crate) struct Shared(pub(crate) Arc<FixedClock>);

impl Clock for Shared {
    fn now(&self) -> Moment {
        self.0.now()
    }
}

type Answer = ::http::Response<Bytes>;
/// What a test does to an answer on its way back.
pub(crate) type Meddle = Box<dyn Fn(Answer) -> Answer + Send + Sync>;

/// Carries requests to the one keeper of a test, and lets the test meddle with the answers.
#[derive(Clone, Default)]
pub(crate) struct Wire {
    router: Arc<Mutex<Option<axum::Router>>>,
    meddle: Arc<Mutex<Option<Meddle>>>,
}

impl Wire {
    pub(crate) fn meddle(&self, meddle: impl Fn(Answer) -> Answer + Send + Sync + 'static) {
        *self.meddle.lock().unwrap() = Some(Box::new(meddle));
    }

    pub(crate) fn leave_alone(&self) {
        *self.meddle.lock().unwrap() = None;
    }

    pub(crate) fn cut(&self) {
        *self.router.lock().unwrap() = None;
    }

    pub(crate) fn connect(&self, keeper: &App) {
        *self.router.lock().unwrap() = Some(http::federation(keeper.clone()));
    }
}

impl Transport for Wire {
    fn send<'a>(
        &'a self,
        base: &'a str,
        request: ::http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<Answer, TransportError>> {
        Box::pin(async move {
            assert_eq!(base, KEEPER_URL);
            let router = self.router.lock().unwrap().clone();
            let router = router.ok_or_else(|| TransportError::Unreachable("cut".to_owned()))?;
            let answer = answer(&router, request.map(axum::body::Body::from)).await;
            let meddle = self.meddle.lock().unwrap();
            Ok(meddle
                .as_ref()
                .map_or_else(|| answer.clone(), |meddle| meddle(answer.clone())))
        })
    }
}

/// What a router answers, whole.
pub(crate) async fn answer(
    router: &axum::Router,
    request: ::http::Request<axum::body::Body>,
) -> Answer {
    let Ok(response) = router.clone().oneshot(request).await;
    let (parts, body) = response.into_parts();
    Answer::from_parts(parts, body.collect().await.unwrap().to_bytes())
}

/// A node with its directory, which goes when it goes.
pub(crate) struct Site {
    pub(crate) app: App,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) wire: Wire,
    pub(crate) folder: tempfile::TempDir,
}

fn config(keeper: bool) -> Config {
    Config {
        desk: Desk {
            listen: "127.0.0.1:0".parse().unwrap(),
        },
        federation: keeper.then(|| Federation {
            listen: "127.0.0.1:0".parse().unwrap(),
            public_url: KEEPER_URL.to_owned(),
            tls_certificate: None,
            tls_key: None,
        }),
        database: Database::default(),
        peers: Peers::default(),
        lists: Lists::default(),
    }
}

impl Site {
    pub(crate) async fn new(name: &str, keeper: bool, wire: &Wire) -> Self {
        Self::speaking(name, keeper, wire, Versions::SPOKEN).await
    }

    /// A node that speaks other versions of the protocol.
    pub(crate) async fn speaking(
        name: &str,
        keeper: bool,
        wire: &Wire,
        versions: Versions,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(FixedClock::at(START));
        let dir = NodeDir(folder.path().join("node"));
        let shared = Shared(clock.clone());
        let kind = policy::facts::OrgKind::C4;
        let who = (name.parse().unwrap(), kind);
        init::make_speaking(&dir, &config(keeper), who, versions, &shared)
            .await
            .unwrap();
        let app = open(&dir, keeper, &clock, wire).await;
        // A keeper takes nothing that may have been signed before it started.
        clock.set(START.plus(10_000));
        if keeper {
            wire.connect(&app);
        }
        Self {
            app,
            clock,
            wire: wire.clone(),
            folder,
        }
    }

    /// Ends the process and starts another on the same directory.
    pub(crate) async fn restart(&mut self, keeper: bool) {
        self.app.life.stop();
        self.app.store.close().await;
        let dir = NodeDir(self.folder.path().join("node"));
        self.app = open(&dir, keeper, &self.clock, &self.wire).await;
        self.clock.set(self.clock.now().plus(10_000));
        if keeper {
            self.wire.connect(&self.app);
        }
    }
}

async fn open(dir: &NodeDir, keeper: bool, clock: &Arc<FixedClock>, wire: &Wire) -> App {
    let config = config(keeper);
    let store = Store::open(&dir.database(&config)).await.unwrap();
    let rest = read_rest_key(dir).unwrap();
    let clock = Box::new(Shared(clock.clone()));
    let app = App::assemble(
        dir.clone(),
        config,
        store,
        clock,
        rest,
        Box::new(wire.clone()),
    )
    .await
    .unwrap();
    app.federation.set(http::federation(app.clone())).unwrap();
    app
}

/// Says what waits and reads what is there, until nothing moves.
pub(crate) async fn pump(apps: &[&App]) {
    for _ in 0..4 {
        for app in apps {
            sync::append::step(app).await.unwrap();
            jobs::come_in::run(app).await.unwrap();
            jobs::admit::run(app).await.unwrap();
        }
        for app in apps {
            read(app, apps[0]).await.unwrap();
        }
    }
}

/// Reads until a node has folded all that the keeper has.
pub(crate) async fn read(app: &App, keeper: &App) -> anyhow::Result<()> {
    let kept = *keeper.wake.kept.borrow();
    while folded(app).await.is_some_and(|position| position < kept) {
        sync::read::step(app).await?;
    }
    Ok(())
}

/// How far an active member has folded.
pub(crate) async fn folded(app: &App) -> Option<u64> {
    let guard = app.coalition.read().await;
    let active = guard.as_ref().filter(|coalition| coalition.is_active())?;
    Some(active.state.meta().head.position)
}

pub(crate) const TERMS: &str = "us-claims-only";

pub(crate) fn terms() -> &'static str {
    policy::terms::template(TERMS).unwrap().text
}

pub(crate) async fn invitation(keeper: &App) -> String {
    let (invite, _) = coalition::invite::invite(keeper, "a friend", 72)
        .await
        .unwrap();
    pump(&[keeper]).await;
    invite.to_string()
}

/// A keeper that founded a coalition.
pub(crate) async fn founded(wire: &Wire) -> Site {
    founded_by(wire, Versions::SPOKEN).await
}

/// A keeper that speaks other versions of the protocol and founded a coalition.
pub(crate) async fn founded_by(wire: &Wire, versions: Versions) -> Site {
    let keeper = Site::speaking("Tenants United", true, wire, versions).await;
    coalition::found::found(&keeper.app, "Riverside", terms())
        .await
        .unwrap();
    pump(&[&keeper.app]).await;
    keeper
}

/// Two people compare on the telephone: the newcomer's says so, and the digits are the inviter's to
/// approve with.
pub(crate) async fn compared(inviter: &App, newcomer: &App) -> String {
    let theirs = coalition::compare::door(newcomer).await.unwrap().unwrap();
    let ours = {
        let guard = inviter.coalition.read().await;
        let waiting = coalition::compare::newcomers(&guard.as_ref().unwrap().state, inviter.me);
        let waits = waiting.into_iter().find(|join| join.node == newcomer.me);
        waits.unwrap().digits.unwrap()
    };
    assert_eq!(theirs.digits, ours);
    let digits = ours.to_string();
    coalition::compare::confirm(newcomer, &digits)
        .await
        .unwrap();
    digits
}

/// A newcomer comes in.
pub(crate) async fn joined(keeper: &Site, name: &str) -> Site {
    joins(keeper, name, Versions::SPOKEN).await.unwrap()
}

/// A newcomer that speaks other versions of the protocol comes in, or is refused at the door.
pub(crate) async fn joins(
    keeper: &Site,
    name: &str,
    versions: Versions,
) -> Result<Site, http::problem::Failure> {
    let member = Site::speaking(name, false, &keeper.wire, versions).await;
    let code = invitation(&keeper.app).await;
    coalition::join::ask(&member.app, &code).await?;
    pump(&[&keeper.app]).await;
    let digits = compared(&keeper.app, &member.app).await;
    coalition::join::approve(&keeper.app, name, Some(&digits))
        .await
        .unwrap();
    pump(&[&keeper.app, &member.app]).await;
    assert!(folded(&member.app).await.is_some(), "{name} is in");
    Ok(member)
}

/// A keeper and a member.
pub(crate) async fn two() -> (Site, Site) {
    let keeper = founded(&Wire::default()).await;
    let member = joined(&keeper, "Green Table").await;
    (keeper, member)
}

pub(crate) fn stranger() -> NodeSecrets {
    NodeSecrets::generate(&mut commonturf::ambient::rng())
}

pub(crate) async fn state_hash(app: &App) -> protocol::id::Hash {
    let guard = app.coalition.read().await;
    guard.as_ref().unwrap().state.hash()
}

/// A fresh database of each kind: SQLite always, PostgreSQL where a test cluster is at hand.
pub(crate) async fn stores() -> Vec<TestStore> {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("node.db").display());
    let mut stores = vec![TestStore::open(url, Some(folder)).await];
    if let Some(cluster) = commonturf::ambient::variable("COMMONTURF_TEST_POSTGRES") {
        use sqlx::{Connection, Executor};
        sqlx::any::install_default_drivers();
        let name = format!(
            "t{}",
            protocol::id::EntryId::random(&mut commonturf::ambient::rng())
        );
        let mut db = sqlx::AnyConnection::connect(&cluster).await.unwrap();
        let create = format!("CREATE DATABASE {name}");
        db.execute(sqlx::AssertSqlSafe(create)).await.unwrap();
        let url = cluster.replacen("/postgres?", &format!("/{name}?"), 1);
        stores.push(TestStore::open(url, None).await);
    }
    stores
}

/// A database, and the folder that it lies in.
pub(crate) struct TestStore {
    pub(crate) store: Store,
    pub(crate) url: String,
    _folder: Option<tempfile::TempDir>,
}

impl TestStore {
    async fn open(url: String, folder: Option<tempfile::TempDir>) -> Self {
        Self {
            store: Store::open(&url).await.unwrap(),
            url,
            _folder: folder,
        }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        self.url.starts_with("sqlite:")
    }
}
