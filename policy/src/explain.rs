//! Why one cell of one row flows or not, in the words of the rules.

use crate::{
    consent::clause::Clause,
    facts::{Consideration, FieldClass, PolicyChannel, Purpose},
    flow::{End, Flow, Row},
    gate::{
        Alarm, Gate,
        judge::{Bench, LayerVerdict, Verdict},
        person_of,
    },
};
use cedar_policy::{Effect, Policy};
use serde::Serialize;
use serde_json::{Value, json};

/// The answer to "why?" about one person, recipient and class of fields.
///
/// For the owner of the row only: reasons leak facts. A recipient sees counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The caller's own name of the person, when it puts one in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<String>,
    /// Id of the recipient.
    pub to: String,
    /// Which class of fields.
    pub field: FieldClass,
    /// `flows` or `withheld`.
    pub decision: &'static str,
    /// The hash of the agreement, when the caller puts one in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<String>,
    /// What each layer says; none when something is wrong with the question itself.
    pub layers: Option<Layers>,
    /// What is wrong with the question itself: `E_ENTITY_MISSING` and others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Alarm>,
    /// When nothing permits: the permits for this class, and what each lacks.
    pub near_misses: Vec<NearMiss>,
    /// Single changes under which it would flow, such as `consideration = fmv_paid`.
    pub would_flow_if: Vec<String>,
}

/// What the three layers say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Layers {
    /// The agreement.
    pub agreement: LayerExplanation,
    /// Law and consent.
    pub law: LayerExplanation,
    /// The organization's own policy.
    pub own: LayerExplanation,
}

/// What one layer says, and by which rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LayerExplanation {
    /// `allow` or `deny`.
    pub decision: &'static str,
    /// The rules that decided; empty when no rule permits.
    pub by: Vec<Because>,
}

/// One rule that decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Because {
    /// Its id.
    pub id: String,
    /// Its reason.
    pub reason: String,
    /// Its source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cite: Option<String>,
    /// What can be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// A permit that did not apply.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NearMiss {
    /// Its id.
    pub id: String,
    /// Its reason.
    pub reason: String,
    /// The parts of its condition that do not hold, as they stand in the rule.
    pub failed: Vec<String>,
}

impl Gate {
    /// Explains one cell of one row. The decision is the one that [`Gate::decide`] makes.
    #[must_use]
    pub fn explain(
        &self,
        end: End,
        flow: &Flow,
        row: &Row,
        field: FieldClass,
        now_ms: i64,
    ) -> Explanation {
        let question = Question {
            gate: self,
            end,
            flow,
            row,
            field,
            now_ms,
        };
        let verdict = question.verdict(flow, question.clause(flow));
        let layers = match &verdict {
            Verdict::Alarmed(_) => None,
            Verdict::Judged([agreement, law, own]) => Some(Layers {
                agreement: self.layer_explanation(agreement),
                law: self.layer_explanation(law),
                own: self.layer_explanation(own),
            }),
        };
        let unpermitted = |layers: &Layers| layers.agreement.is_default_deny();
        Explanation {
            person: None,
            to: flow.to.clone(),
            field,
            decision: if verdict.flows() { "flows" } else { "withheld" },
            agreement: None,
            near_misses: match &layers {
                Some(layers) if unpermitted(layers) => question.near_misses(),
                _ => Vec::new(),
            },
            would_flow_if: match verdict {
                Verdict::Judged(_) if !verdict.flows() => question.would_flow_if(),
                _ => Vec::new(),
            },
            error: verdict.alarm(),
            layers,
        }
    }

    fn layer_explanation(&self, verdict: &LayerVerdict) -> LayerExplanation {
        let because = |id: &String| {
            let text = self.rule(id);
            Because {
                id: id.clone(),
                reason: text.map(|text| text.reason.clone()).unwrap_or_default(),
                cite: text.and_then(|text| text.cite.clone()),
                fix: text.and_then(|text| text.fix.clone()),
            }
        };
        LayerExplanation {
            decision: if verdict.allow { "allow" } else { "deny" },
            by: verdict.by.iter().map(because).collect(),
        }
    }
}

impl LayerExplanation {
    fn is_default_deny(&self) -> bool {
        self.decision == "deny" && self.by.is_empty()
    }
}

/// One cell, and everything needed to ask about it again with a change.
struct Question<'q> {
    gate: &'q Gate,
    end: End,
    flow: &'q Flow,
    row: &'q Row,
    field: FieldClass,
    now_ms: i64,
}

impl Question<'_> {
    fn clause(&self, flow: &Flow) -> Clause {
        match (&self.row.consent, self.gate.recipient(flow)) {
            (Some(record), Ok(to)) => record.clause_for(flow, to, self.field, self.now_ms),
            _ => Clause::UNKNOWN,
        }
    }

    fn verdict(&self, flow: &Flow, clause: Clause) -> Verdict {
        let person = person_of(self.row, clause);
        let bench = self
            .gate
            .fresh(self.now_ms)
            .and_then(|()| self.gate.recipient(flow))
            .and_then(|_| Bench::new(self.gate, self.end, flow, [&person].into_iter()));
        match bench {
            Ok(bench) => bench.first(&person, self.field),
            Err(alarm) => Verdict::Alarmed(alarm),
        }
    }

    /// Changes one fact of the flow, or the consent, and asks again. A changed consideration
    /// brings its evidence with it; the law still asks for the rest.
    fn would_flow_if(&self) -> Vec<String> {
        let mut changes: Vec<(String, Flow)> = Vec::new();
        for consideration in Consideration::ALL.iter().copied() {
            let flow = Flow {
                consideration,
                evidence_on_file: true,
                ..self.flow.clone()
            };
            changes.push((format!("consideration = {consideration}"), flow));
        }
        for purpose in Purpose::ALL.iter().copied() {
            changes.push((
                format!("purpose = {purpose}"),
                Flow {
                    purpose,
                    ..self.flow.clone()
                },
            ));
        }
        for channel in PolicyChannel::ALL.iter().copied() {
            changes.push((
                format!("channel = {channel}"),
                Flow {
                    channel,
                    ..self.flow.clone()
                },
            ));
        }
        let mut found: Vec<String> = changes
            .into_iter()
            .filter(|(_, flow)| self.verdict(flow, self.clause(flow)).flows())
            .map(|(change, _)| change)
            .collect();
        if self.verdict(self.flow, Clause::FULL).flows() {
            found.push("consent = given".to_owned());
        }
        found
    }

    fn near_misses(&self) -> Vec<NearMiss> {
        let person = person_of(self.row, self.clause(self.flow));
        let Ok(bench) = Bench::new(self.gate, self.end, self.flow, [&person].into_iter()) else {
            return Vec::new();
        };
        self.gate
            .agreement_permits()
            .filter_map(|rule| self.near_miss(&bench, rule))
            .collect()
    }

    /// None when the permit is for other classes of fields or other ends.
    fn near_miss(&self, bench: &Bench<'_>, rule: &Policy) -> Option<NearMiss> {
        let json = rule.to_json().ok()?;
        let conjuncts = conjuncts(&json);
        let action_only = single(&json, None, true)?;
        if rule.effect() != Effect::Permit || bench.applies(&action_only, self.field) != Ok(true) {
            return None;
        }
        let mut failed = Vec::new();
        if bench.applies(&single(&json, None, false)?, self.field) != Ok(true) {
            failed.push("principal or resource".to_owned());
        }
        for condition in conjuncts {
            let alone = single(&json, Some(condition), true)?;
            if bench.applies(&alone, self.field) != Ok(true) {
                failed.push(condition_text(&alone));
            }
        }
        let id = rule.id().to_string();
        let reason = self
            .gate
            .rule(&id)
            .map(|text| text.reason.clone())
            .unwrap_or_default();
        Some(NearMiss { id, reason, failed })
    }
}

/// The parts of a rule's conditions that must all hold, each as a condition of its own.
fn conjuncts(rule: &Value) -> Vec<Value> {
    let mut found = Vec::new();
    let conditions = rule.get("conditions").and_then(Value::as_array);
    for condition in conditions.into_iter().flatten() {
        let Some(body) = condition.get("body") else {
            continue;
        };
        if condition.get("kind").and_then(Value::as_str) == Some("when") {
            let mut parts = Vec::new();
            flatten(body, &mut parts);
            found.extend(
                parts
                    .into_iter()
                    .map(|part| json!({ "kind": "when", "body": part })),
            );
        } else {
            found.push(condition.clone());
        }
    }
    found
}

fn flatten<'v>(body: &'v Value, parts: &mut Vec<&'v Value>) {
    match body
        .get("&&")
        .map(|and| (and.get("left"), and.get("right")))
    {
        Some((Some(left), Some(right))) => {
            flatten(left, parts);
            flatten(right, parts);
        }
        _ => parts.push(body),
    }
}

/// The rule with one condition or none; `any_scope` keeps only the action of its scope.
fn single(rule: &Value, condition: Option<Value>, any_scope: bool) -> Option<Policy> {
    let mut rule = rule.clone();
    let fields = rule.as_object_mut()?;
    fields.remove("annotations");
    fields.insert(
        "conditions".to_owned(),
        Value::Array(condition.into_iter().collect()),
    );
    if any_scope {
        fields.insert("principal".to_owned(), json!({ "op": "All" }));
        fields.insert("resource".to_owned(), json!({ "op": "All" }));
    }
    Policy::from_json(None, rule).ok()
}

/// The condition of a rule that has one; an `unless` is told as such.
fn condition_text(rule: &Policy) -> String {
    let text = rule
        .to_string()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let Some((at, unless)) = [("when {", false), ("unless {", true)]
        .into_iter()
        .find_map(|(word, unless)| text.find(word).map(|at| (at + word.len(), unless)))
    else {
        return text;
    };
    let inner = text
        .get(at..)
        .unwrap_or_default()
        .trim_end_matches(';')
        .trim();
    let inner = inner.strip_suffix('}').unwrap_or(inner).trim();
    if unless {
        format!("unless {inner}")
    } else {
        inner.to_owned()
    }
}
