//! Claims: who gets what, until when, and what is refused.

use super::world::{World, token};
use protocol::{
    channel::Channel,
    entry::{
        claim::{ClaimRelease, ClaimRenew},
        contact_report::ContactReport,
        payload::{ContactEffect, ContactRow, Payload, write_rows},
    },
    fold::{
        Outcome, Void,
        claim::{CLAIMS_PER_MEMBER, Decision, Refusal, quota_left, token_days},
    },
    id::{EntryId, Hash},
    limits::CLAIM_TOKEN_DAYS,
    state::rows::Tokens,
    time::{DAY, HOUR, Moment},
    token::Token,
};

fn decision(outcome: Result<Outcome, Void>) -> Decision {
    match outcome {
        Ok(Outcome::Claim(decision)) => decision,
        other => panic!("{other:?}"),
    }
}

fn granted(outcome: Result<Outcome, Void>) -> usize {
    decision(outcome).granted.len()
}

fn tokens(list: &[u8]) -> Payload {
    Payload::Inline(write_rows(list.iter().map(|n| token(*n))))
}

fn report(
    world: &World,
    channel: Channel,
    n: u8,
    at: Moment,
    effect: ContactEffect,
) -> ContactReport {
    let _ = world;
    let row = ContactRow {
        token: token(n),
        at,
        effect,
    };
    ContactReport {
        generation: 1,
        channel,
        rows: Payload::Inline(write_rows([row])),
        claim: None,
    }
}

#[test]
fn the_first_in_log_order_wins_and_the_refusal_names_the_holder() {
    let mut world = World::agreed(3, 0);
    let (first, outcome) = world.say(1, world.claim(Channel::Door, 0, 48, &[1, 2]));
    assert_eq!(granted(outcome), 2);
    let late = decision(world.say(2, world.claim(Channel::Door, 24, 48, &[2, 3])).1);
    let until = world.state.claims.get(&first).unwrap().to;
    assert_eq!(late.granted, [token(3)]);
    let held = Refusal::Held {
        claim: first,
        by: world.id(1),
        until,
    };
    assert_eq!(late.refused, [(token(2), held)]);
}

#[test]
fn windows_that_only_touch_do_not_overlap_and_other_channels_are_free() {
    let mut world = World::agreed(3, 0);
    world.done(1, world.claim(Channel::Door, 0, 24, &[1]));
    assert_eq!(
        granted(world.say(2, world.claim(Channel::Door, 24, 24, &[1])).1),
        1
    );
    assert_eq!(
        granted(world.say(2, world.claim(Channel::Phone, 0, 24, &[1])).1),
        1
    );
    assert_eq!(
        granted(world.say(2, world.claim(Channel::Door, 23, 1, &[1])).1),
        0
    );
}

#[test]
fn a_claim_reserves_its_whole_window_even_before_it_is_renewed() {
    // Without this, a renewal would reach into a window that another was granted meanwhile.
    let mut world = World::agreed(3, 0);
    let first = world.done(1, world.claim(Channel::Door, 0, 240, &[1]));
    let lapses = world.state.claims.get(&first).unwrap().ends;
    assert_eq!(lapses, world.now.plus(96 * HOUR));
    assert_eq!(
        granted(world.say(2, world.claim(Channel::Door, 120, 24, &[1])).1),
        0
    );
    world.wait(72 * HOUR);
    world.done(1, ClaimRenew { claim: first });
    assert_eq!(
        world.state.claims.get(&first).unwrap().ends,
        world.now.plus(96 * HOUR)
    );
}

#[test]
fn a_claim_lapses_by_log_time_and_then_the_door_is_free() {
    let mut world = World::agreed(3, 0);
    let first = world.done(1, world.claim(Channel::Door, 0, 240, &[1]));
    world.wait(96 * HOUR - 1);
    assert_eq!(
        granted(world.say(2, world.claim(Channel::Door, 0, 24, &[1])).1),
        0
    );
    world.wait(1);
    assert_eq!(
        granted(world.say(2, world.claim(Channel::Door, 0, 24, &[1])).1),
        1
    );
    assert_eq!(
        world.void(1, ClaimRenew { claim: first }),
        Void::Unknown("the claim")
    );
}

#[test]
fn before_its_window_begins_a_claim_needs_no_renewal() {
    let mut world = World::agreed(3, 0);
    let first = world.done(1, world.claim(Channel::Door, 30 * 24, 24, &[1]));
    world.wait(29 * DAY);
    world.done(0, protocol::entry::housekeeping::Tick {});
    assert!(world.state.claims.has(&first));
}

#[test]
fn a_renewal_never_reaches_beyond_the_window() {
    let mut world = World::agreed(2, 0);
    let claim = world.done(1, world.claim(Channel::Phone, 0, 72, &[1]));
    let to = world.state.claims.get(&claim).unwrap().to;
    world.wait(60 * HOUR);
    world.done(1, ClaimRenew { claim });
    assert_eq!(world.state.claims.get(&claim).unwrap().ends, to);
    world.wait(12 * HOUR);
    world.done(0, protocol::entry::housekeeping::Tick {});
    assert!(!world.state.claims.has(&claim));
}

#[test]
fn a_part_given_back_is_free_and_the_rest_is_not() {
    let mut world = World::agreed(3, 0);
    let claim = world.done(1, world.claim(Channel::Door, 0, 24, &[1, 2, 3]));
    world.done(
        1,
        ClaimRelease {
            claim,
            tokens: Some(tokens(&[2, 9])),
        },
    );
    let late = decision(
        world
            .say(2, world.claim(Channel::Door, 0, 24, &[1, 2, 3]))
            .1,
    );
    assert_eq!((late.granted, late.refused.len()), (vec![token(2)], 2));
    world.done(
        1,
        ClaimRelease {
            claim,
            tokens: Some(tokens(&[1, 3])),
        },
    );
    assert!(
        !world.state.claims.has(&claim),
        "an empty claim is no claim"
    );
}

#[test]
fn a_claim_that_is_granted_nothing_leaves_nothing_behind() {
    let mut world = World::agreed(3, 0);
    world.done(1, world.claim(Channel::Door, 0, 24, &[1]));
    let (id, outcome) = world.say(2, world.claim(Channel::Door, 0, 24, &[1]));
    assert_eq!(granted(outcome), 0);
    assert!(!world.state.claims.has(&id));
}

#[test]
fn an_allys_contact_closes_the_door_until_the_recontact_window_is_over() {
    let mut world = World::agreed(3, 0);
    let at = world.now;
    let entry = report(&world, Channel::Door, 1, at, ContactEffect::Contact);
    world.done(1, entry);
    let late = decision(world.say(2, world.claim(Channel::Door, 0, 24, &[1])).1);
    let recent = Refusal::Recent {
        by: world.id(1),
        at,
        until: at.plus(14 * DAY),
    };
    assert_eq!(late.refused, [(token(1), recent)]);
    assert_eq!(
        granted(
            world
                .say(2, world.claim(Channel::Door, 14 * 24, 24, &[1]))
                .1
        ),
        1
    );
    assert_eq!(
        granted(world.say(1, world.claim(Channel::Door, 0, 24, &[1])).1),
        1
    );
}

#[test]
fn an_attempt_that_reached_nobody_closes_no_door_under_this_agreement() {
    let mut world = World::agreed(3, 0);
    let entry = report(&world, Channel::Door, 1, world.now, ContactEffect::Attempt);
    world.done(1, entry);
    assert_eq!(
        granted(world.say(2, world.claim(Channel::Door, 0, 24, &[1])).1),
        1
    );
}

#[test]
fn what_is_no_claim_of_a_party_in_time_is_void() {
    let mut world = World::agreed(3, 0);
    let base = world.claim(Channel::Door, 0, 24, &[1]);
    let with = |change: &dyn Fn(&mut protocol::entry::claim::Claim)| {
        let mut claim = base.clone();
        change(&mut claim);
        claim
    };
    let bounds = |void: Void| matches!(void, Void::Bounds(_));
    assert_eq!(
        world.void(1, with(&|c| c.agreement = Hash::of(b"other"))),
        Void::Agreement
    );
    assert_eq!(
        world.void(1, with(&|c| c.grant_by = Moment(0))),
        Void::TooLate
    );
    assert!(bounds(world.void(1, with(&|c| c.to = c.from))));
    assert!(bounds(
        world.void(1, with(&|c| std::mem::swap(&mut c.from, &mut c.to)))
    ));
    assert!(bounds(
        world.void(1, with(&|c| (c.from, c.to) = (Moment(0), Moment(9))))
    ));
    assert!(bounds(
        world.void(1, with(&|c| c.to = c.from.plus(14 * DAY + 1)))
    ));
    assert!(bounds(world.void(
        1,
        with(&|c| (c.from, c.to) = (Moment(i64::MIN), Moment(i64::MAX)))
    )));
    let far = base.from.plus(91 * DAY);
    assert!(bounds(
        world.void(1, with(&|c| (c.from, c.to) = (far, far.plus(HOUR))))
    ));
    let rows = |bytes: &[u8]| Payload::Inline(bytes.to_vec());
    for bytes in [&[][..], &[1; 15], &[1; 32], &[[2; 16], [1; 16]].concat()] {
        let void = world.void(1, with(&|c| c.tokens = rows(bytes)));
        assert!(matches!(void, Void::Rows(_)), "{void:?}");
    }
    world.done(1, base);
}

#[test]
fn rows_that_could_not_be_opened_make_a_claim_void_for_all() {
    let mut world = World::agreed(2, 0);
    let (_, outcome) = world.say_rows(1, world.claim(Channel::Door, 0, 24, &[1]), None);
    assert!(matches!(outcome, Err(Void::Rows(_))));
}

#[test]
fn who_has_not_signed_claims_nothing() {
    let mut world = World::agreed(3, 1);
    let stranger = world.void(2, world.claim(Channel::Door, 0, 24, &[1]));
    assert_eq!(stranger, Void::NotAllowed("the author is not a member"));
    world.comes_in(2);
    let unsigned = world.void(2, world.claim(Channel::Door, 0, 24, &[1]));
    assert_eq!(
        unsigned,
        Void::NotAllowed("only a party to the agreement claims")
    );
    let mut none = World::joined(2, 0);
    assert_eq!(
        none.void(1, none.claim(Channel::Door, 0, 24, &[1])),
        Void::Agreement
    );
}

#[test]
fn only_the_holder_renews_and_releases() {
    let mut world = World::agreed(3, 0);
    let claim = world.done(1, world.claim(Channel::Door, 0, 24, &[1]));
    let foreign = Void::NotAllowed("only the holder changes a claim");
    assert_eq!(world.void(2, ClaimRenew { claim }), foreign);
    assert_eq!(
        world.void(
            2,
            ClaimRelease {
                claim,
                tokens: None
            }
        ),
        foreign
    );
    assert_eq!(
        world.void(
            0,
            ClaimRelease {
                claim,
                tokens: Some(tokens(&[1]))
            }
        ),
        foreign
    );
    let unknown = EntryId([9; 16]);
    assert_eq!(
        world.void(1, ClaimRenew { claim: unknown }),
        Void::Unknown("the claim")
    );
    let cut = ClaimRelease {
        claim,
        tokens: Some(Payload::Inline(vec![1; 3])),
    };
    assert!(matches!(world.void(1, cut), Void::Rows(_)));
    world.done(
        1,
        ClaimRelease {
            claim,
            tokens: None,
        },
    );
    assert_eq!(
        world.void(
            1,
            ClaimRelease {
                claim,
                tokens: None
            }
        ),
        Void::Unknown("the claim")
    );
}

#[test]
fn a_member_holds_at_most_five_hundred_claims() {
    let mut world = World::agreed(2, 0);
    for n in 0..CLAIMS_PER_MEMBER {
        let n = i64::try_from(n).unwrap();
        world.done(1, world.claim(Channel::Door, n, 1, &[1]));
    }
    let void = world.void(1, world.claim(Channel::Door, 600, 1, &[1]));
    assert_eq!(
        void,
        Void::Bounds("a member holds at most 500 claims at a time")
    );
    world.done(0, world.claim(Channel::Door, 600, 1, &[1]));
}

#[test]
fn who_claims_everything_stops_at_its_quota_and_the_others_are_granted_theirs() {
    let mut world = World::agreed(3, 0);
    let all = world.done(1, world.claim(Channel::Door, 0, 24, &[1]));
    let mut row = world.state.claims.get(&all).unwrap().clone();
    let many = (0..1_000_000_u128).map(|n| Token((n << 64).to_be_bytes()));
    row.tokens = Tokens::new(many.collect());
    row.to = row.from.plus(20 * DAY);
    row.ends = row.to;
    assert_eq!(
        token_days(row.tokens.as_slice().len(), (row.from, row.to)),
        CLAIM_TOKEN_DAYS
    );
    world.state.claims.put(all, row);
    assert_eq!(quota_left(&world.state, world.id(1)), 0);
    let over = Void::Bounds("a member's claims hold at most 20 million contact points times days");
    for channel in [Channel::Door, Channel::Phone] {
        assert_eq!(world.void(1, world.claim(channel, 0, 1, &[200])), over);
    }
    assert_eq!(
        granted(world.say(2, world.claim(Channel::Door, 0, 24, &[200])).1),
        1
    );
    // What is given back may be used again, and no more than that.
    let release = ClaimRelease {
        claim: all,
        tokens: Some(Payload::Inline(write_rows([Token(
            (5_u128 << 64).to_be_bytes(),
        )]))),
    };
    world.done(1, release);
    assert_eq!(quota_left(&world.state, world.id(1)), 20);
    let too_much: Vec<u8> = (1..=21).collect();
    assert_eq!(
        world.void(1, world.claim(Channel::Phone, 0, 24, &too_much)),
        over
    );
    world.done(1, world.claim(Channel::Phone, 0, 24, &too_much[1..]));
}

#[test]
fn a_begun_day_counts_as_one() {
    let days = |hours: i64| token_days(3, (Moment(0), Moment(hours * HOUR)));
    assert_eq!([days(1), days(24), days(25), days(48)], [3, 3, 6, 6]);
}

#[test]
fn nobody_puts_an_own_claim_in_the_place_of_anothers_by_reusing_its_id() {
    // Ids stand in headers, and the list of those seen lately is finite.
    let mut world = World::agreed(3, 0);
    let claim = world.done(1, world.claim(Channel::Door, 0, 24, &[1]));
    let seen: Vec<u64> = world
        .state
        .seen
        .iter()
        .map(|(position, _)| *position)
        .collect();
    for position in seen {
        world.state.seen.remove(&position);
    }
    let entry = world.claim(Channel::Door, 48, 24, &[2]).into();
    let header = world.header(2, claim, &entry);
    let inside = super::world::Inside::Entry(Box::new(entry), Some(write_rows([token(2)])));
    let said = world.next(2, claim, header, inside);
    assert_eq!(world.fold(said), Err(Void::Repeated));
    assert_eq!(world.state.claims.get(&claim).unwrap().author, world.id(1));
}
