//! Which facts of a row a rule reads, from its JSON form, scope included.
//!
//! Rows that agree in what a rule reads get one answer from it. So nothing may be overlooked:
//! whatever is not plainly a path from `resource` counts as reading the whole row, and the rule is
//! then asked about every distinct row.

use crate::columns::{Marks, WIDTH};
use serde_json::Value;

/// A set of facts of a row. Groups of rules are keyed by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Reads(u32);

/// Attributes of a person with a column of their own, in the order of the columns; none is here
/// for the marks, which share one, and for the consent, which rules see as a clause.
const COLUMNS: [Option<&str>; WIDTH] = [
    Some("originator"),
    Some("source"),
    Some("basis"),
    Some("jurisdiction"),
    None,
    Some("taintCoordinated"),
    Some("taintIe"),
    None,
];

/// Attributes of a person that are marks, by bit.
const MARKS: [&str; 8] = [
    "minor",
    "confidential",
    "partisan",
    "nonpublic",
    "termsAllow",
    "suppressed",
    "tombstoned",
    "recentContact",
];

/// Attributes of publications and results. No person has them, whatever else a row is like.
const OF_OTHERS: [&str; 4] = ["author", "races", "aggregated", "minCellMet"];

/// Attributes of a clause, in the order of [`crate::consent::clause::Clause::parts`].
pub(crate) const CLAUSE: [&str; 9] = [
    "state",
    "inForce",
    "purpose",
    "recipient",
    "channel",
    "field",
    "written",
    "explicitSpecial",
    "onward",
];

const FIRST_MARK: u32 = WIDTH as u32;
const FIRST_CLAUSE: u32 = FIRST_MARK + MARKS.len() as u32;
const END: u32 = FIRST_CLAUSE + CLAUSE.len() as u32;

impl Reads {
    /// The rule reads the flow at most.
    pub(crate) const NOTHING: Self = Self(0);
    /// The rule may read anything of the row.
    pub(crate) const ALL: Self = Self((1 << END) - 1);
    /// Who collected the row.
    pub(crate) const ORIGINATOR: Self = Self(1);

    /// What a rule reads, from its JSON form.
    pub(crate) fn of(rule: &Value) -> Self {
        let scope = match rule.get("resource") {
            Some(resource) => Self::of_scope(resource),
            None => Self::ALL,
        };
        let conditions = rule.get("conditions").and_then(Value::as_array);
        conditions
            .into_iter()
            .flatten()
            .map(|condition| condition.get("body").map_or(Self::ALL, Self::of_expression))
            .fold(scope, Self::with)
    }

    /// `resource` and `resource is T` read nothing: in a cell it is always a person.
    fn of_scope(resource: &Value) -> Self {
        let op = resource.get("op").and_then(Value::as_str);
        match op {
            Some("All") => Self::NOTHING,
            Some("is") if resource.get("in").is_none() => Self::NOTHING,
            _ => Self::ALL,
        }
    }

    fn of_expression(expression: &Value) -> Self {
        let operator = expression.as_object().and_then(|node| {
            let (operator, operands) = node.iter().next()?;
            (node.len() == 1).then_some((operator.as_str(), operands))
        });
        match operator {
            Some(("Value" | "Slot", _)) => Self::NOTHING,
            Some(("Var", Value::String(name))) if name != "resource" => Self::NOTHING,
            Some(("Var", _)) => Self::ALL,
            Some(("." | "has", operands)) => match path(expression) {
                Some(path) => Self::of_path(&path),
                None => Self::of_parts(operands),
            },
            Some(("is", operands)) if operands.get("in").is_none() => {
                match operands.get("left").map(is_resource) {
                    Some(true) => Self::NOTHING,
                    _ => Self::of_parts(operands),
                }
            }
            // A pattern is no expression.
            Some(("like", operands)) => operands.get("left").map_or(Self::ALL, Self::of_expression),
            Some((_, operands)) => Self::of_parts(operands),
            None => Self::ALL,
        }
    }

    /// What any of an operator's operands reads; texts among them, such as names, read nothing.
    fn of_parts(operands: &Value) -> Self {
        let of = |part: &Value| match part {
            Value::Object(_) => Self::of_expression(part),
            Value::Array(parts) => parts
                .iter()
                .map(Self::of_expression)
                .fold(Self::NOTHING, Self::with),
            _ => Self::NOTHING,
        };
        match operands {
            Value::Object(parts) => parts.values().map(of).fold(Self::NOTHING, Self::with),
            other => of(other),
        }
    }

    /// A path through an entity uses that entity's column; the whole clause is all its parts.
    fn of_path(path: &[&str]) -> Self {
        let bit = |from: u32, names: &[&str], name: &str| {
            let at = names.iter().position(|known| *known == name)?;
            Some(Self(1 << (from + at as u32)))
        };
        let found = match path {
            ["clause"] => Some(Self(((1 << END) - 1) & !((1 << FIRST_CLAUSE) - 1))),
            ["clause", part, ..] => bit(FIRST_CLAUSE, &CLAUSE, part),
            [attribute, ..] if OF_OTHERS.contains(attribute) => Some(Self::NOTHING),
            [attribute, ..] => COLUMNS
                .iter()
                .position(|known| *known == Some(attribute))
                .map(|at| Self(1 << at))
                .or_else(|| bit(FIRST_MARK, &MARKS, attribute)),
            [] => None,
        };
        found.unwrap_or(Self::ALL)
    }

    pub(crate) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the column at this place is read; of the marks and the consent, any part of it.
    pub(crate) fn column(self, at: usize) -> bool {
        match COLUMNS.get(at) {
            Some(Some(_)) => self.0 & (1 << at) != 0,
            Some(None) if at + 1 == WIDTH => self.clause() != 0,
            _ => self.marks() != Marks::NONE,
        }
    }

    /// The marks that are read.
    pub(crate) fn marks(self) -> Marks {
        Marks::from_code(self.0 >> FIRST_MARK)
    }

    /// The parts of the clause that are read, by bit.
    pub(crate) fn clause(self) -> u32 {
        self.0 >> FIRST_CLAUSE
    }
}

/// The attributes from `resource` on, when the expression is nothing but such a path.
fn path(expression: &Value) -> Option<Vec<&str>> {
    if is_resource(expression) {
        return Some(Vec::new());
    }
    let operands = expression.get(".").or_else(|| expression.get("has"))?;
    let mut path = path(operands.get("left")?)?;
    match operands.get("attr")? {
        Value::String(attribute) => path.push(attribute),
        Value::Array(attributes) => {
            for attribute in attributes {
                path.push(attribute.as_str()?);
            }
        }
        _ => return None,
    }
    Some(path)
}

fn is_resource(expression: &Value) -> bool {
    expression.get("Var").and_then(Value::as_str) == Some("resource")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cedar_policy::Policy;

    fn reads(condition: &str) -> Reads {
        rule(&format!(
            "permit (principal, action, resource) when {{ {condition} }};"
        ))
    }

    fn rule(text: &str) -> Reads {
        Reads::of(&Policy::parse(None, text).unwrap().to_json().unwrap())
    }

    fn one(name: &str) -> Reads {
        Reads::of_path(&[name])
    }

    #[test]
    fn what_is_about_the_flow_reads_nothing_of_the_row() {
        for condition in [
            "context.from.kind == Turf::OrgKind::\"c3\"",
            "principal in context.coalition && context has purpose",
            "resource is Turf::Person",
            "resource is Turf::Result && resource.aggregated && resource.races.isEmpty()",
            "[1, 2].contains(3) || \"resource.minor\" like \"r*\"",
        ] {
            assert_eq!(reads(condition), Reads::NOTHING, "{condition}");
        }
        assert_eq!(
            rule("permit (principal, action, resource is Turf::Person);"),
            Reads::NOTHING
        );
    }

    #[test]
    fn a_path_reads_the_column_that_it_goes_through() {
        assert_eq!(
            reads("resource.originator.jurisdiction == context.to"),
            Reads::ORIGINATOR
        );
        assert_eq!(
            reads("resource.originator in context.coalition"),
            Reads::ORIGINATOR
        );
        assert_eq!(
            reads("if resource.minor then resource.taintIe.isEmpty() else !(resource has source)"),
            one("minor").with(one("taintIe")).with(one("source"))
        );
        let both = reads("resource.clause.onward && resource[\"clause\"][\"state\"] == 1");
        assert_eq!(
            both,
            Reads::of_path(&["clause", "onward"]).with(Reads::of_path(&["clause", "state"]))
        );
        assert_eq!(both.clause(), 0b1_0000_0001);
        assert_eq!(reads("resource.clause has state").clause(), 1);
        assert_eq!(
            reads("{a: resource.clause}.a.state == 1").clause(),
            0b1_1111_1111
        );
        assert_eq!(
            rule("forbid (principal, action, resource) unless { resource.partisan };"),
            one("partisan")
        );
    }

    #[test]
    fn whatever_is_no_plain_path_reads_the_whole_row() {
        for condition in [
            "resource == principal",
            "[resource].contains(context.to)",
            "(if true then resource else resource).minor",
            "{r: resource}.r.minor",
            "resource.hasTag(\"x\")",
            "resource.shoeSize == 1",
            "resource in context.coalition",
            "resource is Turf::Person in context.coalition",
        ] {
            assert_eq!(reads(condition), Reads::ALL, "{condition}");
        }
        for scope in [
            "== Turf::Person::\"p\"",
            "in Turf::Coalition::\"this\"",
            "is Turf::Person in Turf::Coalition::\"this\"",
        ] {
            assert_eq!(
                rule(&format!("permit (principal, action, resource {scope});")),
                Reads::ALL
            );
        }
        assert!(Reads::ALL.column(4) && Reads::ALL.column(7) && !Reads::ORIGINATOR.column(4));
    }

    #[test]
    fn every_attribute_of_a_person_has_its_column() {
        let schema: Value = serde_json::to_value(
            cedar_policy::SchemaFragment::from_cedarschema_str(crate::SCHEMA)
                .unwrap()
                .0
                .to_json_value()
                .unwrap(),
        )
        .unwrap();
        let types = &schema["Turf"]["entityTypes"]["Person"]["shape"]["attributes"];
        let mut bits = Reads::NOTHING;
        for name in types.as_object().unwrap().keys() {
            let reads = one(name);
            assert_ne!(reads, Reads::ALL, "{name}");
            bits = bits.with(reads);
        }
        assert_eq!(bits.marks(), Marks::from_code(255));
        let clause = schema["Turf"]["commonTypes"]["Clause"]["attributes"]
            .as_object()
            .unwrap();
        assert_eq!(clause.len(), CLAUSE.len());
        assert!(clause.keys().all(|name| CLAUSE.contains(&name.as_str())));
    }
}
