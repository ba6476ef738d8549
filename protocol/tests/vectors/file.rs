//! Vectors on disk.

use protocol::state::State;
use serde_json::{Value, json};
use std::{fs, path::PathBuf};

pub(crate) fn spec(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../spec")
        .join(path)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

pub(crate) fn bytes(value: &Value) -> Vec<u8> {
    let text = value.as_str().expect("a text of hex digits");
    data_encoding::HEXLOWER
        .decode(text.as_bytes())
        .expect("lower-case hex")
}

/// Every vector of a folder, by name.
pub(crate) fn all(folder: &str) -> Vec<(String, Value)> {
    let mut files: Vec<_> = fs::read_dir(spec("vectors").join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
        .into_iter()
        .map(|file| {
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            (
                name,
                serde_json::from_slice(&fs::read(&file).unwrap()).unwrap(),
            )
        })
        .collect()
}

/// Runs all vectors of a folder. `judge` gives what came of one, or the name of the error.
pub(crate) fn each(folder: &str, judge: impl Fn(&Value) -> Result<String, String>) {
    let vectors = all(folder);
    let (mut accepted, mut refused) = (0, 0);
    for (name, vector) in vectors {
        let text = |field: &str| {
            vector[field]
                .as_str()
                .unwrap_or_else(|| panic!("{name}: a text in {field}"))
        };
        assert!(
            !text("why").is_empty() && text("section").starts_with("protocol.md "),
            "{name}"
        );
        let found = judge(&vector);
        if name.starts_with("accept_") {
            assert_eq!(found, Ok(text("expect").to_owned()), "{name}");
            accepted += 1;
        } else {
            assert!(
                name.starts_with("refuse_"),
                "{name} is neither accept_ nor refuse_"
            );
            assert_eq!(found, Err(text("error").to_owned()), "{name}");
            refused += 1;
        }
    }
    assert!(
        refused > accepted && accepted > 0,
        "{folder}: {accepted} accepted, {refused} refused"
    );
}

/// Writes the cases that have no file yet, and says which.
pub(crate) fn write_missing(folder: &str, cases: Vec<(String, Value)>) -> Vec<String> {
    let folder = spec("vectors").join(folder);
    fs::create_dir_all(&folder).unwrap();
    let mut written = Vec::new();
    for (name, case) in cases {
        let file = folder.join(format!("{name}.json"));
        if !file.exists() {
            let text = serde_json::to_string_pretty(&case).unwrap();
            fs::write(&file, format!("{text}\n")).unwrap();
            written.push(name);
        }
    }
    written
}

/// A state that vectors start from.
pub(crate) fn state(name: &str) -> State {
    let file = spec("vectors/state").join(format!("{name}.json"));
    let vector: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let (state, _) = State::from_snapshot(&bytes(&vector["snapshot"])).unwrap();
    assert_eq!(json!(state.hash().to_string()), vector["hash"]);
    state
}

/// The name of an error's variant, which is what vectors carry.
pub(crate) fn variant(error: &impl std::fmt::Debug) -> String {
    format!("{error:?}")
        .split([' ', '(', '{'])
        .next()
        .unwrap_or_default()
        .to_owned()
}
