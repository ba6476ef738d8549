//! What a rule text must be before the gate takes it: every refusal names a rule, a line, a code.
//!
//! Cedar alone would accept rules that can fail, that can never apply, or that share an id; at
//! decision time it skips what fails. So nothing of that kind is loaded. Spec: section 8.

mod depth;
mod expression;
mod whole;

pub use whole::{expiry, own_rules};

use crate::{
    facts::names,
    rules::{self, LAW, Layer, Piece, Rule, RuleText},
    schema::{is_id, schema},
    text,
};
use cedar_policy::{Effect, Policy, PolicySet, ValidationMode, Validator, ffi::DetailedError};
use depth::{MAX_DEPTH, depth};
use expression::{check_expression, check_literal};
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

/// What a rule may say of itself.
const ANNOTATIONS: [&str; 5] = ["id", "reason", "cite", "fix", "code"];

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
        /// One organization, or one coalition, stands on both sides of a race.
        FirewallConflict = "E_FIREWALL_CONFLICT",
        /// Too many or too large.
        Limit = "E_LIMIT",
        /// The terms of an agreement have a wrong shape or a number out of its range.
        TermsInvalid = "E_TERMS_INVALID",
        /// The agreement is past its review date.
        AgreementExpired = "E_AGREEMENT_EXPIRED",
        /// The built-in law is past its review date.
        LawpackStale = "E_LAWPACK_STALE",
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
        places: BTreeMap::new(),
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
    /// Where each rule begins, and its source.
    places: BTreeMap<String, (usize, String)>,
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
        if depth(piece.source) > MAX_DEPTH {
            let message =
                format!("the rule is nested deeper than {MAX_DEPTH}; split it in several");
            self.fault(Code::Limit, piece.line, None, message);
            return None;
        }
        let policy = match rules::parse(piece.source) {
            Ok(policy) => policy,
            Err(errors) => {
                let detail = DetailedError::from(errors.as_ref());
                let offset = detail
                    .source_locations
                    .first()
                    .map_or(0, |label| label.loc.start);
                let line = piece.line + text::position(piece.source, offset).0 - 1;
                let hint = detail.help.unwrap_or_else(|| "correct it".to_owned());
                let message = format!("this is no rule: {}; {hint}", detail.message);
                self.fault(Code::PolicyParse, line, None, message);
                return None;
            }
        };
        let text = self.annotations(&policy, piece)?;
        self.expressions(&policy, piece.line, &text.id);
        self.literals(&policy, piece.line, &text.id, registry);
        Some(Rule { text, policy })
    }

    fn annotations(&mut self, policy: &Policy, piece: &Piece<'_>) -> Option<RuleText> {
        let line = piece.line;
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
        let place = (line, piece.source.to_owned());
        if let Some((first, _)) = self.places.insert(id.to_owned(), place) {
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
        if let Some((unknown, _)) = policy
            .annotations()
            .find(|(key, _)| !ANNOTATIONS.contains(key))
        {
            let message = format!("@{unknown} says nothing; use {}", ANNOTATIONS.join(", "));
            self.fault(Code::PolicyId, line, Some(id), message);
        }
        Some(RuleText {
            id: id.to_owned(),
            reason: reason.unwrap_or_default(),
            cite,
            fix: get("fix"),
            code: get("code"),
            permits: policy.effect() == Effect::Permit,
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
                && let Err((code, message)) = check_expression(body)
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
            let line = self.places.get(&rule.text.id).map_or(0, |(line, _)| *line);
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
            .map(|error| (error.policy_id().to_string(), DetailedError::from(error)));
        let warnings = result.validation_warnings().map(|warning| {
            (
                warning.policy_id().to_string(),
                DetailedError::from(warning),
            )
        });
        let mut found = BTreeSet::new();
        for (id, detail) in errors.chain(warnings) {
            let (first, source) = self.places.get(&id).cloned().unwrap_or_default();
            let label = detail.source_locations.first();
            let inside = label.map_or(0, |label| text::position(&source, label.loc.start).0 - 1);
            let hint = detail
                .help
                .as_deref()
                .unwrap_or("compare it with the schema");
            let message = format!("{}; {hint}", detail.message);
            found.insert((first + inside, id, message));
        }
        for (line, id, message) in found {
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
