//! Phone banks: numbers one by one, across callers and organizations.

use crate::{
    site::stores,
    support::{
        coalition::{Coalition, NOON},
        people::{Somebody, put},
    },
};
use commonturf::{
    app::App,
    calls::{
        bank::{self, Opening},
        next::{self, Call, Next},
        outcome::{self, AWAY_PAUSE, BUSY_PAUSE, Outcome, Told},
    },
    store::{
        self,
        call::{Bank, CallState, Queued},
        person_suppression::Cause,
    },
    suppressions::mark::{self, Mark, Subject},
};
use protocol::{channel::Channel, entry::payload::Channels};
use std::collections::BTreeSet;

/// So many people with a phone each on a list; the same numbers wherever it is called.
async fn phones(app: &App, list: &str, many: usize) -> Vec<String> {
    let lines: Vec<(String, String)> = (0..many)
        .map(|n| (format!("Ash{n}"), format!("+1614555{:04}", 100 + n)))
        .collect();
    let people: Vec<Somebody<'_>> = lines
        .iter()
        .map(|(surname, phone)| Somebody {
            given: "Ann",
            surname,
            phone,
            ..Somebody::default()
        })
        .collect();
    put(app, list, &people).await
}

fn opening(list: &str, ahead: u64) -> Opening {
    let text = serde_json::json!({
        "list": list, "from": "2026-11-25", "to": "2026-11-27", "opens": "08:00", "closes": "21:00", "ahead": ahead,
    });
    serde_json::from_value(text).unwrap()
}

/// Two organizations with the same numbers.
async fn two(many: usize) -> Coalition {
    let coalition = Coalition::two().await;
    phones(coalition.node(0), "ours", many).await;
    phones(coalition.node(1), "theirs", many).await;
    // It is nine in the morning where they are.
    coalition.hours(2).await;
    coalition
}

async fn open(coalition: &Coalition, n: usize, list: &str, ahead: u64) -> u64 {
    let app = coalition.node(n);
    let (_, number) = bank::open(app, &opening(list, ahead), false).await.unwrap();
    coalition.settle().await;
    number.unwrap()
}

async fn ask(app: &App, bank: u64, caller: &str) -> Option<Call> {
    match next::next(app, bank, caller).await.unwrap() {
        Next::Call(call) => Some(call),
        Next::Wait { .. } => None,
    }
}

/// Why a caller is given nothing now.
async fn waits(app: &App, bank: u64) -> String {
    match next::next(app, bank, "Ana").await.unwrap() {
        Next::Call(call) => panic!("{call:?}"),
        Next::Wait { why, .. } => why,
    }
}

async fn tell(app: &App, call: &Call, result: &str) -> Result<Told, String> {
    let outcome = Outcome {
        lease: call.lease.clone(),
        result: result.to_owned(),
        person: None,
        stay: false,
    };
    let told = outcome::tell(app, &outcome).await;
    told.map_err(|failure| failure.0.detail)
}

async fn counts(app: &App, number: u64) -> [u64; 4] {
    let counts = bank::standing(app, number).await.unwrap().counts;
    let of = |state| counts.get(&state).copied().unwrap_or_default();
    [
        CallState::Waiting,
        CallState::Leased,
        CallState::Done,
        CallState::Left,
    ]
    .map(of)
}

#[tokio::test]
async fn callers_of_two_organizations_never_get_the_same_number() {
    let coalition = two(40).await;
    let banks = [
        open(&coalition, 0, "ours", 6).await,
        open(&coalition, 1, "theirs", 6).await,
    ];
    let mut called = BTreeSet::new();
    let mut rounds = 0;
    loop {
        rounds += 1;
        assert!(rounds < 60, "{called:?}");
        let mut calls = 0;
        for (n, number) in banks.iter().enumerate() {
            let app = coalition.node(n);
            for caller in ["Ana", "Ben", "Cy"] {
                let Some(call) = ask(app, *number, caller).await else {
                    continue;
                };
                assert!(
                    called.insert(call.number.clone()),
                    "{} was given twice",
                    call.number
                );
                tell(app, &call, "CV").await.unwrap();
                calls += 1;
            }
        }
        coalition.pass(60_000).await;
        coalition.settle().await;
        if calls == 0 && called.len() == 40 {
            break;
        }
    }
    let state = coalition.state().await;
    assert_eq!(state.contacts.len(), 40, "every call is known to allies");
}

#[tokio::test]
async fn a_phone_bank_claims_a_portion_and_leaves_the_rest_to_allies() {
    let coalition = two(40).await;
    let number = open(&coalition, 0, "ours", 6).await;
    assert_eq!(counts(coalition.node(0), number).await, [6, 0, 0, 0]);
    let theirs = bank::open(coalition.node(1), &opening("theirs", 6), true).await;
    let (answer, none) = theirs.unwrap();
    let free = answer
        .checked
        .iter()
        .filter(|point| point.by.is_none())
        .count();
    assert_eq!((free, none), (34, None), "a dry run opens nothing");
    assert!(bank::list(coalition.node(1)).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_caller_who_asks_again_has_the_same_number_and_another_caller_another() {
    let coalition = two(6).await;
    let ours = coalition.node(0);
    let number = open(&coalition, 0, "ours", 6).await;
    let first = ask(ours, number, "Ana").await.unwrap();
    assert_eq!(ask(ours, number, " Ana ").await.unwrap().lease, first.lease);
    let second = ask(ours, number, "Ben").await.unwrap();
    assert_ne!(first.number, second.number);
    assert_eq!(counts(ours, number).await, [4, 2, 0, 0]);
}

#[tokio::test]
async fn a_number_whose_time_has_run_out_goes_to_another_caller_and_the_late_result_is_refused() {
    let coalition = two(1).await;
    let ours = coalition.node(0);
    let number = open(&coalition, 0, "ours", 6).await;
    let late = ask(ours, number, "Ana").await.unwrap();
    assert!(ask(ours, number, "Ben").await.is_none());
    coalition.pass(10 * 60_000).await;
    coalition.settle().await;
    let again = ask(ours, number, "Ben").await.unwrap();
    assert_eq!(again.number, late.number);
    let why = tell(ours, &late, "CV").await.unwrap_err();
    assert!(why.contains("somebody else"), "{why}");
    tell(ours, &again, "CV").await.unwrap();
    assert_eq!(counts(ours, number).await, [0, 0, 1, 0]);
}

#[tokio::test]
async fn busy_lines_and_empty_homes_are_tried_again_later_and_only_so_often() {
    let coalition = two(1).await;
    let ours = coalition.node(0);
    let number = open(&coalition, 0, "ours", 6).await;
    for (result, pause) in [("BZ", BUSY_PAUSE), ("NH", AWAY_PAUSE)] {
        let call = ask(ours, number, "Ana").await.unwrap();
        let told = tell(ours, &call, result).await.unwrap();
        assert_eq!(told.again_at, Some(coalition.now().0 + pause));
        assert!(ask(ours, number, "Ana").await.is_none(), "not at once");
        coalition.pass(pause).await;
        coalition.settle().await;
    }
    // In the evening nobody is called; the next morning is another day.
    let call = ask(ours, number, "Ana").await;
    let call = call.expect("it is still light");
    assert_eq!(call.tries, 2);
    assert_eq!(tell(ours, &call, "Not Home").await.unwrap().again_at, None);
    assert_eq!(counts(ours, number).await, [0, 0, 1, 0]);
}

#[tokio::test]
async fn who_asked_to_be_left_alone_since_the_queue_was_made_is_passed_over() {
    let coalition = Coalition::two().await;
    let ours = coalition.node(0);
    let ids = phones(ours, "ours", 3).await;
    coalition.hours(2).await;
    let number = open(&coalition, 0, "ours", 6).await;
    for id in &ids[..2] {
        let mark = Mark {
            subject: Subject::Person(id.clone()),
            channels: Channels::only(Channel::Phone),
            cause: Cause::DoNotContact,
            source: "desk",
            withdraw: false,
            dry_run: false,
        };
        mark::mark(ours, &mark).await.unwrap();
    }
    let call = ask(ours, number, "Ana").await.unwrap();
    assert_eq!(call.people[0].person_id, ids[2]);
    tell(ours, &call, "DC").await.unwrap();
    assert!(ask(ours, number, "Ana").await.is_none());
    assert_eq!(counts(ours, number).await[1..], [0, 1, 2]);
}

#[tokio::test]
async fn nobody_is_called_outside_hours_or_after_the_end() {
    let coalition = two(2).await;
    let ours = coalition.node(0);
    let number = open(&coalition, 0, "ours", 6).await;
    coalition.hours(12).await;
    let why = waits(ours, number).await;
    assert!(why.contains("it is 21:00 here"), "{why}");
    coalition.hours(12).await;
    let call = ask(ours, number, "Ana").await.unwrap();
    let closed = bank::close(ours, number, true).await.unwrap();
    assert_eq!(closed.given_back, 1, "one waits, one is with a caller");
    assert_eq!(
        bank::close(ours, number, false).await.unwrap().given_back,
        1
    );
    coalition.settle().await;
    let closed = next::next(ours, number, "Ana").await.unwrap_err();
    assert!(closed.0.detail.contains("this phone bank is closed"));
    tell(ours, &call, "CV").await.unwrap();
    let free = bank::open(coalition.node(1), &opening("theirs", 6), true).await;
    let (answer, _) = free.unwrap();
    let free = answer.checked.iter().filter(|point| point.by.is_none());
    assert_eq!(free.count(), 1, "what was not called is free again");
}

#[tokio::test]
async fn words_that_make_no_sense_are_refused_with_what_to_do() {
    let coalition = two(2).await;
    let ours = coalition.node(0);
    let number = open(&coalition, 0, "ours", 6).await;
    let call = ask(ours, number, "Ana").await.unwrap();
    let why = tell(ours, &call, "XX").await.unwrap_err();
    assert!(why.contains("BZ (Busy)"), "{why}");
    let other = Call {
        lease: "a".repeat(26),
        ..call.clone()
    };
    assert!(tell(ours, &other, "CV").await.is_err());
    for caller in ["", " ", "a\nb", &"x".repeat(101)] {
        assert!(
            next::next(ours, number, caller).await.is_err(),
            "{caller:?}"
        );
    }
    let none = next::next(ours, 99, "Ana").await.unwrap_err();
    assert!(none.0.detail.contains("no phone bank 99"));
    let no_list = bank::open(ours, &opening("nobody", 6), false).await;
    assert!(no_list.is_err());
}

#[tokio::test]
async fn a_household_keeps_its_caller_until_the_last_of_them_was_talked_to() {
    let coalition = Coalition::two().await;
    let ours = coalition.node(0);
    let both = [("Ann", "Ash"), ("Bob", "Ash")].map(|(given, surname)| Somebody {
        given,
        surname,
        phone: "+16145550100",
        ..Somebody::default()
    });
    let ids = put(ours, "ours", &both).await;
    coalition.hours(2).await;
    let number = open(&coalition, 0, "ours", 6).await;
    let call = ask(ours, number, "Ana").await.unwrap();
    assert_eq!(call.people.len(), 2);
    assert!(
        tell(ours, &call, "CV")
            .await
            .unwrap_err()
            .contains("several people")
    );
    for (id, stay) in ids.iter().zip([true, false]) {
        let outcome = Outcome {
            lease: call.lease.clone(),
            result: "CV".to_owned(),
            person: Some(id.clone()),
            stay,
        };
        outcome::tell(ours, &outcome).await.unwrap();
    }
    assert_eq!(counts(ours, number).await, [0, 0, 1, 0]);
}

fn queued(bank: u64, point: &str) -> Queued {
    Queued {
        bank,
        point_id: point.to_owned(),
        claim_id: "claim".to_owned(),
        state: CallState::Waiting,
        tries: 0,
        ready_at: 0,
        lease: None,
        caller: String::new(),
    }
}

fn opened() -> Bank {
    Bank {
        bank: 0,
        list: None,
        area: None,
        first_day: "2026-11-25".to_owned(),
        last_day: "2026-11-27".to_owned(),
        opens: 540,
        closes: 1_200,
        lease: 600_000,
        tries: 3,
        ahead: 200,
        open: true,
        looked_at: 0,
        why: String::new(),
    }
}

#[tokio::test]
async fn a_queue_hands_out_each_number_once_on_both_databases() {
    for test in stores().await {
        let mut tx = test.store.write("test").await.unwrap();
        let number = store::call::insert(&mut tx, &opened(), NOON.0)
            .await
            .unwrap();
        store::call::claimed(&mut tx, number, "claim")
            .await
            .unwrap();
        let points = ["one", "two", "one"].map(str::to_owned);
        store::call::queue(&mut tx, number, "claim", &points)
            .await
            .unwrap();
        let first = store::call::next(&mut tx, number, NOON.0)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(first, queued(number, "one"));
        let leased = Queued {
            state: CallState::Leased,
            lease: Some("lease".to_owned()),
            ready_at: NOON.0 + 5,
            caller: "Ana".to_owned(),
            ..first.clone()
        };
        assert!(store::call::change(&mut tx, &first, &leased).await.unwrap());
        assert!(
            !store::call::change(&mut tx, &first, &leased).await.unwrap(),
            "who was slower gets nothing"
        );
        let held = store::call::held_by(&mut tx, number, "Ana", NOON.0)
            .await
            .unwrap();
        assert_eq!(held.as_ref(), Some(&leased));
        assert_eq!(store::call::by_lease(&mut tx, "lease").await.unwrap(), held);
        let second = store::call::next(&mut tx, number, NOON.0)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(second.point_id, "two");
        let again = store::call::next(&mut tx, number, NOON.0 + 5)
            .await
            .unwrap();
        assert_eq!(
            again.unwrap(),
            leased,
            "a lease that has run out is ready again"
        );
        store::call::close(&mut tx, number).await.unwrap();
        assert!(
            !store::call::find(&mut tx, number)
                .await
                .unwrap()
                .unwrap()
                .open
        );
        assert!(
            store::call::waiting_of(&mut tx, "claim")
                .await
                .unwrap()
                .is_empty()
        );
    }
}
