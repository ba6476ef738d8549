//! What rows say about being contacted, and what people agreed to.

use crate::support::alone::{Alone, list, stores};
use serde_json::{Value, json};

const HEAD: &str = "External ID,First Name,Last Name,Street Address,Zip,Mobile,Email,Do Not Call,Do Not Knock,\
    email-out,text-out,Deceased,Do Not Contact,mail-bad,Tags,DOB\n";
const MAP: &[(&str, &str)] = &[
    ("map", "email-out=email-opt-out"),
    ("map", "text-out=text-opt-out"),
    ("map", "mail-bad=email-bad"),
];

fn row(id: u32, marks: &str) -> String {
    format!("{HEAD}{id},Ada,Okafor,12 Elm St,44622,6145550101,ada@example.org,{marks}\n")
}

/// Reason and channels of each mark.
fn marks(person: &Value) -> Vec<(String, Value)> {
    let rows = person["suppressions"].as_array().unwrap();
    let mark = |row: &Value| {
        (
            row["reason"].as_str().unwrap().to_owned(),
            row["channels"].clone(),
        )
    };
    rows.iter().map(mark).collect()
}

async fn marked(node: &Alone, columns: &str) -> Value {
    node.import(row(7, columns).as_bytes(), MAP).await;
    node.person("external:7").await
}

fn mark(reason: &str, channels: Value) -> (String, Value) {
    (reason.to_owned(), channels)
}

#[tokio::test]
async fn a_mark_on_a_channel_becomes_a_suppression_of_that_channel() {
    for node in stores().await {
        let ada = marked(&node, "yes,x,,,,,,,").await;
        let expected = [
            mark("do_not_contact", json!(["door"])),
            mark("do_not_contact", json!(["phone"])),
        ];
        let mut found = marks(&ada);
        found.sort_by_key(|(_, channels)| channels.to_string());
        assert_eq!(found, expected);
        assert_eq!(ada["never_share"], false);
    }
}

#[tokio::test]
async fn an_opt_out_is_kept_apart_from_what_the_coalition_is_told() {
    for node in stores().await {
        let ada = marked(&node, ",,yes,,,,,,").await;
        assert_eq!(marks(&ada), [mark("opt_out", json!(["email"]))]);
    }
}

#[tokio::test]
async fn who_is_reported_dead_is_marked_once_and_on_no_channel() {
    for node in stores().await {
        marked(&node, ",,,,yes,,,,").await;
        let ada = marked(&node, ",,,,Y,,,,").await;
        assert_eq!(marks(&ada), [mark("deceased", json!([]))]);
    }
}

#[tokio::test]
async fn do_not_contact_closes_every_channel_and_every_share() {
    for node in stores().await {
        let ada = marked(&node, ",,,,,yes,,,").await;
        assert_eq!(marks(&ada).len(), 4);
        assert_eq!(ada["never_share"], true);
        assert_eq!(ada["extra"]["do not mail"], "yes");
    }
}

#[tokio::test]
async fn a_bad_address_is_a_defect_of_the_address() {
    for node in stores().await {
        let ada = marked(&node, ",,,,,,yes,,").await;
        assert_eq!(marks(&ada), [mark("defect", json!(["email"]))]);
        let mail = &ada["points"].as_array().unwrap().clone()[2];
        assert_eq!(
            (&mail["kind"], &mail["bad"]),
            (&json!("email"), &json!(true))
        );
        assert_eq!(ada["suppressions"][0]["point_id"], mail["point_id"]);
    }
}

#[tokio::test]
async fn party_tags_and_young_people_are_noticed() {
    for node in stores().await {
        let ada = marked(&node, ",,,,,,,\"walks, party:green\",2010-05-17").await;
        assert_eq!(
            (&ada["partisan"], &ada["minor"]),
            (&json!(true), &json!(true))
        );
        let plain = HEAD.to_owned() + "8,Bea,Lindqvist,,,,,,,,,,,,walks,1990-05-17\n";
        node.import(plain.as_bytes(), MAP).await;
        let bea = node.person("external:8").await;
        assert_eq!(
            (&bea["partisan"], &bea["minor"]),
            (&json!(false), &json!(false))
        );
    }
}

#[tokio::test]
async fn a_mark_that_was_taken_back_comes_again_with_a_later_file_only() {
    for node in stores().await {
        let file = row(7, "yes,,,,,,,,");
        node.import(file.as_bytes(), MAP).await;
        let mut tx = node.app.store.write("taking back").await.unwrap();
        sqlx::query("UPDATE suppression SET withdrawn_at = $1")
            .bind(node.app.now().0 - 1)
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let again = node.import(file.as_bytes(), MAP).await;
        assert_eq!(again.counts.suppressions, 0);
        let later = row(7, "yes,,,,,,,later,");
        let later = node.import(later.as_bytes(), MAP).await;
        assert_eq!(later.counts.suppressions, 1);
    }
}

const FORM: &str = r#"
language = "en"
collection_method = "paper"
withdrawal_method = "Write to privacy@tenants.example"

[notice]
url = "https://tenants.example/notice"
version = "2026-1"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"

[[purposes]]
purpose = "gotv"
pii_information = ["identity", "postal"]
channels = ["door", "sms_p2p"]
recipients = ["Green Table"]
"#;

async fn form(node: &Alone) -> String {
    let (status, kept) = node
        .desk("POST", "/consent-forms", FORM.as_bytes().to_vec())
        .await;
    assert_eq!(status, 200, "{kept}");
    let kept: Value = serde_json::from_str(&kept).unwrap();
    kept["consent_form"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn everybody_in_a_file_signed_its_form_once() {
    for node in stores().await {
        let form = form(&node).await;
        let more = [
            MAP,
            &[
                ("consent_form", form.as_str()),
                ("consent_date", "2026-10-01"),
            ],
        ]
        .concat();
        let file = row(7, ",,,,,,,,");
        let first = node.import(file.as_bytes(), &more).await;
        assert_eq!(first.counts.consents, 1);
        let again = node.import(file.as_bytes(), &more).await;
        assert_eq!(again.counts.consents, 0);
        let ada = node.person("external:7").await;
        assert_eq!(ada["basis"], "consent");
        let consents = ada["consents"].as_array().unwrap();
        assert_eq!(consents.len(), 1);
        assert_eq!(consents[0]["state"], "given");
        assert_eq!(consents[0]["form"], "2026-1");
        let record = &consents[0]["record"];
        assert_eq!(record["events"][0]["event_time"], 1_790_812_800_000_i64);
        assert_eq!(
            record["x_evidence"]["sha256"],
            protocol::id::Hash::of(file.as_bytes()).to_string()
        );
    }
}

#[tokio::test]
async fn who_unsubscribed_has_taken_consent_back_whichever_file_says_so_first() {
    for node in stores().await {
        let form = form(&node).await;
        let signed = [MAP, &[("consent_form", form.as_str())]].concat();
        // The list says it, the file of signatures does not.
        node.import(row(7, ",,yes,,,,,,").as_bytes(), MAP).await;
        let report = node.import(row(7, ",,,,,,,,").as_bytes(), &signed).await;
        assert_eq!(
            (report.counts.consents, report.counts.consents_withdrawn),
            (1, 1)
        );
        let ada = node.person("external:7").await;
        assert_eq!(ada["consents"][0]["state"], "withdrawn");
        // The signature was there before.
        let bea = |out: &str| format!("{HEAD}8,Bea,Lindqvist,,,,bea@example.org,,,{out},,,,,,\n");
        node.import(bea("").as_bytes(), &signed).await;
        let report = node.import(bea("yes").as_bytes(), MAP).await;
        assert_eq!(report.counts.consents_withdrawn, 1);
        assert_eq!(
            node.person("external:8").await["consents"][0]["state"],
            "withdrawn"
        );
    }
}

#[tokio::test]
async fn an_opt_out_of_texts_leaves_consent_to_a_knock() {
    for node in stores().await {
        let form = form(&node).await;
        let signed = [MAP, &[("consent_form", form.as_str())]].concat();
        node.import(row(7, ",,,yes,,,,,").as_bytes(), &signed).await;
        let ada = node.person("external:7").await;
        assert_eq!(ada["consents"][0]["state"], "given");
        assert_eq!(marks(&ada), [mark("opt_out", json!(["text"]))]);
    }
}

#[tokio::test]
async fn a_form_that_was_never_sent_is_refused() {
    for node in stores().await {
        let hash = protocol::id::Hash::of(b"another form").to_string();
        let request = list(&[("consent_form", hash.as_str())]);
        let refused = node.send(&request, row(7, ",,,,,,,,").as_bytes()).await;
        assert!(refused.unwrap_err().to_string().contains("send the form"));
        let (status, said) = node
            .desk("POST", "/consent-forms", b"nothing".to_vec())
            .await;
        assert_eq!(status, 400, "{said}");
        assert_eq!(
            node.get("/people").await,
            json!([]),
            "nobody came in without the form"
        );
    }
}
