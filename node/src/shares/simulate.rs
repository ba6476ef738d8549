//! What a draft would change on the organization's real lists or received rows: nothing is sent, nothing is written.
//!
//! The facts of people are those of today's agreement; what a draft's numbers (recontact days, region)
//! would make of them is seen once it is in force.

use super::{
    plan::{self, Ask, Plan, Recipient, Universe},
    setting::{Draft, Setting},
    sift::{Pages, Sift},
};
use crate::{app::App, http::problem::Failure, store};
use policy::{FieldClass, Gate, Kind, SimulatedCell};
use serde::Serialize;
use std::collections::BTreeMap;

/// Examples of one cell.
const SAMPLES: usize = 5;

/// What would change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Simulation {
    /// The lists that were looked through; none when received rows were.
    pub lists: Vec<String>,
    /// People on them; who is on two lists counts twice.
    pub people: u64,
    /// Recipients and classes of fields, also those that do not change.
    pub cells: Vec<Cell>,
}

/// What would change for one recipient and class of fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cell {
    /// The recipient's node.
    pub to: String,
    /// Its name.
    pub name: String,
    /// The class of fields.
    pub field: FieldClass,
    /// People of whom it flows today.
    pub flows_now: u64,
    /// People of whom it would flow as well.
    pub newly_flows: u64,
    /// People of whom it would not flow any more.
    pub newly_withheld: u64,
    /// The rules that make the difference.
    pub by: Vec<By>,
    /// Ids of some of these people.
    pub samples: Vec<String>,
}

/// What one rule has to do with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct By {
    /// The rule.
    pub rule: String,
    /// Its reason, from the draft or from what is in force.
    pub reason: String,
    /// People whom it withholds today and would not.
    pub newly_flows: u64,
    /// People whom it would withhold.
    pub newly_withheld: u64,
}

/// Walks a list, received rows or, where neither is named, every list through the gate in force and through a draft; without a recipient,
/// toward every other member.
///
/// # Errors
/// [`Failure`] when the draft, the list, a recipient or the agreement cannot be used.
pub async fn simulate(
    app: &App,
    mut ask: Ask,
    of: Option<Universe>,
    draft: &Draft,
) -> Result<Simulation, Failure> {
    if ask.to.is_empty() {
        ask.to = everybody_else(app).await?;
    }
    let plan = Plan::make(app, ask).await?;
    let draft = Setting::drafted(app, draft).await?;
    let flows = plan.flows();
    let (lists, walks) = walks(app, &plan, of).await?;
    let mut all = Totals::default();
    let mut sift = Sift::new(&plan, &flows);
    let mut examples: BTreeMap<Kind, String> = BTreeMap::new();
    for mut pages in walks {
        loop {
            let people = pages.next(&plan, app).await?;
            if people.is_empty() {
                break;
            }
            let coalition = crate::coalition::active(app).await?;
            let sifted = sift.page(&coalition.state, &people);
            drop(coalition);
            for (person, sifted) in people.iter().zip(&sifted) {
                for kind in sifted.kinds() {
                    let example = examples.entry(kind);
                    example.or_insert_with(|| person.id().to_owned());
                }
            }
            if sift.is_full() {
                all.add(
                    &plan,
                    sift.simulate(&draft.gate),
                    &std::mem::take(&mut examples),
                );
            }
        }
    }
    all.add(&plan, sift.simulate(&draft.gate), &examples);
    Ok(Simulation {
        lists,
        people: all.people,
        cells: all.cells(&plan, &draft.gate),
    })
}

async fn everybody_else(app: &App) -> Result<Vec<String>, Failure> {
    let setting = Setting::current(app).await?;
    let coalition = crate::coalition::active(app).await?;
    let members = coalition.state.members.iter().map(|(node, _)| *node);
    let others = members.filter(|node| *node != app.me && setting.has(*node));
    let others: Vec<String> = others
        .map(|node| node.to_string())
        .take(plan::RECIPIENTS)
        .collect();
    if others.is_empty() {
        return Err(Failure::input(
            "no other organization is party to the agreement yet",
        ));
    }
    Ok(others)
}

/// What is looked through, and the names of the lists among it.
async fn walks(
    app: &App,
    plan: &Plan,
    of: Option<Universe>,
) -> Result<(Vec<String>, Vec<Pages>), Failure> {
    if let Some(of) = of {
        let pages = Pages::of(plan, app, &of).await?;
        let name = match of {
            Universe::List(name) => Some(name),
            Universe::Received(_) => None,
        };
        return Ok((name.into_iter().collect(), vec![pages]));
    }
    let mut db = app.store.read("listing lists").await?;
    let all = store::list::all(&mut db).await?;
    if all.is_empty() {
        return Err(Failure::not_found("there is no list yet; import one first"));
    }
    let each = all.into_iter();
    Ok(each
        .map(|list| (list.name, Pages::of_list(list.list_id)))
        .unzip())
}

#[derive(Default)]
struct Totals {
    people: u64,
    /// By the recipient's place and the class.
    cells: BTreeMap<(usize, FieldClass), Total>,
}

#[derive(Default)]
struct Total {
    flows_now: u64,
    newly_flows: u64,
    newly_withheld: u64,
    by: BTreeMap<String, (u64, u64)>,
    samples: Vec<String>,
}

impl Totals {
    fn add(
        &mut self,
        plan: &Plan,
        (people, cells): (u64, Vec<SimulatedCell>),
        examples: &BTreeMap<Kind, String>,
    ) {
        self.people += people;
        let examples: Vec<&String> = examples.values().collect();
        let recipients = cells.chunks(plan.ask.fields.len().max(1));
        for (n, cells) in recipients.enumerate() {
            for cell in cells {
                let total = self.cells.entry((n, cell.field)).or_default();
                total.add(cell, &examples);
            }
        }
    }

    fn cells(self, plan: &Plan, draft: &Gate) -> Vec<Cell> {
        let cell = |((n, field), total): ((usize, FieldClass), Total)| {
            let recipient: &Recipient = plan.recipients.get(n)?;
            let reason = |rule: &str| {
                let text = draft.rule(rule).or_else(|| plan.setting.gate.rule(rule));
                text.map(|text| text.reason.clone()).unwrap_or_default()
            };
            let by = total.by.into_iter().map(|(rule, (flows, withheld))| By {
                reason: reason(&rule),
                rule,
                newly_flows: flows,
                newly_withheld: withheld,
            });
            Some(Cell {
                to: recipient.node.to_string(),
                name: recipient.name.clone(),
                field,
                flows_now: total.flows_now,
                newly_flows: total.newly_flows,
                newly_withheld: total.newly_withheld,
                by: by.collect(),
                samples: total.samples,
            })
        };
        self.cells.into_iter().filter_map(cell).collect()
    }
}

impl Total {
    /// `examples` are people by the number of their kind.
    fn add(&mut self, cell: &SimulatedCell, examples: &[&String]) {
        self.flows_now += cell.flows_now;
        self.newly_flows += cell.newly_flows;
        self.newly_withheld += cell.newly_withheld;
        for change in &cell.by {
            let by = self.by.entry(change.policy.clone()).or_default();
            by.0 += change.newly_flows;
            by.1 += change.newly_withheld;
        }
        let samples = cell
            .samples
            .iter()
            .filter_map(|kind| examples.get(*kind).map(|id| (*id).clone()));
        let room = SAMPLES.saturating_sub(self.samples.len());
        self.samples.extend(samples.take(room));
    }
}
