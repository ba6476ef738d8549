//! Contact reports: told once, of any age, and what they do to allies' claims.

use crate::support::{
    coalition::Coalition,
    people::{Somebody, put},
};
use commonturf::{
    app::App,
    claims::{
        change::{self, Part},
        check::{self, Standing},
        take,
        take::{From, Question},
        walk_list,
    },
    store::{self, contact::Contact},
};
use protocol::{
    channel::Channel,
    time::{DAY, Moment},
};

const ANN: Somebody<'_> = Somebody {
    given: "Ann",
    surname: "Ash",
    line1: "12 Elm St",
    phone: "",
    email: "",
    voter_id: "OH1",
    van_id: "",
};

async fn both_know_ann() -> Coalition {
    let coalition = Coalition::two().await;
    put(coalition.node(0), "ours", &[ANN]).await;
    put(coalition.node(1), "theirs", &[ANN]).await;
    coalition.settle().await;
    coalition
}

async fn contact(app: &App, at: Moment, effect: &str, own: bool) {
    let mut tx = app.store.write("test").await.unwrap();
    let row: (String, String) = sqlx::query_as(
        "SELECT p.point_id, pp.person_id FROM point p JOIN person_point pp ON pp.point_id = p.point_id WHERE p.class = 0",
    )
    .fetch_one(&mut *tx)
    .await
    .unwrap();
    let contact = Contact {
        contact_id: format!("{}/{effect}", at.0),
        person_id: Some(row.1),
        point_id: Some(row.0),
        channel: Some("door".to_owned()),
        at: at.0,
        whole_day: false,
        effect: effect.to_owned(),
        result: effect.to_owned(),
        flagged: false,
        committee: String::new(),
        own,
        import_id: "test".to_owned(),
        told: None,
    };
    assert!(store::contact::insert(&mut tx, &contact).await.unwrap());
    tx.commit().await.unwrap();
}

async fn told(app: &App) -> i64 {
    let mut db = app.store.read("test").await.unwrap();
    sqlx::query_scalar("SELECT COUNT(*) FROM contact WHERE told IS NOT NULL")
        .fetch_one(&mut *db)
        .await
        .unwrap()
}

async fn standing(coalition: &Coalition, n: usize, list: &str) -> (Standing, Option<i64>) {
    let question = Question {
        from: From::List(list.to_owned()),
        channel: Channel::Door,
        first: "2026-11-26".parse().unwrap(),
        last: "2026-11-28".parse().unwrap(),
        portion: None,
    };
    let answer = take::look(coalition.node(n), question).await.unwrap();
    let point = &answer.checked[0];
    (point.standing, point.until.map(|until| until.0))
}

#[tokio::test]
async fn an_old_contact_counts_for_allies_and_not_for_its_maker() {
    let coalition = both_know_ann().await;
    let at = coalition.now().plus(-10 * DAY);
    contact(coalition.node(0), at, "contact-made", true).await;
    coalition.settle().await;
    let recent = (Standing::Recent, Some(at.plus(14 * DAY).0));
    assert_eq!(standing(&coalition, 1, "theirs").await, recent);
    assert_eq!(standing(&coalition, 0, "ours").await.0, Standing::Free);
}

#[tokio::test]
async fn a_report_older_than_the_window_is_taken_and_closes_nothing() {
    let coalition = both_know_ann().await;
    contact(
        coalition.node(0),
        coalition.now().plus(-400 * DAY),
        "answer",
        true,
    )
    .await;
    coalition.settle().await;
    assert_eq!(coalition.state().await.contacts.len(), 1);
    assert_eq!(standing(&coalition, 1, "theirs").await.0, Standing::Free);
}

#[tokio::test]
async fn an_attempt_alone_opens_no_window_under_these_terms() {
    let coalition = both_know_ann().await;
    contact(
        coalition.node(0),
        coalition.now().plus(-DAY),
        "attempt-only",
        true,
    )
    .await;
    coalition.settle().await;
    assert_eq!(told(coalition.node(0)).await, 1);
    assert_eq!(standing(&coalition, 1, "theirs").await.0, Standing::Free);
}

#[tokio::test]
async fn a_contact_is_told_once_however_often_the_job_runs() {
    let mut coalition = both_know_ann().await;
    contact(
        coalition.node(1),
        coalition.now().plus(-DAY),
        "contact-made",
        true,
    )
    .await;
    coalition.cut(true);
    coalition.round().await;
    coalition.restart(1).await;
    coalition.cut(false);
    coalition.settle().await;
    coalition.settle().await;
    let mut db = coalition.node(1).store.read("test").await.unwrap();
    let reports: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM history WHERE kind = 'contact_report'")
            .fetch_one(&mut *db)
            .await
            .unwrap();
    assert_eq!(reports, 1);
}

#[tokio::test]
async fn others_attempts_marks_and_days_to_come_are_not_told() {
    let coalition = both_know_ann().await;
    let app = coalition.node(0);
    contact(app, coalition.now().plus(-DAY), "contact-made", false).await;
    contact(app, coalition.now().plus(-DAY), "do-not-knock", true).await;
    contact(app, coalition.now().plus(5 * DAY), "contact-made", true).await;
    coalition.settle().await;
    assert_eq!(told(app).await, 0);
    assert!(coalition.state().await.contacts.is_empty());
}

#[tokio::test]
async fn the_rest_of_a_claim_is_what_was_not_contacted() {
    let coalition = both_know_ann().await;
    let app = coalition.node(0);
    put(
        app,
        "ours",
        &[Somebody {
            line1: "14 Elm St",
            voter_id: "OH2",
            ..ANN
        }],
    )
    .await;
    coalition.settle().await;
    let question = Question {
        from: From::List("ours".to_owned()),
        channel: Channel::Door,
        first: "2026-11-25".parse().unwrap(),
        last: "2026-11-28".parse().unwrap(),
        portion: None,
    };
    let (_, id) = take::take(app, question).await.unwrap();
    coalition.settle().await;
    let mut tx = app.store.write("test").await.unwrap();
    let point: String =
        sqlx::query_scalar("SELECT point_id FROM point WHERE display = '14 Elm St, 43215'")
            .fetch_one(&mut *tx)
            .await
            .unwrap();
    let visit = Contact {
        contact_id: "visit".to_owned(),
        person_id: None,
        point_id: Some(point),
        channel: Some("door".to_owned()),
        at: coalition.now().0,
        whole_day: false,
        effect: "contact-made".to_owned(),
        result: "Canvassed".to_owned(),
        flagged: false,
        committee: String::new(),
        own: true,
        import_id: "test".to_owned(),
        told: None,
    };
    assert!(store::contact::insert(&mut tx, &visit).await.unwrap());
    tx.commit().await.unwrap();
    let (_, _, count) = change::release(app, &id.to_string(), Part::Rest)
        .await
        .unwrap();
    coalition.settle().await;
    assert_eq!(count, 1);
    assert_eq!(
        standing(&coalition, 1, "theirs").await.0,
        Standing::Free,
        "12 Elm St is back"
    );
    assert_eq!(coalition.state().await.claims.len(), 1, "14 Elm St is kept");
}

/// Contacts with Ann at her door, so many days ago.
async fn contacts(coalition: &Coalition, n: usize, days: &[i64]) {
    for days in days {
        let at = coalition.now().plus(-days * DAY);
        contact(coalition.node(n), at, "contact-made", true).await;
    }
}

#[tokio::test]
async fn who_was_contacted_as_often_as_agreed_is_left_out_before_anything_is_claimed() {
    let coalition = Coalition::two().await;
    let at_the_phone = Somebody {
        phone: "614-555-0100",
        ..ANN
    };
    put(coalition.node(0), "ours", &[at_the_phone]).await;
    put(coalition.node(1), "theirs", &[ANN]).await;
    coalition.settle().await;
    // Three contacts at her door by both organizations: her phone has none, and she is one person.
    contacts(&coalition, 0, &[13, 11]).await;
    contacts(&coalition, 1, &[12]).await;
    coalition.settle().await;
    let question = || Question {
        from: From::List("ours".to_owned()),
        channel: Channel::Phone,
        first: "2026-11-26".parse().unwrap(),
        last: "2026-11-27".parse().unwrap(),
        portion: None,
    };
    let app = coalition.node(0);
    let answer = take::look(app, question()).await.unwrap();
    let free_from = coalition.now().plus(-13 * DAY).plus(14 * DAY);
    assert_eq!(answer.checked[0].standing, Standing::Capped);
    assert!(answer.checked[0].left_out);
    let waiting = check::waiting(&answer.checked);
    assert_eq!((waiting.people, waiting.until), (1, Some(free_from.0)));
    let refused = take::take(app, question()).await.unwrap_err().0.detail;
    assert!(
        refused.contains("as often as the agreement allows"),
        "{refused}"
    );
    assert!(coalition.state().await.claims.is_empty());
}

#[tokio::test]
async fn a_walk_list_leaves_out_who_reached_the_cap_meanwhile_and_says_until_when() {
    let coalition = both_know_ann().await;
    contacts(&coalition, 0, &[9, 8]).await;
    coalition.settle().await;
    let question = Question {
        from: From::List("ours".to_owned()),
        channel: Channel::Door,
        first: "2026-11-25".parse().unwrap(),
        last: "2026-11-28".parse().unwrap(),
        portion: None,
    };
    let (_, claim) = take::take(coalition.node(0), question).await.unwrap();
    coalition.settle().await;
    let claim = claim.to_string();
    let list = walk_list::make(coalition.node(0), &claim).await.unwrap();
    assert!(list.text.contains("Ash") && list.capped.people == 0);
    // One more contact, by phone or door, reaches the cap: the door stays claimed, and nobody goes.
    contacts(&coalition, 0, &[1]).await;
    coalition.settle().await;
    let list = walk_list::make(coalition.node(0), &claim).await.unwrap();
    assert!(!list.text.contains("Ash"));
    let until = coalition.now().plus(-9 * DAY).plus(14 * DAY).0;
    assert_eq!((list.capped.people, list.capped.until), (1, Some(until)));
}

#[tokio::test]
async fn the_fold_refuses_a_point_at_the_cap_and_says_when_it_is_free() {
    let coalition = both_know_ann().await;
    contacts(&coalition, 0, &[13, 12, 11]).await;
    coalition.settle().await;
    let state = coalition.state().await;
    let (_, rules) = state.rules().unwrap();
    let key = state.contacts.iter().next().unwrap().0;
    let until = coalition.now().plus(DAY);
    assert_eq!(
        state.capped(rules, &[key.token], coalition.now()),
        Some(until)
    );
    assert_eq!(state.capped(rules, &[key.token], until), None);
}
