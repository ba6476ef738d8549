//! Rows out of bytes: lines, separators, quotes and limits.

use super::*;
use crate::import::source;
use std::io::Cursor;

fn records(bytes: impl Into<Vec<u8>>) -> Records {
    let opened = source::open(Cursor::new(bytes.into()), None).expect("a text");
    Records::new(opened).expect("a start")
}

/// Every row as its line and values, or as its line and reason.
fn all(bytes: &str) -> Vec<(u64, Result<Vec<String>, Reason>)> {
    let mut records = records(bytes);
    let mut rows = Vec::new();
    while let Some(row) = records.advance().expect("rows") {
        let values = row.map(|()| {
            (0..records.len())
                .map(|index| records.text(index).expect("text").into_owned())
                .collect()
        });
        rows.push((records.line(), values));
    }
    rows
}

fn row(line: u64, values: &[&str]) -> (u64, Result<Vec<String>, Reason>) {
    (
        line,
        Ok(values.iter().map(|value| (*value).to_owned()).collect()),
    )
}

#[test]
fn lines_are_counted_with_every_line_end_and_within_quotes() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["a,b", "", "\"1", "2\",x", "3,4"].join(end);
        assert_eq!(
            all(&text),
            [
                row(1, &["a", "b"]),
                row(3, &["1\n2", "x"]),
                row(5, &["3", "4"])
            ],
            "{end:?}"
        );
    }
}

#[test]
fn separators_are_told_from_the_header() {
    for separator in ["\t", ",", ";", "|"] {
        let text = format!("a{separator}b\n1{separator}2\n");
        assert_eq!(
            all(&text),
            [row(1, &["a", "b"]), row(2, &["1", "2"])],
            "{separator:?}"
        );
    }
    assert_eq!(all("a,b\tc\n"), [row(1, &["a,b", "c"])], "tab goes first");
    assert_eq!(all("\"a,b\";c;d\n"), [row(1, &["a,b", "c", "d"])]);
    assert_eq!(all("sep=;\na;b\n"), [row(2, &["a", "b"])]);
    assert_eq!(all("only\nx\n"), [row(1, &["only"]), row(2, &["x"])]);
}

#[test]
fn a_stray_quote_inside_a_value_is_kept() {
    assert_eq!(
        all("a,b\nAnn \"Nan\" Lee,x\n"),
        [row(1, &["a", "b"]), row(2, &["Ann \"Nan\" Lee", "x"])]
    );
}

#[test]
fn a_quote_open_at_the_end_names_the_line_where_the_row_begins() {
    let mut records = records("a,b\n1,2\n3,\"4\n5,6\n");
    assert_eq!(records.advance().expect("header"), Some(Ok(())));
    assert_eq!(records.advance().expect("row"), Some(Ok(())));
    assert!(matches!(
        records.advance(),
        Err(ImportError::OpenQuote { line: 3 })
    ));
}

#[test]
fn a_quote_open_for_longer_than_a_row_may_be_is_found_there() {
    let mut records = records(format!("a,b\n1,\"{}", "x\n".repeat(RECORD_BYTES)));
    assert_eq!(records.advance().expect("header"), Some(Ok(())));
    assert!(matches!(
        records.advance(),
        Err(ImportError::OpenQuote { line: 2 })
    ));
}

#[test]
fn a_row_beyond_its_limit_is_passed_over_and_the_next_one_read() {
    let long = "x".repeat(RECORD_BYTES * 3);
    let wide = ",".repeat(COLUMNS_MAX * 3);
    let rows = all(&format!("a,b\n{long},1\n2,3\n{wide}\n4,5"));
    let expected = [
        row(1, &["a", "b"]),
        (2, Err(Reason::RowTooLong)),
        row(3, &["2", "3"]),
        (4, Err(Reason::TooManyValues)),
        row(5, &["4", "5"]),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn as_many_values_as_allowed_are_read() {
    let rows = all(&vec!["x"; COLUMNS_MAX].join(","));
    assert!(matches!(rows.as_slice(), [(1, Ok(values))] if values.len() == COLUMNS_MAX));
}

#[test]
fn a_bad_byte_costs_one_value() {
    let mut bytes = "é,b\n".as_bytes().to_vec();
    bytes.extend(b"1,\xFF\n");
    bytes.extend("2,ü\n".as_bytes());
    let mut records = records(bytes);
    for _ in 0..2 {
        assert_eq!(records.advance().expect("row"), Some(Ok(())));
    }
    assert_eq!(records.text(0), Ok("1".into()));
    assert_eq!(records.text(1), Err(Reason::NotUtf8));
    assert_eq!(records.advance().expect("row"), Some(Ok(())));
    assert_eq!(records.text(1), Ok("ü".into()));
}

#[test]
fn an_empty_file_is_refused_and_blank_lines_are_no_rows() {
    assert!(matches!(
        source::open(io::empty(), None),
        Err(ImportError::Empty)
    ));
    assert_eq!(all("\r\n\n\n"), []);
}
