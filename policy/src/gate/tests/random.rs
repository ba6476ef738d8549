//! Random rules, flows and rows; the rules may be such as the linter refuses.

use super::*;
use crate::{Consideration, Jurisdiction};
use cedar_policy::PolicyId;
use proptest::{collection::vec, prelude::*, sample::select};
use std::collections::BTreeSet;

pub(super) const IDS: [&str; 5] = ["org-a", "org-b", "org-c", "org-d", "org-e"];
const RACES: [&str; 2] = ["oh-sen", "oh-gov"];

/// Conditions over every fact of the schema, paths through entities, and what is no plain path.
const CONDITIONS: &[&str] = &[
    "resource.minor",
    "resource.confidential",
    "resource.partisan",
    "resource.nonpublic",
    "resource.termsAllow",
    "resource.suppressed",
    "resource[\"tombstoned\"]",
    "resource.recentContact",
    "resource.clause.inForce",
    "resource.clause.purpose",
    "resource.clause.recipient",
    "resource.clause.channel",
    "resource.clause.field",
    "resource.clause.written",
    "resource.clause.explicitSpecial",
    "resource.clause.onward",
    "resource.clause.state == Turf::ConsentState::\"given\"",
    "[Turf::ConsentState::\"refused\", Turf::ConsentState::\"expired\"].contains(resource.clause.state)",
    "resource.clause == resource.clause",
    "{c: resource.clause}.c.field",
    "resource.source == Turf::Source::\"partner\"",
    "[Turf::Source::\"voter_file\", Turf::Source::\"own_signup\"].contains(resource.source)",
    "resource.basis == Turf::Basis::\"consent\"",
    "resource.basis != Turf::Basis::\"public_record\"",
    "resource.jurisdiction in Turf::Jurisdiction::\"eea\"",
    "resource.jurisdiction == Turf::Jurisdiction::\"us-oh\"",
    "resource.jurisdiction == resource.originator.jurisdiction",
    "resource.originator == context.from",
    "resource.originator.kind == context.to.kind",
    "resource.originator in Turf::OrgClass::\"advocacy\"",
    "resource.originator.coordinatedRaces.containsAny(context.to.ieRaces)",
    "resource.originator.jurisdiction in Turf::Jurisdiction::\"us\"",
    "resource.taintCoordinated.containsAny(context.to.ieRaces)",
    "resource.taintIe.contains(Turf::Race::\"oh-sen\")",
    "resource.taintIe.isEmpty()",
    "resource has minor",
    "resource.clause has state",
    "resource is Turf::Person",
    "resource == resource",
    "resource is Turf::Result && resource.aggregated",
    "resource has races",
    "(if resource.partisan then resource else resource).termsAllow",
    "context.to.kind == Turf::OrgKind::\"pac\"",
    "context.to in Turf::OrgClass::\"electoral\"",
    "context.purpose == Turf::Purpose::\"gotv\"",
    "context.channel == Turf::Channel::\"door\"",
    "context.consideration == Turf::Consideration::\"none\"",
    "principal == context.from",
    "action in Turf::Action::\"sharePhone\"",
    // These fail for some rows.
    "(if resource.partisan then 9223372036854775807 + 1 else 1) == 1",
    "resource.originator.noSuchThing",
];

fn conditions() -> impl Strategy<Value = String> {
    let leaf = select(CONDITIONS).prop_map(|text| format!("({text})"));
    leaf.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.clone().prop_map(|a| format!("(!{a})")),
            (inner.clone(), inner.clone(), inner)
                .prop_map(|(a, b, c)| format!("(if {a} then {b} else {c})")),
        ]
    })
}

fn rules() -> impl Strategy<Value = String> {
    let effect = select(&["permit", "permit", "forbid"][..]);
    let principal = select(
        &[
            "",
            "",
            "== Turf::Organization::\"org-a\"",
            "in Turf::OrgClass::\"advocacy\"",
        ][..],
    );
    let action = select(
        &[
            "",
            "",
            "in Turf::Action::\"Flow\"",
            "in Turf::Action::\"Share\"",
            "== Turf::Action::\"sharePhone\"",
            "in [Turf::Action::\"sharePolitical\", Turf::Action::\"receiveEmail\"]",
        ][..],
    );
    let resource = select(&["", "", "is Turf::Person", "in Turf::Coalition::\"this\""][..]);
    let clauses = vec((select(&["when", "unless"][..]), conditions()), 0..3);
    (effect, principal, action, resource, clauses).prop_map(
        |(effect, principal, action, resource, clauses)| {
            let clauses: String = clauses
                .iter()
                .map(|(kind, text)| format!(" {kind} {{ {text} }}"))
                .collect();
            format!(
                "{effect} (principal {principal}, action {action}, resource {resource}){clauses};"
            )
        },
    )
}

/// One rule that reads every column at once.
fn wide() -> Policy {
    let all: Vec<&str> = CONDITIONS
        .iter()
        .copied()
        .filter(|text| !text.contains("1 else") && !text.contains("noSuch"))
        .collect();
    let text = format!(
        "permit (principal, action, resource) when {{ ({}) }};",
        all.join(") || !(")
    );
    Policy::parse(Some(PolicyId::new("wide")), text).unwrap()
}

/// A gate with random rules in every layer, mostly beside a permit for everything.
pub(super) fn gates() -> impl Strategy<Value = Gate> {
    let layers = (vec(rules(), 1..6), vec(rules(), 0..5), vec(rules(), 0..3));
    let permits = (
        prop::bool::weighted(0.5),
        prop::bool::weighted(0.9),
        prop::bool::weighted(0.9),
    );
    (layers, permits, prop::bool::weighted(0.1)).prop_map(|(layers, permits, with_wide)| {
        let mut gate = parties_of(&IDS);
        let layer =
            |name: &str, rules: Vec<String>, permit: bool, wide_too: bool| {
                let mut policies: Vec<Policy> = rules
                    .iter()
                    .enumerate()
                    .map(|(n, text)| {
                        Policy::parse(Some(PolicyId::new(format!("{name}.r{n}"))), text).unwrap()
                    })
                    .collect();
                let all = "permit (principal, action, resource);";
                policies.extend(permit.then(|| {
                    Policy::parse(Some(PolicyId::new(format!("{name}.all"))), all).unwrap()
                }));
                policies.extend(wide_too.then(wide));
                LayerRules::new(&policies)
            };
        gate.layers = [
            layer("ag", layers.0, permits.0, false),
            layer("law", layers.1, permits.1, with_wide),
            layer("own", layers.2, permits.2, false),
        ];
        gate
    })
}

/// Organizations of several kinds, places and sides; without looking at the sides.
fn parties_of(ids: &[&str]) -> Gate {
    let kinds = [
        OrgKind::C4,
        OrgKind::Pac,
        OrgKind::Union,
        OrgKind::C3,
        OrgKind::Candidate,
    ];
    let places = ["us-oh", "us-pa", "us-mi", "de", "us"];
    let parties: Vec<Party> = ids
        .iter()
        .zip(kinds)
        .zip(places)
        .enumerate()
        .map(|(n, ((id, kind), place))| {
            let mut party = Party::new(id, &format!("Name of {id}"), kind, place.parse().unwrap());
            match n {
                0 => party.ie_races = BTreeSet::from([RACES[0].to_owned()]),
                1 => party.coordinated_races = BTreeSet::from(RACES.map(str::to_owned)),
                _ => {}
            }
            party
        })
        .collect();
    let terms = Terms::parse(crate::template("us-claims-only").unwrap().text).unwrap();
    Gate::build(&terms, OWN_DEFAULT, &parties).unwrap()
}

prop_compose! {
    /// A flow; now and then from or to somebody unknown.
    pub(super) fn flows()(
        from in select(&IDS[..]),
        to in select(&["org-a", "org-b", "org-c", "org-d", "org-e", "org-a", "org-b", "org-c", "org-d", "org-e", "stranger", "Not an id"][..]),
        purpose in select(&[Purpose::Gotv, Purpose::Persuasion][..]),
        channel in select(&[PolicyChannel::Door, PolicyChannel::Email][..]),
        consideration in select(&Consideration::ALL[..2]),
    ) -> Flow {
        Flow { from: from.to_owned(), to: to.to_owned(), purpose, channel, consideration, ..flow() }
    }
}

prop_compose! {
    fn facts()(
        originator in select(&["org-a", "org-b", "org-c", "org-a", "org-b", "org-c", "org-a", "stranger"][..]),
        source in select(&[Source::OwnSignup, Source::VoterFile, Source::Partner][..]),
        basis in select(&[Basis::Consent, Basis::ExplicitConsent, Basis::PublicRecord][..]),
        place in select(&["us-oh", "de", "unknown"][..]),
        marks in vec(prop::bool::weighted(0.15), 9),
        taints in vec(vec(select(&["oh-sen", "oh-gov", "oh-sen", "oh-gov", "oh-mayor"][..]), 0..2), 2),
    ) -> RowFacts {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let place: Jurisdiction = place.parse().unwrap();
        let facts = RowFacts::new(originator, source, basis, place);
        RowFacts {
            minor: marks[0], confidential: marks[1], never_share: marks[2], partisan: marks[3],
            nonpublic: marks[4], terms_allow: marks[5], suppressed: marks[6],
            tombstoned: marks[7], recent_contact: marks[8],
            taint_coordinated: set(&taints[0]), taint_ie: set(&taints[1]),
            ..facts
        }
    }
}

prop_compose! {
    /// A row, with or without a consent of one or two purposes.
    pub(super) fn rows()(
        facts in facts(),
        known in prop::bool::weighted(0.7),
        state in select(&[EventState::Given, EventState::Given, EventState::Refused][..]),
        minor in prop::bool::weighted(0.1),
        second in prop::option::of((vec(select(FieldClass::ALL), 1..4), select(&["coalition", "pac"][..]))),
        days in prop::option::of(1..3_u32),
    ) -> Row {
        let form = Form::parse(FORM).unwrap();
        let mut record = form.record("c", "p", 0, state, None);
        if minor { record.x_minor = crate::consent::Minor::Yes }
        record.purposes[0].retention_period = days.map(|days| format!("P{days}D"));
        if let Some((fields, class)) = second {
            let mut more = record.purposes[0].clone();
            more.purpose = Purpose::Persuasion;
            more.pii_information = fields;
            more.x_channels = vec![PolicyChannel::Email];
            more.recipient_third_parties.x_classes = vec![class.to_owned()];
            record.purposes.push(more);
        }
        Row { facts, consent: known.then_some(record) }
    }
}
