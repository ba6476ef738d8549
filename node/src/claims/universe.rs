//! What somebody wants to claim: the contact points of a list, or of a file's rows.
//!
//! A file is read like an import and kept nowhere: its rows are matched to the organization's own
//! people by contact point or by another system's id. Rows that lead to no known point are counted.

use super::{Ground, take::From};
use crate::{
    app::App,
    http::problem::Failure,
    import::{self, Item, ParsedPerson},
    store::{
        self,
        reach::{Point, Reach},
    },
    turf::{area, places::Places},
};
use protocol::{
    channel::Channel,
    token::{Class, Kind, Normalized, Token},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::ControlFlow,
};

/// The most rows of a file that is matched; more belong into a list.
pub const FILE_ROWS: usize = 1_000_000;

/// A contact point and whom of the organization's people it reaches.
#[derive(Debug, Clone)]
pub struct Target {
    /// The point.
    pub point: Point,
    /// The people.
    pub people: Vec<String>,
}

/// Contact points of one channel, each once.
#[derive(Debug, Clone, Default)]
pub struct Universe {
    /// List or file name.
    pub label: String,
    /// The list that it was made from.
    pub list_id: Option<String>,
    /// The points.
    pub targets: Vec<Target>,
    /// Persons of the list, or rows of the file.
    pub rows: u64,
    /// Persons or rows without a contact point on the channel.
    pub without_point: u64,
    /// Rows whose contact point is not known from any list.
    pub unknown: u64,
    /// Rows that could not be read.
    pub unreadable: u64,
    /// By what allies may know the people.
    pub known: BTreeMap<String, Known>,
    /// Where an area was named, what lies where.
    pub area: Option<InArea>,
}

/// The match tokens of one person.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Of person keys.
    pub keys: Vec<Token>,
    /// Of contact points of every class.
    pub points: Vec<Token>,
}

impl Known {
    fn add(&mut self, class: Class, token: Token) {
        match class {
            Class::Person => self.keys.push(token),
            Class::Door | Class::Phone | Class::Email => self.points.push(token),
        }
    }

    /// By what allies may know the person who has these points.
    #[must_use]
    pub fn of(points: &[Point]) -> Self {
        let mut known = Self::default();
        for point in points {
            for token in point.tokens() {
                known.add(point.class, token);
            }
        }
        known
    }
}

/// How an area was applied to a universe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct InArea {
    /// Contact points outside, which were left out.
    pub outside: u64,
    /// Contact points that nothing places; left out too.
    pub nowhere: u64,
    /// Of those inside, how many were placed by precinct or postal code alone.
    pub rough: u64,
}

/// The universe of a list, a file, all lists, or what of them lies in an area.
///
/// # Errors
/// [`Failure`] when there is no such list, or the file cannot be read.
pub async fn of(
    app: &App,
    ground: &Ground,
    from: From,
    channel: Channel,
) -> Result<Universe, Failure> {
    match from {
        From::List(name) => of_list(app, ground, &name, channel).await,
        From::File(name, file) => of_file(app, ground, file, &name, channel).await,
        From::Everybody => of_everybody(app, ground, channel).await,
        From::In(area, from) => {
            let whole = Box::pin(of(app, ground, *from, channel)).await?;
            whole.within(app, &area).await
        }
    }
}

/// The universe of all lists.
async fn of_everybody(app: &App, ground: &Ground, channel: Channel) -> Result<Universe, Failure> {
    let mut db = app.store.read("reading all contact points").await?;
    let class = class_of(channel);
    let reaches = store::reach::of_everybody(&mut db, class, ground.generation).await?;
    let tokens = store::reach::tokens_of_everybody(&mut db, ground.generation).await?;
    let rows = store::reach::people(&mut db).await?;
    let mut universe = Universe {
        label: "all lists".to_owned(),
        without_point: rows.saturating_sub(reaches.len() as u64),
        targets: grouped(reaches),
        rows,
        ..Universe::default()
    };
    for (person, class, token) in tokens {
        universe.known.entry(person).or_default().add(class, token);
    }
    Ok(universe)
}

impl Universe {
    /// Only the contact points in an area of the organization's own.
    ///
    /// # Errors
    /// [`Failure`] when there is no such area, or nothing lies inside.
    pub async fn within(mut self, app: &App, name: &str) -> Result<Self, Failure> {
        let area = area::find(app, name).await?;
        let places = Places::read(app).await?;
        let all = self.targets.len();
        let mut found = InArea {
            outside: 0,
            nowhere: 0,
            rough: 0,
        };
        self.targets.retain(|target| {
            let placed = places.of_target(target);
            let inside = area.contains(&placed);
            let by_point = area.asks_for_points();
            found.rough += u64::from(inside && placed.rough && by_point);
            let nowhere = !inside && by_point && placed.position.is_none();
            found.nowhere += u64::from(nowhere);
            found.outside += u64::from(!inside && !nowhere);
            inside
        });
        if self.targets.is_empty() {
            return Err(Failure::input(format!(
                "none of the {all} contact points of {} lies in area \"{}\"; of {} nobody knows where they are: import \
                 latitude and longitude, or a geocoder's file (`commonturf places import`)",
                self.label, area.name, found.nowhere
            )));
        }
        self.label = format!("{} in {}", self.label, area.name);
        self.area = Some(found);
        Ok(self)
    }
}

/// The class of tokens by which a channel reaches people.
#[must_use]
pub fn class_of(channel: Channel) -> Class {
    match channel {
        Channel::Door => Class::Door,
        Channel::Phone | Channel::Text => Class::Phone,
        Channel::Email => Class::Email,
    }
}

/// The universe of a list.
///
/// # Errors
/// [`Failure`] when there is no such list.
pub async fn of_list(
    app: &App,
    ground: &Ground,
    name: &str,
    channel: Channel,
) -> Result<Universe, Failure> {
    let mut db = app.store.read("reading a list's contact points").await?;
    let list = store::list::by_name(&mut db, name).await?.ok_or_else(|| {
        Failure::not_found(format!(
            "no list \"{name}\"; `commonturf lists` shows the lists there are"
        ))
    })?;
    let class = class_of(channel);
    let reaches = store::reach::of_list(&mut db, &list.list_id, class, ground.generation).await?;
    let tokens = store::reach::tokens_of_list(&mut db, &list.list_id, ground.generation).await?;
    let rows = u64::try_from(list.people).unwrap_or(0);
    let mut universe = Universe {
        label: list.name,
        without_point: rows.saturating_sub(reaches.len() as u64),
        list_id: Some(list.list_id),
        targets: grouped(reaches),
        rows,
        ..Universe::default()
    };
    for (person, class, token) in tokens {
        universe.known.entry(person).or_default().add(class, token);
    }
    Ok(universe)
}

fn grouped(reaches: Vec<Reach>) -> Vec<Target> {
    let mut targets: Vec<Target> = Vec::new();
    for Reach { point, person_id } in reaches {
        match targets.last_mut() {
            Some(last) if last.point.point_id == point.point_id => last.people.push(person_id),
            _ => targets.push(Target {
                point,
                people: vec![person_id],
            }),
        }
    }
    targets
}

/// What a row of a file says about where somebody is reached.
struct FileRow {
    identifiers: Vec<(&'static str, String)>,
    values: Vec<Normalized>,
}

/// The universe of a file.
///
/// # Errors
/// [`Failure`] when the file cannot be read.
pub async fn of_file(
    app: &App,
    ground: &Ground,
    file: std::fs::File,
    name: &str,
    channel: Channel,
) -> Result<Universe, Failure> {
    let class = class_of(channel);
    let region = ground.params.default_region.clone();
    let (rows, unreadable) = tokio::task::spawn_blocking(move || parse(file, class, &region))
        .await
        .map_err(Failure::internal)??;
    let mut universe = Universe {
        label: name.to_owned(),
        rows: rows.len() as u64 + unreadable,
        unreadable,
        ..Universe::default()
    };
    let mut db = app.store.read("matching a file's rows").await?;
    let mut points = BTreeMap::new();
    for row in rows {
        match point_of(&mut db, &row, class, ground.generation).await? {
            Some(point) => _ = points.insert(point.point_id.clone(), point),
            None if row.values.is_empty() && row.identifiers.is_empty() => {
                universe.without_point += 1;
            }
            None => universe.unknown += 1,
        }
    }
    let mut people = BTreeSet::new();
    for (point_id, point) in points {
        let reached = store::reach::people_at(&mut db, &point_id).await?;
        people.extend(reached.iter().cloned());
        universe.targets.push(Target {
            point,
            people: reached,
        });
    }
    for person in people {
        let points = store::reach::of_person(&mut db, &person, ground.generation).await?;
        universe.known.insert(person, Known::of(&points));
    }
    Ok(universe)
}

async fn point_of(
    db: &mut store::Read,
    row: &FileRow,
    class: Class,
    generation: u32,
) -> store::Result<Option<Point>> {
    for value in &row.values {
        if let Some(point) = store::reach::by_value(db, value, generation).await? {
            return Ok(Some(point));
        }
    }
    for (system, id) in &row.identifiers {
        if let Some(person) = store::identifier::holder(db, system, id).await? {
            let points = store::reach::of_person(db, &person, generation).await?;
            return Ok(points.into_iter().find(|point| point.class == class));
        }
    }
    Ok(None)
}

fn parse(file: std::fs::File, class: Class, region: &str) -> Result<(Vec<FileRow>, u64), Failure> {
    let mut rows = Vec::new();
    let mut sink = |item| {
        if let Item::Person { person, .. } = item {
            rows.push(FileRow {
                identifiers: person
                    .identifiers
                    .iter()
                    .map(|known| (known.system.name(), known.id.clone()))
                    .collect(),
                values: values(&person, class, region),
            });
        }
        if rows.len() > FILE_ROWS {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    };
    let summary = import::read(file, &import::Options::default(), &mut sink)
        .map_err(|error| Failure::input(error.to_string()))?;
    if summary.stopped {
        return Err(Failure::input(format!(
            "the file has more than {FILE_ROWS} rows; import it as a list and name the list"
        )));
    }
    if summary.people == 0 {
        return Err(Failure::input(
            "the file has no rows that are people; an export of a list is needed, no contact history",
        ));
    }
    Ok((rows, summary.rejected))
}

/// The normalized contact points of a row, as an import would store them.
fn values(person: &ParsedPerson, class: Class, region: &str) -> Vec<Normalized> {
    use protocol::token::normalize;
    match class {
        Class::Door => crate::people::door_point(&person.address, region)
            .and_then(|door| Normalized::stored(Kind::Door, door.value))
            .into_iter()
            .collect(),
        Class::Phone => person
            .phones
            .iter()
            .filter(|phone| !phone.bad)
            .filter_map(|phone| normalize::phone(&phone.raw, region))
            .collect(),
        Class::Email => person
            .emails
            .iter()
            .filter(|email| !email.bad)
            .filter_map(|email| normalize::email(&email.raw))
            .collect(),
        Class::Person => Vec::new(),
    }
}
