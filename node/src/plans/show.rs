//! Plans as people see them, of all members: nothing of a plan is hidden from an ally.

use super::meet;
use crate::{app::App, coalition::members, http::problem::Failure};
use protocol::{
    channel::Channel,
    entry::plan::{Place, Plan},
    id::{EntryId, NodeId},
    state::{State, rows::PlanRow},
};

/// So much of a plan's id names it, if it names no other.
pub const ID_BEGINNING: usize = 6;

/// A plan.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Shown {
    /// Its id.
    pub plan: EntryId,
    /// Whose it is.
    pub organization: String,
    /// Whether it is this organization's.
    pub mine: bool,
    /// How people will be contacted.
    pub channel: Channel,
    /// The window's first moment.
    pub from: i64,
    /// The moment after the window's last.
    pub to: i64,
    /// What for: a word of the policy vocabulary.
    pub purpose: String,
    /// Its name.
    pub label: String,
    /// About how many contact points.
    pub volume: u64,
    /// Where.
    pub places: Vec<Place>,
    /// Whom to call about it.
    pub contact: String,
    /// Log time at which it was filed.
    pub filed: i64,
    /// Plans of other members that it meets.
    pub meets: Vec<EntryId>,
}

/// Every plan that stands, the soonest first.
///
/// # Errors
/// [`Failure`] when this node is in no coalition.
pub async fn list(app: &App) -> Result<Vec<Shown>, Failure> {
    let coalition = crate::coalition::active(app).await?;
    let state = &coalition.state;
    let mut plans: Vec<Shown> = state
        .plans
        .iter()
        .map(|(id, row)| shown(state, app.me, *id, row))
        .collect();
    plans.sort_by_key(|plan| (plan.from, plan.to));
    Ok(plans)
}

fn shown(state: &State, me: NodeId, id: EntryId, row: &PlanRow) -> Shown {
    let plan = &row.filed;
    Shown {
        plan: id,
        organization: members::name(state, row.author),
        mine: row.author == me,
        channel: plan.channel,
        from: plan.from.0,
        to: plan.to.0,
        purpose: plan.purpose.clone(),
        label: plan.label.clone(),
        volume: plan.volume,
        places: plan.places.clone(),
        contact: plan.contact.clone(),
        filed: row.at.0,
        meets: met(state, row.author, plan),
    }
}

fn met(state: &State, author: NodeId, plan: &Plan) -> Vec<EntryId> {
    let others = state.plans.iter().filter(|(_, row)| {
        row.author != author
            && meet::same_days(&row.filed, plan)
            && !meet::shared(&row.filed.places, &plan.places).is_empty()
    });
    others.map(|(id, _)| *id).collect()
}

/// The plan whose id begins so.
///
/// # Errors
/// [`Failure`] when none or several do.
pub async fn one(app: &App, beginning: &str) -> Result<Shown, Failure> {
    let coalition = crate::coalition::active(app).await?;
    let (id, row) = find(&coalition.state, beginning, |_| true)?;
    Ok(shown(&coalition.state, app.me, id, row))
}

/// The own plan whose id begins so.
///
/// # Errors
/// [`Failure`] when none or several do.
pub async fn find_own(app: &App, beginning: &str) -> Result<EntryId, Failure> {
    let coalition = crate::coalition::active(app).await?;
    find(&coalition.state, beginning, |row| row.author == app.me).map(|(id, _)| id)
}

fn find<'a>(
    state: &'a State,
    beginning: &str,
    among: impl Fn(&PlanRow) -> bool,
) -> Result<(EntryId, &'a PlanRow), Failure> {
    let beginning = beginning.trim().to_ascii_lowercase();
    if beginning.len() < ID_BEGINNING {
        return Err(Failure::input(
            "name a plan by its id, or at least the first six characters of it",
        ));
    }
    let mut fits = state
        .plans
        .iter()
        .filter(|(id, row)| among(row) && id.to_string().starts_with(&beginning));
    match (fits.next(), fits.next()) {
        (Some((id, row)), None) => Ok((*id, row)),
        (Some(_), Some(_)) => Err(Failure::input(
            "several plans begin so; give more characters of the id",
        )),
        (None, _) => Err(Failure::not_found(
            "no such plan stands; `commonturf plan list` shows them",
        )),
    }
}
