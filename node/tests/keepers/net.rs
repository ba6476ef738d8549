//! Nodes with everything that runs in them, on a wire that can lose one of them.

use bytes::Bytes;
use commonturf::{
    ambient::SystemClock,
    app::{App, read_rest_key},
    coalition,
    config::{Config, Database, Desk, Federation, Lists, NodeDir, Peers},
    http, init, jobs, keeper,
    store::Store,
    sync::{
        self,
        keepers::{KeeperLine, Quorum},
    },
    transport::{Transport, TransportError},
};
use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use protocol::{
    chain::Sealed,
    entry::Class,
    envelope::{Envelope, Form, Header, VERSION},
    id::{EntryId, NodeId},
};
use rand_core::RngCore;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tower::ServiceExt;

/// How long something may take to come about on a busy machine.
const DEADLINE: Duration = Duration::from_secs(120);

/// Leads to whoever is there.
#[derive(Clone, Default)]
struct Wire(Arc<Mutex<BTreeMap<String, axum::Router>>>);

impl Transport for Wire {
    fn send<'a>(
        &'a self,
        base: &'a str,
        request: ::http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<::http::Response<Bytes>, TransportError>> {
        Box::pin(async move {
            let router = self.0.lock().unwrap().get(base).cloned();
            let router = router.ok_or_else(|| TransportError::Unreachable("gone".to_owned()))?;
            let Ok(response) = router.oneshot(request.map(axum::body::Body::from)).await;
            let (parts, body) = response.into_parts();
            let body = body.collect().await;
            let body = body.map_err(|_| TransportError::Unreachable("cut off".to_owned()))?;
            Ok(::http::Response::from_parts(parts, body.to_bytes()))
        })
    }
}

fn url(n: usize) -> String {
    format!("http://127.0.0.1:{}", 7_800 + n)
}

fn config(n: usize) -> Config {
    Config {
        desk: Desk {
            listen: "127.0.0.1:0".parse().unwrap(),
        },
        federation: Some(Federation {
            listen: "127.0.0.1:0".parse().unwrap(),
            public_url: url(n),
            tls_certificate: None,
            tls_key: None,
        }),
        database: Database::default(),
        peers: Peers::default(),
        lists: Lists::default(),
    }
}

/// Nodes that can all keep a log; the first founds the coalition.
pub(super) struct Net {
    wire: Wire,
    folders: Vec<tempfile::TempDir>,
    nodes: Vec<Option<App>>,
}

impl Net {
    /// So many members of one coalition under an agreement that names the first so many as keepers.
    pub(super) async fn of(members: usize, keepers: usize) -> Self {
        let mut net = Self {
            wire: Wire::default(),
            folders: Vec::new(),
            nodes: Vec::new(),
        };
        for n in 0..members {
            let folder = tempfile::tempdir().unwrap();
            let dir = NodeDir(folder.path().join("node"));
            let (name, kind) = (name(n).parse().unwrap(), policy::facts::OrgKind::C4);
            init::make(&dir, &config(n), name, kind, &SystemClock)
                .await
                .unwrap();
            net.folders.push(folder);
            net.nodes.push(None);
            net.start(n).await;
        }
        let terms = policy::terms::template("us-claims-only").unwrap().text;
        coalition::found::found(net.node(0), "Riverside", terms)
            .await
            .unwrap();
        for n in 1..members {
            net.admit(n).await;
        }
        let all: Vec<usize> = (0..members).collect();
        if members > 1 {
            net.entrust(&all[..keepers], &all).await;
        } else {
            net.leader().await;
        }
        net
    }

    /// A node, which runs.
    pub(super) fn node(&self, n: usize) -> &App {
        self.nodes[n].as_ref().unwrap()
    }

    pub(super) fn running(&self) -> Vec<usize> {
        (0..self.nodes.len())
            .filter(|n| self.nodes[*n].is_some())
            .collect()
    }

    pub(super) fn folder(&self, n: usize) -> std::path::PathBuf {
        self.folders[n].path().join("node")
    }

    /// Starts a node with everything that runs in it.
    pub(super) async fn start(&mut self, n: usize) {
        let dir = NodeDir(self.folder(n));
        let store = Store::open(&dir.database(&config(n))).await.unwrap();
        let rest = read_rest_key(&dir).unwrap();
        let (clock, wire) = (Box::new(SystemClock), Box::new(self.wire.clone()));
        let app = App::assemble(dir, config(n), store, clock, rest, wire)
            .await
            .unwrap();
        let router = http::federation(app.clone());
        let _ = app.federation.set(router.clone());
        keeper::log::start(&app).await.unwrap();
        self.wire.0.lock().unwrap().insert(url(n), router);
        sync::start(&app);
        jobs::start(&app);
        self.nodes[n] = Some(app);
    }

    /// Takes a node off the wire at once, and ends what runs in it.
    pub(super) async fn stop(&mut self, n: usize) {
        self.wire.0.lock().unwrap().remove(&url(n));
        let app = self.nodes[n].take().unwrap();
        app.life.stop();
        app.life.finish().await;
        app.store.close().await;
    }

    async fn admit(&self, n: usize) {
        let founder = self.node(0);
        let invite = self
            .until("an invitation can be made", async || {
                coalition::invite::invite(founder, &name(n), 72).await.ok()
            })
            .await;
        let code = invite.0.to_string();
        self.until("the newcomer may ask", async || {
            coalition::join::ask(self.node(n), &code).await.ok()
        })
        .await;
        let digits = self
            .until("the newcomer waits", async || {
                let guard = founder.coalition.read().await;
                let state = &guard.as_ref()?.state;
                let waiting = coalition::compare::newcomers(state, founder.me);
                let waits = waiting.into_iter().find(|join| join.name == name(n))?;
                waits.digits.map(|digits| digits.to_string())
            })
            .await;
        self.until("the digits are compared", async || {
            coalition::compare::confirm(self.node(n), &digits)
                .await
                .ok()
        })
        .await;
        self.until("the newcomer is approved", async || {
            coalition::join::approve(founder, &name(n), Some(&digits))
                .await
                .ok()
        })
        .await;
        self.until("the newcomer is in", async || {
            (self.members(n).await > n).then_some(())
        })
        .await;
    }

    async fn members(&self, n: usize) -> usize {
        let guard = self.node(n).coalition.read().await;
        let active = guard.as_ref().filter(|coalition| coalition.is_active());
        active.map_or(0, |coalition| coalition.state.roster().count())
    }

    /// Proposes a version with these keepers, and has members sign it; waits until they are Raft's.
    pub(super) async fn entrust(&self, keepers: &[usize], signers: &[usize]) {
        let names: Vec<String> = keepers.iter().map(|n| name(*n)).collect();
        let (proposer, rest) = signers.split_first().unwrap();
        let wanted = coalition::agreement::Wanted {
            keepers: Some(&names),
            ..Default::default()
        };
        let app = self.node(*proposer);
        let draft = coalition::agreement::draft(app, wanted).await.unwrap();
        let (hash, _) = coalition::agreement::put_forward(app, &draft)
            .await
            .unwrap();
        let hash = hash.to_string();
        for n in rest {
            self.until("the draft is signed", async || {
                let signed = coalition::agreement::sign(self.node(*n), Some(&hash)).await;
                let in_force = self.agreement(*n).await == Some(hash.clone());
                (signed.is_ok() || in_force).then_some(())
            })
            .await;
        }
        for n in signers {
            self.until("the version is in force", async || {
                (self.agreement(*n).await.as_ref() == Some(&hash)).then_some(())
            })
            .await;
        }
        let mut wanted: Vec<NodeId> = keepers.iter().map(|n| self.id(*n).unwrap()).collect();
        wanted.sort_unstable();
        self.until("the keepers have changed over", async || {
            let mut found = false;
            for n in keepers {
                let status = self.status(*n).await;
                found |= status.is_some_and(|status| {
                    status.role == "leader" && status.quorum && status.voters == wanted
                });
            }
            found.then_some(())
        })
        .await;
    }

    async fn agreement(&self, n: usize) -> Option<String> {
        let guard = self.node(n).coalition.read().await;
        let state = &guard.as_ref()?.state;
        state.meta().agreement.map(|hash| hash.to_string())
    }

    /// A node's id, also of one that does not run: by the list of members.
    pub(super) fn id(&self, n: usize) -> Option<NodeId> {
        self.nodes[n].as_ref().map(|app| app.me)
    }

    /// Where a keeper stands, asked over the wire as a member asks.
    pub(super) async fn status(
        &self,
        n: usize,
    ) -> Option<commonturf::federation::status::KeeperStatus> {
        let asker = self.node(*self.running().first()?);
        let guard = asker.coalition.read().await;
        let coalition = guard.as_ref()?;
        let id = self.id(n)?;
        let seat = sync::keepers::Seat::of_member(asker, coalition, id)?;
        let keeper = sync::keeper_client::Keeper::at(coalition.row.id, seat);
        drop(guard);
        keeper.status(asker).await.ok()
    }

    /// Who leads.
    pub(super) async fn leader(&self) -> usize {
        self.until("a keeper leads", async || {
            for n in self.running() {
                let status = self.status(n).await;
                if status.is_some_and(|status| status.role == "leader" && status.quorum) {
                    return Some(n);
                }
            }
            None
        })
        .await
    }

    /// Says something at a node; none while it could not be decided within a moment.
    pub(super) async fn say(&self, n: usize, to: &str) -> EntryId {
        coalition::invite::invite(self.node(n), to, 72)
            .await
            .unwrap()
            .1
    }

    /// Waits until all running nodes have folded an entry, and checks that they agree.
    pub(super) async fn all_folded(&self, entry: EntryId) {
        for n in self.running() {
            self.until("an entry is folded everywhere", async || {
                let mut db = self.node(n).store.read("looking").await.unwrap();
                let lines = commonturf::store::history::latest(&mut db, 1_000).await;
                let text = entry.to_string();
                let line = lines.unwrap().into_iter();
                let mut line = line.filter(|line| line.entry_id.as_deref() == Some(&*text));
                line.next().map(|line| assert_eq!(line.void, None))
            })
            .await;
        }
        let hashes = self.until("all have one state", async || {
            let mut hashes = Vec::new();
            for n in self.running() {
                let guard = self.node(n).coalition.read().await;
                let state = &guard.as_ref().unwrap().state;
                hashes.push((state.meta().head.position, state.hash()));
            }
            hashes.iter().all(|one| *one == hashes[0]).then_some(hashes)
        });
        hashes.await;
    }

    /// The keepers as a node's status page shows them.
    pub(super) async fn lines(&self, n: usize) -> (Vec<KeeperLine>, Quorum) {
        let app = self.node(n);
        let guard = app.coalition.read().await;
        let coalition = guard.as_ref().unwrap();
        (
            sync::keepers::lines(app, coalition),
            sync::keepers::quorum(app, coalition),
        )
    }

    /// Waits for something to come about.
    pub(super) async fn until<T>(&self, what: &str, look: impl AsyncFn() -> Option<T>) -> T {
        let looking = async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(DEADLINE, looking)
            .await
            .unwrap_or_else(|_| panic!("waited in vain until {what}"))
    }
}

/// What a node is called.
pub(super) fn name(n: usize) -> String {
    ["Ash", "Birch", "Cedar", "Dogwood", "Elm"][n].to_owned()
}

/// Bytes that a keeper takes for an entry of a node; nobody can open them.
pub(super) async fn sealed(app: &App) -> Sealed {
    let guard = app.coalition.read().await;
    let row = &guard.as_ref().unwrap().row;
    let mut rng = commonturf::ambient::rng();
    let mut sealed = vec![0; 200];
    rng.fill_bytes(&mut sealed);
    let header = Header {
        version: VERSION,
        coalition: row.id,
        lineage: row.lineage,
        entry: EntryId::random(&mut rng),
        class: Class::Claims,
        form: Form::Application,
        blobs: Vec::new(),
        author: app.me,
        evidence: None,
    };
    Sealed(Envelope { header, sealed }.bytes())
}
