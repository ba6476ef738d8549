//! The report of what working together spares: the same at every member, and nothing counted twice.

use crate::{
    site::stores,
    support::{
        coalition::Coalition,
        people::{Somebody, put},
    },
};
use commonturf::{
    app::App,
    claims::take::{self, From, Question},
    impact::{
        report::{self, Ask, Impact},
        sheet,
    },
    store::{self, impact::Count},
};
use protocol::{channel::Channel, id::NodeId, time::DAY, token::Token};

/// So many houses of Elm Street, one person in each.
async fn street(app: &App, list: &str, houses: usize) {
    let lines: Vec<String> = (1..=houses).map(|n| format!("{n} Elm St")).collect();
    let people: Vec<Somebody<'_>> = lines
        .iter()
        .map(|line1| Somebody {
            given: "Ann",
            surname: "Ash",
            line1,
            ..Somebody::default()
        })
        .collect();
    put(app, list, &people).await;
}

async fn two() -> Coalition {
    let coalition = Coalition::two().await;
    street(coalition.node(0), "ours", 30).await;
    street(coalition.node(1), "theirs", 20).await;
    coalition.settle().await;
    coalition
}

async fn claim(coalition: &Coalition, n: usize, list: &str) {
    let question = Question {
        from: From::List(list.to_owned()),
        channel: Channel::Door,
        first: "2026-11-26".parse().unwrap(),
        last: "2026-11-28".parse().unwrap(),
        portion: None,
    };
    take::take(coalition.node(n), question).await.unwrap();
    coalition.settle().await;
}

fn ask() -> Ask {
    Ask {
        from: "2026-11-01".parse().unwrap(),
        to: "2026-12-31".parse().unwrap(),
        door_minutes: 6.0,
        phone_minutes: 2.0,
        hourly: 20.0,
    }
}

async fn made(app: &App) -> Impact {
    report::make(app, &ask()).await.unwrap()
}

#[tokio::test]
async fn every_member_reports_the_same_and_a_second_question_spares_nothing_more() {
    let coalition = two().await;
    claim(&coalition, 0, "ours").await;
    for _ in 0..2 {
        claim(&coalition, 1, "theirs").await;
    }
    let ours = made(coalition.node(0)).await;
    let part = |impact: &Impact, name: &str| {
        let found = impact.organizations.iter().find(|part| part.name == name);
        found.unwrap().clone()
    };
    let green = part(&ours, "Green Table");
    assert_eq!((green.asked, green.granted, green.spared), (40, 0, 20));
    let tenants = part(&ours, "Tenants United");
    assert_eq!((tenants.granted, tenants.spared_others), (30, 20));
    assert_eq!(
        (ours.spared_at_doors, ours.hours, ours.money),
        (20, 2.0, 40.0)
    );
    let theirs = made(coalition.node(1)).await;
    let told = |impact: &Impact| {
        let parts = impact.organizations.iter();
        let counts: Vec<_> = parts
            .map(|part| {
                (
                    part.name.clone(),
                    part.asked,
                    part.spared,
                    part.spared_others,
                )
            })
            .collect();
        (counts, impact.spared_at_doors, impact.counted_from)
    };
    assert_eq!(told(&ours), told(&theirs));
}

#[tokio::test]
async fn days_without_counts_and_days_before_say_nothing() {
    let coalition = two().await;
    claim(&coalition, 0, "ours").await;
    let before = Ask {
        from: "2025-01-01".parse().unwrap(),
        to: "2025-12-31".parse().unwrap(),
        ..ask()
    };
    let impact = report::make(coalition.node(0), &before).await.unwrap();
    assert_eq!(
        impact
            .organizations
            .iter()
            .map(|part| part.asked)
            .sum::<u64>(),
        0
    );
    assert_eq!(impact.counted_from, Some("2026-11-25".parse().unwrap()));
    assert!(impact.coverage.is_empty(), "nobody was contacted");
}

#[tokio::test]
async fn coverage_is_told_in_whole_cells_alone() {
    let coalition = two().await;
    let ours = coalition.node(0);
    let mut db = ours.store.read("test").await.unwrap();
    let generation = commonturf::claims::ground(ours).await.unwrap().generation;
    let list = store::list::by_name(&mut db, "ours")
        .await
        .unwrap()
        .unwrap();
    let reaches = store::reach::of_list(
        &mut db,
        &list.list_id,
        protocol::token::Class::Door,
        generation,
    );
    let tokens: Vec<Token> = reaches
        .await
        .unwrap()
        .iter()
        .filter_map(|reach| reach.point.token)
        .collect();
    drop(db);
    let me = ours.me;
    {
        let mut guard = ours.coalition.write().await;
        let state = &mut guard.as_mut().unwrap().state;
        for token in tokens.iter().take(13) {
            let key = protocol::state::rows::ContactKey {
                token: *token,
                channel: Channel::Door,
                node: me,
            };
            let mut times = protocol::state::rows::ContactTimes::default();
            times.add(coalition.now(), true, coalition.now());
            state.contacts.put(key, times);
        }
    }
    let impact = made(ours).await;
    let door = impact
        .coverage
        .iter()
        .find(|list| list.channel == Channel::Door)
        .unwrap();
    assert_eq!(impact.least, 10);
    assert_eq!(
        (door.points, door.own, door.allies, door.both, door.never),
        (30, 10, 0, 0, 10)
    );
}

#[tokio::test]
async fn days_and_rates_out_of_range_are_refused() {
    let coalition = two().await;
    let wrong = [
        Ask {
            to: "2026-10-31".parse().unwrap(),
            ..ask()
        },
        Ask {
            from: "2001-01-01".parse().unwrap(),
            ..ask()
        },
        Ask {
            door_minutes: -1.0,
            ..ask()
        },
        Ask {
            phone_minutes: f64::NAN,
            ..ask()
        },
        Ask {
            hourly: 10_001.0,
            ..ask()
        },
    ];
    for ask in wrong {
        assert!(
            report::make(coalition.node(0), &ask).await.is_err(),
            "{ask:?}"
        );
    }
}

#[tokio::test]
async fn the_file_holds_a_line_for_each_organization_and_no_formula() {
    let coalition = two().await;
    claim(&coalition, 0, "ours").await;
    let mut impact = made(coalition.node(0)).await;
    impact.organizations[0].name = "=cmd()".to_owned();
    let text = sheet::csv(&impact);
    assert!(text.starts_with('\u{feff}'));
    assert!(text.contains("\"'=cmd()\""), "{text}");
    assert_eq!(
        text.matches("2026-11-01 to 2026-12-31").count(),
        3,
        "{text}"
    );
}

#[tokio::test]
async fn counts_add_up_and_what_was_spared_counts_once_on_both_databases() {
    for test in stores().await {
        let mut tx = test.store.write("test").await.unwrap();
        let (node, by) = (NodeId([1; 32]), NodeId([2; 32]));
        let count = |quarter: i64, points: u64| Count {
            quarter,
            node,
            channel: Channel::Door,
            what: "held".to_owned(),
            by: Some(by),
            points,
        };
        for (quarter, points) in [(5, 3), (5, 4), (6, 10), (9, 100), (5, 0)] {
            store::impact::add(&mut tx, &count(quarter, points))
                .await
                .unwrap();
        }
        let counts = store::impact::counts(&mut tx, 5, 7).await.unwrap();
        assert_eq!(counts, [count(5, 17)]);
        let tokens: Vec<Token> = (0..120).map(|n| Token([n; 16])).collect();
        let spare = async |tx: &mut store::Write, tokens: &[Token], at| {
            store::impact::spare(tx, node, Channel::Door, tokens, at)
                .await
                .unwrap()
        };
        assert_eq!(spare(&mut tx, &tokens[..100], DAY).await, 100);
        assert_eq!(spare(&mut tx, &tokens, 2 * DAY).await, 20);
        store::impact::forget(&mut tx, Channel::Phone, DAY)
            .await
            .unwrap();
        assert_eq!(spare(&mut tx, &tokens, 3 * DAY).await, 0);
        store::impact::forget(&mut tx, Channel::Door, DAY)
            .await
            .unwrap();
        assert_eq!(spare(&mut tx, &tokens, 3 * DAY).await, 100);
    }
}
