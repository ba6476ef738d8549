//! One batch of rows on its way into the lists: what of it the organization knows already, and what
//! waits to be written together.
//!
//! A trip to the database costs far more than what it does there. So the keys of all rows of a batch are
//! looked up at once, a row of which nothing is known needs no search of its own, and new rows are
//! written many at a time. Whoever reads what may be waiting calls [`Batch::flush`] first.

use super::{
    incoming::{Contactable, Incoming},
    person::Prepared,
};
use crate::{
    ambient,
    store::{
        Result,
        identifier::{self, Identifier},
        list,
        person::{self, Person},
        point::{self, PersonPoint, Point},
    },
};
use protocol::{id::EntryId, token::normalize::name::name};
use sqlx::AnyConnection;
use std::collections::BTreeMap;

/// What a point is: its class, kind and value.
type Key = (i64, String, String);

fn key(point: &Point) -> Key {
    (point.class, point.kind.clone(), point.value.clone())
}

/// What is known of a point.
#[derive(Default)]
struct Known {
    /// Its id, once it has one.
    id: Option<String>,
    /// People may be found at it in the database.
    stored: bool,
    /// The normalized names of those who wait to be written with it.
    waiting: Vec<String>,
}

/// What is known of a batch's keys, and what waits.
#[derive(Default)]
pub(super) struct Batch {
    /// When it is taken, in milliseconds since 1970.
    now: i64,
    /// Points that were looked up or put.
    points: BTreeMap<Key, Known>,
    /// Ids of other systems that are somebody's, and whether that waits.
    identifiers: BTreeMap<(String, String), bool>,
    /// Names and postal codes that somebody has, and whether that waits.
    name_postals: BTreeMap<String, bool>,
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
        now: i64,
        rows: impl Iterator<Item = &'a Prepared> + Clone,
    ) -> Result<Self> {
        let mut batch = Self {
            now,
            ..Self::default()
        };
        let points = rows.clone().flat_map(|row| &row.contactables);
        batch.look_up_points(db, points).await?;
        let mut by_system: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (system, id) in rows.clone().flat_map(|row| &row.row.identifiers) {
            by_system.entry(system).or_default().push(id);
        }
        for (system, ids) in by_system {
            let known = identifier::known(db, system, &ids).await?;
            let known = known.into_iter().map(|id| ((system.to_owned(), id), false));
            batch.identifiers.extend(known);
        }
        let names: Vec<&str> = rows
            .map(|row| row.name_postal.as_str())
            .filter(|key| !key.is_empty())
            .collect();
        let names = person::known_name_postals(db, &names).await?;
        let names = names.into_iter().map(|name| (name, false));
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
            self.points.insert(key(point), Known::default());
            let values = by_kind.entry((point.class, &point.kind)).or_default();
            values.push(&point.value);
        }
        for ((class, kind), values) in by_kind {
            for (value, id) in point::known(db, class, kind, &values).await? {
                let known = Known {
                    id: Some(id),
                    stored: true,
                    waiting: Vec::new(),
                };
                self.points.insert((class, kind.to_owned(), value), known);
            }
        }
        Ok(())
    }

    /// The id of a new person or point: 48 bits of time, then 80 random ones. What is imported together so
    /// lies together in every index, and a large import does not touch each page of them in each batch. Such
    /// ids never leave the node: they tell when somebody was imported.
    pub(super) fn fresh_id(&self) -> String {
        let mut id = EntryId::random(&mut ambient::rng());
        let time = self.now.to_be_bytes();
        for (byte, of_time) in id.0.iter_mut().zip(time.iter().skip(2)) {
            *byte = *of_time;
        }
        id.to_string()
    }

    /// Whether somebody who waits may be the person of a row.
    pub(super) fn may_wait(&self, prepared: &Prepared) -> bool {
        let row = &prepared.row;
        let name = whole_name(&row.given, &row.surname);
        let point = |contactable: &Contactable| {
            let known = self.points.get(&key(&contactable.point));
            known.is_some_and(|known| match contactable.point.class {
                // At a door and a phone people of other names are other people.
                point::DOOR => false,
                point::PHONE => known.waiting.contains(&name),
                _ => !known.waiting.is_empty(),
            })
        };
        prepared.contactables.iter().any(point)
            || self.name_postals.get(&prepared.name_postal) == Some(&true)
            || row.identifiers.iter().any(|(system, id)| {
                let id = ((*system).to_owned(), id.clone());
                self.identifiers.get(&id) == Some(&true)
            })
    }

    /// Whether points of a person wait to be written.
    pub(super) fn waits_for(&self, person_id: &str) -> bool {
        let mut attached = self.waiting.attached.iter();
        attached.any(|point| point.person_id == person_id)
    }

    /// Whether people may be found at a point in the database.
    pub(super) fn has_point(&self, class: i64, kind: &str, value: &str) -> bool {
        let known = self.points.get(&(class, kind.to_owned(), value.to_owned()));
        known.is_none_or(|known| known.stored)
    }

    /// Whether an id of another system may be found in the database.
    pub(super) fn has_identifier(&self, system: &str, id: &str) -> bool {
        self.identifiers
            .contains_key(&(system.to_owned(), id.to_owned()))
    }

    /// Whether a name and postal code may be found in the database.
    pub(super) fn has_name_postal(&self, key: &str) -> bool {
        self.name_postals.contains_key(key)
    }

    /// The id of a point, which is put where the organization has it not.
    pub(super) async fn point_id(
        &mut self,
        db: &mut AnyConnection,
        point: &Point,
    ) -> Result<String> {
        let key = key(point);
        if !self.points.contains_key(&key) {
            let found = point::known(db, point.class, &point.kind, &[&point.value]).await?;
            let id = found.into_iter().next().map(|(_, id)| id);
            let known = Known {
                stored: id.is_some(),
                id,
                waiting: Vec::new(),
            };
            self.points.insert(key.clone(), known);
        }
        if let Some(id) = self.points.get(&key).and_then(|known| known.id.clone()) {
            return Ok(id);
        }
        let id = self.fresh_id();
        self.waiting.points.push(Point {
            point_id: id.clone(),
            ..point.clone()
        });
        self.points.entry(key).or_default().id = Some(id.clone());
        Ok(id)
    }

    /// Gives somebody a point, or changes how the person has it.
    pub(super) fn attach(&mut self, name: &str, point: PersonPoint) {
        let known = self.points.entry(key(&point.point)).or_default();
        known.waiting.push(name.to_owned());
        self.waiting.attached.push(point);
    }

    /// Notes what a person is found by from now on; `waits` for one who is not written yet.
    pub(super) fn note(&mut self, person: &Person, row: &Incoming, waits: bool) {
        if !person.name_postal.is_empty() {
            let known = self.name_postals.entry(person.name_postal.clone());
            *known.or_default() |= waits;
        }
        for (system, id) in &row.identifiers {
            let known = self.identifiers.entry(((*system).to_owned(), id.clone()));
            *known.or_default() |= waits;
        }
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
        list::add_all(db, list_id, &waiting.listed).await?;
        for attached in &waiting.attached {
            let known = self.points.entry(key(&attached.point)).or_default();
            known.stored = true;
            known.waiting.clear();
        }
        for waits in self.name_postals.values_mut() {
            *waits = false;
        }
        for waits in self.identifiers.values_mut() {
            *waits = false;
        }
        Ok(())
    }
}

/// Both names as they are compared.
pub(super) fn whole_name(given: &str, surname: &str) -> String {
    let part = |part| name(part).unwrap_or_default();
    format!("{}|{}", part(given), part(surname))
}
