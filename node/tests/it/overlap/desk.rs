//! Counts at the desk: the routes that commands call, and the page.

use super::with_lists;
use crate::{shares::desk::Desk, support::coalition::Coalition};
use axum::extract::{RawQuery, State};
use commonturf::pages::overlap::show;
use serde_json::{Value, json};

async fn page(coalition: &Coalition, n: usize, query: Option<&str>) -> String {
    let uri = "/overlaps".parse().unwrap();
    let query = RawQuery(query.map(str::to_owned));
    let shown = show(State(coalition.node(n).clone()), uri, query).await;
    shown.unwrap().0
}

fn wish(list: &str) -> Value {
    json!({ "with": ["clean air fund"], "list": list, "by": "phone", "purpose": "gotv" })
}

#[tokio::test]
async fn the_desk_asks_agrees_declines_and_shows_and_says_no_in_words() {
    let coalition = with_lists(&[0..1, 0..150, 93..300], vec![None; 3]).await;
    let (ours, theirs) = (Desk::at(coalition.node(1)), Desk::at(coalition.node(2)));
    let (status, dry) = ours
        .json("POST", "/overlaps?dry_run=true", Some(wish("members")))
        .await;
    assert_eq!(
        (status, &dry["size"], &dry["with_key"]),
        (200, &json!(150), &json!(150))
    );
    assert_eq!(dry["counter"], "Tenants United");
    assert!(dry["overlap"].is_null() && dry["entry"].is_null());
    let mut unknown = wish("members");
    unknown["by"] = json!("shoe_size");
    for (body, code) in [(wish("friends"), 404), (unknown, 400)] {
        let (status, problem) = ours.json("POST", "/overlaps", Some(body)).await;
        assert_eq!(status, code, "{problem}");
    }
    let asked = coalition.during(ours.json("POST", "/overlaps", Some(wish("members"))));
    let (status, asked) = asked.await;
    assert_eq!((status, &asked["state"]), (200, &json!("done")), "{asked}");
    let id = asked["overlap"].as_str().unwrap();
    coalition.settle().await;
    let waiting = page(&coalition, 2, None).await;
    assert!(
        waiting.contains("Green Table asks for a count"),
        "{waiting}"
    );
    let (_, list) = theirs.json("GET", "/overlaps", None).await;
    assert_eq!(list[0]["state"], "your_answer");
    let agree = format!("/overlaps/{}/agreement", &id[..8]);
    let with = Some(json!({ "list": "members" }));
    let (status, dry) = theirs
        .json("POST", &format!("{agree}?dry_run=true"), with.clone())
        .await;
    assert_eq!((status, &dry["size"]), (200, &json!(207)));
    let (status, _) = coalition
        .during(theirs.json("POST", &agree, with.clone()))
        .await;
    assert_eq!(status, 200);
    coalition.settle().await;
    let (status, twice) = theirs.json("POST", &agree, with).await;
    assert_eq!(status, 409, "{twice}");
    let (_, shown) = ours.json("GET", &format!("/overlaps/{id}"), None).await;
    assert_eq!(shown["state"], "done");
    assert_eq!(shown["result"][0]["at_least"], 50);
    assert_eq!(shown["result"][0]["below"], 60);
    let page = page(&coalition, 2, None).await;
    assert!(page.contains("between 50 and 59 phone numbers"), "{page}");
    let decline = format!("/overlaps/{id}/decline");
    let (status, over) = ours.json("POST", &decline, Some(json!({}))).await;
    assert_eq!(status, 409, "{over}");
    let (status, _) = ours.json("GET", "/overlaps/aaaaaaaa", None).await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn the_page_shows_what_a_count_takes_and_why_it_cannot_be() {
    let coalition = with_lists(&[0..1, 0..150], vec![None; 2]).await;
    let ally = coalition.id(1);
    let short = page(
        &coalition,
        0,
        Some(&format!("with={ally}&list=members&by=phone")),
    )
    .await;
    assert!(short.contains("a count needs at least 100"), "{short}");
    let ally = coalition.id(0);
    let query = format!("with={ally}&list=members&by=phone");
    let good = page(&coalition, 1, Some(&query)).await;
    assert!(good.contains("150 entries take part"), "{good}");
    assert!(good.contains("Every party counts by itself"), "{good}");
    assert!(good.contains("Ask for the count"), "{good}");
}
