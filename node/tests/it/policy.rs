//! `commonturf policy` as somebody uses it who has no node: exit codes, places, and JSON.

use serde_json::Value;
use std::process::{Command, Output};
use tempfile::TempDir;

struct Desk {
    folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    fn put(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_commonturf"))
            .current_dir(&self.folder)
            .arg("policy")
            .args(arguments)
            .output()
            .unwrap()
    }

    /// What is printed, after the exit code is what it should be.
    fn says(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert_eq!(code == 0, error.is_empty(), "{error}");
        String::from_utf8(output.stdout).unwrap() + &error
    }

    fn answer(&self, code: i32, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

fn table() -> policy::Template {
    policy::template("us-issue-table").unwrap()
}

const OWN: &str = "@id(\"own.permit\") @reason(\"Nothing more is forbidden.\")
permit (principal, action, resource);

@id(\"own.no-money\") @reason(\"Nobody is asked for money.\")
forbid (principal, action in Turf::Action::\"Flow\", resource)
when { context.purpose == Turf::Purpose::\"fundraising\" };
";

#[test]
fn what_is_built_in_can_be_read_checked_and_tested() {
    let desk = Desk::new();
    let listed = desk.answer(0, &["templates"]);
    assert_eq!(listed.as_array().unwrap().len(), policy::templates().len());
    assert!(desk.says(0, &["templates"]).contains("not legal advice"));
    for template in policy::templates() {
        let named = format!("template:{}", template.name);
        assert!(desk.says(0, &["lint", &named]).contains("can be used"));
        assert_eq!(desk.answer(0, &["test", &named])["ok"], true);
        assert_eq!(desk.says(0, &["show", template.name]), template.text);
    }
    assert!(desk.says(0, &["test", "law"]).contains("vectors hold"));
    assert!(desk.says(0, &["show", "law.minor"]).contains("forbid"));
    let law = desk.answer(0, &["show", "law"]);
    assert!(law.as_array().unwrap().len() > 30);
    assert!(
        law.as_array()
            .unwrap()
            .iter()
            .all(|rule| rule["cite"].is_string())
    );
}

#[test]
fn terms_that_are_shown_and_saved_are_tested_with_the_vectors_beside_them() {
    let desk = Desk::new();
    desk.put("terms.toml", &desk.says(0, &["show", "us-issue-table"]));
    assert!(
        desk.says(2, &["test", "terms.toml"])
            .contains("terms.vectors.toml")
    );
    let vectors = desk.says(0, &["show", "us-issue-table", "--vectors"]);
    desk.put("terms.vectors.toml", &vectors);
    assert!(
        desk.says(0, &["test", "terms.toml"])
            .contains("vectors hold")
    );
    let open = table().text.replace(
        "when { resource.recentContact };",
        "when { resource.minor };",
    );
    desk.put("terms.toml", &open);
    let told = desk.says(1, &["test", "terms.toml"]);
    assert!(
        told.contains("expected deny by ag.recontact; it flows by ag.phone"),
        "{told}"
    );
    let answer = desk.answer(1, &["test", "terms.toml"]);
    let failing = answer["vectors"].as_array().unwrap().iter();
    assert!(
        failing
            .filter(|tested| tested["failure"].is_string())
            .count()
            > 0
    );
    assert!(
        desk.says(1, &["test", "terms.toml", "--vectors", "none.toml"])
            .contains("none.toml")
    );
}

#[test]
fn every_fault_of_terms_has_its_line() {
    let desk = Desk::new();
    let text = table()
        .text
        .replace("min_cell = 10", "min_cell = 1")
        .replace("@id(\"ag.postal\")", "@id(\"postal\")");
    desk.put("terms.toml", &text);
    let line = |part: &str| text[..text.find(part).unwrap()].matches('\n').count() + 1;
    let told = desk.says(1, &["lint", "terms.toml"]);
    let rule = format!(
        "terms.toml:{}: E_POLICY_ID: postal",
        line("@id(\"postal\")")
    );
    let number = format!(
        "terms.toml:{}: E_TERMS_INVALID: min_cell",
        line("min_cell = 1")
    );
    assert!(
        told.contains(&rule) && told.contains(&number) && told.contains("2 faults"),
        "{told}"
    );
    let answer = desk.answer(1, &["lint", "terms.toml"]);
    assert_eq!(answer["faults"][0]["code"], "E_POLICY_ID");
    assert_eq!(
        (&answer["ok"], &answer["layer"]),
        (&Value::Bool(false), &Value::from("agreement"))
    );
    desk.put(
        "old.toml",
        &table().text.replace("2027-06-30", "2020-06-30"),
    );
    assert!(
        desk.says(1, &["lint", "old.toml"])
            .contains("E_AGREEMENT_EXPIRED")
    );
}

#[test]
fn own_rules_are_checked_and_tested_too() {
    let desk = Desk::new();
    desk.put("own-policy.cedar", OWN);
    assert!(
        desk.says(0, &["lint", "own-policy.cedar"])
            .contains("can be used")
    );
    let vectors = table()
        .vectors
        .split("[[vector]]")
        .next()
        .unwrap()
        .to_owned()
        + "[[vector]]\nname = \"Turnout is fine\"\npermit = \"ag.all\"\nabout = \"own.no-money\"\n";
    desk.put("own-policy.vectors.toml", &vectors);
    let told = desk.says(1, &["test", "own-policy.cedar"]);
    assert!(
        told.contains("own.no-money has no vector to deny"),
        "{told}"
    );
    let vectors = vectors
        + "[[vector]]\nname = \"Money is not\"\ndeny = \"own.no-money\"\npurpose = \"fundraising\"\n";
    desk.put("own-policy.vectors.toml", &vectors);
    assert!(
        desk.says(0, &["test", "own-policy.cedar"])
            .contains("All 2 vectors hold")
    );
    desk.put("own-policy.cedar", &OWN.replace("@id(\"own.permit\")", ""));
    assert!(
        desk.says(1, &["lint", "own-policy.cedar"])
            .contains("own-policy.cedar:1: E_POLICY_ID")
    );
    assert!(
        desk.says(1, &["test", "own-policy.cedar"])
            .contains("E_POLICY_ID")
    );
}

#[test]
fn wrong_use_is_told_apart_from_refusal() {
    let desk = Desk::new();
    assert!(
        desk.says(2, &["show", "us-issue-tabel"])
            .contains("us-issue-table")
    );
    assert!(
        desk.says(2, &["lint", "template:none"])
            .contains("us-issue-table")
    );
    assert!(
        desk.says(2, &["test", "law", "--vectors", "x.toml"])
            .contains("--vectors")
    );
    assert!(
        desk.says(2, &["show", "law", "--vectors"])
            .contains("policy test law")
    );
    desk.says(2, &["lint"]);
    assert!(
        desk.says(1, &["lint", "missing.toml"])
            .contains("missing.toml")
    );
    desk.put("bad.vectors.toml", "[base");
    desk.put("bad.toml", table().text);
    assert!(desk.says(1, &["test", "bad.toml"]).contains("line 1"));
}
