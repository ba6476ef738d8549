//! Why one cell of one row flows or not, in the words of the rules.

use crate::{
    columns::Columns,
    entities::Person,
    facts::{Consideration, FieldClass, PolicyChannel, Purpose},
    flow::{End, Flow, Row},
    gate::{
        Alarm, Gate,
        judge::{Answer, Bench, Question, name},
    },
    schema::uid,
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
        let cell = Cell {
            gate: self,
            end,
            flow,
            row,
            field,
            now_ms,
        };
        let rows = Columns::from_rows(std::slice::from_ref(row), now_ms);
        let answers = self.answers(end, flow, &rows, field);
        let flows = flows(&answers);
        let layers = answers.as_ref().ok().map(|[agreement, law, own]| Layers {
            agreement: self.layer_explanation(agreement),
            law: self.layer_explanation(law),
            own: self.layer_explanation(own),
        });
        let unpermitted = |layers: &Layers| layers.agreement.is_default_deny();
        Explanation {
            person: None,
            to: flow.to.clone(),
            field,
            decision: if flows { "flows" } else { "withheld" },
            agreement: None,
            near_misses: match &layers {
                Some(layers) if unpermitted(layers) => cell.near_misses(),
                _ => Vec::new(),
            },
            would_flow_if: match &layers {
                Some(_) if !flows => cell.would_flow_if(&rows),
                _ => Vec::new(),
            },
            error: answers.err(),
            layers,
        }
    }

    fn layer_explanation(&self, answer: &Answer) -> LayerExplanation {
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
            decision: if answer.allow { "allow" } else { "deny" },
            by: answer.by.iter().map(because).collect(),
        }
    }
}

impl LayerExplanation {
    fn is_default_deny(&self) -> bool {
        self.decision == "deny" && self.by.is_empty()
    }
}

fn flows(answers: &Result<[Answer; 3], Alarm>) -> bool {
    answers
        .as_ref()
        .is_ok_and(|layers| layers.iter().all(|layer| layer.allow))
}

/// One cell, and everything needed to ask about it again with a change.
struct Cell<'q> {
    gate: &'q Gate,
    end: End,
    flow: &'q Flow,
    row: &'q Row,
    field: FieldClass,
    now_ms: i64,
}

impl Cell<'_> {
    /// Changes one fact of the flow, or the consent, and decides again.
    fn would_flow_if(&self, rows: &Columns) -> Vec<String> {
        let (changes, changed): (Vec<String>, Vec<Flow>) = self.changes().into_iter().unzip();
        let outcomes = self
            .gate
            .decide_all(self.end, &changed, rows, &[self.field]);
        let mut found: Vec<String> = changes
            .into_iter()
            .zip(outcomes)
            .filter(|(_, outcome)| outcome.masks.iter().any(|mask| !mask.is_empty()))
            .map(|(change, _)| change)
            .collect();
        let agreeing = Columns::agreeing(self.row, self.now_ms);
        if flows(
            &self
                .gate
                .answers(self.end, self.flow, &agreeing, self.field),
        ) {
            found.push("consent = given".to_owned());
        }
        found
    }

    /// Every other value of each fact that people can choose. Another consideration brings its
    /// evidence with it, since it is nothing without; the law still asks for the rest.
    fn changes(&self) -> Vec<(String, Flow)> {
        let now = self.flow;
        let considerations = Consideration::ALL.iter().map(|consideration| {
            let change = match *consideration == now.consideration {
                true => "evidence = on file".to_owned(),
                false => format!("consideration = {consideration}"),
            };
            let flow = Flow {
                consideration: *consideration,
                evidence_on_file: true,
                ..now.clone()
            };
            (change, flow)
        });
        let purposes = Purpose::ALL.iter().map(|purpose| {
            let flow = Flow {
                purpose: *purpose,
                ..now.clone()
            };
            (format!("purpose = {purpose}"), flow)
        });
        let channels = PolicyChannel::ALL.iter().map(|channel| {
            let flow = Flow {
                channel: *channel,
                ..now.clone()
            };
            (format!("channel = {channel}"), flow)
        });
        considerations.chain(purposes).chain(channels).collect()
    }

    fn near_misses(&self) -> Vec<NearMiss> {
        let Ok(to) = self.gate.recipient(self.flow, self.now_ms) else {
            return Vec::new();
        };
        let person = Person::of(self.row, self.flow, to, self.field, self.now_ms);
        let bench = Bench::of_persons(self.gate, std::iter::once(&person));
        let question = Question::of_cell(self.end, self.flow, self.field);
        let (Ok(bench), Ok(question)) = (bench, question) else {
            return Vec::new();
        };
        let about = uid("Person", &name(0));
        let applies = |rule: &Policy| bench.applies(rule, &question, &about) == Ok(true);
        self.gate
            .agreement_permits()
            .filter_map(|rule| self.near_miss(applies, rule))
            .collect()
    }

    /// None when the permit is for other classes of fields or other ends.
    fn near_miss(&self, applies: impl Fn(&Policy) -> bool, rule: &Policy) -> Option<NearMiss> {
        let json = rule.to_json().ok()?;
        let conjuncts = conjuncts(&json);
        let action_only = single(&json, None, true)?;
        if rule.effect() != Effect::Permit || !applies(&action_only) {
            return None;
        }
        let mut failed = Vec::new();
        if !applies(&single(&json, None, false)?) {
            failed.push("principal or resource".to_owned());
        }
        for condition in conjuncts {
            let alone = single(&json, Some(condition), true)?;
            if !applies(&alone) {
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
