//! People on their way through the gate: all recipients at once, each kind of row judged once. Own people
//! of a list and rows that others gave ([`pass_on`]) go this one way.
//!
//! Preview, simulation and sending are this one path. It holds a page of people and the kinds of rows
//! seen so far, at most [`KINDS_AT_ONCE`] and a page more; then their sums are drawn and it begins anew.

use super::{
    build, consent,
    facts::{self, Context},
    pass_on::{self, Held},
    payload::SharedRow,
    plan::{self, Plan, Recipient, Tally, Universe},
};
use crate::{
    app::App,
    http::problem::Failure,
    store::share::candidate::{self, Candidate},
};
use policy::{
    Basis, End, FieldMask, Flow, Gate, Kind, Record, Row, RowFacts, Sieve, SimulatedCell,
};
use protocol::{
    fold::share::SHARE_ROWS,
    id::{EntryId, NodeId, RowRef},
    state::State,
    time::Moment,
};
use std::collections::BTreeMap;

/// So many kinds of rows are kept before their sums are drawn.
pub const KINDS_AT_ONCE: usize = 100_000;

/// Takes every row that flows, with the number of its recipient.
pub type Sink<'s> = &'s mut (dyn FnMut(usize, &Subject, SharedRow) -> Result<(), Failure> + Send);

/// Whose row may flow.
#[derive(Debug)]
pub enum Subject {
    /// Somebody of an own list.
    Own(Box<Candidate>),
    /// Somebody whom another organization gave.
    Received(Box<Held>),
}

impl Subject {
    /// What the ledger calls the person.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Own(person) => person.id(),
            Self::Received(held) => held.id(),
        }
    }

    /// The received share and row that it comes by; none for own people.
    #[must_use]
    pub fn via(&self) -> Option<(EntryId, RowRef)> {
        match self {
            Self::Own(_) => None,
            Self::Received(held) => Some(held.via()),
        }
    }

    /// When the right to use it ends.
    #[must_use]
    pub fn expires_at(&self) -> Option<Moment> {
        match self {
            Self::Own(_) => None,
            Self::Received(held) => held.expires_at(),
        }
    }

    /// Why the node itself withholds it from a recipient, before any rule is asked.
    fn withheld(&self, to: NodeId) -> Option<&'static str> {
        match self {
            Self::Own(_) => None,
            Self::Received(held) => held.withheld(to),
        }
    }

    /// Classes of fields of which something is known.
    fn known(&self) -> FieldMask {
        match self {
            Self::Own(person) => build::known(person),
            Self::Received(held) => held.known(),
        }
    }

    /// The records that a row can rest on.
    fn records(&self) -> Vec<&Record> {
        match self {
            Self::Own(person) => {
                let consents = person.member.consents.iter();
                consents.map(|consent| &consent.record).collect()
            }
            Self::Received(held) => held.record().into_iter().collect(),
        }
    }

    fn facts(&self, context: &Context<'_>) -> RowFacts {
        match self {
            Self::Own(person) => facts::facts(context, person),
            Self::Received(held) => held.facts().clone(),
        }
    }

    /// The ground of a row that rests on a record; what was received keeps the one that it came with.
    fn basis(&self, chosen: Option<&Record>) -> Basis {
        match self {
            Self::Own(person) => facts::basis(person, chosen),
            Self::Received(held) => held.facts().basis,
        }
    }

    fn build(
        &self,
        row: &Row,
        mask: FieldMask,
        recipient: &Recipient,
        now: Moment,
    ) -> Option<SharedRow> {
        let name = RowRef::random(&mut crate::ambient::rng());
        match self {
            Self::Own(person) => build::build(person, row, mask, recipient, name, now.0),
            Self::Received(held) => held.build(row, mask, recipient, name, now.0),
        }
    }
}

/// People, page by page.
#[derive(Debug)]
pub enum Pages {
    /// Of an own list, by its id, after a person.
    List(String, String),
    /// Of what others gave.
    Received(Box<pass_on::Pages>),
}

impl Pages {
    /// Before the first page.
    ///
    /// # Errors
    /// [`Failure`] when the list or received share is not there, or received rows must not be used.
    pub async fn of(plan: &Plan, app: &App, universe: &Universe) -> Result<Self, Failure> {
        Ok(match universe {
            Universe::List(name) => Self::of_list(plan::list(app, name).await?),
            Universe::Received(which) => {
                Self::Received(Box::new(pass_on::Pages::of(plan, app, which).await?))
            }
        })
    }

    /// Before the first page of a list, by its id.
    #[must_use]
    pub fn of_list(id: String) -> Self {
        Self::List(id, String::new())
    }

    /// The next page; empty at the end.
    ///
    /// # Errors
    /// [`Failure`] when the database fails.
    pub async fn next(&mut self, plan: &Plan, app: &App) -> Result<Vec<Subject>, Failure> {
        match self {
            Self::List(list, after) => {
                let mut db = app.store.read("reading people to share").await?;
                let people = candidate::page(&mut db, list, after).await?;
                if let Some(last) = people.last() {
                    last.id().clone_into(after);
                }
                let own = people.into_iter().map(Box::new);
                Ok(own.map(Subject::Own).collect())
            }
            Self::Received(pages) => {
                let rows = pages.next(plan, app).await?.into_iter().map(Box::new);
                Ok(rows.map(Subject::Received).collect())
            }
        }
    }
}

/// One person's row toward each recipient.
#[derive(Debug)]
pub struct Sifted {
    facts: RowFacts,
    /// One for all recipients, or one for each; none where the node itself withholds the row.
    choices: Vec<Option<Choice>>,
}

/// The record that a row rests on, by its place, and what kind of row that makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Choice {
    record: Option<usize>,
    basis: Basis,
    kind: Kind,
}

impl Sifted {
    fn choice(&self, recipient: usize) -> Option<Choice> {
        match self.choices.as_slice() {
            [one] => *one,
            each => each.get(recipient).copied().flatten(),
        }
    }

    /// The kinds of the person's rows.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.choices.iter().flatten().map(|choice| choice.kind)
    }

    fn row(&self, person: &Subject, choice: Choice) -> Row {
        let mut facts = self.facts.clone();
        facts.basis = choice.basis;
        let records = person.records();
        let record = choice.record.and_then(|at| records.get(at));
        Row {
            facts,
            consent: record.map(|record| (*record).clone()),
        }
    }
}

/// What was sifted so far.
#[derive(Debug)]
pub struct Sift<'p> {
    plan: &'p Plan,
    flows: &'p [Flow],
    sieve: Sieve<'p>,
    people: u64,
    /// How many people, by the recipient that their row is for (none: all), the row's kind and the
    /// classes that are known of them.
    known: BTreeMap<(Option<usize>, Kind, FieldMask), u64>,
    tallies: Vec<Tally>,
}

impl<'p> Sift<'p> {
    /// Nothing yet; the flows are those of the plan.
    #[must_use]
    pub fn new(plan: &'p Plan, flows: &'p [Flow]) -> Self {
        Self {
            plan,
            flows,
            sieve: sieve(plan, flows),
            people: 0,
            known: BTreeMap::new(),
            tallies: vec![Tally::default(); flows.len()],
        }
    }

    /// Counts a page of people.
    pub fn page(&mut self, state: &State, people: &[Subject]) -> Vec<Sifted> {
        let from = self.flows.first().map(|flow| flow.from.clone());
        let context = Context {
            setting: &self.plan.setting,
            state,
            from: from.as_deref().unwrap_or_default(),
            purpose: self.plan.ask.purpose,
            channel: self.plan.ask.channel,
            now: self.plan.now,
        };
        let sifted: Vec<Sifted> = people
            .iter()
            .map(|person| self.sift(person.facts(&context), person))
            .collect();
        for (person, sifted) in people.iter().zip(&sifted) {
            self.count(person.known(), sifted);
        }
        sifted
    }

    fn sift(&mut self, mut facts: RowFacts, person: &Subject) -> Sifted {
        let (plan, flows) = (self.plan, self.flows);
        let records = person.records();
        let mut asked: Vec<bool> = Vec::with_capacity(flows.len());
        for (recipient, tally) in plan.recipients.iter().zip(&mut self.tallies) {
            let withheld = person.withheld(recipient.node);
            if let Some(rule) = withheld {
                tally.withhold(rule);
            }
            asked.push(withheld.is_none());
        }
        // One record is the one that everything rests on; of several, each recipient has its own.
        let recipients = match records.len() {
            0 | 1 if asked.iter().all(|asked| *asked) => 1,
            _ => flows.len(),
        };
        let mut choices: Vec<Option<Choice>> = Vec::with_capacity(recipients);
        let each = plan.recipients.iter().zip(flows).zip(asked);
        for ((recipient, flow), asked) in each.take(recipients) {
            if !asked {
                choices.push(None);
                continue;
            }
            let chosen = consent::choose(
                &records,
                flow,
                &recipient.party,
                &plan.ask.fields,
                plan.now.0,
            );
            let record = chosen.and_then(|chosen| {
                records
                    .iter()
                    .position(|known| std::ptr::eq(*known, chosen))
            });
            let mut known = choices.iter().flatten();
            let same = known.find(|known| known.record == record).copied();
            choices.push(Some(same.unwrap_or_else(|| {
                facts.basis = person.basis(chosen);
                Choice {
                    record,
                    basis: facts.basis,
                    kind: self.sieve.kind(&facts, chosen),
                }
            })));
        }
        if choices
            .iter()
            .skip(1)
            .all(|one| choices.first() == Some(one))
        {
            choices.truncate(1);
        }
        Sifted { facts, choices }
    }

    fn count(&mut self, known: FieldMask, sifted: &Sifted) {
        self.people += 1;
        if let [one] = sifted.choices.as_slice() {
            if let Some(one) = one {
                self.sieve.count(one.kind);
                *self.known.entry((None, one.kind, known)).or_default() += 1;
            }
            return;
        }
        for (at, choice) in sifted.choices.iter().enumerate() {
            let Some(choice) = choice else {
                continue;
            };
            self.sieve.count_in(at, choice.kind);
            let key = (Some(at), choice.kind, known);
            *self.known.entry(key).or_default() += 1;
        }
    }

    /// Gives a page's rows that flow to the sink.
    ///
    /// # Errors
    /// What the sink says.
    pub fn give(
        &mut self,
        people: &[Subject],
        sifted: &[Sifted],
        sink: Sink<'_>,
    ) -> Result<(), Failure> {
        self.sieve.judge();
        for (at, recipient) in self.plan.recipients.iter().enumerate() {
            for (person, sifted) in people.iter().zip(sifted) {
                let Some(choice) = sifted.choice(at) else {
                    continue;
                };
                let mask = self.sieve.mask(at, choice.kind);
                if !mask.and(person.known()).has_contact_point() {
                    continue;
                }
                let row = sifted.row(person, choice);
                let shared = person.build(&row, mask, recipient, self.plan.now);
                if let Some(shared) = shared {
                    sink(at, person, shared)?;
                }
            }
        }
        Ok(())
    }

    /// Whether it is time to draw sums.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.sieve.len() >= KINDS_AT_ONCE
    }

    /// What a draft would change for everything since sums were drawn last; they are drawn hereby.
    pub fn simulate(&mut self, draft: &Gate) -> (u64, Vec<SimulatedCell>) {
        let cells = self.sieve.simulate(draft);
        let people = self.people;
        self.begin_anew();
        (people, cells)
    }

    /// Draws the sums of what was counted since.
    ///
    /// # Errors
    /// [`Failure`] when more flows to one recipient than a share may have.
    pub fn settle(&mut self) -> Result<(), Failure> {
        let outcomes = self.sieve.outcomes();
        for (tally, outcome) in self.tallies.iter_mut().zip(&outcomes) {
            tally.add(self.people, outcome);
        }
        for ((only, kind, known), people) in &self.known {
            for (at, tally) in self.tallies.iter_mut().enumerate() {
                if only.is_none_or(|only| only == at) {
                    tally.reach(self.sieve.mask(at, *kind), *known, *people);
                }
            }
        }
        self.begin_anew();
        if self.tallies.iter().any(|tally| tally.flow > SHARE_ROWS) {
            return Err(Failure::input(
                "one share has at most 1,000,000 persons; share smaller lists",
            ));
        }
        Ok(())
    }

    /// The sums of everything.
    ///
    /// # Errors
    /// As [`Self::settle`].
    pub fn finish(mut self) -> Result<Vec<Tally>, Failure> {
        self.settle()?;
        Ok(self.tallies)
    }

    fn begin_anew(&mut self) {
        self.sieve = sieve(self.plan, self.flows);
        self.known.clear();
        self.people = 0;
    }
}

fn sieve<'p>(plan: &'p Plan, flows: &'p [Flow]) -> Sieve<'p> {
    let gate = &plan.setting.gate;
    gate.sieve(End::Send, flows, &plan.ask.fields, plan.now.0)
}
