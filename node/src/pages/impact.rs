//! Impact: what working together spares and brings, to look at, to print and to download.

use super::{
    Page, PageError, form,
    frame::{Frame, Section},
    render, words,
};
use crate::{
    api,
    app::App,
    impact::report::{self, Ask, Impact as Report},
};
use askama::Template;
use axum::{
    extract::{Query, State},
    http::Uri,
    response::Response,
};
use protocol::channel::Channel;
use serde::Deserialize;

/// Days that are shown where nobody chose.
const DAYS: i64 = 90;

/// What the page shows.
#[derive(Debug, Template)]
#[template(path = "impact.html")]
pub struct Impact {
    frame: Frame,
    ask: Fields,
    /// The same as part of an address.
    query: String,
    refused: Option<String>,
    report: Option<Report>,
}

/// The form's fields as they were filled in.
#[derive(Debug, Default, Deserialize)]
pub struct Fields {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    door_minutes: String,
    #[serde(default)]
    phone_minutes: String,
    #[serde(default)]
    hourly: String,
}

impl Fields {
    fn filled(mut self, frame: &Frame) -> Self {
        form::fill([
            (&mut self.from, form::in_days(frame, -DAYS)),
            (&mut self.to, form::in_days(frame, 0)),
            (&mut self.door_minutes, "5".to_owned()),
            (&mut self.phone_minutes, "2".to_owned()),
            (&mut self.hourly, "0".to_owned()),
        ]);
        self
    }

    fn ask(&self) -> Result<Ask, crate::http::problem::Failure> {
        Ok(Ask {
            from: form::day("first day", &self.from)?,
            to: form::day("last day", &self.to)?,
            door_minutes: form::decimal("minutes at a door", &self.door_minutes)?,
            phone_minutes: form::decimal("minutes of a call", &self.phone_minutes)?,
            hourly: form::decimal("what an hour costs", &self.hourly)?,
        })
    }

    fn query(&self) -> String {
        let fields = [
            ("from", &self.from),
            ("to", &self.to),
            ("door_minutes", &self.door_minutes),
            ("phone_minutes", &self.phone_minutes),
            ("hourly", &self.hourly),
        ];
        let pairs = fields.map(|(name, value)| format!("{name}={}", form::encoded(value)));
        pairs.join("&")
    }
}

/// Shows the report of some days.
pub async fn show(State(app): State<App>, uri: Uri, Query(ask): Query<Fields>) -> Page {
    let frame = Frame::read(&app, Section::Home, &uri).await;
    let ask = ask.filled(&frame);
    let made = match ask.ask() {
        Ok(ask) => report::make(&app, &ask).await,
        Err(failure) => Err(failure),
    };
    let (report, refused) = match made {
        Ok(report) => (Some(report), None),
        Err(failure) => (None, Some(words::why(&failure))),
    };
    render(&Impact {
        query: ask.query(),
        ask,
        refused,
        report,
        frame,
    })
}

/// The report as a file.
pub async fn download(
    State(app): State<App>,
    Query(ask): Query<Fields>,
) -> Result<Response, PageError> {
    let report = report::make(&app, &ask.ask()?).await?;
    Ok(api::impact::file(&report))
}

impl Impact {
    #[expect(
        clippy::unused_self,
        clippy::trivially_copy_pass_by_ref,
        reason = "templates call methods and lend what they pass"
    )]
    fn number(&self, number: &u64) -> String {
        words::natural(*number)
    }

    #[expect(
        clippy::unused_self,
        clippy::trivially_copy_pass_by_ref,
        reason = "templates call methods and lend what they pass"
    )]
    fn channel(&self, channel: &Channel) -> &'static str {
        words::channel(*channel)
    }
}

#[cfg(test)]
impl Impact {
    /// The page with one text in every place that others can fill.
    pub(super) fn sample(text: &str) -> Self {
        let day = jiff::civil::date(2026, 7, 1);
        let text = || text.to_owned();
        Self {
            frame: Frame::sample(Section::Home, &text()),
            ask: Fields {
                from: text(),
                to: text(),
                door_minutes: text(),
                phone_minutes: text(),
                hourly: text(),
            },
            query: form::encoded(&text()),
            refused: Some(text()),
            report: Some(Report {
                from: day,
                to: day,
                counted_from: Some(day),
                organizations: vec![report::Part {
                    name: text(),
                    mine: true,
                    ..report::Part::default()
                }],
                spared_at_doors: 1_234,
                spared_by_phone: 5,
                hours: 1.5,
                money: 30.25,
                coverage: vec![report::Coverage {
                    list: text(),
                    channel: Channel::Door,
                    points: 100,
                    own: 10,
                    allies: 20,
                    both: 30,
                    never: 40,
                }],
                least: 10,
            }),
        }
    }
}
