//! The agreement's cap on contacts with one person, by everybody and on every channel.
//!
//! The agreement of these tests allows three contacts in 14 days, and counts contacts alone.

use super::world::{World, token};
use protocol::{
    channel::Channel,
    entry::{
        contact_report::ContactReport,
        payload::{ContactEffect, ContactRow, Payload, write_rows},
    },
    fold::{
        Outcome,
        claim::{Decision, Refusal},
    },
    state::State,
    time::{DAY, HOUR, Moment},
};

const WINDOW: i64 = 14 * DAY;

fn meets(world: &mut World, who: usize, channel: Channel, n: u8, at: Moment) {
    tells(world, who, channel, n, at, ContactEffect::Contact);
}

fn tells(
    world: &mut World,
    who: usize,
    channel: Channel,
    n: u8,
    at: Moment,
    effect: ContactEffect,
) {
    let row = ContactRow {
        token: token(n),
        at,
        effect,
    };
    let report = ContactReport {
        channel,
        rows: Payload::Inline(write_rows([row])),
        claim: None,
        generation: 1,
    };
    world.done(who, report);
}

fn asks(world: &mut World, who: usize, channel: Channel, hours: i64, n: u8) -> Option<Refusal> {
    let claim = world.claim(channel, hours, 24, &[n]);
    match world.say(who, claim).1 {
        Ok(Outcome::Claim(Decision { refused, .. })) => refused.first().map(|(_, why)| *why),
        other => panic!("{other:?}"),
    }
}

/// When these points have room again, asked about now.
fn capped(world: &World, points: &[u8]) -> Option<Moment> {
    let state: &State = &world.state;
    let points: Vec<_> = points.iter().map(|n| token(*n)).collect();
    state.capped(state.rules().unwrap().1, &points, world.now)
}

#[test]
fn the_third_contact_by_anybody_on_any_channel_closes_a_point_until_the_first_is_old() {
    let mut world = World::agreed(4, 0);
    let now = world.now;
    meets(&mut world, 1, Channel::Phone, 1, now.plus(-12 * DAY));
    meets(&mut world, 2, Channel::Text, 1, now.plus(-9 * DAY));
    assert_eq!(asks(&mut world, 3, Channel::Phone, 0, 1), None);
    world.wait(25 * HOUR);
    meets(&mut world, 3, Channel::Phone, 1, now.plus(-8 * DAY));
    let until = now.plus(-12 * DAY).plus(WINDOW);
    let refused = Some(Refusal::Capped { until });
    // Texting and calling reach one number, and own contacts count like all others.
    for who in [0, 3] {
        assert_eq!(asks(&mut world, who, Channel::Phone, 0, 1), refused);
    }
}

#[test]
fn a_claim_may_begin_once_there_is_room_again() {
    let mut world = World::agreed(3, 0);
    let now = world.now;
    for days in [13, 12, 11] {
        meets(&mut world, 1, Channel::Door, 1, now.plus(-days * DAY));
    }
    assert!(matches!(
        asks(&mut world, 1, Channel::Door, 23, 1),
        Some(Refusal::Capped { .. })
    ));
    assert_eq!(asks(&mut world, 1, Channel::Door, 24, 1), None);
}

#[test]
fn people_met_on_one_visit_are_one_contact() {
    let mut world = World::agreed(2, 0);
    let now = world.now;
    for minutes in [0, 2, 4, 59] {
        meets(&mut world, 1, Channel::Door, 1, now.plus(minutes * 60_000));
    }
    assert_eq!(capped(&world, &[1]), None);
    meets(&mut world, 1, Channel::Door, 1, now.plus(HOUR));
    assert_eq!(capped(&world, &[1]), None, "two visits");
    // An ally at the same moment is another contact.
    meets(&mut world, 0, Channel::Door, 1, now);
    assert_eq!(capped(&world, &[1]), Some(now.plus(WINDOW)));
}

#[test]
fn attempts_that_reached_nobody_do_not_count_under_this_agreement() {
    let mut world = World::agreed(2, 0);
    let now = world.now;
    for days in 1..8 {
        let at = now.plus(-days * DAY);
        tells(&mut world, 1, Channel::Door, 1, at, ContactEffect::Attempt);
    }
    assert_eq!(asks(&mut world, 0, Channel::Door, 0, 1), None);
}

#[test]
fn the_points_of_one_person_are_counted_together() {
    let mut world = World::agreed(3, 0);
    let now = world.now;
    meets(&mut world, 0, Channel::Door, 1, now.plus(-3 * DAY));
    meets(&mut world, 1, Channel::Phone, 2, now.plus(-2 * DAY));
    meets(&mut world, 2, Channel::Email, 3, now.plus(-DAY));
    for point in [1, 2, 3] {
        assert_eq!(capped(&world, &[point]), None);
    }
    assert_eq!(capped(&world, &[1, 2, 2, 1]), None, "a point counts once");
    let until = Some(now.plus(-3 * DAY).plus(WINDOW));
    assert_eq!(capped(&world, &[1, 2, 3]), until);
}

#[test]
fn a_held_or_suppressed_point_says_so_first_and_a_distant_contact_does_not_count() {
    let mut world = World::agreed(3, 0);
    let now = world.now;
    for days in [14, 13, 12] {
        meets(&mut world, 1, Channel::Door, 1, now.plus(-days * DAY));
    }
    assert_eq!(capped(&world, &[1]), None, "the window is over at its end");
    meets(&mut world, 1, Channel::Door, 1, now.plus(-11 * DAY));
    assert_eq!(asks(&mut world, 1, Channel::Door, 48, 1), None);
    assert!(matches!(
        asks(&mut world, 2, Channel::Door, 49, 1),
        Some(Refusal::Held { .. })
    ));
}
