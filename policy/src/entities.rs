//! From facts to Cedar entities, and the proof that none is missing.
//!
//! Cedar says nothing when an entity, a parent or an action group is absent: a `forbid` that asks
//! for it just does not apply, and the answer is Allow. So every id that a decision rests on is
//! looked up in the very store that the decision uses, with the parents that it must have.

use crate::{
    columns::Marks,
    consent::{Minor, clause::Clause},
    facts::{Basis, FieldClass, OrgKind, Source},
    flow::{Flow, Party, Row},
    jurisdiction::Jurisdiction,
    schema::{COALITION, Term, org_class, schema, uid},
};
use cedar_policy::{
    Context, Entities, Entity, EntityUid, RestrictedExpression, entities_errors::EntitiesError,
};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// The facts of one kind of row in one kind of cell, as the rules see them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Person<'c> {
    pub(crate) originator: &'c str,
    pub(crate) source: Source,
    pub(crate) basis: Basis,
    pub(crate) jurisdiction: Jurisdiction,
    pub(crate) marks: Marks,
    pub(crate) taint_coordinated: &'c BTreeSet<String>,
    pub(crate) taint_ie: &'c BTreeSet<String>,
    pub(crate) clause: Clause,
}

impl<'c> Person<'c> {
    /// A row in one cell.
    pub(crate) fn of(
        row: &'c Row,
        flow: &Flow,
        to: &Party,
        field: FieldClass,
        now_ms: i64,
    ) -> Self {
        let facts = &row.facts;
        let minor = row
            .consent
            .as_ref()
            .is_some_and(|record| record.x_minor == Minor::Yes);
        Self {
            originator: &facts.originator,
            source: facts.source,
            basis: facts.basis,
            jurisdiction: facts.jurisdiction,
            marks: Marks::of(facts).with(if minor { Marks::MINOR } else { Marks::NONE }),
            taint_coordinated: &facts.taint_coordinated,
            taint_ie: &facts.taint_ie,
            clause: row.consent.as_ref().map_or(Clause::UNKNOWN, |record| {
                record.clause_for(flow, to, field, now_ms)
            }),
        }
    }
}

/// Every class that an organization can be in: kinds, and groups of kinds.
pub(crate) fn org_classes() -> BTreeSet<&'static str> {
    OrgKind::ALL
        .iter()
        .flat_map(|kind| [kind.name(), org_class(*kind)])
        .collect()
}

/// The part of the store that stays: places, classes, the coalition, its organizations, races and
/// the actions with their groups, which come with the schema.
pub(crate) fn base(parties: &BTreeMap<String, Party>) -> Result<Entities, Box<EntitiesError>> {
    let mut all = vec![Entity::with_uid(uid("Coalition", COALITION))];
    let classes: BTreeSet<&str> = OrgKind::ALL.iter().map(|kind| org_class(*kind)).collect();
    all.extend(
        classes
            .into_iter()
            .map(|class| Entity::with_uid(uid("OrgClass", class))),
    );
    for kind in OrgKind::ALL {
        let parent = uid("OrgClass", org_class(*kind));
        all.push(Entity::new_no_attrs(
            uid("OrgClass", kind.name()),
            HashSet::from([parent]),
        ));
    }
    for place in Jurisdiction::all() {
        let parents = place
            .parent()
            .map(|parent| uid("Jurisdiction", parent.code()));
        all.push(Entity::new_no_attrs(
            uid("Jurisdiction", place.code()),
            parents.into_iter().collect(),
        ));
    }
    let races: BTreeSet<&String> = parties.values().flat_map(races_of).collect();
    all.extend(
        races
            .into_iter()
            .map(|race| Entity::with_uid(uid("Race", race))),
    );
    for party in parties.values() {
        all.push(organization(party));
    }
    Entities::from_entities(all, Some(schema())).map_err(Box::new)
}

/// Every race that an organization works on.
pub(crate) fn races_of(party: &Party) -> impl Iterator<Item = &String> {
    party.coordinated_races.iter().chain(&party.ie_races)
}

fn organization(party: &Party) -> Entity {
    let attributes = record([
        ("kind", party.kind.term()),
        (
            "jurisdiction",
            reference("Jurisdiction", party.jurisdiction.code()),
        ),
        ("federal", flag(party.federal)),
        ("incorporated", flag(party.incorporated)),
        ("coordinatedRaces", races(&party.coordinated_races)),
        ("ieRaces", races(&party.ie_races)),
        ("transferBasis", flag(party.transfer_basis)),
        ("suspended", flag(party.suspended)),
        ("noticesOverdue", flag(party.notices_overdue)),
    ]);
    let parents = [
        uid("Coalition", COALITION),
        uid("OrgClass", party.kind.name()),
    ];
    Entity::new(
        uid("Organization", &party.id),
        attributes,
        HashSet::from(parents),
    )
    .expect("attributes without extension functions cannot fail to evaluate")
}

/// A person under a name that means nothing outside one decision.
pub(crate) fn person(name: &str, person: &Person<'_>) -> Entity {
    let mark = |mark| flag(person.marks.has(mark));
    let attributes = record([
        ("originator", reference("Organization", person.originator)),
        ("source", person.source.term()),
        ("basis", person.basis.term()),
        (
            "jurisdiction",
            reference("Jurisdiction", person.jurisdiction.code()),
        ),
        ("minor", mark(Marks::MINOR)),
        ("confidential", mark(Marks::CONFIDENTIAL)),
        ("partisan", mark(Marks::PARTISAN)),
        ("nonpublic", mark(Marks::NONPUBLIC)),
        ("termsAllow", mark(Marks::TERMS_ALLOW)),
        ("taintCoordinated", races(person.taint_coordinated)),
        ("taintIe", races(person.taint_ie)),
        ("suppressed", mark(Marks::SUPPRESSED)),
        ("tombstoned", mark(Marks::TOMBSTONED)),
        ("recentContact", mark(Marks::RECENT_CONTACT)),
        ("clause", clause(&person.clause)),
    ]);
    Entity::new(uid("Person", name), attributes, HashSet::new())
        .expect("attributes without extension functions cannot fail to evaluate")
}

/// Something that a member publishes to all, under a name that means nothing outside one decision.
pub(crate) fn publication(
    kind: &str,
    name: &str,
    author: &str,
    about: &BTreeSet<String>,
) -> Entity {
    let attributes = record([
        ("author", reference("Organization", author)),
        ("races", races(about)),
    ]);
    Entity::new(uid(kind, name), attributes, HashSet::new())
        .expect("attributes without extension functions cannot fail to evaluate")
}

/// A result of an author's work, under a name that means nothing outside one decision.
pub(crate) fn result(
    name: &str,
    author: &str,
    about: &BTreeSet<String>,
    aggregated: bool,
    min_cell_met: bool,
) -> Entity {
    let attributes = record([
        ("author", reference("Organization", author)),
        ("races", races(about)),
        ("aggregated", flag(aggregated)),
        ("minCellMet", flag(min_cell_met)),
    ]);
    Entity::new(uid("Result", name), attributes, HashSet::new())
        .expect("attributes without extension functions cannot fail to evaluate")
}

fn clause(clause: &Clause) -> RestrictedExpression {
    let fields = record([
        ("state", clause.state.term()),
        ("inForce", flag(clause.in_force)),
        ("purpose", flag(clause.purpose)),
        ("recipient", flag(clause.recipient)),
        ("channel", flag(clause.channel)),
        ("field", flag(clause.field)),
        ("written", flag(clause.written)),
        ("explicitSpecial", flag(clause.explicit_special)),
        ("onward", flag(clause.onward)),
    ]);
    RestrictedExpression::new_record(fields).expect("the field names differ")
}

/// The context of a request: the flow.
pub(crate) fn context(flow: &Flow) -> Context {
    let pairs = [
        ("from", reference("Organization", &flow.from)),
        ("to", reference("Organization", &flow.to)),
        ("coalition", reference("Coalition", COALITION)),
        ("purpose", flow.purpose.term()),
        ("channel", flow.channel.term()),
        ("consideration", flow.consideration.term()),
        ("evidenceOnFile", flag(flow.evidence_on_file)),
        ("equalTerms", flag(flow.equal_terms)),
        ("agreementCurrent", flag(flow.agreement_current)),
        ("lawPackFresh", flag(flow.law_pack_fresh)),
        ("suspended", flag(flow.suspended)),
    ];
    Context::from_pairs(pairs.map(|(name, value)| (name.to_owned(), value)))
        .expect("the names differ and nothing needs evaluation")
}

/// Whether the store holds what every decision about this flow rests on, parents included.
pub(crate) fn flow_is_complete(
    store: &Entities,
    parties: &BTreeMap<String, Party>,
    action: &EntityUid,
    groups: &[EntityUid],
    flow: &Flow,
) -> bool {
    let members = [&flow.from, &flow.to];
    members
        .into_iter()
        .all(|id| organization_is_complete(store, parties, id))
        && groups.iter().all(|group| has_parent(store, action, group))
}

/// Whether the store holds what this person's facts refer to, parents included.
pub(crate) fn person_is_complete(
    store: &Entities,
    parties: &BTreeMap<String, Party>,
    person: &Person<'_>,
) -> bool {
    organization_is_complete(store, parties, person.originator)
        && place_is_complete(store, person.jurisdiction)
        && races_are_complete(
            store,
            person.taint_coordinated.iter().chain(person.taint_ie),
        )
}

pub(crate) fn organization_is_complete(
    store: &Entities,
    parties: &BTreeMap<String, Party>,
    id: &str,
) -> bool {
    let Some(party) = parties.get(id) else {
        return false;
    };
    let name = uid("Organization", id);
    [
        uid("Coalition", COALITION),
        uid("OrgClass", party.kind.name()),
        uid("OrgClass", org_class(party.kind)),
    ]
    .iter()
    .all(|parent| has_parent(store, &name, parent))
        && place_is_complete(store, party.jurisdiction)
        && races_are_complete(store, races_of(party))
}

pub(crate) fn place_is_complete(store: &Entities, place: Jurisdiction) -> bool {
    let name = uid("Jurisdiction", place.code());
    match place.parent() {
        None => store.get(&name).is_some(),
        Some(parent) => {
            has_parent(store, &name, &uid("Jurisdiction", parent.code()))
                && place_is_complete(store, parent)
        }
    }
}

pub(crate) fn races_are_complete<'a>(
    store: &Entities,
    mut races: impl Iterator<Item = &'a String>,
) -> bool {
    races.all(|race| store.get(&uid("Race", race)).is_some())
}

/// Whether both exist in the store, and one is above the other.
fn has_parent(store: &Entities, child: &EntityUid, parent: &EntityUid) -> bool {
    store.get(child).is_some() && store.get(parent).is_some() && store.is_ancestor_of(parent, child)
}

fn flag(value: bool) -> RestrictedExpression {
    RestrictedExpression::new_bool(value)
}

fn reference(kind: &str, id: &str) -> RestrictedExpression {
    RestrictedExpression::new_entity_uid(uid(kind, id))
}

fn races(ids: &BTreeSet<String>) -> RestrictedExpression {
    RestrictedExpression::new_set(ids.iter().map(|id| reference("Race", id)))
}

fn record<const N: usize>(
    fields: [(&str, RestrictedExpression); N],
) -> HashMap<String, RestrictedExpression> {
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
