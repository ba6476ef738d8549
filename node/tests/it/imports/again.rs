//! The same file twice, interrupted imports, dry runs, later files.

use crate::support::alone::{Alone, list, stores};
use commonturf::store::people;
use protocol::id::Hash;
use std::fmt::Write;

/// People who come twice, share phones and mail, and have every kind of mark.
fn rows(count: usize) -> String {
    let mut file = "External ID,First Name,Last Name,Street Address,City,State,Zip,Mobile,Email,Tags,Do Not Call,\
        email-opt,Deceased,Never Share\n"
        .to_owned();
    for n in 0..count {
        let repeats = n % 7 == 3;
        let who = if repeats { n - 1 } else { n };
        let given = if repeats { "ANN" } else { "Ann" };
        let mark = |every: usize| if n % every == 1 { "yes" } else { "" };
        writeln!(
            file,
            "{n},{given},Person{who},{} Elm St,Dover,OH,44622,614555{:04},p{who}@example.org,\"t{},x\",{},{},{},{}",
            who / 2 + 1,
            100 + who % 9_000,
            n % 3,
            mark(11),
            if n % 13 == 1 { "no" } else { "" },
            mark(97),
            mark(29),
        )
        .unwrap();
    }
    file
}

const MAP: &[(&str, &str)] = &[("map", "email-opt=email-opt-in")];

/// Everything that is known, but for random ids and times.
async fn snapshot(node: &Alone) -> Vec<String> {
    let mut db = node.app.store.read("a snapshot").await.unwrap();
    let lists = commonturf::store::list::all(&mut db).await.unwrap();
    let mut all = Vec::new();
    for list in lists {
        let mut after = String::new();
        loop {
            let page = people::page(&mut db, &list.list_id, &after, 200)
                .await
                .unwrap();
            let Some(last) = page.last() else { break };
            after = last.person.person_id.clone();
            all.extend(page.iter().map(|member| described(&list.name, member)));
        }
    }
    all.sort();
    all
}

fn described(list: &str, member: &people::Member) -> String {
    let mut person = member.person.clone();
    for varying in [&mut person.person_id, &mut person.seen_import] {
        varying.clear();
    }
    (person.created_at, person.updated_at) = (0, 0);
    let points = member.points.iter().map(|point| {
        let of = &point.point;
        format!(
            "{} {} {} {} {} {} {}",
            of.kind, of.value, of.display, of.street, of.number, point.rank, point.bad
        )
    });
    let marks = member.suppressions.iter().map(|row| {
        format!(
            "{:?} {} {} {}",
            row.cause,
            row.channels,
            row.deceased,
            row.point_id.is_some()
        )
    });
    let mut marks: Vec<String> = marks.collect();
    marks.sort();
    let points: Vec<String> = points.collect();
    format!(
        "{list} {person:?} {points:?} {marks:?} {}",
        member.consents.len()
    )
}

#[tokio::test]
async fn the_same_file_twice_adds_nothing() {
    for node in stores().await {
        let file = rows(700);
        let first = node.import(file.as_bytes(), MAP).await;
        assert_eq!((first.rows, first.counts.imported), (700, 600));
        assert_eq!(first.counts.duplicates_merged, 100);
        assert!(first.counts.suppressions > 100, "{:?}", first.counts);
        let before = snapshot(&node).await;
        let again = node.import(file.as_bytes(), MAP).await;
        let counts = &again.counts;
        assert_eq!((counts.imported, counts.updated), (0, 0));
        assert_eq!((counts.suppressions, counts.consents), (0, 0));
        assert_eq!(counts.unchanged + counts.duplicates_merged, 700);
        assert_eq!(snapshot(&node).await, before);
    }
}

#[tokio::test]
async fn a_resumed_import_equals_an_uninterrupted_one() {
    for (whole, broken) in stores().await.into_iter().zip(stores().await) {
        let file = rows(1_200);
        let uninterrupted = whole.import(file.as_bytes(), MAP).await;
        // What a node that died behind its first batch of 500 has: those rows, and an import that runs.
        let beginning: String = file.split_inclusive('\n').take(501).collect();
        broken.import(beginning.as_bytes(), MAP).await;
        let fingerprint = list(MAP).fingerprint(Hash::of(file.as_bytes()));
        let mut tx = broken.app.store.write("breaking an import").await.unwrap();
        sqlx::query("UPDATE import SET state = 'running', finished_at = NULL, fingerprint = $1")
            .bind(fingerprint)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let resumed = broken.import(file.as_bytes(), MAP).await;
        assert_eq!(resumed.resumed_at, Some(500));
        assert_eq!(resumed.rows, 1_200);
        assert_eq!(resumed.counts, uninterrupted.counts);
        assert_eq!(snapshot(&broken).await, snapshot(&whole).await);
        assert_eq!(broken.get("/imports").await.as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_dry_run_counts_and_writes_nothing() {
    for node in stores().await {
        let file = rows(40);
        let tried = node
            .import(file.as_bytes(), &[MAP, &[("dry_run", "true")]].concat())
            .await;
        assert!(tried.dry_run && tried.import_id.is_empty());
        assert_eq!(node.get("/lists").await, serde_json::json!([]));
        assert_eq!(node.get("/imports").await, serde_json::json!([]));
        assert_eq!(node.get("/people").await, serde_json::json!([]));
        let done = node.import(file.as_bytes(), MAP).await;
        assert_eq!(tried.counts, done.counts);
    }
}

#[tokio::test]
async fn a_later_file_changes_what_differs_and_keeps_what_was() {
    for node in stores().await {
        let of = |street: &str, mobile: &str| {
            format!(
                "External ID,First Name,Last Name,Street Address,Zip,Mobile\n7,Ada,Okafor,{street},44622,{mobile}\n"
            )
        };
        node.import(of("12 Elm St", "6145550101").as_bytes(), &[])
            .await;
        let moved = of("9 Oak Ave", "6145550102");
        let report = node.import(moved.as_bytes(), &[]).await;
        assert_eq!((report.counts.imported, report.counts.updated), (0, 1));
        let ada = node.person("external:7").await;
        assert_eq!(ada["address"]["line1"], "9 Oak Ave");
        assert_eq!(ada["extra"]["address (also)"], "12 Elm St, 44622");
        let shown: Vec<&str> = ada["points"]
            .as_array()
            .unwrap()
            .iter()
            .map(|point| point["value"].as_str().unwrap())
            .collect();
        assert_eq!(
            shown,
            [
                "us|44622|9|||oak|ave||",
                "us|44622|12|||elm|st||",
                "+16145550101",
                "+16145550102"
            ],
            "the door of the later file comes first, a further phone behind the first"
        );
    }
}

#[tokio::test]
async fn a_second_list_shares_the_people_of_the_first() {
    for node in stores().await {
        let file = rows(20);
        node.import(file.as_bytes(), MAP).await;
        let walkers = commonturf::people::request::Request::for_list(
            &crate::support::alone::pairs(&[&[("list", "Walkers")], MAP].concat()),
        )
        .unwrap();
        let report = node.send(&walkers, file.as_bytes()).await.unwrap();
        assert_eq!(report.counts.imported, 0);
        assert!(report.counts.updated > 0, "they are on a list more");
        let lists = node.get("/lists").await;
        assert_eq!(lists[0]["people"], lists[1]["people"]);
        let ann = node.person("external:0").await;
        assert_eq!(ann["lists"], serde_json::json!(["Neighbors", "Walkers"]));
    }
}
