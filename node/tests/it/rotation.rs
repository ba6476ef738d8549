//! The keys after a removal for cause: multiplied by everybody who stayed, without an evaluation.

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
    coalition::parting,
    jobs, store,
    store::coalition::Phase,
    sync::rotated::{APPLIED, FACTORS, factor_place},
};
use protocol::{channel::Channel, state::rows::RotationStanding, time::HOUR};

const ANN: Somebody<'_> = Somebody {
    given: "Ann",
    surname: "Ash",
    line1: "12 Elm St",
    phone: "614-555-0123",
    email: "ann@example.org",
    voter_id: "OH123",
    van_id: "",
};
const BO: Somebody<'_> = Somebody {
    given: "Bo",
    line1: "14 Elm St",
    phone: "614-555-0124",
    email: "bo@example.org",
    voter_id: "OH124",
    ..ANN
};
const DOOR: &str = "12 Elm St, 43215";
const WHY: &str = "it sold a list";

/// Four members whose keys so many keepers hold; the last is the one that will be removed.
async fn four(keepers: usize) -> Coalition {
    let terms = policy::terms::template("us-issue-table").unwrap().text;
    let names = [
        ("Tenants United", "c4"),
        ("Green Table", "c3"),
        ("Clean Air Fund", "c3"),
        ("River Watch", "c4"),
    ];
    let coalition = Coalition::with_addresses(&names, terms, keepers).await;
    coalition.keep(keepers).await;
    for n in 1..4 {
        put(coalition.node(n), "ours", &[ANN]).await;
    }
    coalition.settle().await;
    coalition
}

/// All others agree that the last one goes.
async fn remove(coalition: &Coalition) {
    for n in 0..3 {
        let reason = (n == 0).then_some(WHY);
        let removed = parting::remove(coalition.node(n), "River Watch", reason, false).await;
        removed.unwrap();
        coalition.round().await;
    }
}

async fn generation(coalition: &Coalition) -> u32 {
    coalition.state().await.meta().generation.unwrap()
}

/// The present tokens of a node, by what people read.
async fn tokens(app: &App) -> Vec<(String, Option<Vec<u8>>)> {
    let mut db = app.store.read("test").await.unwrap();
    sqlx::query_as("SELECT display, token FROM point ORDER BY display")
        .fetch_all(&mut *db)
        .await
        .unwrap()
}

async fn token(app: &App, display: &str) -> Vec<u8> {
    let all = tokens(app).await;
    let found = all.into_iter().find(|(name, _)| name == display);
    found.unwrap().1.unwrap()
}

/// Points that keepers have evaluated in a generation, each keeper counted.
async fn evaluated(coalition: &Coalition, generation: u32) -> i64 {
    let mut sum = 0;
    for n in 0..4 {
        let mut db = coalition.node(n).store.read("test").await.unwrap();
        let points = "SELECT CAST(COALESCE(SUM(points), 0) AS BIGINT) FROM keeper_slot WHERE generation = $1";
        let points: i64 = sqlx::query_scalar(points)
            .bind(i64::from(generation))
            .fetch_one(&mut *db)
            .await
            .unwrap();
        sum += points;
    }
    sum
}

async fn secrets(app: &App, beginning: &str) -> Vec<String> {
    let mut db = app.store.read("test").await.unwrap();
    store::node::secrets_beginning(&mut db, beginning)
        .await
        .unwrap()
}

fn door(first: &str, last: &str) -> Question {
    Question {
        from: From::List("ours".to_owned()),
        channel: Channel::Door,
        first: first.parse().unwrap(),
        last: last.parse().unwrap(),
        portion: None,
    }
}

fn this_week() -> Question {
    door("2026-11-26", "2026-11-28")
}

async fn standing(app: &App, question: Question) -> Standing {
    take::look(app, question).await.unwrap().checked[0].standing
}

async fn phase(app: &App) -> Phase {
    app.coalition.read().await.as_ref().unwrap().row.phase
}

/// Two members meet at one door before, while and after the keys change, and nobody is asked.
async fn they_meet_throughout(keepers: usize) {
    let coalition = four(keepers).await;
    let before = generation(&coalition).await;
    let (one, two) = (coalition.node(1), coalition.node(2));
    take::take(one, this_week()).await.unwrap();
    coalition.settle().await;
    let old = tokens(coalition.node(3)).await;
    assert_eq!(token(one, DOOR).await, token(two, DOOR).await);
    assert_eq!(standing(two, this_week()).await, Standing::Held);
    let spent = evaluated(&coalition, before).await;
    remove(&coalition).await;
    coalition.settle().await;
    let state = coalition.state().await;
    assert_eq!(state.meta().generation, Some(before + 1));
    assert_eq!(
        state.rotation.get(&()).unwrap().standing,
        RotationStanding::InUse
    );
    // The claim stands by the old token; who asks by both tokens meets it.
    assert!(!state.closing.is_empty());
    assert_eq!(token(one, DOOR).await, token(two, DOOR).await);
    assert_eq!(standing(two, this_week()).await, Standing::Held);
    let (_, late) = take::take(two, this_week()).await.unwrap();
    coalition.settle().await;
    assert!(!coalition.state().await.claims.has(&late));
    assert_eq!(evaluated(&coalition, before + 1).await, 0);
    assert_eq!(evaluated(&coalition, before).await, spent);
    for n in 0..3 {
        assert!(secrets(coalition.node(n), FACTORS).await.is_empty());
        assert!(secrets(coalition.node(n), APPLIED).await.is_empty());
    }
    nothing_of_the_removed_one_matches(&coalition, &old).await;
    // Once the old generation has closed, they meet by the new tokens alone.
    coalition.pass(10 * 24 * HOUR).await;
    coalition.settle().await;
    assert!(coalition.state().await.closing.is_empty());
    let later = || door("2026-12-07", "2026-12-08");
    take::take(two, later()).await.unwrap();
    coalition.settle().await;
    assert_eq!(standing(one, later()).await, Standing::Held);
    for claim in coalition.state().await.claims.iter() {
        let held = claim.1.tokens.as_slice();
        let matches = |token: &Vec<u8>| held.iter().any(|held| held.0.as_slice() == token);
        assert!(!old.iter().flat_map(|(_, token)| token).any(matches));
    }
    // Shares were multiplied too: a new point comes to one token at both.
    for app in [one, two] {
        put(app, "ours", &[BO]).await;
    }
    coalition.settle().await;
    let fresh = "14 Elm St, 43215";
    assert_eq!(token(one, fresh).await, token(two, fresh).await);
    assert!(evaluated(&coalition, before + 1).await > 0);
}

async fn nothing_of_the_removed_one_matches(
    coalition: &Coalition,
    old: &[(String, Option<Vec<u8>>)],
) {
    assert_eq!(phase(coalition.node(3)).await, Phase::Gone);
    assert_eq!(tokens(coalition.node(3)).await, old, "it was left behind");
    assert!(secrets(coalition.node(3), FACTORS).await.is_empty());
    for n in 0..3 {
        for (_, token) in tokens(coalition.node(n)).await {
            assert!(token.is_some());
            assert!(old.iter().all(|(_, known)| *known != token));
        }
    }
}

#[tokio::test]
async fn under_one_keeper_members_meet_throughout_and_nothing_is_evaluated() {
    they_meet_throughout(1).await;
}

#[tokio::test]
async fn under_three_keepers_members_meet_throughout_and_nothing_is_evaluated() {
    they_meet_throughout(3).await;
}

#[tokio::test]
async fn a_keeper_killed_between_any_two_steps_rotates_its_share_all_the_same() {
    let mut coalition = four(3).await;
    let before = generation(&coalition).await;
    remove(&coalition).await;
    for _ in 0..8 {
        for n in 1..3 {
            coalition.restart(n).await;
        }
        coalition.keep(3).await;
        coalition.round().await;
        coalition.keep(3).await;
    }
    coalition.settle().await;
    assert_eq!(generation(&coalition).await, before + 1);
    assert_eq!(evaluated(&coalition, before + 1).await, 0);
    for n in 0..3 {
        let share = format!("secret/token share/{}/0", before + 1);
        let shares = secrets(coalition.node(n), "secret/token share/").await;
        assert_eq!(shares, [share]);
    }
}

#[tokio::test]
async fn a_member_killed_between_batches_goes_on_with_its_points() {
    let mut coalition = four(1).await;
    let emails: Vec<String> = (0..jobs::rotation::POINTS_AT_ONCE)
        .map(|n| format!("p{n}@example.org"))
        .collect();
    let person = |email| Somebody {
        email,
        ..Somebody::default()
    };
    let people: Vec<Somebody<'_>> = emails.iter().map(|email| person(email)).collect();
    put(coalition.node(1), "many", &people).await;
    coalition.settle().await;
    remove(&coalition).await;
    coalition.away(1, true);
    coalition.settle().await;
    coalition.away(1, false);
    while coalition.state_of(1).await.meta().generation != Some(2) {
        coalition.read(1).await;
    }
    let of = async |coalition: &Coalition, generation: i64| -> i64 {
        let mut db = coalition.node(1).store.read("test").await.unwrap();
        sqlx::query_scalar("SELECT COUNT(*) FROM point WHERE generation = $1")
            .bind(generation)
            .fetch_one(&mut *db)
            .await
            .unwrap()
    };
    let all = of(&coalition, 1).await;
    jobs::rotation::run(coalition.node(1)).await.unwrap();
    let done = of(&coalition, 2).await;
    assert!(0 < done && done < all, "{done} of {all}");
    assert_eq!(secrets(coalition.node(1), APPLIED).await.len(), 1);
    coalition.restart(1).await;
    coalition.settle().await;
    assert_eq!((of(&coalition, 1).await, of(&coalition, 2).await), (0, all));
    assert_eq!(evaluated(&coalition, 2).await, 0);
    assert!(secrets(coalition.node(1), APPLIED).await.is_empty());
    assert_eq!(
        token(coalition.node(1), DOOR).await,
        token(coalition.node(2), DOOR).await
    );
}

#[tokio::test]
async fn a_member_that_was_away_reads_of_the_removal_later_and_multiplies_its_points_then() {
    let coalition = four(1).await;
    remove(&coalition).await;
    coalition.away(2, true);
    coalition.settle().await;
    coalition.hours(48).await;
    let old = token(coalition.node(2), DOOR).await;
    assert_ne!(token(coalition.node(1), DOOR).await, old);
    coalition.away(2, false);
    coalition.settle().await;
    assert_eq!(
        token(coalition.node(1), DOOR).await,
        token(coalition.node(2), DOOR).await
    );
    assert_eq!(evaluated(&coalition, 2).await, 0);
}

#[tokio::test]
async fn a_member_that_comes_back_from_outside_has_its_points_evaluated() {
    let mut coalition = four(1).await;
    let backup = coalition.back_up(2).await;
    commonturf::coalition::invite::invite(coalition.node(2), "a friend", 5)
        .await
        .unwrap();
    coalition.settle().await;
    remove(&coalition).await;
    coalition.settle().await;
    assert_eq!(evaluated(&coalition, 2).await, 0);
    coalition.restore(2, &backup).await;
    coalition.settle().await;
    assert_eq!(phase(coalition.node(2)).await, Phase::Active);
    assert!(secrets(coalition.node(2), FACTORS).await.is_empty());
    assert_eq!(
        token(coalition.node(1), DOOR).await,
        token(coalition.node(2), DOOR).await
    );
    assert!(evaluated(&coalition, 2).await > 0);
}

/// Puts another factor in the place of a node's.
async fn falsify(coalition: &Coalition, n: usize) {
    while coalition.state_of(n).await.rotation.is_empty() {
        coalition.round().await;
    }
    let app = coalition.node(n);
    let row = coalition.state_of(n).await.rotation.get(&()).cloned();
    let place = factor_place(row.unwrap().position);
    assert_eq!(secrets(app, FACTORS).await, std::slice::from_ref(&place));
    let sealed = app
        .rest
        .seal(&place, &[9; 64], &mut commonturf::ambient::rng());
    let mut tx = app.store.write("test").await.unwrap();
    store::node::put_secret(&mut tx, &place, &sealed)
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn keys_of_a_sole_keeper_that_are_not_the_product_are_told_and_evaluated() {
    let coalition = four(1).await;
    put(coalition.node(0), "ours", &[ANN]).await;
    coalition.settle().await;
    remove(&coalition).await;
    falsify(&coalition, 0).await;
    coalition.settle().await;
    let state = coalition.state().await;
    let row = state.rotation.get(&()).unwrap();
    assert_eq!(row.standing, RotationStanding::InUse);
    let mut refused = row.refused.clone();
    refused.sort_unstable();
    let mut expected = vec![coalition.id(1), coalition.id(2)];
    expected.sort_unstable();
    assert_eq!(refused, expected);
    for n in [0, 2] {
        assert_eq!(
            token(coalition.node(n), DOOR).await,
            token(coalition.node(1), DOOR).await
        );
    }
    assert!(evaluated(&coalition, 2).await > 0);
}

#[tokio::test]
async fn where_one_of_three_keepers_comes_to_other_keys_fresh_ones_are_made() {
    let coalition = four(3).await;
    let before = generation(&coalition).await;
    remove(&coalition).await;
    falsify(&coalition, 1).await;
    coalition.settle().await;
    let state = coalition.state().await;
    assert_eq!(state.meta().generation, Some(before + 1));
    assert!(state.rotation.is_empty(), "a ceremony has followed");
    assert_eq!(
        token(coalition.node(1), DOOR).await,
        token(coalition.node(2), DOOR).await
    );
    assert!(evaluated(&coalition, before + 1).await > 0);
    for n in 0..3 {
        assert!(secrets(coalition.node(n), FACTORS).await.is_empty());
    }
}

#[tokio::test]
async fn a_member_that_leaves_and_a_keeper_that_is_removed_call_for_no_rotation() {
    let coalition = four(1).await;
    parting::leave(coalition.node(3), true, false)
        .await
        .unwrap();
    coalition.settle().await;
    assert_eq!(generation(&coalition).await, 1);
    assert!(coalition.state().await.rotation.is_empty());
    let coalition = four(3).await;
    let before = generation(&coalition).await;
    for n in [0, 1, 3] {
        let reason = (n == 0).then_some(WHY);
        parting::remove(coalition.node(n), "Clean Air Fund", reason, false)
            .await
            .unwrap();
        coalition.round().await;
    }
    coalition.settle().await;
    let state = coalition.state().await;
    assert_eq!(state.meta().generation, Some(before + 1));
    assert!(state.rotation.is_empty());
    assert_eq!(
        token(coalition.node(1), DOOR).await,
        token(coalition.node(3), DOOR).await
    );
}
