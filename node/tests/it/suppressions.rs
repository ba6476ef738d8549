//! Suppressions reach allies by person, never by door; and are taken back.

use crate::support::{
    coalition::Coalition,
    people::{Somebody, put},
};
use commonturf::{
    app::App,
    http::problem::Failure,
    store::{self, person_suppression::Cause},
    suppressions::{
        mark::{self, Done, Mark, Subject},
        person_channels, touching,
    },
};
use protocol::{channel::Channel, entry::payload::Channels};

const ANN: Somebody<'_> = Somebody {
    given: "Ann",
    surname: "Ash",
    line1: "12 Elm St",
    phone: "614-555-0101",
    email: "ann@example.org",
    voter_id: "",
    van_id: "501",
};
const ABE: Somebody<'_> = Somebody {
    given: "Abe",
    phone: "614-555-0102",
    email: "",
    van_id: "502",
    ..ANN
};

struct World {
    coalition: Coalition,
    ours: Vec<String>,
    theirs: Vec<String>,
}

/// Both know Ann and Abe, who live behind one door, and no birth date of either.
async fn world() -> World {
    let coalition = Coalition::two().await;
    let ours = put(coalition.node(0), "ours", &[ANN, ABE]).await;
    let theirs = put(coalition.node(1), "theirs", &[ANN, ABE]).await;
    coalition.settle().await;
    World {
        coalition,
        ours,
        theirs,
    }
}

fn person(id: &str, channels: Channels) -> Mark {
    Mark {
        subject: Subject::Person(id.to_owned()),
        channels,
        cause: Cause::DoNotContact,
        source: "cli",
        withdraw: false,
        dry_run: false,
    }
}

async fn say(world: &World, mark: &Mark) -> Result<Done, Failure> {
    let done = mark::mark(world.coalition.node(0), mark).await;
    world.coalition.settle().await;
    done
}

/// The channels that are closed for a person at a node, with who closes them.
async fn closed(coalition: &Coalition, n: usize, person: &str) -> Vec<(Channel, bool)> {
    let app: &App = coalition.node(n);
    let state = coalition.state().await;
    let mut db = app.store.read("test").await.unwrap();
    let closed = person_channels(&state, app.me, &mut db, person)
        .await
        .unwrap();
    closed
        .iter()
        .map(|closed| (closed.channel, closed.by == coalition.id(0)))
        .collect()
}

#[tokio::test]
async fn a_mark_on_a_person_reaches_the_ally_by_name_at_door_and_spares_the_household() {
    let world = world().await;
    say(
        &world,
        &person(&world.ours[0], Channels::only(Channel::Door)),
    )
    .await
    .unwrap();
    let coalition = &world.coalition;
    assert_eq!(
        closed(coalition, 1, &world.theirs[0]).await,
        [(Channel::Door, true)]
    );
    assert_eq!(closed(coalition, 1, &world.theirs[1]).await, []);
    let shown = touching::touching(coalition.node(1)).await.unwrap();
    assert_eq!(shown.len(), 1);
    assert_eq!(
        (shown[0].organization.as_str(), &shown[0].about[..]),
        ("Tenants United", &["Ann Ash".to_owned()][..])
    );
    let state = coalition.state().await;
    let mut db = coalition.node(1).store.read("test").await.unwrap();
    let door: Vec<u8> = sqlx::query_scalar("SELECT token FROM point WHERE class = 0")
        .fetch_one(&mut *db)
        .await
        .unwrap();
    let door = protocol::token::Token(door.try_into().unwrap());
    assert_eq!(
        state.suppressed(door, Channel::Door),
        None,
        "the door stays open"
    );
}

#[tokio::test]
async fn a_phone_mark_travels_on_the_number_too_and_an_email_mark_on_the_address() {
    let world = world().await;
    let both = Channels::only(Channel::Text).with(Channels::only(Channel::Email));
    say(&world, &person("van:501", both)).await.unwrap();
    let state = world.coalition.state().await;
    // The person's key, the number and the address.
    assert_eq!(state.suppressions.len(), 3);
    let channels: Vec<Channels> = state
        .suppressions
        .iter()
        .map(|(_, row)| row.channels)
        .collect();
    assert!(channels.contains(&both) && channels.contains(&Channels::only(Channel::Text)));
    assert!(channels.contains(&Channels::only(Channel::Email)));
}

#[tokio::test]
async fn a_withdrawal_brings_the_person_back() {
    let world = world().await;
    let mark = person(&world.ours[0], Channels::EVERY);
    say(&world, &mark).await.unwrap();
    assert_eq!(closed(&world.coalition, 1, &world.theirs[0]).await.len(), 4);
    let part = Mark {
        channels: Channels::only(Channel::Door),
        withdraw: true,
        ..mark.clone()
    };
    say(&world, &part).await.unwrap();
    let left: Vec<Channel> = closed(&world.coalition, 1, &world.theirs[0])
        .await
        .iter()
        .map(|c| c.0)
        .collect();
    assert_eq!(left, [Channel::Phone, Channel::Text, Channel::Email]);
    say(
        &world,
        &Mark {
            withdraw: true,
            ..mark.clone()
        },
    )
    .await
    .unwrap();
    assert!(world.coalition.state().await.suppressions.is_empty());
    let again = say(
        &world,
        &Mark {
            withdraw: true,
            ..mark
        },
    )
    .await
    .unwrap_err();
    assert!(
        again
            .0
            .detail
            .contains("no suppression of this organization stands")
    );
}

#[tokio::test]
async fn a_withdrawal_keeps_what_another_mark_still_says() {
    let world = world().await;
    let only = Channels::only(Channel::Phone);
    say(&world, &person(&world.ours[0], only)).await.unwrap();
    let number = Mark {
        subject: Subject::Phone("614-555-0101".to_owned()),
        ..person("", only)
    };
    say(&world, &number).await.unwrap();
    say(
        &world,
        &Mark {
            withdraw: true,
            ..person(&world.ours[0], only)
        },
    )
    .await
    .unwrap();
    let state = world.coalition.state().await;
    assert_eq!(
        state.suppressions.len(),
        1,
        "the number itself stays closed"
    );
    say(
        &world,
        &Mark {
            withdraw: true,
            ..number
        },
    )
    .await
    .unwrap();
    assert!(world.coalition.state().await.suppressions.is_empty());
}

#[tokio::test]
async fn a_door_mark_closes_the_door_for_everybody_there() {
    let world = world().await;
    let door = Mark {
        subject: Subject::Door("12 Elm Street, 43215".to_owned()),
        ..person("", Channels::only(Channel::Door))
    };
    let done = say(&world, &door).await.unwrap();
    assert_eq!(done.ids.len(), 1);
    for person in &world.theirs {
        assert_eq!(
            closed(&world.coalition, 1, person).await,
            [(Channel::Door, true)]
        );
    }
}

#[tokio::test]
async fn a_number_that_is_on_no_list_is_told_all_the_same() {
    let world = world().await;
    put(
        world.coalition.node(1),
        "theirs",
        &[Somebody {
            phone: "614-555-0199",
            ..ABE
        }],
    )
    .await;
    let number = Mark {
        subject: Subject::Phone("(614) 555-0199".to_owned()),
        ..person("", Channels::only(Channel::Phone))
    };
    say(&world, &number).await.unwrap();
    let shown = touching::touching(world.coalition.node(1)).await.unwrap();
    assert_eq!(shown[0].about, ["614-555-0199"]);
}

#[tokio::test]
async fn one_word_of_a_death_closes_nothing_at_allies_and_two_do() {
    let world = world().await;
    let coalition = &world.coalition;
    let died = |id: &str| Mark {
        cause: Cause::Deceased,
        ..person(id, Channels::EVERY)
    };
    say(&world, &died(&world.ours[0])).await.unwrap();
    assert_eq!(
        closed(coalition, 0, &world.ours[0]).await.len(),
        4,
        "here it counts at once"
    );
    assert_eq!(closed(coalition, 1, &world.theirs[0]).await, []);
    mark::mark(coalition.node(1), &died(&world.theirs[0]))
        .await
        .unwrap();
    coalition.settle().await;
    let state = coalition.state().await;
    let (token, _) = state.suppressions.iter().next().unwrap().0;
    assert!(state.suppressed(*token, Channel::Door).is_some());
    say(
        &world,
        &Mark {
            withdraw: true,
            ..died(&world.ours[0])
        },
    )
    .await
    .unwrap();
    assert!(
        coalition
            .state()
            .await
            .suppressed(*token, Channel::Door)
            .is_none()
    );
}

#[tokio::test]
async fn who_moved_leaves_the_door_and_the_person_alone() {
    let world = world().await;
    let app = world.coalition.node(0);
    let mut tx = app.store.write("test").await.unwrap();
    let door: String = sqlx::query_scalar("SELECT point_id FROM point WHERE class = 0")
        .fetch_one(&mut *tx)
        .await
        .unwrap();
    let moved = store::person_suppression::Suppression {
        suppression_id: "moved".to_owned(),
        person_id: Some(world.ours[0].clone()),
        point_id: Some(door),
        channels: i64::from(Channels::only(Channel::Door).0),
        deceased: false,
        cause: Cause::Moved,
        source: "test".to_owned(),
        since: app.now().0,
        withdrawn_at: None,
        told: None,
    };
    store::person_suppression::insert(&mut tx, &moved)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    world.coalition.settle().await;
    let state = world.coalition.state().await;
    assert_eq!(
        state.suppressions.len(),
        1,
        "the name at this door, nothing else"
    );
    assert_eq!(
        closed(&world.coalition, 1, &world.theirs[0]).await,
        [(Channel::Door, true)]
    );
    assert_eq!(closed(&world.coalition, 1, &world.theirs[1]).await, []);
}

#[tokio::test]
async fn an_opt_out_stays_with_its_organization() {
    let world = world().await;
    let own = Mark {
        cause: Cause::OptOut,
        ..person(&world.ours[0], Channels::EVERY)
    };
    say(&world, &own).await.unwrap();
    assert!(world.coalition.state().await.suppressions.is_empty());
    assert_eq!(closed(&world.coalition, 0, &world.ours[0]).await.len(), 4);
}

#[tokio::test]
async fn a_mark_made_out_of_reach_waits_and_is_told_after_a_restart() {
    let mut world = world().await;
    world.coalition.cut(true);
    let id = world.theirs[0].clone();
    mark::mark(world.coalition.node(1), &person(&id, Channels::EVERY))
        .await
        .unwrap();
    world.coalition.round().await;
    world.coalition.restart(1).await;
    world.coalition.cut(false);
    world.coalition.settle().await;
    assert_eq!(closed(&world.coalition, 0, &world.ours[0]).await.len(), 4);
}

#[tokio::test]
async fn a_dry_run_and_a_mark_on_nobody_change_nothing() {
    let world = world().await;
    let dry = Mark {
        dry_run: true,
        ..person(&world.ours[0], Channels::EVERY)
    };
    assert_eq!(say(&world, &dry).await.unwrap().about, "Ann Ash");
    for (subject, why) in [
        (Subject::Person("van:999".to_owned()), "nobody"),
        (Subject::Phone("12".to_owned()), "a phone number"),
        (Subject::Email("ann".to_owned()), "an e-mail address"),
        (Subject::Door("12 Elm St".to_owned()), "POSTAL CODE"),
    ] {
        let failed = say(
            &world,
            &Mark {
                subject,
                ..dry.clone()
            },
        )
        .await
        .unwrap_err();
        assert!(failed.0.detail.contains(why), "{}", failed.0.detail);
    }
    assert!(world.coalition.state().await.suppressions.is_empty());
}

#[tokio::test]
async fn a_person_known_by_nothing_but_a_name_is_left_alone_here_and_told_to_nobody() {
    let world = world().await;
    let app = world.coalition.node(0);
    let nameless = Somebody {
        given: "Zed",
        surname: "Zane",
        ..Somebody::default()
    };
    let id = put(app, "ours", &[nameless]).await.remove(0);
    let done = say(&world, &person(&id, Channels::EVERY)).await.unwrap();
    let mut db = app.store.read("test").await.unwrap();
    let travels = store::suppression::can_travel(&mut db, &done.ids[0]).await;
    assert!(!travels.unwrap());
    drop(db);
    assert!(world.coalition.state().await.suppressions.is_empty());
    assert_eq!(closed(&world.coalition, 0, &id).await.len(), 4);
}
