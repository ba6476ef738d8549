//! `/shares` and `/received`.

use super::{Said, claims::LEFT_OUT, said};
use crate::{
    app::App,
    http::{extract::Body, problem::Failure},
    shares::{
        export,
        plan::{Ask, Universe, Which},
        preview::{self, Preview},
        send::{self, Sent},
        uses::{self, Announced},
        view::{self, GivenShare, ReceivedShare},
    },
};
use axum::{
    Json, Router,
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use policy::{Explanation, FieldClass, Purpose};
use protocol::{
    channel::Channel,
    entry::share::{Consideration, EVIDENCE_BYTES},
    fold::share::is_line,
    id::EntryId,
    time::Moment,
};
use serde::{Deserialize, Serialize};

/// Routes of this group.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/shares", get(given).post(share))
        .route("/shares/preview", post(preview_list))
        .route("/shares/explain", post(explain))
        .route("/received", get(received))
        .route("/received/export", get(export_rows))
        .route("/received/{share}", get(show_received))
        .route("/received/{share}/uses", post(announce))
        .route("/uses", get(all_uses))
}

/// What to share with whom.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Share {
    /// Recipients by name or the beginning of a node id.
    to: Vec<String>,
    /// The list's name; absent when received rows are passed on.
    list: Option<String>,
    /// Pass on what others gave, in the place of a list.
    #[serde(default)]
    received: bool,
    /// Of what others gave, only what this organization gave.
    from: Option<String>,
    /// Of what others gave, only this share.
    share: Option<String>,
    purpose: String,
    fields: Vec<String>,
    #[serde(default = "door")]
    channel: String,
    /// The last day on which the recipient may use it: `YYYY-MM-DD`.
    expires: Option<String>,
    #[serde(default)]
    given: Given,
    /// Only tell what would happen.
    #[serde(default)]
    dry_run: bool,
}

/// What the recipients give for a share.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Given {
    /// A word of the policy vocabulary; nothing without it.
    pub(crate) consideration: Option<String>,
    /// The id of the invoice or report that proves it.
    pub(crate) evidence: Option<String>,
    /// Whether the same terms are open to every organization of the recipient's kind.
    pub(crate) equal_terms: bool,
}

impl Given {
    /// What the entry says of it.
    ///
    /// # Errors
    /// [`Failure`] when the word is unknown, or the proof is missing or too long.
    pub(crate) fn read(&self) -> Result<Consideration, Failure> {
        let kind = self
            .consideration
            .as_deref()
            .map(|kind| word("consideration", kind));
        let kind = kind.transpose()?.unwrap_or(policy::Consideration::None);
        let evidence = self.evidence.as_deref().map(str::trim).map(str::to_owned);
        let fits = |text: &String| is_line(text, EVIDENCE_BYTES);
        if evidence.as_ref().is_some_and(|text| !fits(text)) {
            return Err(Failure::input(
                "evidence: the id of an invoice or report has 1 to 100 bytes on one line",
            ));
        }
        if evidence.is_none() && kind != policy::Consideration::None {
            return Err(Failure::input(format!(
                "evidence: {} is proved by the id of an invoice or report (E_CONSIDERATION_EVIDENCE); name it",
                kind.name()
            )));
        }
        Ok(Consideration {
            kind: kind.name().to_owned(),
            evidence,
            equal_terms: self.equal_terms,
        })
    }
}

fn door() -> String {
    Channel::Door.name().to_owned()
}

/// A person to explain.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explain {
    to: Vec<String>,
    person: String,
    purpose: String,
    #[serde(default)]
    fields: Vec<String>,
    #[serde(default = "door")]
    channel: String,
    #[serde(default)]
    given: Given,
}

/// Recipients and what would flow to each.
#[derive(Debug, Serialize)]
pub struct Previews {
    recipients: Vec<Preview>,
}

/// Recipients and what became of each share.
#[derive(Debug, Serialize)]
pub struct Sents {
    recipients: Vec<Sent>,
}

/// Some rows of an answer.
#[derive(Debug, Serialize)]
pub struct Items<T> {
    items: Vec<T>,
}

impl<T> Items<T> {
    /// An answer of these rows.
    #[must_use]
    pub fn new(items: Vec<T>) -> Self {
        Self { items }
    }
}

pub(super) fn word<T: std::str::FromStr<Err: std::fmt::Display>>(
    field: &str,
    text: &str,
) -> Result<T, Failure> {
    text.parse()
        .map_err(|error| Failure::input(format!("{field}: {error}")))
}

fn classes(fields: &[String]) -> Result<Vec<FieldClass>, Failure> {
    fields.iter().map(|field| word("fields", field)).collect()
}

/// The moment after a day, in UTC.
///
/// # Errors
/// [`Failure`] when the text is no day.
pub(crate) fn end_of(field: &str, day: &str) -> Result<Moment, Failure> {
    let next = read_day(field, day)?.tomorrow();
    midnight(field, next.map_err(|_| no_day(field))?)
}

/// The first moment of a day, in UTC.
fn start_of(field: &str, day: &str) -> Result<Moment, Failure> {
    midnight(field, read_day(field, day)?)
}

fn no_day(field: &str) -> Failure {
    Failure::input(format!("{field}: a day is written as YYYY-MM-DD"))
}

fn read_day(field: &str, day: &str) -> Result<jiff::civil::Date, Failure> {
    day.parse().map_err(|_| no_day(field))
}

fn midnight(field: &str, day: jiff::civil::Date) -> Result<Moment, Failure> {
    let day = day.to_zoned(jiff::tz::TimeZone::UTC);
    let day = day.map_err(|_| no_day(field))?;
    Ok(Moment(day.timestamp().as_millisecond()))
}

impl Share {
    fn universe(&self) -> Result<Universe, Failure> {
        let share = self.share.as_deref();
        let which = Which {
            from: self.from.clone(),
            share: share.map(|share| word("share", share)).transpose()?,
        };
        match (&self.list, self.received) {
            (Some(list), false) if which == Which::default() => Ok(Universe::List(list.clone())),
            (None, true) => Ok(Universe::Received(which)),
            _ => Err(Failure::input(
                "name a list, or say `received`, then `from` and `share` narrow it down",
            )),
        }
    }

    /// What a draft is tried on: a list, received rows, or without either every list.
    pub(super) fn simulated(&self, list: Option<&str>) -> Result<Option<Universe>, Failure> {
        match (list, self.received) {
            (Some(_), true) => Err(Failure::input(
                "a draft is tried on a list or on received rows, not on both at once",
            )),
            (Some(list), false) => Ok(Some(list.into())),
            (None, true) => self.universe().map(Some),
            (None, false) => Ok(None),
        }
    }

    pub(super) fn ask(&self) -> Result<Ask, Failure> {
        Ok(Ask {
            to: self.to.clone(),
            purpose: word::<Purpose>("purpose", &self.purpose)?,
            channel: word::<Channel>("channel", &self.channel)?,
            fields: classes(&self.fields)?,
            expires: self
                .expires
                .as_deref()
                .map(|day| end_of("expires", day))
                .transpose()?,
            consideration: self.given.read()?,
        })
    }
}

/// Tells what would flow of a list or of received rows.
pub async fn preview_list(
    State(app): State<App>,
    Body(share): Body<Share>,
) -> Result<Json<Previews>, Failure> {
    let recipients = preview::preview(&app, share.ask()?, share.universe()?).await?;
    Ok(Json(Previews { recipients }))
}

/// Tells every rule that decides about one person.
pub async fn explain(
    State(app): State<App>,
    Body(explain): Body<Explain>,
) -> Result<Json<Items<Explanation>>, Failure> {
    let fields = if explain.fields.is_empty() {
        FieldClass::ALL.to_vec()
    } else {
        classes(&explain.fields)?
    };
    let ask = Ask {
        to: explain.to,
        purpose: word::<Purpose>("purpose", &explain.purpose)?,
        channel: word::<Channel>("channel", &explain.channel)?,
        fields,
        expires: None,
        consideration: explain.given.read()?,
    };
    let items = preview::explain(&app, ask, &explain.person).await?;
    Ok(Json(Items { items }))
}

/// Shares what flows of a list or of received rows.
pub async fn share(
    State(app): State<App>,
    Body(share): Body<Share>,
) -> Result<Json<Sents>, Failure> {
    let ask = share.ask()?;
    let recipients = if share.dry_run {
        let previews = preview::preview(&app, ask, share.universe()?).await?;
        previews.into_iter().map(Sent::dry_run).collect()
    } else {
        send::send(&app, ask, share.universe()?).await?
    };
    Ok(Json(Sents { recipients }))
}

/// Shares that this organization gave.
pub async fn given(State(app): State<App>) -> Result<Json<Items<GivenShare>>, Failure> {
    let items = view::given(&app).await?;
    Ok(Json(Items { items }))
}

/// Shares that others gave.
pub async fn received(State(app): State<App>) -> Result<Json<Items<ReceivedShare>>, Failure> {
    let items = view::received(&app).await?;
    Ok(Json(Items { items }))
}

/// One share that another organization gave.
pub async fn show_received(
    State(app): State<App>,
    Path(share): Path<String>,
) -> Result<Json<ReceivedShare>, Failure> {
    let share: EntryId = word("share", &share)?;
    let found = view::received(&app)
        .await?
        .into_iter()
        .find(|row| row.share == share);
    found.map(Json).ok_or_else(|| {
        Failure::not_found("no received share has that id; see `commonturf received list`")
    })
}

/// Which rows to export.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// One share; absent: all.
    share: Option<String>,
}

/// Received rows as CSV.
pub async fn export_rows(
    State(app): State<App>,
    Query(export): Query<Export>,
) -> Result<Response, Failure> {
    let share = export
        .share
        .as_deref()
        .map(|share| word::<EntryId>("share", share))
        .transpose()?;
    let export = export::export(&app, share).await?;
    let left_out = [(LEFT_OUT, export.not_in_use.to_string())];
    let headers = [
        (http::header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (
            http::header::CONTENT_DISPOSITION,
            "attachment; filename=\"received.csv\"",
        ),
        (http::header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, left_out, export.csv).into_response())
}

/// When a use is to begin.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Announce {
    /// The first day of the use, `YYYY-MM-DD`; absent: as soon as the agreement lets it.
    from: Option<String>,
    /// Only tell when it would begin.
    dry_run: bool,
}

/// A use that was announced.
#[derive(Debug, Serialize)]
pub struct Announcement {
    /// What became of the entry; absent when it was a dry run.
    #[serde(flatten)]
    pub said: Option<Said>,
    /// When the use begins.
    pub begins: Moment,
    /// The share, and how its use stands now.
    pub received: ReceivedShare,
}

/// Announces a use of a received share.
pub async fn announce(
    State(app): State<App>,
    Path(share): Path<String>,
    Body(ask): Body<Announce>,
) -> Result<Json<Announcement>, Failure> {
    let id: EntryId = word("share", &share)?;
    let from = ask.from.as_deref().map(|day| start_of("from", day));
    let from = from.transpose()?;
    let begins = uses::would_begin(&app, id, from).await?;
    let said = if ask.dry_run {
        None
    } else {
        Some(said(&app, uses::announce(&app, id, from).await?).await?)
    };
    let Json(received) = show_received(State(app), Path(share)).await?;
    Ok(Json(Announcement {
        said,
        begins,
        received,
    }))
}

/// The uses that any member announced.
pub async fn all_uses(State(app): State<App>) -> Result<Json<Items<Announced>>, Failure> {
    let items = uses::all(&app).await?;
    Ok(Json(Items { items }))
}
