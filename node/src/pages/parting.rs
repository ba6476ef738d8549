//! Who goes: what leaving or a removal would do, and then the act.

use super::{
    Page, PageError,
    done::Done,
    frame::{Frame, Section},
    render,
    when::When,
};
use crate::{
    api,
    app::App,
    coalition::{members, parting as work},
    http::problem::Failure,
};
use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::Uri,
    response::Redirect,
};
use protocol::{id::NodeId, time::Moment};
use serde::Deserialize;

/// What the page shows.
#[derive(Debug, Template)]
#[template(path = "parting.html")]
pub struct Parting {
    frame: Frame,
    leaving: Option<Leaving>,
    removal: Option<Removal>,
}

/// What leaving would do.
#[derive(Debug)]
struct Leaving {
    recalled: Vec<Line>,
    owed: Vec<Line>,
    claims: usize,
}

/// Rows of one ally.
#[derive(Debug)]
struct Line {
    name: String,
    rows: u64,
    due: Option<When>,
}

/// What a removal would do.
#[derive(Debug)]
struct Removal {
    node: String,
    name: String,
    /// Why, where somebody has proposed it.
    reason: Option<String>,
    proposer: String,
    agree: usize,
    needed: usize,
    /// Whether this organization has agreed.
    ours: bool,
    claims: usize,
    owes: usize,
}

/// Shows what leaving would do.
pub async fn leaving(State(app): State<App>, uri: Uri) -> Page {
    let frame = Frame::read(&app, Section::Home, &uri).await;
    let preview = work::leave(&app, true, true).await?;
    let recalled = preview
        .recalled
        .iter()
        .flat_map(|recall| &recall.notices)
        .map(|notice| Line {
            name: notice.name.clone(),
            rows: notice.rows,
            due: None,
        })
        .collect();
    let owed = preview
        .owed
        .iter()
        .map(|owed| Line {
            name: owed.name.clone(),
            rows: owed.rows,
            due: Some(frame.calendar.moment(Moment(owed.due))),
        })
        .collect();
    let leaving = Leaving {
        recalled,
        owed,
        claims: preview.claims,
    };
    render(&Parting {
        frame,
        leaving: Some(leaving),
        removal: None,
    })
}

/// How to leave.
#[derive(Debug, Deserialize)]
pub struct Leave {
    #[serde(default)]
    without_waiting: Option<String>,
}

/// Takes back what was shared, and leaves once nobody owes a receipt.
pub async fn leave(
    State(app): State<App>,
    Form(leave): Form<Leave>,
) -> Result<Redirect, PageError> {
    let wait = leave.without_waiting.is_none();
    match work::leave(&app, wait, false).await?.entry {
        Some(entry) => {
            api::said(&app, entry).await?;
            Ok(Done::Leaving.at("/"))
        }
        None => Ok(Done::LeavingWaits.at("/leave")),
    }
}

/// About whom the page is.
#[derive(Debug, Deserialize)]
pub struct About {
    node: NodeId,
}

/// Shows what the removal of a member would do.
pub async fn removal(State(app): State<App>, Query(about): Query<About>, uri: Uri) -> Page {
    let frame = Frame::read(&app, Section::Home, &uri).await;
    let preview = work::remove(&app, &about.node.to_string(), None, true).await?;
    let coalition = crate::coalition::active(&app).await?;
    let open = coalition.state.removals.get(&about.node);
    let proposer = open.and_then(|row| row.approvals.first().copied());
    let removal = Removal {
        node: about.node.to_string(),
        name: preview.name,
        reason: open.map(|row| row.reason.clone()),
        proposer: proposer.map_or_else(String::new, |node| members::name(&coalition.state, node)),
        agree: preview.agree,
        needed: preview.needed,
        ours: open.is_some_and(|row| row.approvals.contains(&app.me)),
        claims: preview.claims,
        owes: preview.owes,
    };
    drop(coalition);
    render(&Parting {
        frame,
        leaving: None,
        removal: Some(removal),
    })
}

/// Who shall go, and why; without a reason this organization agrees with an open proposal.
#[derive(Debug, Deserialize)]
pub struct Remove {
    node: NodeId,
    #[serde(default)]
    reason: Option<String>,
}

/// Proposes a removal, or agrees with one.
pub async fn remove(
    State(app): State<App>,
    Form(remove): Form<Remove>,
) -> Result<Redirect, PageError> {
    let node = remove.node.to_string();
    let done = work::remove(&app, &node, remove.reason.as_deref(), false).await?;
    let entry = done
        .entry
        .ok_or_else(|| Failure::internal("nothing was said"))?;
    api::said(&app, entry).await?;
    Ok(Done::RemovalSaid.at("/"))
}

/// Sends a node that has stopped on its way back.
pub async fn come_back(State(app): State<App>) -> Result<Redirect, PageError> {
    work::come_back(&app).await?;
    Ok(Done::Returning.at("/"))
}

#[cfg(test)]
impl Parting {
    /// Leaving, with one text in every place that others can fill.
    pub(super) fn sample_leaving(text: &str) -> Self {
        let frame = Frame::sample(Section::Home, text);
        let line = |due| Line {
            name: text.to_owned(),
            rows: 3,
            due,
        };
        let when = frame.calendar.moment(Moment(1_795_604_160_000));
        Self {
            leaving: Some(Leaving {
                recalled: vec![line(None)],
                owed: vec![line(Some(when))],
                claims: 2,
            }),
            removal: None,
            frame,
        }
    }

    /// A removal, with one text in every place that others can fill.
    pub(super) fn sample_removal(text: &str) -> Self {
        Self {
            frame: Frame::sample(Section::Home, text),
            leaving: None,
            removal: Some(Removal {
                node: text.to_owned(),
                name: text.to_owned(),
                reason: Some(text.to_owned()),
                proposer: text.to_owned(),
                agree: 1,
                needed: 3,
                ours: false,
                claims: 2,
                owes: 1,
            }),
        }
    }
}
