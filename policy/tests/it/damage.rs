//! Damaged texts: whatever is written, reading ends with a value or with a place, never a panic.

use crate::fixture::{FORM, record};
use policy::{
    Code, Form, OWN_DEFAULT, Record, RecordError, Terms, lint, templates, vectors::Vectors,
};
use proptest::{collection::vec, prelude::*, sample::Index};

/// One change of a text: at a place, so many characters give way to others.
#[derive(Clone, Debug)]
struct Edit {
    at: Index,
    cut: usize,
    put: String,
}

/// What breaks the texts at their joints, beside characters at random.
fn scraps() -> impl Strategy<Value = String> {
    prop_oneof![
        Just(String::new()),
        "[\\PC]{0,6}",
        "[\"'{}\\[\\]()=;:,.@#/\\\\ \n\r\t]{1,4}",
        prop::sample::select(
            &[
                "'''",
                "\"\"\"",
                "-1",
                "4294967296",
                "1e9",
                "nan",
                "true",
                "{ ",
                " }",
                "@id(\"\")",
                "permit",
                "forbid",
                "unless",
                "Turf::Action::\"Flow\"",
                "\u{0}",
                "\u{202e}",
                "\u{43e}",
                "null",
                "[params]",
                "[[purposes]]",
                "2027-02-30",
            ][..]
        )
        .prop_map(str::to_owned),
    ]
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let edit = (any::<Index>(), 0..40_usize, scraps());
    vec(edit.prop_map(|(at, cut, put)| Edit { at, cut, put }), 1..4)
}

fn damaged(text: &str, edits: &[Edit]) -> String {
    let mut text: Vec<char> = text.chars().collect();
    for edit in edits {
        let from = edit.at.index(text.len() + 1);
        let to = (from + edit.cut).min(text.len());
        text.splice(from..to, edit.put.chars());
    }
    text.into_iter().collect()
}

/// A place that a person finds: within the text, or right behind its end.
fn is_in(text: &str, line: usize, column: usize) -> bool {
    let lines = text.matches('\n').count() + 1;
    (1..=lines).contains(&line) && (1..=text.len() + 1).contains(&column)
}

fn read_terms(text: &str) -> Result<(), TestCaseError> {
    let faults = match Terms::check(text) {
        Ok(terms) => {
            prop_assert!(terms.params.min_cell >= 10);
            Vec::new()
        }
        Err(faults) => faults,
    };
    prop_assert_eq!(Terms::parse(text).err(), faults.first().cloned());
    for fault in faults {
        prop_assert!(is_in(text, fault.line, fault.column), "{}", fault);
        prop_assert!(!fault.message.is_empty());
    }
    Ok(())
}

fn read_form(text: &str) -> Result<(), TestCaseError> {
    if let Err(error) = Form::parse(text) {
        prop_assert!(is_in(text, error.line, error.column), "{}", error);
        prop_assert!(!error.field.is_empty() && !error.message.is_empty());
    }
    Ok(())
}

fn read_record(text: &str) -> Result<(), TestCaseError> {
    match Record::parse(text) {
        Ok(_) | Err(RecordError::Version | RecordError::Limit(_)) => Ok(()),
        Err(RecordError::Shape { line, column, .. }) => {
            prop_assert!(
                is_in(text, line, column),
                "line {}, column {}",
                line,
                column
            );
            Ok(())
        }
    }
}

fn read_vectors(text: &str) -> Result<(), TestCaseError> {
    match Vectors::parse(text) {
        Ok(vectors) => prop_assert!(!vectors.is_empty()),
        Err(error) => prop_assert!(is_in(text, error.line, error.column), "{}", error),
    }
    Ok(())
}

fn read_own(text: &str) -> Result<(), TestCaseError> {
    for fault in lint::own_rules(text) {
        prop_assert!(fault.line <= text.matches('\n').count() + 1, "{}", fault);
    }
    Ok(())
}

proptest! {
    #[test]
    fn damaged_terms_are_refused_at_a_place(pick in any::<Index>(), edits in edits()) {
        read_terms(&damaged(pick.get(templates()).text, &edits))?;
    }

    #[test]
    fn a_damaged_form_is_refused_at_a_place(edits in edits()) {
        read_form(&damaged(FORM, &edits))?;
        let json: toml::Table = toml::from_str(FORM).unwrap();
        read_form(&damaged(&serde_json::to_string_pretty(&json).unwrap(), &edits))?;
    }

    #[test]
    fn a_damaged_record_is_refused_at_a_place(edits in edits()) {
        read_record(&damaged(&serde_json::to_string_pretty(&record()).unwrap(), &edits))?;
    }

    #[test]
    fn damaged_vectors_are_refused_at_a_place(pick in any::<Index>(), edits in edits()) {
        read_vectors(&damaged(pick.get(templates()).vectors, &edits))?;
    }

    #[test]
    fn damaged_own_rules_are_refused_at_a_line(edits in edits()) {
        read_own(&damaged(&OWN_DEFAULT.repeat(3), &edits))?;
    }

    #[test]
    fn random_bytes_are_refused(bytes in vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        prop_assert!(Terms::parse(&text).is_err() && Form::parse(&text).is_err());
        prop_assert!(Record::parse(&text).is_err() && Vectors::parse(&text).is_err());
        read_terms(&text)?;
        read_form(&text)?;
        read_record(&text)?;
        read_vectors(&text)?;
        read_own(&text)?;
    }
}

#[test]
fn deep_nesting_ends_in_an_error_not_in_a_full_stack() {
    let deep = 20_000;
    let brackets = "[".repeat(deep);
    assert!(Terms::parse(&format!("title = {brackets}")).is_err());
    assert!(Form::parse(&format!("{{\"language\": {brackets}")).is_err());
    assert!(Record::parse(&brackets).is_err());
    assert!(Vectors::parse(&format!("base = {brackets}")).is_err());
    let rule = |condition: &str| {
        format!(
            "{OWN_DEFAULT}@id(\"own.x\") @reason(\"x\")
            forbid (principal, action, resource is Turf::Person) when {{ {condition} }};"
        )
    };
    let brackets = |n: usize| format!("{}true{}", "(".repeat(n), ")".repeat(n));
    for (shallow, too_deep) in [
        (brackets(30), brackets(2_000)),
        (
            chain("resource.minor", " && ", 30),
            chain("resource.minor", " && ", 2_000),
        ),
        (
            chain("resource.minor", " || ", 30),
            chain("resource.minor", " || ", 2_000),
        ),
    ] {
        assert!(lint::own_rules(&rule(&shallow)).is_empty(), "{shallow}");
        let faults = lint::own_rules(&rule(&too_deep));
        assert_eq!((faults[0].code, faults[0].line), (Code::Limit, 4));
    }
    let deep = 5_000;
    for too_deep in [
        chain("1", " + ", deep),
        chain("resource", ".", deep),
        "!".repeat(deep),
        "[".repeat(deep),
        "{a:".repeat(deep),
        "if true then true else ".repeat(deep),
    ] {
        assert_eq!(lint::own_rules(&rule(&too_deep))[0].code, Code::Limit);
    }
}

fn chain(operand: &str, operator: &str, length: usize) -> String {
    vec![operand; length].join(operator)
}
