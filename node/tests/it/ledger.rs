//! What keepers know of evaluations: how fast a list may grow, and what a restored keeper has forgotten.

use crate::support::{
    coalition::Coalition,
    people::{Somebody, put},
};
use commonturf::{
    api::tokens,
    app::App,
    federation::ledger::{Ask, Place},
    store::{self, keeper::Slot},
    sync::{keeper_client::Keeper, keepers::Seat},
};
use protocol::{
    fold::ceremony,
    problem::ProblemKind,
    time::HOUR,
    token::{Class, EVAL_POINTS, EvalRequest, Kind, Normalized, blind::prepare},
};

const NAMES: [(&str, &str); 4] = [
    ("Tenants United", "c4"),
    ("Green Table", "c3"),
    ("River Watch", "c4"),
    ("Bus Riders", "c4"),
];

fn terms() -> &'static str {
    policy::terms::template("us-issue-table").unwrap().text
}

async fn three_keepers() -> Coalition {
    let coalition = Coalition::with_addresses(&NAMES, terms(), 3).await;
    coalition.keep(3).await;
    coalition.settle().await;
    coalition
}

/// So many people with an address each, from a number on.
async fn many(app: &App, list: &str, from: usize, count: usize) {
    let emails: Vec<String> = (from..from + count)
        .map(|n| format!("p{n}@example.org"))
        .collect();
    let person = |email| Somebody {
        email,
        ..Somebody::default()
    };
    let people: Vec<Somebody<'_>> = emails.iter().map(|email| person(email)).collect();
    put(app, list, &people).await;
}

async fn email(app: &App) -> store::token_job::Progress {
    let classes = tokens::read(app).await.unwrap().classes;
    let found = classes
        .into_iter()
        .find(|progress| progress.class == Class::Email);
    found.unwrap()
}

#[tokio::test]
async fn a_list_that_grows_too_fast_waits_says_until_when_and_goes_on_by_itself() {
    let slow = terms().replace("email = 1_100_000", "email = 20_000");
    assert_ne!(slow, terms());
    let coalition = Coalition::of(&NAMES[..2], &slow).await;
    let app = coalition.node(1);
    many(app, "many", 0, EVAL_POINTS).await;
    coalition.settle().await;
    assert_eq!(email(app).await.waiting, 0, "one batch passes in any case");
    let day = coalition.now();
    coalition.pass(HOUR).await;
    many(app, "more", EVAL_POINTS, 3).await;
    coalition.settle().await;
    let progress = email(app).await;
    assert_eq!(progress.waiting, 3);
    let problem = progress.problem.unwrap();
    assert!(problem.contains("goes on at 2026-11-26 12:"), "{problem}");
    assert!(progress.retry_at.unwrap() >= day.plus(22 * HOUR).0);
    // Another class and another member go on.
    put(
        app,
        "others",
        &[Somebody {
            phone: "614-555-0123",
            ..Somebody::default()
        }],
    )
    .await;
    many(coalition.node(0), "ours", 0, 3).await;
    coalition.settle().await;
    assert_eq!(email(coalition.node(0)).await.waiting, 0);
    let all = tokens::read(app).await.unwrap().classes;
    assert_eq!(all.iter().map(|class| class.waiting).sum::<u64>(), 3);
    coalition.hours(22).await;
    assert_eq!(email(app).await.waiting, 3);
    coalition.hours(2).await;
    let progress = email(app).await;
    assert_eq!((progress.waiting, progress.problem), (0, None));
}

/// How many slots a keeper's ledger has of a generation.
async fn slots(app: &App, generation: u32) -> usize {
    let mut db = app.store.read("test").await.unwrap();
    let lines = store::ledger::after(&mut db, generation, None, 10_000).await;
    lines.unwrap().len()
}

async fn gaps(app: &App) -> Vec<(u32, i64)> {
    let mut db = app.store.read("test").await.unwrap();
    store::ledger::gaps(&mut db).await.unwrap()
}

async fn at(from: &App, to: &App) -> Keeper {
    let guard = from.coalition.read().await;
    let coalition = guard.as_ref().unwrap();
    let seat = Seat::of_member(from, coalition, to.me).unwrap();
    Keeper::at(coalition.row.id, seat)
}

/// A batch of one address under a number, for a quorum.
async fn batch(coalition: &Coalition, slot: u64, n: usize, quorum: &[u16]) -> EvalRequest {
    let state = coalition.state().await;
    let keyset = ceremony::current(&state).unwrap();
    let value = Normalized::stored(Kind::Email, format!("q{n}@example.org")).unwrap();
    let id = state.meta().coalition;
    let batch = prepare(&[3; 32], &id, &keyset, Class::Email, slot, &[value]).unwrap();
    batch.request(&keyset.quorum(quorum).unwrap())
}

/// The id under which a node holds a share.
async fn id(coalition: &Coalition, n: usize) -> u16 {
    let keyset = ceremony::current(&coalition.state().await).unwrap();
    keyset.id_of(&coalition.id(n)).unwrap()
}

#[tokio::test]
async fn a_restored_keeper_takes_over_what_it_forgot_before_it_evaluates_again() {
    let mut coalition = three_keepers().await;
    let backup = coalition.back_up(2).await;
    coalition.keep(3).await;
    many(coalition.node(3), "ours", 0, 3).await;
    coalition.settle().await;
    let member = coalition.node(3).clone();
    // The first slot of this member's addresses is spent at the keepers of some quorum.
    let mut quorum = vec![id(&coalition, 0).await, id(&coalition, 2).await];
    quorum.sort_unstable();
    let other = batch(&coalition, 0, 77, &quorum).await;
    commonturf::coalition::invite::invite(coalition.node(2), "a friend", 5)
        .await
        .unwrap();
    coalition.settle().await;
    // Whichever quorum it was, one of these two was in it.
    let [first, second] = [0, 1].map(|n| coalition.node(n).clone());
    let most = slots(&first, 2).await.max(slots(&second, 2).await);
    assert!(most > 0);
    coalition.restore(2, &backup).await;
    coalition.keep(3).await;
    let keeper = at(&member, coalition.node(2)).await;
    // Until it is back, and while the others are silent, it evaluates for nobody.
    while coalition.try_read(2).await.is_ok() {}
    let refused = keeper.evaluate(&member, &other).await.unwrap_err();
    assert_eq!(refused.kind(), Some(ProblemKind::Repair), "{refused}");
    coalition.settle().await;
    coalition.keep(3).await;
    coalition.pass(60_000).await;
    coalition.settle().await;
    assert!(gaps(coalition.node(2)).await.is_empty());
    let known = slots(coalition.node(2), 2).await;
    assert!(known >= most, "{known} of {most}");
    // Its people let it keep the log again; what it may have forgotten is asked for then, too.
    let refused = keeper.evaluate(&member, &other).await.unwrap_err();
    assert_eq!(refused.kind(), Some(ProblemKind::Repair), "{refused}");
    let app = coalition.node(2).clone();
    commonturf::keeper::raft::keep_again(&app).await.unwrap();
    assert_eq!(gaps(&app).await.len(), 1);
    coalition.settle().await;
    assert!(gaps(&app).await.is_empty());
    let refused = keeper.evaluate(&member, &other).await.unwrap_err();
    assert_eq!(refused.kind(), Some(ProblemKind::Conflict), "{refused}");
}

#[tokio::test]
async fn a_restored_keeper_waits_while_too_few_others_tell_it_what_it_forgot() {
    let coalition = three_keepers().await;
    let app = coalition.node(2).clone();
    let member = coalition.node(3).clone();
    let mut tx = app.store.write("test").await.unwrap();
    store::ledger::note_gap(&mut tx, 2).await.unwrap();
    tx.commit().await.unwrap();
    coalition.silence(1);
    coalition.settle().await;
    assert_eq!(gaps(&app).await.len(), 1, "one other of two is not enough");
    let mut quorum = vec![id(&coalition, 0).await, id(&coalition, 2).await];
    quorum.sort_unstable();
    let request = batch(&coalition, 9, 1, &quorum).await;
    let keeper = at(&member, &app).await;
    let refused = keeper.evaluate(&member, &request).await.unwrap_err();
    assert_eq!(refused.kind(), Some(ProblemKind::Repair));
}

#[tokio::test]
async fn a_sole_keeper_that_was_restored_counts_what_it_can_have_evaluated_since_for_spent() {
    let coalition = Coalition::of(&NAMES[..2], terms()).await;
    let app = coalition.node(0).clone();
    let member = coalition.node(1).clone();
    let state = coalition.state().await;
    let since = coalition.now();
    coalition.pass(25 * HOUR).await;
    coalition.settle().await;
    for _ in 0..2 {
        let mut tx = app.store.write("test").await.unwrap();
        commonturf::keeper::ledger::note_restored(&app, &mut tx, &state, since)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    }
    assert!(gaps(&app).await.is_empty(), "nobody can tell it more");
    let slot = Slot {
        member: member.me,
        class: Class::Email as i64,
        generation: 1,
        slot: 0,
    };
    let mut db = app.store.read("test").await.unwrap();
    let used = store::keeper::points_used(&mut db, slot).await.unwrap();
    drop(db);
    assert_eq!(used, 2 * 2 * 200_000, "two begun days, twice");
    // What was lost lies more than a day back, so it goes on at once.
    let request = batch(&coalition, 0, 1, &[1]).await;
    let calls = at(&member, &app).await;
    calls.evaluate(&member, &request).await.unwrap();
    let mut tx = app.store.write("test").await.unwrap();
    commonturf::keeper::ledger::note_restored(&app, &mut tx, &state, coalition.now())
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let request = batch(&coalition, 1, 2, &[1]).await;
    let refused = calls.evaluate(&member, &request).await.unwrap_err();
    assert_eq!(refused.kind(), Some(ProblemKind::Growth), "a copy of today");
}

#[tokio::test]
async fn a_ledger_is_told_to_keepers_of_the_same_keys_alone_and_only_a_whole_one() {
    let coalition = three_keepers().await;
    many(coalition.node(3), "ours", 0, 3).await;
    coalition.settle().await;
    // Two of the three keepers evaluated, whichever they are: one of the first two is among them.
    let known = slots(coalition.node(0), 2).await;
    let order = if known > 0 { [0, 1, 3] } else { [1, 0, 3] };
    let [first, second, member] = order.map(|n| coalition.node(n).clone());
    let ask = |generation| Ask {
        generation,
        after: None,
    };
    let keeper = at(&second, &first).await;
    let page = keeper.ledger(&second, &ask(2)).await.unwrap();
    assert_eq!(page.slots.len(), slots(&first, 2).await);
    let last = page.slots.last().unwrap().place;
    let after = Ask {
        generation: 2,
        after: Some(Place { ..last }),
    };
    let rest = keeper.ledger(&second, &after).await.unwrap();
    assert!(rest.slots.is_empty());
    // A member, a keeper of other keys, and keys that there are not.
    let by_member = at(&member, &first).await.ledger(&member, &ask(2)).await;
    let others = keeper.ledger(&second, &ask(1)).await;
    let unknown = keeper.ledger(&second, &ask(9)).await;
    for refused in [by_member, others, unknown] {
        assert_eq!(refused.unwrap_err().kind(), Some(ProblemKind::Forbidden));
    }
    let mut tx = first.store.write("test").await.unwrap();
    store::ledger::note_gap(&mut tx, 2).await.unwrap();
    tx.commit().await.unwrap();
    let refused = keeper.ledger(&second, &ask(2)).await.unwrap_err();
    assert_eq!(refused.kind(), Some(ProblemKind::Repair));
}
