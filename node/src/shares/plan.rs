//! The one path of preview and sending: people of a list or received rows, page by page, through the gate.

use super::{
    build,
    facts::{self, Context},
    pass_on,
    payload::SharedRow,
    setting::Setting,
};
use crate::{
    app::App,
    coalition::members,
    http::problem::Failure,
    store::{
        self, people,
        person::Found,
        share::candidate::{self, Candidate},
    },
};
use policy::{End, FieldClass, Flow, Jurisdiction, OrgKind, Outcome, Party, Purpose, Row};
use protocol::{
    channel::Channel,
    entry::share::Consideration,
    fold::share::SHARE_ROWS,
    id::{EntryId, NodeId, RowRef},
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

    /// The gate's row of one person for one recipient.
    ///
    /// # Errors
    /// [`Failure`] when this node is in no coalition.
    pub async fn rows(
        &self,
        app: &App,
        recipient: &Recipient,
        people: &[Candidate],
    ) -> Result<Vec<Row>, Failure> {
        let coalition = crate::coalition::active(app).await?;
        let context = Context {
            setting: &self.setting,
            state: &coalition.state,
            flow: &recipient.flow,
            to: &recipient.party,
            channel: self.ask.channel,
            fields: &self.ask.fields,
            now: self.now,
        };
        Ok(people
            .iter()
            .map(|person| facts::row(&context, person))
            .collect())
    }

    /// Walks people through the gate; the sink gets every row that flows, with the number of its recipient.
    ///
    /// # Errors
    /// [`Failure`] when the database fails or there are more rows than a share may have.
    pub async fn walk(
        &self,
        app: &App,
        universe: &Universe,
        mut sink: impl FnMut(usize, Subject<'_>, SharedRow) -> Result<(), Failure>,
    ) -> Result<Vec<Tally>, Failure> {
        match universe {
            Universe::List(name) => {
                let list = list(app, name).await?;
                self.walk_list(app, &list, &mut sink).await
            }
            Universe::Received(which) => pass_on::walk(self, app, which, &mut sink).await,
        }
    }

    async fn walk_list(
        &self,
        app: &App,
        list: &str,
        sink: &mut impl FnMut(usize, Subject<'_>, SharedRow) -> Result<(), Failure>,
    ) -> Result<Vec<Tally>, Failure> {
        let mut tallies = vec![Tally::default(); self.recipients.len()];
        let mut after = String::new();
        loop {
            let mut db = app.store.read("reading people to share").await?;
            let people = candidate::page(&mut db, list, &after).await?;
            drop(db);
            let Some(last) = people.last() else {
                return Ok(tallies);
            };
            last.id().clone_into(&mut after);
            for (n, (recipient, tally)) in self.recipients.iter().zip(&mut tallies).enumerate() {
                let rows = self.rows(app, recipient, &people).await?;
                let outcome = self.decide(recipient, &rows);
                tally.add(people.len(), &outcome);
                for ((person, row), mask) in people.iter().zip(&rows).zip(&outcome.masks) {
                    if mask.is_empty() {
                        continue;
                    }
                    let name = RowRef::random(&mut crate::ambient::rng());
                    let built = build::build(person, row, *mask, recipient, name, self.now.0);
                    let subject = Subject {
                        id: person.id(),
                        via: None,
                        expires_at: None,
                    };
                    tally.take(n, subject, built, sink)?;
                }
            }
        }
    }

    /// Asks the gate about rows for one recipient.
    #[must_use]
    pub fn decide(&self, recipient: &Recipient, rows: &[Row]) -> Outcome {
        let (flow, fields) = (&recipient.flow, &self.ask.fields);
        self.setting
            .gate
            .decide(End::Send, flow, rows, fields, self.now.0)
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

/// Whose row flows.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// What the ledger calls the person.
    pub id: &'a str,
    /// The received share and row that it comes by; none for own people.
    pub via: Option<(EntryId, RowRef)>,
    /// When the right to use it ends.
    pub expires_at: Option<Moment>,
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
    pub(super) fn add(&mut self, people: usize, outcome: &Outcome) {
        self.people += people as u64;
        for (rule, count) in &outcome.rows_withheld_by_rule {
            *self.people_withheld.entry(rule.clone()).or_default() += count;
        }
        for (cell, count) in &outcome.withheld {
            *self.withheld.entry(cell.clone()).or_default() += count;
        }
        self.alarms += outcome.errors.values().sum::<u64>();
    }

    /// Counts a row that was built, and gives it to the sink; none could be built of somebody who cannot be
    /// reached by what may flow.
    pub(super) fn take(
        &mut self,
        recipient: usize,
        subject: Subject<'_>,
        built: Option<SharedRow>,
        sink: &mut impl FnMut(usize, Subject<'_>, SharedRow) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let Some(row) = built else {
            self.unreachable += 1;
            return Ok(());
        };
        self.flow += 1;
        if self.flow > SHARE_ROWS {
            return Err(Failure::input(
                "one share has at most 1,000,000 persons; share smaller lists",
            ));
        }
        for class in row.fields.mask().iter() {
            *self.fields.entry(class).or_default() += 1;
        }
        sink(recipient, subject, row)
    }

    /// Counts people whom the node itself withholds, before any rule is asked.
    pub(super) fn withhold(&mut self, rule: &str, people: u64) {
        self.people += people;
        *self.people_withheld.entry(rule.to_owned()).or_default() += people;
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
