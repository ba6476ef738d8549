//! Consent forms that are refused, with the place of what is wrong.

use crate::fixture::FORM;
use policy::{EventState, FieldClass, Form};

/// The form with one text replaced: line, field and a part of the message of the refusal.
fn refused(from: &str, to: &str, line: usize, field: &str, part: &str) {
    assert!(FORM.contains(from), "the test changes something: {from}");
    let error = Form::parse(&FORM.replacen(from, to, 1)).expect_err(to);
    assert_eq!((error.line, error.field.as_str()), (line, field), "{error}");
    assert!(error.message.contains(part), "{error}");
}

#[test]
fn what_is_wrong_is_named_with_its_line_and_field() {
    refused("language = \"en\"", "language = ", 2, "the file", "");
    refused("language", "langauge", 2, "langauge", "unknown field");
    refused("language = \"en\"\n", "", 2, "language", "missing field");
    refused("\"paper\"", "\"pigeon\"", 3, "collection_method", "web_form");
    refused("\"Write to privacy@water.example\"", "\" \"", 4, "withdrawal_method", "1 to 2000");
    refused("000000\"", "\"", 10, "sha256", "64 hexadecimal");
    refused("\"gotv\"", "\"world_peace\"", 13, "purpose", "issue_advocacy");
    refused("\"postal\"", "\"address\"", 14, "pii_information", "identity");
    refused("\"door\"", "\"knock\"", 15, "channels", "call_manual");
    refused("written = [\"sms_auto\"]", "written = [\"mail\"]", 16, "written", "among the channels");
    refused("expiry_days = 730", "expiry_days = 0", 19, "expiry_days", "1 to 36525");
    refused("expiry_days = 730", "expiry_days = -1", 19, "the file", "");
    refused("explicit_special = true", "lawful_basis = \"public_record\"", 5, "lawful_basis", "consent");
}

#[test]
fn a_form_that_names_nobody_or_nothing_covers_nobody() {
    let recipients = "[\"org-b\", \"Ohio Voters PAC\", \"c3\", \"org-cand\"]";
    refused(recipients, "[]", 17, "recipients", "covers nobody");
    refused(recipients, "[\"\"]", 17, "recipients", "1 to 200");
    refused("[\"call_manual\", \"door\", \"sms_auto\"]", "[]", 15, "channels", "at least one");
    let fields = "[\"identity\", \"postal\", \"email\", \"phone\", \"political\", \"engagement\"]";
    refused(fields, "[]", 14, "pii_information", "at least one");
}

#[test]
fn json_says_the_same_as_toml() {
    let json = r#"{
        "language": "en", "collection_method": "door", "withdrawal_method": "Reply STOP",
        "notice": { "url": "https://x.example", "version": "1",
          "sha256": "0000000000000000000000000000000000000000000000000000000000000000" },
        "purposes": [{ "purpose": "event", "pii_information": ["email"], "channels": ["email"],
          "recipients": ["coalition", "Ohio Nurses"] }]
    }"#;
    let form = Form::parse(json).unwrap();
    assert_eq!(form.purposes()[0].recipient_third_parties.x_classes, ["coalition"]);
    assert_eq!(form.purposes()[0].recipient_third_parties.party_ids, ["Ohio Nurses"]);
    assert_eq!(form.purposes()[0].pii_information, [FieldClass::Email]);
    let error = Form::parse(&json.replace("\"event\"", "\"dance\"")).unwrap_err();
    assert_eq!((error.line, error.field.as_str()), (5, "purpose"));
    let error = Form::parse(&json.replace("\"language\"", "\"tongue\"")).unwrap_err();
    assert_eq!((error.line, error.field.as_str()), (2, "tongue"));
}

#[test]
fn a_record_carries_the_form_and_the_event() {
    let form = Form::parse(FORM).unwrap();
    let record = form.record("c-9", "person-9", 7, EventState::Refused, None);
    assert_eq!((record.record_id.as_str(), record.pii_principal_id.as_str()), ("c-9", "person-9"));
    assert_eq!(record.events()[0].event_state, EventState::Refused);
    assert_eq!(record.purposes[0].retention_period.as_deref(), Some("P730D"));
    assert_eq!(record.special_pii_category, ["political_opinion"]);
    assert_eq!(record.privacy_notice, *form.notice());
}

#[test]
fn a_huge_form_is_refused_unread() {
    let huge = " ".repeat(policy::consent::form::MAX_FORM_BYTES + 1);
    assert!(Form::parse(&huge).unwrap_err().message.contains("256 KiB"));
}
