//! Work that nobody waits for: it runs when something was folded, and every few seconds.
//!
//! Each job is a function of the node that can run twice without harm. A job that fails is tried
//! again; it never stops the others.

pub mod admit;
pub mod blobs;
pub mod ceremony;
pub mod changeover;
pub mod come_back;
pub mod come_in;
pub mod part;
pub mod rotation;
pub mod tokenize;

use crate::app::App;
use std::time::Duration;

/// How often jobs run when nothing wakes them.
const EVERY: Duration = Duration::from_secs(2);

/// Starts the task that runs the jobs.
pub fn start(app: &App) {
    let app = app.clone();
    app.life.clone().spawn(async move {
        while !app.life.is_stopping() {
            tokio::select! {
                biased;
                () = app.life.stopped() => return,
                () = run_all(&app) => {}
            }
            tokio::select! {
                biased;
                () = app.life.stopped() => return,
                () = app.wake.jobs.notified() => {}
                () = tokio::time::sleep(EVERY) => {}
            }
        }
    });
}

/// Runs every job once, in the order in which one makes work for the next.
pub async fn run_all(app: &App) {
    note("keep", crate::keeper::raft::change::run(app).await);
    note("ask keepers", crate::sync::keepers::ask(app).await);
    note("compare heads", crate::sync::heads::run(app).await);
    note("hand back", crate::sync::hand_back::run(app).await);
    note(
        "open a repaired log",
        crate::keeper::raft::repair::run(app).await,
    );
    note("come in", come_in::run(app).await);
    note("come back", come_back::run(app).await);
    note("part", part::run(app).await);
    note("renew identity", crate::keys::renew(app).await);
    note("admit", admit::run(app).await);
    note("fill ledger", crate::keeper::ledger::run(app).await);
    note("key ceremony", ceremony::run(app).await);
    note("rotate keys", rotation::run(app).await);
    note("tokenize", tokenize::run(app).await);
    note("tell suppressions", crate::suppressions::tell(app).await);
    note("tell contacts", crate::contacts::tell(app).await);
    note("move to new keys", changeover::run(app).await);
    note("claim what stands", crate::claims::standing::run(app).await);
    note("fill phone banks", crate::calls::fill::run(app).await);
    note("take shares", crate::shares::take(app).await);
    note("erase", crate::shares::erase(app).await);
    note("count overlaps", crate::overlap::run(app).await);
    note("tick", crate::keeper::tick::run(app).await);
    note(
        "let old entries go",
        crate::keeper::retention::run(app).await,
    );
    note("copy blobs", crate::keeper::blobs::run(app).await);
    note("expire blobs", blobs::run(app).await);
}

fn note(job: &'static str, outcome: anyhow::Result<()>) {
    if let Err(error) = outcome {
        tracing::warn!(job, error = %format!("{error:#}"), "a job failed and will be tried again");
    }
}
