//! Whole files of a small coalition, and what is refused of them.

mod fork;
mod world;

use super::*;
use crate::{
    codec,
    entry::Entry,
    id::{Hash, Lineage},
    merkle,
    time::DAY,
};
use proptest::prelude::*;
use std::sync::LazyLock;
use world::{ENTRIES_OF_LOG, START, WORLD, envelope};

fn record() -> Vec<u8> {
    Evidence::new(Body::Record(WORLD.record(0))).bytes()
}

fn person() -> Vec<u8> {
    Evidence::new(Body::Person(WORLD.person())).bytes()
}

/// What does not hold of a record.
fn faults(change: impl FnOnce(&mut Record)) -> String {
    let mut record = WORLD.record(0);
    change(&mut record);
    said(&Evidence::new(Body::Record(record)))
}

fn person_faults(change: impl FnOnce(&mut PersonProof)) -> String {
    let mut person = WORLD.person();
    change(&mut person);
    said(&Evidence::new(Body::Person(person)))
}

fn said(file: &Evidence) -> String {
    let report = verify(&file.bytes()).unwrap();
    assert!(!report.holds, "{report}");
    assert_eq!(report.row, None, "what is not proved is not shown");
    let false_ones = report.findings.iter().filter(|finding| !finding.holds);
    false_ones
        .map(|finding| finding.what.as_str())
        .collect::<Vec<_>>()
        .join("; ")
}

#[test]
fn a_record_holds_and_says_who_vouches() {
    let report = verify(&record()).unwrap();
    assert!(report.holds, "{report}");
    let mut both = [WORLD.keeper.id(), WORLD.member.id()];
    both.sort_unstable();
    assert_eq!(report.vouched_by, both);
    let text = report.to_string();
    assert!(text.contains("Green Table"), "{text}");
    assert!(text.contains("2026-11-25: Green Table"), "{text}");
    assert!(text.contains("announced 5 people (identity)"), "{text}");
}

#[test]
fn a_record_that_begins_later_holds_too() {
    let later = Evidence::new(Body::Record(WORLD.record(11))).bytes();
    assert!(verify(&later).unwrap().holds);
}

#[test]
fn a_persons_proof_holds_and_shows_the_row() {
    let report = verify(&person()).unwrap();
    assert!(report.holds, "{report}");
    assert_eq!(report.row.as_deref(), Some(r#"["row", 3]"#));
    assert!(report.to_string().contains("row 4 of 5"));
}

#[test]
fn a_rewritten_shortened_or_reordered_record_is_refused() {
    let root = "another root";
    assert!(faults(|record| record.items[4].sealed = Hash::ZERO).contains(root));
    assert!(faults(|record| record.items.swap(3, 4)).contains("never goes back"));
    assert!(faults(|record| record.items[0].log_time = START).contains(root));
    let cut = faults(|record| record.items.truncate(30));
    assert!(cut.contains("no entries up to 37"), "{cut}");
    let longer = faults(|record| record.items.push(record.items[36]));
    assert!(longer.contains("up to 37 of 38"), "{longer}");
    assert!(faults(|record| record.items.clear()).contains("no entries up to"));
    assert!(faults(|record| record.lineage = Lineage([3; 16])).contains("another log"));
}

#[test]
fn a_head_that_nobody_known_signed_is_refused() {
    let unsigned = faults(|record| record.documents.clear());
    assert!(unsigned.contains("signed by nobody"), "{unsigned}");
    assert!(unsigned.contains("0 organizations signed"), "{unsigned}");
    let alone = faults(|record| record.notes.truncate(1));
    assert_eq!(
        alone,
        "1 organizations signed for this log (2 or more are evidence)"
    );
    let borrowed = faults(|record| {
        let mut note = WORLD.signed(ENTRIES_OF_LOG);
        note.signatures.extend(WORLD.signed(30).signatures);
        record.notes.push(note.to_string());
    });
    assert!(borrowed.contains("1 signatures of the note"), "{borrowed}");
    let late = faults(|record| {
        for item in &mut record.items {
            item.log_time = item.log_time.plus(301 * DAY);
        }
    });
    assert!(late.contains("an identity document"), "{late}");
}

#[test]
fn an_entry_that_was_not_sealed_there_is_refused() {
    let other: Entry = {
        let Entry::Share(share) = &WORLD.share else {
            unreachable!()
        };
        let mut share = share.clone();
        share.count = 4;
        share.into()
    };
    let bytes = codec::encode(&other);
    let said = faults(|record| record.entries[0].entry = bytes.clone());
    assert!(said.contains("is not the one that was sealed"), "{said}");
    // An envelope made afterwards fits the entry, and is not in the log.
    let sealed = envelope(WORLD.member.id(), &other);
    let said = faults(|record| {
        record.entries[0].entry = bytes;
        record.entries[0].envelope = sealed;
    });
    assert!(said.contains("is not the one of the log"), "{said}");
    for position in [0, 19, 21, 38, u64::MAX] {
        let said = faults(|record| record.entries[0].position = position);
        assert!(said.contains("is not the one of the log"), "{said}");
    }
}

#[test]
fn another_row_salt_place_or_announcement_is_refused() {
    let not = "is not row";
    assert!(person_faults(|proof| proof.salt[0] ^= 1).contains(not));
    assert!(person_faults(|proof| proof.row.push(0)).contains(not));
    assert!(person_faults(|proof| proof.index = 2).contains(not));
    assert!(person_faults(|proof| proof.index = u64::MAX).contains(not));
    assert!(person_faults(|proof| proof.path = merkle::Proof::default()).contains(not));
    let later = person_faults(|proof| proof.share.position += 1);
    assert!(later.contains("is not proved to be in it"), "{later}");
    let none = person_faults(|proof| proof.share.position = 0);
    assert!(none.contains("no position 0"), "{none}");
    let bare = person_faults(|proof| proof.vouched.clear());
    assert!(bare.contains("no signed head"), "{bare}");
}

#[test]
fn files_over_a_limit_or_of_another_kind_are_refused() {
    let mut record = WORLD.record(0);
    record.notes = vec![String::new(); NOTES + 1];
    let long = Evidence::new(Body::Record(record)).bytes();
    let limit = EvidenceError::TooMany {
        what: "notes",
        limit: NOTES,
    };
    assert_eq!(verify(&long), Err(limit));
    let mut proof = WORLD.person();
    proof.row = vec![0; ROW_BYTES + 1];
    assert!(verify(&Evidence::new(Body::Person(proof)).bytes()).is_err());
    let other = codec::encode(&("commonturf evidence v2", 0));
    assert!(verify(&other).is_err());
    assert!(verify(&[]).is_err());
    let mut marked = record_with_mark("commonturf evidence v0");
    assert_eq!(verify(&marked), Err(EvidenceError::Mark));
    marked.push(0);
    assert!(matches!(verify(&marked), Err(EvidenceError::Codec(_))));
}

fn record_with_mark(mark: &str) -> Vec<u8> {
    let text = String::from_utf8_lossy(&record()).into_owned();
    assert!(text.contains("commonturf evidence v1"));
    let mut bytes = record();
    let at = bytes
        .windows(mark.len())
        .position(|part| part == b"commonturf evidence v1")
        .unwrap();
    bytes[at..at + mark.len()].copy_from_slice(mark.as_bytes());
    bytes
}

static FILES: LazyLock<[Vec<u8>; 2]> = LazyLock::new(|| [record(), person()]);

fn accepts(bytes: &[u8]) -> bool {
    verify(bytes).is_ok_and(|report| report.holds)
}

#[test]
fn no_single_flipped_bit_of_a_persons_proof_is_accepted() {
    let good = person();
    assert!(accepts(&good));
    for place in 0..good.len() {
        let mut bytes = good.clone();
        bytes[place] ^= 1 << (place % 8);
        assert!(!accepts(&bytes), "byte {place}");
    }
}

proptest! {
    #[test]
    fn altered_files_never_panic_and_are_never_accepted(
        file in 0_usize..2,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
        end in prop::option::of(any::<prop::sample::Index>()),
        more in prop::collection::vec(any::<u8>(), 0..4),
    ) {
        let good = &FILES[file];
        let mut bytes = good.clone();
        for (place, value) in changes {
            bytes[place.index(good.len())] = value;
        }
        if let Some(end) = end {
            bytes.truncate(end.index(good.len()));
        }
        bytes.extend(more);
        prop_assume!(bytes != *good);
        prop_assert!(!accepts(&bytes));
    }

    #[test]
    fn bytes_that_mean_nothing_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(verify(&bytes).is_err());
    }
}

/// Files with what is said of them: name, why, bytes.
fn vectors() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let record = |change: fn(&mut Record)| {
        let mut record = WORLD.record(0);
        change(&mut record);
        Evidence::new(Body::Record(record)).bytes()
    };
    let person = |change: fn(&mut PersonProof)| {
        let mut person = WORLD.person();
        change(&mut person);
        Evidence::new(Body::Person(person)).bytes()
    };
    vec![
        ("accept_record", "two organizations signed", record(|_| ())),
        ("accept_person", "the fourth row of five", person(|_| ())),
        (
            "refuse_record_rewritten",
            "one entry has another hash",
            record(|record| record.items[4].sealed = Hash::ZERO),
        ),
        (
            "refuse_record_one_signer",
            "nobody but the keeper signed",
            record(|record| record.notes.truncate(1)),
        ),
        (
            "refuse_record_shortened",
            "the last entry is left out",
            record(|record| record.items.truncate(36)),
        ),
        (
            "refuse_person_other_row",
            "the row is longer than the one that was shared",
            person(|proof| proof.row.push(0)),
        ),
        (
            "refuse_person_other_place",
            "the row stands elsewhere in the share",
            person(|proof| proof.index = 2),
        ),
        (
            "refuse_person_unsigned",
            "nobody signed",
            person(|proof| proof.vouched.clear()),
        ),
    ]
}

#[test]
fn every_vector_holds_or_does_not_as_its_name_says() {
    let folder =
        std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../spec/vectors/evidence");
    let mut written = Vec::new();
    for (name, why, bytes) in vectors() {
        let file = folder.join(format!("{name}.json"));
        let vector = serde_json::json!({
            "section": "protocol.md 11",
            "why": why,
            "file": data_encoding::HEXLOWER.encode(&bytes),
        });
        let text = format!("{}\n", serde_json::to_string_pretty(&vector).unwrap());
        if !file.exists() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&file, &text).unwrap();
            written.push(name);
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), text, "{name}");
        assert_eq!(accepts(&bytes), name.starts_with("accept_"), "{name}");
    }
    assert!(
        written.is_empty(),
        "look at them and commit them: {written:?}"
    );
    assert_eq!(std::fs::read_dir(folder).unwrap().count(), vectors().len());
}
