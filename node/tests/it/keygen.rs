//! Keys that no single keeper knows: made by themselves, through crashes, and without a stop.

use crate::support::{
    coalition::Coalition,
    people::{Somebody, put},
};
use commonturf::{
    app::App,
    claims::{
        check::Standing,
        take::{self, From, Question},
    },
    store,
};
use protocol::{channel::Channel, fold::ceremony, time::HOUR, token::Keyset};

const ANN: Somebody<'_> = Somebody {
    given: "Ann",
    surname: "Ash",
    line1: "12 Elm St",
    phone: "614-555-0123",
    email: "ann@example.org",
    voter_id: "OH123",
    van_id: "",
};

async fn four() -> Coalition {
    let terms = policy::terms::template("us-issue-table").unwrap().text;
    let names = [
        ("Tenants United", "c4"),
        ("Green Table", "c3"),
        ("River Watch", "c4"),
        ("Bus Riders", "c4"),
    ];
    Coalition::with_addresses(&names, terms, 3).await
}

async fn keyset(coalition: &Coalition) -> Keyset {
    ceremony::current(&coalition.state().await).unwrap()
}

async fn shares(app: &App) -> Vec<String> {
    let mut db = app.store.read("test").await.unwrap();
    let mut names = store::node::secrets_beginning(&mut db, "secret/token share/")
        .await
        .unwrap();
    let secrets = store::node::secrets_beginning(&mut db, "secret/ceremony/");
    names.extend(secrets.await.unwrap());
    names
}

async fn token(app: &App, display: &str) -> Option<Vec<u8>> {
    let mut db = app.store.read("test").await.unwrap();
    sqlx::query_scalar("SELECT token FROM point WHERE display = $1")
        .bind(display)
        .fetch_one(&mut *db)
        .await
        .unwrap()
}

async fn spent(app: &App) -> i64 {
    let mut db = app.store.read("test").await.unwrap();
    let sum =
        "SELECT CAST(COALESCE(SUM(points), 0) AS BIGINT) FROM keeper_slot WHERE generation = 2";
    sqlx::query_scalar(sum).fetch_one(&mut *db).await.unwrap()
}

fn doors(list: &str) -> Question {
    Question {
        from: From::List(list.to_owned()),
        channel: Channel::Door,
        first: "2026-11-26".parse().unwrap(),
        last: "2026-11-28".parse().unwrap(),
        portion: None,
    }
}

#[tokio::test]
async fn three_keepers_make_keys_by_themselves_and_two_of_them_answer() {
    let coalition = four().await;
    coalition.keep(3).await;
    coalition.settle().await;
    let keyset = keyset(&coalition).await;
    assert_eq!((keyset.generation(), keyset.threshold()), (2, 2));
    for n in 0..3 {
        assert_eq!(shares(coalition.node(n)).await, ["secret/token share/2/0"]);
    }
    assert!(shares(coalition.node(3)).await.is_empty());
    put(coalition.node(1), "ours", &[ANN]).await;
    put(coalition.node(3), "theirs", &[ANN]).await;
    coalition.settle().await;
    let door = "12 Elm St, 43215";
    let ours = token(coalition.node(1), door).await;
    assert!(ours.is_some());
    assert_eq!(ours, token(coalition.node(3), door).await);
}

#[tokio::test]
async fn a_keeper_killed_between_any_two_steps_goes_on_where_the_log_stands() {
    let mut coalition = four().await;
    coalition.keep(3).await;
    for _ in 0..12 {
        coalition.round().await;
        coalition.keep(3).await;
        for n in 1..3 {
            coalition.restart(n).await;
        }
        coalition.keep(3).await;
    }
    coalition.settle().await;
    assert_eq!(keyset(&coalition).await.generation(), 2);
}

#[tokio::test]
async fn a_keeper_that_is_silent_is_replaced_by_another_quorum_and_charges_nothing_twice() {
    let coalition = four().await;
    coalition.keep(3).await;
    coalition.settle().await;
    coalition.silence(1);
    put(coalition.node(3), "ours", &[ANN]).await;
    coalition.settle().await;
    assert!(token(coalition.node(3), "12 Elm St, 43215").await.is_some());
    let (first, third) = (
        spent(coalition.node(0)).await,
        spent(coalition.node(2)).await,
    );
    assert!(first > 0);
    assert_eq!(first, third, "both were charged once for the same batches");
    coalition.silence(2);
    let bo = Somebody {
        line1: "14 Elm St",
        ..ANN
    };
    put(coalition.node(3), "ours", &[bo]).await;
    coalition.round().await;
    assert_eq!(token(coalition.node(3), "14 Elm St, 43215").await, None);
}

#[tokio::test]
async fn a_claimed_door_stays_held_while_the_coalition_changes_to_new_keys() {
    let coalition = four().await;
    put(coalition.node(1), "ours", &[ANN]).await;
    put(coalition.node(3), "theirs", &[ANN]).await;
    coalition.settle().await;
    take::take(coalition.node(1), doors("ours")).await.unwrap();
    coalition.settle().await;
    let door = "12 Elm St, 43215";
    let before = token(coalition.node(3), door).await;
    coalition.keep(3).await;
    coalition.settle().await;
    coalition.hours(1).await;
    assert_eq!(keyset(&coalition).await.generation(), 2);
    assert_ne!(token(coalition.node(3), door).await, before);
    let answer = take::look(coalition.node(3), doors("theirs"))
        .await
        .unwrap();
    assert_eq!(answer.checked[0].standing, Standing::Held);
    let (_, id) = take::take(coalition.node(3), doors("theirs"))
        .await
        .unwrap();
    coalition.settle().await;
    assert!(
        !coalition.state().await.claims.has(&id),
        "nothing was granted"
    );
    let closing = coalition.state().await.closing.get(&()).cloned().unwrap();
    assert_eq!(closing.moved.len(), 4, "everybody has moved");
    coalition.pass(10 * 24 * HOUR).await;
    coalition.settle().await;
    assert!(coalition.state().await.closing.is_empty());
    take::take(
        coalition.node(3),
        Question {
            first: "2026-12-07".parse().unwrap(),
            last: "2026-12-08".parse().unwrap(),
            ..doors("theirs")
        },
    )
    .await
    .unwrap();
    coalition.settle().await;
    assert_eq!(coalition.state().await.claims.len(), 1);
}

/// Four members of whom the first three hold shares, and two that have Ann on their lists.
async fn with_lists() -> Coalition {
    let terms = policy::terms::template("us-issue-table").unwrap().text;
    let names = [
        ("Tenants United", "c4"),
        ("Green Table", "c3"),
        ("River Watch", "c4"),
        ("Bus Riders", "c4"),
    ];
    let coalition = Coalition::with_addresses(&names, terms, 4).await;
    coalition.keep(3).await;
    for n in [0, 3] {
        put(coalition.node(n), "ours", &[ANN]).await;
    }
    coalition.settle().await;
    coalition
}

async fn group(coalition: &Coalition) -> Vec<protocol::token::PublicKey> {
    let classes = &keyset(coalition).await.parts().classes.clone();
    classes.iter().map(|class| class.group).collect()
}

#[tokio::test]
async fn a_keeper_in_the_place_of_another_gets_a_share_and_every_token_stays() {
    let mut coalition = with_lists().await;
    let door = "12 Elm St, 43215";
    let before = token(coalition.node(3), door).await;
    let (keys, asked) = (group(&coalition).await, spent(coalition.node(0)).await);
    coalition.entrust(&[0, 1, 3]).await;
    for _ in 0..10 {
        coalition.round().await;
        coalition.entrust(&[0, 1, 3]).await;
        for n in [1, 3] {
            coalition.restart(n).await;
        }
        coalition.entrust(&[0, 1, 3]).await;
    }
    coalition.settle().await;
    let now = keyset(&coalition).await;
    assert_eq!((now.generation(), now.reshare()), (2, 1), "and refreshed");
    assert_eq!(group(&coalition).await, keys);
    assert!(now.id_of(&coalition.id(3)).is_some() && now.id_of(&coalition.id(2)).is_none());
    for n in [0, 1, 3] {
        assert_eq!(shares(coalition.node(n)).await, ["secret/token share/2/1"]);
    }
    assert!(
        shares(coalition.node(2)).await.is_empty(),
        "its share is gone"
    );
    assert_eq!(token(coalition.node(3), door).await, before);
    assert_eq!(
        spent(coalition.node(0)).await,
        asked,
        "nothing was evaluated"
    );
    assert!(coalition.state().await.closing.is_empty());
    // The new share works: without the keeper that stayed aside two others answer.
    coalition.silence(1);
    let bo = Somebody {
        line1: "14 Elm St",
        ..ANN
    };
    for n in [0, 2] {
        put(coalition.node(n), "more", &[bo]).await;
    }
    coalition.settle().await;
    let fresh = "14 Elm St, 43215";
    let found = token(coalition.node(0), fresh).await;
    assert!(found.is_some());
    assert_eq!(found, token(coalition.node(2), fresh).await);
}

#[tokio::test]
async fn a_share_that_helpers_cannot_make_is_followed_by_fresh_keys() {
    let coalition = with_lists().await;
    // A helper that lost its share says so.
    let keyset_before = keyset(&coalition).await;
    let helper = keyset_before.keepers().iter().map(|keeper| keeper.node);
    let mut helper = helper.filter(|node| *node != coalition.id(2));
    let helper = helper.next().unwrap();
    let n = (0..4).find(|n| coalition.id(*n) == helper).unwrap();
    let app = coalition.node(n);
    let mut tx = app.store.write("test").await.unwrap();
    store::node::delete_secret(&mut tx, "secret/token share/2/0")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    coalition.entrust(&[0, 1, 3]).await;
    coalition.settle().await;
    assert_eq!(keyset(&coalition).await.generation(), 2);
    coalition.hours(2).await;
    coalition.settle().await;
    let now = keyset(&coalition).await;
    assert_eq!((now.generation(), now.reshare()), (3, 0));
    assert!(now.id_of(&coalition.id(3)).is_some());
}
