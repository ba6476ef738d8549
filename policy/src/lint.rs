//! What a rule text must be before the gate takes it: every refusal names a rule, a line, a code.
//!
//! Cedar alone would accept rules that can fail, that can never apply, or that share an id; at
//! decision time it skips what fails. So nothing of that kind is loaded. Spec: section 8.

use crate::{
    facts::names,
    rules::{self, LAW, Layer, Piece, Rule, RuleText},
    schema::{COALITION, is_id, schema},
    text,
};
use cedar_policy::{
    Effect, EntityUid, Policy, PolicySet, ValidationMode, Validator, ffi::DetailedError,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::LazyLock,
};

/// The most rules of all layers together.
pub const MAX_RULES: usize = 500;
/// The most bytes of one layer's text.
pub const MAX_RULE_BYTES: usize = 256 * 1024;
/// The most elements of a set that is written out in a rule.
pub const MAX_SET: usize = 1_000;
/// The deepest nesting of an expression.
const MAX_DEPTH: usize = 200;

names! {
    /// What kind of fault keeps rules or facts from being loaded.
    Code: "fault code" {
        /// The text is not a rule.
        PolicyParse = "E_POLICY_PARSE",
        /// An id is missing, used twice, or of another layer; a reason or cite is missing.
        PolicyId = "E_POLICY_ID",
        /// The rule does not fit the schema, or can never apply.
        PolicyInvalid = "E_POLICY_INVALID",
        /// A rule names something that is not registered.
        UnknownId = "E_UNKNOWN_ID",
        /// An id has characters that ids do not have.
        IdCharset = "E_ID_CHARSET",
        /// Law and own policy have exactly one permit, without conditions.
        LayerPermit = "E_LAYER_PERMIT",
        /// The rule uses an operation that can fail.
        PolicyMayError = "E_POLICY_MAY_ERROR",
        /// One organization stands on both sides of a race.
        FirewallConflict = "E_FIREWALL_CONFLICT",
        /// Too many or too large.
        Limit = "E_LIMIT",
    }
}

/// One reason why a gate was not built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind.
    pub code: Code,
    /// In which layer; none for a fault of the organizations' facts.
    pub layer: Option<Layer>,
    /// Line in that layer's text, from 1; 0 when it is about the whole.
    pub line: usize,
    /// The rule or organization, when it has a usable id.
    pub id: Option<String>,
    /// What is wrong and what to do.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.code)?;
        if let Some(layer) = self.layer {
            write!(f, ", {layer} rules, line {}", self.line)?;
        }
        if let Some(id) = &self.id {
            write!(f, ", {id}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for Fault {}

/// Open ids that rules may name; none while a text is edited and no coalition exists yet.
pub(crate) struct Registry<'r> {
    pub(crate) organizations: BTreeSet<&'r str>,
    pub(crate) races: BTreeSet<&'r str>,
}

/// Checks one layer's text and gives its rules.
pub(crate) fn load_layer(
    layer: Layer,
    text: &str,
    registry: Option<&Registry<'_>>,
) -> Result<Vec<Rule>, Vec<Fault>> {
    let mut linter = Linter {
        layer,
        faults: Vec::new(),
        lines: BTreeMap::new(),
    };
    if text.len() > MAX_RULE_BYTES {
        linter.fault(
            Code::Limit,
            0,
            None,
            "the rules of one layer have at most 256 KiB",
        );
        return Err(linter.faults);
    }
    let pieces = rules::split(text);
    if pieces.len() > MAX_RULES {
        linter.fault(Code::Limit, 0, None, "there are more than 500 rules");
        return Err(linter.faults);
    }
    let rules: Vec<Rule> = pieces
        .iter()
        .filter_map(|piece| linter.rule(piece, registry))
        .collect();
    linter.permits(&rules);
    if linter.faults.is_empty() {
        linter.validate(&rules);
    }
    if linter.faults.is_empty() {
        Ok(rules)
    } else {
        Err(linter.faults)
    }
}

/// The built-in law, through the same checks, once.
pub(crate) fn load_law() -> Result<Vec<Rule>, Vec<Fault>> {
    static CHECKED: LazyLock<Result<Vec<Rule>, Vec<Fault>>> = LazyLock::new(|| {
        let text: Vec<&str> = LAW.iter().map(|(_, text)| *text).collect();
        load_layer(Layer::Law, &text.concat(), None)
    });
    CHECKED.clone()
}

struct Linter {
    layer: Layer,
    faults: Vec<Fault>,
    lines: BTreeMap<String, usize>,
}

impl Linter {
    fn fault(&mut self, code: Code, line: usize, id: Option<&str>, message: impl Into<String>) {
        self.faults.push(Fault {
            code,
            layer: Some(self.layer),
            line,
            id: id.map(str::to_owned),
            message: message.into(),
        });
    }

    fn rule(&mut self, piece: &Piece<'_>, registry: Option<&Registry<'_>>) -> Option<Rule> {
        let policy = match rules::parse(piece.source) {
            Ok(policy) => policy,
            Err(errors) => {
                let detail = DetailedError::from(errors.as_ref());
                let offset = detail
                    .source_locations
                    .first()
                    .map_or(0, |label| label.loc.start);
                let line = piece.line + text::position(piece.source, offset).0 - 1;
                self.fault(
                    Code::PolicyParse,
                    line,
                    None,
                    format!("{}; see the Cedar manual", detail.message),
                );
                return None;
            }
        };
        let text = self.annotations(&policy, piece.line)?;
        self.expressions(&policy, piece.line, &text.id);
        self.literals(&policy, piece.line, &text.id, registry);
        Some(Rule { text, policy })
    }

    fn annotations(&mut self, policy: &Policy, line: usize) -> Option<RuleText> {
        let Some(id) = policy.annotation("id").filter(|id| !id.is_empty()) else {
            self.fault(Code::PolicyId, line, None, "give the rule an @id(\"...\")");
            return None;
        };
        if !is_id(id) {
            self.fault(
                Code::IdCharset,
                line,
                None,
                "an @id has only the characters a-z 0-9 . _ -",
            );
            return None;
        }
        let prefixes = self.layer.prefixes();
        if !prefixes.iter().any(|prefix| id.starts_with(prefix)) {
            let message = format!("ids of this layer begin with {}", prefixes.join(" or "));
            self.fault(Code::PolicyId, line, Some(id), message);
        }
        if let Some(first) = self.lines.insert(id.to_owned(), line) {
            let message = format!("this @id is already used in line {first}; choose another");
            self.fault(Code::PolicyId, line, Some(id), message);
        }
        let get = |key| {
            policy
                .annotation(key)
                .map(str::to_owned)
                .filter(|text| !text.is_empty())
        };
        let (reason, cite) = (get("reason"), get("cite"));
        if reason.is_none() {
            let message = "say in @reason(\"...\") why the rule is there, to whom it refuses";
            self.fault(Code::PolicyId, line, Some(id), message);
        }
        if self.layer == Layer::Law && cite.is_none() {
            self.fault(
                Code::PolicyId,
                line,
                Some(id),
                "name the source of the rule in @cite(\"...\")",
            );
        }
        let reason = reason.unwrap_or_default();
        Some(RuleText {
            id: id.to_owned(),
            reason,
            cite,
            fix: get("fix"),
            layer: self.layer,
        })
    }

    /// Refuses whatever can fail at decision time, by a list of what cannot.
    fn expressions(&mut self, policy: &Policy, line: usize, id: &str) {
        let Ok(json) = policy.to_json() else {
            self.fault(
                Code::PolicyParse,
                line,
                Some(id),
                "the rule has no JSON form; write it anew",
            );
            return;
        };
        let conditions = json.get("conditions").and_then(Value::as_array);
        for condition in conditions.into_iter().flatten() {
            if let Some(body) = condition.get("body")
                && let Err((code, message)) = check_expression(body, 0)
            {
                self.fault(code, line, Some(id), message);
            }
        }
    }

    fn literals(
        &mut self,
        policy: &Policy,
        line: usize,
        id: &str,
        registry: Option<&Registry<'_>>,
    ) {
        for literal in policy.entity_literals() {
            if let Err((code, message)) = check_literal(&literal, registry) {
                self.fault(code, line, Some(id), message);
            }
        }
    }

    /// Law and own policy: one unconditional permit, else only forbids, so that every refusal
    /// names a rule.
    fn permits(&mut self, rules: &[Rule]) {
        if self.layer == Layer::Agreement {
            return;
        }
        let permits: Vec<&Rule> = rules
            .iter()
            .filter(|rule| rule.policy.effect() == Effect::Permit)
            .collect();
        if permits.is_empty() && self.faults.is_empty() {
            let message = "the layer needs one rule `permit (principal, action, resource);`";
            self.fault(Code::LayerPermit, 0, None, message);
        }
        for (index, rule) in permits.into_iter().enumerate() {
            let line = self.lines.get(&rule.text.id).copied().unwrap_or(0);
            if index > 0 {
                let message = "this layer already has its permit; write a forbid instead";
                self.fault(Code::LayerPermit, line, Some(&rule.text.id), message);
            } else if rule.policy.has_non_scope_constraint() || !is_unscoped(&rule.policy) {
                let message = "the permit of this layer has no conditions; write forbids beside it";
                self.fault(Code::LayerPermit, line, Some(&rule.text.id), message);
            }
        }
    }

    fn validate(&mut self, rules: &[Rule]) {
        let Ok(set) = PolicySet::from_policies(rules.iter().map(|rule| rule.policy.clone())) else {
            self.fault(Code::PolicyId, 0, None, "two rules share an id");
            return;
        };
        let result = Validator::new(schema().clone()).validate(&set, ValidationMode::Strict);
        let errors = result
            .validation_errors()
            .map(|e| (e.policy_id().to_string(), e.to_string()));
        let warnings = result
            .validation_warnings()
            .map(|w| (w.policy_id().to_string(), w.to_string()));
        for (id, message) in errors.chain(warnings).collect::<BTreeSet<_>>() {
            let line = self.lines.get(&id).copied().unwrap_or(0);
            self.fault(Code::PolicyInvalid, line, Some(&id), message);
        }
    }
}

fn is_unscoped(policy: &Policy) -> bool {
    use cedar_policy::{ActionConstraint, PrincipalConstraint, ResourceConstraint};
    policy.principal_constraint() == PrincipalConstraint::Any
        && policy.action_constraint() == ActionConstraint::Any
        && policy.resource_constraint() == ResourceConstraint::Any
}

/// Operators that cannot fail on facts that fit the schema.
const SAFE: [&str; 22] = [
    "Value",
    "Var",
    "!",
    "==",
    "!=",
    "in",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    "contains",
    "containsAll",
    "containsAny",
    "isEmpty",
    ".",
    "has",
    "like",
    "is",
    "if-then-else",
    "Set",
];

fn check_expression(expression: &Value, depth: usize) -> Result<(), (Code, String)> {
    if depth > MAX_DEPTH {
        return Err((
            Code::Limit,
            "the expression is nested too deeply; split the rule".to_owned(),
        ));
    }
    let Some(node) = expression.as_object() else {
        return Ok(());
    };
    for (operator, operands) in node {
        if !SAFE.contains(&operator.as_str()) {
            let message = format!(
                "`{operator}` can fail, and a rule that fails decides nothing; compare derived facts"
            );
            return Err((Code::PolicyMayError, message));
        }
        match operands {
            Value::Array(elements) if elements.len() > MAX_SET => {
                return Err((Code::Limit, "a set has at most 1,000 elements".to_owned()));
            }
            Value::Array(elements) if operator == "Set" => {
                elements
                    .iter()
                    .try_for_each(|element| check_expression(element, depth + 1))?;
            }
            _ if operator == "Value" => {}
            Value::Object(parts) => {
                parts
                    .values()
                    .try_for_each(|part| check_expression(part, depth + 1))?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_literal(
    literal: &EntityUid,
    registry: Option<&Registry<'_>>,
) -> Result<(), (Code, String)> {
    let id: &str = literal.id().as_ref();
    let kind = literal.type_name().basename();
    let known = match kind {
        // The validator knows the ids of enumerations and actions.
        "Jurisdiction" => crate::jurisdiction::Jurisdiction::all().any(|place| place.code() == id),
        "OrgClass" => crate::entities::org_classes().contains(&id),
        "Coalition" => id == COALITION,
        "Organization" => registry.is_none_or(|registry| registry.organizations.contains(id)),
        "Race" => registry.is_none_or(|registry| registry.races.contains(id)),
        "Person" | "Plan" | "Claim" | "ContactReport" | "Result" => false,
        _ => return Ok(()),
    };
    if !is_id(id) {
        let message = format!("the id of this {kind} has other characters than a-z 0-9 . _ -");
        return Err((Code::IdCharset, message));
    }
    if !known {
        return Err((
            Code::UnknownId,
            format!("no {kind} has the id \"{id}\"; register it or correct it"),
        ));
    }
    Ok(())
}
