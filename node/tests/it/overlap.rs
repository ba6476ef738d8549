//! Counts between whole nodes: asked, agreed, passed around, told in whole cells, and never which rows.

mod desk;

use crate::support::{
    alone::databases,
    coalition::Coalition,
    people::{Somebody, put},
};
use commonturf::{
    app::App,
    overlap::{
        say::{self, Wish},
        show::{self, Part, Shown, Standing},
    },
    store,
    sync::outbox,
};
use policy::Purpose;
use protocol::{
    blob::Manifest,
    codec,
    entry::{
        Entry,
        overlap::{OVERLAP_VERSION, OverlapPass, PassFault, PassedList},
    },
    id::EntryId,
    seal,
    state::overlap::{Ended, OVERLAPS_PER_PAIR},
    time::DAY,
};
use std::ops::Range;

const NAMES: [(&str, &str); 4] = [
    ("Tenants United", "c4"),
    ("Green Table", "c3"),
    ("Clean Air Fund", "c3"),
    ("River Watch", "c4"),
];

/// Puts people with these phone numbers on a list.
async fn phones(app: &App, list: &str, numbers: Range<u32>) {
    let numbers: Vec<String> = numbers.map(|n| format!("614-221-{n:04}")).collect();
    let somebody = |phone| Somebody {
        given: "Ann",
        surname: "Ash",
        phone,
        ..Somebody::default()
    };
    let people: Vec<Somebody<'_>> = numbers.iter().map(|phone| somebody(phone)).collect();
    put(app, list, &people).await;
}

/// Members with lists of phone numbers, on such databases.
async fn with_lists(lists: &[Range<u32>], databases: Vec<Option<String>>) -> Coalition {
    let terms = policy::terms::template("us-issue-table").unwrap().text;
    let coalition = Coalition::on(&NAMES[..lists.len()], terms, 1, databases).await;
    for (n, numbers) in lists.iter().enumerate() {
        phones(coalition.node(n), "members", numbers.clone()).await;
    }
    coalition.settle().await;
    coalition
}

fn wish(with: &[&str]) -> Wish {
    Wish {
        with: with.iter().map(|name| (*name).to_owned()).collect(),
        list: Some("members".to_owned()),
        by: "phone".to_owned(),
        purpose: Purpose::Gotv,
        least: None,
        days: None,
        counter: None,
        no_counter: false,
    }
}

async fn ask(coalition: &Coalition, n: usize, wish: &Wish) -> String {
    let draft = say::ask(coalition.node(n), wish).await.unwrap();
    coalition.settle().await;
    draft.overlap.to_string()
}

async fn agree(coalition: &Coalition, n: usize, overlap: &str) {
    let list = "members".to_owned();
    say::agree(coalition.node(n), overlap, Some(&list))
        .await
        .unwrap();
}

async fn seen(coalition: &Coalition, n: usize, overlap: &str) -> Shown {
    show::one(coalition.node(n), overlap).await.unwrap()
}

fn told(shown: &Shown) -> Vec<(Vec<usize>, u64, Option<u64>)> {
    let cells = shown.result.iter().flatten();
    cells
        .map(|cell| (cell.places.clone(), cell.at_least, cell.below))
        .collect()
}

async fn refusal(coalition: &Coalition, n: usize, wish: &Wish) -> String {
    let refused = say::ask(coalition.node(n), wish).await;
    refused.unwrap_err().0.detail
}

#[tokio::test]
async fn two_members_learn_a_rounded_count_that_a_third_made_on_both_databases() {
    for databases in databases(3).await {
        let coalition = with_lists(&[0..1, 0..150, 93..300], databases).await;
        let overlap = ask(&coalition, 1, &wish(&["Clean Air Fund"])).await;
        let waits = seen(&coalition, 2, &overlap).await;
        assert_eq!(
            (waits.part, waits.state),
            (Part::Asked, Standing::YourAnswer)
        );
        assert_eq!(waits.counter.as_deref(), Some("Tenants United"));
        agree(&coalition, 2, &overlap).await;
        coalition.settle().await;
        for n in [1, 2] {
            let shown = seen(&coalition, n, &overlap).await;
            assert_eq!(shown.state, Standing::Done, "{shown:?}");
            assert_eq!(told(&shown), [(vec![0, 1], 50, Some(60))]);
            let words = &shown.result.unwrap()[0].words;
            assert_eq!(words, "between 50 and 59 phone numbers");
        }
        // Who counts, and everybody else, sees that there was a count and how long the lists were.
        let shown = seen(&coalition, 0, &overlap).await;
        assert_eq!((shown.part, shown.state), (Part::Counter, Standing::Done));
        assert!(shown.result.is_none() && shown.list.is_none());
        secrets_are_gone(&coalition).await;
    }
}

async fn secrets_are_gone(coalition: &Coalition) {
    for n in 0..3 {
        let app = coalition.node(n);
        let mut db = app.store.read("test").await.unwrap();
        let left = store::overlap::with_secrets(&mut db).await.unwrap();
        assert!(left.is_empty());
    }
}

#[tokio::test]
async fn three_parties_count_by_themselves_on_both_databases() {
    for databases in databases(3).await {
        let coalition = with_lists(&[0..120, 50..200, 100..260], databases).await;
        let overlap = ask(&coalition, 0, &wish(&["Green Table", "Clean Air Fund"])).await;
        let row = coalition.state().await.overlaps;
        let parties = row.iter().next().unwrap().1.parties();
        agree(&coalition, 1, &overlap).await;
        coalition.settle().await;
        let halfway = seen(&coalition, 0, &overlap).await;
        assert_eq!((halfway.state, halfway.steps_done), (Standing::Asked, 0));
        agree(&coalition, 2, &overlap).await;
        coalition.settle().await;
        let lists = |n: usize| [0_u32..120, 50..200, 100..260][n].clone();
        let node = |place: usize| (0..3).find(|n| coalition.id(*n) == parties[place]).unwrap();
        for n in 0..3 {
            let shown = seen(&coalition, n, &overlap).await;
            assert_eq!((shown.state, shown.steps_done), (Standing::Done, 9));
            for (places, at_least, below) in told(&shown) {
                let lists = places.iter().map(|place| lists(node(*place)));
                let first = lists.clone().map(|list| list.start).max().unwrap();
                let last = lists.map(|list| list.end).min().unwrap();
                let count = u64::from(last - first);
                let whole = count - count % 10;
                assert_eq!((at_least, below), (whole, Some(whole + 10)), "{places:?}");
            }
            assert_eq!(told(&shown).len(), 4);
        }
    }
}

#[tokio::test]
async fn small_counts_are_fewer_than_a_cell_and_whole_lists_are_not_told_from_nearly_whole_ones() {
    let coalition = with_lists(&[0..150, 145..400], vec![None; 2]).await;
    let overlap = ask(&coalition, 0, &wish(&["Green Table"])).await;
    agree(&coalition, 1, &overlap).await;
    coalition.settle().await;
    let shown = seen(&coalition, 0, &overlap).await;
    assert_eq!(shown.counter, None, "there is nobody else to count");
    assert_eq!(told(&shown), [(vec![0, 1], 0, Some(10))]);
    phones(coalition.node(1), "everybody", 0..400).await;
    coalition.settle().await;
    let overlap = ask(&coalition, 0, &wish(&["Green Table"])).await;
    let list = "everybody".to_owned();
    say::agree(coalition.node(1), &overlap, Some(&list))
        .await
        .unwrap();
    coalition.settle().await;
    let shown = seen(&coalition, 1, &overlap).await;
    assert_eq!(told(&shown), [(vec![0, 1], 140, None)]);
}

#[tokio::test]
async fn nodes_that_are_killed_after_every_step_finish_the_count() {
    let mut coalition = with_lists(&[0..1, 0..150, 93..300], vec![None; 3]).await;
    let overlap = ask(&coalition, 1, &wish(&["Clean Air Fund"])).await;
    agree(&coalition, 2, &overlap).await;
    let mut rounds = 0;
    while seen(&coalition, 1, &overlap).await.result.is_none() {
        for n in 0..3 {
            coalition.restart(n).await;
        }
        coalition.round().await;
        rounds += 1;
        assert!(rounds < 60, "the count does not come to an end");
    }
    assert!(rounds > 2, "it was over before anybody was killed");
    coalition.settle().await;
    for n in [1, 2] {
        let shown = seen(&coalition, n, &overlap).await;
        assert_eq!(told(&shown), [(vec![0, 1], 50, Some(60))]);
    }
    let state = coalition.state().await;
    let row = state.overlaps.iter().next().unwrap().1;
    assert_eq!(row.passes.len(), 4, "no step was taken twice");
}

#[tokio::test]
async fn a_party_that_is_away_is_waited_for_and_for_so_long_only() {
    let coalition = with_lists(&[0..1, 0..150, 93..300], vec![None; 3]).await;
    let overlap = ask(&coalition, 1, &wish(&["Clean Air Fund"])).await;
    agree(&coalition, 2, &overlap).await;
    coalition.round().await;
    coalition.away(2, true);
    coalition.hours(24).await;
    let shown = seen(&coalition, 1, &overlap).await;
    assert_eq!(shown.state, Standing::UnderWay);
    coalition.away(2, false);
    coalition.settle().await;
    let shown = seen(&coalition, 2, &overlap).await;
    assert_eq!(shown.state, Standing::Done);
    // Nobody answers the next one.
    let overlap = ask(&coalition, 1, &wish(&["Clean Air Fund"])).await;
    coalition.pass(8 * DAY).await;
    coalition.settle().await;
    let shown = seen(&coalition, 2, &overlap).await;
    assert_eq!(shown.state, Standing::Expired);
    let late = say::agree(coalition.node(2), &overlap, None).await;
    assert!(late.unwrap_err().0.detail.contains("has ended"));
    secrets_are_gone(&coalition).await;
}

#[tokio::test]
async fn nobody_asks_with_a_short_list_or_with_itself_or_lets_a_party_count() {
    let coalition = with_lists(&[0..1, 0..150, 0..150], vec![None; 3]).await;
    let short = refusal(&coalition, 0, &wish(&["Green Table"])).await;
    assert!(short.contains("needs at least 100"), "{short}");
    let own = refusal(&coalition, 1, &wish(&["Green Table"])).await;
    assert!(own.contains("the other organizations"), "{own}");
    let nobody = refusal(&coalition, 1, &wish(&["River Watch"])).await;
    assert!(nobody.contains("no member"), "{nobody}");
    let mut party = wish(&["Clean Air Fund"]);
    party.counter = Some("Clean Air Fund".to_owned());
    assert!(refusal(&coalition, 1, &party).await.contains("no party"));
    let mut low = wish(&["Clean Air Fund"]);
    low.least = Some(99);
    assert!(refusal(&coalition, 1, &low).await.contains("at least 100"));
    let mut long = wish(&["Clean Air Fund"]);
    long.days = Some(14);
    assert!(refusal(&coalition, 1, &long).await.contains("1 to 13 days"));
    let mut other_key = wish(&["Clean Air Fund"]);
    other_key.by = "email".to_owned();
    let none = refusal(&coalition, 1, &other_key).await;
    assert!(none.contains("has 0 e-mail addresses"), "{none}");
    let mut no_list = wish(&["Clean Air Fund"]);
    no_list.list = Some("friends".to_owned());
    assert!(refusal(&coalition, 1, &no_list).await.contains("no list"));
    assert!(coalition.state().await.overlaps.is_empty());
    // A dry run says nothing either.
    say::draft_ask(coalition.node(1), &wish(&["Clean Air Fund"]))
        .await
        .unwrap();
    coalition.settle().await;
    assert!(coalition.state().await.overlaps.is_empty());
}

#[tokio::test]
async fn only_who_was_asked_answers_and_once() {
    let coalition = with_lists(&[0..150, 0..150, 0..150], vec![None; 3]).await;
    let overlap = ask(&coalition, 1, &wish(&["Clean Air Fund"])).await;
    let list = "members".to_owned();
    for (n, why) in [(0, "no party"), (1, "asked for the count")] {
        let refused = say::agree(coalition.node(n), &overlap, Some(&list)).await;
        let why_not = refused.unwrap_err().0.detail;
        assert!(why_not.contains(why), "{why_not}");
    }
    let refused = say::stop(coalition.node(0), &overlap).await;
    assert!(refused.unwrap_err().0.detail.contains("no party"));
    phones(coalition.node(2), "few", 0..9).await;
    coalition.settle().await;
    let few = "few".to_owned();
    let refused = say::agree(coalition.node(2), &overlap, Some(&few)).await;
    assert!(refused.unwrap_err().0.detail.contains("needs at least 100"));
    agree(&coalition, 2, &overlap).await;
    let twice = say::agree(coalition.node(2), &overlap, Some(&list)).await;
    assert!(twice.unwrap_err().0.detail.contains("waits for the keeper"));
    coalition.settle().await;
    let twice = say::agree(coalition.node(2), &overlap, Some(&list)).await;
    assert!(twice.unwrap_err().0.detail.contains("has ended"));
}

#[tokio::test]
async fn a_declined_count_moves_nothing() {
    let coalition = with_lists(&[0..1, 0..150, 0..150], vec![None; 3]).await;
    let overlap = ask(&coalition, 1, &wish(&["Clean Air Fund"])).await;
    say::stop(coalition.node(2), &overlap).await.unwrap();
    coalition.settle().await;
    let shown = seen(&coalition, 1, &overlap).await;
    assert_eq!((shown.state, shown.steps_done), (Standing::Stopped, 0));
    assert_eq!(
        shown.note.as_deref(),
        Some("Clean Air Fund did not want it")
    );
    secrets_are_gone(&coalition).await;
}

#[tokio::test]
async fn an_own_policy_or_too_many_counts_stand_in_the_way() {
    let coalition = with_lists(&[0..1, 0..150, 0..150], vec![None; 3]).await;
    for _ in 0..OVERLAPS_PER_PAIR {
        let overlap = ask(&coalition, 1, &wish(&["Clean Air Fund"])).await;
        agree(&coalition, 2, &overlap).await;
        coalition.settle().await;
    }
    let full = refusal(&coalition, 2, &wish(&["Green Table"])).await;
    assert!(full.contains("four times in the last 30 days"), "{full}");
    coalition.hours(31 * 24).await;
    let own = r#"
        @id("own.permit") @reason("All that is not forbidden.")
        permit (principal, action, resource);
        @id("own.no-counts") @reason("We compare no lists.")
        forbid (principal, action == Turf::Action::"viewResult", resource);
    "#;
    let file = coalition.node(2).dir.0.join("own-policy.cedar");
    std::fs::write(file, own).unwrap();
    let overlap = ask(&coalition, 1, &wish(&["Clean Air Fund"])).await;
    let refused = say::agree(coalition.node(2), &overlap, None).await;
    let why = refused.unwrap_err().0.detail;
    assert!(
        why.contains("We compare no lists. (own.no-counts)"),
        "{why}"
    );
}

/// A party that hands on something else than its list, in the place of its own node's work.
async fn cheat(coalition: &Coalition, n: usize, overlap: &str, bytes: &[u8], as_list: u8) {
    let app = coalition.node(n);
    let overlap: EntryId = overlap.parse().unwrap();
    let guard = coalition.node(2).coalition.read().await;
    let state = guard.as_ref().unwrap().state.clone();
    drop(guard);
    let row = state.overlaps.get(&overlap).unwrap();
    let place = u8::try_from(row.place(app.me).unwrap()).unwrap();
    let reader = state.document(row.readers(place, 0)[0]).unwrap();
    let plain = codec::encode(&PassedList {
        version: OVERLAP_VERSION,
        overlap,
        list: place + as_list,
        step: 0,
        points: bytes.to_vec(),
    });
    let sealed = seal::seal(&plain, &[reader.age_recipient().unwrap()]).unwrap();
    let manifest = Manifest::of(&sealed).unwrap();
    let size = row.size(place).unwrap() * 32;
    let entry: Entry = OverlapPass {
        overlap,
        list: place,
        step: 0,
        blob: manifest.id(),
        bytes: (sealed.len() as u64).clamp(size + 1, size + 60_000),
    }
    .into();
    let mut tx = app.store.write("test").await.unwrap();
    let step = format!("{place}/0");
    assert!(
        store::overlap::take_step(&mut tx, overlap, &step)
            .await
            .unwrap()
    );
    outbox::keep_blob(app, &mut tx, &manifest, &sealed)
        .await
        .unwrap();
    outbox::queue(app, &mut tx, entry, None).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_list_that_is_none_ends_the_count_openly_and_whoever_reads_it_keeps_its_own_secret() {
    let element = |n: u8| [n; 32];
    // 150 points are announced; none of these are that many group elements in rising order.
    let shorter = vec![0; 149 * 32];
    let equal = [1; 150 * 32].to_vec();
    let ascending: Vec<u8> = (0..150).flat_map(element).collect();
    let coalition = with_lists(&[0..1, 0..150, 0..150], vec![None; 3]).await;
    for (bytes, as_list, fault) in [
        (&shorter, 0, PassFault::Length),
        (&equal, 0, PassFault::Order),
        // The first of them is the identity, others are no elements.
        (&ascending, 0, PassFault::Element),
        (&ascending, 1, PassFault::Other),
    ] {
        let overlap = ask(&coalition, 1, &wish(&["Clean Air Fund"])).await;
        // All have agreed when the cheat speaks, and its own node has not heard of it.
        coalition.away(1, true);
        agree(&coalition, 2, &overlap).await;
        coalition.settle().await;
        cheat(&coalition, 1, &overlap, bytes, as_list).await;
        coalition.away(1, false);
        coalition.settle().await;
        let state = coalition.state().await;
        let row = state.overlaps.get(&overlap.parse().unwrap()).unwrap();
        let ended = row.ended.as_ref().map(|ended| &ended.how);
        let expected = Ended::Fault {
            by: coalition.id(2),
            list: 0,
            step: 0,
            fault,
        };
        assert_eq!(ended, Some(&expected));
        let shown = seen(&coalition, 2, &overlap).await;
        assert_eq!(shown.state, Standing::Failed);
        assert!(shown.result.is_none());
        secrets_are_gone(&coalition).await;
    }
}
