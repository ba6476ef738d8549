//! The vectors of entries and of the fold: every file holds, every kind of entry has its share.
#![cfg(test)]

#[path = "vectors/cases.rs"]
mod cases;
#[path = "vectors/ceremony.rs"]
mod ceremony;
#[path = "vectors/codec.rs"]
mod codec_cases;
#[path = "vectors/file.rs"]
mod file;
#[path = "vectors/hand_on.rs"]
mod hand_on;
#[path = "vectors/identity.rs"]
mod identity;
#[path = "vectors/overlap.rs"]
mod overlap;
#[path = "vectors/particular.rs"]
mod particular;
#[path = "vectors/rotation.rs"]
mod rotation;
#[path = "vectors/run.rs"]
mod run;
#[path = "vectors/two_truths.rs"]
mod two_truths;
#[expect(
    dead_code,
    reason = "the laws of the fold share this file and use all of it"
)]
#[path = "fold/world.rs"]
mod world;

use protocol::entry::Entry;
use std::collections::BTreeMap;

/// What an MLS commit is called among the kinds of entries.
const COMMIT: &str = "commit";

#[test]
fn entries_are_read_and_refused_as_the_vectors_say() {
    file::each("entries", run::entry);
}

#[test]
fn the_fold_does_and_refuses_what_the_vectors_say() {
    file::each("fold", run::fold);
}

#[test]
fn every_kind_has_vectors_and_a_section() {
    for folder in ["entries", "fold"] {
        let mut counts: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        for (name, vector) in file::all(folder) {
            let kind = vector["kind"].as_str().unwrap().to_owned();
            let (accepted, refused) = counts.entry(kind).or_default();
            *(if name.starts_with("accept_") {
                accepted
            } else {
                refused
            }) += 1;
        }
        let mut kinds: Vec<&str> = Entry::ALL.to_vec();
        if folder == "fold" {
            kinds.push(COMMIT);
        }
        for kind in &kinds {
            let (accepted, refused) = counts.get(*kind).copied().unwrap_or_default();
            assert!(
                accepted >= 1 && refused >= 3,
                "{folder}: {kind} has {accepted} accepted and {refused} refused vectors"
            );
        }
        assert_eq!(
            counts.len(),
            kinds.len(),
            "{folder} has vectors of unknown kinds"
        );
    }
    let text = std::fs::read_to_string(file::spec("protocol.md")).unwrap();
    let bytes = std::fs::read_to_string(file::spec("protocol.cddl")).unwrap();
    for kind in Entry::ALL {
        assert!(
            text.contains(&format!("`{kind}`")),
            "spec/protocol.md does not say what {kind} means"
        );
        assert!(
            bytes.contains(&format!("\n{kind} = [")),
            "spec/protocol.cddl does not say how {kind} is written"
        );
    }
}

/// A vector that is there is never written over: other bytes are another protocol.
#[test]
fn every_case_has_its_file() {
    let mut written = file::write_missing("state", cases::states());
    let working = file::state("working");
    written.extend(file::write_missing("state", ceremony::states(&working)));
    written.extend(file::write_missing("state", overlap::states(&working)));
    written.extend(file::write_missing("state", rotation::states(&working)));
    written.extend(file::write_missing("state", hand_on::states()));
    written.extend(file::write_missing("state", two_truths::states(&working)));
    written.extend(file::write_missing("entries", codec_cases::all(&working)));
    written.extend(file::write_missing("fold", cases::all(&working)));
    assert!(
        written.is_empty(),
        "these vectors were written: look at them and commit them: {written:?}"
    );
}
