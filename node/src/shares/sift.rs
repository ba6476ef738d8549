//! People of a list on their way through the gate: all recipients at once, each kind of row judged once.
//!
//! Preview, simulation and sending are this one path. It holds a page of people and the kinds of rows
//! seen so far, at most [`KINDS_AT_ONCE`] and a page more; then their sums are drawn and it begins anew.

use super::{
    build, consent,
    facts::{self, Context},
    payload::SharedRow,
    plan::{Plan, Tally},
};
use crate::{
    app::App,
    http::problem::Failure,
    store::share::candidate::{self, Candidate},
};
use policy::{
    Basis, End, FieldMask, Flow, Gate, Kind, Record, Row, RowFacts, Sieve, SimulatedCell,
};
use protocol::{fold::share::SHARE_ROWS, id::RowRef, state::State};
use std::collections::BTreeMap;

/// So many kinds of rows are kept before their sums are drawn.
pub const KINDS_AT_ONCE: usize = 100_000;

/// Takes every row that flows, with the number of its recipient.
pub type Sink<'s> = &'s mut (dyn FnMut(usize, &Candidate, SharedRow) -> Result<(), Failure> + Send);

/// The people of a list, page by page.
#[derive(Debug)]
pub struct Pages {
    list: String,
    after: String,
}

impl Pages {
    /// Before the first page.
    #[must_use]
    pub fn of(list: &str) -> Self {
        Self {
            list: list.to_owned(),
            after: String::new(),
        }
    }

    /// The next page; empty at the end.
    ///
    /// # Errors
    /// [`Failure`] when the database fails.
    pub async fn next(&mut self, app: &App) -> Result<Vec<Candidate>, Failure> {
        let mut db = app.store.read("reading people to share").await?;
        let people = candidate::page(&mut db, &self.list, &self.after).await?;
        if let Some(last) = people.last() {
            last.id().clone_into(&mut self.after);
        }
        Ok(people)
    }
}

/// One person's row toward each recipient.
#[derive(Debug)]
pub struct Sifted {
    facts: RowFacts,
    /// One for all recipients, or one for each.
    choices: Vec<Choice>,
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
            [one] => Some(*one),
            each => each.get(recipient).copied(),
        }
    }

    /// The kinds of the person's rows.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        self.choices.iter().map(|choice| choice.kind)
    }

    fn row(&self, person: &Candidate, choice: Choice) -> Row {
        let mut facts = self.facts.clone();
        facts.basis = choice.basis;
        let consents = &person.member.consents;
        let consent = choice.record.and_then(|at| consents.get(at));
        Row {
            facts,
            consent: consent.map(|consent| consent.record.clone()),
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
    pub fn page(&mut self, state: &State, people: &[Candidate]) -> Vec<Sifted> {
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
            .map(|person| self.sift(facts::facts(&context, person), person))
            .collect();
        for (person, sifted) in people.iter().zip(&sifted) {
            self.count(build::known(person), sifted);
        }
        sifted
    }

    fn sift(&mut self, mut facts: RowFacts, person: &Candidate) -> Sifted {
        let consents = &person.member.consents;
        let records: Vec<&Record> = consents.iter().map(|consent| &consent.record).collect();
        // One record is the one that everything rests on; of several, each recipient has its own.
        let recipients = match records.len() {
            0 | 1 => 1,
            _ => self.flows.len(),
        };
        let mut choices: Vec<Choice> = Vec::with_capacity(recipients);
        let (plan, flows) = (self.plan, self.flows);
        for (recipient, flow) in plan.recipients.iter().zip(flows).take(recipients) {
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
            let same = choices.iter().find(|known| known.record == record);
            choices.push(same.copied().unwrap_or_else(|| {
                facts.basis = facts::basis(person, chosen);
                Choice {
                    record,
                    basis: facts.basis,
                    kind: self.sieve.kind(&facts, chosen),
                }
            }));
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
            self.sieve.count(one.kind);
            *self.known.entry((None, one.kind, known)).or_default() += 1;
            return;
        }
        for (at, choice) in sifted.choices.iter().enumerate() {
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
        people: &[Candidate],
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
                if !mask.and(build::known(person)).has_contact_point() {
                    continue;
                }
                let shared = build::build(
                    person,
                    &sifted.row(person, choice),
                    mask,
                    &recipient.flow,
                    &recipient.party,
                    RowRef::random(&mut crate::ambient::rng()),
                    self.plan.now.0,
                );
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
