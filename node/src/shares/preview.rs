//! What would flow and why not: counts for a list, every rule for one person. Changes nothing.

use super::{
    pass_on,
    plan::{Ask, Plan, Recipient, Tally, Universe},
};
use crate::{
    app::App,
    http::problem::Failure,
    store::share::candidate::{self, Candidate},
};
use policy::{End, Explanation, FieldClass, Gate, Row};
use protocol::id::{EntryId, RowRef};
use serde::Serialize;
use std::collections::BTreeMap;

/// What would flow to one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// The recipient's node.
    pub to: String,
    /// Its name.
    pub name: String,
    /// People on the list.
    pub people: u64,
    /// People that would flow.
    pub flow: u64,
    /// How many of them with each class of fields.
    pub fields: BTreeMap<FieldClass, u64>,
    /// People of whom nothing would flow.
    pub people_withheld: u64,
    /// People who could not be reached by what may flow, and so do not.
    pub unreachable: u64,
    /// What withholds, by rule.
    pub withheld: Vec<Withheld>,
    /// Decisions that failed; anything but 0 needs somebody to look at the rules.
    pub alarms: u64,
}

/// What one rule withholds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Withheld {
    /// The rule.
    pub rule: String,
    /// Why, for people.
    pub reason: String,
    /// Its source.
    pub cite: Option<String>,
    /// What can be done.
    pub fix: Option<String>,
    /// People of whom nothing flows, with this rule among the reasons.
    pub people: u64,
    /// Values withheld, by class.
    pub fields: BTreeMap<FieldClass, u64>,
}

impl Preview {
    /// Counts in words.
    #[must_use]
    pub fn of(gate: &Gate, to: &Recipient, tally: &Tally) -> Self {
        Self {
            to: to.node.to_string(),
            name: to.name.clone(),
            people: tally.people,
            flow: tally.flow,
            fields: tally.fields.clone(),
            people_withheld: tally.people - tally.flow - tally.unreachable,
            unreachable: tally.unreachable,
            withheld: withheld(gate, tally),
            alarms: tally.alarms,
        }
    }
}

fn withheld(gate: &Gate, tally: &Tally) -> Vec<Withheld> {
    let mut by_rule: BTreeMap<&str, BTreeMap<FieldClass, u64>> = BTreeMap::new();
    for rule in tally.people_withheld.keys() {
        by_rule.entry(rule).or_default();
    }
    for ((rule, class), count) in &tally.withheld {
        *by_rule.entry(rule).or_default().entry(*class).or_default() += count;
    }
    let mut rules: Vec<Withheld> = by_rule
        .into_iter()
        .map(|(rule, fields)| {
            let text = gate.rule(rule);
            let own = pass_on::WITHHELD.iter().find(|(name, ..)| *name == rule);
            Withheld {
                rule: rule.to_owned(),
                reason: text
                    .map(|text| text.reason.clone())
                    .or_else(|| own.map(|(_, reason, _)| (*reason).to_owned()))
                    .unwrap_or_default(),
                cite: text.and_then(|text| text.cite.clone()),
                fix: text
                    .and_then(|text| text.fix.clone())
                    .or_else(|| own.map(|(_, _, fix)| (*fix).to_owned())),
                people: tally.people_withheld.get(rule).copied().unwrap_or(0),
                fields,
            }
        })
        .collect();
    rules.sort_by(|a, b| b.people.cmp(&a.people).then_with(|| a.rule.cmp(&b.rule)));
    rules
}

/// What would flow of a list or of received rows, to each recipient.
///
/// # Errors
/// [`Failure`] when the list, a recipient or the agreement is not there.
pub async fn preview(
    app: &App,
    ask: Ask,
    universe: impl Into<Universe>,
) -> Result<Vec<Preview>, Failure> {
    let plan = Plan::make(app, ask).await?;
    let tallies = plan.walk(app, &universe.into(), None).await?;
    Ok(plan
        .recipients
        .iter()
        .zip(&tallies)
        .map(|(to, tally)| Preview::of(&plan.setting.gate, to, tally))
        .collect())
}

/// The row that is explained: an own person makes one for each recipient, a received one is the same for all.
enum Rows {
    Own(Box<Candidate>),
    Received(Box<Row>),
}

impl Rows {
    async fn read(
        app: &App,
        plan: &Plan,
        person: &str,
        received: Option<(EntryId, RowRef)>,
    ) -> Result<Self, Failure> {
        let found = if let Some(row) = received {
            let row = pass_on::one(plan, app, row).await?;
            row.map(|row| Self::Received(Box::new(row)))
        } else {
            let mut db = app.store.read("reading a person to explain").await?;
            let own = candidate::one(&mut db, person).await?;
            own.map(|own| Self::Own(Box::new(own)))
        };
        found.ok_or_else(|| {
            Failure::not_found(
                "the person is on no list any more, or the received row is gone or must not be used",
            )
        })
    }

    async fn toward(&self, app: &App, plan: &Plan, recipient: &Recipient) -> Result<Row, Failure> {
        match self {
            Self::Own(person) => plan.row(app, recipient, person).await,
            Self::Received(row) => Ok(Row::clone(row)),
        }
    }
}

/// Explains one person toward each recipient, class by class.
///
/// # Errors
/// [`Failure`] when the person, a recipient or the agreement is not there.
pub async fn explain(app: &App, ask: Ask, person: &str) -> Result<Vec<Explanation>, Failure> {
    let received = pass_on::named(person);
    let person = match received {
        Some((share, row)) => pass_on::reference(share, row),
        None => super::plan::person(app, person).await?,
    };
    let plan = Plan::make(app, ask).await?;
    let row_of = Rows::read(app, &plan, &person, received).await?;
    let mut explanations = Vec::new();
    for recipient in &plan.recipients {
        let row = row_of.toward(app, &plan, recipient).await?;
        for field in &plan.ask.fields {
            let mut explanation =
                plan.setting
                    .gate
                    .explain(End::Send, &recipient.flow, &row, *field, plan.now.0);
            explanation.person = Some(person.clone());
            explanation.agreement = Some(plan.setting.agreement.to_string());
            explanations.push(explanation);
        }
    }
    Ok(explanations)
}
