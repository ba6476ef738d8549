//! What every format keeps, tried on the sample of each.

use crate::tables::{SAMPLES, auto, import, of};
use commonturf::import::{
    EffectClass, Field, Flag, Format, ImportError, Item, Mapping, Options, Reason, Warning,
};
use std::collections::BTreeSet;

/// A column that no format knows.
const UNKNOWN: &str = "Favorite Bird";

#[test]
fn there_is_a_sample_of_every_format() {
    let sampled: BTreeSet<Format> = SAMPLES.iter().map(|sample| sample.format).collect();
    assert_eq!(sampled, Format::all().collect());
}

#[test]
fn every_format_is_recognized_by_its_header() {
    for sample in SAMPLES {
        let outcome = import(sample.bytes, &auto()).expect("a sample");
        assert_eq!(outcome.summary.format, sample.format);
        assert!(
            outcome.summary.people + outcome.summary.attempts >= 2,
            "{}",
            sample.format
        );
        assert_eq!(
            outcome.summary.attempts > 0,
            sample.attempts,
            "{}",
            sample.format
        );
        assert!(matches!(outcome.items.first(), Some(Item::Header(_))));
    }
}

#[test]
fn any_encoding_gives_the_same_rows() {
    for sample in SAMPLES {
        let text = sample.text();
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let latin: Vec<u8> = text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).expect("Latin-1"))
            .collect();
        let expected = import(text.clone(), &auto()).expect("plain UTF-8");
        let encoded = [
            [b"\xEF\xBB\xBF".as_slice(), text.as_bytes()].concat(),
            [b"\xFF\xFE".as_slice(), &little].concat(),
            [b"\xFE\xFF".as_slice(), &big].concat(),
            little,
            big,
            latin,
        ];
        for bytes in encoded {
            let outcome = import(bytes, &auto()).expect("another encoding");
            assert_eq!(
                outcome.rows(),
                expected.rows(),
                "{} in {}",
                sample.format,
                outcome.summary.encoding
            );
        }
    }
}

#[test]
fn a_byte_of_the_wrong_encoding_costs_its_row_alone_and_is_named() {
    for sample in SAMPLES {
        let mut table = sample.table().with_column(UNKNOWN, "Kākāpō");
        table.rows[1].pop();
        table.rows[1].push("@bad@".to_owned());
        let text = table.text();
        let (before, after) = text.split_once("@bad@").expect("the mark");
        let bytes = [before.as_bytes(), b"K\xE2kapo", after.as_bytes()].concat();
        let outcome = import(bytes, &auto()).expect("the rest");
        let rejected = outcome.rejected()[0];
        assert_eq!(
            (rejected.line, rejected.column.as_deref(), rejected.reason),
            (2, Some(UNKNOWN), Reason::NotUtf8)
        );
        assert_eq!(
            outcome.summary.rows as usize,
            table.rows.len() - 1,
            "{}",
            sample.format
        );
    }
}

#[test]
fn any_usual_separator_gives_the_same_rows() {
    for sample in SAMPLES {
        let mut table = sample.table();
        let expected = import(table.text(), &auto()).expect("its own separator");
        for separator in *b",\t;|" {
            table.separator = separator;
            let outcome = import(table.text(), &auto()).expect("another separator");
            assert_eq!(
                outcome.rows(),
                expected.rows(),
                "{} with {separator}",
                sample.format
            );
        }
    }
}

#[test]
fn a_separator_that_nobody_uses_is_refused_with_what_to_do() {
    for sample in SAMPLES {
        let mut table = sample.table();
        table.separator = b'^';
        let text = table.text().replace('"', "").replace([',', ';'], "");
        let error = import(text.clone(), &of(sample.format))
            .map(|outcome| outcome.summary)
            .expect_err("one column");
        assert!(
            ["import/one-column", "import/unknown-layout"].contains(&error.code()),
            "{}: {error}",
            sample.format
        );
        import(text, &auto())
            .map(|outcome| outcome.summary)
            .expect_err("one column");
    }
}

#[test]
fn a_missing_key_column_is_named() {
    for sample in SAMPLES {
        let mut table = sample.table();
        for key in sample.keys {
            let at = table.at(key);
            table.rows[0][at] = format!("not that {at}");
        }
        let error = import(table.text(), &of(sample.format))
            .map(|outcome| outcome.summary)
            .expect_err("no key");
        assert_eq!(error.code(), "import/missing-column", "{}", sample.format);
        assert!(
            error.to_string().contains(&sample.format.to_string()),
            "{error}"
        );
    }
}

#[test]
fn a_key_column_by_another_name_is_read_when_mapped() {
    for sample in SAMPLES {
        let mut table = sample.table();
        let expected = import(table.text(), &of(sample.format)).expect("a sample");
        let Some(Item::Header(header)) = expected.items.first() else {
            panic!("no header")
        };
        let at = table.at(sample.keys[0]);
        let field = header.columns[at].field;
        "Renamed".clone_into(&mut table.rows[0][at]);
        let mapping: Mapping = format!("renamed={field}").parse().expect("a mapping");
        let options = Options {
            map: vec![mapping],
            ..of(sample.format)
        };
        let outcome = import(table.text(), &options).expect("mapped");
        let count = |items: &[&Item]| items.len();
        assert_eq!(count(&outcome.rows()), count(&expected.rows()));
        assert_eq!(
            outcome.summary.people + outcome.summary.attempts,
            expected.summary.people + expected.summary.attempts
        );
    }
}

#[test]
fn a_mapping_for_a_column_that_is_not_there_is_refused() {
    for sample in SAMPLES {
        let map = vec![Mapping {
            column: "Wingspan".to_owned(),
            field: Field::Tags,
        }];
        let error = import(sample.bytes, &Options { map, ..auto() }).map(|outcome| outcome.summary);
        assert!(matches!(error, Err(ImportError::MapColumn(column)) if column == "Wingspan"));
    }
}

#[test]
fn a_repeated_name_is_kept_under_a_number_and_the_first_counts() {
    for sample in SAMPLES {
        let expected = import(sample.table().text(), &auto()).expect("a sample");
        let key = sample.keys[0];
        let outcome =
            import(sample.table().with_column(key, "repeated").text(), &auto()).expect("a sample");
        assert_eq!(
            outcome.summary.warnings.get(&Warning::RepeatedColumn),
            Some(&1)
        );
        let name = format!("{key} (2)");
        let kept = outcome
            .extras()
            .into_iter()
            .filter(|(column, value)| **column == *name && value == "repeated")
            .count();
        assert_eq!(
            kept as u64,
            expected.summary.people + expected.summary.attempts,
            "{}",
            sample.format
        );
    }
}

#[test]
fn the_header_once_more_among_the_rows_is_skipped() {
    for sample in SAMPLES {
        let mut table = sample.table();
        let expected = import(table.text(), &auto()).expect("a sample");
        table.rows.extend(table.rows.clone());
        let outcome = import(table.text(), &auto()).expect("joined");
        assert_eq!(outcome.summary.rows, expected.summary.rows * 2);
        assert_eq!(
            outcome.summary.warnings.get(&Warning::RepeatedHeader),
            Some(&1),
            "{}",
            sample.format
        );
    }
}

#[test]
fn an_unknown_column_is_kept_and_a_sensitive_one_is_not_unless_mapped() {
    for sample in SAMPLES {
        let table = sample
            .table()
            .with_column(UNKNOWN, "Wren")
            .with_column("Religion", "x");
        let outcome = import(table.text(), &auto()).expect("a sample");
        let rows = outcome.summary.people + outcome.summary.attempts;
        let holding = |outcome: &crate::tables::Outcome, name: &str| {
            outcome
                .extras()
                .into_iter()
                .filter(|(column, _)| **column == *name)
                .count() as u64
        };
        assert_eq!(holding(&outcome, UNKNOWN), rows, "{}", sample.format);
        let before = outcome
            .extras()
            .into_iter()
            .filter(|(column, _)| column.starts_with("Religion"))
            .count();
        assert_eq!(before, 0, "{}", sample.format);
        let map = vec![Mapping {
            column: "religion".to_owned(),
            field: Field::Keep,
        }];
        let mapped = import(table.text(), &Options { map, ..auto() }).expect("a sample");
        let kept = mapped
            .extras()
            .into_iter()
            .filter(|(column, _)| column.to_lowercase().starts_with("religion"))
            .count();
        assert!(kept as u64 >= rows, "{}", sample.format);
    }
}

#[test]
fn never_share_is_honoured_from_the_formats_own_column_and_from_a_mapped_one() {
    for sample in SAMPLES.iter().filter(|sample| !sample.attempts) {
        let map = vec![Mapping {
            column: UNKNOWN.to_owned(),
            field: Field::NeverShare,
        }];
        let mapped = import(
            sample.table().with_column(UNKNOWN, "x").text(),
            &Options { map, ..auto() },
        );
        let own = sample
            .never_share
            .map(|(column, value)| import(sample.table().set(column, value).text(), &auto()));
        for outcome in [Some(mapped), own].into_iter().flatten() {
            let outcome = outcome.expect("a sample");
            let people = outcome.people();
            assert!(
                !people.is_empty()
                    && people
                        .iter()
                        .all(|person| person.flags.contains(&Flag::NeverShare)),
                "{}",
                sample.format
            );
        }
    }
}

#[test]
fn an_unknown_result_is_an_attempt_only_and_flagged_until_the_admin_names_its_class() {
    for sample in SAMPLES.iter().filter(|sample| sample.attempts) {
        let text = sample.table().set("ResultShortName", "Waved").text();
        let outcome = import(text.clone(), &auto()).expect("a sample");
        for attempt in outcome.attempts() {
            assert_eq!(
                (attempt.result.class, attempt.result.flagged),
                (EffectClass::AttemptOnly, true)
            );
        }
        let results = vec![("waved".to_owned(), EffectClass::ContactMade)];
        let named = import(text, &Options { results, ..auto() }).expect("a sample");
        for attempt in named.attempts() {
            assert_eq!(
                (attempt.result.class, attempt.result.flagged),
                (EffectClass::ContactMade, false)
            );
        }
    }
}

#[test]
fn an_empty_file_is_refused_and_a_header_alone_is_a_list_of_nobody() {
    for sample in SAMPLES {
        for empty in ["", "\n\r\n\n", "\u{FEFF}"] {
            let error = import(empty, &of(sample.format))
                .map(|outcome| outcome.summary)
                .expect_err("nothing");
            assert_eq!(error.code(), "import/empty");
        }
        let mut table = sample.table();
        table.rows.truncate(1);
        for text in [table.text(), table.text().trim_end().to_owned()] {
            let outcome = import(text, &auto()).expect("a header");
            assert_eq!(
                (outcome.summary.rows, outcome.items.len()),
                (0, 1),
                "{}",
                sample.format
            );
        }
    }
}

#[test]
fn every_line_end_gives_the_same_rows_on_the_same_lines() {
    for sample in SAMPLES {
        let mut table = sample.table();
        let expected = import(table.text(), &auto()).expect("LF");
        for end in ["\r\n", "\r"] {
            table.end = end;
            assert_eq!(
                import(table.text(), &auto()).expect("another end").rows(),
                expected.rows(),
                "{}",
                sample.format
            );
        }
    }
}

#[test]
fn a_ragged_row_is_left_out_with_its_line_and_the_next_one_read() {
    for sample in SAMPLES {
        for change in [1, -1] {
            let mut table = sample.table();
            let whole = import(table.text(), &auto()).expect("a sample");
            let (width, mut row) = (table.rows[0].len(), table.rows[1].clone());
            row.resize(width.saturating_add_signed(change), "x".to_owned());
            table.rows.insert(1, row);
            let outcome = import(table.text(), &auto()).expect("the rest");
            let found = width.saturating_add_signed(change);
            let rejected = outcome.rejected()[0];
            assert_eq!(rejected.line, 2);
            assert!(
                matches!(rejected.reason, Reason::Ragged { found: values, .. } if values == found),
                "{}",
                sample.format
            );
            assert_eq!(outcome.summary.people, whole.summary.people);
            assert_eq!(outcome.summary.attempts, whole.summary.attempts);
        }
    }
}

#[test]
fn a_nul_costs_its_row_alone() {
    for sample in SAMPLES {
        let mut table = sample.table().with_column(UNKNOWN, "Wren");
        table.rows[1].pop();
        table.rows[1].push("Wr\0en".to_owned());
        let outcome = import(table.text(), &auto()).expect("the rest");
        let rejected = outcome.rejected()[0];
        assert_eq!(
            (rejected.line, rejected.column.as_deref(), rejected.reason),
            (2, Some(UNKNOWN), Reason::Nul)
        );
        assert_eq!(
            outcome.summary.rows as usize,
            table.rows.len() - 1,
            "{}",
            sample.format
        );
    }
}

#[test]
fn an_open_quote_stops_the_import_and_names_its_line() {
    for sample in SAMPLES {
        let text = sample.table().text();
        let separator = char::from(sample.separator);
        let cut = format!("{text}x{separator}\"never closed\n");
        let line = text.matches('\n').count() as u64 + 1;
        let error = import(cut, &auto()).map(|outcome| outcome.summary);
        assert!(
            matches!(error, Err(ImportError::OpenQuote { line: at }) if at == line),
            "{}: {error:?}",
            sample.format
        );
    }
}

#[test]
fn a_value_beyond_its_limit_costs_its_row_alone() {
    for sample in SAMPLES {
        let mut table = sample.table().with_column(UNKNOWN, "Wren");
        table.rows[1].pop();
        table.rows[1].push("x".repeat(commonturf::import::limits::FIELD_BYTES + 1));
        let outcome = import(table.text(), &auto()).expect("the rest");
        let rejected = outcome.rejected()[0];
        assert_eq!((rejected.line, rejected.reason), (2, Reason::ValueTooLong));
        assert_eq!(
            outcome.summary.rows as usize,
            table.rows.len() - 1,
            "{}",
            sample.format
        );
    }
}

#[test]
fn no_message_quotes_a_value_of_the_file() {
    for sample in SAMPLES {
        let canary = "Canary";
        let mut table = sample.table();
        for row in table.rows.iter_mut().skip(1) {
            row.iter_mut().for_each(|value| canary.clone_into(value));
            row.truncate(row.len() - 1);
        }
        let outcome = import(table.text(), &auto()).expect("a header");
        assert!(!outcome.rejected().is_empty());
        for rejected in outcome.rejected() {
            assert!(!rejected.to_string().contains(canary), "{rejected}");
        }
        let without_header: String = table.text().lines().skip(1).collect::<Vec<_>>().join("\n");
        let error = import(without_header, &of(sample.format))
            .map(|outcome| outcome.summary)
            .expect_err("no header");
        assert!(!error.to_string().contains(canary), "{error}");
    }
}
