//! Phone banks: open one, see how far each has come, close one.

use super::{
    Page, PageError,
    done::Done,
    form,
    frame::{Frame, Section},
    render, words,
};
use crate::{
    app::App,
    calls::bank::{self, Opening, Standing, clock},
    store::{self, call::CallState},
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::Uri,
    response::Redirect,
};
use serde::Deserialize;

/// What the page shows.
#[derive(Debug, Template)]
#[template(path = "calls.html")]
pub struct Calls {
    frame: Frame,
    lists: Vec<String>,
    from: String,
    to: String,
    banks: Vec<Row>,
}

/// One phone bank.
#[derive(Debug)]
struct Row {
    number: u64,
    label: String,
    when: String,
    waiting: String,
    leased: String,
    done: String,
    open: bool,
    state: String,
}

/// Whose people a phone bank calls, as people read it.
pub(super) fn label(bank: &store::call::Bank) -> String {
    let list = bank.list.as_deref().unwrap_or("all lists");
    match &bank.area {
        Some(area) => format!("{list} in {area}"),
        None => list.to_owned(),
    }
}

impl From<Standing> for Row {
    fn from(Standing { bank, counts }: Standing) -> Self {
        let of = |state| words::natural(counts.get(&state).copied().unwrap_or(0));
        Self {
            number: bank.bank,
            label: label(&bank),
            when: format!(
                "{} to {}, {} to {}",
                bank.first_day,
                bank.last_day,
                clock(bank.opens),
                clock(bank.closes)
            ),
            waiting: of(CallState::Waiting),
            leased: of(CallState::Leased),
            done: of(CallState::Done),
            open: bank.open,
            state: match (bank.open, bank.why.is_empty()) {
                (false, _) => "Closed".to_owned(),
                (true, true) => "Open".to_owned(),
                (true, false) => format!("Open; no more numbers now: {}", bank.why),
            },
        }
    }
}

/// Shows all phone banks.
pub async fn show(State(app): State<App>, uri: Uri) -> Page {
    let frame = Frame::read(&app, Section::Claims, &uri).await;
    let mut db = app.store.read("listing lists").await?;
    let lists = store::list::all(&mut db).await?;
    drop(db);
    render(&Calls {
        lists: lists.into_iter().map(|list| list.name).collect(),
        from: form::in_days(&frame, 0),
        to: form::in_days(&frame, 2),
        banks: bank::list(&app).await?.into_iter().map(Row::from).collect(),
        frame,
    })
}

/// What to open.
#[derive(Debug, Deserialize)]
pub struct Ask {
    list: String,
    from: String,
    to: String,
    opens: String,
    closes: String,
}

/// Opens a phone bank.
pub async fn open(State(app): State<App>, Form(ask): Form<Ask>) -> Result<Redirect, PageError> {
    let opening = Opening {
        list: Some(ask.list).filter(|list| !list.is_empty()),
        ..Opening::of_days(
            form::day("first day", &ask.from)?,
            form::day("last day", &ask.to)?,
            &ask.opens,
            &ask.closes,
        )?
    };
    bank::open(&app, &opening, false).await?;
    Ok(Done::BankOpened.at("/calls"))
}

/// Closes a phone bank.
pub async fn end(State(app): State<App>, Path(number): Path<u64>) -> Result<Redirect, PageError> {
    bank::close(&app, number, false).await?;
    Ok(Done::BankClosed.at("/calls"))
}

#[cfg(test)]
impl Calls {
    /// The page with one text in every place that others can fill.
    pub(super) fn sample(text: &str) -> Self {
        let text = || text.to_owned();
        Self {
            frame: Frame::sample(Section::Claims, &text()),
            lists: vec![text()],
            from: text(),
            to: text(),
            banks: vec![Row {
                number: 1,
                label: text(),
                when: text(),
                waiting: text(),
                leased: text(),
                done: text(),
                open: true,
                state: text(),
            }],
        }
    }
}
