//! Asking the gate every vector, and counting which rules have been shown at work.

use super::{Decision, Report, Tested, Uncovered, Vector, Vectors};
use crate::{
    explain::Explanation,
    flow::{End, Party},
    gate::{Gate, NO_PERMIT, Verdict},
    rules::{LAW_VECTORS, Layer, OWN_DEFAULT, RuleText},
    terms::{Terms, template},
};
use std::collections::BTreeSet;

/// Runs vectors against an agreement with an organization's own rules ([`OWN_DEFAULT`] for none).
/// Every rule of the two needs a vector that flows and one that is withheld.
#[must_use]
pub fn run(terms: &Terms, own: &str, vectors: &Vectors) -> Report {
    report(terms, own, vectors, &[Layer::Agreement, Layer::Own])
}

/// Runs vectors against own rules alone, under an agreement that permits everything.
#[must_use]
pub fn run_own(own: &str, vectors: &Vectors) -> Report {
    report(&open_terms(), own, vectors, &[Layer::Own])
}

/// Runs the vectors of the built-in law, under an agreement that permits everything.
#[must_use]
pub fn run_law() -> Report {
    let mut vectors = Vec::new();
    for text in LAW_VECTORS {
        vectors.extend(Vectors::parse(text).expect("a test reads them").vectors);
    }
    let vectors = Vectors { vectors };
    report(&open_terms(), OWN_DEFAULT, &vectors, &[Layer::Law])
}

/// An agreement without a restriction and without an end, so that another layer alone decides.
fn open_terms() -> Terms {
    let base = template("us-claims-only").and_then(|base| Terms::parse(base.text).ok());
    let mut terms = base.expect("a test reads every template");
    terms.review_by_ms = i64::MAX;
    "@id(\"ag.all\") @reason(\"Everything is permitted, to test another layer.\")
    permit (principal, action, resource);"
        .clone_into(&mut terms.rules);
    terms
}

fn report(terms: &Terms, own: &str, vectors: &Vectors, layers: &[Layer]) -> Report {
    let mut bench = Bench {
        terms,
        own,
        gates: Vec::new(),
    };
    let tested: Vec<Tested> = vectors
        .vectors
        .iter()
        .map(|vector| Tested {
            line: vector.line,
            name: vector.name.clone(),
            expected: vector.decision,
            by: vector.by.clone(),
            failure: bench.ask(vector).err(),
        })
        .collect();
    let uncovered = uncovered(&bench.rules(), vectors, layers);
    Report {
        ok: uncovered.is_empty() && tested.iter().all(|tested| tested.failure.is_none()),
        vectors: tested,
        uncovered,
    }
}

/// One gate per coalition that the vectors speak of; most speak of the same. Opposite sides of a
/// race, which make no coalition, have one here: the rules must keep them apart, too.
struct Bench<'t> {
    terms: &'t Terms,
    own: &'t str,
    gates: Vec<(Vec<Party>, Result<Gate, String>)>,
}

impl Bench<'_> {
    fn gate(&mut self, parties: &[Party]) -> Result<Gate, String> {
        if let Some((_, known)) = self.gates.iter().find(|(known, _)| known == parties) {
            return known.clone();
        }
        let gate = Gate::build(self.terms, self.own, parties).map_err(|faults| {
            let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
            faults.join("; ")
        });
        self.gates.push((parties.to_vec(), gate.clone()));
        gate
    }

    /// The rules of the layers, from any gate, or from one of a made-up organization.
    fn rules(&mut self) -> Vec<RuleText> {
        let alone = Party::new(
            "alone",
            "alone",
            crate::facts::OrgKind::C4,
            crate::jurisdiction::Jurisdiction::US,
        );
        let known = self.gates.iter().find_map(|(_, gate)| gate.clone().ok());
        let gate = known.or_else(|| self.gate(&[alone]).ok());
        gate.map_or_else(Vec::new, |gate| gate.rules().cloned().collect())
    }

    /// Whether the gate answers as the vector says, at both ends; the error says what it answers.
    fn ask(&mut self, vector: &Vector) -> Result<(), String> {
        let question = &vector.question;
        let gate = self.gate(&question.parties)?;
        if let Some(id) = vector
            .by
            .iter()
            .chain(&vector.about)
            .find(|id| gate.rule(id).is_none())
        {
            return Err(format!("no rule has the id {id}; correct it"));
        }
        if let Some(shown) = &question.shown {
            let verdict = shown.verdict(&gate, &question.flow, question.now_ms);
            return verdict.map_or_else(
                || Err("no such member reads it".to_owned()),
                |verdict| told(&verdict, vector),
            );
        }
        [End::Send, End::Receive]
            .into_iter()
            .try_for_each(|end| answer(&gate, end, vector))
    }
}

fn answer(gate: &Gate, end: End, vector: &Vector) -> Result<(), String> {
    let question = &vector.question;
    let (flow, field) = (&question.flow, question.field);
    let rows = std::slice::from_ref(&question.row);
    let outcome = gate.decide(end, flow, rows, &[field], question.now_ms);
    let expected: BTreeSet<&str> = vector.by.iter().map(String::as_str).collect();
    let explain = || gate.explain(end, flow, &question.row, field, question.now_ms);
    let withheld: BTreeSet<&str> = outcome.withheld.keys().map(|(id, _)| id.as_str()).collect();
    if withheld.is_empty() {
        let permits = permits(&explain());
        let fits = expected.iter().all(|id| permits.contains(*id));
        if vector.decision == Decision::Permit && fits {
            return Ok(());
        }
        return Err(format!(
            "it flows by {}",
            list(permits.iter().map(String::as_str))
        ));
    }
    if vector.decision == Decision::Permit || withheld != expected {
        return Err(format!("it is withheld by {}", list(withheld.into_iter())));
    }
    match &vector.about {
        Some(permit) if withheld.contains(NO_PERMIT) => {
            let explanation = explain();
            let near = explanation
                .near_misses
                .iter()
                .any(|near| near.id == *permit);
            near.then_some(()).ok_or_else(|| {
                format!("nothing permits it, but {permit} is for another class of fields")
            })
        }
        _ => Ok(()),
    }
}

/// The same for what is no row: it tells by which rules it is refused, and not which permit it has.
fn told(verdict: &Verdict, vector: &Vector) -> Result<(), String> {
    let refused: BTreeSet<&str> = verdict
        .refused_by
        .iter()
        .map(|rule| rule.id.as_str())
        .collect();
    let expected: BTreeSet<&str> = vector.by.iter().map(String::as_str).collect();
    match (verdict.allowed, vector.decision) {
        (true, Decision::Permit) => Ok(()),
        (true, Decision::Deny) => Err("it may be read".to_owned()),
        (false, Decision::Deny) if refused == expected => Ok(()),
        (false, _) => Err(format!("it is withheld by {}", list(refused.into_iter()))),
    }
}

fn permits(explanation: &Explanation) -> BTreeSet<String> {
    let layers = explanation.layers.iter();
    layers
        .flat_map(|layers| &layers.agreement.by)
        .map(|because| because.id.clone())
        .collect()
}

fn list<'i>(ids: impl Iterator<Item = &'i str>) -> String {
    ids.collect::<Vec<_>>().join(", ")
}

/// The rules of these layers that lack a vector; the one permit of law and own rules has no
/// conditions and needs none.
fn uncovered(rules: &[RuleText], vectors: &Vectors, layers: &[Layer]) -> Vec<Uncovered> {
    let has = |id: &str, decision| {
        vectors
            .vectors
            .iter()
            .any(|vector| vector.decision == decision && vector.names(id))
    };
    let is_written = |rule: &&RuleText| {
        let prefixes = rule.layer.prefixes();
        layers.contains(&rule.layer)
            && rule.id != NO_PERMIT
            && prefixes.iter().any(|prefix| rule.id.starts_with(prefix))
    };
    let lacking = |rule: &RuleText| {
        let mut lacks = vec![Decision::Permit, Decision::Deny];
        lacks.retain(|decision| !has(&rule.id, *decision));
        (!lacks.is_empty()).then(|| Uncovered {
            id: rule.id.clone(),
            lacks,
        })
    };
    rules
        .iter()
        .filter(is_written)
        .filter(|rule| !rule.permits || rule.layer == Layer::Agreement)
        .filter_map(lacking)
        .collect()
}
