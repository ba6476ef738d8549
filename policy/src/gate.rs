//! The gate: agreement AND law AND own policy, for rows that one organization shares with another.
//!
//! [`Gate::load`] is the only way to one, and refuses whatever the linter refuses. A gate serves
//! one coalition. Deciding is pure: facts and the time go in, masks and counts come out.

mod group;
pub(crate) mod judge;
mod outcome;
mod pass;
mod publish;
mod reads;
mod sheet;
mod sides;
mod sieve;
mod simulate;
mod table;

use crate::{
    columns::{Columns, MAX_ROWS},
    entities,
    facts::{FieldClass, FieldMask, names},
    flow::{End, Flow, Party, Row},
    lint::{self, Code, Fault, Registry},
    rules::{Layer, Rule, RuleText, law_pack_fresh},
    schema::is_id,
    terms::Terms,
};
use cedar_policy::{Entities, Policy};
use group::{Group, LayerRules};
use outcome::refuse_all;
use pass::Pass;
pub use publish::{Matrix, MatrixRow, Publication, PublicationKind, Readers, ResultFacts, Verdict};
use sheet::Sheet;
pub use sides::opposite_sides;
pub use sieve::{Kind, Sieve};
pub use simulate::{Change, MAX_SAMPLES, SimulatedCell};
use std::collections::BTreeMap;
use table::{Kinds, Table};

/// The most organizations of one coalition.
pub const MAX_PARTIES: usize = 1_000;

names! {
    /// Something is wrong with the gate or its input; whatever it concerns is refused.
    Alarm: "alarm" {
        /// A rule failed while it was evaluated.
        Eval = "E_EVAL",
        /// An organization, place, race, parent or action group is not registered.
        EntityMissing = "E_ENTITY_MISSING",
        /// The facts do not fit the schema.
        RequestInvalid = "E_REQUEST_INVALID",
        /// An id has characters that ids do not have.
        UnknownValue = "E_UNKNOWN_VALUE",
        /// Too many rows at once.
        Limit = "E_LIMIT",
        /// The agreement is past its review date.
        AgreementExpired = "E_AGREEMENT_EXPIRED",
        /// The built-in law is past its review date.
        LawpackStale = "E_LAWPACK_STALE",
    }
}

impl Alarm {
    fn sentence(self) -> &'static str {
        match self {
            Self::Eval => "A rule failed to evaluate; have the rules checked.",
            Self::EntityMissing => {
                "An organization, place or race of the row is not registered; check its ids."
            }
            Self::RequestInvalid => "The facts of the row do not fit the schema; check the import.",
            Self::UnknownValue => "An id of the share has characters that ids do not have.",
            Self::Limit => "There are too many rows at once; share them in parts.",
            Self::AgreementExpired => {
                "The agreement is past its review date; all members sign a reviewed version."
            }
            Self::LawpackStale => "The built-in law is past its review date; update the program.",
        }
    }
}

/// The id under which a refusal is counted when no rule of the agreement permits.
pub const NO_PERMIT: &str = "ag.no-permit";

/// What may flow of many rows, and why the rest may not.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Outcome {
    /// One mask per row, in the order of the rows.
    pub masks: Vec<FieldMask>,
    /// Rows withheld, per rule and class of fields; a row that two rules withhold counts at both.
    pub withheld: BTreeMap<(String, FieldClass), u64>,
    /// Rows of which nothing flows, per rule.
    pub rows_withheld_by_rule: BTreeMap<String, u64>,
    /// Cells refused because something is wrong; anything here deserves a person's attention.
    pub errors: BTreeMap<Alarm, u64>,
}

/// What it took to decide; for measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Effort {
    /// Distinct rows, before any flow is looked at.
    pub kinds: usize,
    /// Tuples of facts that were told apart, over all groups of rules and passes.
    pub tuples: usize,
    /// Times that Cedar was asked.
    pub cedar_calls: u64,
}

/// The rules in force of one coalition, seen from one organization.
#[derive(Clone, Debug)]
pub struct Gate {
    /// In the order of [`Layer::ALL`].
    layers: [LayerRules; 3],
    canary: Group,
    texts: BTreeMap<String, RuleText>,
    parties: BTreeMap<String, Party>,
    store: Entities,
    review_by_ms: i64,
}

impl Gate {
    /// Builds a gate from the agreement's terms, the organization's own rules
    /// ([`crate::OWN_DEFAULT`] when it wrote none) and every organization of the coalition.
    ///
    /// # Errors
    /// Everything that is wrong with the texts or the organizations' facts, organizations on
    /// opposite sides of one race included.
    pub fn load(terms: &Terms, own: &str, parties: &[Party]) -> Result<Self, Vec<Fault>> {
        let conflicts = opposite_sides(parties);
        match Self::build(terms, own, parties) {
            Ok(gate) if conflicts.is_empty() => Ok(gate),
            Ok(_) => Err(conflicts),
            Err(faults) => Err(faults.into_iter().chain(conflicts).collect()),
        }
    }

    /// Everything but the check that no two organizations stand on opposite sides of a race.
    pub(crate) fn build(terms: &Terms, own: &str, parties: &[Party]) -> Result<Self, Vec<Fault>> {
        let mut faults = check_parties(parties);
        let registry = Registry {
            organizations: parties.iter().map(|party| party.id.as_str()).collect(),
            races: parties
                .iter()
                .flat_map(entities::races_of)
                .map(String::as_str)
                .collect(),
        };
        let mut layer = |result: Result<Vec<Rule>, Vec<Fault>>| {
            result.unwrap_or_else(|found| {
                faults.extend(found);
                Vec::new()
            })
        };
        let agreement = layer(lint::load_layer(
            Layer::Agreement,
            &terms.rules,
            Some(&registry),
        ));
        let law = layer(lint::load_law());
        let own = layer(lint::load_layer(Layer::Own, own, Some(&registry)));
        if agreement.len() + law.len() + own.len() > lint::MAX_RULES {
            faults.push(fault(
                Code::Limit,
                None,
                "there are more than 500 rules in all",
            ));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let parties: BTreeMap<String, Party> = parties
            .iter()
            .map(|party| (party.id.clone(), party.clone()))
            .collect();
        let store = entities::base(&parties).map_err(|error| {
            vec![fault(
                Code::PolicyInvalid,
                None,
                &format!("the facts do not fit the schema: {error}"),
            )]
        })?;
        let layers = [&agreement, &law, &own];
        Ok(Self {
            texts: texts(layers),
            layers: layers.map(|rules| {
                let policies: Vec<Policy> = rules.iter().map(|rule| rule.policy.clone()).collect();
                LayerRules::new(&policies)
            }),
            canary: Group::canary(),
            parties,
            store,
            review_by_ms: terms.review_by_ms,
        })
    }

    /// The same gate without the organization's own rules: what agreement and law alone let through.
    #[must_use]
    pub fn without_own(&self) -> Self {
        let own = lint::load_layer(Layer::Own, crate::OWN_DEFAULT, None)
            .expect("a constant text that the tests load, too");
        let policies: Vec<Policy> = own.into_iter().map(|rule| rule.policy).collect();
        let mut gate = self.clone();
        let [.., layer] = &mut gate.layers;
        *layer = LayerRules::new(&policies);
        gate
    }

    /// Decides about rows in one flow.
    #[must_use]
    pub fn decide(
        &self,
        end: End,
        flow: &Flow,
        rows: &[Row],
        fields: &[FieldClass],
        now_ms: i64,
    ) -> Outcome {
        if rows.len() > MAX_ROWS {
            return refuse_all(Alarm::Limit, rows.len(), fields.iter().copied().collect());
        }
        let columns = Columns::from_rows(rows, now_ms);
        let outcomes = self.decide_all(end, std::slice::from_ref(flow), &columns, fields);
        outcomes
            .into_iter()
            .next()
            .expect("one flow has one outcome")
    }

    /// Decides about rows in many flows at once; the outcomes are in the order of the flows.
    #[must_use]
    pub fn decide_all(
        &self,
        end: End,
        flows: &[Flow],
        columns: &Columns,
        fields: &[FieldClass],
    ) -> Vec<Outcome> {
        self.decide_measured(end, flows, columns, fields).0
    }

    /// The same, with what it took.
    #[must_use]
    pub fn decide_measured(
        &self,
        end: End,
        flows: &[Flow],
        columns: &Columns,
        fields: &[FieldClass],
    ) -> (Vec<Outcome>, Effort) {
        let fields: FieldMask = fields.iter().copied().collect();
        let mut effort = Effort::default();
        if columns.len() > MAX_ROWS {
            let refused = |_: &Flow| refuse_all(Alarm::Limit, columns.len(), fields);
            return (flows.iter().map(refused).collect(), effort);
        }
        let kinds = Kinds::of(columns);
        effort.kinds = kinds.counts.len();
        let mut outcomes = Vec::with_capacity(flows.len());
        for flows in flows.chunks(pass::FLOWS) {
            let pass = Pass::new(self, end, flows, fields, columns.now_ms());
            let table = Table::new(&pass, columns, &kinds);
            let sheet = Sheet::new(&pass, &table);
            effort.tuples += sheet.tuples;
            effort.cedar_calls += sheet.asked_cedar;
            outcomes.extend(outcome::outcomes(&pass, &kinds, &table, &sheet));
        }
        (outcomes, effort)
    }

    /// The layers' answers about one cell of a single row: the very decision that
    /// [`Self::decide`] makes.
    pub(crate) fn answers(
        &self,
        end: End,
        flow: &Flow,
        row: &Columns,
        field: FieldClass,
    ) -> Result<[judge::Answer; 3], Alarm> {
        let fields = std::iter::once(field).collect();
        let pass = Pass::new(self, end, std::slice::from_ref(flow), fields, row.now_ms());
        let table = Table::new(&pass, row, &Kinds::of(row));
        Sheet::new(&pass, &table).answers(0, pass::bit(0, field))
    }

    /// What people read about a rule, built-in refusals included.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&RuleText> {
        self.texts.get(id)
    }

    /// Every rule that may appear in an outcome, by id.
    pub fn rules(&self) -> impl Iterator<Item = &RuleText> {
        self.texts.values()
    }

    /// The recipient of a flow, when agreement and law are within their review dates, whatever the
    /// flow says of them, and every id of the flow is well-formed and registered.
    pub(crate) fn recipient(&self, flow: &Flow, now_ms: i64) -> Result<&Party, Alarm> {
        if now_ms >= self.review_by_ms {
            return Err(Alarm::AgreementExpired);
        }
        if !law_pack_fresh(now_ms) {
            return Err(Alarm::LawpackStale);
        }
        if ![&flow.from, &flow.to, &flow.coalition]
            .into_iter()
            .all(|id| is_id(id))
        {
            return Err(Alarm::UnknownValue);
        }
        if !self.parties.contains_key(&flow.from) {
            return Err(Alarm::EntityMissing);
        }
        self.parties.get(&flow.to).ok_or(Alarm::EntityMissing)
    }

    /// The rules of the agreement, for saying what a permit lacks.
    pub(crate) fn agreement_permits(&self) -> impl Iterator<Item = &Policy> {
        self.layer(Layer::Agreement).whole.policies()
    }

    pub(crate) fn layer(&self, layer: Layer) -> &LayerRules {
        let [agreement, law, own] = &self.layers;
        match layer {
            Layer::Agreement => agreement,
            Layer::Law => law,
            Layer::Own => own,
        }
    }
}

fn texts(layers: [&Vec<Rule>; 3]) -> BTreeMap<String, RuleText> {
    let built_in = |id: &str, reason: &str, layer| RuleText {
        id: id.to_owned(),
        reason: reason.to_owned(),
        cite: None,
        fix: None,
        code: id.starts_with("E_").then(|| id.to_owned()),
        permits: false,
        layer,
    };
    let alarms = Alarm::ALL
        .iter()
        .map(|alarm| built_in(alarm.name(), alarm.sentence(), Layer::Law));
    let no_permit = built_in(
        NO_PERMIT,
        "No rule of the agreement permits it.",
        Layer::Agreement,
    );
    let rules = layers.into_iter().flatten().map(|rule| rule.text.clone());
    rules
        .chain(alarms)
        .chain([no_permit])
        .map(|text| (text.id.clone(), text))
        .collect()
}

fn fault(code: Code, id: Option<&str>, message: &str) -> Fault {
    Fault {
        code,
        layer: None,
        line: 0,
        id: id.map(str::to_owned),
        message: message.to_owned(),
    }
}

fn check_parties(parties: &[Party]) -> Vec<Fault> {
    let mut faults = Vec::new();
    if parties.is_empty() || parties.len() > MAX_PARTIES {
        faults.push(fault(
            Code::Limit,
            None,
            "a coalition has 1 to 1,000 organizations",
        ));
    }
    let mut seen = std::collections::BTreeSet::new();
    for party in parties {
        let races = entities::races_of(party);
        if !is_id(&party.id) || races.into_iter().any(|race| !is_id(race)) {
            let message = "ids of organizations and races have only the characters a-z 0-9 . _ -";
            faults.push(fault(Code::IdCharset, None, message));
            continue;
        }
        if !seen.insert(&party.id) {
            let message = "two organizations have this id; each has its own";
            faults.push(fault(Code::PolicyId, Some(&party.id), message));
        }
        if !party.coordinated_races.is_disjoint(&party.ie_races) {
            let message = "an organization cannot coordinate and spend independently in one race";
            faults.push(fault(Code::FirewallConflict, Some(&party.id), message));
        }
    }
    faults
}

#[cfg(test)]
mod tests;
