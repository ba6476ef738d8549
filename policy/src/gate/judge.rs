//! One decision: three layers over one cell, and the checks without which Cedar's answer is void.

use super::{Alarm, Gate, NO_PERMIT};
use crate::{
    entities::{self, Person},
    facts::FieldClass,
    flow::{End, Flow},
    rules::Layer,
    schema::{action, schema, uid},
};
use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, Policy, PolicySet, Request};

/// What one layer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LayerVerdict {
    pub(crate) allow: bool,
    /// The permits that allowed, or the forbids that denied; empty when nothing permitted.
    pub(crate) by: Vec<String>,
}

/// What the gate says about one cell of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The layers in the order of [`Layer::ALL`].
    Judged([LayerVerdict; 3]),
    /// Refused, because the answer of the layers would mean nothing.
    Alarmed(Alarm),
}

impl Verdict {
    pub(crate) fn flows(&self) -> bool {
        match self {
            Self::Judged(layers) => layers.iter().all(|layer| layer.allow),
            Self::Alarmed(_) => false,
        }
    }

    pub(crate) fn alarm(&self) -> Option<Alarm> {
        match self {
            Self::Judged(_) => None,
            Self::Alarmed(alarm) => Some(*alarm),
        }
    }

    /// The ids of what withholds; empty exactly when it flows.
    pub(crate) fn reasons(&self) -> Vec<&str> {
        match self {
            Self::Alarmed(alarm) => vec![alarm.name()],
            Self::Judged(layers) => layers
                .iter()
                .filter(|layer| !layer.allow)
                .flat_map(|layer| {
                    let unnamed = layer.by.is_empty().then_some(NO_PERMIT);
                    layer.by.iter().map(String::as_str).chain(unnamed)
                })
                .collect(),
        }
    }
}

/// How many persons share one store; bounds memory, and the cost of building it is spread.
const STORE_PERSONS: usize = 4_096;

/// Judges every cell; the verdicts are in the order of the cells.
pub(crate) fn verdicts(
    gate: &Gate,
    end: End,
    flow: &Flow,
    cells: &[(Person<'_>, FieldClass)],
) -> Vec<Verdict> {
    let mut verdicts = Vec::with_capacity(cells.len());
    for chunk in cells.chunks(STORE_PERSONS) {
        match Bench::new(gate, end, flow, chunk.iter().map(|(person, _)| person)) {
            Err(alarm) => verdicts.extend(chunk.iter().map(|_| Verdict::Alarmed(alarm))),
            Ok(bench) => verdicts.extend(chunk.iter().enumerate().map(|(index, (person, field))| {
                bench.verdict(&name(index), person, *field)
            })),
        }
    }
    verdicts
}

/// The Cedar id of the n-th person of a store.
fn name(index: usize) -> String {
    format!("p{index}")
}

/// A store with persons in it and the context of one flow, ready to judge.
pub(crate) struct Bench<'g> {
    gate: &'g Gate,
    end: End,
    flow: &'g Flow,
    store: Entities,
    context: Context,
}

impl<'g> Bench<'g> {
    pub(crate) fn new<'p>(
        gate: &'g Gate,
        end: End,
        flow: &'g Flow,
        persons: impl Iterator<Item = &'p Person<'p>>,
    ) -> Result<Self, Alarm> {
        let persons = persons.enumerate().map(|(index, p)| entities::person(&name(index), p));
        let store = gate.store.clone().add_entities(persons, Some(schema()));
        let store = store.map_err(|_| Alarm::RequestInvalid)?;
        Ok(Self { gate, end, flow, store, context: entities::context(flow) })
    }

    /// Judges the first person of the store.
    pub(crate) fn first(&self, person: &Person<'_>, field: FieldClass) -> Verdict {
        self.verdict(&name(0), person, field)
    }

    fn verdict(&self, name: &str, person: &Person<'_>, field: FieldClass) -> Verdict {
        match self.judge(name, person, field) {
            Ok(layers) => Verdict::Judged(layers),
            Err(alarm) => Verdict::Alarmed(alarm),
        }
    }

    fn judge(
        &self,
        name: &str,
        person: &Person<'_>,
        field: FieldClass,
    ) -> Result<[LayerVerdict; 3], Alarm> {
        let action = action(self.end, field);
        let resource = uid("Person", name);
        let parties = &self.gate.parties;
        if !entities::flow_is_complete(&self.store, parties, self.end, &action, self.flow)
            || !entities::person_is_complete(&self.store, parties, &resource, person.facts)
        {
            return Err(Alarm::EntityMissing);
        }
        let request = self.request(action, resource)?;
        let canary = self.authorize(&self.gate.canary, &request)?;
        if canary.allow || canary.by != [CANARY] {
            return Err(Alarm::EntityMissing);
        }
        let layer = |layer| self.authorize(self.gate.layer(layer), &request);
        Ok([layer(Layer::Agreement)?, layer(Layer::Law)?, layer(Layer::Own)?])
    }

    /// Whether a single rule applies to the first person, with every check before it.
    pub(crate) fn applies(&self, rule: &Policy, field: FieldClass) -> Result<bool, Alarm> {
        let set = PolicySet::from_policies([rule.clone()]).map_err(|_| Alarm::Eval)?;
        let request = self.request(action(self.end, field), uid("Person", &name(0)))?;
        self.authorize(&set, &request).map(|verdict| verdict.allow)
    }

    /// The deciding node is the principal.
    fn request(&self, action: EntityUid, resource: EntityUid) -> Result<Request, Alarm> {
        let decider = match self.end {
            End::Send => &self.flow.from,
            End::Receive => &self.flow.to,
        };
        let principal = uid("Organization", decider);
        Request::new(principal, action, resource, self.context.clone(), Some(schema()))
            .map_err(|_| Alarm::RequestInvalid)
    }

    /// The only place that asks Cedar. It skips rules that fail; here, one that fails refuses.
    fn authorize(&self, rules: &PolicySet, request: &Request) -> Result<LayerVerdict, Alarm> {
        let response = Authorizer::new().is_authorized(request, rules, &self.store);
        if response.diagnostics().errors().next().is_some() {
            return Err(Alarm::Eval);
        }
        let mut by: Vec<String> =
            response.diagnostics().reason().map(|id| AsRef::<str>::as_ref(id).to_owned()).collect();
        by.sort();
        Ok(LayerVerdict { allow: response.decision() == Decision::Allow, by })
    }
}

const CANARY: &str = "canary.forbid";

/// A permit and a forbid that always applies if groups and parents are in the store.
pub(crate) fn canary() -> PolicySet {
    let permit = "permit (principal, action, resource);";
    let forbid = "forbid (
        principal in Turf::Coalition::\"this\",
        action in Turf::Action::\"Flow\",
        resource is Turf::Person
    ) when {
        context.from in context.coalition && context.to in context.coalition &&
        resource.originator in context.coalition
    };";
    let parse = |id: &str, text| {
        Policy::parse(Some(cedar_policy::PolicyId::new(id)), text).expect("a test parses it")
    };
    PolicySet::from_policies([parse("canary.permit", permit), parse(CANARY, forbid)])
        .expect("the two ids differ")
}
