//! Uses of shared rows: announced before, and no more than the agreement allows.
//!
//! The agreement of these tests allows one use of a share in a year, a day after its notice.

use super::world::World;
use protocol::{
    entry::use_notice::UseNotice,
    fold::Void,
    id::EntryId,
    state::uses::{USE_LASTS, USE_PERIOD},
    time::{DAY, Moment},
};

fn shared() -> (World, EntryId) {
    let mut world = World::agreed(3, 0);
    let share = world.done(1, world.share(2, 10));
    (world, share)
}

fn uses(share: EntryId, from: Moment) -> UseNotice {
    UseNotice { share, from }
}

#[test]
fn a_use_begins_after_the_agreements_notice_and_lasts_a_week() {
    let (mut world, share) = shared();
    let now = world.now;
    world.done(2, uses(share, Moment(0)));
    let begins = now.plus(DAY);
    for (at, goes_on) in [
        (now, false),
        (begins.plus(-1), false),
        (begins, true),
        (begins.plus(USE_LASTS - 1), true),
        (begins.plus(USE_LASTS), false),
    ] {
        assert_eq!(world.state.use_at(share, at).is_some(), goes_on, "{at:?}");
    }
}

#[test]
fn a_use_that_is_announced_for_later_begins_then() {
    let (mut world, share) = shared();
    let begins = world.now.plus(30 * DAY);
    world.done(2, uses(share, begins));
    assert!(world.state.use_at(share, begins.plus(-1)).is_none());
    assert!(world.state.use_at(share, begins).is_some());
}

#[test]
fn a_share_is_used_as_often_as_the_agreement_allows_and_again_after_a_year() {
    let (mut world, share) = shared();
    world.done(2, uses(share, world.now));
    let begins = world.now.plus(DAY);
    let full = Void::Bounds("the rows of the share were used as often as the agreement allows");
    assert_eq!(world.void(2, uses(share, world.now)), full);
    assert_eq!(world.void(2, uses(share, world.now.plus(80 * DAY))), full);
    {
        let rules = world.state.rules().unwrap().1;
        let room = Some(begins.plus(USE_PERIOD));
        assert_eq!(world.state.room_for_use(rules, share), room);
        assert_eq!(world.state.uses_left(rules, share, begins), 0);
    }
    // Another share has uses of its own.
    let other = world.done(0, world.share(2, 4));
    world.done(2, uses(other, world.now));
    // Announced within the year, for the day after it.
    world.wait(300 * DAY);
    assert_eq!(world.void(2, uses(share, world.now.plus(64 * DAY))), full);
    world.done(2, uses(share, begins.plus(USE_PERIOD)));
    assert_eq!(world.state.uses_of(share).count(), 2);
    assert_eq!(world.state.uses_of(other).count(), 1);
}

#[test]
fn uses_that_no_period_holds_any_more_are_forgotten() {
    let (mut world, share) = shared();
    world.done(2, uses(share, world.now));
    world.wait(USE_PERIOD + 2 * DAY);
    world.done(2, uses(share, world.now));
    assert_eq!(world.state.uses_of(share).count(), 1);
}

#[test]
fn nobody_announces_the_use_of_what_is_anothers_unknown_over_or_far_away() {
    let (mut world, share) = shared();
    let now = world.now;
    for who in [0, 1] {
        let void = world.void(who, uses(share, now));
        assert_eq!(void, Void::NotAllowed("only the recipient uses a share"));
    }
    let unknown = world.void(2, uses(EntryId([9; 16]), now));
    assert_eq!(unknown, Void::Unknown("the share"));
    let far = world.void(2, uses(share, now.plus(90 * DAY + 1)));
    assert_eq!(far, Void::Bounds("a use begins within the next 90 days"));
    let far = world.void(2, uses(share, Moment(i64::MAX)));
    assert!(matches!(far, Void::Bounds(_)));
    let mut short = world.share(2, 10);
    short.expires = Some(now.plus(DAY));
    let short = world.done(1, short);
    // A day's notice ends when the share does.
    assert_eq!(world.void(2, uses(short, now)), Void::TooLate);
}
