//! From what somebody intends to the plan that is filed.

use super::{
    meet::{self, Meeting, Spread},
    show,
};
use crate::{
    app::App,
    claims::{Ground, ground, universe, window},
    http::problem::Failure,
    store,
};
use jiff::civil::Date;
use policy::Purpose;
use protocol::{
    channel::Channel,
    entry::plan::{Place, Plan},
    fold::plan::{PLAN_DAYS, PLAN_LINE_BYTES, PLAN_PLACES},
    id::EntryId,
    time::DAY,
};
use std::collections::BTreeSet;

/// What somebody intends.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intention {
    /// How people will be contacted.
    pub channel: Channel,
    /// The first day.
    pub from: Date,
    /// The last day, included.
    pub to: Date,
    /// What for.
    pub purpose: Purpose,
    /// What allies read as its name.
    pub label: String,
    /// Where.
    #[serde(default)]
    pub places: Vec<Place>,
    /// Areas of this organization, told as their cells, postal codes or precincts.
    #[serde(default)]
    pub areas: Vec<String>,
    /// A list of this organization: where its people live, and how many they are.
    #[serde(default)]
    pub list: Option<String>,
    /// About how many contact points; a list's own number where one is named.
    #[serde(default)]
    pub volume: Option<u64>,
    /// Whom allies call about it, and how.
    pub contact: String,
    /// The own plan in whose place it stands, by its id or the beginning of it.
    #[serde(default)]
    pub replaces: Option<String>,
}

/// A plan that could be filed, and what is known about it.
#[derive(Debug, Clone)]
pub struct Draft {
    /// What would be said.
    pub entry: Plan,
    /// Plans of others that it meets.
    pub meets: Vec<Meeting>,
    /// People of the list who live where too few others of it do: their places are left out.
    pub left_out: u64,
    /// Why it cannot be filed, whatever it says: a member may not read it.
    pub withheld: Option<String>,
}

/// Works a plan out; changes nothing.
///
/// # Errors
/// [`Failure`] that says which part cannot be used.
pub async fn work_out(app: &App, intention: Intention) -> Result<Draft, Failure> {
    let ground = ground(app).await?;
    let window = window::of_days(
        &ground.params.time_zone,
        intention.from,
        intention.to,
        PLAN_DAYS * DAY,
        app.now(),
    )?;
    if window.from > app.now().plus(PLAN_DAYS * DAY) {
        return Err(Failure::input(format!(
            "a plan begins within {PLAN_DAYS} days; file this one nearer to its first day"
        )));
    }
    let spread = match &intention.list {
        Some(name) => Some(spread(app, &ground, name, intention.channel).await?),
        None => None,
    };
    let mut named: BTreeSet<Place> = intention.places.iter().cloned().collect();
    for name in &intention.areas {
        named.extend(crate::turf::area::find(app, name).await?.places()?);
    }
    let (places, left_out) = places(&intention, named, spread.as_ref(), ground.params.min_cell)?;
    let volume = intention
        .volume
        .or_else(|| spread.as_ref().map(Spread::total))
        .filter(|volume| *volume > 0)
        .ok_or_else(|| {
            Failure::input("say about how many contact points it is (`--volume`), or name a list")
        })?;
    let entry = Plan {
        channel: intention.channel,
        from: window.from,
        to: window.to,
        purpose: intention.purpose.to_string(),
        label: line("label", &intention.label)?,
        places,
        volume,
        contact: line("contact", &intention.contact)?,
        replaces: replaced(app, intention.replaces.as_deref()).await?,
        agreement: ground.agreement,
    };
    let withheld = super::withheld(app, intention.purpose, intention.channel).await;
    let coalition = crate::coalition::active(app).await?;
    let meets = meet::others(&coalition.state, app.me, &entry, spread.as_ref());
    Ok(Draft {
        entry,
        meets,
        left_out,
        withheld,
    })
}

async fn replaced(app: &App, beginning: Option<&str>) -> Result<Option<EntryId>, Failure> {
    match beginning {
        Some(beginning) => show::find_own(app, beginning).await.map(Some),
        None => Ok(None),
    }
}

fn line(name: &str, text: &str) -> Result<String, Failure> {
    let text = text.trim();
    if protocol::fold::share::is_line(text, PLAN_LINE_BYTES) {
        Ok(text.to_owned())
    } else {
        Err(Failure::input(format!(
            "the {name} is one line of 1 to {PLAN_LINE_BYTES} bytes, without hidden characters"
        )))
    }
}

/// The named places and those of the list, each once, in rising order.
///
/// A place in which fewer people of the list live than the least cell is left out: a plan for one
/// street would say who lives there.
fn places(
    intention: &Intention,
    mut places: BTreeSet<Place>,
    spread: Option<&Spread>,
    min_cell: u32,
) -> Result<(Vec<Place>, u64), Failure> {
    let mut left_out = 0;
    for (place, count) in spread.into_iter().flat_map(Spread::places) {
        if count >= u64::from(min_cell) {
            places.insert(place.clone());
        } else {
            left_out += count;
        }
    }
    if places.is_empty() {
        return Err(Failure::input(if intention.list.is_some() {
            "no postal code has enough people of this list to be named; name places yourself (`--place`)"
        } else {
            "say where: a postal code, an area or a cell (`--place`), or a list (`--list`)"
        }));
    }
    if places.len() > PLAN_PLACES {
        return Err(Failure::input(format!(
            "a plan names at most {PLAN_PLACES} places, this one {}; name larger ones, or file several plans",
            places.len()
        )));
    }
    Ok((places.into_iter().collect(), left_out))
}

/// Where the contact points of a list lie.
async fn spread(
    app: &App,
    ground: &Ground,
    list: &str,
    channel: Channel,
) -> Result<Spread, Failure> {
    let universe = universe::of_list(app, ground, list, channel).await?;
    let mut db = app
        .store
        .read("reading where people of a list live")
        .await?;
    let list_id = universe.list_id.clone().unwrap_or_default();
    let addresses = store::person::addresses_of_list(&mut db, &list_id).await?;
    drop(db);
    Ok(Spread::of(
        &universe,
        &addresses,
        &ground.params.default_region,
    ))
}
