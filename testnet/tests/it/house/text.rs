//! What every file says, and what none does.

use super::{File, Offence, holds_everywhere, lines};

/// Lines of a file that needs no reason.
const MOST_LINES: usize = 500;

/// How far down the reason for more lines may stand.
const HEAD: usize = 5;

/// Words that mark work as not done; split, so that this file does not hold them.
const UNFINISHED: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("todo", "!"),
    concat!("unimplemented", "!"),
];

fn too_long(file: &File) -> Vec<Offence> {
    let written = file.ends_with(&[".rs", ".html", ".sql", ".js", ".css"]) && !file.is_vendored();
    let count = file.text.lines().count();
    let excused = file
        .text
        .lines()
        .take(HEAD)
        .any(|line| line.contains("Long because "));
    if written && count > MOST_LINES && !excused {
        return vec![format!(
            "{}: {count} lines; split it, or say `Long because ...` in its first lines",
            file.path
        )];
    }
    Vec::new()
}

fn unfinished(file: &File) -> Vec<Offence> {
    if file.is_vendored() || file.path == "Cargo.lock" {
        return Vec::new();
    }
    lines(
        file,
        |line| UNFINISHED.iter().any(|word| has_word(line, word)),
        "unfinished",
    )
}

fn ignored_test(file: &File) -> Vec<Offence> {
    let attribute = concat!("#[ign", "ore");
    lines(
        file,
        |line| file.is_rust() && line.trim_start().starts_with(attribute),
        "a test that never runs",
    )
}

fn silent_head(file: &File) -> Vec<Offence> {
    if file.is_rust() && !file.text.starts_with("//! ") {
        return vec![format!(
            "{}: its first line does not say what it holds (`//! ...`)",
            file.path
        )];
    }
    Vec::new()
}

/// Whether a word stands alone in a line: no letter, digit or underscore touches its letters.
fn has_word(line: &str, word: &str) -> bool {
    let touches = |letter: Option<char>| {
        letter.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
    };
    line.match_indices(word).any(|(start, found)| {
        let after = line[start + found.len()..].chars().next();
        !touches(line[..start].chars().next_back()) && (word.ends_with('!') || !touches(after))
    })
}

#[test]
fn a_file_of_more_than_500_lines_says_why() {
    holds_everywhere(too_long);
    let long = "fn one() {}\n".repeat(MOST_LINES + 1);
    assert_eq!(too_long(&File::invented("node/src/api.rs", &long)).len(), 1);
    let excused = format!("//! The table.\n// Long because it is one table.\n{long}");
    assert!(too_long(&File::invented("node/src/api.rs", &excused)).is_empty());
}

#[test]
fn nothing_is_marked_as_unfinished() {
    holds_everywhere(unfinished);
    let offences = |text: &str| unfinished(&File::invented("node/src/api.rs", text)).len();
    assert_eq!(
        UNFINISHED.map(|word| offences(&format!("// {word} later"))),
        [1; UNFINISHED.len()]
    );
    assert_eq!(
        UNFINISHED.map(|word| offences(&format!("MAS{word}N_{word}_"))),
        [0; UNFINISHED.len()]
    );
}

#[test]
fn no_test_is_ignored() {
    holds_everywhere(ignored_test);
    let test = concat!("    #[ign", "ore = \"slow\"]\n    fn a_slow_test() {}");
    assert_eq!(
        ignored_test(&File::invented("node/src/api.rs", test)).len(),
        1
    );
}

#[test]
fn the_first_line_of_a_source_file_says_what_it_holds() {
    holds_everywhere(silent_head);
    assert_eq!(
        silent_head(&File::invented("node/src/api.rs", "use axum::Router;")).len(),
        1
    );
}
