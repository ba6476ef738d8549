//! What a rule's expressions may hold: operators that cannot fail, and ids that are registered.
//!
//! There is no arithmetic because no operator for it is on the list: what is not known to be safe is
//! refused, so that a new operator of the language is refused, too, until somebody adds it here.

use super::{Code, MAX_SET, Registry};
use crate::schema::{COALITION, is_id};
use cedar_policy::EntityUid;
use serde_json::Value;

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

/// Refuses whatever can fail at decision time, by the list of what cannot.
pub(super) fn check_expression(expression: &Value) -> Result<(), (Code, String)> {
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
                elements.iter().try_for_each(check_expression)?;
            }
            _ if operator == "Value" => {}
            Value::Object(parts) => {
                parts.values().try_for_each(check_expression)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuses an id that nothing has.
pub(super) fn check_literal(
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
