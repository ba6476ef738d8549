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
    assert!(error.to_string().contains(part), "{error}");
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
        assert_eq!(terms.review_by_ms, crate::LAW_REVIEW_BY_MS);
        let known = ["GB", "US"].contains(&terms.params.default_region.as_str());
        assert!(known && terms.params.default_jurisdiction() != Jurisdiction::UNKNOWN);
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
        .flat_map(|Template { name, .. }| [format!("{name}.toml"), format!("{name}.vectors.toml")])
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
    refused("epochs = 5", "epochs = -1", "E_TERMS_INVALID");
    refused("epochs = 5", "epochs = 6", "knows no other");
}

#[test]
fn what_limits_the_use_of_people_is_checked() {
    refused(
        "contacts = 3",
        "contacts = 0",
        "contact_cap.contacts is from 1 to 100",
    );
    refused(
        "contacts = 3, days = 14",
        "contacts = 3, days = 366",
        "contact_cap.days",
    );
    refused("contacts = 3, ", "contact = 3, ", "unknown field");
    refused("use_limit = 6", "use_limit = 0", "1 to 1000");
    refused("use_limit = 6", "use_limit = 1_001", "1 to 1000");
    refused("use_limit = 6", "use_limit = 6.5", "E_TERMS_INVALID");
    refused("notice_hours = 24", "notice_hours = 721", "0 to 720");
    refused("backup_days = 35", "backup_days = 0", "1 to 365");
    refused(
        "change_percent = 100",
        "change_percent = 99",
        "knows no other",
    );
    refused("removal_percent = 67", "removal_percent = 66", "67 to 100");
    refused("removal_percent = 67", "removal_percent = 101", "67 to 100");
}

#[test]
fn words_are_checked() {
    refused(
        "title = \"Issue table\"",
        "title = \" \"",
        "title has 1 to 200",
    );
    for day in ["next year", "2027-06-31", "2027-6-30", ""] {
        let line = format!("review_by = \"{day}\"");
        refused("review_by = \"2027-06-30\"", &line, "2027-06-30");
    }
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
}

#[test]
fn nothing_has_a_default() {
    let (head, params) = table().split_once("[params]\n").unwrap();
    let lines: Vec<&str> = params.lines().filter(|line| line.contains(" = ")).collect();
    assert_eq!(lines.len(), 20, "every field stands on a line of its own");
    for line in lines {
        let without = format!("{head}[params]\n{}", params.replace(line, ""));
        let name = line.split(' ').next().unwrap();
        let error = Terms::parse(&without).expect_err(line);
        assert!(
            error.message.contains(&format!("missing field `{name}`")),
            "{error}"
        );
    }
    let undated = table().replace("review_by = \"2027-06-30\"", "");
    assert!(
        Terms::parse(&undated)
            .unwrap_err()
            .message
            .contains("review_by")
    );
}

#[test]
fn somebody_who_writes_terms_reads_every_fault_in_order() {
    let text = table()
        .replace("title = \"Issue table\"", "title = \"\"")
        .replace("@id(\"ag.postal\")", "@id(\"postal\")")
        .replace("min_cell = 10", "min_cell = 1")
        .replace("epochs = 5", "epochs = 21");
    let faults = Terms::check(&text).unwrap_err();
    let codes: Vec<Code> = faults.iter().map(|fault| fault.code).collect();
    assert_eq!(
        codes,
        [
            Code::TermsInvalid,
            Code::PolicyId,
            Code::TermsInvalid,
            Code::TermsInvalid
        ]
    );
    assert!(faults.is_sorted_by_key(|fault| fault.line));
    assert_eq!(Terms::parse(&text).unwrap_err(), faults[0]);
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
        error.code == Code::PolicyInvalid && error.line > 1,
        "{error}"
    );
}

#[test]
fn a_huge_file_is_refused_unread() {
    let huge = " ".repeat(MAX_TERMS_BYTES + 1);
    let error = Terms::parse(&huge).unwrap_err();
    assert!(error.code == Code::Limit && error.message.contains("40 KiB"));
}
