//! Imports: the upload of a file, and the report of what came of it.

use super::{
    Page, PageError,
    cut::Cut,
    done::Done,
    frame::{Frame, Section},
    render,
    when::When,
    words,
};
use crate::{
    app::App,
    http::problem::Failure,
    people::{
        self, ImportFailure,
        report::{Counts, REJECTS_SHOWN, Report},
        request::Request,
        spool::Spooled,
    },
    store::{self, import_job},
};
use askama::Template;
use axum::{
    extract::{Multipart, Path, State},
    http::Uri,
    response::Redirect,
};
use protocol::time::Moment;

/// The most rejected rows that the page shows.
const ROWS: usize = 200;
/// The most fields that come before the file.
const FIELDS: usize = 8;
/// The longest value of such a field.
const FIELD_BYTES: usize = 1_000;

/// Where a file can come from: the word of the policy, and what people say.
pub const SOURCES: [(&str, &str); 8] = [
    ("own_signup", "People signed up with us"),
    ("own_canvass", "Our own canvass"),
    ("petition", "A petition"),
    ("union_roll", "A union's roll"),
    ("voter_file", "The voter file"),
    ("partner", "A partner"),
    ("purchased", "Bought"),
    ("fec_reports", "FEC reports"),
];

/// An import in a list of them.
#[derive(Debug)]
pub struct Line {
    /// Its id.
    pub id: String,
    /// As the person called the file.
    pub file: String,
    /// Where its rows went.
    pub list: String,
    /// When it began.
    pub at: When,
    /// How it stands.
    pub state: String,
    /// Whether it came to its end.
    pub done: bool,
    /// What was counted.
    pub counts: Vec<String>,
    /// Rows that were left out.
    pub rejected: u64,
}

/// What the page of one import shows.
#[derive(Debug, Template)]
#[template(path = "import.html")]
pub struct Import {
    frame: Frame,
    line: Line,
    format: String,
    rows: String,
    doubts: Vec<String>,
    kept_columns: Vec<String>,
    left_out_columns: Vec<String>,
    rejects: Cut<Reject>,
}

/// A row that was left out.
#[derive(Debug)]
struct Reject {
    line: i64,
    column: String,
    reason: String,
}

/// Shows one import.
pub async fn show(State(app): State<App>, uri: Uri, Path(id): Path<String>) -> Page {
    let frame = Frame::read(&app, Section::Lists, &uri).await;
    let mut db = app.store.read("showing an import").await?;
    let import = import_job::find(&mut db, &id).await?;
    let import = import.ok_or_else(|| Failure::not_found("there is no import with this id"))?;
    let lists = store::list::all(&mut db).await?;
    let list = lists
        .into_iter()
        .find(|list| list.list_id == import.list_id);
    let name = list.map(|list| list.name).unwrap_or_default();
    let rejects = import_job::rejects(&mut db, &id, REJECTS_SHOWN).await?;
    let report = Report::of(&import, name, rejects)?;
    drop(db);
    render(&Import::new(frame, report))
}

/// Takes a file to its end and imports it; the work goes on when the browser goes away.
pub async fn upload(State(app): State<App>, mut form: Multipart) -> Result<Redirect, PageError> {
    let broken = |_| Failure::input("the upload was cut off; send the file again");
    let mut pairs = Vec::new();
    for _ in 0..FIELDS {
        let Some(mut field) = form.next_field().await.map_err(broken)? else {
            break;
        };
        let name = field.name().unwrap_or_default().to_owned();
        if name != "file" {
            let mut value = Vec::new();
            while let Some(piece) = field.chunk().await.map_err(broken)? {
                if value.len() + piece.len() > FIELD_BYTES {
                    return Err(Failure::input(format!("{name}: this is too long")).into());
                }
                value.extend_from_slice(&piece);
            }
            let value = String::from_utf8_lossy(&value).trim().to_owned();
            if !value.is_empty() {
                pairs.push((name, value));
            }
            continue;
        }
        pairs.push((
            "name".to_owned(),
            field.file_name().unwrap_or_default().to_owned(),
        ));
        let request =
            Request::for_list(&pairs).map_err(|error| Failure::input(error.to_string()))?;
        let spooled = Spooled::receive(&app.dir.0, field)
            .await
            .map_err(ImportFailure::from)?;
        if spooled.bytes == 0 {
            return Err(Failure::input("choose a file; this one is empty").into());
        }
        let id = work(&app, request, spooled).await?.import_id;
        return Ok(Done::Imported.at(&format!("/imports/{id}")));
    }
    Err(Failure::input("choose a file").into())
}

async fn work(app: &App, request: Request, spooled: Spooled) -> Result<Report, Failure> {
    let (tell, told) = tokio::sync::oneshot::channel();
    let node = app.clone();
    app.life.spawn(async move {
        let report = people::run(&node, &request, &spooled).await;
        drop(tell.send(report)); // nobody listens once the browser has gone away
    });
    Ok(told.await.map_err(Failure::internal)??)
}

impl Line {
    /// A line about an import.
    #[must_use]
    pub fn new(frame: &Frame, report: Report) -> Self {
        Self {
            done: report.state == "done",
            state: match (report.state, report.counts.refused.as_str()) {
                ("running", _) => format!("running, {} rows so far", words::natural(report.rows)),
                (state, "") => state.to_owned(),
                (state, why) => format!("{state}: {why}"),
            },
            counts: counted(&report.counts),
            rejected: report.counts.rejected,
            id: report.import_id,
            file: report.file_name,
            list: report.list,
            at: frame.calendar.moment(Moment(report.started_at)),
        }
    }

    /// A line with one text in every place that others can fill.
    #[cfg(test)]
    pub(super) fn sample(frame: &Frame, text: &str) -> Self {
        Self {
            id: text.to_owned(),
            file: text.to_owned(),
            list: text.to_owned(),
            at: frame.calendar.moment(Moment(1_795_604_160_000)),
            state: text.to_owned(),
            done: false,
            counts: vec![text.to_owned()],
            rejected: 3,
        }
    }
}

impl Import {
    fn new(frame: Frame, report: Report) -> Self {
        let Counts {
            warnings,
            unknown_results,
            unknown_columns,
            left_out_columns,
            ..
        } = report.counts.clone();
        let doubts = warnings
            .into_iter()
            .map(|(doubt, count)| format!("Rows that {doubt}: {}", words::natural(count)))
            .chain(unknown_results.into_iter().map(|(result, count)| {
                format!(
                    "Rows with the result \"{result}\", which nobody knows: {}",
                    words::natural(count)
                )
            }));
        let rejects = report.rejects.iter().map(|reject| Reject {
            line: reject.line,
            column: reject.column.clone(),
            reason: reject.reason.clone(),
        });
        Self {
            doubts: doubts.collect(),
            kept_columns: unknown_columns,
            left_out_columns,
            rejects: Cut::first(rejects.collect::<Vec<_>>(), ROWS),
            format: report.format.clone(),
            rows: words::natural(report.rows),
            line: Line::new(&frame, report),
            frame,
        }
    }

    /// The page with one text in every place that others can fill.
    #[cfg(test)]
    pub(super) fn sample(text: &str) -> Self {
        let frame = Frame::sample(Section::Lists, text);
        let text = || text.to_owned();
        Self {
            line: Line::sample(&frame, &text()),
            format: text(),
            rows: text(),
            doubts: vec![text()],
            kept_columns: vec![text()],
            left_out_columns: vec![text()],
            rejects: Cut {
                rows: vec![Reject {
                    line: 3,
                    column: text(),
                    reason: text(),
                }],
                more: 1,
            },
            frame,
        }
    }
}

/// What was counted, in words; zeros are left out.
fn counted(counts: &Counts) -> Vec<String> {
    let lines = [
        (counts.imported, "new"),
        (counts.updated, "updated"),
        (counts.unchanged, "known already"),
        (counts.duplicates_merged, "twice in the file"),
        (counts.contacts, "contacts"),
        (counts.unjoined, "contacts of nobody on a list"),
        (counts.suppressions, "suppressions"),
        (counts.consents, "consents"),
        (counts.consents_withdrawn, "consents withdrawn"),
        (counts.rejected, "left out"),
    ];
    lines
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, label)| format!("{} {label}", words::natural(count)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_offers_every_source_of_the_policy() {
        let offered = SOURCES.map(|(word, _)| word.parse::<policy::facts::Source>().is_ok());
        assert_eq!(offered, [true; 8]);
        assert_eq!(SOURCES.len(), policy::facts::Source::ALL.len());
    }

    #[test]
    fn counts_are_words_without_zeros() {
        let counts = Counts {
            imported: 1_200,
            rejected: 3,
            ..Counts::default()
        };
        assert_eq!(counted(&counts), ["1,200 new", "3 left out"]);
    }
}
