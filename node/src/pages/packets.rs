//! Packets: a granted claim cut into shifts, who walks which, and how far they have come.

use super::{
    Page, PageError,
    done::Done,
    frame::{Frame, Section},
    render, words,
};
use crate::{
    app::App,
    claims::show,
    store::packet::{Packet, PacketState},
    turf::{packet, sheet},
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::Uri,
    response::{Html, Redirect},
};
use protocol::time::Moment;
use serde::Deserialize;

/// Doors of a packet where nobody says how many: a shift of three hours.
const DOORS: usize = 45;

/// What the page shows.
#[derive(Debug, Template)]
#[template(path = "packets.html")]
pub struct Packets {
    frame: Frame,
    doors: usize,
    claims: Vec<Claim>,
    packets: Vec<Row>,
}

/// An own claim in force, which can be cut.
#[derive(Debug)]
struct Claim {
    id: String,
    label: String,
}

/// One packet.
#[derive(Debug)]
struct Row {
    code: String,
    label: String,
    state: &'static str,
    open: bool,
    assignee: String,
    stops: String,
}

/// Shows all packets, and what can be cut into more.
pub async fn show(State(app): State<App>, uri: Uri) -> Page {
    let frame = Frame::read(&app, Section::Claims, &uri).await;
    let mut page = Packets {
        doors: DOORS,
        claims: Vec::new(),
        packets: Vec::new(),
        frame,
    };
    if page.frame.is_active() || page.frame.is_paused() {
        let own = show::list(&app, false).await?;
        let calendar = &page.frame.calendar;
        let packets = packet::list(&app, None).await?;
        page.packets = packets
            .into_iter()
            .map(|packet| {
                let claim = own
                    .iter()
                    .find(|claim| claim.claim.to_string() == packet.claim_id);
                Row::new(packet, claim.map_or("", |claim| &claim.label))
            })
            .collect();
        page.claims = own
            .iter()
            .filter(|claim| claim.state == "granted" && claim.ends.is_some())
            .map(|claim| Claim {
                id: claim.claim.to_string(),
                label: format!(
                    "{}, {}, from {}",
                    claim.label,
                    words::channel(claim.channel).to_lowercase(),
                    calendar.day(Moment(claim.from))
                ),
            })
            .collect();
    }
    render(&page)
}

impl Row {
    fn new(packet: Packet, label: &str) -> Self {
        Self {
            code: packet::code(&packet),
            label: label.to_owned(),
            state: words::packet(packet.state),
            open: packet.state != PacketState::Done,
            stops: words::natural(packet.stops),
            assignee: packet.assignee,
        }
    }
}

/// What to cut.
#[derive(Debug, Deserialize)]
pub struct Cut {
    claim: String,
    doors: usize,
}

/// Cuts a claim.
pub async fn cut(State(app): State<App>, Form(cut): Form<Cut>) -> Result<Redirect, PageError> {
    packet::make(&app, &cut.claim, cut.doors, false).await?;
    Ok(Done::Cut.at("/packets"))
}

/// Who walks it.
#[derive(Debug, Deserialize)]
pub struct Assign {
    to: String,
}

/// Gives a packet to somebody, or with an empty name to nobody.
pub async fn assign(
    State(app): State<App>,
    Path(code): Path<String>,
    Form(assign): Form<Assign>,
) -> Result<Redirect, PageError> {
    packet::assign(&app, &code, &assign.to).await?;
    Ok(Done::Assigned.at("/packets"))
}

/// What becomes of the rest.
#[derive(Debug, Deserialize)]
pub struct End {
    #[serde(default)]
    keep: bool,
}

/// Ends a packet.
pub async fn end(
    State(app): State<App>,
    Path(code): Path<String>,
    Form(end): Form<End>,
) -> Result<Redirect, PageError> {
    packet::finish(&app, &code, end.keep, false).await?;
    Ok(Done::PacketDone.at("/packets"))
}

/// A packet to print.
pub async fn print(
    State(app): State<App>,
    Path(code): Path<String>,
) -> Result<Html<String>, PageError> {
    Ok(Html(sheet::html(&app, &code).await?))
}

#[cfg(test)]
impl Packets {
    /// The page with one text in every place that others can fill.
    pub(super) fn sample(text: &str) -> Self {
        let text = || text.to_owned();
        Self {
            frame: Frame::sample(Section::Claims, &text()),
            doors: DOORS,
            claims: vec![Claim {
                id: text(),
                label: text(),
            }],
            packets: vec![Row {
                code: text(),
                label: text(),
                state: "assigned",
                open: true,
                assignee: text(),
                stops: text(),
            }],
        }
    }
}
