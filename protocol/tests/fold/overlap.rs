//! Counts: all must agree, lists go around in order, too many counts tell about single people.

use super::world::World;
use protocol::{
    entry::overlap::{End, OverlapAgree, OverlapAsk, OverlapEnd, PassFault},
    fold::{Void, overlap::OVERLAPS_OPEN},
    id::{EntryId, Hash},
    state::overlap::{Ended, OVERLAP_PERIOD, OVERLAPS_PER_PAIR},
    time::{DAY, HOUR},
};

/// What is changed of a good wish.
type Change<'a> = &'a dyn Fn(&mut OverlapAsk);

fn ended(world: &World, overlap: EntryId) -> Option<Ended> {
    let row = world.state.overlaps.get(&overlap).unwrap();
    row.ended.as_ref().map(|ended| ended.how.clone())
}

fn agree(overlap: EntryId) -> OverlapAgree {
    OverlapAgree { overlap, size: 150 }
}

fn stop(overlap: EntryId) -> OverlapEnd {
    OverlapEnd {
        overlap,
        how: End::Stopped,
    }
}

fn counted(overlap: EntryId) -> OverlapEnd {
    OverlapEnd {
        overlap,
        how: End::Counted(b"sealed".to_vec()),
    }
}

/// Member 1 asks member 2, and both agree; member 0 counts, if anybody does.
fn running(counter: Option<usize>) -> (World, EntryId) {
    let mut world = World::agreed(4, 0);
    let overlap = world.done(1, world.overlap_ask(&[2], counter));
    world.done(2, agree(overlap));
    (world, overlap)
}

#[test]
fn lists_go_around_and_every_party_counts_where_nobody_was_named_for_it() {
    let (mut world, overlap) = running(None);
    world.overlap_passes(overlap);
    assert_eq!(ended(&world, overlap), Some(Ended::Counted(None)));
    let row = world.state.overlaps.get(&overlap).unwrap();
    assert_eq!(row.readers(0, 0), [world.id(2)]);
    assert_eq!(row.readers(1, 0), [world.id(1)]);
    assert_eq!(row.readers(0, 1), [world.id(1), world.id(2)]);
}

#[test]
fn three_lists_take_nine_steps_and_who_counts_reads_them_last() {
    let mut world = World::agreed(4, 0);
    let overlap = world.done(1, world.overlap_ask(&[2, 3], Some(0)));
    world.done(3, agree(overlap));
    let (who, pass) = {
        let mut early = world.overlap_ask(&[2], None);
        early.size = 200;
        let row = world.state.overlaps.get(&overlap).unwrap();
        assert!(row.started.is_none());
        world.overlap_pass(overlap, 0, 0)
    };
    let early = world.void(who, pass);
    assert_eq!(
        early,
        Void::NotAllowed("no list moves before all have agreed")
    );
    world.done(2, agree(overlap));
    world.overlap_passes(overlap);
    assert_eq!(ended(&world, overlap), None);
    let row = world.state.overlaps.get(&overlap).unwrap();
    assert_eq!(row.passes.len(), 9);
    for list in 0..3 {
        assert_eq!(row.readers(list, 2), [world.id(0)]);
    }
    world.done(0, counted(overlap));
    let sealed = Some(Ended::Counted(Some(b"sealed".to_vec())));
    assert_eq!(ended(&world, overlap), sealed);
    let again = world.void(0, counted(overlap));
    assert_eq!(again, Void::NotAllowed("the count has ended"));
}

#[test]
fn nobody_asks_what_is_out_of_bounds() {
    let mut world = World::agreed(4, 0);
    let good = world.overlap_ask(&[2, 3], Some(0));
    let cases: [(Change<'_>, Void); 11] = [
        (
            &|ask| ask.with.clear(),
            Void::Bounds("a count has 2 to 4 parties; the others are named in rising order"),
        ),
        (
            &|ask| ask.with.reverse(),
            Void::Bounds("a count has 2 to 4 parties; the others are named in rising order"),
        ),
        (
            &|ask| ask.with.push(ask.with[1]),
            Void::Bounds("a count has 2 to 4 parties; the others are named in rising order"),
        ),
        (
            &|ask| ask.counter = Some(ask.with[0]),
            Void::NotAllowed("who counts for others is no party"),
        ),
        (
            &|ask| ask.with = vec![protocol::id::NodeId([9; 32])],
            Void::NotAllowed("parties and who counts are members that have signed the agreement"),
        ),
        (
            &|ask| ask.purpose = "fun".to_owned(),
            Void::Unknown("the purpose"),
        ),
        (
            &|ask| ask.size = 1_000_001,
            Void::Bounds("a list has at most 1,000,000 entries"),
        ),
        (
            &|ask| ask.least = 201,
            Void::Bounds("the list is shorter than the count asks for"),
        ),
        (&|ask| ask.generation = 2, Void::Generation),
        (&|ask| ask.agreement = Hash::ZERO, Void::Agreement),
        (
            &|ask| ask.until = super::world::START,
            Void::Bounds("a count ends within 14 days"),
        ),
    ];
    for (change, void) in cases {
        let mut ask = good.clone();
        change(&mut ask);
        assert_eq!(world.void(1, ask), void);
    }
    world.done(1, good);
}

#[test]
fn only_who_was_asked_agrees_and_once_with_a_list_that_is_long_enough() {
    let mut world = World::agreed(4, 0);
    let overlap = world.done(1, world.overlap_ask(&[2, 3], None));
    for who in [0, 1] {
        let void = world.void(who, agree(overlap));
        assert_eq!(
            void,
            Void::NotAllowed("only who was asked agrees to a count")
        );
    }
    let small = OverlapAgree { overlap, size: 99 };
    let small = world.void(2, small);
    assert_eq!(
        small,
        Void::Bounds("the list is shorter than the count asks for")
    );
    let unknown = world.void(2, agree(EntryId([9; 16])));
    assert_eq!(unknown, Void::Unknown("the count"));
    world.done(2, agree(overlap));
    let again = world.void(2, agree(overlap));
    assert_eq!(again, Void::NotAllowed("a party agrees to a count once"));
}

#[test]
fn a_list_moves_in_order_by_whose_turn_it_is_and_as_long_as_it_was_announced() {
    let (mut world, overlap) = running(None);
    let (who, first) = world.overlap_pass(overlap, 0, 0);
    let (next, second) = world.overlap_pass(overlap, 0, 1);
    assert_eq!((who, next), (1, 2));
    let turn = Void::NotAllowed("it is another party's turn with this list");
    for other in [0, 2, 3] {
        assert_eq!(world.void(other, first.clone()), turn);
    }
    let order = Void::NotAllowed("a list takes its steps in order, each once");
    assert_eq!(world.void(next, second.clone()), order);
    for bytes in [200 * 32, 200 * 32 + 70_000, u64::MAX] {
        let mut other = first.clone();
        other.bytes = bytes;
        assert!(matches!(world.void(who, other), Void::Bounds(_)));
    }
    let mut unknown = first.clone();
    unknown.list = 2;
    let unknown = world.void(who, unknown);
    assert_eq!(unknown, Void::Unknown("the list of that place"));
    world.done(who, first.clone());
    assert_eq!(world.void(who, first), order);
    world.done(next, second);
}

#[test]
fn a_party_stops_a_count_at_any_time_and_nobody_else_does() {
    for agreed in [false, true] {
        let mut world = World::agreed(4, 0);
        let overlap = world.done(1, world.overlap_ask(&[2], Some(0)));
        if agreed {
            world.done(2, agree(overlap));
        }
        for who in [0, 3] {
            let void = world.void(who, stop(overlap));
            assert_eq!(void, Void::NotAllowed("only a party stops a count"));
        }
        world.done(2, stop(overlap));
        assert_eq!(ended(&world, overlap), Some(Ended::Stopped(world.id(2))));
        let over = Void::NotAllowed("the count has ended");
        assert_eq!(world.void(1, stop(overlap)), over);
        assert_eq!(world.void(2, agree(overlap)), over);
        let (who, pass) = if agreed {
            world.overlap_pass(overlap, 0, 0)
        } else {
            continue;
        };
        assert_eq!(world.void(who, pass), over);
    }
}

#[test]
fn only_who_reads_a_list_finds_fault_with_it() {
    let (mut world, overlap) = running(Some(0));
    let fault = |list, step| OverlapEnd {
        overlap,
        how: End::Fault {
            list,
            step,
            fault: PassFault::Order,
        },
    };
    let early = world.void(2, fault(0, 0));
    assert_eq!(early, Void::Unknown("the list that was handed on"));
    world.overlap_passes(overlap);
    for (who, list, step) in [(1, 0, 0), (3, 0, 0), (1, 0, 1), (2, 1, 0)] {
        let void = world.void(who, fault(list, step));
        assert_eq!(
            void,
            Void::NotAllowed("only who reads a list finds fault with it")
        );
    }
    world.done(0, fault(1, 1));
    assert!(matches!(ended(&world, overlap), Some(Ended::Fault { .. })));
}

#[test]
fn where_every_party_counts_the_last_fault_is_found_after_the_last_pass() {
    let (mut world, overlap) = running(None);
    world.overlap_passes(overlap);
    let how = End::Fault {
        list: 1,
        step: 1,
        fault: PassFault::Element,
    };
    let fault = OverlapEnd { overlap, how };
    let stranger = world.void(3, fault.clone());
    assert!(matches!(stranger, Void::NotAllowed(_)));
    world.done(2, fault.clone());
    assert!(matches!(ended(&world, overlap), Some(Ended::Fault { .. })));
    let again = world.void(1, fault);
    assert_eq!(again, Void::NotAllowed("the count has ended"));
}

#[test]
fn counts_are_told_by_who_was_named_and_sealed_in_few_bytes() {
    let (mut world, overlap) = running(Some(0));
    let early = world.void(0, counted(overlap));
    assert_eq!(
        early,
        Void::NotAllowed("not all lists have gone all the way")
    );
    world.overlap_passes(overlap);
    for who in [1, 2, 3] {
        let void = world.void(who, counted(overlap));
        assert_eq!(void, Void::NotAllowed("only who was named for it counts"));
    }
    for bytes in [0, 8_193] {
        let how = End::Counted(vec![0; bytes]);
        let void = world.void(0, OverlapEnd { overlap, how });
        assert!(matches!(void, Void::Bounds(_)));
    }
    world.done(0, counted(overlap));
}

#[test]
fn a_count_ends_when_its_time_is_over_and_is_forgotten_a_month_later() {
    let (mut world, overlap) = running(None);
    let (who, pass) = world.overlap_pass(overlap, 0, 0);
    world.done(who, pass);
    let (who, late) = world.overlap_pass(overlap, 0, 1);
    world.wait(7 * DAY);
    assert_eq!(world.void(who, late), Void::TooLate);
    assert_eq!(ended(&world, overlap), Some(Ended::Expired));
    world.wait(OVERLAP_PERIOD);
    world.done(1, world.plan(0, 48, "ward 5"));
    assert!(world.state.overlaps.is_empty());
}

#[test]
fn two_members_count_so_often_in_a_month_with_or_without_others() {
    let mut world = World::agreed(4, 0);
    for n in 0..OVERLAPS_PER_PAIR {
        let with: &[usize] = if n == 0 { &[2, 3] } else { &[2] };
        let overlap = world.done(1, world.overlap_ask(with, None));
        for who in with {
            world.done(*who, agree(overlap));
        }
        world.done(1, stop(overlap));
        world.wait(HOUR);
    }
    let full = |void| matches!(void, Void::Bounds(why) if why.contains("four times"));
    assert!(full(world.void(1, world.overlap_ask(&[2], None))));
    assert!(full(world.void(2, world.overlap_ask(&[1, 3], None))));
    // Others have room, and so have these two with them.
    world.done(1, world.overlap_ask(&[3], None));
    world.wait(OVERLAP_PERIOD - HOUR);
    world.done(2, world.overlap_ask(&[1], None));
}

#[test]
fn counts_that_were_asked_before_the_limit_do_not_begin_beyond_it() {
    let mut world = World::agreed(3, 0);
    let asked: Vec<EntryId> = (0..=OVERLAPS_PER_PAIR)
        .map(|_| world.done(1, world.overlap_ask(&[2], None)))
        .collect();
    let (last, first) = asked.split_last().unwrap();
    for overlap in first {
        world.done(2, agree(*overlap));
    }
    assert!(matches!(world.void(2, agree(*last)), Void::Bounds(_)));
}

#[test]
fn a_member_has_so_many_counts_open() {
    let mut world = World::agreed(3, 0);
    let mut last = None;
    for _ in 0..OVERLAPS_OPEN {
        last = Some(world.done(1, world.overlap_ask(&[2], None)));
    }
    let more = world.void(1, world.overlap_ask(&[2], None));
    assert_eq!(more, Void::Bounds("a member has at most 10 counts open"));
    world.done(1, stop(last.unwrap()));
    world.done(1, world.overlap_ask(&[2], None));
}

#[test]
fn a_count_does_not_outlive_the_agreement_under_which_it_was_asked() {
    let (mut world, overlap) = running(None);
    let (who, pass) = world.overlap_pass(overlap, 0, 0);
    let mut draft = world.draft();
    draft.terms = draft.terms.replace("min_cell = 10", "min_cell = 12");
    world.done(0, super::world::proposal(&draft));
    for n in 0..4 {
        let sign = world.signature(n, draft.hash());
        world.done(n, sign);
    }
    assert_eq!(world.void(who, pass), Void::Agreement);
}

#[test]
fn no_list_moves_once_a_party_has_gone() {
    let (mut world, overlap) = running(None);
    let id = world.id(2);
    let position = world.state.meta().head.position;
    world.state.members.get_mut(&id).unwrap().left_at = Some(position);
    let (who, pass) = world.overlap_pass(overlap, 0, 0);
    assert!(matches!(world.void(who, pass), Void::NotAllowed(_)));
}
