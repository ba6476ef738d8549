//! The files against the truth, and against themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::recount::{self, ContactPoints, Lines};
use super::{headers, van_rows, write_all};
use crate::people::{OrganizationKind, Organizations, Trap, Truth, World};

const POPULATION: u32 = 9_000;
const SIZE: usize = 3_000;

fn written(seed: u64, population: u32, size: usize) -> (tempfile::TempDir, Truth) {
    let world = World::generate(seed, population);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let truth = write_all(dir.path(), &world, &Organizations::draw(&world, size)).expect("writes");
    (dir, truth)
}

fn all_files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(
                    path.strip_prefix(dir).expect("below").to_owned(),
                    fs::read(&path).expect("a file"),
                );
            }
        }
    }
    files
}

fn list_of(dir: &Path, kind: OrganizationKind) -> Lines {
    let profile = kind.profile();
    recount::read(&dir.join(profile.slug).join(profile.list_file()), b',')
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (one, other) = (written(5, 900, 300).0, written(5, 900, 300).0);
    let (one, other) = (all_files(one.path()), all_files(other.path()));
    assert_eq!(
        one.len(),
        4 * 8 + 1 + 1,
        "list, 2 covered lists, 2 forms, 2 notices, truth; one history; whole truth"
    );
    assert!(one == other);
}

#[test]
fn another_seed_gives_other_bytes() {
    let (one, other) = (written(5, 900, 300).0, written(6, 900, 300).0);
    let (one, other) = (all_files(one.path()), all_files(other.path()));
    for kind in OrganizationKind::ALL {
        let list = PathBuf::from(kind.profile().slug).join(kind.profile().list_file());
        assert!(one[&list] != other[&list], "{}", list.display());
    }
}

#[test]
fn header_lines_are_verbatim() {
    let (dir, truth) = written(1, 400, 100);
    let civicrm = format!("{},{}", headers::CIVICRM, headers::CIVICRM_JOINED);
    let expected = [
        headers::ACTION_NETWORK,
        headers::VAN_SAVED_LIST,
        &civicrm,
        headers::NATIONBUILDER,
    ];
    for (kind, header) in OrganizationKind::ALL.into_iter().zip(expected) {
        assert_eq!(list_of(dir.path(), kind).header, header);
    }
    let columns = expected.map(|header| header.split(',').count());
    assert_eq!(columns, [13, 29, 43 + 9, 217]);
    let c4 = &truth.organizations[1];
    let history = dir
        .path()
        .join(&c4.organization)
        .join(c4.history_file.as_ref().expect("VAN has a history"));
    assert_eq!(
        recount::read(&history, b'\t').header,
        headers::CONTACT_HISTORY.replace(',', "\t")
    );
}

#[test]
fn files_have_the_encodings_and_line_ends_of_their_systems() {
    let (dir, _) = written(1, 3_000, 1_000);
    let bytes = |folder: OrganizationKind, file: &str| {
        fs::read(dir.path().join(folder.profile().slug).join(file)).expect("file")
    };
    let nation = bytes(OrganizationKind::Pac, "people.csv");
    assert_eq!(nation[headers::NATIONBUILDER.len()..][..2], *b"\r\n");
    assert!(std::str::from_utf8(&bytes(OrganizationKind::C3, "activists.csv")).is_ok());
    assert!(std::str::from_utf8(&bytes(OrganizationKind::C4, "saved_list.csv")).is_ok());
    assert!(
        std::str::from_utf8(&bytes(OrganizationKind::Union, "contacts.csv")).is_err(),
        "Windows-1252 with accents"
    );
    assert_eq!(
        bytes(OrganizationKind::C4, "contact_history.txt")[..4],
        [0xff, 0xfe, b'V', 0]
    );
}

#[test]
fn contact_points_and_overlaps_agree_with_a_recount_from_the_files() {
    let (dir, truth) = written(11, POPULATION, SIZE);
    let mut found: BTreeMap<&str, ContactPoints> = BTreeMap::new();
    for known in &truth.organizations {
        let lines = list_of(dir.path(), known.kind);
        assert_eq!(
            lines.rows.len(),
            known.rows + known.malformed_rows,
            "{}",
            known.organization
        );
        let points = recount::contact_points(&lines, &known.format);
        assert_eq!(points.doors, known.doors, "{}", known.organization);
        assert_eq!(points.phones, known.phones, "{}", known.organization);
        assert_eq!(points.emails, known.emails, "{}", known.organization);
        found.insert(&known.organization, points);
    }
    assert_eq!(truth.overlaps.len(), 6);
    for pair in &truth.overlaps {
        let (left, right) = (&found[pair.left.as_str()], &found[pair.right.as_str()]);
        assert_eq!(left.doors.intersection(&right.doors).count(), pair.doors);
        assert_eq!(left.phones.intersection(&right.phones).count(), pair.phones);
        assert_eq!(left.emails.intersection(&right.emails).count(), pair.emails);
        let smallest = pair
            .doors
            .min(pair.phones)
            .min(pair.emails)
            .min(pair.people);
        assert!(smallest > 50, "an overlap worth finding: {pair:?}");
    }
}

#[test]
fn every_trap_is_present_in_lists_of_the_default_size() {
    use Trap as T;
    let (_dir, truth) = written(3, POPULATION, SIZE);
    let everywhere = [
        T::NameTypo,
        T::AccentInName,
        T::AccentDropped,
        T::Apostrophe,
        T::CurlyApostrophe,
        T::FormulaCell,
        T::Namesake,
        T::StreetSpelledOut,
        T::StreetMisspelled,
        T::MovedAway,
        T::ZipMissing,
        T::PostBox,
        T::PhoneFormatted,
        T::PhoneWithExtension,
        T::PhoneTooShort,
        T::EmailUpperCase,
        T::EmailPlusTag,
        T::EmailShared,
        T::DuplicateRow,
        T::RaggedRow,
        T::ExtraCells,
        T::OptedOut,
    ];
    let own: [&[Trap]; 4] = [
        &[
            T::AccentDecomposed,
            T::PartisanTag,
            T::ZipPlusFour,
            T::OptOutOnDuplicateOnly,
        ],
        &[
            T::ZipInAddressOnly,
            T::UnknownResult,
            T::OtherCommittee,
            T::UnjoinedHistory,
            T::DateWithTime,
            T::Deceased,
        ],
        &[
            T::ImpossibleBirthDate,
            T::PlaceholderBirthDate,
            T::OptOutOnDuplicateOnly,
            T::Deceased,
        ],
        &[
            T::ImpossibleBirthDate,
            T::PlaceholderBirthDate,
            T::LineBreakInCell,
            T::ZipPlusFour,
            T::PrimaryAddressOnly,
            T::OptOutOnDuplicateOnly,
            T::Deceased,
        ],
    ];
    for (known, own) in truth.organizations.iter().zip(own) {
        for trap in everywhere.iter().chain(own) {
            assert!(
                known.traps.get(trap).is_some_and(|keys| !keys.is_empty()),
                "{trap:?} at {}",
                known.organization
            );
        }
    }
}

#[test]
fn traps_are_where_the_truth_says() {
    let (dir, truth) = written(3, POPULATION, SIZE);
    let [c3, c4, union, pac] = OrganizationKind::ALL.map(|kind| list_of(dir.path(), kind));
    let keyed = |lines: &Lines, place: usize, trap: Trap, column: &str| -> Vec<String> {
        let known = &truth.organizations[place];
        let keys: BTreeSet<&String> = known.traps[&trap].iter().collect();
        let rows: Vec<_> = lines
            .rows
            .iter()
            .filter(|row| keys.contains(&row[&known.key_column]))
            .collect();
        assert_eq!(rows.len(), keys.len(), "{trap:?}");
        rows.into_iter()
            .map(|row| row.get(column).cloned().unwrap_or_default())
            .collect()
    };
    assert!(
        keyed(&c3, 0, Trap::PartisanTag, "can2_user_tags")
            .iter()
            .all(|tags| tags.contains("party:"))
    );
    assert!(
        keyed(&c4, 1, Trap::ZipInAddressOnly, "ZipOrPostal")
            .iter()
            .all(String::is_empty)
    );
    assert!(
        keyed(&c4, 1, Trap::ZipInAddressOnly, "Address")
            .iter()
            .all(|line| line.contains(" MI 499"))
    );
    assert!(
        keyed(&union, 2, Trap::ImpossibleBirthDate, "Birth Date")
            .iter()
            .all(|date| date == "1980-02-31")
    );
    assert!(
        keyed(&pac, 3, Trap::LineBreakInCell, "note")
            .iter()
            .all(|note| note.contains('\n') && note.contains('"'))
    );
    assert!(
        keyed(&pac, 3, Trap::PrimaryAddressOnly, "registered_address1")
            .iter()
            .all(String::is_empty)
    );
    for (place, (lines, column)) in [
        (&c3, "last_name"),
        (&c4, "LastName"),
        (&union, "Last Name"),
        (&pac, "last_name"),
    ]
    .into_iter()
    .enumerate()
    {
        let formulas = keyed(lines, place, Trap::FormulaCell, column);
        assert!(
            formulas
                .iter()
                .all(|text| text.starts_with(['=', '+', '@'])),
            "{formulas:?}"
        );
        let width = lines.header.split(',').count();
        assert!(lines.widths.contains(&2) && lines.widths.contains(&(width + 2)));
    }
}

#[test]
fn no_address_is_outside_the_example_domains() {
    let (dir, truth) = written(8, POPULATION, SIZE);
    for known in &truth.organizations {
        assert!(
            known.emails.iter().all(|email| is_example(email)),
            "{}",
            known.organization
        );
    }
    for (path, bytes) in all_files(dir.path())
        .iter()
        .filter(|(path, _)| path.extension().is_some_and(|end| end != "json"))
    {
        let text = recount::decode(bytes).to_lowercase();
        for (at, _) in text.match_indices('@') {
            let rest = &text[at + 1..];
            let formula = rest.starts_with("sum(");
            assert!(
                formula || rest.starts_with("example."),
                "{}: {rest:.20}",
                path.display()
            );
        }
    }
}

fn is_example(email: &str) -> bool {
    ["@example.org", "@example.com", "@example.net"]
        .iter()
        .any(|domain| email.ends_with(domain))
}

#[test]
fn the_history_file_holds_what_the_truth_counts() {
    let (dir, truth) = written(4, POPULATION, SIZE);
    let known = &truth.organizations[1];
    let history = known.history.as_ref().expect("VAN has a history");
    let lines = recount::read(
        &dir.path()
            .join(&known.organization)
            .join("contact_history.txt"),
        b'\t',
    );
    assert_eq!(lines.rows.len(), history.attempts);
    let own: Vec<_> = lines
        .rows
        .iter()
        .filter(|row| row["CommitteeName"] == known.name)
        .collect();
    assert_eq!(lines.rows.len() - own.len(), history.other_committee);
    let mut results: BTreeMap<String, usize> = BTreeMap::new();
    let mut opted_out = BTreeSet::new();
    for row in own
        .iter()
        .filter(|row| known.person_of_row.contains_key(&row["VANID"]))
    {
        *results.entry(row["ResultShortName"].clone()).or_default() += 1;
        if matches!(row["ResultShortName"].as_str(), "XW" | "XC" | "XT" | "DC") {
            opted_out.insert((row["VANID"].clone(), row["ResultShortName"].clone()));
        }
    }
    assert_eq!(
        results.values().sum::<usize>() + history.unjoined,
        own.len()
    );
    assert_eq!(results, history.results);
    assert_eq!(opted_out.len(), known.opted_out.len());
    for result in [
        "Not Home",
        "CV",
        "XW",
        "XC",
        "XT",
        "WX",
        "DC",
        "Moved",
        "Wrong Number",
        "Refused",
    ] {
        assert!(results.contains_key(result), "{result}");
    }
}

#[test]
fn a_benchmark_list_has_the_rows_that_were_asked_for() {
    let bytes = van_rows(Vec::new(), 2, 5_000).expect("writes to memory");
    assert!(
        bytes == van_rows(Vec::new(), 2, 5_000).expect("writes to memory"),
        "the same seed, the same bytes"
    );
    let text = String::from_utf8(bytes).expect("UTF-8");
    assert_eq!(text.lines().next(), Some(headers::VAN_SAVED_LIST));
    let keys: BTreeSet<&str> = text
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').nth(1))
        .collect();
    assert_eq!(keys.len(), 5_000);
}
