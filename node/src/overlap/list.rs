//! The list that this organization brings to a count, and the keys of the people on it.

use crate::{app::App, http::problem::Failure, jobs::tokenize::element_place, store};
use protocol::{
    entry::overlap::OVERLAP_POINTS,
    token::{Kind, Point},
};

/// An own list, or all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// One list by its name.
    List(String),
    /// Everybody on any list.
    Everybody,
}

/// A chosen list with the keys that take part.
#[derive(Debug)]
pub struct Chosen {
    /// The list, as the organization calls it.
    pub label: String,
    /// People on it.
    pub people: u64,
    /// People on it who have a key of the kind and may be counted.
    pub with_key: u64,
    /// The keys, each once.
    pub points: Vec<Point>,
}

/// Reads a list's keys of a kind.
///
/// # Errors
/// [`Failure`] when there is no such list, or it has too many keys.
pub async fn choose(
    app: &App,
    from: &From,
    kind: Kind,
    generation: u32,
) -> Result<Chosen, Failure> {
    let mut db = app.store.read("reading the keys of a list").await?;
    let (label, list_id, people) = match from {
        From::List(name) => {
            let list = store::list::by_name(&mut db, name).await?.ok_or_else(|| {
                Failure::not_found(format!(
                    "no list \"{name}\"; `commonturf lists` shows the lists there are"
                ))
            })?;
            (list.name, Some(list.list_id), store::natural(list.people))
        }
        From::Everybody => {
            let people = store::reach::people(&mut db).await?;
            ("all lists".to_owned(), None, people)
        }
    };
    let list_id = list_id.as_deref();
    let with_key = store::overlap::people(&mut db, list_id, kind, generation).await?;
    let elements = store::overlap::elements(&mut db, list_id, kind, generation).await?;
    drop(db);
    if elements.len() > OVERLAP_POINTS {
        return Err(Failure::input(format!(
            "a count takes at most {OVERLAP_POINTS} entries of a list, {label} has {}; choose a smaller list",
            elements.len()
        )));
    }
    let open = |(point_id, sealed): (String, Vec<u8>)| {
        let element = app.rest.open(&element_place(&point_id), &sealed);
        let element = element.map_err(Failure::internal)?;
        let element = <[u8; 32]>::try_from(element)
            .map_err(|_| Failure::internal("a point's element has not 32 bytes"))?;
        Ok(Point(element))
    };
    let mut points = elements
        .into_iter()
        .map(open)
        .collect::<Result<Vec<Point>, Failure>>()?;
    points.sort_unstable();
    points.dedup();
    Ok(Chosen {
        label,
        people,
        with_key,
        points,
    })
}
