//! Files made to do harm: endless lines, very many columns, bytes of any kind.

use crate::{
    archives::{row, workbook},
    tables::{SAMPLES, auto, import},
};
use commonturf::import::{ImportError, Item, Options, Reason, fuzz, read};
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof, proptest};
use std::{
    io::{self, Read},
    ops::ControlFlow,
};

/// A stream that repeats one byte so often and never exists as a whole.
fn endless(byte: u8, bytes: u64) -> impl Read + Send {
    io::repeat(byte).take(bytes)
}

/// The most memory that this process has had, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}

#[test]
fn a_line_of_100_megabytes_costs_its_row_and_little_memory() {
    let before = peak();
    let head = "VanID,FirstName,LastName\n1,Ada,Okafor\n";
    let tail = "\n2,Bea,Lindqvist\n";
    let file = head
        .as_bytes()
        .chain(endless(b'x', 100 << 20))
        .chain(tail.as_bytes());
    let (mut people, mut rejected) = (0, Vec::new());
    read(file, &auto(), &mut |item| {
        match item {
            Item::Person { .. } => people += 1,
            Item::Rejected(row) => rejected.push((row.line, row.reason)),
            Item::Header(_) | Item::Attempt { .. } | Item::Progress { .. } => {}
        }
        ControlFlow::Continue(())
    })
    .expect("the rows around it");
    assert_eq!((people, rejected), (2, vec![(3, Reason::RowTooLong)]));
    assert!(peak() - before < 64 << 10, "KiB more: {}", peak() - before);
}

#[test]
fn an_open_quote_before_100_megabytes_is_refused_early() {
    let head = "VanID,FirstName,LastName\n1,Ada,Okafor\n2,\"";
    let file = head.as_bytes().chain(endless(b'x', 100 << 20));
    let error = read(file, &auto(), &mut |_| ControlFlow::Continue(()));
    assert!(matches!(error, Err(ImportError::OpenQuote { line: 3 })));
}

#[test]
fn a_million_columns_are_refused_in_the_header_and_passed_over_in_a_row() {
    let wide = ",".repeat(1_000_000);
    let error = import(format!("VanID{wide}\n"), &auto()).map(|outcome| outcome.summary);
    assert!(matches!(
        error,
        Err(ImportError::TooManyColumns { line: 1 })
    ));
    let outcome = import(
        format!("VanID,FirstName,LastName\n{wide}\n1,Ada,Okafor\n"),
        &auto(),
    )
    .expect("the rest");
    assert_eq!(outcome.rejected()[0].reason, Reason::TooManyValues);
    assert_eq!(outcome.summary.people, 1);
}

#[test]
fn a_header_line_of_100_megabytes_is_refused() {
    let error = read(endless(b'x', 100 << 20), &auto(), &mut |_| {
        ControlFlow::Continue(())
    });
    assert!(matches!(
        error,
        Err(ImportError::BadHeader {
            line: 1,
            reason: Reason::RowTooLong
        })
    ));
}

#[test]
fn zeros_alone_are_no_text() {
    let error = read(endless(0, 1 << 20), &auto(), &mut |_| {
        ControlFlow::Continue(())
    });
    assert!(matches!(error, Err(ImportError::NotText)));
}

#[test]
fn an_unreadable_stream_is_an_error_and_not_the_end_of_the_list() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    let file = "VanID,FirstName,LastName\n1,Ada,Okafor\n"
        .as_bytes()
        .chain(Broken);
    let error = read(file, &auto(), &mut |_| ControlFlow::Continue(()));
    assert_eq!(error.expect_err("cut").code(), "import/io");
}

#[test]
fn the_sink_can_stop_and_progress_is_told() {
    let sample = SAMPLES.first().expect("a sample");
    let mut items = 0;
    let summary = read(sample.bytes, &auto(), &mut |_| {
        items += 1;
        if items == 2 {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    let summary = summary.expect("stopped");
    assert!(summary.stopped && items == 2 && summary.rows == 1);
    let long = "VanID,FirstName,LastName\n".to_owned() + &"1,Ada,Okafor\n".repeat(200_000);
    let outcome = import(long, &auto()).expect("a long list");
    let told = outcome
        .items
        .iter()
        .filter(|item| matches!(item, Item::Progress { .. }))
        .count();
    assert_eq!((told, outcome.summary.people), (2, 200_000));
}

/// A sample with some of its bytes changed, cut or doubled.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let workbook =
        workbook(&(row(1, &["VanID", "FirstName", "LastName"]) + &row(2, &["1", "Ada", "Okafor"])));
    let files: Vec<Vec<u8>> = SAMPLES
        .iter()
        .map(|sample| sample.bytes.to_vec())
        .chain([workbook])
        .collect();
    let changes = prop::collection::vec(
        (
            any::<prop::sample::Index>(),
            prop_oneof![any::<u8>(), Just(b'"'), Just(b'\n'), Just(0)],
        ),
        0..8,
    );
    (
        prop::sample::select(files),
        changes,
        any::<prop::sample::Index>(),
    )
        .prop_map(|(mut bytes, changes, end)| {
            for (at, byte) in changes {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            bytes.truncate(end.index(bytes.len() * 2).max(1));
            bytes
        })
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        fuzz(&bytes);
    }

    #[test]
    fn no_text_makes_it_panic(text in "(email|phone|VanID|LastName|[ \"\n\r\t,;0-9a-zé@/-])*") {
        fuzz(text.as_bytes());
    }

    #[test]
    fn no_damage_to_a_sample_makes_it_panic(bytes in damaged()) {
        fuzz(&bytes);
    }

    #[test]
    fn rows_are_all_accounted_for(bytes in damaged()) {
        if let Ok(outcome) = import(bytes, &Options::default()) {
            let summary = &outcome.summary;
            proptest::prop_assert_eq!(summary.rows, summary.people + summary.attempts + summary.rejected);
            proptest::prop_assert_eq!(summary.rows as usize, outcome.rows().len());
        }
    }
}
