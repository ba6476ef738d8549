//! Claims: who contacts whom, when; what is free for a list, a channel and some days.

use super::{
    Page, PageError,
    cut::Cut,
    done::Done,
    form,
    frame::{self, Frame, Section},
    render,
    stretch::Stretch,
    when::When,
    words,
};
use crate::{
    api,
    app::App,
    claims::{
        change, check,
        check::Standing,
        ground, show,
        take::{self, Answer, From, Question},
    },
    coalition::members,
    http::problem::Failure,
    store,
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
use std::collections::BTreeMap;

/// The most claims or contact points that one table shows.
const ROWS: usize = 100;

/// What the page shows.
#[derive(Debug, Template)]
#[template(path = "claims.html")]
pub struct Claims {
    frame: Frame,
    /// Why nothing can be claimed now.
    blocked: Option<String>,
    lists: Vec<String>,
    areas: Vec<String>,
    ask: Ask,
    /// Why the question has no answer.
    refused: Option<String>,
    looked: Option<Looked>,
    own: Cut<Own>,
    others: Cut<Other>,
    import: String,
}

/// A list, a channel and some days.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Ask {
    #[serde(default)]
    list: String,
    #[serde(default)]
    area: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

/// How everything stands.
#[derive(Debug)]
struct Looked {
    label: String,
    channel: String,
    points: &'static str,
    free: u64,
    free_words: String,
    total: String,
    stretches: Vec<Stretch>,
    allies: Vec<Because>,
    without_point: String,
    /// How many people the cap on contacts leaves out, and until when the last of them.
    capped: Option<(String, When)>,
    rows: Cut<Point>,
}

/// How many contact points an ally holds or was at.
#[derive(Debug)]
struct Because {
    organization: String,
    counts: Vec<String>,
}

/// One contact point.
#[derive(Debug)]
struct Point {
    display: String,
    standing: &'static str,
    by: Option<String>,
    until: Option<When>,
}

/// An own claim.
#[derive(Debug)]
struct Own {
    id: String,
    label: String,
    channel: &'static str,
    state: &'static str,
    in_force: bool,
    from: When,
    last: When,
    ends: Option<String>,
    asked: String,
    granted: String,
    holds: String,
    note: Option<String>,
}

/// A claim of an ally: never its contact points.
#[derive(Debug)]
struct Other {
    organization: String,
    channel: &'static str,
    from: When,
    last: When,
    holds: String,
}

/// Shows the page, and the answer to a question where its address holds one.
pub async fn show(State(app): State<App>, uri: Uri, Query(ask): Query<Ask>) -> Page {
    let frame = Frame::read(&app, Section::Claims, &uri).await;
    let mut db = app.store.read("naming the lists").await?;
    let lists = store::list::all(&mut db).await?;
    let areas = store::turf::areas(&mut db).await?;
    drop(db);
    let mut page = Claims {
        blocked: ground(&app).await.err().map(|failure| words::why(&failure)),
        lists: lists.into_iter().map(|list| list.name).collect(),
        areas: areas.into_iter().map(|area| area.name).collect(),
        refused: None,
        looked: None,
        own: Cut::first([], ROWS),
        others: Cut::first([], ROWS),
        import: frame::command(&app, "import FILE --list \"Name of the list\""),
        ask: ask.filled(&frame),
        frame,
    };
    if page.frame.is_active() || page.frame.is_paused() {
        page.fill(show::list(&app, true).await?);
    }
    if page.blocked.is_none() && !page.ask.list.is_empty() {
        match page.look(&app).await {
            Ok(looked) => page.looked = Some(looked),
            Err(failure) => page.refused = Some(words::why(&failure)),
        }
    }
    render(&page)
}

/// Takes what is free.
pub async fn take(State(app): State<App>, Form(ask): Form<Ask>) -> Result<Redirect, PageError> {
    let (_, entry) = take::take(&app, ask.question()?).await?;
    Ok(done(&app, entry, Done::Claimed, Done::ClaimWaits).await?)
}

/// Gives a claim back.
pub async fn release(
    State(app): State<App>,
    Path(claim): Path<String>,
) -> Result<Redirect, PageError> {
    let (_, entry, _) = change::release(&app, &claim, change::Part::Whole).await?;
    Ok(done(&app, entry, Done::Released, Done::ReleaseWaits).await?)
}

/// Keeps a claim alive.
pub async fn renew(
    State(app): State<App>,
    Path(claim): Path<String>,
) -> Result<Redirect, PageError> {
    let (_, entry) = change::renew(&app, &claim).await?;
    Ok(done(&app, entry, Done::Renewed, Done::RenewalWaits).await?)
}

async fn done(
    app: &App,
    entry: protocol::id::EntryId,
    done: Done,
    waits: Done,
) -> Result<Redirect, Failure> {
    let said = api::said(app, entry).await?;
    let done = if said.state == "done" { done } else { waits };
    Ok(done.at("/claims"))
}

impl Ask {
    /// The same with a week of doors from tomorrow on where nothing was chosen.
    fn filled(mut self, frame: &Frame) -> Self {
        form::fill([
            (&mut self.channel, Channel::Door.name().to_owned()),
            (&mut self.from, form::in_days(frame, 1)),
            (&mut self.to, form::in_days(frame, 7)),
        ]);
        self
    }

    fn question(&self) -> Result<Question, Failure> {
        Ok(Question {
            from: if self.area.is_empty() {
                From::List(self.list.clone())
            } else {
                From::In(self.area.clone(), Box::new(From::List(self.list.clone())))
            },
            channel: form::channel(&self.channel)?,
            first: form::day("first day", &self.from)?,
            last: form::day("last day", &self.to)?,
            portion: None,
        })
    }
}

impl Claims {
    /// The channels to choose from, with their words.
    fn channels(&self) -> [(&'static str, &'static str); 4] {
        Channel::ALL.map(|channel| (channel.name(), words::channel(channel)))
    }

    async fn look(&self, app: &App) -> Result<Looked, Failure> {
        let question = self.ask.question()?;
        let channel = question.channel;
        let answer = take::look(app, question).await?;
        let coalition = crate::coalition::active(app).await?;
        let name = |by| members::name(&coalition.state, by);
        Ok(Looked::new(&self.frame, channel, &answer, name, app.me))
    }

    fn fill(&mut self, claims: Vec<show::Summary>) {
        let (own, others): (Vec<_>, Vec<_>) = claims.into_iter().partition(|claim| claim.mine);
        let calendar = &self.frame.calendar;
        let last = |to: i64| calendar.day(Moment(to - 1));
        self.own = Cut::first(
            own.into_iter().map(|claim| Own {
                id: claim.claim.to_string(),
                channel: words::channel(claim.channel),
                state: claim.state,
                in_force: claim.state == "granted" && claim.ends.is_some(),
                from: calendar.day(Moment(claim.from)),
                last: last(claim.to),
                ends: claim.ends.map(|ends| calendar.distance(Moment(ends))),
                asked: words::natural(claim.asked),
                granted: words::natural(claim.granted),
                holds: words::natural(claim.holds),
                label: claim.label,
                note: claim.note,
            }),
            ROWS,
        );
        self.others = Cut::first(
            others.into_iter().map(|claim| Other {
                organization: claim.organization,
                channel: words::channel(claim.channel),
                from: calendar.day(Moment(claim.from)),
                last: last(claim.to),
                holds: words::natural(claim.holds),
            }),
            ROWS,
        );
    }
}

impl Looked {
    fn new(
        frame: &Frame,
        channel: Channel,
        answer: &Answer,
        name: impl Fn(protocol::id::NodeId) -> String,
        me: protocol::id::NodeId,
    ) -> Self {
        let counts = check::counts(&answer.checked);
        let free = counts.get(&Standing::Free).copied().unwrap_or_default();
        let mut allies: BTreeMap<String, BTreeMap<Standing, u64>> = BTreeMap::new();
        for point in &answer.checked {
            if let Some(by) = point.by.filter(|by| *by != me) {
                *allies
                    .entry(name(by))
                    .or_default()
                    .entry(point.standing)
                    .or_default() += 1;
            }
        }
        let waiting = check::waiting(&answer.checked);
        let until = waiting.until.map(|until| frame.calendar.day(Moment(until)));
        let taken = answer
            .checked
            .iter()
            .filter(|point| point.standing != Standing::Free);
        Self {
            label: answer.universe.label.clone(),
            channel: words::channel(channel).to_lowercase(),
            points: words::points(channel),
            free,
            free_words: words::natural(free),
            total: words::natural(counts.values().sum()),
            stretches: Stretch::of(&counts),
            allies: allies
                .into_iter()
                .map(|(organization, counts)| Because {
                    organization,
                    counts: counts
                        .into_iter()
                        .map(|(standing, count)| {
                            format!(
                                "{} {}",
                                words::natural(count),
                                words::standing_by_ally(standing)
                            )
                        })
                        .collect(),
                })
                .collect(),
            without_point: words::natural(answer.universe.without_point),
            capped: until.map(|until| (words::natural(waiting.people), until)),
            rows: Cut::first(
                taken.map(|point| Point {
                    display: point.display.clone(),
                    standing: words::standing(point.standing),
                    by: point
                        .by
                        .map(|by| if by == me { "you".to_owned() } else { name(by) }),
                    until: point.until.map(|until| frame.calendar.day(until)),
                }),
                ROWS,
            ),
        }
    }
}

#[cfg(test)]
impl Claims {
    /// The page with one text in every place that others can fill.
    pub(super) fn sample(text: &str) -> Self {
        let frame = Frame::sample(Section::Claims, text);
        let day = frame.calendar.day(Moment(1_795_604_160_000));
        let text = || text.to_owned();
        Self {
            blocked: None,
            lists: vec![text()],
            areas: vec![text()],
            ask: Ask {
                list: text(),
                area: text(),
                channel: text(),
                from: text(),
                to: text(),
            },
            refused: Some(text()),
            looked: Some(Looked {
                label: text(),
                channel: text(),
                points: "doors",
                free: 7,
                free_words: text(),
                total: text(),
                stretches: Stretch::of(&BTreeMap::from([(Standing::Free, 7), (Standing::Held, 3)])),
                allies: vec![Because {
                    organization: text(),
                    counts: vec![text()],
                }],
                without_point: text(),
                capped: Some((text(), day.clone())),
                rows: Cut {
                    rows: vec![Point {
                        display: text(),
                        standing: "held",
                        by: Some(text()),
                        until: Some(day.clone()),
                    }],
                    more: 3,
                },
            }),
            own: Cut {
                rows: vec![Own {
                    id: text(),
                    label: text(),
                    channel: "Doors",
                    state: "granted",
                    in_force: true,
                    from: day.clone(),
                    last: day.clone(),
                    ends: Some(text()),
                    asked: text(),
                    granted: text(),
                    holds: text(),
                    note: Some(text()),
                }],
                more: 1,
            },
            others: Cut {
                rows: vec![Other {
                    organization: text(),
                    channel: "Doors",
                    from: day.clone(),
                    last: day,
                    holds: text(),
                }],
                more: 0,
            },
            import: text(),
            frame,
        }
    }
}
