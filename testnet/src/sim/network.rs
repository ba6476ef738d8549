//! The network of a simulation: it calls the other node's router in this process, and loses, repeats,
//! delays and damages what the list of operations says.
//!
//! Every way between two nodes takes a time of its own, so that what happens at several nodes at once has
//! an order that repeats.

use super::{disk::Disk, op::Fate, time};
use axum::{Router, body::Body};
use bytes::Bytes;
use commonturf::transport::{Transport, TransportError};
use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response, header};
use http_body_util::BodyExt;
use protocol::sign::HEAD;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tower::ServiceExt;

/// Requests that somebody who listens remembers, and that may be late at a time.
const REMEMBERED: usize = 32;

/// How long a caller waits for somebody from whom nothing comes, in milliseconds.
const SILENCE: i64 = 3_000;
/// What stands in the path of calls between keepers.
const RAFT: &str = "/raft/";

/// Where a node answers: its number and its router.
type Door = (usize, Router, Arc<Disk>);

/// What the network does next.
#[derive(Default)]
struct Inner {
    doors: BTreeMap<String, Door>,
    cut: BTreeSet<usize>,
    side: BTreeSet<usize>,
    mute: BTreeSet<(usize, usize)>,
    fates: BTreeMap<(usize, bool), VecDeque<Fate>>,
    heads: BTreeMap<(usize, String), String>,
    two_heads: Option<String>,
    late: VecDeque<(String, Request<Bytes>)>,
    past: VecDeque<(String, Request<Bytes>)>,
    injected: u64,
}

/// The network; cloning it is cheap.
#[derive(Clone, Default)]
pub struct Network(Arc<Mutex<Inner>>);

impl std::fmt::Debug for Network {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Network")
    }
}

/// One node's way into the network.
#[derive(Debug, Clone)]
pub struct Wire {
    network: Network,
    from: usize,
    disk: Arc<Disk>,
}

impl Network {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A node's way into it; a node whose disk says that it is dead says nothing.
    #[must_use]
    pub fn wire(&self, from: usize, disk: Arc<Disk>) -> Wire {
        Wire {
            network: self.clone(),
            from,
            disk,
        }
    }

    /// A node answers at an address from now on.
    pub fn open(&self, url: &str, node: usize, router: Router, disk: Arc<Disk>) {
        let door = (node, router, disk);
        self.inner().doors.insert(url.to_owned(), door);
    }

    /// Nobody answers at an address any more.
    pub fn close(&self, url: &str) {
        self.inner().doors.remove(url);
    }

    /// Cuts a node off, or connects it again.
    pub fn cut(&self, node: usize, cut: bool) {
        let mut inner = self.inner();
        if cut {
            inner.cut.insert(node);
        } else {
            inner.cut.remove(&node);
        }
    }

    /// Nothing passes between some nodes and all others.
    pub fn split(&self, side: &[usize]) {
        self.inner().side = side.iter().copied().collect();
    }

    /// Nothing arrives that a node sends to another, or all does.
    pub fn mute(&self, from: usize, to: usize, mute: bool) {
        let mut inner = self.inner();
        if mute {
            inner.mute.insert((from, to));
        } else {
            inner.mute.remove(&(from, to));
        }
    }

    /// What becomes of a node's next requests, or of its calls to other keepers.
    pub fn fates(&self, node: usize, raft: bool, fates: &[Fate]) {
        let mut inner = self.inner();
        inner.fates.entry((node, raft)).or_default().extend(fates);
    }

    /// Two heads of one length that one keeper has signed, if one did.
    #[must_use]
    pub fn two_heads(&self) -> Option<String> {
        self.inner().two_heads.clone()
    }

    /// No fault is left.
    pub fn heal(&self) {
        let mut inner = self.inner();
        inner.cut.clear();
        inner.side.clear();
        inner.mute.clear();
        inner.fates.clear();
    }

    /// How many requests met with a fault so far.
    #[must_use]
    pub fn injected(&self) -> u64 {
        self.inner().injected
    }

    /// The oldest request that was late arrives; nobody waits for the answer.
    pub async fn arrive_late(&self) {
        let next = self.inner().late.pop_front();
        if let Some((base, request)) = next {
            drop(self.deliver(&base, request).await);
        }
    }

    /// An old request arrives once more.
    pub async fn replay(&self, back: usize) {
        let old = self.inner().past.iter().rev().nth(back).cloned();
        if let Some((base, request)) = old {
            drop(self.deliver(&base, request).await);
        }
    }

    async fn deliver(
        &self,
        base: &str,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let door = {
            let inner = self.inner();
            let door = inner.doors.get(base);
            door.filter(|(node, ..)| !inner.cut.contains(node)).cloned()
        };
        let Some((node, router, disk)) = door else {
            return Err(silence());
        };
        let (mut parts, body) = request.into_parts();
        // The authority is signed, and a server knows it from the Host header.
        let host = base.split("://").nth(1).unwrap_or_default();
        let host = HeaderValue::from_str(host).map_err(|_| silence())?;
        parts.headers.insert(header::HOST, host);
        let request = Request::from_parts(parts, Body::from(body));
        let Ok(answer) = router.oneshot(request).await;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.map_err(|_| silence())?.to_bytes();
        // Whoever died meanwhile has not answered.
        if disk.is_dead() {
            return Err(silence());
        }
        self.inner().note_head(node, &parts.headers);
        Ok(Response::from_parts(parts, body))
    }

    /// One way from a node to another: it takes a moment, and nothing arrives where the two are apart.
    async fn way(&self, from: usize, to: usize) -> Result<(), TransportError> {
        let apart = {
            let mut inner = self.inner();
            let apart = inner.side.contains(&from) != inner.side.contains(&to)
                || inner.mute.contains(&(from, to));
            inner.injected += u64::from(apart);
            apart
        };
        if apart {
            time::run_for(SILENCE).await;
            return Err(silence());
        }
        time::run_for(latency(from, to)).await;
        Ok(())
    }

    fn node_at(&self, base: &str) -> Option<usize> {
        self.inner().doors.get(base).map(|(node, ..)| *node)
    }

    async fn carry(
        &self,
        from: usize,
        base: &str,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let raft = request.uri().path().contains(RAFT);
        let fate = {
            let mut inner = self.inner();
            if inner.cut.contains(&from) {
                inner.injected += 1;
                return Err(silence());
            }
            let fates = inner.fates.get_mut(&(from, raft));
            let fate = fates.and_then(VecDeque::pop_front);
            let fate = fate.unwrap_or(Fate::Arrive);
            inner.injected += u64::from(fate != Fate::Arrive);
            if !raft {
                remember(&mut inner.past, base, &request);
            }
            if fate == Fate::Late {
                remember(&mut inner.late, base, &request);
            }
            fate
        };
        let to = self.node_at(base);
        if let Some(to) = to {
            self.way(from, to).await?;
        }
        let answer = match fate {
            Fate::Arrive => self.deliver(base, request).await,
            Fate::Lost | Fate::Late => Err(silence()),
            Fate::AnswerLost => {
                drop(self.deliver(base, request).await);
                Err(silence())
            }
            Fate::Twice => {
                let first = self.deliver(base, request.clone()).await;
                drop(self.deliver(base, request).await);
                first
            }
            Fate::Damaged => self.deliver(base, request).await.map(damaged),
        };
        if let (Some(to), Ok(_)) = (to, &answer) {
            self.way(to, from).await?;
        }
        answer
    }
}

/// How long a way takes, in milliseconds; no two ways between keepers take the same.
fn latency(from: usize, to: usize) -> i64 {
    let (from, to) = (from as i64, to as i64);
    2 + 5 * from + 7 * to
}

impl Inner {
    /// A keeper shows a head with every answer; one that shows another of the same length has two logs.
    fn note_head(&mut self, node: usize, headers: &http::HeaderMap) {
        let shown = headers.get(HEAD).and_then(|value| value.to_str().ok());
        let Some((length, rest)) = shown.and_then(|shown| shown.split_once(", chain=")) else {
            return;
        };
        let chain = rest.split(',').next().unwrap_or_default().to_owned();
        let at = (node, length.to_owned());
        let known = self.heads.entry(at).or_insert_with(|| chain.clone());
        if *known != chain && self.two_heads.is_none() {
            self.two_heads = Some(format!("node {node} signed two of {length}"));
        }
    }
}

fn remember(
    requests: &mut VecDeque<(String, Request<Bytes>)>,
    base: &str,
    request: &Request<Bytes>,
) {
    requests.push_back((base.to_owned(), request.clone()));
    if requests.len() > REMEMBERED {
        requests.pop_front();
    }
}

/// The answer with one bit turned, in the middle of its body.
fn damaged(answer: Response<Bytes>) -> Response<Bytes> {
    answer.map(|body| {
        let mut body = body.to_vec();
        let middle = body.len() / 2;
        if let Some(byte) = body.get_mut(middle) {
            *byte ^= 1;
        }
        body.into()
    })
}

fn silence() -> TransportError {
    TransportError::Unreachable("nobody answers".to_owned())
}

impl Transport for Wire {
    fn send<'a>(
        &'a self,
        base: &'a str,
        request: Request<Bytes>,
    ) -> BoxFuture<'a, Result<Response<Bytes>, TransportError>> {
        Box::pin(async move {
            if self.disk.is_dead() {
                return Err(silence());
            }
            let answer = self.network.carry(self.from, base, request).await;
            if self.disk.is_dead() {
                return Err(silence());
            }
            answer
        })
    }
}
