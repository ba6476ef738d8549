//! The files under `spec/` that belong to identity: vectors hold, the page of problems is fresh.
#![cfg(test)]

use protocol::{
    codec::decode,
    id::NodeId,
    identity::{KeyId, PublicKey, SignedDocument},
    problem::problems_markdown,
    seal::{AgeIdentity, open},
    sign::{RequestView, verify_request},
    time::Moment,
};
use serde_json::Value;
use std::{fs, path::PathBuf};

/// Fewer files than this in a folder mean that vectors were lost.
const VECTORS_AT_LEAST: usize = 8;

fn spec(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../spec")
        .join(path)
}

fn text<'a>(vector: &'a Value, field: &str) -> &'a str {
    vector[field]
        .as_str()
        .unwrap_or_else(|| panic!("a text in {field}"))
}

fn bytes(value: &str) -> Vec<u8> {
    data_encoding::HEXLOWER
        .decode(value.as_bytes())
        .expect("lower-case hex")
}

/// Runs all vectors of a folder. `judge` gives what was read, or the name of the error.
fn each_vector(folder: &str, judge: impl Fn(&Value) -> Result<String, String>) {
    let mut files: Vec<_> = fs::read_dir(spec(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(
        files.len() >= VECTORS_AT_LEAST,
        "{folder} has only {} vectors",
        files.len()
    );
    let (mut accepted, mut refused) = (0, 0);
    for file in files {
        let vector: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(
            !text(&vector, "why").is_empty()
                && text(&vector, "section").starts_with("identity.md "),
            "{name}"
        );
        let found = judge(&vector);
        if name.starts_with("accept_") {
            assert_eq!(found, Ok(text(&vector, "expect").to_owned()), "{name}");
            accepted += 1;
        } else {
            assert!(
                name.starts_with("refuse_"),
                "{name} is neither accept_ nor refuse_"
            );
            assert_eq!(found, Err(text(&vector, "error").to_owned()), "{name}");
            refused += 1;
        }
    }
    assert!(
        accepted > 0 && refused > accepted,
        "{folder}: {accepted} accepted, {refused} refused"
    );
}

/// The name of an error's variant, which is what vectors carry.
fn variant(error: &impl std::fmt::Debug) -> String {
    format!("{error:?}")
        .split([' ', '(', '{'])
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn identity_vectors_hold() {
    each_vector("vectors/identity", |vector| {
        let now = Moment(vector["now"].as_i64().unwrap());
        let signed: SignedDocument =
            decode(&bytes(text(vector, "signed"))).map_err(|error| variant(&error))?;
        let document = signed.verify(now).map_err(|error| variant(&error))?;
        Ok(format!("{} {}", document.node_id, document.organization))
    });
}

#[test]
fn signing_vectors_hold() {
    each_vector("vectors/signing", |vector| {
        let strings =
            |field: &str| -> Vec<String> { serde_json::from_value(vector[field].clone()).unwrap() };
        let headers: Vec<(String, String)> =
            serde_json::from_value(vector["headers"].clone()).unwrap();
        let headers: Vec<_> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let body = vector["body"].as_str().map(bytes);
        let view = RequestView {
            method: text(vector, "method"),
            authority: "",
            path: text(vector, "path"),
            query: vector["query"].as_str(),
            headers: &headers,
            body: body.as_deref(),
        };
        let authorities = strings("authorities");
        let authorities: Vec<_> = authorities.iter().map(String::as_str).collect();
        let lookup = |node: NodeId, kid: &KeyId| {
            let key = vector["keys"][format!("{node}.{kid}")].as_str()?;
            Some(PublicKey(bytes(key).try_into().unwrap()))
        };
        let me: NodeId = text(vector, "me").parse().unwrap();
        let now = Moment(vector["now"].as_i64().unwrap());
        let verified = verify_request(&view, me, &authorities, lookup, now)
            .map_err(|error| variant(&error))?;
        Ok(format!("{} {}", verified.caller, verified.seen))
    });
}

#[test]
fn sealing_vectors_hold() {
    each_vector("vectors/sealing", |vector| {
        let identity = AgeIdentity::from_secret_text(text(vector, "identity"))
            .map_err(|error| variant(&error))?;
        let max_bytes = vector["max_bytes"].as_u64().unwrap().try_into().unwrap();
        let plaintext = open(&bytes(text(vector, "sealed")), &identity, max_bytes);
        plaintext
            .map(|bytes| data_encoding::HEXLOWER.encode(&bytes))
            .map_err(|error| variant(&error))
    });
}

#[test]
fn the_page_of_problems_is_fresh() {
    let (page, file) = (problems_markdown(), spec("problems.md"));
    if fs::read_to_string(&file).unwrap_or_default() != page {
        fs::write(&file, page).unwrap();
        panic!("spec/problems.md was stale; it is written anew, look at the change and commit it");
    }
}
