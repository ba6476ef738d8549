//! The verifier as a program: what it prints and how it ends.
#![cfg(test)]

use serde_json::Value;
use std::{
    path::Path,
    process::{Command, Output},
};

fn verify(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_commonturf-verify"))
        .args(arguments)
        .output()
        .unwrap()
}

/// The file of a vector.
fn file(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors/evidence");
    let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
    let vector: Value = serde_json::from_str(&text).unwrap();
    let hex = vector["file"].as_str().unwrap();
    data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap()
}

fn written(bytes: &[u8]) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    file
}

#[test]
fn a_file_that_holds_ends_with_0_and_is_told_in_words_and_in_json() {
    for name in ["accept_record", "accept_person"] {
        let file = written(&file(name));
        let path = file.path().to_str().unwrap();
        let plain = verify(&[path]);
        let text = String::from_utf8(plain.stdout).unwrap();
        assert_eq!(plain.status.code(), Some(0), "{text}");
        assert!(text.contains("Everything holds.") && !text.contains("DOES NOT"));
        let json = verify(&["--json", path]);
        let report: Value = serde_json::from_slice(&json.stdout).unwrap();
        assert_eq!(report["holds"], true);
        assert_eq!(report["vouched_by"].as_array().unwrap().len(), 2);
        assert_eq!(report["row"].is_string(), name == "accept_person");
    }
}

#[test]
fn a_file_that_does_not_hold_or_cannot_be_read_ends_with_1_and_says_why() {
    for (name, why) in [
        ("refuse_record_rewritten", "another root"),
        ("refuse_person_other_row", "is not row 4 of 5"),
    ] {
        let file = written(&file(name));
        let answer = verify(&[file.path().to_str().unwrap()]);
        let text = String::from_utf8(answer.stdout).unwrap();
        assert_eq!(answer.status.code(), Some(1));
        assert!(
            text.contains("DOES NOT HOLD") && text.contains(why),
            "{text}"
        );
    }
    let noise = written(b"no evidence");
    let answer = verify(&[noise.path().to_str().unwrap(), "--json"]);
    let report: Value = serde_json::from_slice(&answer.stdout).unwrap();
    assert_eq!(
        (answer.status.code(), &report["holds"]),
        (Some(1), &false.into())
    );
    let gone = verify(&["no/such/file"]);
    assert_eq!(gone.status.code(), Some(1));
    assert!(
        String::from_utf8(gone.stderr)
            .unwrap()
            .contains("no/such/file")
    );
}

#[test]
fn wrong_use_ends_with_2() {
    for arguments in [&[][..], &["a", "b"], &["a", "--loud"], &["--json"]] {
        let answer = verify(arguments);
        assert_eq!(answer.status.code(), Some(2), "{arguments:?}");
        assert!(String::from_utf8(answer.stderr).unwrap().contains("usage"));
    }
}
