//! Claims between two organizations: first wins, reasons, renewals, ends, walk lists.
//!
//! Long because every test is a conversation between the same two organizations.

use crate::support::{
    coalition::Coalition,
    people::{Somebody, put},
};
use commonturf::{
    app::App,
    claims::{
        change::{self, Part},
        check::Standing,
        show, take,
        take::{Answer, From, Question},
        walk_list,
    },
    http::problem::Failure,
    store::person_suppression::Cause,
    suppressions::mark::{self, Mark, Subject},
};
use protocol::{channel::Channel, entry::payload::Channels, id::EntryId};
use std::io::Write;

const A: Somebody<'_> = Somebody {
    given: "Ann",
    surname: "Ash",
    line1: "12 Elm St",
    phone: "614-555-0101",
    email: "",
    voter_id: "OH1",
    van_id: "501",
};
const B: Somebody<'_> = Somebody {
    given: "Ben",
    surname: "Birch",
    line1: "14 Elm St",
    phone: "614-555-0102",
    voter_id: "OH2",
    ..A
};
const C: Somebody<'_> = Somebody {
    given: "Cy",
    surname: "Cole",
    line1: "2 Oak St",
    phone: "614-555-0103",
    voter_id: "OH3",
    ..A
};

/// Ours has Elm Street, theirs has one house of it and Oak Street.
async fn overlapping() -> Coalition {
    let coalition = Coalition::two().await;
    put(coalition.node(0), "ours", &[A, B]).await;
    put(coalition.node(1), "theirs", &[B, C]).await;
    coalition.settle().await;
    coalition
}

fn question(list: &str, channel: Channel, first: &str, last: &str) -> Question {
    Question {
        from: From::List(list.to_owned()),
        channel,
        first: first.parse().unwrap(),
        last: last.parse().unwrap(),
        portion: None,
    }
}

/// Doors, tomorrow to three days later.
fn doors(list: &str) -> Question {
    question(list, Channel::Door, "2026-11-26", "2026-11-28")
}

async fn claim(coalition: &Coalition, n: usize, question: Question) -> show::Whole {
    let (_, id) = take::take(coalition.node(n), question).await.unwrap();
    coalition.settle().await;
    whole(coalition.node(n), id).await
}

async fn whole(app: &App, id: EntryId) -> show::Whole {
    show::whole(app, &id.to_string(), 100).await.unwrap()
}

fn standings(answer: &Answer) -> Vec<(&str, Standing)> {
    let points = answer.checked.iter();
    let mut standings: Vec<_> = points
        .map(|point| (point.display.as_str(), point.standing))
        .collect();
    standings.sort();
    standings
}

fn said(failure: Failure) -> String {
    failure.0.detail
}

async fn mark_person(app: &App, person: &str, channel: Channel, withdraw: bool) {
    let mark = Mark {
        subject: Subject::Person(person.to_owned()),
        channels: Channels::only(channel),
        cause: Cause::DoNotContact,
        source: "cli",
        withdraw,
        dry_run: false,
    };
    mark::mark(app, &mark).await.unwrap();
}

#[tokio::test]
async fn a_check_changes_nothing_and_tells_what_is_free() {
    let coalition = overlapping().await;
    let before = coalition.state().await.hash();
    let answer = take::look(coalition.node(0), doors("ours")).await.unwrap();
    coalition.settle().await;
    let free = [
        ("12 Elm St, 43215", Standing::Free),
        ("14 Elm St, 43215", Standing::Free),
    ];
    assert_eq!(standings(&answer), free);
    assert_eq!(coalition.state().await.hash(), before);
    assert!(
        show::list(coalition.node(0), true)
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn the_first_claim_wins_and_the_second_gets_the_rest_with_the_reason() {
    let coalition = overlapping().await;
    let first = claim(&coalition, 0, doors("ours")).await;
    assert_eq!((first.summary.granted, first.summary.state), (2, "granted"));
    let second = claim(&coalition, 1, doors("theirs")).await;
    assert_eq!(
        (second.summary.granted, second.summary.refused),
        (1, Some(1))
    );
    let refused = &second.refused_points[0];
    assert_eq!(refused.display, "14 Elm St, 43215");
    assert_eq!(
        (refused.state.as_str(), refused.by.as_deref()),
        ("held", Some("Tenants United"))
    );
    assert_eq!(refused.until, first.summary.ends);
    // Both fold the same, and others see who, channel, window and count.
    assert_eq!(coalition.state().await.claims.len(), 2);
    let all = show::list(coalition.node(1), true).await.unwrap();
    let ally = all.iter().find(|claim| !claim.mine).unwrap();
    assert_eq!(
        (ally.organization.as_str(), ally.holds),
        ("Tenants United", 2)
    );
}

#[tokio::test]
async fn two_claims_of_the_same_moment_never_hold_one_door_twice() {
    let coalition = overlapping().await;
    let (_, ours) = take::take(coalition.node(0), doors("ours")).await.unwrap();
    let (_, theirs) = take::take(coalition.node(1), doors("theirs"))
        .await
        .unwrap();
    coalition.settle().await;
    let granted = whole(coalition.node(0), ours).await.summary.granted
        + whole(coalition.node(1), theirs).await.summary.granted;
    assert_eq!(granted, 3, "three doors, each held once");
}

#[tokio::test]
async fn a_claim_of_nothing_but_held_doors_is_refused_whole() {
    let coalition = overlapping().await;
    claim(&coalition, 0, doors("ours")).await;
    put(coalition.node(1), "one", &[B]).await;
    coalition.settle().await;
    let refused = claim(&coalition, 1, doors("one")).await;
    assert_eq!(
        (refused.summary.state, refused.summary.holds),
        ("refused", 0)
    );
    let id = refused.summary.claim.to_string();
    let failure = walk_list::make(coalition.node(1), &id).await.unwrap_err();
    assert!(said(failure).contains("is refused"));
    assert!(change::renew(coalition.node(1), &id).await.is_err());
}

#[tokio::test]
async fn another_channel_and_other_days_are_other_claims() {
    let coalition = overlapping().await;
    claim(&coalition, 0, doors("ours")).await;
    let phones = question("theirs", Channel::Phone, "2026-11-26", "2026-11-28");
    assert_eq!(claim(&coalition, 1, phones).await.summary.granted, 2);
    let later = question("theirs", Channel::Door, "2026-12-01", "2026-12-03");
    assert_eq!(claim(&coalition, 1, later).await.summary.granted, 2);
}

#[tokio::test]
async fn what_is_held_already_is_not_claimed_twice_by_its_holder() {
    let coalition = overlapping().await;
    claim(&coalition, 0, doors("ours")).await;
    let answer = take::look(coalition.node(0), doors("ours")).await.unwrap();
    assert!(
        answer
            .checked
            .iter()
            .all(|point| point.standing == Standing::Mine)
    );
    let failure = take::take(coalition.node(0), doors("ours"))
        .await
        .unwrap_err();
    assert!(said(failure).contains("nothing is left to claim"));
}

#[tokio::test]
async fn windows_lists_and_claims_that_make_no_sense_are_refused_in_words() {
    let coalition = overlapping().await;
    let app = coalition.node(0);
    let days = |first, last| question("ours", Channel::Door, first, last);
    for (question, why) in [
        (days("2026-11-28", "2026-11-26"), "before its first"),
        (days("2026-11-26", "2026-12-10"), "at most 14 days"),
        (days("2026-11-20", "2026-11-24"), "is over"),
        (doors("nobody's"), "no list"),
    ] {
        let failure = take::look(app, question).await.unwrap_err();
        let said = said(failure);
        assert!(said.contains(why), "{said}");
    }
    for (id, why) in [
        ("abc", "first six"),
        ("abc%__", "first six"),
        ("abcdefg", "no such claim"),
    ] {
        assert!(said(show::find(app, id).await.unwrap_err()).contains(why));
    }
}

#[tokio::test]
async fn a_renewed_claim_lives_and_a_forgotten_one_lapses_by_log_time() {
    let coalition = overlapping().await;
    let week = || question("ours", Channel::Door, "2026-11-25", "2026-12-06");
    let id = claim(&coalition, 0, week()).await.summary.claim;
    coalition.hours(90).await;
    let beginning: String = id.to_string().chars().take(6).collect();
    change::renew(coalition.node(0), &beginning).await.unwrap();
    coalition.settle().await;
    coalition.hours(90).await;
    assert_eq!(whole(coalition.node(0), id).await.summary.state, "granted");
    // 96 hours after the renewal nobody has spoken: the keeper lets log time pass.
    coalition.hours(7).await;
    let ended = whole(coalition.node(0), id).await.summary;
    assert_eq!((ended.state, ended.holds, ended.ends), ("ended", 0, None));
    let failure = walk_list::make(coalition.node(0), &id.to_string())
        .await
        .unwrap_err();
    assert!(said(failure).contains("is ended"));
    let later = question("theirs", Channel::Door, "2026-12-03", "2026-12-05");
    assert_eq!(claim(&coalition, 1, later).await.summary.granted, 2);
}

#[tokio::test]
async fn nobody_gets_a_list_in_the_last_minutes_of_a_claim() {
    let coalition = overlapping().await;
    let id = claim(&coalition, 0, doors("ours")).await.summary.claim;
    let state = coalition.state().await;
    let left = state.claims.get(&id).unwrap().ends.since(coalition.now());
    coalition.pass(left - walk_list::GUARD - 1).await;
    let list = || async { walk_list::make(coalition.node(0), &id.to_string()).await };
    assert!(list().await.unwrap().text.contains("Ann Ash"));
    coalition.pass(1).await;
    assert!(said(list().await.unwrap_err()).contains("less than ten minutes"));
    coalition.pass(walk_list::GUARD).await;
    assert!(said(list().await.unwrap_err()).contains("time is over"));
}

#[tokio::test]
async fn a_node_whose_clock_was_wrong_at_its_last_contact_hands_out_no_list() {
    let coalition = overlapping().await;
    let id = claim(&coalition, 1, doors("theirs")).await.summary.claim;
    let list = || async { walk_list::make(coalition.node(1), &id.to_string()).await };
    for off in [walk_list::CLOCK_OFF + 2_000, -walk_list::CLOCK_OFF - 2_000] {
        coalition.clock_off(1, off);
        coalition.settle().await;
        assert!(said(list().await.unwrap_err()).contains("clock"), "{off}");
        coalition.clock_off(1, 0);
        let unheard = list().await.unwrap_err();
        assert!(said(unheard).contains("clock"), "nobody has confirmed it");
        coalition.settle().await;
        assert!(list().await.unwrap().text.contains("Ben Birch"), "{off}");
    }
    coalition.clock_off(1, walk_list::CLOCK_OFF - 10_000);
    coalition.settle().await;
    list().await.unwrap();
}

#[tokio::test]
async fn a_clock_behind_log_time_hands_out_no_list() {
    let coalition = overlapping().await;
    let id = claim(&coalition, 0, doors("ours")).await.summary.claim;
    // The keeper hears no other clock than its own; the log tells that it was set back.
    coalition.clock_off(0, -2 * walk_list::CLOCK_OFF);
    let list = walk_list::make(coalition.node(0), &id.to_string()).await;
    assert!(said(list.unwrap_err()).contains("clock"));
}

#[tokio::test]
async fn a_claim_is_given_back_in_part_and_then_whole() {
    let coalition = overlapping().await;
    let id = claim(&coalition, 0, doors("ours")).await.summary.claim;
    let mut file = tempfile::tempfile().unwrap();
    write!(
        file,
        "First Name,Last Name,Address,City,State,Zip\nAnn,Ash,12 Elm Street,Columbus,OH,43215\n"
    )
    .unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    let part = Part::These(From::File("back.csv".to_owned(), file));
    let (_, _, count) = change::release(coalition.node(0), &id.to_string(), part)
        .await
        .unwrap();
    coalition.settle().await;
    assert_eq!(count, 1);
    let now = whole(coalition.node(0), id).await;
    assert_eq!((now.summary.state, now.summary.holds), ("granted", 1));
    assert_eq!(now.states["released"], 1);
    change::release(coalition.node(0), &id.to_string(), Part::Whole)
        .await
        .unwrap();
    coalition.settle().await;
    assert_eq!(whole(coalition.node(0), id).await.summary.state, "released");
    assert_eq!(
        claim(&coalition, 1, doors("theirs")).await.summary.granted,
        2
    );
    let again = change::release(coalition.node(0), &id.to_string(), Part::Whole).await;
    assert!(said(again.unwrap_err()).contains("is released"));
}

#[tokio::test]
async fn a_file_is_matched_to_own_people_and_the_rest_is_counted() {
    let coalition = overlapping().await;
    let mut file = tempfile::tempfile().unwrap();
    write!(
        file,
        "VANID,First Name,Last Name,Address,City,State,Zip\n\
         501,Ann,Ash,,,,\n777,Ben,Birch,14 Elm Street,Columbus,OH,43215\n\
         778,Zoe,Zane,99 Far Rd,Columbus,OH,43215\n,No,Id,14 Elm St,Columbus,OH,43215\n"
    )
    .unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    let asked = Question {
        from: From::File("walk.csv".to_owned(), file),
        ..doors("")
    };
    let answer = take::look(coalition.node(0), asked).await.unwrap();
    let universe = &answer.universe;
    assert_eq!(answer.checked.len(), 2, "one by its id, one by its door");
    assert_eq!(
        (universe.rows, universe.unknown, universe.unreadable),
        (4, 1, 1),
        "in this format every row has an id"
    );
}

#[tokio::test]
async fn points_without_a_token_are_counted_and_not_claimed() {
    let coalition = overlapping().await;
    coalition.cut(true);
    put(
        coalition.node(1),
        "theirs",
        &[Somebody {
            line1: "3 Oak St",
            voter_id: "OH9",
            ..C
        }],
    )
    .await;
    coalition.round().await;
    let answer = take::look(coalition.node(1), doors("theirs"))
        .await
        .unwrap();
    assert_eq!(
        answer
            .checked
            .iter()
            .filter(|p| p.standing == Standing::NoToken)
            .count(),
        1
    );
    coalition.cut(false);
    coalition.pass(20_000).await;
    coalition.settle().await;
    assert_eq!(
        claim(&coalition, 1, doors("theirs")).await.summary.granted,
        3
    );
}

#[tokio::test]
async fn a_door_is_left_out_only_when_everybody_there_is_suppressed() {
    let coalition = Coalition::two().await;
    let app = coalition.node(0);
    let brother = Somebody {
        given: "Abe",
        voter_id: "OH8",
        phone: "614-555-0108",
        ..A
    };
    let ids = put(app, "ours", &[A, brother, B]).await;
    coalition.settle().await;
    mark_person(app, &ids[0], Channel::Door, false).await;
    coalition.settle().await;
    let answer = take::look(app, doors("ours")).await.unwrap();
    assert!(
        answer
            .checked
            .iter()
            .all(|point| point.standing == Standing::Free)
    );
    let id = claim(&coalition, 0, doors("ours")).await.summary.claim;
    let list = walk_list::make(app, &id.to_string()).await.unwrap().text;
    assert!(
        list.contains("Abe Ash") && !list.contains("Ann Ash"),
        "{list}"
    );
    change::release(app, &id.to_string(), Part::Whole)
        .await
        .unwrap();
    mark_person(app, &ids[1], Channel::Door, false).await;
    coalition.settle().await;
    let answer = take::look(app, doors("ours")).await.unwrap();
    assert_eq!(
        standings(&answer)[0],
        ("12 Elm St, 43215", Standing::Suppressed)
    );
    assert_eq!(claim(&coalition, 0, doors("ours")).await.summary.asked, 1);
}

#[tokio::test]
async fn a_walk_list_is_in_walking_order_and_safe_to_open() {
    let coalition = Coalition::two().await;
    let app = coalition.node(0);
    let flat = |line1, given| Somebody {
        line1,
        given,
        voter_id: "",
        phone: "",
        van_id: "",
        ..A
    };
    put(
        app,
        "ours",
        &[
            flat("101 Elm St Apt 10", "Dee"),
            flat("9 Elm St", "=HYPERLINK(\"http://x\")"),
            flat("101 Elm St Apt 2", "Eve"),
            A,
            flat("1 Ash Ave", "Flo"),
        ],
    )
    .await;
    coalition.settle().await;
    let taken = claim(&coalition, 0, doors("ours")).await.summary;
    let list = walk_list::make(app, &taken.claim.to_string())
        .await
        .unwrap()
        .text;
    let list = list.strip_prefix('\u{feff}').unwrap();
    let mut reader = csv::Reader::from_reader(list.as_bytes());
    let rows: Vec<Vec<String>> = reader
        .records()
        .map(|row| row.unwrap().iter().map(str::to_owned).collect())
        .collect();
    let names: Vec<&str> = rows.iter().map(|row| row[1].as_str()).collect();
    let formula = "'=HYPERLINK(\"http://x\") Ash";
    assert_eq!(names, ["Flo Ash", formula, "Ann Ash", "Eve Ash", "Dee Ash"]);
    assert_eq!(
        rows[2][..6],
        ["3", "Ann Ash", "12 Elm St", "Columbus", "OH", "43215"]
    );
    assert_eq!(rows[2][6], "", "phones are for phone claims");
    assert_eq!(
        rows[2][9..],
        ["501", &taken.number.unwrap().to_string(), "2026-11-28"]
    );
}

#[tokio::test]
async fn a_phone_claims_list_shows_the_number_to_call() {
    let coalition = overlapping().await;
    let phones = question("ours", Channel::Phone, "2026-11-26", "2026-11-28");
    let id = claim(&coalition, 0, phones).await.summary.claim;
    let list = walk_list::make(coalition.node(0), &id.to_string())
        .await
        .unwrap()
        .text;
    assert!(list.contains("\"614-555-0101\""), "{list}");
}

#[tokio::test]
async fn a_restart_in_the_middle_loses_nothing_and_doubles_nothing() {
    let mut coalition = overlapping().await;
    coalition.cut(true);
    let (_, id) = take::take(coalition.node(1), doors("theirs"))
        .await
        .unwrap();
    coalition.round().await; // sealed, not sent
    assert_eq!(whole(coalition.node(1), id).await.summary.state, "asked");
    coalition.restart(1).await;
    coalition.cut(false);
    coalition.settle().await;
    let decided = whole(coalition.node(1), id).await.summary;
    assert_eq!((decided.state, decided.granted), ("granted", 2));
    coalition.restart(0).await;
    coalition.restart(1).await;
    coalition.settle().await;
    assert_eq!(coalition.state().await.claims.len(), 1);
    let list = walk_list::make(coalition.node(1), &id.to_string())
        .await
        .unwrap()
        .text;
    assert_eq!(list.lines().count(), 3);
}

#[tokio::test]
async fn a_claim_that_comes_a_day_late_takes_nothing() {
    let coalition = overlapping().await;
    coalition.cut(true);
    let (_, id) = take::take(coalition.node(1), doors("theirs"))
        .await
        .unwrap();
    coalition.round().await;
    coalition.cut(false);
    coalition.hours(25).await;
    let late = whole(coalition.node(1), id).await.summary;
    assert_eq!(late.state, "void");
    assert!(late.note.unwrap().contains("good"));
    assert!(coalition.state().await.claims.is_empty());
}
