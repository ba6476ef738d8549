//! One batch of rows on its way into the lists: what of it the organization knows already, and what
//! waits to be written together.
//!
//! A trip to the database costs far more than what it does there. So the keys of all rows of a batch are
//! looked up at once, a row of which nothing is known needs no search of its own, and new rows are
//! written many at a time. Whoever reads what may be waiting calls [`Batch::flush`] first.

use super::{
    incoming::{Contactable, Incoming},
    person::{Prepared, fresh_id},
};
use crate::store::{
    Result,
    identifier::{self, Identifier},
    list,
    person::{self, Person},
    point::{self, PersonPoint, Point},
};
use sqlx::AnyConnection;
use std::collections::{BTreeMap, BTreeSet};

/// What a point is: its class, kind and value.
type Key = (i64, String, String);

fn key(point: &Point) -> Key {
    (point.class, point.kind.clone(), point.value.clone())
}

/// What is known of a batch's keys, and what waits.
#[derive(Default)]
pub(super) struct Batch {
    /// Points that were looked up or put; without an id where the organization has none.
    points: BTreeMap<Key, Option<String>>,
    /// Ids of other systems that are somebody's.
    identifiers: BTreeSet<(String, String)>,
    /// Names and postal codes that somebody has.
    name_postals: BTreeSet<String>,
    waiting: Waiting,
}

/// New rows of each table.
#[derive(Default)]
struct Waiting {
    points: Vec<Point>,
    people: Vec<Person>,
    attached: Vec<PersonPoint>,
    identifiers: Vec<Identifier>,
    listed: Vec<String>,
}

impl Batch {
    /// Looks up every key of some rows.
    pub(super) async fn look_up<'a>(
        db: &mut AnyConnection,
        rows: impl Iterator<Item = &'a Prepared> + Clone,
    ) -> Result<Self> {
        let mut batch = Self::default();
        let points = rows.clone().flat_map(|row| &row.contactables);
        batch.look_up_points(db, points).await?;
        let mut by_system: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (system, id) in rows.clone().flat_map(|row| &row.row.identifiers) {
            by_system.entry(system).or_default().push(id);
        }
        for (system, ids) in by_system {
            let known = identifier::known(db, system, &ids).await?;
            let known = known.into_iter().map(|id| (system.to_owned(), id));
            batch.identifiers.extend(known);
        }
        let names: Vec<&str> = rows
            .map(|row| row.name_postal.as_str())
            .filter(|key| !key.is_empty())
            .collect();
        let names = person::known_name_postals(db, &names).await?;
        batch.name_postals.extend(names);
        Ok(batch)
    }

    async fn look_up_points<'a>(
        &mut self,
        db: &mut AnyConnection,
        contactables: impl Iterator<Item = &'a Contactable>,
    ) -> Result<()> {
        let mut by_kind: BTreeMap<(i64, &str), Vec<&str>> = BTreeMap::new();
        for Contactable { point, .. } in contactables {
            self.points.insert(key(point), None);
            let values = by_kind.entry((point.class, &point.kind)).or_default();
            values.push(&point.value);
        }
        for ((class, kind), values) in by_kind {
            for (value, id) in point::known(db, class, kind, &values).await? {
                self.points
                    .insert((class, kind.to_owned(), value), Some(id));
            }
        }
        Ok(())
    }

    /// Whether anything about a row leads to somebody whom the organization may have.
    pub(super) fn may_know(&self, prepared: &Prepared) -> bool {
        let point = |contactable: &Contactable| {
            let known = self.points.get(&key(&contactable.point));
            known.is_some_and(Option::is_some)
        };
        prepared.contactables.iter().any(point)
            || prepared.row.identifiers.iter().any(|(system, id)| {
                self.identifiers
                    .contains(&((*system).to_owned(), id.clone()))
            })
            || self.name_postals.contains(&prepared.name_postal)
    }

    /// The id of a point, which is put where the organization has it not.
    pub(super) async fn point_id(
        &mut self,
        db: &mut AnyConnection,
        point: &Point,
    ) -> Result<String> {
        let key = key(point);
        let known = match self.points.get(&key) {
            Some(known) => known.clone(),
            None => point::known(db, point.class, &point.kind, &[&point.value])
                .await?
                .pop()
                .map(|(_, id)| id),
        };
        let id = known.unwrap_or_else(|| {
            let id = fresh_id();
            self.waiting.points.push(Point {
                point_id: id.clone(),
                ..point.clone()
            });
            id
        });
        self.points.insert(key, Some(id.clone()));
        Ok(id)
    }

    /// Gives a person a point, or changes how the person has it.
    pub(super) fn attach(&mut self, point: PersonPoint) {
        self.waiting.attached.push(point);
    }

    /// Notes what a person is found by from now on.
    pub(super) fn note(&mut self, person: &Person, row: &Incoming) {
        if !person.name_postal.is_empty() {
            self.name_postals.insert(person.name_postal.clone());
        }
        let ids = row.identifiers.iter();
        self.identifiers
            .extend(ids.map(|(system, id)| ((*system).to_owned(), id.clone())));
    }

    /// Puts a new person on the list, with the ids of the row.
    pub(super) fn add(&mut self, person: Person, row: &Incoming) {
        for (system, id) in &row.identifiers {
            self.waiting.identifiers.push(Identifier {
                person_id: person.person_id.clone(),
                system: (*system).to_owned(),
                value: id.clone(),
            });
        }
        self.waiting.listed.push(person.person_id.clone());
        self.waiting.people.push(person);
    }

    /// Writes what waits.
    pub(super) async fn flush(&mut self, db: &mut AnyConnection, list_id: &str) -> Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        point::insert_all(db, &waiting.points).await?;
        person::insert_all(db, &waiting.people).await?;
        point::attach_all(db, &waiting.attached).await?;
        identifier::add_all(db, &waiting.identifiers).await?;
        list::add_all(db, list_id, &waiting.listed).await
    }
}
