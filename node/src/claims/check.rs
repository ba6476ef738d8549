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
    /// Left out before anything is said: own suppressions, no token, own claims.
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
        me,
        channel,
        universe,
        marks,
    };
    let one = |target: &super::universe::Target| {
        let (people, by) = who.contactable(&target.point.point_id, &target.people);
        let nobody = people == 0 && !target.people.is_empty();
        let own_mark = marks
            .points
            .get(&target.point.point_id)
            .is_some_and(|channels| channels.has(channel));
        let asked = self::asked(&target.point, ground);
        let answer = asked.and_then(|asked| answers.get(&asked.token).copied().flatten());
        let (standing, by, until, left_out) = match (asked, answer) {
            _ if own_mark => (Standing::Suppressed, Some(me), None, true),
            _ if nobody => (Standing::Suppressed, by, None, true),
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
            (_, Some(Refusal::Suppressed { by })) => (Standing::Suppressed, Some(by), None, false),
        };
        Checked {
            display: target.point.display.clone(),
            token: asked.map(|asked| asked.token),
            before: asked.and_then(|asked| asked.before),
            standing,
            by,
            until,
            people,
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
    me: NodeId,
    channel: Channel,
    universe: &'a Universe,
    marks: &'a Marks,
}

impl People<'_> {
    /// How many of the people at a point may be contacted, and who says no about another.
    fn contactable(&self, point_id: &str, people: &[String]) -> (usize, Option<NodeId>) {
        let mut by = None;
        let mut count = 0;
        for person in people {
            match self.closed(point_id, person) {
                None => count += 1,
                closed => by = by.or(closed),
            }
        }
        (count, by)
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
        let keys = self.universe.keys.get(person)?;
        keys.iter()
            .find_map(|key| self.state.suppressed(*key, self.channel))
    }
}

/// How many points stand how.
#[must_use]
pub fn counts(checked: &[Checked]) -> BTreeMap<Standing, u64> {
    let all = [
        Standing::Free,
        Standing::Held,
        Standing::Recent,
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
