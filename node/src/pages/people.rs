//! People: search among the organization's own.

use super::{
    Page,
    cut::Cut,
    frame::{self, Frame, Section},
    render,
};
use crate::{app::App, http::problem::Failure, store};
use askama::Template;
use axum::{
    extract::{Query, State},
    http::Uri,
};
use serde::Deserialize;

/// The most people that a search shows.
const ROWS: usize = 50;

/// What the page shows.
#[derive(Debug, Template)]
#[template(path = "people.html")]
pub struct People {
    frame: Frame,
    import: String,
    lists: Vec<String>,
    ask: Ask,
    found: Cut<Row>,
}

/// Whom to look for.
#[derive(Debug, Default, Deserialize)]
pub struct Ask {
    #[serde(default)]
    search: String,
    #[serde(default)]
    list: String,
}

/// A person in a table.
#[derive(Debug)]
struct Row {
    id: String,
    name: String,
    address: String,
    lists: Vec<String>,
}

/// Shows the page; without words, the first people by name.
pub async fn show(State(app): State<App>, uri: Uri, Query(ask): Query<Ask>) -> Page {
    let frame = Frame::read(&app, Section::People, &uri).await;
    let mut db = app.store.read("looking for people").await?;
    let lists = store::list::all(&mut db).await?;
    let list_id = match ask.list.as_str() {
        "" => None,
        name => {
            let list = lists.iter().find(|list| list.name == name);
            let list = list.ok_or_else(|| Failure::not_found("there is no list with this name"))?;
            Some(list.list_id.as_str())
        }
    };
    // One more than is shown tells whether there are others.
    let limit = i64::try_from(ROWS + 1).unwrap_or(i64::MAX);
    let people = store::people::search(&mut db, &ask.search, list_id, limit).await?;
    let mut rows = Vec::new();
    for person in people {
        rows.push(Row {
            lists: store::list::of_person(&mut db, &person.person_id).await?,
            name: person.name(),
            address: address(&person.address),
            id: person.person_id,
        });
    }
    render(&People {
        frame,
        import: frame::command(&app, "import FILE --list \"Name of the list\""),
        lists: lists.into_iter().map(|list| list.name).collect(),
        ask,
        found: Cut::first(rows, ROWS),
    })
}

/// An address in one line.
pub(super) fn address(address: &store::person::Address) -> String {
    let parts = [&address.line1, &address.city, &address.postal_code];
    let parts: Vec<&str> = parts
        .into_iter()
        .map(|part| part.trim())
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(", ")
}

#[cfg(test)]
impl People {
    /// The page with one text in every place that others can fill.
    pub(super) fn sample(text: &str) -> Self {
        let frame = Frame::sample(Section::People, text);
        let text = || text.to_owned();
        Self {
            frame,
            import: text(),
            lists: vec![text()],
            ask: Ask {
                search: text(),
                list: text(),
            },
            found: Cut {
                rows: vec![Row {
                    id: text(),
                    name: text(),
                    address: text(),
                    lists: vec![text(), text()],
                }],
                more: 1,
            },
        }
    }
}
