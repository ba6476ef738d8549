//! What is asked to be shared with whom, of own people or of received rows, and what of it would flow.

use super::{
    consent,
    facts::{self, Context},
    setting::Setting,
    sift::{Pages, Sift, Sink},
};
use crate::{
    app::App,
    audit::truths,
    coalition::members,
    http::problem::Failure,
    store::{
        self, people,
        person::Found,
        share::candidate::{self, Candidate},
    },
};
use policy::{
    FieldClass, FieldMask, Flow, Jurisdiction, OrgKind, Outcome, Party, Purpose, Record, Row,
};
use protocol::{
    channel::Channel,
    entry::share::Consideration,
    id::{EntryId, NodeId},
    problem::ProblemKind,
    time::Moment,
};
use std::collections::BTreeMap;

/// The most recipients of one request.
pub const RECIPIENTS: usize = 50;

/// The most lists that a refusal names.
const LISTS_NAMED: usize = 50;

/// What a person asks to share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Recipients by name or the beginning of a node id.
    pub to: Vec<String>,
    /// What for.
    pub purpose: Purpose,
    /// How the recipient will contact people.
    pub channel: Channel,
    /// Which classes of fields.
    pub fields: Vec<FieldClass>,
    /// When the recipient must stop.
    pub expires: Option<Moment>,
    /// What the recipients give for it.
    pub consideration: Consideration,
}

/// A recipient and the flow to it.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// Its node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// As the gate sees it.
    pub party: Party,
    /// The flow.
    pub flow: Flow,
}

/// An ask whose names were looked up.
#[derive(Debug)]
pub struct Plan {
    /// The gate and its agreement.
    pub setting: Setting,
    /// To whom.
    pub recipients: Vec<Recipient>,
    /// What was asked.
    pub ask: Ask,
    /// When it was asked: one moment for every decision.
    pub now: Moment,
}

impl Plan {
    /// Looks up the recipients and sets up the gate.
    ///
    /// # Errors
    /// [`Failure`] when a recipient is unknown or no party, or the ask is out of bounds.
    pub async fn make(app: &App, mut ask: Ask) -> Result<Self, Failure> {
        let now = app.now();
        ask.fields.sort_unstable();
        ask.fields.dedup();
        if ask.fields.is_empty() {
            return Err(Failure::input(format!(
                "name at least one class of fields: {}",
                FieldClass::NAMES.join(", ")
            )));
        }
        if ask.to.is_empty() || ask.to.len() > RECIPIENTS {
            return Err(Failure::input(format!("name 1 to {RECIPIENTS} recipients")));
        }
        if ask.expires.is_some_and(|expires| expires <= now) {
            return Err(Failure::input("the share would have expired already"));
        }
        let setting = Setting::current(app).await?;
        let coalition = crate::coalition::active(app).await?;
        let mut recipients: Vec<Recipient> = Vec::new();
        for who in &ask.to {
            let node = members::find(&coalition.state, who)?;
            let member = coalition
                .state
                .active(node)
                .ok_or_else(|| Failure::not_found("no such member"))?;
            if node == app.me {
                return Err(Failure::input("a share goes to another organization"));
            }
            truths::may_be_given(&coalition.state, node)?;
            if !setting.has(node) || !setting.has(app.me) {
                return Err(Failure::new(
                    ProblemKind::Conflict,
                    format!(
                        "this organization and {} are not both parties to the agreement in force; propose and sign a \
                         version that names both",
                        member.name
                    ),
                ));
            }
            if recipients.iter().any(|known| known.node == node) {
                continue;
            }
            let kind: OrgKind = member.kind.parse().map_err(Failure::internal)?;
            recipients.push(Recipient {
                node,
                name: member.name.clone(),
                party: Party::new(&node.to_string(), &member.name, kind, Jurisdiction::US),
                flow: setting.flow(
                    (app.me, node),
                    (ask.purpose, ask.channel),
                    &ask.consideration,
                    now,
                ),
            });
        }
        drop(coalition);
        Ok(Self {
            setting,
            recipients,
            ask,
            now,
        })
    }

    /// The flow to each recipient.
    #[must_use]
    pub fn flows(&self) -> Vec<Flow> {
        let recipients = self.recipients.iter();
        recipients.map(|recipient| recipient.flow.clone()).collect()
    }

    /// The gate's row of one person for one recipient.
    ///
    /// # Errors
    /// [`Failure`] when this node is in no coalition.
    pub async fn row(
        &self,
        app: &App,
        recipient: &Recipient,
        person: &Candidate,
    ) -> Result<Row, Failure> {
        let coalition = crate::coalition::active(app).await?;
        let context = Context {
            setting: &self.setting,
            state: &coalition.state,
            from: &recipient.flow.from,
            purpose: self.ask.purpose,
            channel: self.ask.channel,
            now: self.now,
        };
        let consents = person.member.consents.iter();
        let records: Vec<&Record> = consents.map(|consent| &consent.record).collect();
        let chosen = consent::choose(
            &records,
            &recipient.flow,
            &recipient.party,
            &self.ask.fields,
            self.now.0,
        );
        let mut facts = facts::facts(&context, person);
        facts.basis = facts::basis(person, chosen);
        Ok(Row {
            facts,
            consent: chosen.cloned(),
        })
    }

    /// Walks people toward all recipients at once; the sink, if there is one, gets every row that flows.
    ///
    /// # Errors
    /// [`Failure`] when the database fails or there are more rows than a share may have.
    pub async fn walk(
        &self,
        app: &App,
        universe: &Universe,
        mut sink: Option<Sink<'_>>,
    ) -> Result<Vec<Tally>, Failure> {
        let flows = self.flows();
        let mut sift = Sift::new(self, &flows);
        let mut pages = Pages::of(self, app, universe).await?;
        loop {
            let people = pages.next(self, app).await?;
            if people.is_empty() {
                return sift.finish();
            }
            let sifted = {
                let coalition = crate::coalition::active(app).await?;
                sift.page(&coalition.state, &people)
            };
            if let Some(sink) = &mut sink {
                sift.give(&people, &sifted, *sink)?;
            }
            if sift.is_full() {
                sift.settle()?;
            }
        }
    }
}

/// Of whom to share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Universe {
    /// The people of an own list, by its name.
    List(String),
    /// Rows that others gave and that may be used.
    Received(Which),
}

impl From<&str> for Universe {
    fn from(list: &str) -> Self {
        Self::List(list.to_owned())
    }
}

/// Which received rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which {
    /// Only those that one organization gave: its name, or the beginning of its node id.
    pub from: Option<String>,
    /// Only those of one share.
    pub share: Option<EntryId>,
}

/// What would flow to one recipient, and what not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// People on the list.
    pub people: u64,
    /// People that flow.
    pub flow: u64,
    /// How many of them with each class.
    pub fields: BTreeMap<FieldClass, u64>,
    /// People of whom nothing flows, by rule.
    pub people_withheld: BTreeMap<String, u64>,
    /// Values withheld, by rule and class.
    pub withheld: BTreeMap<(String, FieldClass), u64>,
    /// People who could not be reached by what may flow.
    pub unreachable: u64,
    /// Decisions refused because something is wrong with the rules or facts.
    pub alarms: u64,
}

impl Tally {
    /// Counts what the gate said of rows.
    pub(super) fn add(&mut self, people: u64, outcome: &Outcome) {
        self.people += people;
        for (rule, count) in &outcome.rows_withheld_by_rule {
            *self.people_withheld.entry(rule.clone()).or_default() += count;
        }
        for (cell, count) in &outcome.withheld {
            *self.withheld.entry(cell.clone()).or_default() += count;
        }
        self.alarms += outcome.errors.values().sum::<u64>();
    }

    /// Counts people of whom these classes may flow, and those are known.
    pub(super) fn reach(&mut self, mask: FieldMask, known: FieldMask, people: u64) {
        let flows = mask.and(known);
        if flows.has_contact_point() {
            self.flow += people;
            for class in flows.iter() {
                *self.fields.entry(class).or_default() += people;
            }
        } else if !mask.is_empty() {
            self.unreachable += people;
        }
    }

    /// Counts a row that the node itself withholds, before any rule is asked.
    pub(super) fn withhold(&mut self, rule: &str) {
        *self.people_withheld.entry(rule.to_owned()).or_default() += 1;
    }
}

/// The list that people mean.
///
/// # Errors
/// [`Failure`] that names the lists there are.
pub async fn list(app: &App, name: &str) -> Result<String, Failure> {
    let mut db = app.store.read("looking for a list").await?;
    if let Some(list) = store::list::by_name(&mut db, name).await? {
        return Ok(list.list_id);
    }
    let lists = store::list::all(&mut db).await?;
    let names: Vec<&str> = lists
        .iter()
        .take(LISTS_NAMED)
        .map(|list| list.name.as_str())
        .collect();
    Err(Failure::not_found(if names.is_empty() {
        "there is no list yet; import one first".to_owned()
    } else {
        format!("no list \"{name}\"; lists: {}", names.join(", "))
    }))
}

/// The person that people mean.
///
/// # Errors
/// [`Failure`] when nobody or several fit.
pub async fn person(app: &App, reference: &str) -> Result<String, Failure> {
    let mut db = app.store.read("looking for a person").await?;
    person_in(&mut db, reference).await
}

/// The same with a connection at hand.
///
/// # Errors
/// As [`person`].
pub async fn person_in(db: &mut sqlx::AnyConnection, reference: &str) -> Result<String, Failure> {
    match people::resolve(&mut *db, reference).await? {
        Found::One(person) => Ok(person),
        Found::Several => Err(Failure::input(
            "several people fit; use the id that lists show, or system:value such as van:12345",
        )),
        // Somebody who is on no list any more may still be with others.
        Found::Nobody if candidate::is_in_ledger(&mut *db, reference.trim()).await? => {
            Ok(reference.trim().to_owned())
        }
        Found::Nobody => Err(Failure::not_found(
            "no person of this node fits; use the id that lists show, or system:value such as van:12345",
        )),
    }
}
