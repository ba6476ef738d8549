//! The walk list of a granted claim: people in walking order, one row each, as CSV.
//!
//! UTF-8 with a byte order mark, because spreadsheets read it as another encoding without one and our
//! own import skips it; CRLF line ends and every cell in quotes. Cells that a spreadsheet would
//! take for a formula are neutralized ([`cell`]).

use super::{check::Waiting, ground, show, universe::Known, window};
use crate::{
    app::App,
    http::problem::Failure,
    store::{self, claim::Claim, person::Person, reach::Point, suppression::Marks},
};
use protocol::{
    channel::Channel,
    entry::payload::Channels,
    problem::ProblemKind,
    state::{State, rules::Rules},
    time::Moment,
    token::Token,
};
use std::collections::BTreeSet;

/// So long before a claim's end nobody gets its list any more, in milliseconds.
pub const GUARD: i64 = 600_000;
/// With a clock further off than this a node hands out no list, in milliseconds.
pub const CLOCK_OFF: i64 = GUARD / 2;
/// How a file begins: with a byte order mark.
pub(crate) const BEGIN: &str = "\u{feff}";
/// The columns.
pub(crate) const HEADINGS: [&str; 12] = [
    "Stop",
    "Name",
    "Address",
    "City",
    "State",
    "Zip",
    "Phone",
    "Email",
    "Person ID",
    "VANID",
    "Claim number",
    "Window end",
];

/// An own claim that is granted and not over, and what it holds.
pub(crate) struct Holding {
    pub(crate) claim: Claim,
    /// The position of the grant: the number on walk lists.
    pub(crate) number: u64,
    pub(crate) tokens: Vec<Token>,
    /// The window's last day.
    pub(crate) last_day: String,
    generation: u32,
    rules: Rules,
}

/// A walk list.
#[derive(Debug)]
pub struct WalkList {
    /// CSV.
    pub text: String,
    /// Who is not on it, because everybody together contacted them as often as the agreement allows.
    pub capped: Waiting,
}

/// What an own claim holds.
///
/// # Errors
/// [`Failure`] with a plain reason when the claim is not granted, has ended by log time or is about to
/// end, or this node's clock is wrong.
pub(crate) async fn holding(app: &App, beginning: &str) -> Result<Holding, Failure> {
    crate::coalition::not_coming_back(app).await?;
    crate::audit::fork::nothing_new_while_frozen(app).await?;
    let claim = show::find(app, beginning).await?;
    let ground = ground(app).await?;
    let coalition = crate::coalition::active(app).await?;
    let row = coalition.state.claims.get(&claim.id);
    let row = row.ok_or_else(|| {
        Failure::new(
            ProblemKind::Conflict,
            format!(
                "there is no walk list: this claim is {}, so nobody keeps its contact points for you",
                claim.phase.name()
            ),
        )
    })?;
    in_time(app, row.ends, coalition.state.meta().head.log_time)?;
    Ok(Holding {
        number: row.position,
        tokens: row.tokens.as_slice().to_vec(),
        last_day: window::last_day(&ground.params.time_zone, claim.to),
        generation: ground.generation,
        rules: ground.rules,
        claim,
    })
}

/// People go home before log time frees their doors for somebody else: the list ends sooner than the
/// claim, and a node whose clock is wrong cannot tell when.
fn in_time(app: &App, ends: Moment, log_time: Moment) -> Result<(), Failure> {
    let refused = |why: &str| {
        let why = format!("there is no walk list: {why}");
        Err(Failure::new(ProblemKind::Conflict, why))
    };
    let heard = app.offsets.at_last_contact().unwrap_or(0);
    // Log time stands still between entries, so it can only show that this clock is behind.
    let behind = log_time.since(app.now());
    if heard.abs() > CLOCK_OFF || behind > CLOCK_OFF {
        return refused(
            "this machine's clock differs from the keeper's by more than five minutes; set it right, \
             and wait until the keeper has answered",
        );
    }
    if ends <= app.now() {
        return refused("the claim's time is over");
    }
    if ends <= app.now().plus(GUARD) {
        return refused("the claim ends in less than ten minutes; renew it if its window goes on");
    }
    Ok(())
}

/// The walk list of an own claim.
///
/// # Errors
/// [`Failure`] with a plain reason when the claim is not granted, has ended by log time or is about to
/// end, or this node's clock is wrong.
pub async fn make(app: &App, beginning: &str) -> Result<WalkList, Failure> {
    let holding = holding(app, beginning).await?;
    let mut stops = stops(app, &holding).await?;
    stops.sort_by(|a, b| order(&a.point).cmp(&order(&b.point)));
    let coalition = crate::coalition::active(app).await?;
    let mut text = String::from(BEGIN);
    line(&mut text, &HEADINGS.map(str::to_owned));
    let (mut n, mut waiting) = (0, Vec::new());
    for stop in &stops {
        for guest in &stop.people {
            let until = guest.capped_until;
            waiting.extend(until.map(|until| (guest.person.person_id.clone(), until)));
        }
        let people = stop.contactable(&coalition.state, holding.claim.channel);
        n += usize::from(!people.is_empty());
        for guest in people {
            line(&mut text, &row(n, stop, guest, &holding));
        }
    }
    Ok(WalkList {
        text,
        capped: Waiting::of(&waiting),
    })
}

/// A contact point and the people to meet there.
pub(crate) struct Stop {
    pub(crate) point: Point,
    people: Vec<Guest>,
    closed: bool,
}

/// Somebody to meet there.
pub(crate) struct Guest {
    pub(crate) person: Person,
    pub(crate) van_id: String,
    known: Known,
    /// Until when everybody together contacted the person as often as the agreement allows.
    capped_until: Option<Moment>,
    closed: Channels,
    moved: bool,
}

impl Stop {
    /// Everybody who may be contacted here, by surname and given name.
    pub(crate) fn contactable(&self, state: &State, channel: Channel) -> Vec<&Guest> {
        let suppressed = |token: Token| state.suppressed(token, channel).is_some();
        if self.closed || self.point.tokens().any(suppressed) {
            return Vec::new();
        }
        let mut people: Vec<&Guest> = self
            .people
            .iter()
            .filter(|guest| !guest.moved && !guest.closed.has(channel))
            .filter(|guest| guest.capped_until.is_none())
            .filter(|guest| !guest.known.keys.iter().any(|key| suppressed(*key)))
            .collect();
        people.sort_by(|a, b| {
            let key = |guest: &Guest| (guest.person.surname.clone(), guest.person.given.clone());
            key(a).cmp(&key(b))
        });
        people
    }
}

/// What is read once for all stops of a walk list.
struct Reading<'a> {
    holding: &'a Holding,
    state: &'a State,
    marks: Marks,
    /// Who is on the claim's list, where it was made from one.
    on_list: Option<BTreeSet<String>>,
    at: Moment,
}

impl Reading<'_> {
    async fn stop(&self, db: &mut store::Read, point: Point) -> store::Result<Stop> {
        let (marks, generation) = (&self.marks, self.holding.generation);
        let mut people = Vec::new();
        for person_id in store::reach::people_at(db, &point.point_id).await? {
            let on_list = self.on_list.as_ref();
            if on_list.is_some_and(|list| !list.contains(&person_id)) {
                continue;
            }
            let Some(person) = store::person::find(db, &person_id).await? else {
                continue;
            };
            let identifiers = store::identifier::of_person(db, &person_id).await?;
            let van_id = identifiers.into_iter().find(|(system, _)| system == "van");
            let known = Known::of(&store::reach::of_person(db, &person_id, generation).await?);
            let rules = &self.holding.rules;
            people.push(Guest {
                van_id: van_id.map(|(_, id)| id).unwrap_or_default(),
                capped_until: self.state.capped(rules, &known.points, self.at),
                known,
                closed: marks.persons.get(&person_id).copied().unwrap_or_default(),
                moved: marks
                    .moved
                    .contains(&(person_id.clone(), point.point_id.clone())),
                person,
            });
        }
        let closed = marks.points.get(&point.point_id).copied();
        Ok(Stop {
            closed: closed.is_some_and(|channels| channels.has(self.holding.claim.channel)),
            point,
            people,
        })
    }
}

/// The contact points that a claim holds, in no order.
pub(crate) async fn stops(app: &App, holding: &Holding) -> Result<Vec<Stop>, Failure> {
    let coalition = crate::coalition::active(app).await?;
    let mut db = app.store.read("making a walk list").await?;
    let on_list = match &holding.claim.list_id {
        Some(list_id) => Some(store::reach::people_of_list(&mut db, list_id).await?),
        None => None,
    };
    let reading = Reading {
        holding,
        state: &coalition.state,
        marks: store::suppression::marks(&mut db).await?,
        on_list,
        at: holding.claim.from.max(app.now()),
    };
    let mut stops = Vec::new();
    for token in &holding.tokens {
        let point = store::reach::by_token(&mut db, *token, holding.generation).await?;
        if let Some(point) = point {
            stops.push(reading.stop(&mut db, point).await?);
        }
    }
    Ok(stops)
}

/// One contact point as it stands now; nothing when the claim does not hold it any more.
pub(crate) async fn stop(
    app: &App,
    holding: &Holding,
    point_id: &str,
) -> Result<Option<Stop>, Failure> {
    let coalition = crate::coalition::active(app).await?;
    let mut db = app.store.read("looking at a contact point").await?;
    let point = store::reach::by_id(&mut db, point_id, holding.generation).await?;
    // Tokens stand in rising order.
    let held = |token: Token| holding.tokens.binary_search(&token).is_ok();
    let Some(point) = point.filter(|point| point.tokens().any(held)) else {
        return Ok(None);
    };
    let on_list = match &holding.claim.list_id {
        Some(list) => Some(store::reach::people_of_list_at(&mut db, list, point_id).await?),
        None => None,
    };
    let reading = Reading {
        holding,
        state: &coalition.state,
        marks: store::suppression::marks_at(&mut db, point_id).await?,
        on_list,
        at: holding.claim.from.max(app.now()),
    };
    Ok(Some(reading.stop(&mut db, point).await?))
}

/// Walking order: street, house number, then the rest of the door's value with numbers by size.
fn order(point: &Point) -> (&str, i64, Vec<(u64, String)>, &str) {
    let unit = point.value.rsplit('|').next().unwrap_or_default();
    (&point.street, point.number, natural(unit), &point.value)
}

/// A unit in pieces that compare as people count: 2 before 10, 4a before 4b.
pub(crate) fn natural(unit: &str) -> Vec<(u64, String)> {
    let mut pieces: Vec<(u64, String)> = Vec::new();
    let mut digits = String::new();
    for c in unit.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        if !digits.is_empty() {
            pieces.push((digits.parse().unwrap_or(u64::MAX), String::new()));
            digits.clear();
        }
        pieces.push((0, c.to_string()));
    }
    if !digits.is_empty() {
        pieces.push((digits.parse().unwrap_or(u64::MAX), String::new()));
    }
    pieces
}

/// A person's line, by [`HEADINGS`].
pub(crate) fn row(n: usize, stop: &Stop, guest: &Guest, holding: &Holding) -> [String; 12] {
    let channel = holding.claim.channel;
    let address = &guest.person.address;
    let street: Vec<&str> = [address.line1.as_str(), &address.line2]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect();
    let street = if channel == Channel::Door && street.is_empty() {
        stop.point.display.clone()
    } else {
        street.join(", ")
    };
    let shown = |wanted: bool| {
        if wanted {
            stop.point.display.clone()
        } else {
            String::new()
        }
    };
    [
        n.to_string(),
        guest.person.name(),
        street,
        address.city.clone(),
        address.state.clone(),
        address.postal_code.clone(),
        shown(matches!(channel, Channel::Phone | Channel::Text)),
        shown(channel == Channel::Email),
        guest.person.person_id.clone(),
        guest.van_id.clone(),
        holding.number.to_string(),
        holding.last_day.clone(),
    ]
}

/// Adds a line of cells.
pub(crate) fn line(text: &mut String, cells: &[String]) {
    let cells: Vec<String> = cells.iter().map(|value| cell(value)).collect();
    text.push_str(&cells.join(","));
    text.push_str("\r\n");
}

/// A quoted cell that no spreadsheet takes for a formula.
///
/// A value that begins with a sign of a formula (`= + - @`, their full-width forms, tab or carriage
/// return), perhaps after spaces or quotes, gets an apostrophe in front. A plus sign and digits alone
/// is a phone number and stays.
#[must_use]
pub fn cell(value: &str) -> String {
    let first = value
        .chars()
        .find(|c| !matches!(c, ' ' | '"' | '\'' | '\u{a0}' | '\u{3000}'));
    let starts = first.is_some_and(|c| {
        matches!(
            c,
            '=' | '+'
                | '-'
                | '@'
                | '\t'
                | '\r'
                | '\n'
                | '\u{ff1d}'
                | '\u{ff0b}'
                | '\u{ff0d}'
                | '\u{ff20}'
        )
    });
    let phone = value
        .strip_prefix('+')
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    let guard = if starts && !phone { "'" } else { "" };
    format!("\"{guard}{}\"", value.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_gets_an_apostrophe_however_it_hides() {
        for formula in [
            "=1+1",
            "+1;cmd",
            "-2",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            " =1",
            "\"=1",
            "\u{ff1d}1",
            "+1 555",
            "'=1",
        ] {
            assert!(cell(formula).starts_with("\"'"), "{formula:?}");
        }
    }

    #[test]
    fn names_and_phone_numbers_stay_as_they_are() {
        for plain in ["O'Neil", "+16145550123", "12 Elm St", "", "Ann-Marie"] {
            assert_eq!(cell(plain), format!("\"{plain}\""));
        }
        assert_eq!(cell("the \"Duke\""), "\"the \"\"Duke\"\"\"");
    }

    #[test]
    fn units_are_walked_as_people_count() {
        let mut units = ["10", "2", "4b", "4a", ""];
        units.sort_by_key(|unit| natural(unit));
        assert_eq!(units, ["", "2", "4a", "4b", "10"]);
    }
}
