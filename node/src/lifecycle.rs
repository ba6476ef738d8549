//! Tasks that are tracked, and an end that is graceful but not forever.

use std::{future::Future, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long tasks may take to finish once the node is told to stop.
pub const GRACE: Duration = Duration::from_secs(20);

/// The node's tasks and the word that stops them.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Lifecycle {
    /// Runs a task; it should end soon after [`Lifecycle::stopped`] does.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Ends when the node is told to stop.
    pub async fn stopped(&self) {
        self.stop.cancelled().await;
    }

    /// Whether the node was told to stop.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Waits a while; `false` when the node was told to stop meanwhile.
    pub async fn pause(&self, how_long: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep(how_long) => true,
        }
    }

    /// Tells every task to stop.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until all tasks have ended or [`GRACE`] is over; `true` when all have.
    pub async fn finish(&self) -> bool {
        self.tasks.close();
        tokio::time::timeout(GRACE, self.tasks.wait()).await.is_ok()
    }
}

/// Ends on the first interrupt or termination signal.
pub async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).expect("a handler can be installed once");
    let mut interrupt = signal(SignalKind::interrupt()).expect("a handler can be installed once");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
