//! Plans between two organizations: filed, seen, compared, taken back.

use crate::support::{
    coalition::Coalition,
    people::{Somebody, put},
};
use commonturf::plans::{
    self,
    draft::{self, Draft, Intention},
    show,
};
use policy::Purpose;
use protocol::{channel::Channel, entry::plan::Place, id::EntryId};

const PERSON: Somebody<'_> = Somebody {
    given: "Ann",
    surname: "Ash",
    line1: "",
    phone: "614-555-0101",
    email: "",
    voter_id: "",
    van_id: "",
};

/// So many houses of Elm Street, one person in each.
async fn street(coalition: &Coalition, n: usize, list: &str, houses: usize) {
    let lines: Vec<(String, String)> = (0..houses)
        .map(|house| (format!("{} Elm St", 2 * house + 2), format!("Ash{house}")))
        .collect();
    let people: Vec<Somebody<'_>> = lines
        .iter()
        .map(|(line1, surname)| Somebody {
            line1,
            surname,
            ..PERSON
        })
        .collect();
    put(coalition.node(n), list, &people).await;
    coalition.settle().await;
}

fn intention(places: &[&str]) -> Intention {
    Intention {
        channel: Channel::Door,
        from: "2026-11-28".parse().unwrap(),
        to: "2026-11-30".parse().unwrap(),
        purpose: Purpose::IssueAdvocacy,
        label: "Weekend doors".to_owned(),
        places: places.iter().map(|text| text.parse().unwrap()).collect(),
        areas: Vec::new(),
        list: None,
        volume: Some(400),
        contact: "Ana, 614-555-0199".to_owned(),
        replaces: None,
    }
}

fn of_list(list: &str) -> Intention {
    Intention {
        list: Some(list.to_owned()),
        volume: None,
        ..intention(&[])
    }
}

async fn file(coalition: &Coalition, n: usize, intention: Intention) -> (Draft, EntryId) {
    let filed = plans::file(coalition.node(n), intention).await.unwrap();
    coalition.settle().await;
    filed
}

async fn refusal(coalition: &Coalition, intention: Intention) -> String {
    let refused = draft::work_out(coalition.node(0), intention).await;
    refused.unwrap_err().0.detail
}

#[tokio::test]
async fn a_filed_plan_is_seen_by_allies_and_whoever_plans_the_same_is_told_whom_to_call() {
    let coalition = Coalition::two().await;
    let (_, plan) = file(
        &coalition,
        0,
        intention(&["postal:us 43215", "area:ward 5"]),
    )
    .await;
    let seen = show::list(coalition.node(1)).await.unwrap();
    assert_eq!((seen.len(), seen[0].plan, seen[0].mine), (1, plan, false));
    let draft = draft::work_out(coalition.node(1), intention(&["area:Ward 5"])).await;
    let meets = draft.unwrap().meets;
    assert_eq!(meets.len(), 1);
    assert_eq!(meets[0].places, ["area:ward 5".parse::<Place>().unwrap()]);
    assert_eq!(meets[0].contact, "Ana, 614-555-0199");
    let elsewhere = draft::work_out(coalition.node(1), intention(&["area:ward 6"])).await;
    assert!(elsewhere.unwrap().meets.is_empty());
    let mut other_days = intention(&["area:ward 5"]);
    other_days.from = "2026-12-01".parse().unwrap();
    other_days.to = other_days.from;
    let other_days = draft::work_out(coalition.node(1), other_days).await;
    assert!(other_days.unwrap().meets.is_empty());
}

#[tokio::test]
async fn a_list_names_the_postal_codes_where_enough_of_it_live_and_how_many_they_are() {
    let coalition = Coalition::two().await;
    street(&coalition, 0, "many", 12).await;
    street(&coalition, 1, "few", 3).await;
    let (draft, _) = file(&coalition, 0, of_list("many")).await;
    assert_eq!(
        draft.entry.places,
        ["postal:us 43215".parse::<Place>().unwrap()]
    );
    assert_eq!((draft.entry.volume, draft.left_out), (12, 0));
    // Three doors of one postal code could be anybody's guess; the place must be named by hand.
    let few = draft::work_out(coalition.node(1), of_list("few")).await;
    assert!(few.unwrap_err().0.detail.contains("enough people"));
    let by_hand = Intention {
        list: Some("few".to_owned()),
        ..intention(&["area:ward 9"])
    };
    let draft = draft::work_out(coalition.node(1), by_hand).await.unwrap();
    assert_eq!(draft.left_out, 3);
    assert_eq!(draft.meets.len(), 1);
    assert_eq!(draft.meets[0].own_points, Some(3));
}

#[tokio::test]
async fn a_plan_is_changed_and_taken_back_by_its_author_alone() {
    let coalition = Coalition::two().await;
    let (_, first) = file(&coalition, 0, intention(&["area:ward 5"])).await;
    let foreign = plans::withdraw(coalition.node(1), &first.to_string()).await;
    assert!(foreign.unwrap_err().0.detail.contains("no such plan"));
    let changed = Intention {
        replaces: Some(first.to_string()),
        volume: Some(80),
        ..intention(&["area:ward 5"])
    };
    let (_, second) = file(&coalition, 0, changed).await;
    let seen = show::list(coalition.node(1)).await.unwrap();
    assert_eq!((seen.len(), seen[0].plan, seen[0].volume), (1, second, 80));
    plans::withdraw(coalition.node(0), &second.to_string())
        .await
        .unwrap();
    coalition.settle().await;
    assert!(show::list(coalition.node(1)).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_plan_without_place_volume_or_list_or_with_hidden_characters_says_what_is_missing() {
    let coalition = Coalition::two().await;
    assert!(
        refusal(&coalition, intention(&[]))
            .await
            .contains("say where")
    );
    let unknown = of_list("nowhere");
    assert!(refusal(&coalition, unknown).await.contains("no list"));
    let of_nobody = Intention {
        volume: None,
        ..intention(&["area:ward 5"])
    };
    assert!(refusal(&coalition, of_nobody).await.contains("how many"));
    let hidden = Intention {
        label: "a\u{202e}b".to_owned(),
        ..intention(&["area:ward 5"])
    };
    assert!(refusal(&coalition, hidden).await.contains("one line"));
    let mut backwards = intention(&["area:ward 5"]);
    backwards.to = "2026-11-27".parse().unwrap();
    assert!(
        refusal(&coalition, backwards)
            .await
            .contains("before its first")
    );
    let mut far = intention(&["area:ward 5"]);
    far.from = "2028-01-01".parse().unwrap();
    far.to = far.from;
    assert!(refusal(&coalition, far).await.contains("within 366 days"));
}
