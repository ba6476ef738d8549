//! What people decide about a count: to ask for one, to agree to it with a list, to end it.

use super::{
    allowed, counted, find,
    list::{self, Chosen, From},
};
use crate::{app::App, coalition::members, http::problem::Failure, store, sync::outbox};
use policy::Purpose;
use protocol::{
    entry::{
        Entry,
        overlap::{End, OverlapAgree, OverlapAsk, OverlapEnd},
    },
    fold::overlap::{OVERLAP_CELLS, OVERLAP_DAYS, OVERLAP_PARTIES},
    id::{EntryId, NodeId},
    problem::ProblemKind,
    state::{State, overlap::OverlapRow},
    time::DAY,
    token::{Kind, overlap::Exponent},
};
use serde::Deserialize;

/// For how many days a count is open where nobody says.
pub const DAYS: i64 = 7;
/// For how many days a count is open at most: a day less than the fold allows, since clocks differ.
pub const LONGEST_DAYS: i64 = OVERLAP_DAYS - 1;

/// The wish to count.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// The other parties: names, or beginnings of node ids.
    pub with: Vec<String>,
    /// The own list; absent for everybody on any list.
    #[serde(default)]
    pub list: Option<String>,
    /// What is counted: `door`, `phone`, `email`, `voter_id`, `ns_dob_postal` or `name_door`.
    pub by: String,
    /// What for: a word of the policy vocabulary.
    pub purpose: Purpose,
    /// The least entries of every list; absent for the least that is allowed.
    #[serde(default)]
    pub least: Option<u64>,
    /// For how many days the count is open.
    #[serde(default)]
    pub days: Option<i64>,
    /// The member that counts; absent for one that the node chooses.
    #[serde(default)]
    pub counter: Option<String>,
    /// Whether every party counts by itself.
    #[serde(default)]
    pub no_counter: bool,
}

/// A count as it would be asked for or agreed to.
#[derive(Debug)]
pub struct Draft {
    /// What would be said.
    pub entry: Entry,
    /// The count that it is about.
    pub overlap: EntryId,
    /// What is counted.
    pub kind: Kind,
    /// The least entries of every list.
    pub least: u64,
    /// The own list.
    pub chosen: Chosen,
    /// All parties by name, this organization included.
    pub parties: Vec<String>,
    /// Who counts, unless every party does.
    pub counter: Option<String>,
}

fn of(list: Option<&String>) -> From {
    list.map_or(From::Everybody, |name| From::List(name.clone()))
}

/// Works out what asking would say; changes nothing.
///
/// # Errors
/// [`Failure`] that says which part cannot be used.
pub async fn draft_ask(app: &App, wish: &Wish) -> Result<Draft, Failure> {
    let kind: Kind = wish
        .by
        .parse()
        .map_err(|error| Failure::input(format!("{error}")))?;
    let (entry, parties, names, counter_name) = {
        let coalition = crate::coalition::active(app).await?;
        let state = &coalition.state;
        let (agreement, _) = state.agreement().ok_or_else(without_agreement)?;
        let (_, rules) = state.rules().ok_or_else(without_agreement)?;
        let lowest = rules.min_cell * OVERLAP_CELLS;
        let least = wish.least.unwrap_or(lowest);
        if least < lowest {
            return Err(Failure::input(format!(
                "every list of a count has at least {lowest} entries, ten times the agreement's least cell"
            )));
        }
        let days = wish.days.unwrap_or(DAYS);
        if !(1..=LONGEST_DAYS).contains(&days) {
            return Err(Failure::input(format!(
                "a count is open for 1 to {LONGEST_DAYS} days"
            )));
        }
        let with = others(app, state, &wish.with)?;
        let parties: Vec<NodeId> = std::iter::once(app.me).chain(with.clone()).collect();
        if let Some((one, other)) = state.overlaps_full(&parties, app.now()) {
            return Err(full(state, one, other));
        }
        let counter = counter(state, wish, &parties)?;
        let entry = OverlapAsk {
            with,
            counter,
            kind,
            purpose: wish.purpose.name().to_owned(),
            size: 0,
            least,
            until: app.now().plus(days * DAY),
            generation: state.meta().generation.ok_or_else(without_agreement)?,
            agreement,
        };
        let names = parties.iter().map(|node| members::name(state, *node));
        let names: Vec<String> = names.collect();
        let counter_name = counter.map(|node| members::name(state, node));
        (entry, parties, names, counter_name)
    };
    allowed(app, &parties, entry.counter, wish.purpose, kind).await?;
    let from = of(wish.list.as_ref());
    let chosen = list::choose(app, &from, kind, entry.generation).await?;
    long_enough(&chosen, kind, entry.least)?;
    let entry = OverlapAsk {
        size: chosen.points.len() as u64,
        ..entry
    };
    Ok(Draft {
        overlap: EntryId::random(&mut crate::ambient::rng()),
        kind,
        least: entry.least,
        entry: entry.into(),
        chosen,
        parties: names,
        counter: counter_name,
    })
}

fn others(app: &App, state: &State, names: &[String]) -> Result<Vec<NodeId>, Failure> {
    let mut with = Vec::new();
    for name in names {
        let node = members::find(state, name)?;
        if node == app.me {
            return Err(Failure::input(
                "name the other organizations; this one takes part in what it asks for",
            ));
        }
        with.push(node);
    }
    with.sort_unstable();
    with.dedup();
    if with.is_empty() || with.len() >= OVERLAP_PARTIES {
        return Err(Failure::input(format!(
            "a count is between this organization and 1 to {} others",
            OVERLAP_PARTIES - 1
        )));
    }
    Ok(with)
}

/// Who counts: the one that was named, else a keeper that is no party, else another member, else everybody.
fn counter(state: &State, wish: &Wish, parties: &[NodeId]) -> Result<Option<NodeId>, Failure> {
    if let Some(name) = &wish.counter {
        if wish.no_counter {
            return Err(Failure::input(
                "either somebody counts, or every party does",
            ));
        }
        let node = members::find(state, name)?;
        if parties.contains(&node) {
            return Err(Failure::input(
                "who counts for others is no party; name a member that brings no list",
            ));
        }
        return Ok(Some(node));
    }
    if wish.no_counter {
        return Ok(None);
    }
    let agreement = state.agreement().map(|(_, agreement)| agreement);
    let outside = state.roster().filter(|(node, _)| {
        let signed = agreement.as_ref().is_some_and(|a| a.has(**node));
        signed && !parties.contains(node)
    });
    Ok(outside
        .min_by_key(|(node, member)| (!member.keeper, **node))
        .map(|(node, _)| *node))
}

fn full(state: &State, one: NodeId, other: NodeId) -> Failure {
    Failure::new(
        ProblemKind::Conflict,
        format!(
            "{} and {} have counted four times in the last 30 days; two counts that differ by little tell \
             about single people, so wait until the first of them is older",
            members::name(state, one),
            members::name(state, other)
        ),
    )
}

fn without_agreement() -> Failure {
    Failure::new(
        ProblemKind::AgreementInactive,
        "no agreement is in force: nothing is counted before all members have signed one",
    )
}

fn long_enough(chosen: &Chosen, kind: Kind, least: u64) -> Result<(), Failure> {
    let size = chosen.points.len() as u64;
    if size >= least {
        return Ok(());
    }
    Err(Failure::input(format!(
        "{} has {size} {} that have match tokens, and a count needs at least {least}; choose a larger list \
         or another key",
        chosen.label,
        counted(kind)
    )))
}

/// Asks for a count.
///
/// # Errors
/// [`Failure`] as [`draft_ask`].
pub async fn ask(app: &App, wish: &Wish) -> Result<Draft, Failure> {
    let draft = draft_ask(app, wish).await?;
    bring(app, &draft, draft.overlap).await?;
    Ok(draft)
}

/// Works out what agreeing with a list would say; changes nothing.
///
/// # Errors
/// [`Failure`] when it is not this organization's to agree, or the list cannot be used.
pub async fn draft_agree(
    app: &App,
    beginning: &str,
    list: Option<&String>,
) -> Result<Draft, Failure> {
    let (overlap, row, parties, counter) = {
        let coalition = crate::coalition::active(app).await?;
        let state = &coalition.state;
        let overlap = find(state, beginning)?;
        let row = asked(app, state, overlap)?.clone();
        let parties = row.parties();
        let names = parties.iter().map(|node| members::name(state, *node));
        let counter = row.ask.counter.map(|node| members::name(state, node));
        (overlap, row, names.collect::<Vec<_>>(), counter)
    };
    let purpose = row.ask.purpose.parse().map_err(Failure::internal)?;
    let kind = row.ask.kind;
    allowed(app, &row.parties(), row.ask.counter, purpose, kind).await?;
    let chosen = list::choose(app, &of(list), kind, row.ask.generation).await?;
    long_enough(&chosen, kind, row.ask.least)?;
    let size = chosen.points.len() as u64;
    Ok(Draft {
        entry: OverlapAgree { overlap, size }.into(),
        overlap,
        kind,
        least: row.ask.least,
        chosen,
        parties,
        counter,
    })
}

/// A count that waits for this organization's answer.
fn asked<'s>(app: &App, state: &'s State, overlap: EntryId) -> Result<&'s OverlapRow, Failure> {
    let conflict = |why: &str| Failure::new(ProblemKind::Conflict, why);
    let row = state
        .overlaps
        .get(&overlap)
        .ok_or_else(|| Failure::not_found("no such count"))?;
    if row.ended.is_some() {
        return Err(conflict("the count has ended"));
    }
    match row.place(app.me) {
        Some(0) => Err(conflict(
            "this organization asked for the count; the others agree to it",
        )),
        Some(place) if row.sizes.get(place) == Some(&None) => Ok(row),
        Some(_) => Err(conflict("this organization has agreed to the count")),
        None => Err(conflict("this organization is no party to the count")),
    }
}

/// Agrees to a count with a list.
///
/// # Errors
/// [`Failure`] as [`draft_agree`].
pub async fn agree(
    app: &App,
    beginning: &str,
    list: Option<&String>,
) -> Result<(Draft, EntryId), Failure> {
    let draft = draft_agree(app, beginning, list).await?;
    let said = EntryId::random(&mut crate::ambient::rng());
    bring(app, &draft, said).await?;
    Ok((draft, said))
}

/// Keeps the list for the count as it is now, under a fresh secret, and says so, in one transaction.
async fn bring(app: &App, draft: &Draft, said: EntryId) -> Result<(), Failure> {
    let mut rng = crate::ambient::rng();
    let overlap = draft.overlap;
    let exponent = Exponent::generate(&mut rng).to_bytes();
    let secret = app
        .rest
        .seal(&secret_place(overlap), exponent.as_ref(), &mut rng);
    let points: Vec<u8> = draft.chosen.points.iter().flat_map(|p| p.0).collect();
    let points = app.rest.seal(&points_place(overlap), &points, &mut rng);
    let new = store::overlap::New {
        overlap,
        said,
        label: &draft.chosen.label,
        size: draft.chosen.points.len() as u64,
        secret: &secret,
        points: &points,
        at: app.now().0,
    };
    let mut tx = app.store.write("bringing a list to a count").await?;
    if let Err(error) = store::overlap::insert(&mut tx, &new).await {
        if error.is_unique_violation() {
            return Err(Failure::new(
                ProblemKind::Conflict,
                "this organization has agreed to the count; it waits for the keeper",
            ));
        }
        return Err(error.into());
    }
    outbox::queue_as(app, &mut tx, said, draft.entry.clone(), None).await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok(())
}

/// To what the own exponent is sealed.
pub(super) fn secret_place(overlap: EntryId) -> String {
    format!("overlap/secret/{overlap}")
}

/// To what the points of the own list are sealed.
pub(super) fn points_place(overlap: EntryId) -> String {
    format!("overlap/points/{overlap}")
}

/// Ends a count that this organization does not want, or not any more.
///
/// # Errors
/// [`Failure`] when there is no such count of this organization, or it has ended.
pub async fn stop(app: &App, beginning: &str) -> Result<(EntryId, EntryId), Failure> {
    let overlap = {
        let coalition = crate::coalition::active(app).await?;
        let overlap = find(&coalition.state, beginning)?;
        let row = coalition.state.overlaps.get(&overlap);
        let party = row.filter(|row| row.place(app.me).is_some());
        let why = match party {
            None => Some("this organization is no party to the count"),
            Some(row) if row.ended.is_some() => Some("the count has ended"),
            Some(_) => None,
        };
        if let Some(why) = why {
            return Err(Failure::new(ProblemKind::Conflict, why));
        }
        overlap
    };
    let end = OverlapEnd {
        overlap,
        how: End::Stopped,
    };
    let mut tx = app.store.write("ending a count").await?;
    let said = outbox::queue(app, &mut tx, end.into(), None).await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok((overlap, said))
}
