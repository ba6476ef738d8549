//! Points become tokens: equal at both nodes, once, and through crashes and refusals.

use crate::support::{
    coalition::Coalition,
    people::{Somebody, put},
};
use commonturf::{api::tokens, app::App, jobs::tokenize, store};
use protocol::token::{Class, EVAL_POINTS};

async fn problem(app: &App, class: Class) -> Option<String> {
    let tokens = tokens::read(app).await.unwrap();
    let class = tokens
        .classes
        .into_iter()
        .find(|progress| progress.class == class);
    class.unwrap().problem
}

async fn waiting(app: &App) -> u64 {
    let tokens = tokens::read(app).await.unwrap();
    tokens.classes.iter().map(|class| class.waiting).sum()
}

async fn token_of(app: &App, display: &str) -> Vec<u8> {
    let mut db = app.store.read("test").await.unwrap();
    sqlx::query_scalar("SELECT token FROM point WHERE display = $1")
        .bind(display)
        .fetch_one(&mut *db)
        .await
        .unwrap()
}

const ANN: Somebody<'_> = Somebody {
    given: "Ann",
    surname: "Ash",
    line1: "12 Elm St",
    phone: "614-555-0123",
    email: "ann@example.org",
    voter_id: "OH123",
    van_id: "",
};

#[tokio::test]
async fn equal_values_meet_in_equal_tokens_at_both_nodes() {
    let coalition = Coalition::two().await;
    let (a, b) = (coalition.node(0), coalition.node(1));
    put(a, "ours", &[ANN]).await;
    put(
        b,
        "theirs",
        &[Somebody {
            phone: "(614) 555 0123",
            ..ANN
        }],
    )
    .await;
    coalition.settle().await;
    assert_eq!((waiting(a).await, waiting(b).await), (0, 0));
    assert_eq!(
        token_of(a, "12 Elm St, 43215").await,
        token_of(b, "12 Elm St, 43215").await
    );
    assert_eq!(
        token_of(a, "614-555-0123").await,
        token_of(b, "(614) 555 0123").await
    );
    assert_ne!(
        token_of(a, "12 Elm St, 43215").await,
        token_of(a, "614-555-0123").await
    );
}

#[tokio::test]
async fn an_element_opens_only_in_its_own_row() {
    let coalition = Coalition::two().await;
    let app = coalition.node(1);
    put(app, "ours", &[ANN]).await;
    coalition.settle().await;
    let mut db = app.store.read("test").await.unwrap();
    let rows: Vec<(String, Vec<u8>)> = sqlx::query_as("SELECT point_id, element FROM point")
        .fetch_all(&mut *db)
        .await
        .unwrap();
    let (id, element) = &rows[0];
    assert!(app.rest.open(&tokenize::element_place(id), element).is_ok());
    assert!(
        app.rest
            .open(&tokenize::element_place(&rows[1].0), element)
            .is_err()
    );
}

#[tokio::test]
async fn an_unreachable_keeper_is_told_and_the_same_batch_goes_out_after_a_restart() {
    let mut coalition = Coalition::two().await;
    put(coalition.node(1), "ours", &[ANN]).await;
    coalition.cut(true);
    coalition.round().await;
    assert!(
        problem(coalition.node(1), Class::Door)
            .await
            .unwrap()
            .contains("cannot be reached")
    );
    let secret = |app: App| async move {
        let mut db = app.store.read("test").await.unwrap();
        store::token_job::open(&mut db, Class::Door, 1)
            .await
            .unwrap()
            .unwrap()
            .job_secret
    };
    let before = secret(coalition.node(1).clone()).await;
    coalition.restart(1).await;
    assert_eq!(
        before,
        secret(coalition.node(1).clone()).await,
        "the batch was written down"
    );
    coalition.cut(false);
    coalition.pass(60_000).await;
    coalition.settle().await;
    assert_eq!(waiting(coalition.node(1)).await, 0);
    assert_eq!(problem(coalition.node(1), Class::Door).await, None);
}

#[tokio::test]
async fn a_batch_that_is_evaluated_twice_is_charged_once() {
    let coalition = Coalition::two().await;
    let app = coalition.node(1);
    put(app, "ours", &[ANN]).await;
    coalition.settle().await;
    let spent = |app: App| async move {
        let mut db = app.store.read("test").await.unwrap();
        let spent: i64 = sqlx::query_scalar("SELECT CAST(SUM(points) AS BIGINT) FROM keeper_slot")
            .fetch_one(&mut *db)
            .await
            .unwrap();
        spent
    };
    let before = spent(coalition.node(0).clone()).await;
    let mut tx = app.store.write("test").await.unwrap();
    // As after a crash between the keeper's answer and the end of the batch.
    sqlx::query("UPDATE token_job SET done_at = NULL")
        .execute(&mut *tx)
        .await
        .unwrap();
    sqlx::query("UPDATE point SET generation = NULL, element = NULL, token = NULL")
        .execute(&mut *tx)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    coalition.settle().await;
    assert_eq!(waiting(app).await, 0);
    assert_eq!(spent(coalition.node(0).clone()).await, before);
}

#[tokio::test]
async fn a_used_up_budget_stops_its_class_alone_and_is_told() {
    let terms = policy::terms::template("us-issue-table").unwrap().text;
    let terms = terms.replace(
        "token_budget = { door = 1_100_000",
        "token_budget = { door = 64",
    );
    let coalition = Coalition::of(&[("Tenants United", "c4"), ("Green Table", "c3")], &terms).await;
    let app = coalition.node(1);
    put(app, "ours", &[ANN]).await;
    coalition.settle().await;
    assert_eq!(waiting(app).await, 0);
    put(
        app,
        "ours",
        &[Somebody {
            given: "Bo",
            line1: "14 Elm St",
            ..ANN
        }],
    )
    .await;
    coalition.settle().await;
    assert_eq!(
        waiting(app).await,
        1,
        "the door; the new person key has its token"
    );
    assert!(problem(app, Class::Door).await.unwrap().contains("budget"));
    assert_eq!(problem(app, Class::Person).await, None);
}

#[tokio::test]
async fn more_points_than_one_batch_holds_are_all_evaluated() {
    let coalition = Coalition::two().await;
    let app = coalition.node(1);
    let emails: Vec<String> = (0..EVAL_POINTS + 3)
        .map(|n| format!("p{n}@example.org"))
        .collect();
    let people: Vec<Somebody<'_>> = emails
        .iter()
        .map(|email| Somebody {
            email,
            ..Somebody::default()
        })
        .collect();
    put(app, "many", &people).await;
    coalition.settle().await;
    assert_eq!(waiting(app).await, 0);
}
