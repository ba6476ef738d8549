//! `GET log`: entries after a position, with a long poll. Spec: section 8.3.

use super::{Caller, cbor};
use crate::{app::App, http::problem::Failure, keeper};
use axum::{
    Extension,
    extract::{Query, State},
    response::Response,
};
use protocol::problem::ProblemKind;
use std::time::Duration;

/// The longest that a read waits for an entry, in seconds.
pub const LONGPOLL_WAIT: u64 = 25;

/// What a read asks for.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    after: u64,
    #[serde(default)]
    wait: u64,
}

/// From where lines are asked for.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskLines {
    after: u64,
}

/// Hands out lines of the log, also of what was said so long ago that it is gone.
pub async fn lines(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(ask): Query<AskLines>,
) -> Result<Response, Failure> {
    caller.must_be_member()?;
    Ok(cbor(&keeper::log::outline(&app, ask.after).await?))
}

/// Hands out entries in order, and where the log stands.
pub async fn read(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Query(ask): Query<Ask>,
) -> Result<Response, Failure> {
    caller.may_read()?;
    keeper::log::check_seen(&app, caller.seen.log).await?;
    let mut kept = app.wake.kept.subscribe();
    let mut page = keeper::log::page(&app, ask.after).await?;
    if let Some(until) = caller.until {
        page.items.retain(|item| item.position <= until);
        return Ok(cbor(&page));
    }
    if page.head.position < ask.after {
        return Err(Failure::new(
            ProblemKind::KeeperBehind,
            "the member has read further than this keeper's log goes",
        ));
    }
    if page.items.is_empty() {
        // Cut off from the others, or not one of them any more: whoever asks looks elsewhere.
        keeper::raft::must_follow(&app).await?;
    }
    if page.items.is_empty() && ask.wait > 0 {
        let wait = Duration::from_secs(ask.wait.min(LONGPOLL_WAIT));
        tokio::select! {
            biased;
            () = app.life.stopped() => return Err(Failure::new(ProblemKind::Draining, "")),
            _ = kept.wait_for(|position| *position > ask.after) => {}
            () = tokio::time::sleep(wait) => {}
        }
        page = keeper::log::page(&app, ask.after).await?;
    }
    Ok(cbor(&page))
}
