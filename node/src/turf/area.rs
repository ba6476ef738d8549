//! Areas of the organization's own: a name for a part of the ground. They stay in this node; a plan
//! that uses one names its cells or postal codes.

use super::{
    boundary::Boundary,
    cells,
    drawing::{self, DRAWING_BYTES},
    places::{Placed, Places},
};
use crate::{app::App, http::problem::Failure, store};
use h3o::{CellIndex, Resolution};
use protocol::{
    entry::plan::{AREA_BYTES, Place},
    fold::plan::PLAN_PLACES,
    id::RowRef,
    problem::ProblemKind,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most areas of a node.
pub const AREAS: usize = 1_000;
/// The most cells, postal codes or precincts of one area.
pub const PARTS: usize = 10_000;
/// So many precincts are named when one is not known.
const NAMED: usize = 10;

/// What an area is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// Drawn on the ground.
    Boundary(Boundary),
    /// Cells of the H3 grid.
    Cells(BTreeSet<u64>),
    /// Postal codes, as plans spell them.
    Postal(BTreeSet<String>),
    /// Precincts, in small letters.
    Precincts(BTreeSet<String>),
}

/// An area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Area {
    /// Its id.
    pub area_id: String,
    /// Its name, in small letters.
    pub name: String,
    /// What it is made of.
    pub shape: Shape,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
}

/// From what an area is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A file with a boundary.
    File,
    /// Cells, one per line.
    Cells,
    /// Postal codes, one per line.
    Postal,
    /// Precincts, one per line.
    Precinct,
}

impl Area {
    /// Whether a place lies in it.
    #[must_use]
    pub fn contains(&self, placed: &Placed) -> bool {
        match &self.shape {
            Shape::Boundary(boundary) => placed
                .position
                .is_some_and(|position| boundary.contains(position)),
            Shape::Cells(cells) => placed.position.is_some_and(|position| {
                (0..=15)
                    .filter_map(|resolution| Resolution::try_from(resolution).ok())
                    .filter_map(|resolution| cells::cell_of(position, resolution))
                    .any(|cell| cells.contains(&u64::from(cell)))
            }),
            Shape::Postal(codes) => placed
                .postal
                .as_ref()
                .is_some_and(|code| codes.contains(code)),
            Shape::Precincts(names) => names.contains(&placed.precinct),
        }
    }

    /// Whether only points lie in it, as against postal codes and precincts.
    #[must_use]
    pub fn asks_for_points(&self) -> bool {
        matches!(self.shape, Shape::Boundary(_) | Shape::Cells(_))
    }

    /// The area as a plan names it to allies.
    ///
    /// # Errors
    /// [`Failure`] when it is too large for a plan.
    pub fn places(&self) -> Result<Vec<Place>, Failure> {
        let large = || {
            Failure::input(format!(
                "area \"{}\" is too large for one plan, which names at most {PLAN_PLACES} cells of about 5 km²; divide it",
                self.name
            ))
        };
        let cells = |cells: BTreeSet<u64>| cells.into_iter().map(Place::Cell).collect();
        match &self.shape {
            Shape::Boundary(boundary) => cells::covering(boundary).map(cells).ok_or_else(large),
            Shape::Cells(all) => cells::coarsened(all).map(cells).ok_or_else(large),
            Shape::Postal(codes) => Ok(codes.iter().cloned().map(Place::Postal).collect()),
            Shape::Precincts(names) => names
                .iter()
                .map(|name| Place::area(name).map_err(|error| Failure::input(error.to_string())))
                .collect(),
        }
    }

    /// Boundary, cells, postal codes or precincts, and how many.
    #[must_use]
    pub fn made_of(&self) -> String {
        let (count, one, many) = match &self.shape {
            Shape::Boundary(boundary) => {
                let corners: usize = boundary.rings().map(<[_]>::len).sum();
                return format!("boundary of {corners} corners");
            }
            Shape::Cells(cells) => (cells.len(), "cell", "cells"),
            Shape::Postal(codes) => (codes.len(), "postal code", "postal codes"),
            Shape::Precincts(names) => (names.len(), "precinct", "precincts"),
        };
        format!("{count} {}", if count == 1 { one } else { many })
    }
}

/// Adds an area of what was sent.
///
/// # Errors
/// [`Failure`] that says what cannot be used and what to do.
pub async fn add(app: &App, name: &str, kind: Kind, bytes: Vec<u8>) -> Result<Area, Failure> {
    let name = name.trim().to_lowercase();
    if !protocol::fold::share::is_line(&name, AREA_BYTES) {
        return Err(Failure::input(format!(
            "the name of an area is one line of 1 to {AREA_BYTES} bytes"
        )));
    }
    let shape = match kind {
        Kind::File => {
            let read = tokio::task::spawn_blocking(move || drawing::read(&bytes)).await;
            let boundary = read.map_err(Failure::internal)?;
            Shape::Boundary(boundary.map_err(|error| Failure::input(error.to_string()))?)
        }
        Kind::Cells => Shape::Cells(lines(&bytes, cell)?),
        Kind::Postal => {
            let region = app.config.lists.region.clone();
            Shape::Postal(lines(&bytes, |line| postal(line, &region))?)
        }
        Kind::Precinct => {
            let names = lines(&bytes, |line| Ok(folded(line)))?;
            known(app, &names).await?;
            Shape::Precincts(names)
        }
    };
    let area = Area {
        area_id: RowRef::random(&mut crate::ambient::rng()).to_string(),
        name,
        shape,
        created_at: app.now().0,
    };
    let mut tx = app.store.write("adding an area").await?;
    let areas = store::turf::areas(&mut tx).await?;
    let conflict = |why: String| Err(Failure::new(ProblemKind::Conflict, why));
    if areas.iter().any(|known| known.name == area.name) {
        return conflict(format!(
            "there is an area \"{}\" already; remove it first, or choose another name",
            area.name
        ));
    }
    if areas.len() >= AREAS {
        return conflict(format!(
            "a node has at most {AREAS} areas; remove one first"
        ));
    }
    store::turf::insert_area(&mut tx, &area).await?;
    tx.commit().await?;
    Ok(area)
}

/// Every area, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App) -> Result<Vec<Area>, Failure> {
    let mut db = app.store.read("listing areas").await?;
    Ok(store::turf::areas(&mut db).await?)
}

/// The area with a name.
///
/// # Errors
/// [`Failure`] when there is none.
pub async fn find(app: &App, name: &str) -> Result<Area, Failure> {
    let wanted = name.trim().to_lowercase();
    let areas = list(app).await?;
    let found = areas.into_iter().find(|area| area.name == wanted);
    found.ok_or_else(|| {
        Failure::not_found(format!(
            "no area \"{wanted}\"; `commonturf area list` shows the areas there are"
        ))
    })
}

/// Removes an area; claims and plans that were made with it stay as they are.
///
/// # Errors
/// [`Failure`] when there is none.
pub async fn remove(app: &App, name: &str) -> Result<Area, Failure> {
    let area = find(app, name).await?;
    let mut tx = app.store.write("removing an area").await?;
    store::turf::delete_area(&mut tx, &area.area_id).await?;
    tx.commit().await?;
    Ok(area)
}

/// The longest body that makes an area.
#[must_use]
pub fn body_bytes() -> usize {
    DRAWING_BYTES
}

/// A precinct's name as it is compared.
#[must_use]
pub fn folded(precinct: &str) -> String {
    let words: Vec<&str> = precinct.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

fn cell(line: &str) -> Result<u64, String> {
    let text = line.strip_prefix("cell:").unwrap_or(line);
    let index = u64::from_str_radix(text, 16).ok();
    let cell = index.and_then(|index| CellIndex::try_from(index).ok());
    cell.map(u64::from)
        .ok_or_else(|| format!("\"{line}\" is no cell of the H3 grid, like 882a134d49fffff"))
}

/// A postal code, with its country in front or of the node's own.
fn postal(line: &str, region: &str) -> Result<String, String> {
    let text = line.strip_prefix("postal:").unwrap_or(line).trim();
    let with_country = text
        .split_once(' ')
        .filter(|(country, _)| country.chars().all(char::is_alphabetic));
    let (country, code) = with_country.unwrap_or((region, text));
    match Place::postal(country, code) {
        Ok(Place::Postal(code)) => Ok(code),
        _ => Err(format!("\"{line}\" is no postal code, like \"us 19104\"")),
    }
}

fn lines<T: Ord>(
    bytes: &[u8],
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<BTreeSet<T>, Failure> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Failure::input("the parts of an area are sent as UTF-8 text"))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let parts: BTreeSet<T> = lines
        .map(|line| read(line).map_err(Failure::input))
        .collect::<Result<_, _>>()?;
    if parts.is_empty() || parts.len() > PARTS {
        return Err(Failure::input(format!(
            "an area is made of 1 to {PARTS} parts, this one of {}",
            parts.len()
        )));
    }
    Ok(parts)
}

/// Refuses precincts in which nobody of the lists lives: an area of them would always be empty.
async fn known(app: &App, names: &BTreeSet<String>) -> Result<(), Failure> {
    let places = Places::read(app).await?;
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for placed in places.all().filter(|placed| !placed.precinct.is_empty()) {
        *counts.entry(&placed.precinct).or_default() += 1;
    }
    let Some(unknown) = names
        .iter()
        .find(|name| !counts.contains_key(name.as_str()))
    else {
        return Ok(());
    };
    let known: Vec<&str> = counts.keys().take(NAMED).copied().collect();
    Err(Failure::input(if known.is_empty() {
        format!(
            "nobody on the lists lives in precinct \"{unknown}\": no list has a precinct column yet; import one with \
             `--map COLUMN=precinct`"
        )
    } else {
        format!(
            "nobody on the lists lives in precinct \"{unknown}\"; there are {} precincts, among them {}",
            counts.len(),
            known.join(", ")
        )
    }))
}
