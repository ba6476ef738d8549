//! Files of every format, who is one person in them, and how people are found afterwards.

use crate::support::alone::stores;
use commonturf::store::{list, point};
use protocol::channel::Channel;
use serde_json::{Value, json};

/// Every sample of a list: its bytes, format, people and rows left out.
const SAMPLES: &[(&[u8], &str, u64, u64)] = &[
    (
        include_bytes!("../../samples/action-network.csv"),
        "action-network",
        3,
        0,
    ),
    (include_bytes!("../../samples/civicrm.csv"), "civicrm", 2, 2),
    (include_bytes!("../../samples/csv.csv"), "csv", 2, 0),
    (
        include_bytes!("../../samples/nationbuilder.csv"),
        "nationbuilder",
        3,
        0,
    ),
    (
        include_bytes!("../../samples/van-saved-list.csv"),
        "van-saved-list",
        3,
        0,
    ),
];

#[tokio::test]
async fn every_sample_imports_by_itself() {
    for (bytes, format, people, left_out) in SAMPLES {
        for node in stores().await {
            let report = node.import(bytes, &[]).await;
            assert_eq!(report.format, *format);
            assert_eq!(report.state, "done");
            let counts = &report.counts;
            assert_eq!(
                (counts.imported, counts.rejected),
                (*people, *left_out),
                "{format}"
            );
            assert_eq!(report.rows, people + left_out);
            assert_eq!(node.get("/lists").await[0]["people"], json!(people));
        }
    }
}

#[tokio::test]
async fn all_samples_on_one_list_are_the_same_few_people() {
    for node in stores().await {
        for (bytes, ..) in SAMPLES {
            node.import(bytes, &[]).await;
        }
        let ada = node.get("/people?search=ada%20okafor").await;
        let found = ada.as_array().unwrap();
        assert_eq!(found.len(), 1, "one Ada over five systems: {ada}");
        let ada = node.person("van:100001").await;
        let systems: Vec<&str> = ada["ids"]
            .as_array()
            .unwrap()
            .iter()
            .map(|id| id["system"].as_str().unwrap())
            .collect();
        assert_eq!(
            systems,
            [
                "action-network",
                "civicrm",
                "external",
                "nationbuilder",
                "van"
            ]
        );
    }
}

#[tokio::test]
async fn utf_16_and_cells_that_look_like_formulas_stay_text() {
    let text = "VanID\tFirstName\tLastName\tStreetAddress\tZipOrPostal\n\
        1\tZoë\t=HYPERLINK(\"https://example.org\")\t12 Elm St\t04462\n\
        2\t+Ana\t@SUM(1+1)\t-9 Oak Ave\t44622\n";
    let file: Vec<u8> = [0xFEFF]
        .into_iter()
        .chain(text.encode_utf16())
        .flat_map(u16::to_le_bytes)
        .collect();
    for node in stores().await {
        let report = node.import(&file, &[("format", "van-saved-list")]).await;
        assert_eq!(report.counts.imported, 2);
        let zoe = node.person("van:1").await;
        assert_eq!(zoe["given"], "Zoë");
        assert_eq!(zoe["surname"], "=HYPERLINK(\"https://example.org\")");
        assert_eq!(zoe["points"][0]["value"], "us|04462|12|||elm|st||");
        assert_eq!(node.person("van:2").await["given"], "+Ana");
    }
}

const PEOPLE: &str =
    "External ID,First Name,Last Name,Suffix,DOB,Street Address,Zip,Phone,Mobile,Email\n";

#[tokio::test]
async fn people_who_share_a_mailbox_a_phone_or_a_name_stay_apart() {
    let rows = [
        "1,Ada,Okafor,,,12 Elm St,44622,,,family@example.org",
        "2,Ben,Okafor,,,12 Elm St,44622,,,family@example.org",
        // Father and son at one landline.
        "3,John,Brown,Sr,,1 Main St,44622,6145550103,,",
        "4,John,Brown,Jr,,1 Main St,44622,6145550103,,",
        "5,John,Brown,,,1 Main St,44622,6145550103,,",
        // One name and house, two birthdays.
        "6,Eve,Diaz,,1950-02-03,3 Main St,44622,,,",
        "7,Eve,Diaz,,1980-02-03,3 Main St,44622,,,",
    ];
    for node in stores().await {
        let file = format!("{PEOPLE}{}\n", rows.join("\n"));
        let report = node.import(file.as_bytes(), &[]).await;
        assert_eq!(report.counts.imported, 7, "{:?}", report.counts);
        let house = node.person("external:1").await["points"][0].clone();
        assert_eq!(
            house["point_id"],
            node.person("external:2").await["points"][0]["point_id"]
        );
    }
}

#[tokio::test]
async fn one_person_is_found_again_by_each_key() {
    let rows = [
        "1,Ada,Okafor,,,12 Elm St,44622,,6145550101,ada@example.org",
        // By mail, by mobile, by name with birth and postal code, by name and door.
        "2,ADA,Okafor,,1980-05-17,,,,,ADA@Example.org",
        "3,Áda,Okafor,,,,,,(614) 555-0101,",
        "4,Ada,Okafor,,1980-05-17,9 Oak Ave,44622,,,",
        ",Ada,Okafor,,,9 Oak Avenue,44622-1234,,,",
        // Another mobile owner by that number, and another birthday.
        "6,Bea,Okafor,,,,,,6145550101,",
        "7,Ada,Okafor,,1990-05-17,9 Oak Ave,44622,,,",
    ];
    for node in stores().await {
        let file = format!("{PEOPLE}{}\n", rows.join("\n"));
        let report = node.import(file.as_bytes(), &[]).await;
        let counts = &report.counts;
        assert_eq!(
            (counts.imported, counts.duplicates_merged),
            (3, 4),
            "{counts:?}"
        );
        assert_eq!(
            node.person("external:1").await["person_id"],
            node.person("external:4").await["person_id"]
        );
    }
}

#[tokio::test]
async fn people_are_found_by_the_end_of_an_id_name_mail_and_accentless_spelling() {
    for node in stores().await {
        let file = format!(
            "{PEOPLE}1,Zoë,Ñandú,,,,,,,zoe@example.org\n2,Ann,Lee,,,,,,,a@example.org\n3,Ann,Lee,,,,,,,b@example.org\n"
        );
        node.import(file.as_bytes(), &[]).await;
        let zoe = node.person("zoe nandu").await;
        let id = zoe["person_id"].as_str().unwrap();
        for reference in [
            "external:1",
            "EXTERNAL:1",
            "Zoë Ñandú",
            &id[id.len() - 6..],
            id,
        ] {
            let (status, said) = node
                .desk(
                    "GET",
                    &format!("/people/{}", encoded(reference)),
                    Vec::new(),
                )
                .await;
            assert_eq!(status, 200, "{reference}: {said}");
        }
        for (reference, expected) in [
            ("Ann Lee", 400),
            ("Nobody", 404),
            ("external:9", 404),
            (&id[id.len() - 5..], 404),
        ] {
            let path = format!("/people/{}", encoded(reference));
            assert_eq!(
                node.desk("GET", &path, Vec::new()).await.0,
                expected,
                "{reference}"
            );
        }
        let found = |answer: Value| answer.as_array().unwrap().len();
        assert_eq!(found(node.get("/people?search=lee%20ann").await), 2);
        assert_eq!(found(node.get("/people?search=zoe@example").await), 1);
        assert_eq!(
            found(node.get("/people?search=%25").await),
            3,
            "no pattern of the database"
        );
        assert_eq!(
            found(node.get("/people?search=&list=Neighbors&limit=1").await),
            1
        );
        assert_eq!(
            node.desk("GET", "/people?list=Walkers", Vec::new()).await.0,
            404
        );
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn the_points_of_a_list_are_each_persons_best_in_walking_order() {
    let rows = [
        "1,Ada,Okafor,,,12 Elm St,44622,6145550101,6145550102,a@example.org",
        "2,Ben,Okafor,,,12 Elm Street,44622,,,b@example.org",
        "3,Eve,Diaz,,,2 Elm St,44622,6145550103,,",
        "4,Bea,Lindqvist,,,PO Box 9,44622,12,,nonsense",
    ];
    for node in stores().await {
        let file = format!("{PEOPLE}{}\n", rows.join("\n"));
        let report = node.import(file.as_bytes(), &[]).await;
        let mut db = node.app.store.read("points").await.unwrap();
        let id = list::by_name(&mut db, "Neighbors")
            .await
            .unwrap()
            .unwrap()
            .list_id;
        let doors = point::of_list(&mut db, &id, Channel::Door).await.unwrap();
        let shown: Vec<(i64, i64)> = doors
            .iter()
            .map(|door| (door.point.number, door.people))
            .collect();
        assert_eq!(shown, [(2, 1), (12, 2)]);
        let phones = point::of_list(&mut db, &id, Channel::Text).await.unwrap();
        let mut numbers: Vec<&str> = phones
            .iter()
            .map(|phone| phone.point.value.as_str())
            .collect();
        numbers.sort_unstable();
        assert_eq!(
            numbers,
            ["+16145550102", "+16145550103"],
            "the mobile before the landline"
        );
        let doubts: u64 = report.counts.warnings.values().sum();
        assert_eq!(
            doubts, 3,
            "no door, no number, no mail: {:?}",
            report.counts.warnings
        );
    }
}
