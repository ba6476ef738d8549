//! Both ends of a door: the newcomer that waits, and the member that compares and approves.

use super::{PageError, done::Done, frame::Frame, when::When, words};
use crate::{api, app::App, coalition as work, http::problem::Failure};
use axum::{Form, extract::State, response::Redirect};
use protocol::id::NodeId;
use serde::Deserialize;

/// The most newcomers that a page shows.
const LINES: usize = 50;

/// The door at which this node waits.
#[derive(Debug)]
pub(super) struct Door {
    pub(super) inviter: String,
    pub(super) id: String,
    pub(super) since: When,
    pub(super) digits: String,
    pub(super) compared: bool,
}

/// Somebody who waits to be let in.
#[derive(Debug)]
pub(super) struct Newcomer {
    pub(super) node: String,
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) inviter: String,
    pub(super) since: When,
    pub(super) document: u64,
    pub(super) document_until: Option<When>,
    /// What to compare, where this organization invited it.
    pub(super) digits: Option<String>,
}

impl Door {
    pub(super) fn new(frame: &Frame, door: work::compare::Door) -> Self {
        Self {
            inviter: door.inviter_name,
            id: door.inviter.to_string(),
            since: frame.calendar.moment(door.since),
            digits: door.digits.to_string(),
            compared: door.compared,
        }
    }

    #[cfg(test)]
    pub(super) fn sample(text: &str, frame: &Frame) -> Self {
        Self {
            inviter: text.to_owned(),
            id: text.to_owned(),
            since: frame
                .calendar
                .moment(protocol::time::Moment(1_795_604_160_000)),
            digits: text.to_owned(),
            compared: false,
        }
    }
}

/// Who waits to be let in.
pub(super) fn newcomers(frame: &Frame, waiting: Vec<work::compare::Newcomer>) -> Vec<Newcomer> {
    let newcomer = |newcomer: work::compare::Newcomer| Newcomer {
        node: newcomer.node.to_string(),
        id: newcomer.node.short(),
        name: newcomer.name,
        kind: words::kind(&newcomer.kind),
        inviter: newcomer.inviter,
        since: frame.calendar.moment(newcomer.since),
        document: newcomer.document,
        document_until: newcomer
            .document_until
            .map(|until| frame.calendar.moment(until)),
        digits: newcomer.digits.map(|digits| digits.to_string()),
    };
    waiting.into_iter().take(LINES).map(newcomer).collect()
}

#[cfg(test)]
impl Newcomer {
    pub(super) fn sample(text: &str, when: When, ours: bool) -> Self {
        let text = || text.to_owned();
        Self {
            node: text(),
            id: text(),
            name: text(),
            kind: text(),
            inviter: text(),
            since: when.clone(),
            document: 2,
            document_until: Some(when),
            digits: ours.then(text),
        }
    }
}

/// The digits that a page showed, and the tick that a person has compared them. They travel with the
/// tick, so that a request that came in between is not meant.
#[derive(Debug, Deserialize)]
pub struct Comparison {
    digits: String,
    compared: Option<String>,
}

impl Comparison {
    fn told(&self) -> Result<&str, Failure> {
        match self.compared {
            Some(_) => Ok(&self.digits),
            None => Err(Failure::input(
                "compare the digits on the telephone first, and tick that they are the same",
            )),
        }
    }
}

/// This node may come in once it is approved.
pub async fn compare(
    State(app): State<App>,
    Form(comparison): Form<Comparison>,
) -> Result<Redirect, PageError> {
    work::compare::confirm(&app, comparison.told()?).await?;
    Ok(Done::Compared.at("/"))
}

/// Somebody to let in.
#[derive(Debug, Deserialize)]
pub struct Approval {
    node: NodeId,
    #[serde(flatten)]
    comparison: Comparison,
}

/// Lets a newcomer in, and proposes the agreement for the members as they are then.
pub async fn approve(
    State(app): State<App>,
    Form(approval): Form<Approval>,
) -> Result<Redirect, PageError> {
    let told = approval.comparison.told()?;
    let (_, entry) = work::join::approve(&app, &approval.node.to_string(), Some(told)).await?;
    if api::said(&app, entry).await?.state != "done" {
        return Ok(Done::ApprovalWaits.at("/"));
    }
    let (_, entry) = work::agreement::propose(&app, None).await?;
    api::said(&app, entry).await?;
    Ok(Done::Approved.at("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::extract::Query;

    fn form(text: &str) -> Approval {
        let address = format!("/?node={}&{text}", NodeId([3; 32]));
        Query::try_from_uri(&address.parse().unwrap()).unwrap().0
    }

    #[test]
    fn without_the_tick_nothing_was_compared() {
        let ticked = form("digits=1234+5678&compared=yes");
        assert_eq!(ticked.comparison.told().unwrap(), "1234 5678");
        assert_eq!(ticked.node, NodeId([3; 32]));
        assert!(form("digits=1234+5678").comparison.told().is_err());
    }
}
