//! Plans: a calendar of what all members intend, and the form to file one's own.

use super::{
    Page, PageError,
    done::Done,
    form,
    frame::{Frame, Section},
    ground::Ground,
    render,
    when::When,
    words,
};
use crate::{
    api,
    app::App,
    claims::ground,
    http::problem::Failure,
    plans::{
        self,
        draft::{self, Intention},
        meet::Meeting,
        show::{self, Shown},
    },
    store,
};
use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::Uri,
    response::Redirect,
};
use policy::Purpose;
use protocol::{
    channel::Channel,
    entry::plan::Place,
    time::{DAY, Moment},
};
use serde::Deserialize;

/// The weeks that the calendar shows.
const WEEKS: i64 = 8;
/// Units of the calendar's drawing per day.
const DAY_WIDTH: i64 = 10;

/// What the page shows.
#[derive(Debug, Template)]
#[template(path = "plans.html")]
pub struct Plans {
    frame: Frame,
    blocked: Option<String>,
    lists: Vec<String>,
    areas: Vec<String>,
    ask: Ask,
    refused: Option<String>,
    looked: Option<Looked>,
    /// Where the calendar's weeks begin.
    weeks: Vec<i64>,
    /// Cells and own areas, drawn.
    ground: Option<Ground>,
    plans: Vec<Row>,
}

/// What a form says: a plan, before it is read.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Ask {
    #[serde(default)]
    label: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    list: String,
    #[serde(default)]
    places: String,
    #[serde(default)]
    area: String,
    #[serde(default)]
    volume: String,
    #[serde(default)]
    contact: String,
}

/// A plan that could be filed.
#[derive(Debug)]
struct Looked {
    volume: String,
    places: String,
    left_out: u64,
    withheld: Option<String>,
    meets: Vec<Met>,
}

/// An ally's plan that it meets.
#[derive(Debug)]
struct Met {
    organization: String,
    label: String,
    from: When,
    last: When,
    contact: String,
    own_points: Option<String>,
}

/// One plan.
#[derive(Debug)]
struct Row {
    id: String,
    mine: bool,
    organization: String,
    label: String,
    channel: &'static str,
    purpose: String,
    from: When,
    last: When,
    volume: String,
    places: String,
    contact: String,
    meets: usize,
    /// Its bar in the calendar: begin and length.
    bar: Option<(i64, i64)>,
}

/// Shows the page, and what a plan would meet where the address holds one.
pub async fn show(State(app): State<App>, uri: Uri, Query(ask): Query<Ask>) -> Page {
    let frame = Frame::read(&app, Section::Plans, &uri).await;
    let mut db = app.store.read("naming the lists").await?;
    let lists = store::list::all(&mut db).await?;
    let areas = store::turf::areas(&mut db).await?;
    drop(db);
    let mut page = Plans {
        blocked: ground(&app).await.err().map(|failure| words::why(&failure)),
        lists: lists.into_iter().map(|list| list.name).collect(),
        areas: areas.iter().map(|area| area.name.clone()).collect(),
        ground: None,
        refused: None,
        looked: None,
        weeks: Vec::new(),
        plans: Vec::new(),
        ask: ask.filled(&frame),
        frame,
    };
    if page.frame.is_active() || page.frame.is_stopped() {
        let plans = show::list(&app).await?;
        page.ground = Ground::of(&plans, &areas);
        page.fill(plans);
    }
    if page.blocked.is_none() && !page.ask.label.is_empty() {
        match page.look(&app).await {
            Ok(looked) => page.looked = Some(looked),
            Err(failure) => page.refused = Some(words::why(&failure)),
        }
    }
    render(&page)
}

/// Files what the form says.
pub async fn file(State(app): State<App>, Form(ask): Form<Ask>) -> Result<Redirect, PageError> {
    let (_, entry) = plans::file(&app, ask.intention()?).await?;
    let said = api::said(&app, entry).await?;
    let done = said.state == "done";
    Ok((if done { Done::Planned } else { Done::PlanWaits }).at("/plans"))
}

/// Takes an own plan back.
pub async fn withdraw(
    State(app): State<App>,
    Path(plan): Path<String>,
) -> Result<Redirect, PageError> {
    let (_, entry) = plans::withdraw(&app, &plan).await?;
    let said = api::said(&app, entry).await?;
    let done = said.state == "done";
    Ok((if done {
        Done::PlanWithdrawn
    } else {
        Done::PlanWaits
    })
    .at("/plans"))
}

impl Ask {
    fn filled(mut self, frame: &Frame) -> Self {
        form::fill([
            (&mut self.channel, Channel::Door.name().to_owned()),
            (&mut self.purpose, Purpose::Gotv.to_string()),
            (&mut self.from, form::in_days(frame, 7)),
            (&mut self.to, form::in_days(frame, 13)),
        ]);
        self
    }

    fn intention(&self) -> Result<Intention, Failure> {
        let filled = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let number = |text: String| {
            text.parse().map_err(|_| {
                Failure::input("about how many: write a whole number, for example 400")
            })
        };
        Ok(Intention {
            channel: form::channel(&self.channel)?,
            from: form::day("first day", &self.from)?,
            to: form::day("last day", &self.to)?,
            purpose: self
                .purpose
                .parse()
                .map_err(|_| Failure::input("what for: choose a purpose"))?,
            label: self.label.clone(),
            places: places(&self.places)?,
            areas: filled(&self.area).into_iter().collect(),
            list: filled(&self.list),
            volume: filled(&self.volume).map(number).transpose()?,
            contact: self.contact.clone(),
            replaces: None,
        })
    }
}

/// Places as people type them: one per line. What looks like a postal code of the United States is
/// one; other words name an area.
fn places(text: &str) -> Result<Vec<Place>, Failure> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let read = |line: &str| -> Result<Place, Failure> {
        let place = if line.contains(':') {
            line.parse()
        } else if line.len() == 5 && line.bytes().all(|byte| byte.is_ascii_digit()) {
            Place::postal("us", line)
        } else {
            Place::area(line)
        };
        place.map_err(|error| Failure::input(format!("\"{line}\": {error}")))
    };
    lines.map(read).collect()
}

impl Plans {
    fn channels(&self) -> [(&'static str, &'static str); 4] {
        Channel::ALL.map(|channel| (channel.name(), words::channel(channel)))
    }

    fn purposes(&self) -> Vec<(String, String)> {
        let word = |purpose: &Purpose| purpose.to_string();
        Purpose::ALL
            .iter()
            .map(|purpose| (word(purpose), word(purpose).replace('_', " ")))
            .collect()
    }

    fn calendar_width(&self) -> i64 {
        WEEKS * 7 * DAY_WIDTH
    }

    async fn look(&self, app: &App) -> Result<Looked, Failure> {
        let draft = draft::work_out(app, self.ask.intention()?).await?;
        let calendar = &self.frame.calendar;
        let met = |meeting: Meeting| Met {
            organization: meeting.organization,
            label: meeting.label,
            from: calendar.day(Moment(meeting.from)),
            last: calendar.day(Moment(meeting.to - 1)),
            contact: meeting.contact,
            own_points: meeting.own_points.map(words::natural),
        };
        Ok(Looked {
            volume: words::natural(draft.entry.volume),
            places: named(&draft.entry.places),
            left_out: draft.left_out,
            withheld: draft.withheld,
            meets: draft.meets.into_iter().map(met).collect(),
        })
    }

    fn fill(&mut self, plans: Vec<Shown>) {
        let calendar = &self.frame.calendar;
        let today = calendar.now().0;
        self.weeks = (0..WEEKS).map(|week| week * 7 * DAY_WIDTH).collect();
        let row = |plan: Shown| Row {
            id: plan.plan.to_string(),
            mine: plan.mine,
            channel: words::channel(plan.channel),
            purpose: plan.purpose.replace('_', " "),
            from: calendar.day(Moment(plan.from)),
            last: calendar.day(Moment(plan.to - 1)),
            volume: words::natural(plan.volume),
            places: named(&plan.places),
            meets: plan.meets.len(),
            bar: bar(today, plan.from, plan.to),
            organization: plan.organization,
            label: plan.label,
            contact: plan.contact,
        };
        self.plans = plans.into_iter().map(row).collect();
    }
}

/// Where a window lies in the calendar, if any of it does.
fn bar(today: i64, from: i64, to: i64) -> Option<(i64, i64)> {
    let at = |moment: i64| (moment - today) * DAY_WIDTH / DAY;
    let (begin, end) = (at(from).max(0), at(to).min(WEEKS * 7 * DAY_WIDTH));
    (begin < end).then_some((begin, end - begin))
}

/// The first places by name, and how many more; cells have no name, the drawing shows them.
fn named(places: &[Place]) -> String {
    const SHOWN: usize = 4;
    let name = |place: &Place| match place {
        Place::Cell(_) => None,
        Place::Postal(code) => Some(code.split_once(' ').map_or_else(
            || code.clone(),
            |(country, code)| format!("{code} ({country})"),
        )),
        Place::Area(name) => Some(name.clone()),
    };
    let all: Vec<String> = places.iter().filter_map(name).collect();
    let cells = places.len() - all.len();
    let mut names: Vec<String> = all.iter().take(SHOWN).cloned().collect();
    if all.len() > SHOWN {
        names.push(format!("{} more", all.len() - SHOWN));
    }
    if cells > 0 {
        names.push(format!("{cells} cells of the map"));
    }
    names.join(", ")
}
