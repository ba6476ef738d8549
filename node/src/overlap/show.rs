//! Counts as people see them: their own with the result, those of others as far as the log tells.

use super::{counted, find};
use crate::{app::App, coalition::members, http::problem::Failure, store};
use protocol::{
    entry::overlap::Cell,
    id::{EntryId, NodeId},
    state::{
        State,
        overlap::{Ended, OverlapRow},
    },
    token::overlap::Lists,
};
use serde::Serialize;

/// This organization's part in a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// It asked.
    Asker,
    /// It was asked.
    Asked,
    /// It counts for the parties.
    Counter,
    /// It only sees that there is one.
    None,
}

/// How a count stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// It waits for this organization's answer.
    YourAnswer,
    /// It waits for others' answers.
    Asked,
    /// Lists go around.
    UnderWay,
    /// All lists went around, and this node has the result, or has none to have.
    Done,
    /// A party did not want it.
    Stopped,
    /// A list could not be used.
    Failed,
    /// Its time was over.
    Expired,
}

impl Standing {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::YourAnswer => "waits for your answer",
            Self::Asked => "waits for others' answers",
            Self::UnderWay => "under way",
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }
}

/// A party to a count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Party {
    /// Its name.
    pub organization: String,
    /// Whether it is this organization.
    pub mine: bool,
    /// How many entries of its list take part; absent until it has agreed.
    pub size: Option<u64>,
}

/// What lists have in common, as far as it is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Common {
    /// Whose lists.
    pub organizations: Vec<String>,
    /// The lists by their places among the parties.
    #[serde(skip)]
    pub places: Vec<usize>,
    /// So many or more.
    pub at_least: u64,
    /// Fewer than this; absent where it may be all of the shortest list.
    pub below: Option<u64>,
    /// The same in words.
    pub words: String,
}

/// A count.
#[derive(Debug, Clone, Serialize)]
pub struct Shown {
    /// Its id.
    pub overlap: EntryId,
    /// This organization's part in it.
    pub part: Part,
    /// How it stands.
    pub state: Standing,
    /// Who asked.
    pub asked_by: String,
    /// The kind of key that is counted.
    pub by: String,
    /// What is counted, in words.
    pub counts: &'static str,
    /// What for: a word of the policy vocabulary.
    pub purpose: String,
    /// All parties, who asked first.
    pub parties: Vec<Party>,
    /// The member that counts; absent where every party does.
    pub counter: Option<String>,
    /// The least entries of every list.
    pub least: u64,
    /// Log time at which it was asked.
    pub asked: i64,
    /// When it ends, done or not.
    pub until: i64,
    /// Steps that lists took.
    pub steps_done: usize,
    /// Steps that they take in all.
    pub steps: usize,
    /// The own list that takes part.
    pub list: Option<String>,
    /// What the lists have in common.
    pub result: Option<Vec<Common>>,
    /// Why there is no result.
    pub note: Option<String>,
}

/// Every count that was asked for lately, the newest first.
///
/// # Errors
/// [`Failure`] when this node is in no coalition.
pub async fn list(app: &App) -> Result<Vec<Shown>, Failure> {
    let mut shown: Vec<(u64, Shown)> = {
        let coalition = crate::coalition::active(app).await?;
        let state = &coalition.state;
        let rows = state.overlaps.iter();
        rows.map(|(id, row)| (row.position, shown(state, app.me, *id, row)))
            .collect()
    };
    shown.sort_by_key(|(position, _)| std::cmp::Reverse(*position));
    let mut all = Vec::new();
    for (_, mut one) in shown {
        with_own(app, &mut one).await?;
        all.push(one);
    }
    Ok(all)
}

/// The count whose id begins so.
///
/// # Errors
/// [`Failure`] when none or several do.
pub async fn one(app: &App, beginning: &str) -> Result<Shown, Failure> {
    let mut shown = {
        let coalition = crate::coalition::active(app).await?;
        let state = &coalition.state;
        let id = find(state, beginning)?;
        let row = state.overlaps.get(&id);
        let row = row.ok_or_else(|| Failure::not_found("no such count"))?;
        shown(state, app.me, id, row)
    };
    with_own(app, &mut shown).await?;
    Ok(shown)
}

fn shown(state: &State, me: NodeId, overlap: EntryId, row: &OverlapRow) -> Shown {
    let place = row.place(me);
    let part = match place {
        Some(0) => Part::Asker,
        Some(_) => Part::Asked,
        None if row.ask.counter == Some(me) => Part::Counter,
        None => Part::None,
    };
    let unanswered = place.is_some_and(|place| row.sizes.get(place) == Some(&None));
    let (standing, note) = match row.ended.as_ref().map(|ended| &ended.how) {
        None if row.started.is_some() => (Standing::UnderWay, None),
        None if unanswered => (Standing::YourAnswer, None),
        None => (Standing::Asked, None),
        Some(Ended::Counted(_)) => (Standing::Done, None),
        Some(Ended::Stopped(by)) => {
            let note = format!("{} did not want it", members::name(state, *by));
            (Standing::Stopped, Some(note))
        }
        Some(Ended::Fault {
            by, list, fault, ..
        }) => {
            let owner = row.turn(*list, 0).map(|node| members::name(state, node));
            let note = format!(
                "{} says that the list of {} {}",
                members::name(state, *by),
                owner.unwrap_or_default(),
                fault.words()
            );
            (Standing::Failed, Some(note))
        }
        Some(Ended::Expired) => (
            Standing::Expired,
            Some("it was not done before its time was over".to_owned()),
        ),
    };
    let parties = row.parties().into_iter().zip(&row.sizes);
    let lists = usize::from(row.lists());
    Shown {
        overlap,
        part,
        state: standing,
        asked_by: members::name(state, row.asker),
        by: row.ask.kind.name().to_owned(),
        counts: counted(row.ask.kind),
        purpose: row.ask.purpose.clone(),
        parties: parties
            .map(|(node, size)| Party {
                organization: members::name(state, node),
                mine: node == me,
                size: *size,
            })
            .collect(),
        counter: row.ask.counter.map(|node| members::name(state, node)),
        least: row.ask.least,
        asked: row.at.0,
        until: row.ask.until.0,
        steps_done: row.passes.len(),
        steps: lists * lists,
        list: None,
        result: None,
        note,
    }
}

/// Who asks for counts that wait for a node's answer.
#[must_use]
pub fn askers(state: &State, me: NodeId) -> Vec<String> {
    let waits = |row: &OverlapRow| {
        let place = row.place(me);
        row.ended.is_none() && place.is_some_and(|place| row.sizes.get(place) == Some(&None))
    };
    let rows = state.overlaps.iter().map(|(_, row)| row);
    rows.filter(|row| waits(row))
        .map(|row| members::name(state, row.asker))
        .collect()
}

/// Adds what only this node knows: its list and the result.
async fn with_own(app: &App, shown: &mut Shown) -> Result<(), Failure> {
    if !matches!(shown.part, Part::Asker | Part::Asked) {
        return Ok(());
    }
    let mut db = app.store.read("reading the own part in a count").await?;
    let own = store::overlap::own(&mut db, shown.overlap).await?;
    drop(db);
    let Some(own) = own else { return Ok(()) };
    shown.list = Some(own.label);
    if let Some(cells) = own.cells {
        let cells: Vec<Cell> = serde_json::from_str(&cells).map_err(Failure::internal)?;
        shown.result = Some(cells.iter().map(|cell| common(cell, shown)).collect());
    } else if shown.state == Standing::Done {
        match own.note {
            Some(note) => shown.note = Some(note),
            // The lists went around; this node still has to count them or to open the counts.
            None => shown.state = Standing::UnderWay,
        }
    }
    Ok(())
}

fn common(cell: &Cell, shown: &Shown) -> Common {
    let places: Vec<usize> = (0..shown.parties.len())
        .filter(|n| cell.lists & (1 as Lists).rotate_left(*n as u32) != 0)
        .collect();
    let of = |n: &usize| shown.parties.get(*n);
    let parties: Vec<&Party> = places.iter().filter_map(of).collect();
    Common {
        organizations: parties
            .iter()
            .map(|party| party.organization.clone())
            .collect(),
        words: words(cell, shown.counts),
        at_least: cell.at_least,
        below: cell.below,
        places,
    }
}

/// A cell in words: "between 120 and 129 phone numbers".
fn words(cell: &Cell, counts: &str) -> String {
    match (cell.at_least, cell.below) {
        (0, Some(below)) => format!("fewer than {below} {counts}"),
        (least, Some(below)) => format!("between {least} and {} {counts}", below - 1),
        (least, None) => format!("{least} {counts} or more, perhaps the whole shortest list"),
    }
}
