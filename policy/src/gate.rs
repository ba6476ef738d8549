//! The gate: agreement AND law AND own policy, for rows that one organization shares with another.
//!
//! [`Gate::load`] is the only way to one, and refuses whatever the linter refuses. A gate serves
//! one coalition. Deciding is pure: facts and the time go in, masks and counts come out.

pub(crate) mod judge;
mod memo;

use crate::{
    entities,
    facts::{FieldClass, FieldMask, names},
    flow::{End, Flow, Party, Row},
    lint::{self, Code, Fault, Registry},
    rules::{Layer, Rule, RuleText, law_pack_fresh},
    schema::is_id,
    terms::Terms,
};
use cedar_policy::{Entities, Policy, PolicySet};
use memo::Memo;
pub(crate) use memo::person as person_of;
use std::collections::BTreeMap;

/// The most rows of one decision.
pub const MAX_ROWS: usize = 2_000_000;
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

/// The rules in force of one coalition, seen from one organization.
#[derive(Clone, Debug)]
pub struct Gate {
    agreement: PolicySet,
    law: PolicySet,
    own: PolicySet,
    canary: PolicySet,
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
    /// Everything that is wrong with the texts or the organizations' facts.
    pub fn load(terms: &Terms, own: &str, parties: &[Party]) -> Result<Self, Vec<Fault>> {
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
        Ok(Self {
            texts: texts([&agreement, &law, &own]),
            agreement: set(&agreement),
            law: set(&law),
            own: set(&own),
            canary: judge::canary(),
            parties,
            store,
            review_by_ms: terms.review_by_ms,
        })
    }

    /// Decides about rows. Rows with equal facts and equal consent are judged once.
    #[must_use]
    pub fn decide(
        &self,
        end: End,
        flow: &Flow,
        rows: &[Row],
        fields: &[FieldClass],
        now_ms: i64,
    ) -> Outcome {
        let fields: FieldMask = fields.iter().copied().collect();
        if rows.len() > MAX_ROWS {
            return refuse_all(Alarm::Limit, rows, fields);
        }
        let to = match self.fresh(now_ms).and_then(|()| self.recipient(flow)) {
            Ok(to) => to,
            Err(alarm) => return refuse_all(alarm, rows, fields),
        };
        let mut memo = Memo::new(fields);
        let patterns: Vec<usize> = rows
            .iter()
            .map(|row| memo.add(row, flow, to, now_ms))
            .collect();
        let verdicts = judge::verdicts(self, end, flow, memo.cells());
        memo.outcome(&patterns, &verdicts)
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

    /// Whether agreement and law are within their review dates, whatever the flow says of them.
    pub(crate) fn fresh(&self, now_ms: i64) -> Result<(), Alarm> {
        if now_ms >= self.review_by_ms {
            return Err(Alarm::AgreementExpired);
        }
        if !law_pack_fresh(now_ms) {
            return Err(Alarm::LawpackStale);
        }
        Ok(())
    }

    /// The recipient of a flow, when every id of the flow is well-formed and registered.
    pub(crate) fn recipient(&self, flow: &Flow) -> Result<&Party, Alarm> {
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
        self.agreement.policies()
    }

    fn layer(&self, layer: Layer) -> &PolicySet {
        match layer {
            Layer::Agreement => &self.agreement,
            Layer::Law => &self.law,
            Layer::Own => &self.own,
        }
    }
}

fn refuse_all(alarm: Alarm, rows: &[Row], fields: FieldMask) -> Outcome {
    let count = rows.len() as u64;
    let mut outcome = Outcome {
        masks: vec![FieldMask::EMPTY; rows.len()],
        ..Outcome::default()
    };
    let cells = count.saturating_mul(fields.iter().count() as u64);
    if cells > 0 {
        let id = alarm.name().to_owned();
        outcome.withheld = fields
            .iter()
            .map(|field| ((id.clone(), field), count))
            .collect();
        outcome.rows_withheld_by_rule.insert(id, count);
        outcome.errors.insert(alarm, cells);
    }
    outcome
}

fn set(rules: &[Rule]) -> PolicySet {
    PolicySet::from_policies(rules.iter().map(|rule| rule.policy.clone()))
        .expect("the linter refuses two rules with one id")
}

fn texts(layers: [&[Rule]; 3]) -> BTreeMap<String, RuleText> {
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
