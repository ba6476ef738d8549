//! How much one member may ask of a keeper, and how often. Spec: section 8.1 and 9.
//!
//! A member that has spent its rate is refused before its signature is checked, and only calls whose
//! signature holds are counted: so nobody spends another one's rate by calling in its name.

use super::{Caller, claimed_caller};
use crate::{app::App, http::problem::Failure};
use protocol::{
    entry::Class,
    id::NodeId,
    limits::{
        APPENDS_CLAIMS, APPENDS_CONTROL, APPENDS_DATA, CALLS_PER_MEMBER, LONGPOLLS_PER_MEMBER,
        NONCE_CALLERS, RATE_SECONDS,
    },
    problem::{Problem, ProblemKind},
    rate::{Bucket, Rate},
    sign::RequestView,
    time::Moment,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// After how many milliseconds a member may wait for entries again that does so too often already.
const POLL_AGAIN: i64 = 1_000;

/// What is counted by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Counted {
    Calls,
    Appends(Class),
}

impl Counted {
    const fn rate(self) -> Rate {
        let per_second = match self {
            Self::Calls => CALLS_PER_MEMBER,
            Self::Appends(Class::Control) => APPENDS_CONTROL,
            Self::Appends(Class::Claims) => APPENDS_CLAIMS,
            Self::Appends(Class::Data) => APPENDS_DATA,
        };
        Rate::with_seconds(per_second, RATE_SECONDS)
    }
}

/// What members have spent of their rates, and how often each waits; forgotten when the node stops.
#[derive(Debug, Clone, Default)]
pub struct Gate(Arc<Mutex<Spent>>);

#[derive(Debug, Default)]
struct Spent {
    buckets: BTreeMap<(NodeId, Counted), Bucket>,
    polls: BTreeMap<NodeId, usize>,
}

/// The most buckets that are remembered: whoever may call, each with one per thing that is counted.
const BUCKETS: usize = NONCE_CALLERS * 4;

impl Spent {
    fn bucket(&mut self, node: NodeId, counted: Counted, now: Moment) -> &mut Bucket {
        if self.buckets.len() >= BUCKETS && !self.buckets.contains_key(&(node, counted)) {
            // A full bucket says no more than none.
            self.buckets
                .retain(|(_, counted), bucket| !bucket.is_full(counted.rate(), now));
        }
        self.buckets
            .entry((node, counted))
            .or_insert_with(|| Bucket::full(counted.rate(), now))
    }
}

impl Gate {
    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self, node: NodeId, now: Moment) -> Result<(), Failure> {
        let mut spent = self.spent();
        // Who has never called has spent nothing, and is not remembered for a name in a header.
        match spent.buckets.get_mut(&(node, Counted::Calls)) {
            Some(bucket) => bucket.check(Counted::Calls.rate(), now).map_err(too_often),
            None => Ok(()),
        }
    }

    /// Counts a call whose signature holds.
    ///
    /// # Errors
    /// `rate`.
    pub(super) fn called(&self, node: NodeId, now: Moment) -> Result<(), Failure> {
        let mut spent = self.spent();
        let bucket = spent.bucket(node, Counted::Calls, now);
        bucket.take(Counted::Calls.rate(), now).map_err(too_often)
    }

    /// Counts an append in each class that it has entries of; in none when one is spent.
    ///
    /// # Errors
    /// `rate`.
    pub(super) fn appends(
        &self,
        node: NodeId,
        classes: &[Class],
        now: Moment,
    ) -> Result<(), Failure> {
        let mut spent = self.spent();
        for take in [false, true] {
            for class in classes {
                let counted = Counted::Appends(*class);
                let bucket = spent.bucket(node, counted, now);
                let outcome = if take {
                    bucket.take(counted.rate(), now)
                } else {
                    bucket.check(counted.rate(), now)
                };
                outcome.map_err(too_often)?;
            }
        }
        Ok(())
    }

    /// Begins to wait for entries.
    ///
    /// # Errors
    /// `rate` when this member waits as often as it may.
    pub(super) fn wait(&self, node: NodeId) -> Result<Poll, Failure> {
        let mut spent = self.spent();
        let waiting = spent.polls.entry(node).or_default();
        if *waiting >= LONGPOLLS_PER_MEMBER {
            return Err(too_often(POLL_AGAIN));
        }
        *waiting += 1;
        Ok(Poll {
            gate: self.clone(),
            node,
        })
    }
}

/// A read that waits.
#[derive(Debug)]
pub(super) struct Poll {
    gate: Gate,
    node: NodeId,
}

impl Drop for Poll {
    fn drop(&mut self) {
        let mut spent = self.gate.spent();
        if let Some(waiting) = spent.polls.get_mut(&self.node) {
            *waiting -= 1;
            if *waiting == 0 {
                spent.polls.remove(&self.node);
            }
        }
    }
}

fn too_often(wait: i64) -> Failure {
    let detail = "this member calls more often than it may; nothing was lost";
    let mut problem = Problem::new(ProblemKind::Rate, detail, "");
    problem.retry_after_ms = Some(wait.max(1).unsigned_abs());
    Failure(Box::new(problem))
}

/// Refuses who has spent its rate of calls, before any body is read and any signature checked.
///
/// # Errors
/// `rate`; the answer to that is not signed either.
pub(super) fn before_anything(app: &App, view: &RequestView<'_>) -> Result<(), Failure> {
    match claimed_caller(view) {
        Ok(node) if node != app.me => app.gate.check(node, app.now()),
        // Who names no key is refused where signatures are checked.
        _ => Ok(()),
    }
}

/// Counts an append of a caller whose signature holds. What this node says to itself is not counted:
/// it takes its turn like everybody else.
///
/// # Errors
/// `rate`.
pub(super) fn append(app: &App, caller: &Caller, classes: &[Class]) -> Result<(), Failure> {
    if caller.node == app.me {
        return Ok(());
    }
    app.gate.appends(caller.node, classes, app.now())
}
