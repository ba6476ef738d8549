//! The network of a simulation: it calls the other node's router in this process, and loses, repeats,
//! delays and damages what the list of operations says.

use super::{disk::Disk, op::Fate};
use axum::{Router, body::Body};
use bytes::Bytes;
use commonturf::transport::{Transport, TransportError};
use futures_util::future::BoxFuture;
use http::{HeaderValue, Request, Response, header};
use http_body_util::BodyExt;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tower::ServiceExt;

/// Requests that somebody who listens remembers, and that may be late at a time.
const REMEMBERED: usize = 32;

/// Where a node answers: its number and its router.
type Door = (usize, Router, Arc<Disk>);

/// What the network does next.
#[derive(Default)]
struct Inner {
    doors: BTreeMap<String, Door>,
    cut: BTreeSet<usize>,
    fates: BTreeMap<usize, VecDeque<Fate>>,
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

    /// What becomes of a node's next requests.
    pub fn fates(&self, node: usize, fates: &[Fate]) {
        self.inner().fates.entry(node).or_default().extend(fates);
    }

    /// No fault is left.
    pub fn heal(&self) {
        let mut inner = self.inner();
        inner.cut.clear();
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
        let Some((_, router, disk)) = door else {
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
        Ok(Response::from_parts(parts, body))
    }

    async fn carry(
        &self,
        from: usize,
        base: &str,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, TransportError> {
        let fate = {
            let mut inner = self.inner();
            if inner.cut.contains(&from) {
                inner.injected += 1;
                return Err(silence());
            }
            let fate = inner.fates.get_mut(&from).and_then(VecDeque::pop_front);
            let fate = fate.unwrap_or(Fate::Arrive);
            inner.injected += u64::from(fate != Fate::Arrive);
            remember(&mut inner.past, base, &request);
            if fate == Fate::Late {
                remember(&mut inner.late, base, &request);
            }
            fate
        };
        match fate {
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
