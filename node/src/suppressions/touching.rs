//! What allies assert about the organization's own people and contact points.

use crate::{app::App, coalition::members, http::problem::Failure, store};
use protocol::{channel::Channel, token::Class};

/// The most assertions that are shown.
const SHOWN: usize = 1_000;

/// An ally's assertion.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Touching {
    /// Who says so.
    pub organization: String,
    /// On which channels.
    pub channels: Vec<Channel>,
    /// Said to have died.
    pub deceased: bool,
    /// Since when, in milliseconds since 1970.
    pub since: i64,
    /// Own people's names, or the contact point.
    pub about: Vec<String>,
    /// The own people it touches.
    pub person_ids: Vec<String>,
}

/// Every assertion of an ally that touches an own point, as far as is shown.
///
/// # Errors
/// [`Failure`] when this node is in no coalition.
pub async fn touching(app: &App) -> Result<Vec<Touching>, Failure> {
    let coalition = crate::coalition::active(app).await?;
    let state = &coalition.state;
    let generation = state.meta().generation.unwrap_or_default();
    let mut db = app.store.read("looking for allies' suppressions").await?;
    let mut found = Vec::new();
    for ((token, node), assertion) in state.suppressions.iter() {
        if *node == app.me {
            continue;
        }
        let Some(point) = store::reach::by_token(&mut db, *token, generation).await? else {
            continue;
        };
        let person_ids = store::reach::people_at(&mut db, &point.point_id).await?;
        let mut about = Vec::new();
        if point.class == Class::Person {
            for person_id in &person_ids {
                let person = store::person::find(&mut db, person_id).await?;
                about.extend(person.map(|person| person.name()));
            }
        } else {
            about.push(point.display);
        }
        found.push(Touching {
            organization: members::name(state, *node),
            channels: assertion.channels.iter().collect(),
            deceased: assertion.deceased,
            since: assertion.since.0,
            about,
            person_ids,
        });
        if found.len() >= SHOWN {
            break;
        }
    }
    Ok(found)
}
