//! What a member does with the coalition log: say, read, fold, react, repeat. Spec: sections 3 to 7.

pub mod append;
pub mod blob_client;
pub mod coalition;
pub mod echo;
mod exchange;
pub mod fold;
pub mod hand_back;
pub mod heads;
mod inside;
pub mod keeper_client;
pub mod keepers;
pub mod offsets;
pub mod outbox;
pub mod parted;
pub mod prefetch;
pub mod react;
pub mod read;
pub mod returned;
pub mod rotated;
pub mod vouch;

use crate::app::App;
use keeper_client::KeeperError;
use protocol::problem::ProblemKind;
use std::time::Duration;

/// First wait after the keeper did not answer; doubles up to [`BACKOFF_CAP`].
const BACKOFF_FIRST: Duration = Duration::from_secs(1);
/// The longest wait between tries.
const BACKOFF_CAP: Duration = Duration::from_secs(60);
/// How often the outbox is looked at when nothing wakes it.
const OUTBOX_EVERY: Duration = Duration::from_secs(5);

/// Starts the two tasks of a member: one reads and folds, one says what waits.
pub fn start(app: &App) {
    let reader = app.clone();
    app.life.spawn(async move { run(reader, Task::Read).await });
    let writer = app.clone();
    app.life
        .spawn(async move { run(writer, Task::Append).await });
}

#[derive(Clone, Copy)]
enum Task {
    Read,
    Append,
}

async fn run(app: App, task: Task) {
    let mut backoff = BACKOFF_FIRST;
    while !app.life.is_stopping() {
        let active = app
            .coalition
            .read()
            .await
            .as_ref()
            .is_some_and(|coalition| match task {
                Task::Read => coalition.reads(),
                Task::Append => coalition.is_active(),
            });
        if !active {
            tokio::select! {
                biased;
                () = app.life.stopped() => return,
                () = app.wake.joined.notified() => {}
                () = tokio::time::sleep(OUTBOX_EVERY) => {}
            }
            continue;
        }
        let step = async {
            match task {
                Task::Read => read::step(&app).await,
                Task::Append => append::step(&app).await,
            }
        };
        let outcome = tokio::select! {
            biased;
            () = app.life.stopped() => return,
            outcome = step => outcome,
        };
        match outcome {
            Ok(()) => {
                backoff = BACKOFF_FIRST;
                if matches!(task, Task::Append) {
                    tokio::select! {
                        biased;
                        () = app.life.stopped() => return,
                        () = app.wake.outbox.notified() => {}
                        () = tokio::time::sleep(OUTBOX_EVERY) => {}
                    }
                }
            }
            Err(error) if asked_pause(&error).is_some() => {
                let wait = asked_pause(&error).unwrap_or(BACKOFF_FIRST);
                if !app.life.pause(wait).await {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(error = %error, "the coalition log cannot be reached or read");
                app.wake.contact.send_modify(|contact| {
                    contact.error = Some(error.to_string());
                    contact.in_repair = is_repair(&error);
                });
                if !app.life.pause(jittered(backoff)).await {
                    return;
                }
                backoff = (backoff * 2).min(BACKOFF_CAP);
            }
        }
    }
}

/// How long a keeper asks this member to wait, if that is all that is wrong.
fn asked_pause(error: &anyhow::Error) -> Option<Duration> {
    let wait = error.downcast_ref::<KeeperError>()?.asks_to_wait()?;
    Some(Duration::from_millis(wait).min(BACKOFF_CAP))
}

/// Whether the keeper only said that it is in repair.
fn is_repair(error: &anyhow::Error) -> bool {
    let kind = error
        .downcast_ref::<KeeperError>()
        .and_then(KeeperError::kind);
    kind == Some(ProblemKind::Repair)
}

/// Between half and the whole of a wait, so that members do not return all at once.
fn jittered(wait: Duration) -> Duration {
    use rand_core::RngCore;
    let half = wait / 2;
    let milliseconds = u64::try_from(half.as_millis()).unwrap_or(u64::MAX).max(1);
    half + Duration::from_millis(crate::ambient::rng().next_u64() % milliseconds)
}
