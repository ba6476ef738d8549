//! Claims as people see them: own ones whole, others' by organization, channel, window and count.

use crate::{
    app::App,
    coalition::members,
    http::problem::Failure,
    store::{self, claim::Claim},
};
use protocol::{channel::Channel, id::EntryId, state::State};
use std::collections::BTreeMap;

/// So much of a claim's id names it, if it names no other.
pub const ID_BEGINNING: usize = 6;
/// The most own claims that are listed.
const LISTED: i64 = 1_000;

/// A claim in a list.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Summary {
    /// Its id.
    pub claim: EntryId,
    /// Whose it is.
    pub organization: String,
    /// Whether it is this organization's.
    pub mine: bool,
    /// How the people will be contacted.
    pub channel: Channel,
    /// The window's first moment.
    pub from: i64,
    /// The moment after the window's last.
    pub to: i64,
    /// When it ends without another sign of life; none when it is not in force.
    pub ends: Option<i64>,
    /// asked, granted, refused, released, ended or void.
    pub state: &'static str,
    /// Contact points asked for.
    pub asked: u64,
    /// Contact points granted.
    pub granted: u64,
    /// Contact points refused; of others' claims unknown.
    pub refused: Option<u64>,
    /// Contact points that it holds now.
    pub holds: u64,
    /// The position of the grant: the number on walk lists.
    pub number: Option<u64>,
    /// List or file name.
    pub label: String,
    /// Why it is void.
    pub note: Option<String>,
}

/// The own claim whose id begins so.
///
/// # Errors
/// [`Failure`] when none or several do.
pub async fn find(app: &App, beginning: &str) -> Result<Claim, Failure> {
    let beginning = beginning.trim().to_ascii_lowercase();
    let is_id = beginning
        .bytes()
        .all(|b| matches!(b, b'a'..=b'z' | b'2'..=b'7'));
    if !is_id || beginning.len() < ID_BEGINNING {
        return Err(Failure::input(
            "name a claim by its id, or at least the first six characters of it",
        ));
    }
    let mut db = app.store.read("finding a claim").await?;
    let mut found = store::claim::by_beginning(&mut db, &beginning).await?;
    match (found.pop(), found.is_empty()) {
        (Some(claim), true) => Ok(claim),
        (Some(_), false) => Err(Failure::input(
            "several claims begin so; give more characters of the id",
        )),
        (None, _) => Err(Failure::not_found(
            "no such claim of this organization; `commonturf claim list` shows them",
        )),
    }
}

fn own(state: &State, app: &App, claim: &Claim) -> Summary {
    let held = state.claims.get(&claim.id);
    Summary {
        claim: claim.id,
        organization: app.name.clone(),
        mine: true,
        channel: claim.channel,
        from: claim.from.0,
        to: claim.to.0,
        ends: held.map(|row| row.ends.0),
        state: claim.phase.name(),
        asked: claim.asked,
        granted: claim.granted,
        refused: Some(claim.refused),
        holds: held.map_or(0, |row| row.tokens.as_slice().len() as u64),
        number: claim.position,
        label: claim.label.clone(),
        note: claim.note.clone(),
    }
}

/// Own claims, newest first; with `all` those of others too.
///
/// # Errors
/// [`Failure`] when this node is in no coalition.
pub async fn list(app: &App, all: bool) -> Result<Vec<Summary>, Failure> {
    let mut db = app.store.read("listing claims").await?;
    let claims = store::claim::latest(&mut db, LISTED).await?;
    drop(db);
    let coalition = crate::coalition::active(app).await?;
    let state = &coalition.state;
    let mut list: Vec<Summary> = claims.iter().map(|claim| own(state, app, claim)).collect();
    if all {
        let others = state.claims.iter().filter(|(_, row)| row.author != app.me);
        list.extend(others.map(|(id, row)| Summary {
            claim: *id,
            organization: members::name(state, row.author),
            mine: false,
            channel: row.channel,
            from: row.from.0,
            to: row.to.0,
            ends: Some(row.ends.0),
            state: "granted",
            asked: row.asked,
            granted: row.granted,
            refused: None,
            holds: row.tokens.as_slice().len() as u64,
            number: Some(row.position),
            label: String::new(),
            note: None,
        }));
    }
    Ok(list)
}

/// One own claim with what became of its points.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Whole {
    /// The claim.
    #[serde(flatten)]
    pub summary: Summary,
    /// How many points are how: granted, held, recent, suppressed, released.
    pub states: BTreeMap<String, u64>,
    /// How many points were refused because of whom.
    pub because_of: BTreeMap<String, BTreeMap<String, u64>>,
    /// Refused points, as many as are shown.
    pub refused_points: Vec<Refused>,
}

/// A refused contact point.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Refused {
    /// As people read it.
    pub display: String,
    /// held, recent or suppressed.
    pub state: String,
    /// Because of whom.
    pub by: Option<String>,
    /// Until when, in milliseconds since 1970.
    pub until: Option<i64>,
}

/// An own claim with what became of its points; at most `rows` refused ones.
///
/// # Errors
/// As [`find`].
pub async fn whole(app: &App, beginning: &str, rows: usize) -> Result<Whole, Failure> {
    let claim = find(app, beginning).await?;
    let mut db = app.store.read("reading a claim's points").await?;
    let points = store::claim::points(&mut db, claim.id).await?;
    let coalition = crate::coalition::active(app).await?;
    let state = &coalition.state;
    let generation = state.meta().generation.unwrap_or_default();
    let mut whole = Whole {
        summary: own(state, app, &claim),
        states: BTreeMap::new(),
        because_of: BTreeMap::new(),
        refused_points: Vec::new(),
    };
    for point in points {
        *whole.states.entry(point.state.clone()).or_default() += 1;
        if matches!(point.state.as_str(), "granted" | "released" | "asked") {
            continue;
        }
        let by = point.by.map(|by| members::name(state, by));
        if let Some(by) = &by {
            let because = whole.because_of.entry(by.clone()).or_default();
            *because.entry(point.state.clone()).or_default() += 1;
        }
        if whole.refused_points.len() < rows {
            let known = store::reach::by_token(&mut db, point.token, generation).await?;
            whole.refused_points.push(Refused {
                display: known.map(|known| known.display).unwrap_or_default(),
                state: point.state,
                by,
                until: point.until.map(|until| until.0),
            });
        }
    }
    Ok(whole)
}
