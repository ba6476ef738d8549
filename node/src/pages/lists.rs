//! Lists: which there are, what was imported, and a form that imports a file.

use super::{
    Page,
    cut::Cut,
    frame::{self, Frame, Section},
    imports::{Line, SOURCES},
    render,
    when::When,
    words,
};
use crate::{
    api::tokens,
    app::App,
    people::report::Report,
    store::{self, import_job},
};
use askama::Template;
use axum::{extract::State, http::Uri};
use protocol::{time::Moment, token::Class};

/// The most lists and imports that the page shows.
const ROWS: usize = 50;

/// What the page shows.
#[derive(Debug, Template)]
#[template(path = "lists.html")]
pub struct Lists {
    frame: Frame,
    command: String,
    lists: Cut<List>,
    imports: Cut<Line>,
    comparing: Vec<Comparing>,
}

/// A list.
#[derive(Debug)]
struct List {
    name: String,
    people: String,
    since: When,
}

/// How many contact points allies' can be compared with.
#[derive(Debug)]
struct Comparing {
    what: &'static str,
    done: String,
    waiting: u64,
    problem: Option<String>,
}

/// Shows the page.
pub async fn show(State(app): State<App>, uri: Uri) -> Page {
    let frame = Frame::read(&app, Section::Lists, &uri).await;
    let progress = tokens::read(&app).await?;
    let mut db = app.store.read("showing the lists").await?;
    let lists = store::list::all(&mut db).await?;
    let imports = import_job::latest(&mut db).await?;
    drop(db);
    let name = |list_id: &str| {
        let list = lists.iter().find(|list| list.list_id == list_id);
        list.map(|list| list.name.clone()).unwrap_or_default()
    };
    let imports = imports
        .iter()
        .map(|import| Report::of(import, name(&import.list_id), Vec::new()))
        .collect::<Result<Vec<_>, _>>()?;
    let imports = Cut::first(
        imports.into_iter().map(|report| Line::new(&frame, report)),
        ROWS,
    );
    let comparing = match progress.generation {
        Some(_) => progress
            .classes
            .into_iter()
            .filter_map(Comparing::new)
            .collect(),
        None => Vec::new(),
    };
    let lists = Cut::first(
        lists.iter().map(|list| List {
            name: list.name.clone(),
            people: words::count(list.people),
            since: frame.calendar.day(Moment(list.created_at)),
        }),
        ROWS,
    );
    render(&Lists {
        command: frame::command(&app, "import FILE --list \"Name of the list\""),
        lists,
        imports,
        comparing,
        frame,
    })
}

impl Comparing {
    fn new(progress: store::token_job::Progress) -> Option<Self> {
        (progress.done + progress.waiting > 0).then(|| Self {
            what: match progress.class {
                Class::Door => "doors",
                Class::Phone => "phone numbers",
                Class::Email => "e-mail addresses",
                Class::Person => "person keys",
            },
            done: words::natural(progress.done),
            waiting: progress.waiting,
            problem: progress.problem,
        })
    }
}

impl Lists {
    /// Where a file can come from: the word and what people say.
    fn sources(&self) -> [(&'static str, &'static str); 8] {
        SOURCES
    }
}

#[cfg(test)]
impl Lists {
    /// The page with one text in every place that others can fill.
    pub(super) fn sample(text: &str) -> Self {
        let frame = Frame::sample(Section::Lists, text);
        let since = frame.calendar.day(Moment(1_795_604_160_000));
        let text = || text.to_owned();
        Self {
            command: text(),
            lists: Cut {
                rows: vec![List {
                    name: text(),
                    people: text(),
                    since,
                }],
                more: 1,
            },
            imports: Cut {
                rows: vec![Line::sample(&frame, &text())],
                more: 1,
            },
            comparing: vec![Comparing {
                what: "doors",
                done: text(),
                waiting: 2,
                problem: Some(text()),
            }],
            frame,
        }
    }
}
