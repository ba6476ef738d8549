//! Standing claims: the same days of every week, taken ahead as a person would take them.

use crate::{
    site::stores,
    support::{
        coalition::Coalition,
        people::{Somebody, put},
    },
};
use commonturf::{
    app::App,
    claims::{
        show::{self, Summary},
        standing::{self, Wish},
        take::{self, From, Question},
    },
    store::{self, standing::Standing},
};
use protocol::{channel::Channel, time::DAY};

/// Two organizations with the same three houses.
async fn two() -> Coalition {
    let coalition = Coalition::two().await;
    for (n, list) in [(0, "ours"), (1, "theirs")] {
        let people = ["1 Elm St", "2 Elm St", "3 Elm St"].map(|line1| Somebody {
            given: "Ann",
            surname: "Ash",
            line1,
            ..Somebody::default()
        });
        put(coalition.node(n), list, &people).await;
    }
    coalition.settle().await;
    coalition
}

fn weekends() -> Wish {
    Wish {
        list: Some("ours".to_owned()),
        area: None,
        channel: Channel::Door,
        on: vec!["Saturday".to_owned(), "sun".to_owned()],
        ahead: 7,
        until: None,
    }
}

/// Own claims, oldest first.
async fn claims(app: &App) -> Vec<Summary> {
    let mut own = show::list(app, false).await.unwrap();
    own.sort_by_key(|claim| claim.from);
    own
}

#[tokio::test]
async fn every_weekend_is_claimed_a_week_ahead_and_once() {
    let coalition = two().await;
    let ours = coalition.node(0);
    let (number, windows) = standing::add(ours, &weekends(), false).await.unwrap();
    assert_eq!((number, windows.len()), (Some(1), 1));
    coalition.settle().await;
    coalition.hours(1).await;
    assert_eq!(claims(ours).await.len(), 1);
    for _ in 0..7 {
        coalition.pass(DAY).await;
        coalition.settle().await;
    }
    let claims = claims(ours).await;
    assert_eq!(claims.len(), 2, "{claims:?}");
    assert!(
        claims
            .iter()
            .all(|claim| claim.granted == 3 && claim.to - claim.from == 2 * DAY)
    );
    assert_eq!(claims[1].from - claims[0].from, 7 * DAY);
}

#[tokio::test]
async fn a_weekend_that_an_ally_took_first_is_left_to_the_ally() {
    let coalition = two().await;
    let question = Question {
        from: From::List("theirs".to_owned()),
        channel: Channel::Door,
        first: "2026-11-28".parse().unwrap(),
        last: "2026-11-29".parse().unwrap(),
        portion: None,
    };
    take::take(coalition.node(1), question).await.unwrap();
    coalition.settle().await;
    let ours = coalition.node(0);
    standing::add(ours, &weekends(), false).await.unwrap();
    coalition.settle().await;
    let claims = claims(ours).await;
    assert_eq!((claims.len(), claims[0].granted), (1, 0));
    assert_eq!(claims[0].state, "refused");
}

#[tokio::test]
async fn an_ended_one_claims_nothing_more_and_keeps_what_it_has() {
    let coalition = two().await;
    let ours = coalition.node(0);
    standing::add(ours, &weekends(), false).await.unwrap();
    coalition.settle().await;
    standing::end(ours, 1).await.unwrap();
    for _ in 0..7 {
        coalition.pass(DAY).await;
        coalition.settle().await;
    }
    assert_eq!(claims(ours).await.len(), 1);
    let again = standing::end(ours, 1).await.unwrap_err();
    assert!(again.0.detail.contains("no standing claim 1"));
}

#[tokio::test]
async fn a_dry_run_says_the_next_windows_and_what_makes_no_sense_is_refused() {
    let coalition = two().await;
    let ours = coalition.node(0);
    let (number, windows) = standing::add(ours, &weekends(), true).await.unwrap();
    assert_eq!(number, None);
    assert_eq!(windows[0].0, "2026-11-28".parse().unwrap());
    let wrong = [
        Wish {
            on: vec![],
            ..weekends()
        },
        Wish {
            on: vec!["someday".to_owned()],
            ..weekends()
        },
        Wish {
            on: vec!["s".to_owned()],
            ..weekends()
        },
        Wish {
            ahead: 90,
            ..weekends()
        },
        Wish {
            list: Some("nobody".to_owned()),
            ..weekends()
        },
        Wish {
            area: Some("nowhere".to_owned()),
            ..weekends()
        },
        Wish {
            until: Some("2026-11-01".parse().unwrap()),
            ..weekends()
        },
    ];
    for wish in wrong {
        assert!(standing::add(ours, &wish, false).await.is_err(), "{wish:?}");
    }
    assert!(standing::list(ours).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_standing_claim_comes_back_as_it_was_written_on_both_databases() {
    for test in stores().await {
        let mut tx = test.store.write("test").await.unwrap();
        let mut made = Standing {
            number: 0,
            list: Some("ours".to_owned()),
            area: None,
            channel: Channel::Door,
            weekdays: 0b110_0000,
            ahead: 7,
            until_day: Some("2026-12-31".to_owned()),
            done_day: "2026-11-24".to_owned(),
            looked_at: 0,
            why: String::new(),
        };
        made.number = store::standing::insert(&mut tx, &made).await.unwrap();
        assert_eq!(store::standing::all(&mut tx).await.unwrap(), [made.clone()]);
        store::standing::looked(&mut tx, 1, "2026-11-29", 5, "nothing")
            .await
            .unwrap();
        let now = store::standing::all(&mut tx).await.unwrap();
        assert_eq!(
            (now[0].done_day.as_str(), now[0].why.as_str()),
            ("2026-11-29", "nothing")
        );
        assert!(store::standing::end(&mut tx, 1).await.unwrap());
        assert!(!store::standing::end(&mut tx, 1).await.unwrap());
        assert_eq!(store::standing::insert(&mut tx, &made).await.unwrap(), 2);
    }
}
