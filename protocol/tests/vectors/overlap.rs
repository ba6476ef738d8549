//! Vectors of counts: one state for each step, one good entry of each kind, and what is refused.

use super::{
    cases::{one, start, world},
    file::hex,
    world::World,
};
use protocol::{
    entry::{
        Entry,
        overlap::{End, OverlapAgree, OverlapEnd, OverlapPass, PassFault},
    },
    id::EntryId,
    state::State,
};
use serde_json::{Value, json};

/// The steps of one count: member 1 asks, member 2 is asked, member 0 counts.
fn steps(working: &State) -> Vec<(&'static str, &'static str, State)> {
    let mut world = world(working);
    let id = world.done(1, world.overlap_ask(&[2], Some(0)));
    let mut steps = vec![(
        "overlap_asked",
        "member 1 has asked member 2 for a count",
        world.state.clone(),
    )];
    let size = 150;
    world.done(2, OverlapAgree { overlap: id, size });
    let (who, pass) = world.overlap_pass(id, 0, 0);
    world.done(who, pass);
    steps.push((
        "overlap_running",
        "both have agreed, and member 1 has handed its list on",
        world.state.clone(),
    ));
    for (list, step) in [(1, 0), (0, 1), (1, 1)] {
        let (who, pass) = world.overlap_pass(id, list, step);
        world.done(who, pass);
    }
    steps.push((
        "overlap_passed",
        "both lists have gone all the way to member 0, who counts",
        world.state,
    ));
    steps
}

pub(crate) fn states(working: &State) -> Vec<(String, Value)> {
    let vector = |(name, why, state): (&str, &str, State)| {
        let value = json!({
            "section": "protocol.md 5.14",
            "why": why,
            "snapshot": hex(&state.snapshot()),
            "hash": state.hash().to_string(),
        });
        (name.to_owned(), value)
    };
    steps(working).into_iter().map(vector).collect()
}

fn at(working: &State, step: &str) -> (World, EntryId) {
    let world = start(working, step);
    let id = *world.state.overlaps.iter().next().unwrap().0;
    (world, id)
}

fn counted(overlap: EntryId) -> OverlapEnd {
    OverlapEnd {
        overlap,
        how: End::Counted(b"sealed to the parties".to_vec()),
    }
}

/// One good entry of each kind.
pub(crate) fn good(working: &State) -> Vec<(&'static str, &'static str, Entry, usize)> {
    let (running, id) = at(working, "overlap_running");
    let (who, pass) = running.overlap_pass(id, 1, 0);
    let ask = world(working).overlap_ask(&[2], Some(0));
    vec![
        ("5.14", "working", ask.into(), 1),
        (
            "5.14",
            "overlap_asked",
            OverlapAgree {
                overlap: id,
                size: 150,
            }
            .into(),
            2,
        ),
        ("5.14", "overlap_running", pass.into(), who),
        ("5.14", "overlap_passed", counted(id).into(), 0),
    ]
}

type Case = (&'static str, &'static str, &'static str, usize, Entry);

/// Refusals that only one kind has.
#[expect(clippy::too_many_lines, reason = "a table with a row per refusal")]
pub(crate) fn refused(working: &State) -> Vec<(String, Value)> {
    let (running, id) = at(working, "overlap_running");
    let w = world(working);
    let mut small = w.overlap_ask(&[2], Some(0));
    small.size = 99;
    let mut low = w.overlap_ask(&[2], None);
    low.least = 99;
    let mut party_counts = w.overlap_ask(&[2], None);
    party_counts.counter = Some(w.id(2));
    let mut long = w.overlap_ask(&[2], None);
    long.until = w.now.plus(15 * protocol::time::DAY);
    let agree = |size| Entry::from(OverlapAgree { overlap: id, size });
    let (who, pass) = running.overlap_pass(id, 1, 0);
    let changed = |change: &dyn Fn(&mut OverlapPass)| {
        let mut pass = pass.clone();
        change(&mut pass);
        Entry::from(pass)
    };
    let end = |how| Entry::from(OverlapEnd { overlap: id, how });
    let fault = |list, step| {
        end(End::Fault {
            list,
            step,
            fault: PassFault::Element,
        })
    };
    let cases: Vec<Case> = vec![
        (
            "working",
            "with_itself",
            "its author is among those who are asked",
            1,
            w.overlap_ask(&[1, 2], None).into(),
        ),
        (
            "working",
            "small_list",
            "its list is shorter than the count asks for",
            1,
            small.into(),
        ),
        (
            "working",
            "low_least",
            "lists may be shorter than ten times the least cell",
            1,
            low.into(),
        ),
        (
            "working",
            "party_counts_for_all",
            "who counts for others is a party",
            1,
            party_counts.into(),
        ),
        (
            "working",
            "too_long",
            "it is open for more than 14 days",
            1,
            long.into(),
        ),
        (
            "overlap_asked",
            "by_the_asker",
            "its author asked for the count",
            1,
            agree(150),
        ),
        (
            "overlap_asked",
            "small_list",
            "its list is shorter than the count asks for",
            2,
            agree(99),
        ),
        (
            "overlap_running",
            "twice",
            "its author has agreed before",
            2,
            agree(150),
        ),
        (
            "overlap_running",
            "out_of_order",
            "the list has another step before",
            1,
            changed(&|p| p.step = 1),
        ),
        (
            "overlap_running",
            "again",
            "the list has taken that step",
            1,
            running_again(&running, id),
        ),
        (
            "overlap_running",
            "by_another",
            "it is another party's turn",
            1,
            pass.clone().into(),
        ),
        (
            "overlap_running",
            "too_many_bytes",
            "a larger list than was announced",
            who,
            changed(&|p| p.bytes += 1 << 20),
        ),
        (
            "overlap_running",
            "early",
            "lists have not gone all the way",
            0,
            counted(id).into(),
        ),
        (
            "overlap_passed",
            "by_a_party",
            "another was named for counting",
            1,
            counted(id).into(),
        ),
        (
            "overlap_running",
            "stopped_by_no_party",
            "its author is no party",
            0,
            end(End::Stopped),
        ),
        (
            "overlap_running",
            "fault_of_nothing",
            "the list was not handed on at that step",
            2,
            fault(0, 1),
        ),
        (
            "overlap_running",
            "fault_by_no_reader",
            "its author does not read that list",
            1,
            fault(0, 0),
        ),
    ];
    let vector = |(step, name, why, author, entry): Case| {
        one(working, "5.14", step, name, why, author, &entry)
    };
    cases.into_iter().map(vector).collect()
}

/// The first list once more at its first step.
fn running_again(world: &World, id: EntryId) -> Entry {
    world.overlap_pass(id, 0, 0).1.into()
}
