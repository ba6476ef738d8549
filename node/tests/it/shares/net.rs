//! A coalition in one process: every node with its own database, one keeper, no sockets, one clock.

use bytes::Bytes;
use commonturf::{
    app::{App, read_rest_key},
    coalition,
    config::{Config, Database, Desk, Federation, Lists, NodeDir, Peers},
    http, init, jobs,
    shares::{
        plan::Ask,
        recall::{Recall, What},
        send::Sent,
    },
    store::{self, Store},
    sync::{append, fold, keeper_client::Keeper},
    transport::{Transport, TransportError},
};
use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use policy::{FieldClass, Purpose};
use protocol::{
    channel::Channel,
    entry::share::RevokeKind,
    id::EntryId,
    time::{Clock, FixedClock, Moment},
};
use std::{
    cell::Cell,
    future::Future,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use tower::ServiceExt;

/// 2026-11-25.
pub(super) const START: Moment = Moment(1_795_564_800_000);
/// Rounds after which a coalition must have come to rest.
const ROUNDS: usize = 500;

/// A clock that all nodes share and the test moves.
#[derive(Clone)]
struct Shared(Arc<FixedClock>);

impl Clock for Shared {
    fn now(&self) -> Moment {
        self.0.now()
    }
}

/// Leads every call to the keeper's router, unless the node is away.
struct Wire {
    keeper: Arc<Mutex<Option<axum::Router>>>,
    online: Arc<AtomicBool>,
}

impl Transport for Wire {
    fn send<'a>(
        &'a self,
        _: &'a str,
        request: ::http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<::http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let away = || TransportError::Unreachable("the node is away".to_owned());
            if !self.online.load(Ordering::SeqCst) {
                return Err(away());
            }
            let router = self.keeper.lock().expect("no test panics in here").clone();
            let router = router.ok_or_else(away)?;
            let Ok(response) = router.oneshot(request.map(axum::body::Body::from)).await;
            let (parts, body) = response.into_parts();
            let body = body.collect().await.expect("a body in memory").to_bytes();
            Ok(::http::Response::from_parts(parts, body))
        })
    }
}

/// One organization's node.
pub(super) struct Node {
    pub(super) app: App,
    pub(super) dir: tempfile::TempDir,
    online: Arc<AtomicBool>,
}

/// The coalition; the first node keeps its log.
pub(super) struct Net {
    pub(super) nodes: Vec<Node>,
    clock: Shared,
}

impl Net {
    /// A coalition of organizations (name, kind) under a signed agreement.
    pub(super) async fn of(organizations: &[(&str, &str)]) -> Self {
        let clock = Shared(Arc::new(FixedClock::at(START)));
        let keeper = Arc::new(Mutex::new(None));
        let mut nodes = Vec::new();
        for (n, (name, kind)) in organizations.iter().enumerate() {
            nodes.push(Node::make(name, kind, n == 0, &keeper, &clock).await);
        }
        *keeper.lock().unwrap() = Some(http::federation(nodes[0].app.clone()));
        let net = Self { nodes, clock };
        net.pass(600_000); // long after any node's start
        let terms = policy::template("us-issue-table").unwrap().text;
        let founder = &net.nodes[0].app;
        coalition::found::found(founder, "Riverside", terms)
            .await
            .unwrap();
        net.settle().await;
        for node in &net.nodes[1..] {
            let (invite, _) = coalition::invite::invite(founder, &node.app.name, 72)
                .await
                .unwrap();
            net.settle().await;
            coalition::join::ask(&node.app, &invite.to_string())
                .await
                .unwrap();
            net.settle().await;
            coalition::join::approve(founder, &node.app.name)
                .await
                .unwrap();
            net.settle().await;
        }
        if net.nodes.len() > 1 {
            net.agree(terms).await;
        }
        net
    }

    /// Proposes terms and has every node sign them.
    pub(super) async fn agree(&self, terms: &str) {
        coalition::agreement::propose(&self.nodes[0].app, Some(terms))
            .await
            .unwrap();
        self.settle().await;
        for node in &self.nodes[1..] {
            coalition::agreement::sign(&node.app, None).await.unwrap();
        }
        self.settle().await;
    }

    /// Lets time pass.
    pub(super) fn pass(&self, milliseconds: i64) {
        let now = self.clock.now();
        self.clock.0.set(now.plus(milliseconds));
    }

    /// Lets every node that is there say, read and do what waits, until nothing changes any more.
    pub(super) async fn settle(&self) {
        let mut quiet = 0;
        let mut before = self.standing().await;
        for _ in 0..ROUNDS {
            for node in &self.nodes {
                node.step().await;
            }
            self.pass(10);
            let now = self.standing().await;
            quiet = if now == before { quiet + 1 } else { 0 };
            if quiet == 3 {
                return;
            }
            before = now;
        }
        panic!("the coalition does not come to rest");
    }

    async fn standing(&self) -> Vec<(u64, i64)> {
        let mut standing = Vec::new();
        for node in &self.nodes {
            standing.push((node.position().await, node.waiting().await));
        }
        standing
    }

    /// Does something that waits for the fold while the coalition goes on.
    pub(super) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let done = Cell::new(false);
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

    /// Sends a list and waits for everybody.
    pub(super) async fn send(&self, from: usize, ask: Ask, list: &str) -> Vec<Sent> {
        let app = &self.nodes[from].app;
        let sent = self
            .during(commonturf::shares::send::send(app, ask, list))
            .await
            .unwrap();
        self.settle().await;
        sent
    }

    /// Takes a person back and waits for whoever is there.
    pub(super) async fn revoke(&self, from: usize, person: &str, kind: RevokeKind) -> Recall {
        let what = What::Person {
            person: person.to_owned(),
            share: None,
            kind,
        };
        let app = &self.nodes[from].app;
        let recall = self
            .during(commonturf::shares::recall::revoke(app, &what, false))
            .await
            .unwrap();
        self.settle().await;
        recall
    }
}

impl Node {
    async fn make(
        name: &str,
        kind: &str,
        keeper: bool,
        router: &Arc<Mutex<Option<axum::Router>>>,
        clock: &Shared,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let node = NodeDir(dir.path().join("node"));
        let config = Config {
            desk: Desk {
                listen: "127.0.0.1:1".parse().unwrap(),
            },
            federation: keeper.then(|| Federation {
                listen: "127.0.0.1:2".parse().unwrap(),
                public_url: "https://keeper.example.org".to_owned(),
                tls_certificate: None,
                tls_key: None,
            }),
            database: Database::default(),
            peers: Peers::default(),
            lists: Lists::default(),
        };
        init::make(
            &node,
            &config,
            name.parse().unwrap(),
            kind.parse().unwrap(),
            clock,
        )
        .await
        .unwrap();
        let online = Arc::new(AtomicBool::new(true));
        let wire = Wire {
            keeper: Arc::clone(router),
            online: Arc::clone(&online),
        };
        let store = Store::open(&node.database(&config)).await.unwrap();
        let rest = read_rest_key(&node).unwrap();
        let clock = Box::new(clock.clone());
        let app = App::assemble(node, config, store, clock, rest, Box::new(wire))
            .await
            .unwrap();
        if keeper {
            let _ = app.federation.set(http::federation(app.clone()));
        }
        Self { app, dir, online }
    }

    /// Goes away, or comes back.
    pub(super) fn set_online(&self, online: bool) {
        self.online.store(online, Ordering::SeqCst);
    }

    async fn step(&self) {
        let _ = append::step(&self.app).await;
        self.read().await;
        jobs::run_all(&self.app).await;
    }

    /// Reads and folds what there is, and says nothing.
    pub(super) async fn read(&self) {
        loop {
            let (keeper, position) = {
                let guard = self.app.coalition.read().await;
                let Some(coalition) = guard.as_ref().filter(|coalition| coalition.is_active())
                else {
                    return;
                };
                (
                    Keeper::of(&self.app, coalition),
                    coalition.state.meta().head.position,
                )
            };
            let Ok(page) = keeper.page(&self.app, position, 0).await else {
                return;
            };
            if page.items.is_empty() {
                return;
            }
            fold::page(&self.app, page).await.unwrap();
        }
    }

    async fn position(&self) -> u64 {
        let guard = self.app.coalition.read().await;
        guard
            .as_ref()
            .map_or(0, |coalition| coalition.state.meta().head.position)
    }

    pub(super) async fn waiting(&self) -> i64 {
        let mut db = self.app.store.read("test").await.unwrap();
        store::outbox::waiting(&mut db).await.unwrap()
    }

    /// What became of an own entry.
    pub(super) async fn fate(&self, entry: EntryId) -> store::outbox::Outgoing {
        let mut db = self.app.store.read("test").await.unwrap();
        store::outbox::find(&mut db, entry).await.unwrap().unwrap()
    }

    /// Runs SQL text as somebody at the database could.
    pub(super) async fn sql(&self, sql: &'static str) {
        let mut tx = self.app.store.write("test").await.unwrap();
        sqlx::query(sql).execute(&mut *tx).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// An ask for turnout work at doors.
pub(super) fn ask(to: &[&str], fields: &[FieldClass]) -> Ask {
    Ask {
        to: to.iter().map(|name| (*name).to_owned()).collect(),
        purpose: Purpose::Gotv,
        channel: Channel::Door,
        fields: fields.to_vec(),
        expires: None,
    }
}
