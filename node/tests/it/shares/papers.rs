//! The papers that a person gets, and the list of those whose consent ends.

use super::{
    desk::Desk,
    net::{Net, ask},
    people::{LIST, who},
};
use policy::FieldClass;
use protocol::entry::share::RevokeKind;

const CHARITY: (&str, &str) = ("Clean Air Fund", "c3");

#[tokio::test]
async fn a_statement_names_everybody_who_got_the_person_and_their_receipts() {
    let net = Net::of(&[("Tenants United", "c4"), CHARITY]).await;
    net.nodes[0].add(&[who(0, &["Clean Air Fund"])]).await;
    let desk = Desk::of(&net, 0);
    let path = "/people/personaaa/statement";
    let (status, before) = desk.json("GET", path, None).await;
    assert_eq!(
        (status, before["recipients"].as_array().unwrap().len()),
        (200, 0)
    );
    assert_eq!(before["person"]["name"], "Canarya Quillfeathera");
    assert_eq!(before["consents"][0]["state"], "given");

    net.send(0, ask(&["Clean Air Fund"], &[FieldClass::Postal]), LIST)
        .await;
    let (_, held) = desk.json("GET", path, None).await;
    let recipient = &held["recipients"][0];
    assert_eq!(recipient["name"], "Clean Air Fund");
    assert_eq!(recipient["status"], "held");
    assert!(recipient["receipt"].is_null());

    net.revoke(0, "personaaa", RevokeKind::Erasure).await;
    let (_, gone) = desk.json("GET", path, None).await;
    assert_eq!(gone["recipients"][0]["status"], "erased");
    assert!(gone["recipients"][0]["receipt"]["signature"].is_string());
    assert_eq!(gone["consents"][0]["state"], "withdrawn");
    let (status, page) = desk
        .call("GET", "/people/personaaa/statement.html", None)
        .await;
    let page = String::from_utf8(page).unwrap();
    assert_eq!(status, 200);
    assert!(page.contains("Clean Air Fund") && page.contains("signed that this data is gone"));
}

#[tokio::test]
async fn what_a_file_called_a_person_stays_text_in_its_papers() {
    let net = Net::of(&[("Tenants United", "c4"), CHARITY]).await;
    let mut somebody = who(0, &["Clean Air Fund"]);
    somebody.surname = "<script>alert(1)</script>".to_owned();
    net.nodes[0].add(&[somebody]).await;
    let desk = Desk::of(&net, 0);
    for paper in ["statement.html", "consent-receipts.html"] {
        let (status, page) = desk
            .call("GET", &format!("/people/personaaa/{paper}"), None)
            .await;
        let page = String::from_utf8(page).unwrap();
        assert_eq!(status, 200);
        assert!(page.starts_with("<!doctype html>") && page.contains("alert(1)"));
        assert!(!page.contains("<script"), "{paper}");
    }
}

#[tokio::test]
async fn a_consent_receipt_says_what_was_agreed_and_changes_with_the_record() {
    let net = Net::of(&[("Tenants United", "c4"), CHARITY]).await;
    net.nodes[0].add(&[who(0, &["Clean Air Fund"])]).await;
    let desk = Desk::of(&net, 0);
    let path = "/people/personaaa/consent-receipts";
    let (_, first) = desk.json("GET", path, None).await;
    let first = &first["receipts"][0];
    assert_eq!(first["state"], "given");
    assert!(first["ends"].is_i64());
    assert_eq!(first["record"]["withdrawal_method"], "Write to us");
    net.revoke(0, "personaaa", RevokeKind::Withdrawal).await;
    let (_, later) = desk.json("GET", path, None).await;
    let later = &later["receipts"][0];
    assert_eq!(later["state"], "withdrawn");
    assert_ne!(later["receipt_id"], first["receipt_id"]);
}

#[tokio::test]
async fn papers_of_nobody_and_of_records_that_are_not_there_are_refused() {
    let net = Net::of(&[("Tenants United", "c4"), CHARITY]).await;
    let mut without = who(1, &[]);
    without.agreed_to.clear();
    net.nodes[0]
        .add(&[who(0, &["Clean Air Fund"]), without])
        .await;
    let desk = Desk::of(&net, 0);
    for (path, status) in [
        ("/people/nobody/statement", 404),
        ("/people/nobody/statement.html", 404),
        ("/people/personbbb/consent-receipts", 404),
        ("/people/personaaa/consent-receipts?record=other", 404),
        ("/people/personaaa/consent-receipts?color=red", 400),
        ("/consents/renewals?days=0", 400),
        ("/consents/renewals?days=3651", 400),
        ("/consents/renewals?days=soon", 400),
    ] {
        assert_eq!(desk.call("GET", path, None).await.0, status, "{path}");
    }
}

#[tokio::test]
async fn those_whose_consent_ends_in_time_are_listed() {
    let net = Net::of(&[("Tenants United", "c4"), CHARITY]).await;
    net.nodes[0]
        .add(&[who(0, &["Clean Air Fund"]), who(1, &["Clean Air Fund"])])
        .await;
    let desk = Desk::of(&net, 0);
    let (_, soon) = desk.json("GET", "/consents/renewals?days=30", None).await;
    assert_eq!(
        (soon["ending"].as_u64(), soon["ended"].as_u64()),
        (Some(0), Some(0))
    );
    let (_, later) = desk.json("GET", "/consents/renewals?days=500", None).await;
    assert_eq!(later["ending"], 2);
    assert_eq!(later["people"][0]["name"], "Canarya Quillfeathera");
    net.revoke(0, "personaaa", RevokeKind::Withdrawal).await;
    let (_, fewer) = desk.json("GET", "/consents/renewals?days=500", None).await;
    assert_eq!(fewer["ending"], 1, "nobody is asked again who took it back");
}
