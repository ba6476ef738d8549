//! Virtual time: it passes only while nothing is left to do at the present moment.
//!
//! Two clocks tell it. Timers (Raft's heartbeats and elections, pauses, time limits) are tokio's, whose
//! clock stands still and jumps to the next timer once every task waits. The time of day is that clock
//! plus what [`World::pass`](super::world::World::pass) has added for the days in between: those cost
//! nothing, as if all machines had slept.
//!
//! A database works on a thread of its own, which tokio does not see. So whoever uses one holds a
//! [`Hold`], and time stands still while anybody does.

use protocol::time::{Clock, FixedClock, Moment};
use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Runs something on virtual time, to its end, on this thread alone.
///
/// # Panics
/// When the system gives no threads, or called by what runs on tokio already.
pub fn virtually<T>(work: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build();
    runtime
        .expect("a machine that simulates has threads")
        .block_on(work)
}

/// Who holds time, all together.
#[derive(Debug, Default)]
struct Held {
    by: Mutex<usize>,
    none: Condvar,
}

impl Held {
    fn by(&self) -> MutexGuard<'_, usize> {
        self.by.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What holds time; cloning it is cheap.
#[derive(Debug, Clone, Default)]
pub struct Holds(Arc<Held>);

/// Time stands still while this lives.
#[derive(Debug)]
pub struct Hold(Arc<Held>);

impl Holds {
    /// Time stands still from here on.
    #[must_use]
    pub fn hold(&self) -> Hold {
        let mut by = self.0.by();
        *by += 1;
        if *by == 1 {
            let held = self.0.clone();
            // Tokio's clock does not jump while it has blocking work; this is such, until all is let go.
            drop(tokio::task::spawn_blocking(move || {
                let by = held.by();
                drop(held.none.wait_while(by, |by| *by > 0));
            }));
        }
        Hold(self.0.clone())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut by = self.0.by();
        *by -= 1;
        if *by == 0 {
            self.0.none.notify_all();
        }
    }
}

/// A node's clock: what it was set to, and the time since the world was opened.
#[derive(Clone)]
pub struct NodeClock {
    set: Arc<FixedClock>,
    opened: Instant,
}

impl NodeClock {
    /// Shows a moment when the world is opened.
    #[must_use]
    pub fn opened(at: Moment, opened: Instant) -> Self {
        Self {
            set: Arc::new(FixedClock::at(at)),
            opened,
        }
    }

    /// Sets what the clock would show if no timer had fired since the world was opened.
    pub fn set(&self, at: Moment) {
        self.set.set(at);
    }
}

impl Clock for NodeClock {
    fn now(&self) -> Moment {
        self.set.now().plus(since(self.opened))
    }
}

/// The present by tokio's clock.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that others are given"
)]
pub fn present() -> Instant {
    Instant::now()
}

/// Milliseconds that timers have measured since a moment.
#[must_use]
pub fn since(opened: Instant) -> i64 {
    i64::try_from(present().duration_since(opened).as_millis()).unwrap_or(i64::MAX)
}

/// Lets timers run for so many milliseconds.
pub async fn run_for(milliseconds: i64) {
    tokio::time::sleep(Duration::from_millis(milliseconds.unsigned_abs())).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stands_still_while_somebody_holds_it_and_costs_nothing_otherwise() {
        virtually(async {
            let (began, holds) = (present(), Holds::default());
            let (first, second) = (holds.hold(), holds.hold());
            let (send, receive) = tokio::sync::oneshot::channel();
            // A thread that tokio does not know, as a database has one.
            let thread = std::thread::Builder::new().spawn(move || {
                let waiting = Duration::from_millis(50);
                std::thread::park_timeout(waiting);
                send.send(()).unwrap();
            });
            let late = tokio::time::timeout(Duration::from_millis(1), receive).await;
            assert!(late.is_ok(), "time passed while it was held");
            thread.unwrap().join().unwrap();
            assert_eq!(since(began), 0);
            drop((first, second));
            run_for(40 * 86_400_000).await;
            assert_eq!(since(began), 40 * 86_400_000);
        });
    }
}
