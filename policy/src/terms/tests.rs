//! Terms: what is read, and every way to be refused.

use super::*;

fn table() -> &'static str {
    template("us-issue-table").unwrap().text
}

/// The issue table with one text replaced: the line of that text must be the line of the refusal.
fn refused(from: &str, to: &str, part: &str) {
    let at = table().find(from).expect("the test changes something");
    let line = table()[..at].matches('\n').count() + 1;
    let error = Terms::parse(&table().replacen(from, to, 1)).expect_err(to);
    assert_eq!(error.line, line, "{error}");
    assert!(error.message.contains(part), "{error}");
}

#[test]
fn every_template_is_sound_and_says_that_it_is_no_advice() {
    for template in templates() {
        let terms = Terms::parse(template.text).unwrap();
        assert!(
            template.text.contains("Template, not legal advice"),
            "{}",
            template.name
        );
        assert_eq!(terms.review_by, "2027-06-30", "{}", template.name);
        assert_eq!(terms.params.min_cell, 10);
        assert_eq!(terms.params.default_jurisdiction(), Jurisdiction::US);
    }
    assert!(template("nothing").is_none());
}

#[test]
fn the_templates_are_the_files_of_their_folder() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let mut found: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    let known: Vec<String> = templates()
        .iter()
        .map(|template| format!("{}.toml", template.name))
        .collect();
    assert_eq!(found, known);
}

#[test]
fn numbers_out_of_range_are_refused_at_their_line() {
    refused("min_cell = 10", "min_cell = 9", "10 to 1000");
    refused(
        "recontact_days = { door = 14",
        "recontact_days = { door = 366",
        "0 to 365",
    );
    refused(
        "claim_days_max = { door = 14",
        "claim_days_max = { door = 0",
        "claim_days_max.door",
    );
    refused("ack_hours = 24", "ack_hours = 0", "1 to 168");
    refused(
        "due_business_days_channels = 10",
        "due_business_days_channels = 11",
        "1 to 10",
    );
    refused("due_days_erasure = 30", "due_days_erasure = 91", "1 to 90");
    refused(
        "token_budget = { door = 1_100_000",
        "token_budget = { door = 1_000_000_001",
        "1000000000",
    );
    refused("norm_version = 1", "norm_version = 2", "norm_version");
    refused("blob_ttl_days = 30", "blob_ttl_days = 0", "1 to 365");
    refused("epochs = 5", "epochs = -1", "");
}

#[test]
fn words_are_checked() {
    refused(
        "title = \"Issue table\"",
        "title = \" \"",
        "title has 1 to 200",
    );
    refused(
        "review_by = \"2027-06-30\"",
        "review_by = \"next year\"",
        "2027-06-30",
    );
    refused(
        "time_zone = \"America/New_York\"",
        "time_zone = \"Eastern Time\"",
        "America/New_York",
    );
    refused(
        "default_region = \"US\"",
        "default_region = \"XX\"",
        "country",
    );
    refused(
        "default_region = \"US\"",
        "default_region = \"us\"",
        "capital",
    );
}

#[test]
fn unknown_and_missing_fields_are_refused() {
    refused("min_cell", "min_sell", "unknown field");
    refused("grace_hours = 24", "renewal_hours = 24", "duplicate");
    assert!(
        Terms::parse("title = 1")
            .unwrap_err()
            .message
            .contains("invalid type")
    );
    let without = table().replace("attempts_open_window = false", "");
    assert!(
        Terms::parse(&without)
            .unwrap_err()
            .message
            .contains("attempts_open_window")
    );
    let defaults = table()
        .replace("min_cell = 10\n", "")
        .replace("default_region = \"US\"\n", "");
    let terms = Terms::parse(&defaults).unwrap();
    assert_eq!(
        (terms.params.min_cell, terms.params.default_region.as_str()),
        (10, "US")
    );
}

#[test]
fn a_faulty_rule_is_refused_at_its_line_in_the_file() {
    refused(
        "@id(\"ag.political\")",
        "@name(\"ag.political\")",
        "E_POLICY_ID",
    );
    refused(
        "@id(\"ag.written\")",
        "@id(\"ag.recontact\")",
        "already used",
    );
    refused(
        "when { resource.recentContact };",
        "when { resource.recentContact; ",
        "E_POLICY_PARSE",
    );
    let error =
        Terms::parse(&table().replace("context.purpose)", "context.porpoise)")).unwrap_err();
    assert!(
        error.message.starts_with("E_POLICY_INVALID") && error.line > 1,
        "{error}"
    );
}

#[test]
fn a_huge_file_is_refused_unread() {
    let huge = " ".repeat(MAX_TERMS_BYTES + 1);
    assert!(Terms::parse(&huge).unwrap_err().message.contains("256 KiB"));
}
