//! Uses of received rows, as the page of shares shows and announces them.

use super::{PageError, done::Done, frame::Frame, words};
use crate::{api, app::App, http::problem::Failure, shares::uses};
use axum::{
    extract::{Path, State},
    response::Redirect,
};
use protocol::{id::EntryId, time::Moment};

/// How the use of a received share stands.
#[derive(Debug)]
pub(super) struct Uses {
    pub(super) share: String,
    pub(super) words: String,
    /// Its rows may leave this node now.
    pub(super) open: bool,
    /// Another use may be announced.
    pub(super) may_announce: bool,
}

impl Uses {
    pub(super) fn new(frame: &Frame, share: EntryId, uses: &uses::Standing) -> Self {
        let day = |at: Option<Moment>| {
            let at = at.unwrap_or_default();
            frame.calendar.moment(at).text().to_owned()
        };
        Self {
            share: share.to_string(),
            words: match uses.state {
                "open" => format!("In use until {}.", day(uses.until)),
                "announced" => format!("A use is announced: it begins {}.", day(uses.from)),
                "used_up" => format!(
                    "Used as often as the agreement allows; again from {}.",
                    day(uses.room_from)
                ),
                _ => format!(
                    "To use these rows, announce it to all members: the use begins {} hours later and lasts a week. {} left.",
                    uses.notice_hours,
                    words::natural(uses.left)
                ),
            },
            open: uses.state == "open",
            may_announce: uses.state == "none",
        }
    }

    #[cfg(test)]
    pub(super) fn sample(text: String) -> Self {
        Self {
            share: text.clone(),
            words: text,
            open: true,
            may_announce: true,
        }
    }
}

/// Announces a use of a received share.
pub async fn announce(
    State(app): State<App>,
    Path(share): Path<String>,
) -> Result<Redirect, PageError> {
    let share = share
        .parse()
        .map_err(|_| Failure::not_found("no received share has that id"))?;
    let entry = uses::announce(&app, share, None).await?;
    let said = api::said(&app, entry).await?;
    let done = match said.state {
        "done" => Done::UseAnnounced,
        _ => Done::UseWaits,
    };
    Ok(done.at("/shares"))
}
