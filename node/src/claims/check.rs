//! What a claim would bring now: each contact point's standing, by the same rule as the fold's.

use super::{Ground, universe::Universe, window::Window};
use crate::store::{reach::Point, suppression::Marks};
use protocol::{
    channel::Channel,
    fold::claim::{Asked, Refusal, standing},
    id::NodeId,
    state::State,
    time::Moment,
    token::Token,
};
use std::collections::BTreeMap;

/// How a contact point stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nobody holds it.
    Free,
    /// An ally holds it.
    Held,
    /// An ally was there within the recontact window.
    Recent,
    /// It, or everybody there, was contacted as often lately as the agreement allows.
    Capped,
    /// It, or everybody there, must not be contacted on this channel.
    Suppressed,
    /// It has no match token yet, so that nobody can tell.
    NoToken,
    /// This organization holds it already.
    Mine,
}

/// One contact point.
#[derive(Debug, Clone)]
pub struct Checked {
    /// As people read it.
    pub display: String,
    /// Its token.
    pub token: Option<Token>,
    /// Its token of the generation that closes, if one does.
    pub before: Option<Token>,
    /// How it stands.
    pub standing: Standing,
    /// Who holds it, was there, or says so.
    pub by: Option<NodeId>,
    /// Until when.
    pub until: Option<Moment>,
    /// How many of the organization's own people may be contacted there.
    pub people: usize,
    /// Who of them must wait, and until when: contacted as often lately as the agreement allows.
    pub capped: Vec<(String, Moment)>,
    /// Left out before anything is said: own suppressions, no token, own claims, everybody must wait.
    pub left_out: bool,
}

/// Judges every point of a universe, in its order.
#[must_use]
pub fn check(
    state: &State,
    me: NodeId,
    ground: &Ground,
    channel: Channel,
    window: Window,
    universe: &Universe,
    marks: &Marks,
) -> Vec<Checked> {
    let targets = universe.targets.iter();
    let asked: Vec<Asked> = targets
        .filter_map(|target| asked(&target.point, ground))
        .collect();
    let answers = standing(
        state,
        &ground.rules,
        me,
        channel,
        (window.from, window.to),
        &asked,
    );
    let asked = asked.into_iter().map(|asked| asked.token);
    let answers: BTreeMap<Token, Option<Refusal>> = asked.zip(answers).collect();
    let who = People {
        state,
        ground,
        me,
        channel,
        from: window.from,
        universe,
        marks,
    };
    let one = |target: &super::universe::Target| {
        let met = who.met(&target.point.point_id, &target.people);
        let nobody = met.people == 0 && !target.people.is_empty();
        let own_mark = marks
            .points
            .get(&target.point.point_id)
            .is_some_and(|channels| channels.has(channel));
        let asked = self::asked(&target.point, ground);
        let answer = asked.and_then(|asked| answers.get(&asked.token).copied().flatten());
        let (standing, by, until, left_out) = match (asked, answer) {
            _ if own_mark => (Standing::Suppressed, Some(me), None, true),
            _ if nobody && !met.capped.is_empty() => {
                (Standing::Capped, None, met.room_from(), true)
            }
            _ if nobody => (Standing::Suppressed, met.closed_by, None, true),
            (None, _) => (Standing::NoToken, None, None, true),
            (Some(_), None) => (Standing::Free, None, None, false),
            (_, Some(Refusal::Held { by, until, .. })) if by == me => {
                (Standing::Mine, Some(by), Some(until), true)
            }
            (_, Some(Refusal::Held { by, until, .. })) => {
                (Standing::Held, Some(by), Some(until), false)
            }
            (_, Some(Refusal::Recent { by, until, .. })) => {
                (Standing::Recent, Some(by), Some(until), false)
            }
            (_, Some(Refusal::Capped { until })) => (Standing::Capped, None, Some(until), false),
            (_, Some(Refusal::Suppressed { by })) => (Standing::Suppressed, Some(by), None, false),
        };
        Checked {
            display: target.point.display.clone(),
            token: asked.map(|asked| asked.token),
            before: asked.and_then(|asked| asked.before),
            standing,
            by,
            until,
            people: met.people,
            capped: met.capped,
            left_out,
        }
    };
    universe.targets.iter().map(one).collect()
}

/// What a claim would ask for; nothing while a token is missing, and so is nobody's to judge.
fn asked(point: &Point, ground: &Ground) -> Option<Asked> {
    let token = point.token?;
    if !ground.closing {
        return Some(Asked::from(token));
    }
    let before = Some(point.before?);
    Some(Asked { token, before })
}

/// Whom the organization may contact.
struct People<'a> {
    state: &'a State,
    ground: &'a Ground,
    me: NodeId,
    channel: Channel,
    from: Moment,
    universe: &'a Universe,
    marks: &'a Marks,
}

/// Who may be met at a point.
#[derive(Default)]
struct Met {
    /// How many may be contacted.
    people: usize,
    /// Who says no about one of the others.
    closed_by: Option<NodeId>,
    /// Who must wait, and until when.
    capped: Vec<(String, Moment)>,
}

impl Met {
    /// When the first who waits need not wait any more.
    fn room_from(&self) -> Option<Moment> {
        self.capped.iter().map(|(_, until)| *until).min()
    }
}

impl People<'_> {
    fn met(&self, point_id: &str, people: &[String]) -> Met {
        let mut met = Met::default();
        for person in people {
            if let Some(by) = self.closed(point_id, person) {
                met.closed_by = met.closed_by.or(Some(by));
            } else if let Some(until) = self.capped(person) {
                met.capped.push((person.clone(), until));
            } else {
                met.people += 1;
            }
        }
        met
    }

    /// Until when a person must be left alone: all contact points together have reached the cap.
    fn capped(&self, person: &str) -> Option<Moment> {
        let points = &self.universe.known.get(person)?.points;
        self.state.capped(&self.ground.rules, points, self.from)
    }

    /// Who says that a person must not be contacted here on this channel.
    fn closed(&self, point_id: &str, person: &str) -> Option<NodeId> {
        let own = self
            .marks
            .persons
            .get(person)
            .is_some_and(|channels| channels.has(self.channel));
        let moved = self
            .marks
            .moved
            .contains(&(person.to_owned(), point_id.to_owned()));
        if own || moved {
            return Some(self.me);
        }
        let known = self.universe.known.get(person)?;
        let mut keys = known.keys.iter();
        keys.find_map(|key| self.state.suppressed(*key, self.channel))
    }
}

/// How many points stand how.
#[must_use]
pub fn counts(checked: &[Checked]) -> BTreeMap<Standing, u64> {
    let all = [
        Standing::Free,
        Standing::Held,
        Standing::Recent,
        Standing::Capped,
        Standing::Suppressed,
        Standing::NoToken,
        Standing::Mine,
    ];
    let mut counts: BTreeMap<Standing, u64> =
        all.into_iter().map(|standing| (standing, 0)).collect();
    for point in checked {
        *counts.entry(point.standing).or_default() += 1;
    }
    counts
}

/// Whom the agreement's cap on contacts leaves out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Waiting {
    /// How many people.
    pub people: u64,
    /// When the last of them need not wait any more, in milliseconds since 1970.
    pub until: Option<i64>,
}

impl Waiting {
    /// Counts people, each once.
    #[must_use]
    pub fn of<'a>(people: impl IntoIterator<Item = &'a (String, Moment)>) -> Self {
        let each: BTreeMap<&str, Moment> = people
            .into_iter()
            .map(|(person, until)| (person.as_str(), *until))
            .collect();
        Self {
            people: each.len() as u64,
            until: each.values().max().map(|until| until.0),
        }
    }
}

/// Whom the cap leaves out of what was checked.
#[must_use]
pub fn waiting(checked: &[Checked]) -> Waiting {
    Waiting::of(checked.iter().flat_map(|point| &point.capped))
}
