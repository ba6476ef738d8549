//! Contact histories: whose attempts they are, whom they lead to, what they say beyond that.

use crate::support::alone::{Alone, stores};
use serde_json::{Value, json};

const LIST: &str = "VanID,FirstName,LastName,StreetAddress,ZipOrPostal,HomePhone,CellPhone\n\
    1,Ada,Okafor,12 Elm St,44622,6145550101,6145550102\n\
    2,Ben,Okafor,12 Elm St,44622,,\n";
const HEAD: &str = "VANID,VoterName,ResultShortName,CommitteeName,DateCanvassed,ContactTypeName\n";

fn history(rows: &[&str]) -> Vec<u8> {
    format!("{HEAD}{}\n", rows.join("\n")).into_bytes()
}

async fn listed(node: &Alone) {
    node.import(LIST.as_bytes(), &[("format", "van-saved-list")])
        .await;
}

fn reasons(person: &Value) -> Vec<&str> {
    let rows = person["suppressions"].as_array().unwrap();
    rows.iter()
        .map(|row| row["reason"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn the_sample_is_taken_once() {
    let sample = include_bytes!("../../samples/van-contact-history.xls");
    for node in stores().await {
        let first = node.contacts(sample, &[]).await;
        let counts = &first.counts;
        assert_eq!((counts.contacts, counts.unjoined), (5, 5));
        assert_eq!(counts.unknown_results, [("ZQ".to_owned(), 1)].into());
        assert_eq!(
            counts.other_committee, 5,
            "two committees, none of this name"
        );
        let again = node.contacts(sample, &[]).await;
        assert_eq!((again.counts.contacts, again.counts.unchanged), (0, 5));
        let named = node
            .contacts(sample, &[("committee", "canal alliance")])
            .await;
        assert_eq!(named.counts.contacts, 0, "the same attempts, whoever asks");
    }
}

#[tokio::test]
async fn an_attempt_leads_to_the_person_and_the_point_that_was_tried() {
    for node in stores().await {
        listed(&node).await;
        let file = history(&[
            "1,\"Okafor, Ada\",CV,,10/02/2026,Walk",
            "1,\"Okafor, Ada\",Not Home,,10/03/2026 6:45 PM,Phone",
        ]);
        let report = node.contacts(&file, &[]).await;
        assert_eq!((report.counts.contacts, report.counts.unjoined), (2, 0));
        let ada = node.person("van:1").await;
        let contacts = ada["contacts"].as_array().unwrap();
        let day = &contacts[1];
        assert_eq!(
            (&day["whole_day"], &day["own"]),
            (&json!(true), &json!(true))
        );
        assert_eq!(
            day["at"], 1_790_985_599_999_i64,
            "the end of the day in UTC"
        );
        assert_eq!(day["effect"], "contact-made");
        assert_eq!(contacts[0]["channel"], "phone");
        assert_eq!(contacts[0]["whole_day"], false);
    }
}

#[tokio::test]
async fn wishes_defects_and_deaths_become_suppressions() {
    for node in stores().await {
        listed(&node).await;
        let file = history(&[
            "1,,XW,Tenants United,10/02/2026,Walk",
            "1,,WX,Tenants United,10/03/2026,Phone",
            "2,,Moved,Tenants United,10/02/2026,Walk",
            "2,,DC,Tenants United,10/04/2026,Walk",
        ]);
        let report = node.contacts(&file, &[]).await;
        assert_eq!(report.counts.suppressions, 4);
        let ada = node.person("van:1").await;
        assert_eq!(reasons(&ada), ["do_not_contact", "defect"]);
        let bad: Vec<&Value> = ada["points"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|point| point["bad"] == true)
            .collect();
        assert_eq!(bad.len(), 1);
        assert_eq!(
            bad[0]["value"], "+16145550102",
            "the number that was called first"
        );
        let ben = node.person("van:2").await;
        assert_eq!(reasons(&ben), ["moved", "deceased"]);
        assert_eq!(
            ada["points"][0]["bad"], false,
            "others still live at that door"
        );
    }
}

#[tokio::test]
async fn another_committees_rows_are_kept_and_assert_only_what_the_person_wished() {
    for node in stores().await {
        listed(&node).await;
        let file = history(&[
            "1,,CV,TENANTS united,10/02/2026,Walk",
            "1,,XC,Canal Alliance,10/03/2026,Phone",
            "2,,DC,Canal Alliance,10/04/2026,Walk",
        ]);
        let report = node.contacts(&file, &[]).await;
        assert_eq!(report.counts.other_committee, 2);
        assert_eq!(reasons(&node.person("van:1").await), ["do_not_contact"]);
        let ben = node.person("van:2").await;
        assert_eq!(reasons(&ben), Vec::<&str>::new());
        assert_eq!(ben["contacts"][0]["own"], false);
    }
}

#[tokio::test]
async fn attempts_wait_for_the_list_that_tells_who_it_was() {
    for node in stores().await {
        let file = history(&["1,,XW,,10/02/2026,Walk", "9,,CV,,10/02/2026,Walk"]);
        let before = node.contacts(&file, &[]).await;
        assert_eq!(before.counts.unjoined, 2);
        listed(&node).await;
        let after = node.contacts(&file, &[]).await;
        assert_eq!((after.counts.joined, after.counts.unchanged), (1, 1));
        assert_eq!(reasons(&node.person("van:1").await), ["do_not_contact"]);
    }
}

#[tokio::test]
async fn the_admin_says_what_an_unknown_result_means() {
    for node in stores().await {
        listed(&node).await;
        let file = history(&["1,,Porch Chat,,10/02/2026,Walk"]);
        let report = node
            .contacts(&file, &[("result", "porch chat=contact-made")])
            .await;
        assert!(report.counts.unknown_results.is_empty());
        let ada = node.person("van:1").await;
        assert_eq!(ada["contacts"][0]["effect"], "contact-made");
        assert_eq!(ada["contacts"][0]["flagged"], false);
    }
}

#[tokio::test]
async fn an_unknown_result_is_settled_by_the_same_file_once_its_meaning_is_said() {
    for node in stores().await {
        listed(&node).await;
        let file = history(&["1,,Porch Chat,,10/02/2026,Walk"]);
        node.contacts(&file, &[]).await;
        assert_eq!(node.person("van:1").await["contacts"][0]["flagged"], true);
        let meaning = [("result", "porch chat=contact-made")];
        let report = node.contacts(&file, &meaning).await;
        assert_eq!((report.counts.contacts, report.counts.updated), (0, 1));
        let ada = node.person("van:1").await;
        assert_eq!(ada["contacts"][0]["effect"], "contact-made");
        assert_eq!(ada["contacts"][0]["flagged"], false);
        let third = node.contacts(&file, &meaning).await;
        assert_eq!((third.counts.updated, third.counts.unchanged), (0, 1));
    }
}

#[tokio::test]
async fn an_attempt_that_lies_ahead_is_left_out_and_said() {
    for node in stores().await {
        listed(&node).await;
        let file = history(&["1,,Not Home,,11/22/2036,Walk"]);
        let report = node.contacts(&file, &[]).await;
        assert_eq!(report.counts.contacts, 0);
        let said = serde_json::to_string(&report.counts).unwrap();
        assert!(said.contains("lies ahead"), "{said}");
    }
}
