//! The only place that asks Cedar, and the checks without which Cedar's answer is void.
//!
//! Cedar skips a rule that fails; here a rule that fails refuses. Whoever asks has looked up every
//! id that the decision rests on ([`crate::entities`]) and has had a canary denied.

use super::{Alarm, Gate};
use crate::{
    entities::{self, Person},
    facts::{FieldClass, FieldMask},
    flow::{End, Flow, Row},
    rules::Layer,
    schema::{action, schema, uid},
};
use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, Policy, PolicySet, Request,
};

/// What a set of rules answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) allow: bool,
    /// The permits that allowed, or the forbids that denied; empty when nothing permitted.
    pub(crate) by: Vec<String>,
}

/// What is asked, apart from whom it is about.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    principal: EntityUid,
    action: EntityUid,
    context: Context,
}

impl Question {
    /// A cell of a flow: may this class of fields flow? The deciding node is the principal.
    ///
    /// # Errors
    /// [`Alarm::RequestInvalid`] when the flow does not fit the schema.
    pub(crate) fn of_cell(end: End, flow: &Flow, field: FieldClass) -> Result<Self, Alarm> {
        let decider = match end {
            End::Send => &flow.from,
            End::Receive => &flow.to,
        };
        Self::new(decider, action(end, field), flow, uid("Person", &name(0)))
    }

    /// A question about one kind of thing. Against the schema it is checked here, once: what
    /// differs later is the name of the thing alone.
    pub(crate) fn new(
        decider: &str,
        action: EntityUid,
        flow: &Flow,
        about: EntityUid,
    ) -> Result<Self, Alarm> {
        let question = Self {
            principal: uid("Organization", decider),
            action,
            context: entities::context(flow),
        };
        question.request(about, true)?;
        Ok(question)
    }

    fn request(&self, about: EntityUid, checked: bool) -> Result<Request, Alarm> {
        Request::new(
            self.principal.clone(),
            self.action.clone(),
            about,
            self.context.clone(),
            checked.then(schema),
        )
        .map_err(|_| Alarm::RequestInvalid)
    }
}

/// How many persons share one store; bounds memory, and the cost of building it is spread.
pub(crate) const STORE_PERSONS: usize = 4_096;

/// The Cedar id of the n-th person of a store.
pub(crate) fn name(index: usize) -> String {
    format!("p{index}")
}

/// The gate's store with things in it to be asked about.
pub(crate) struct Bench(Entities);

impl Bench {
    /// # Errors
    /// [`Alarm::RequestInvalid`] when a thing does not fit the schema.
    pub(crate) fn new(gate: &Gate, things: impl Iterator<Item = Entity>) -> Result<Self, Alarm> {
        let store = gate.store.clone().add_entities(things, Some(schema()));
        store.map(Self).map_err(|_| Alarm::RequestInvalid)
    }

    /// With persons, who are called by their [`name`]s.
    pub(crate) fn of_persons<'p>(
        gate: &Gate,
        persons: impl Iterator<Item = &'p Person<'p>>,
    ) -> Result<Self, Alarm> {
        let persons = persons.enumerate();
        Self::new(
            gate,
            persons.map(|(index, p)| entities::person(&name(index), p)),
        )
    }

    /// Asks Cedar. A rule that fails makes the answer void.
    pub(crate) fn ask(
        &self,
        rules: &PolicySet,
        question: &Question,
        about: &EntityUid,
    ) -> Result<Answer, Alarm> {
        if self.0.get(about).is_none() {
            return Err(Alarm::EntityMissing);
        }
        let request = question.request(about.clone(), false)?;
        let response = Authorizer::new().is_authorized(&request, rules, &self.0);
        if response.diagnostics().errors().next().is_some() {
            return Err(Alarm::Eval);
        }
        let mut by: Vec<String> = response
            .diagnostics()
            .reason()
            .map(|id| AsRef::<str>::as_ref(id).to_owned())
            .collect();
        by.sort();
        Ok(Answer {
            allow: response.decision() == Decision::Allow,
            by,
        })
    }

    /// Whether a single rule applies.
    pub(crate) fn applies(
        &self,
        rule: &Policy,
        question: &Question,
        about: &EntityUid,
    ) -> Result<bool, Alarm> {
        let set = PolicySet::from_policies([rule.clone()]).map_err(|_| Alarm::Eval)?;
        self.ask(&set, question, about).map(|answer| answer.allow)
    }

    /// Asks the canary, then every layer; any alarm voids them all.
    pub(crate) fn layers(
        &self,
        gate: &Gate,
        question: &Question,
        about: &EntityUid,
    ) -> Result<[Answer; 3], Alarm> {
        let canary = self.ask(&gate.canary.rules, question, about)?;
        if canary.allow || canary.by != [CANARY] {
            return Err(Alarm::EntityMissing);
        }
        let layer = |layer| self.ask(&gate.layer(layer).whole, question, about);
        Ok([
            layer(Layer::Agreement)?,
            layer(Layer::Law)?,
            layer(Layer::Own)?,
        ])
    }
}

impl Gate {
    /// The decision as it is defined: every layer, whole, about every row and class by itself.
    ///
    /// [`Gate::decide`] comes to the same masks some ten thousand times faster; this is what tests
    /// and measurements compare it with.
    #[must_use]
    pub fn reference(
        &self,
        end: End,
        flow: &Flow,
        rows: &[Row],
        fields: &[FieldClass],
        now_ms: i64,
    ) -> Vec<FieldMask> {
        let mut masks = vec![FieldMask::EMPTY; rows.len()];
        for field in fields.iter().copied() {
            let answers = rows
                .chunks(STORE_PERSONS)
                .flat_map(|rows| self.refer(end, flow, rows, field, now_ms));
            for (mask, answer) in masks.iter_mut().zip(answers) {
                if answer.is_ok_and(|layers| layers.iter().all(|layer| layer.allow)) {
                    mask.insert(field);
                }
            }
        }
        masks
    }

    /// The layers' answers about one class of each row, asked directly.
    pub(crate) fn refer(
        &self,
        end: End,
        flow: &Flow,
        rows: &[Row],
        field: FieldClass,
        now_ms: i64,
    ) -> Vec<Result<[Answer; 3], Alarm>> {
        let (to, question) = match (
            self.recipient(flow, now_ms),
            self.question(end, flow, field),
        ) {
            (Ok(to), Ok(question)) => (to, question),
            (Err(alarm), _) | (_, Err(alarm)) => return rows.iter().map(|_| Err(alarm)).collect(),
        };
        let persons: Vec<Person<'_>> = rows
            .iter()
            .map(|row| Person::of(row, flow, to, field, now_ms))
            .collect();
        let bench = Bench::of_persons(self, persons.iter());
        let answer = |(index, person): (usize, &Person<'_>)| {
            if !entities::person_is_complete(&self.store, &self.parties, person) {
                return Err(Alarm::EntityMissing);
            }
            let bench = bench.as_ref().map_err(|alarm| *alarm)?;
            bench.layers(self, &question, &uid("Person", &name(index)))
        };
        persons.iter().enumerate().map(answer).collect()
    }
}

/// The forbid that must deny.
pub(crate) const CANARY: &str = "canary.forbid";

/// A permit and a forbid that always applies if groups and parents are in the store.
pub(crate) fn canary() -> Vec<Policy> {
    let permit = "permit (principal, action, resource);";
    let forbid = "forbid (
        principal in Turf::Coalition::\"this\",
        action in Turf::Action::\"Flow\",
        resource
    ) when {
        context.from in context.coalition && context.to in context.coalition &&
        (if resource is Turf::Person then resource.originator in context.coalition
         else resource.author in context.coalition)
    };";
    let parse = |id: &str, text| {
        Policy::parse(Some(cedar_policy::PolicyId::new(id)), text).expect("a test parses it")
    };
    vec![parse("canary.permit", permit), parse(CANARY, forbid)]
}
