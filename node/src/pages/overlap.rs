//! Overlaps: counts that wait for an answer, the form to ask for one, and results with a picture.

use super::{
    Page, PageError,
    done::Done,
    frame::{Frame, Section},
    render,
    when::When,
    words,
};
use crate::{
    api,
    app::App,
    http::problem::Failure,
    overlap::{
        counted,
        say::{self, Draft, Wish},
        show::{self, Part, Shown, Standing},
    },
    store,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, RawQuery, State},
    http::Uri,
    response::Redirect,
};
use policy::Purpose;
use protocol::{time::Moment, token::Kind};
use serde::Deserialize;
use url::form_urlencoded;

/// The width of the picture, in units of its drawing.
const WIDTH: u64 = 1_000;
/// The most counts that the page shows.
const ROWS: usize = 50;

/// What the page shows.
#[derive(Debug, Template)]
#[template(path = "overlap.html")]
pub struct Overlaps {
    frame: Frame,
    lists: Vec<String>,
    members: Vec<(String, String)>,
    wish: Asking,
    refused: Option<String>,
    looked: Option<Looked>,
    waiting: Vec<Row>,
    others: Vec<Row>,
    /// Counts of other members: that they were, and no more.
    seen: Vec<Row>,
}

/// What the form says.
#[derive(Debug, Clone, Default)]
struct Asking {
    with: Vec<String>,
    list: String,
    by: String,
    purpose: String,
    counter: String,
}

/// A count that could be asked for.
#[derive(Debug)]
struct Looked {
    parties: String,
    list: String,
    people: String,
    with_key: String,
    size: String,
    counts: &'static str,
    counter: Option<String>,
}

/// One count.
#[derive(Debug)]
struct Row {
    id: String,
    asked_by: String,
    counts: &'static str,
    purpose: String,
    standing: &'static str,
    parties: Vec<(String, Option<String>)>,
    counter: Option<String>,
    /// Whether this organization may still end it.
    can_stop: bool,
    least: String,
    list: Option<String>,
    asked: When,
    until: When,
    steps: (usize, usize),
    note: Option<String>,
    common: Vec<Common>,
}

/// What lists have in common.
#[derive(Debug)]
struct Common {
    whose: String,
    words: String,
    picture: Option<Picture>,
}

/// Two bars, one above the other: where both are, people are on both lists.
#[derive(Debug)]
struct Picture {
    /// The first list: its length.
    first: u64,
    /// The second list: begin and length.
    second: (u64, u64),
    /// What both have: begin and length.
    both: (u64, u64),
    names: [String; 2],
}

/// Shows the page, and what a count would take where its address holds a choice.
pub async fn show(State(app): State<App>, uri: Uri, RawQuery(query): RawQuery) -> Page {
    let frame = Frame::read(&app, Section::Shares, &uri).await;
    let mut db = app.store.read("naming the lists").await?;
    let lists = store::list::all(&mut db).await?;
    drop(db);
    let mut page = Overlaps {
        lists: lists.into_iter().map(|list| list.name).collect(),
        members: members(&app).await,
        wish: Asking::read(query.as_deref().unwrap_or_default()),
        refused: None,
        looked: None,
        waiting: Vec::new(),
        others: Vec::new(),
        seen: Vec::new(),
        frame,
    };
    if page.frame.is_active() || page.frame.is_stopped() {
        page.fill(show::list(&app).await?);
    }
    if !page.wish.with.is_empty() {
        let looked = match page.wish.wish() {
            Ok(wish) => say::draft_ask(&app, &wish).await,
            Err(failure) => Err(failure),
        };
        match looked {
            Ok(draft) => page.looked = Some(Looked::of(draft)),
            Err(failure) => page.refused = Some(words::why(&failure)),
        }
    }
    render(&page)
}

/// Asks for what the form says.
pub async fn ask(State(app): State<App>, body: String) -> Result<Redirect, PageError> {
    let draft = say::ask(&app, &Asking::read(&body).wish()?).await?;
    said(&app, draft.overlap, Done::OverlapAsked).await
}

/// With which list somebody agrees.
#[derive(Debug, Deserialize)]
pub struct With {
    #[serde(default)]
    list: String,
}

/// Agrees with a list.
pub async fn agree(
    State(app): State<App>,
    Path(overlap): Path<String>,
    Form(with): Form<With>,
) -> Result<Redirect, PageError> {
    let list = filled(&with.list);
    let (_, entry) = say::agree(&app, &overlap, list.as_ref()).await?;
    said(&app, entry, Done::OverlapAgreed).await
}

/// Declines, or stops.
pub async fn decline(
    State(app): State<App>,
    Path(overlap): Path<String>,
) -> Result<Redirect, PageError> {
    let (_, entry) = say::stop(&app, &overlap).await?;
    said(&app, entry, Done::OverlapStopped).await
}

async fn said(app: &App, entry: protocol::id::EntryId, done: Done) -> Result<Redirect, PageError> {
    let said = api::said(app, entry).await?;
    let done = if said.state == "done" {
        done
    } else {
        Done::OverlapWaits
    };
    Ok(done.at("/overlaps"))
}

fn filled(text: &str) -> Option<String> {
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Everybody else in the coalition: id and name.
async fn members(app: &App) -> Vec<(String, String)> {
    let guard = app.coalition.read().await;
    let Some(coalition) = guard.as_ref() else {
        return Vec::new();
    };
    let others = coalition.state.roster();
    others
        .filter(|(node, _)| **node != app.me)
        .map(|(node, member)| (node.to_string(), member.name.clone()))
        .collect()
}

impl Asking {
    fn read(text: &str) -> Self {
        let mut asking = Self {
            by: Kind::NsDobPostal.name().to_owned(),
            purpose: Purpose::Gotv.to_string(),
            ..Self::default()
        };
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let value = value.into_owned();
            match name.as_ref() {
                "with" => asking.with.push(value),
                "list" => asking.list = value,
                "by" => asking.by = value,
                "purpose" => asking.purpose = value,
                "counter" => asking.counter = value,
                _ => {}
            }
        }
        asking
    }

    fn wish(&self) -> Result<Wish, Failure> {
        if self.with.is_empty() {
            return Err(Failure::input("choose at least one organization"));
        }
        Ok(Wish {
            with: self.with.clone(),
            list: filled(&self.list),
            by: self.by.clone(),
            purpose: self
                .purpose
                .parse()
                .map_err(|_| Failure::input("what for: choose a purpose"))?,
            least: None,
            days: None,
            counter: filled(&self.counter).filter(|counter| counter != EVERYBODY),
            no_counter: self.counter == EVERYBODY,
        })
    }
}

/// The choice that every party counts.
const EVERYBODY: &str = "everybody";

impl Looked {
    fn of(draft: Draft) -> Self {
        Self {
            parties: draft.parties.join(", "),
            people: words::natural(draft.chosen.people),
            with_key: words::natural(draft.chosen.with_key),
            size: words::natural(draft.chosen.points.len() as u64),
            counts: counted(draft.kind),
            list: draft.chosen.label,
            counter: draft.counter,
        }
    }
}

impl Overlaps {
    fn kinds(&self) -> [(&'static str, &'static str); 6] {
        [
            Kind::NsDobPostal,
            Kind::VoterId,
            Kind::NameDoor,
            Kind::Phone,
            Kind::Email,
            Kind::Door,
        ]
        .map(|kind| (kind.name(), counted(kind)))
    }

    fn purposes(&self) -> Vec<(String, String)> {
        let word = |purpose: &Purpose| (purpose.to_string(), words::spaced(&purpose.to_string()));
        Purpose::ALL.iter().map(word).collect()
    }

    fn is_with(&self, member: &str) -> bool {
        self.wish.with.iter().any(|with| with == member)
    }

    fn width(&self) -> u64 {
        WIDTH
    }

    fn fill(&mut self, counts: Vec<Shown>) {
        for count in counts.into_iter().take(ROWS) {
            let (part, state) = (count.part, count.state);
            let row = self.row(count);
            match part {
                Part::Asked if state == Standing::YourAnswer => self.waiting.push(row),
                Part::Asker | Part::Asked => self.others.push(row),
                Part::Counter | Part::None => self.seen.push(row),
            }
        }
    }

    fn row(&self, count: Shown) -> Row {
        let calendar = &self.frame.calendar;
        let party = matches!(count.part, Part::Asker | Part::Asked);
        let open = matches!(
            count.state,
            Standing::YourAnswer | Standing::Asked | Standing::UnderWay
        );
        let common = count.result.as_deref().unwrap_or_default();
        let common = common.iter().map(|common| Common {
            whose: common.organizations.join(" and "),
            words: common.words.clone(),
            picture: picture(common, &count),
        });
        Row {
            common: common.collect(),
            id: count.overlap.to_string(),
            counts: count.counts,
            purpose: words::spaced(&count.purpose),
            standing: count.state.words(),
            can_stop: party && open,
            least: words::natural(count.least),
            asked: calendar.day(Moment(count.asked)),
            until: calendar.day(Moment(count.until)),
            steps: (count.steps_done, count.steps),
            parties: count
                .parties
                .into_iter()
                .map(|party| (party.organization, party.size.map(words::natural)))
                .collect(),
            asked_by: count.asked_by,
            counter: count.counter,
            list: count.list,
            note: count.note,
        }
    }
}

/// Two lists and the part that both hold, to scale.
fn picture(common: &show::Common, count: &Shown) -> Option<Picture> {
    let [first, second] = common.places.as_slice() else {
        return None;
    };
    let (first, second) = (count.parties.get(*first)?, count.parties.get(*second)?);
    let (one, other) = (first.size?, second.size?);
    let both = common.at_least.min(one).min(other);
    let whole = (one + other - both).max(1);
    let scaled = |n: u64| n * WIDTH / whole;
    Some(Picture {
        first: scaled(one),
        second: (scaled(one - both), scaled(other)),
        both: (scaled(one - both), scaled(both)),
        names: [first.organization.clone(), second.organization.clone()],
    })
}

#[cfg(test)]
impl Overlaps {
    /// The page with one text in every place that others can fill.
    pub(super) fn sample(text: &str) -> Self {
        let frame = Frame::sample(Section::Shares, text);
        let when = || frame.calendar.day(Moment(1_795_604_160_000));
        let row = |can_stop: bool| Row {
            id: "abc".to_owned(),
            asked_by: text.to_owned(),
            counts: counted(Kind::Phone),
            purpose: text.to_owned(),
            standing: Standing::UnderWay.words(),
            parties: vec![
                (text.to_owned(), Some(text.to_owned())),
                (text.to_owned(), None),
            ],
            counter: Some(text.to_owned()),
            can_stop,
            least: text.to_owned(),
            list: Some(text.to_owned()),
            asked: when(),
            until: when(),
            steps: (1, 4),
            note: Some(text.to_owned()),
            common: vec![Common {
                whose: text.to_owned(),
                words: text.to_owned(),
                picture: Some(Picture {
                    first: 600,
                    second: (400, 600),
                    both: (400, 200),
                    names: [text.to_owned(), text.to_owned()],
                }),
            }],
        };
        Self {
            lists: vec![text.to_owned()],
            members: vec![(text.to_owned(), text.to_owned())],
            wish: Asking {
                with: vec![text.to_owned()],
                list: text.to_owned(),
                by: Kind::Phone.name().to_owned(),
                purpose: "gotv".to_owned(),
                counter: text.to_owned(),
            },
            refused: Some(text.to_owned()),
            looked: Some(Looked {
                parties: text.to_owned(),
                list: text.to_owned(),
                people: text.to_owned(),
                with_key: text.to_owned(),
                size: text.to_owned(),
                counts: counted(Kind::Phone),
                counter: Some(text.to_owned()),
            }),
            waiting: vec![row(true)],
            others: vec![row(true), row(false)],
            seen: vec![row(false)],
            frame,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(sizes: [u64; 2], at_least: u64) -> (u64, (u64, u64), (u64, u64)) {
        let party = |size| show::Party {
            organization: "Green Table".to_owned(),
            mine: false,
            size: Some(size),
        };
        let count = Shown {
            overlap: protocol::id::EntryId([1; 16]),
            part: Part::Asker,
            state: Standing::Done,
            asked_by: String::new(),
            by: String::new(),
            counts: "",
            purpose: String::new(),
            parties: sizes.map(party).into(),
            counter: None,
            least: 100,
            asked: 0,
            until: 0,
            steps_done: 4,
            steps: 4,
            list: None,
            result: None,
            note: None,
        };
        let common = show::Common {
            organizations: Vec::new(),
            places: vec![0, 1],
            at_least,
            below: None,
            words: String::new(),
        };
        let picture = picture(&common, &count).unwrap();
        (picture.first, picture.second, picture.both)
    }

    #[test]
    fn bars_meet_where_lists_do_and_fill_the_width_together() {
        assert_eq!(drawn([600, 600], 200), (600, (400, 600), (400, 200)));
        assert_eq!(drawn([500, 500], 0), (500, (500, 500), (500, 0)));
        assert_eq!(drawn([100, 1_000], 90), (99, (9, 990), (9, 89)));
    }
}
