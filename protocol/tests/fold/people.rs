//! Contact reports of any age, and suppressions that each organization asserts for itself.

use super::world::{World, token};
use protocol::{
    channel::Channel,
    entry::{
        contact_report::ContactReport,
        payload::{Channels, ContactEffect, ContactRow, Payload, SuppressionRow, write_rows},
        suppression::{Suppress, SuppressWithdraw},
    },
    fold::Void,
    state::{cap::MOMENTS_KEPT, rows::ContactTimes},
    time::{DAY, HOUR, Moment},
};

fn report(rows: &[(u8, Moment, ContactEffect)]) -> ContactReport {
    let rows = rows.iter().map(|(n, at, effect)| ContactRow {
        token: token(*n),
        at: *at,
        effect: *effect,
    });
    ContactReport {
        generation: 1,
        channel: Channel::Door,
        rows: Payload::Inline(write_rows(rows)),
        claim: None,
    }
}

fn rows(n: u8, channels: u8, deceased: bool) -> Payload {
    Payload::Inline(write_rows([SuppressionRow {
        token: token(n),
        channels: Channels(channels),
        deceased,
    }]))
}

fn times(world: &World, n: u8) -> Vec<ContactTimes> {
    world
        .state
        .contacts_at(Channel::Door, token(n))
        .map(|(_, times)| times.clone())
        .collect()
}

#[test]
fn reports_of_any_age_and_in_any_order_leave_the_latest_year_of_each_kind() {
    let mut world = World::agreed(2, 0);
    let now = world.now;
    let old = Moment(0);
    for rows in [
        [(1, now.plus(-DAY), ContactEffect::Contact)],
        [(1, now, ContactEffect::Attempt)],
        [(1, old, ContactEffect::Contact)],
        [(1, Moment(i64::MIN), ContactEffect::Attempt)],
        [(1, now.plus(-DAY), ContactEffect::Contact)],
    ] {
        world.done(1, report(&rows));
    }
    let latest = ContactTimes {
        attempts: vec![now.plus(-DAY), now],
        contacts: vec![now.plus(-DAY)],
        generation: 1,
    };
    assert_eq!(times(&world, 1), [latest]);
}

#[test]
fn of_old_contacts_the_latest_alone_is_kept_and_of_many_the_latest_hundred() {
    let mut world = World::agreed(2, 0);
    let now = world.now;
    for n in [500, 400, 450] {
        let old = now.plus(-n * DAY);
        world.done(1, report(&[(1, old, ContactEffect::Contact)]));
    }
    let kept = times(&world, 1);
    assert_eq!(kept[0].contacts, [now.plus(-400 * DAY)]);
    for n in (0..150).rev() {
        let at = now.plus(-n * HOUR);
        world.done(1, report(&[(2, at, ContactEffect::Attempt)]));
    }
    let kept = times(&world, 2);
    assert_eq!(kept[0].attempts.len(), MOMENTS_KEPT);
    assert_eq!(kept[0].attempts.first(), Some(&now.plus(-99 * HOUR)));
    assert!(kept[0].contacts.is_empty());
}

#[test]
fn each_organization_reports_for_itself_and_per_channel() {
    let mut world = World::agreed(3, 0);
    let now = world.now;
    world.done(1, report(&[(1, now, ContactEffect::Contact)]));
    world.done(2, report(&[(1, now.plus(-DAY), ContactEffect::Attempt)]));
    assert_eq!(times(&world, 1).len(), 2);
    assert_eq!(world.state.contacts_at(Channel::Phone, token(1)).count(), 0);
    assert_eq!(world.state.contacts_at(Channel::Door, token(2)).count(), 0);
}

#[test]
fn a_report_from_the_future_of_nobody_or_by_no_party_is_void() {
    let mut world = World::agreed(3, 1);
    let now = world.now;
    world.done(1, report(&[(1, now.plus(2 * DAY), ContactEffect::Contact)]));
    let future = report(&[(1, now.plus(2 * DAY + 1), ContactEffect::Contact)]);
    assert_eq!(
        world.void(1, future),
        Void::Bounds("a contact lies in the future")
    );
    let far = report(&[
        (1, now, ContactEffect::Contact),
        (2, Moment(i64::MAX), ContactEffect::Attempt),
    ]);
    assert!(matches!(world.void(1, far), Void::Bounds(_)));
    assert!(matches!(world.void(1, report(&[])), Void::Rows(_)));
    let mut cut = report(&[(1, now, ContactEffect::Contact)]);
    cut.rows = Payload::Inline(vec![1; 24]);
    assert!(matches!(world.void(1, cut), Void::Rows(_)));
    world.comes_in(2);
    let by_no_party = report(&[(1, now, ContactEffect::Contact)]);
    assert!(matches!(world.void(2, by_no_party), Void::NotAllowed(_)));
    let mut none = World::joined(2, 0);
    assert_eq!(
        none.void(1, report(&[(1, now, ContactEffect::Contact)])),
        Void::Agreement
    );
}

#[test]
fn a_suppression_needs_no_agreement_and_covers_its_channels_alone() {
    let mut world = World::joined(2, 0);
    world.done(
        1,
        Suppress {
            generation: 1,
            rows: rows(1, 0b0010, false),
        },
    );
    assert_eq!(
        world.state.suppressed(token(1), Channel::Phone),
        Some(world.id(1))
    );
    for channel in [Channel::Door, Channel::Text, Channel::Email] {
        assert_eq!(world.state.suppressed(token(1), channel), None);
    }
    world.done(
        1,
        Suppress {
            generation: 1,
            rows: rows(1, 0b0001, false),
        },
    );
    assert_eq!(
        world.state.assertion_of(token(1), world.id(1)),
        Channels(0b0011)
    );
}

#[test]
fn a_member_takes_back_what_it_asserted_and_nothing_of_others() {
    let mut world = World::joined(3, 0);
    world.done(
        1,
        Suppress {
            generation: 1,
            rows: rows(1, 0b1111, false),
        },
    );
    world.done(
        2,
        Suppress {
            generation: 1,
            rows: rows(1, 0b0001, false),
        },
    );
    world.done(
        0,
        SuppressWithdraw {
            generation: 1,
            rows: rows(1, 0b1111, true),
        },
    );
    world.done(
        1,
        SuppressWithdraw {
            generation: 1,
            rows: rows(1, 0b1111, true),
        },
    );
    assert_eq!(
        world.state.suppressed(token(1), Channel::Door),
        Some(world.id(2))
    );
    assert_eq!(world.state.suppressed(token(1), Channel::Phone), None);
    world.done(
        2,
        SuppressWithdraw {
            generation: 1,
            rows: rows(1, 0b0001, false),
        },
    );
    assert!(
        world.state.suppressions.is_empty(),
        "what says nothing is no row"
    );
    // To take back what was never said is no fault: a lost answer may bring it twice.
    world.done(
        2,
        SuppressWithdraw {
            generation: 1,
            rows: rows(5, 0b0001, false),
        },
    );
}

#[test]
fn that_somebody_died_counts_when_two_say_so_and_not_when_one_says_it_twice() {
    let mut world = World::joined(3, 0);
    for _ in 0..2 {
        world.done(
            1,
            Suppress {
                generation: 1,
                rows: rows(1, 0, true),
            },
        );
        assert_eq!(world.state.suppressed(token(1), Channel::Door), None);
    }
    world.done(
        2,
        Suppress {
            generation: 1,
            rows: rows(1, 0, true),
        },
    );
    for channel in Channel::ALL {
        assert!(world.state.suppressed(token(1), channel).is_some());
    }
    world.done(
        1,
        SuppressWithdraw {
            generation: 1,
            rows: rows(1, 0, true),
        },
    );
    assert_eq!(world.state.suppressed(token(1), Channel::Door), None);
}

#[test]
fn since_when_is_kept_while_any_of_it_stands() {
    let mut world = World::joined(2, 0);
    let first = world.now;
    world.done(
        1,
        Suppress {
            generation: 1,
            rows: rows(1, 0b0001, false),
        },
    );
    world.wait(DAY);
    world.done(
        1,
        Suppress {
            generation: 1,
            rows: rows(1, 0b0010, false),
        },
    );
    let key = (token(1), world.id(1));
    assert_eq!(world.state.suppressions.get(&key).unwrap().since, first);
    world.done(
        1,
        SuppressWithdraw {
            generation: 1,
            rows: rows(1, 0b1111, true),
        },
    );
    world.done(
        1,
        Suppress {
            generation: 1,
            rows: rows(1, 0b0001, false),
        },
    );
    assert_eq!(
        world.state.suppressions.get(&key).unwrap().since,
        first.plus(DAY)
    );
}

#[test]
fn malformed_or_missing_assertions_are_void() {
    let mut world = World::joined(2, 0);
    let bytes = |bytes: &[u8]| Payload::Inline(bytes.to_vec());
    let one = [[1_u8; 16].as_slice(), &[1, 0]].concat();
    for bad in [
        Vec::new(),
        one[..17].to_vec(),
        [[1_u8; 16].as_slice(), &[0, 0]].concat(),
        [[1_u8; 16].as_slice(), &[16, 0]].concat(),
        [[1_u8; 16].as_slice(), &[1, 2]].concat(),
        [one.clone(), one.clone()].concat(),
        // A name, an opinion or any other text beside the token has no place.
        [one.as_slice(), b"Ada Quill"].concat(),
        b"votes for the other side".to_vec(),
    ] {
        assert!(matches!(
            world.void(
                1,
                Suppress {
                    generation: 1,
                    rows: bytes(&bad)
                }
            ),
            Void::Suppression(_)
        ));
        assert!(matches!(
            world.void(
                1,
                SuppressWithdraw {
                    generation: 1,
                    rows: bytes(&bad)
                }
            ),
            Void::Suppression(_)
        ));
    }
    let (_, unopened) = world.say_rows(
        1,
        Suppress {
            generation: 1,
            rows: bytes(&one),
        },
        None,
    );
    assert!(matches!(unopened, Err(Void::Suppression(_))));
    let named = [one.as_slice(), b"Ada Quill"].concat();
    let void = world.void(
        1,
        Suppress {
            generation: 1,
            rows: bytes(&named),
        },
    );
    assert!(void.to_string().starts_with("E_SUPPRESSION_PAYLOAD"));
}
