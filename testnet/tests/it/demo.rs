//! A whole round with real processes, small: what it must show, and that it judges itself clean.

use serde_json::Value;
use std::process::{Command, Output, Stdio};
use tokio::process::Command as Running;

fn demo(words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_testnet"));
    command.arg("demo").args(words).stdin(Stdio::null());
    command.output().expect("the program starts")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_round_ends_without_a_finding_and_leaves_nothing_behind() {
    let mut command = Running::new(env!("CARGO_BIN_EXE_testnet"));
    command.args(["demo", "--exit", "--json", "--size", "150", "--seed", "7"]);
    let output = command.stdin(Stdio::null()).output().await.unwrap();
    let progress = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{progress}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["findings"], serde_json::json!([]), "{progress}");
    let organizations = report["organizations"].as_array().unwrap();
    assert_eq!(organizations.len(), 4);
    let sum = |field: &str| -> u64 {
        let claims = organizations
            .iter()
            .map(|about| about["claim"][field].as_u64().unwrap());
        claims.sum()
    };
    assert!(
        sum("granted") > 0 && sum("held") > 0 && sum("recent") > 0,
        "{report}"
    );
    let tenants = &organizations[0];
    assert!(
        tenants["shares"][0]["sent"].as_u64().unwrap() > 0,
        "{tenants}"
    );
    let withheld = organizations
        .iter()
        .flat_map(|about| about["shares"].as_array().unwrap());
    let withheld = withheld.flat_map(|share| share["withheld"].as_array().unwrap());
    assert!(
        withheld
            .into_iter()
            .any(|rule| rule["rule"] == "law.c3-partisan"),
        "{report}"
    );
    let receipts = report["revocation"]["receipts"].as_object().unwrap();
    assert!(
        !receipts.is_empty() && receipts.values().all(|there| there == true),
        "{report}"
    );
    for about in organizations {
        let directory = about["directory"].as_str().unwrap();
        assert!(
            !std::path::Path::new(directory).exists(),
            "{directory} is left"
        );
    }
}

#[test]
fn files_that_do_not_say_whose_they_are_are_refused_with_the_lines_to_write() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["ours", "theirs"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    let output = demo(&["--exit", "--data", folder.path().to_str().unwrap()]);
    let words = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        words.contains("ours/organization.toml") && words.contains("kind = "),
        "{words}"
    );
}

#[test]
fn a_seed_and_own_files_do_not_go_together() {
    let output = demo(&["--seed", "1", "--data", "/nowhere"]);
    assert_eq!(output.status.code(), Some(2));
}
