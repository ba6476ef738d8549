//! A caller's page: the number to call now, and one tap for what came of it.

use super::{
    Page, PageError, calls,
    form::encoded,
    frame::{Frame, Section},
    render,
};
use crate::{
    app::App,
    calls::{
        bank,
        next::{self, Called, Next},
        outcome::{self, Outcome},
    },
    turf::result,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::Uri,
    response::Redirect,
};
use protocol::{channel::Channel, time::Moment};
use serde::Deserialize;

/// What the page shows.
#[derive(Debug, Template)]
#[template(path = "call.html")]
pub struct Caller {
    frame: Frame,
    bank: u64,
    label: String,
    caller: String,
    call: Option<Call>,
    /// Why there is no number, where one was asked for.
    why: Option<String>,
    codes: &'static [(&'static str, &'static str)],
}

/// The number to call.
#[derive(Debug)]
struct Call {
    lease: String,
    number: String,
    /// Its digits alone, for a telephone.
    dial: String,
    people: Vec<Called>,
    until: String,
    tries: u64,
}

impl Call {
    fn new(call: next::Call, frame: &Frame) -> Self {
        let dialled = |c: &char| c.is_ascii_digit() || *c == '+';
        Self {
            dial: call.number.chars().filter(dialled).collect(),
            until: frame.calendar.moment(Moment(call.until)).text().to_owned(),
            lease: call.lease,
            number: call.number,
            people: call.people,
            tries: call.tries,
        }
    }
}

/// Who calls, and whether a number was asked for in vain.
#[derive(Debug, Default, Deserialize)]
pub struct Ask {
    #[serde(default)]
    caller: String,
    #[serde(default)]
    asked: bool,
}

/// Shows the number that a caller has.
pub async fn show(
    State(app): State<App>,
    uri: Uri,
    Path(number): Path<u64>,
    Query(ask): Query<Ask>,
) -> Page {
    let frame = Frame::read(&app, Section::Claims, &uri).await;
    let bank = bank::find(&app, number).await?;
    let call = next::held(&app, &bank, &ask.caller).await?;
    let why = match (&call, ask.asked) {
        (None, true) => match next::wait(&app, &bank).await? {
            Next::Wait { why, .. } => Some(format!("{why}.")),
            Next::Call(_) => None,
        },
        _ => None,
    };
    render(&Caller {
        bank: number,
        label: calls::label(&bank),
        caller: ask.caller,
        call: call.map(|call| Call::new(call, &frame)),
        why,
        codes: result::codes(Channel::Phone),
        frame,
    })
}

fn to(number: u64, caller: &str, asked: bool) -> Redirect {
    let caller = encoded(caller);
    Redirect::to(&format!("/calls/{number}?caller={caller}&asked={asked}"))
}

/// Who asks.
#[derive(Debug, Deserialize)]
pub struct Who {
    caller: String,
}

/// Gives a caller the next number.
pub async fn next_one(
    State(app): State<App>,
    Path(number): Path<u64>,
    Form(who): Form<Who>,
) -> Result<Redirect, PageError> {
    next::next(&app, number, &who.caller).await?;
    Ok(to(number, who.caller.trim(), true))
}

/// What a tap says.
#[derive(Debug, Deserialize)]
pub struct Tap {
    lease: String,
    caller: String,
    person: String,
    result: String,
    #[serde(default)]
    stay: bool,
}

/// Notes a result, and goes on with the next number.
pub async fn record(
    State(app): State<App>,
    Path(number): Path<u64>,
    Form(tap): Form<Tap>,
) -> Result<Redirect, PageError> {
    let outcome = Outcome {
        lease: tap.lease,
        result: tap.result,
        person: Some(tap.person),
        stay: tap.stay,
    };
    outcome::tell(&app, &outcome).await?;
    if !tap.stay && bank::find(&app, number).await?.open {
        next::next(&app, number, &tap.caller).await?;
    }
    Ok(to(number, &tap.caller, true))
}

/// What is given back.
#[derive(Debug, Deserialize)]
pub struct Skip {
    lease: String,
    caller: String,
}

/// Gives a number back without a call.
pub async fn skip(
    State(app): State<App>,
    Path(number): Path<u64>,
    Form(skip): Form<Skip>,
) -> Result<Redirect, PageError> {
    outcome::skip(&app, &skip.lease).await?;
    Ok(to(number, &skip.caller, false))
}

#[cfg(test)]
impl Caller {
    /// The page with one text in every place that others can fill.
    pub(super) fn sample(text: &str) -> Self {
        let text = || text.to_owned();
        Self {
            frame: Frame::sample(Section::Claims, &text()),
            bank: 1,
            label: text(),
            caller: text(),
            call: Some(Call {
                lease: text(),
                number: text(),
                dial: text(),
                people: ["one", "two"]
                    .map(|id| Called {
                        person_id: format!("{id}{}", text()),
                        name: text(),
                    })
                    .into(),
                until: text(),
                tries: 1,
            }),
            why: Some(text()),
            codes: result::codes(Channel::Phone),
        }
    }
}
