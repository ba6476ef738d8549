//! Where people live: by coordinates of their own file, else of a geocoder's file, else roughly by
//! precinct or postal code.

use super::{area, position::Position};
use crate::{
    app::App,
    claims::universe::Target,
    http::problem::Failure,
    import::{self, Item, ParsedPerson},
    people::door_point,
    store::{self, person::Address},
};
use protocol::entry::plan::Place;
use std::{collections::BTreeMap, fs::File, ops::ControlFlow};

/// The most rows of a geocoder's file.
pub const PLACES_ROWS: usize = 2_000_000;

/// Where somebody lives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Placed {
    /// The point, if any is known.
    pub position: Option<Position>,
    /// The point is the middle of the precinct or postal code.
    pub rough: bool,
    /// The precinct in small letters; may be empty.
    pub precinct: String,
    /// The postal code, as plans spell it.
    pub postal: Option<String>,
}

/// Where everybody on the lists lives.
#[derive(Debug, Clone, Default)]
pub struct Places(BTreeMap<String, Placed>);

impl Places {
    /// Reads them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn read(app: &App) -> Result<Self, Failure> {
        let mut db = app.store.read("reading where people live").await?;
        let addresses = store::person::addresses(&mut db).await?;
        let geocoded = store::turf::geocoded(&mut db).await?;
        drop(db);
        let region = app.config.lists.region.clone();
        Ok(Self::of(&addresses, &geocoded, &region))
    }

    fn of(
        addresses: &BTreeMap<String, Address>,
        geocoded: &BTreeMap<String, Position>,
        region: &str,
    ) -> Self {
        let mut all = BTreeMap::new();
        let mut of_precinct: BTreeMap<(String, String), Vec<Position>> = BTreeMap::new();
        let mut of_postal: BTreeMap<String, Vec<Position>> = BTreeMap::new();
        for (person, address) in addresses {
            let placed = Placed {
                position: address.position.or_else(|| geocoded.get(person).copied()),
                rough: false,
                precinct: area::folded(&address.precinct),
                postal: postal(address, region),
            };
            if let Some(position) = placed.position {
                let precinct = (area::folded(&address.county), placed.precinct.clone());
                of_precinct.entry(precinct).or_default().push(position);
                if let Some(postal) = &placed.postal {
                    of_postal.entry(postal.clone()).or_default().push(position);
                }
            }
            all.insert(person.clone(), placed);
        }
        let middle = |points: &Vec<Position>| Position::middle(points);
        let of_precinct: BTreeMap<_, _> = of_precinct
            .iter()
            .filter(|((_, precinct), _)| !precinct.is_empty())
            .map(|(key, points)| (key.clone(), middle(points)))
            .collect();
        let of_postal: BTreeMap<_, _> = of_postal
            .iter()
            .map(|(key, points)| (key.clone(), middle(points)))
            .collect();
        for (person, placed) in &mut all {
            if placed.position.is_some() {
                continue;
            }
            let county = addresses.get(person).map(|address| &address.county);
            let precinct = (
                area::folded(county.map_or("", String::as_str)),
                placed.precinct.clone(),
            );
            let postal = placed.postal.as_ref().and_then(|code| of_postal.get(code));
            let known = of_precinct.get(&precinct).or(postal).copied().flatten();
            placed.position = known;
            placed.rough = known.is_some();
        }
        Self(all)
    }

    /// Every person's place.
    pub fn all(&self) -> impl Iterator<Item = &Placed> {
        self.0.values()
    }

    /// Where a contact point lies: as told of the people there, the exact before the rough.
    #[must_use]
    pub fn of_target(&self, target: &Target) -> Placed {
        let known = || target.people.iter().filter_map(|person| self.0.get(person));
        let exact = known().find(|placed| placed.position.is_some() && !placed.rough);
        let rough = || known().find(|placed| placed.position.is_some());
        let mut placed = exact
            .or_else(rough)
            .or_else(|| known().next())
            .cloned()
            .unwrap_or_default();
        if placed.precinct.is_empty() {
            let named = known().find(|placed| !placed.precinct.is_empty());
            placed.precinct = named
                .map(|known| known.precinct.clone())
                .unwrap_or_default();
        }
        placed.postal = placed
            .postal
            .or_else(|| known().find_map(|placed| placed.postal.clone()));
        placed
    }
}

fn postal(address: &Address, region: &str) -> Option<String> {
    let country = match address.country.trim() {
        "" => region,
        country => country,
    };
    match Place::postal(country, &address.postal_code) {
        Ok(Place::Postal(code)) => Some(code),
        _ => None,
    }
}

/// What became of a geocoder's file.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Taken {
    /// Rows of the file.
    pub rows: u64,
    /// Doors whose point is known now.
    pub doors: u64,
    /// Rows without a point, or with coordinates that name none.
    pub without_point: u64,
    /// Rows whose address names no door.
    pub without_door: u64,
    /// Rows that could not be read.
    pub unreadable: u64,
    /// People of the lists whose own file had no coordinates and whose door is among them.
    pub people_placed: u64,
}

/// Takes a geocoder's file: a table of addresses with latitude and longitude.
///
/// # Errors
/// [`Failure`] when the file cannot be read, or has no columns of coordinates.
pub async fn import(
    app: &App,
    file: File,
    map: Vec<import::Mapping>,
    dry_run: bool,
) -> Result<Taken, Failure> {
    let region = app.config.lists.region.clone();
    let read = tokio::task::spawn_blocking(move || parse(file, map, &region)).await;
    let (doors, mut taken) = read.map_err(Failure::internal)??;
    let mut tx = app.store.write("taking a geocoder's file").await?;
    store::turf::put_places(&mut tx, &doors).await?;
    let geocoded = store::turf::geocoded(&mut tx).await?;
    let addresses = store::person::addresses(&mut tx).await?;
    let lacks = |person: &&String| {
        let address = addresses.get(*person);
        address.is_some_and(|address| address.position.is_none())
    };
    taken.people_placed = geocoded.keys().filter(lacks).count() as u64;
    if dry_run {
        return Ok(taken);
    }
    tx.commit().await?;
    Ok(taken)
}

fn parse(
    file: File,
    map: Vec<import::Mapping>,
    region: &str,
) -> Result<(BTreeMap<String, Position>, Taken), Failure> {
    let mut doors = BTreeMap::new();
    let mut taken = Taken::default();
    let mut take = |person: &ParsedPerson| {
        taken.rows += 1;
        let door = door_point(&person.address, region);
        match (door, person.address.position) {
            (_, None) => taken.without_point += 1,
            (None, _) => taken.without_door += 1,
            (Some(door), Some(position)) => _ = doors.insert(door.value, position),
        }
        taken.rows as usize > PLACES_ROWS
    };
    let mut sink = |item| match item {
        Item::Person { person, .. } if take(&person) => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    };
    let options = import::Options {
        map,
        ..import::Options::default()
    };
    let summary = import::read(file, &options, &mut sink)
        .map_err(|error| Failure::input(error.to_string()))?;
    if summary.stopped {
        return Err(Failure::input(format!(
            "the file has more than {PLACES_ROWS} rows; split it"
        )));
    }
    taken.unreadable = summary.rejected;
    taken.rows += summary.rejected;
    taken.doors = doors.len() as u64;
    if doors.is_empty() {
        return Err(Failure::input(
            "no row has both an address and a point: name the columns, for example `--map Y=latitude --map X=longitude`",
        ));
    }
    Ok((doors, taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lives(precinct: &str, postal_code: &str, position: Option<(f64, f64)>) -> Address {
        Address {
            precinct: precinct.to_owned(),
            postal_code: postal_code.to_owned(),
            position: position.map(|(y, x)| Position::of_degrees(y, x).unwrap()),
            ..Address::default()
        }
    }

    fn placed(people: &[(&str, Address)], geocoded: &[(&str, Position)]) -> Places {
        let people = people.iter().map(|(id, at)| ((*id).to_owned(), at.clone()));
        let geocoded = geocoded.iter().map(|(id, at)| ((*id).to_owned(), *at));
        Places::of(&people.collect(), &geocoded.collect(), "us")
    }

    #[test]
    fn who_has_no_coordinates_is_placed_by_precinct_before_postal_code() {
        let places = placed(
            &[
                ("a", lives("5-1", "19104", Some((40.0, -75.0)))),
                ("b", lives("", "19104", Some((40.5, -75.5)))),
                ("c", lives(" 5-1 ", "19104", None)),
                ("d", lives("9-9", "19104", None)),
                ("e", lives("", "", None)),
            ],
            &[],
        );
        let of = |person: &str| places.0.get(person).unwrap();
        assert_eq!(of("c").position, of("a").position);
        assert!(of("c").rough && of("d").rough && !of("a").rough);
        assert!(of("d").position.is_some());
        assert_eq!((of("e").position, of("e").rough), (None, false));
    }

    #[test]
    fn a_geocoder_fills_what_is_missing_and_overrules_nothing() {
        let told = Position::of_degrees(41.0, -76.0).unwrap();
        let own = lives("", "", Some((40.0, -75.0)));
        let people = [("a", own.clone()), ("b", lives("", "", None))];
        let places = placed(&people, &[("a", told), ("b", told)]);
        assert_eq!(places.0["a"].position, own.position);
        assert_eq!(places.0["b"].position, Some(told));
        assert!(!places.0["b"].rough);
    }
}
