//! The Cedar schema and the names under which facts appear in it.

use crate::{
    facts::{
        Basis, ConsentState, Consideration, FieldClass, OrgKind, PolicyChannel, Purpose, Source,
    },
    flow::End,
};
use cedar_policy::{EntityId, EntityTypeName, EntityUid, RestrictedExpression, Schema};
use std::{collections::BTreeMap, sync::LazyLock};

/// The text of the schema, as rule authors read it.
pub const SCHEMA: &str = include_str!("schema.cedarschema");

/// The entity types of the schema, without the namespace.
pub(crate) const TYPES: [&str; 18] = [
    "OrgKind",
    "Purpose",
    "Channel",
    "Source",
    "Basis",
    "ConsentState",
    "Consideration",
    "Race",
    "Coalition",
    "Jurisdiction",
    "OrgClass",
    "Organization",
    "Person",
    "Plan",
    "Claim",
    "ContactReport",
    "Result",
    "Action",
];

/// The one coalition that a gate serves: a rule may name it before the coalition has an id.
pub(crate) const COALITION: &str = "this";

static TYPE_NAMES: LazyLock<BTreeMap<&'static str, EntityTypeName>> = LazyLock::new(|| {
    let name = |short: &str| {
        format!("Turf::{short}")
            .parse()
            .expect("every type is a Cedar name")
    };
    TYPES
        .into_iter()
        .map(|short| (short, name(short)))
        .collect()
});

static PARSED: LazyLock<Schema> = LazyLock::new(|| {
    let (schema, _) = Schema::from_cedarschema_str(SCHEMA).expect("a test parses the schema");
    schema
});

/// The parsed schema.
pub(crate) fn schema() -> &'static Schema {
    &PARSED
}

/// The Cedar name of a thing; `kind` is one of [`TYPES`].
pub(crate) fn uid(kind: &str, id: &str) -> EntityUid {
    let name = TYPE_NAMES
        .get(kind)
        .expect("callers pass a type of the table")
        .clone();
    EntityUid::from_type_name_and_id(name, EntityId::new(id))
}

/// The Cedar action for one class of fields at one end.
pub(crate) fn action(end: End, field: FieldClass) -> EntityUid {
    let name = match (end, field) {
        (End::Send, FieldClass::Identity) => "shareIdentity",
        (End::Send, FieldClass::Postal) => "sharePostal",
        (End::Send, FieldClass::Email) => "shareEmail",
        (End::Send, FieldClass::Phone) => "sharePhone",
        (End::Send, FieldClass::Political) => "sharePolitical",
        (End::Send, FieldClass::Engagement) => "shareEngagement",
        (End::Receive, FieldClass::Identity) => "receiveIdentity",
        (End::Receive, FieldClass::Postal) => "receivePostal",
        (End::Receive, FieldClass::Email) => "receiveEmail",
        (End::Receive, FieldClass::Phone) => "receivePhone",
        (End::Receive, FieldClass::Political) => "receivePolitical",
        (End::Receive, FieldClass::Engagement) => "receiveEngagement",
    };
    uid("Action", name)
}

/// The action groups that an action of this end must be in, or rules on the group stay silent.
pub(crate) fn groups(end: End) -> [EntityUid; 2] {
    let near = match end {
        End::Send => "Share",
        End::Receive => "Receive",
    };
    [uid("Action", near), flow_group()]
}

/// The action group of everything that one organization lets another have.
pub(crate) fn flow_group() -> EntityUid {
    uid("Action", "Flow")
}

/// The classes of an organization: its kind, and what that kind belongs to.
pub(crate) fn org_class(kind: OrgKind) -> &'static str {
    match kind {
        OrgKind::C3 => "charity",
        OrgKind::C4 | OrgKind::Union => "advocacy",
        OrgKind::Pac | OrgKind::SuperPac | OrgKind::Candidate | OrgKind::Party => "electoral",
        OrgKind::Vendor => "service",
        OrgKind::PublicOffice => "public",
        OrgKind::Nonprofit => "civic",
    }
}

/// A value of a closed set as Cedar sees it.
pub(crate) trait Term: Copy {
    /// The Cedar value.
    fn term(self) -> RestrictedExpression;
}

macro_rules! terms {
    ($($name:ident as $kind:literal,)*) => {$(
        impl Term for $name {
            fn term(self) -> RestrictedExpression {
                RestrictedExpression::new_entity_uid(uid($kind, self.name()))
            }
        }
    )*};
}

terms! {
    OrgKind as "OrgKind",
    Purpose as "Purpose",
    PolicyChannel as "Channel",
    Source as "Source",
    Basis as "Basis",
    ConsentState as "ConsentState",
    Consideration as "Consideration",
}

/// Whether an id has only the characters that ids may have: no look-alikes, no spaces.
#[must_use]
pub fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_ID
        && text
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-'))
}

/// The longest id in bytes.
pub(crate) const MAX_ID: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_lists_exactly_the_names_of_the_facts() {
        let json = cedar_policy::SchemaFragment::from_cedarschema_str(SCHEMA)
            .unwrap()
            .0
            .to_json_value()
            .unwrap();
        let check = |kind: &str, names: &[&str]| {
            let found = json["Turf"]["entityTypes"][kind]["enum"]
                .as_array()
                .unwrap();
            let found: Vec<&str> = found.iter().map(|name| name.as_str().unwrap()).collect();
            assert_eq!(found, names, "{kind}");
        };
        check("OrgKind", OrgKind::NAMES);
        check("Purpose", Purpose::NAMES);
        check("Channel", PolicyChannel::NAMES);
        check("Source", Source::NAMES);
        check("Basis", Basis::NAMES);
        check("ConsentState", ConsentState::NAMES);
        check("Consideration", Consideration::NAMES);
    }

    #[test]
    fn every_field_has_an_action_of_the_schema_at_both_ends() {
        let known: Vec<_> = schema().actions().collect();
        for field in FieldClass::ALL {
            assert!(known.contains(&&action(End::Send, *field)));
            assert!(known.contains(&&action(End::Receive, *field)));
        }
        assert_eq!(
            known.len(),
            2 * FieldClass::ALL.len() + 5,
            "and publications, results and the three groups"
        );
    }

    #[test]
    fn ids_have_no_look_alikes() {
        assert!(is_id("org-a.1_x"));
        for bad in ["", "Org", "org a", "\u{43e}rg", "a\"", "a\n"] {
            assert!(!is_id(bad), "{bad:?}");
        }
    }
}
