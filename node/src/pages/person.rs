//! One person: how it is reached, what it agreed to, who must not contact it, and who holds it.

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
    coalition::members,
    http::problem::Failure,
    shares::{holders, onward::Onward, recall::What},
    store::{self, consent::Consent, contact::Contact, people::Member, person_suppression::Cause},
    suppressions::{self, mark},
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::Uri,
    response::Redirect,
};
use protocol::{
    channel::Channel,
    entry::{payload::Channels, share::RevokeKind},
    time::Moment,
};
use serde::Deserialize;

/// The most contacts that the page shows.
const CONTACTS: usize = 100;

/// What the page shows.
#[derive(Debug, Template)]
#[template(path = "person.html")]
pub struct Person {
    frame: Frame,
    name: String,
    id: String,
    address: String,
    facts: Vec<Fact>,
    points: Vec<Point>,
    lists: Vec<String>,
    /// Why it is not contacted, as the coalition stands.
    closed: Vec<Closed>,
    suppressions: Vec<Suppression>,
    consents: Vec<Agreed>,
    holders: Vec<Holder>,
    contacts: Cut<Attempt>,
}

/// Something that is known.
#[derive(Debug)]
struct Fact {
    label: String,
    value: String,
}

/// A contact point.
#[derive(Debug)]
struct Point {
    kind: String,
    shown: String,
    label: String,
    bad: bool,
}

/// A channel on which nobody contacts the person.
#[derive(Debug)]
struct Closed {
    channel: &'static str,
    by: String,
    since: When,
}

/// An own suppression.
#[derive(Debug)]
struct Suppression {
    why: String,
    channels: String,
    since: When,
    withdrawn: Option<When>,
}

/// A consent record.
#[derive(Debug)]
struct Agreed {
    form: String,
    basis: String,
    state: String,
    good: bool,
    at: Option<When>,
    clauses: Vec<String>,
}

/// Who was given the person.
#[derive(Debug)]
struct Holder {
    name: String,
    fields: String,
    purpose: String,
    sent: When,
    status: String,
}

/// Somebody tried to reach the person.
#[derive(Debug)]
struct Attempt {
    at: When,
    channel: String,
    result: String,
    by: String,
    flagged: bool,
}

/// What a form asks about a person's suppression.
#[derive(Debug, Deserialize)]
pub struct Mark {
    channel: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    withdraw: bool,
}

/// Notes that a person must not be contacted, or takes the own mark back.
pub async fn suppress(
    State(app): State<App>,
    Path(id): Path<String>,
    Form(form): Form<Mark>,
) -> Result<Redirect, PageError> {
    let channels = match form.channel.as_str() {
        "all" => Channels::EVERY,
        channel => Channels::only(
            channel
                .parse()
                .map_err(|error| Failure::input(format!("channel: {error}")))?,
        ),
    };
    let cause = match form.reason.as_str() {
        "opt_out" => Cause::OptOut,
        "" | "do_not_contact" => Cause::DoNotContact,
        _ => return Err(Failure::input("reason: choose one of those on the page").into()),
    };
    let wanted = mark::Mark {
        subject: mark::Subject::Person(id.clone()),
        channels,
        cause,
        source: "desk",
        withdraw: form.withdraw,
        dry_run: false,
    };
    mark::mark(&app, &wanted).await?;
    let done = if form.withdraw {
        Done::Unsuppressed
    } else {
        Done::Suppressed
    };
    Ok(done.at(&format!("/people/{id}")))
}

/// Takes a person back from everybody who was given it.
pub async fn revoke(State(app): State<App>, Path(id): Path<String>) -> Result<Redirect, PageError> {
    let what = What::Person {
        person: id.clone(),
        share: None,
        kind: RevokeKind::Withdrawal,
    };
    super::share::take_back(&app, &what, &format!("/people/{id}")).await
}

/// Shows a person.
pub async fn show(State(app): State<App>, uri: Uri, Path(id): Path<String>) -> Page {
    let frame = Frame::read(&app, Section::People, &uri).await;
    let mut db = app.store.read("showing a person").await?;
    let member = store::people::member(&mut db, &id).await?;
    let member = member.ok_or_else(|| Failure::not_found("nobody on your lists has this id"))?;
    let lists = store::list::of_person(&mut db, &id).await?;
    let ids = store::identifier::of_person(&mut db, &id).await?;
    let contacts = store::contact::of_person(&mut db, &id).await?;
    drop(db);
    let together = frame.is_active() || frame.is_paused();
    let (closed, held) = if together {
        (closed(&app, &frame, &id).await?, holders(&app, &id).await?)
    } else {
        (Vec::new(), Vec::new())
    };
    let calendar = &frame.calendar;
    let holder = |holder: crate::shares::view::Holder| Holder {
        fields: words::listed(&holder.fields),
        purpose: words::spaced(&holder.purpose),
        sent: calendar.day(Moment(holder.sent_at)),
        status: {
            let status = match holder.correction {
                Some("rectified") if holder.status == "held" => "held, corrected".to_owned(),
                _ => words::spaced(holder.status),
            };
            let onward = holder.onward.iter().map(Onward::sentence);
            std::iter::once(status)
                .chain(onward)
                .collect::<Vec<_>>()
                .join("; ")
        },
        name: holder.name,
    };
    render(&Person {
        name: member.person.name(),
        address: super::people::address(&member.person.address),
        facts: facts(&member, &ids),
        points: points(&member),
        lists,
        closed,
        suppressions: marks(&frame, &member),
        consents: member
            .consents
            .iter()
            .map(|c| Agreed::new(&frame, c))
            .collect(),
        holders: held.into_iter().map(holder).collect(),
        contacts: Cut::first(
            contacts
                .into_iter()
                .map(|c| Attempt::new(&frame, &app.name, c)),
            CONTACTS,
        ),
        id,
        frame,
    })
}

async fn closed(app: &App, frame: &Frame, id: &str) -> Result<Vec<Closed>, Failure> {
    let guard = app.coalition.read().await;
    let Some(coalition) = guard.as_ref() else {
        return Ok(Vec::new());
    };
    let mut db = app.store.read("looking who must not be contacted").await?;
    let closed = suppressions::person_channels(&coalition.state, app.me, &mut db, id).await?;
    Ok(closed
        .into_iter()
        .map(|closed| Closed {
            channel: words::channel(closed.channel),
            by: if closed.by == app.me {
                "you".to_owned()
            } else {
                members::name(&coalition.state, closed.by)
            },
            since: frame.calendar.day(closed.since),
        })
        .collect())
}

fn facts(member: &Member, ids: &[(String, String)]) -> Vec<Fact> {
    let person = &member.person;
    let born = person
        .birth_date
        .clone()
        .or_else(|| person.birth_year.map(|year| year.to_string()));
    let yes = |holds: bool| holds.then(|| "yes".to_owned());
    let some = |text: String| (!text.is_empty()).then_some(text);
    let mut facts: Vec<(String, Option<String>)> = vec![
        ("Born".to_owned(), born),
        ("Source".to_owned(), some(words::spaced(&person.source))),
        ("Ground".to_owned(), some(words::spaced(&person.basis))),
        ("Tags".to_owned(), some(person.tags.join(", "))),
        ("Under 18".to_owned(), yes(person.minor)),
        ("Partisan".to_owned(), yes(person.partisan)),
        ("Never share".to_owned(), yes(person.never_share)),
        ("Voter id".to_owned(), person.voter_id.clone()),
    ];
    let text = |(key, value): (&String, &String)| (key.clone(), Some(value.clone()));
    facts.extend(person.answers.iter().map(text));
    facts.extend(person.extra.iter().map(text));
    facts.extend(
        ids.iter()
            .map(|(system, id)| (format!("{system} id"), Some(id.clone()))),
    );
    let known = facts.into_iter();
    known
        .filter_map(|(label, value)| {
            Some(Fact {
                label,
                value: value?,
            })
        })
        .collect()
}

fn points(member: &Member) -> Vec<Point> {
    let reached = member
        .points
        .iter()
        .filter(|point| point.point.class != store::point::PERSON);
    reached
        .map(|point| Point {
            kind: point.point.kind.clone(),
            shown: point.point.display.clone(),
            label: point.label.clone(),
            bad: point.bad,
        })
        .collect()
}

fn marks(frame: &Frame, member: &Member) -> Vec<Suppression> {
    let day = |at: i64| frame.calendar.day(Moment(at));
    let marks = member.suppressions.iter();
    marks
        .map(|mark| {
            let channels = Channels(u8::try_from(mark.channels).unwrap_or_default());
            let channels: Vec<&str> = channels.iter().map(words::channel).collect();
            Suppression {
                why: words::spaced(mark.cause.name()),
                channels: channels.join(", "),
                since: day(mark.since),
                withdrawn: mark.withdrawn_at.map(day),
            }
        })
        .collect()
}

impl Agreed {
    fn new(frame: &Frame, consent: &Consent) -> Self {
        let record = &consent.record;
        let last = record.events().last();
        let state = last.map_or("nothing happened", |event| event.event_state.name());
        let clauses = record.purposes.iter().map(|clause| {
            let to = &clause.recipient_third_parties;
            let to: Vec<&str> = to
                .party_ids
                .iter()
                .chain(&to.x_classes)
                .map(String::as_str)
                .collect();
            let channels: Vec<&str> = clause.x_channels.iter().map(|c| c.name()).collect();
            let fields: Vec<&str> = clause.pii_information.iter().map(|f| f.name()).collect();
            format!(
                "{} ({}), by {}, to {}",
                words::spaced(clause.purpose.name()),
                fields.join(", "),
                words::spaced(&channels.join(", ")),
                if to.is_empty() {
                    "nobody else".to_owned()
                } else {
                    to.join(", ")
                }
            )
        });
        Self {
            form: record.x_form_version.clone(),
            basis: words::spaced(record.lawful_basis.name()),
            state: state.to_owned(),
            good: matches!(state, "given" | "confirmed"),
            at: last.map(|event| frame.calendar.day(Moment(event.event_time))),
            clauses: clauses.collect(),
        }
    }
}

impl Attempt {
    fn new(frame: &Frame, us: &str, contact: Contact) -> Self {
        let at = Moment(contact.at);
        let by = match (contact.own, contact.committee.as_str()) {
            (_, name) if !name.is_empty() => name.to_owned(),
            (true, _) => us.to_owned(),
            (false, _) => "somebody else".to_owned(),
        };
        Self {
            at: if contact.whole_day {
                frame.calendar.day(at)
            } else {
                frame.calendar.moment(at)
            },
            channel: contact.channel.unwrap_or_else(|| "unknown way".to_owned()),
            result: contact.result,
            by,
            flagged: contact.flagged,
        }
    }
}

impl Person {
    /// The channels to choose from, with their words.
    fn channels(&self) -> [(&'static str, &'static str); 4] {
        Channel::ALL.map(|channel| (channel.name(), words::channel(channel)))
    }

    /// Whether an own mark can be taken back.
    fn has_mark(&self) -> bool {
        self.suppressions
            .iter()
            .any(|mark| mark.withdrawn.is_none())
    }

    /// Whether anybody can still be told to forget the person.
    fn is_held(&self) -> bool {
        let held = ["held", "held, corrected", "queued", "restricted"];
        let mut holders = self.holders.iter();
        holders.any(|holder| held.contains(&holder.status.as_str()))
    }
}

#[cfg(test)]
impl Person {
    /// The page with one text in every place that others can fill.
    pub(super) fn sample(text: &str) -> Self {
        let frame = Frame::sample(Section::People, text);
        let when = frame.calendar.day(Moment(1_795_604_160_000));
        let text = || text.to_owned();
        Self {
            name: text(),
            id: text(),
            address: text(),
            facts: vec![Fact {
                label: text(),
                value: text(),
            }],
            points: vec![Point {
                kind: text(),
                shown: text(),
                label: text(),
                bad: true,
            }],
            lists: vec![text()],
            closed: vec![Closed {
                channel: "Doors",
                by: text(),
                since: when.clone(),
            }],
            suppressions: vec![Suppression {
                why: text(),
                channels: text(),
                since: when.clone(),
                withdrawn: Some(when.clone()),
            }],
            consents: vec![Agreed {
                form: text(),
                basis: text(),
                state: text(),
                good: true,
                at: Some(when.clone()),
                clauses: vec![text()],
            }],
            holders: vec![Holder {
                name: text(),
                fields: text(),
                purpose: text(),
                sent: when.clone(),
                status: "held".to_owned(),
            }],
            contacts: Cut {
                rows: vec![Attempt {
                    at: when,
                    channel: text(),
                    result: text(),
                    by: text(),
                    flagged: true,
                }],
                more: 1,
            },
            frame,
        }
    }
}
