//! Paths that the documents name, and names that the top of the tree shows.

use super::tree::{File, tree};
use super::{Offence, holds_everywhere};

/// What a visitor sees first. Configuration of tools lies in files whose names begin with a dot.
const TOP: [&str; 9] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "node",
    "policy",
    "protocol",
    "spec",
    "testnet",
];

fn names_what_is_gone(file: &File) -> Vec<Offence> {
    if file.path != "README.md" && !(file.path.starts_with("spec/") && file.path.ends_with(".md")) {
        return Vec::new();
    }
    let gone = |path: &String| !testnet::workspace().join(path).exists();
    let mut named = in_backticks(&file.text);
    named.extend(in_links(
        &file.text,
        file.path.rsplit_once('/').map_or("", |(folder, _)| folder),
    ));
    named
        .into_iter()
        .filter(gone)
        .map(|path| format!("{}: names {path}, which does not exist", file.path))
        .collect()
}

/// Paths in backticks: from the top, with a slash, without placeholders such as `*` or `<name>`.
fn in_backticks(text: &str) -> Vec<String> {
    let quoted = text
        .lines()
        .flat_map(|line| line.split('`').skip(1).step_by(2));
    let is_path = |word: &&str| {
        let first = word.split('/').next().unwrap_or_default();
        let from_top = TOP.contains(&first) || [".ci", ".config", ".cargo"].contains(&first);
        from_top && word.contains('/') && !word.contains(|letter: char| "*<>{}$ ".contains(letter))
    };
    quoted.filter(is_path).map(str::to_owned).collect()
}

/// Targets of links to files, from the top.
fn in_links(text: &str, folder: &str) -> Vec<String> {
    let targets = text
        .match_indices("](")
        .filter_map(|(start, found)| text[start + found.len()..].split(')').next());
    let files = targets.filter_map(|target| target.split('#').next());
    files
        .filter(|path| !path.is_empty() && !path.contains(':'))
        .map(|path| from_top(folder, path))
        .collect()
}

/// A path that is relative to a folder, from the top.
fn from_top(folder: &str, path: &str) -> String {
    let mut parts = folder
        .split('/')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>();
    for part in path.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => (),
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[test]
fn every_path_named_in_the_documents_exists() {
    holds_everywhere(names_what_is_gone);
}

#[test]
fn a_path_that_is_gone_is_noticed() {
    let text = "See `policy/src/gone.rs`, `policy/src/lib.rs`, [this](decisions/gone.md) and [that](../Cargo.toml#top).";
    let offences = names_what_is_gone(&File::invented("spec/protocol.md", text));
    assert_eq!(offences.len(), 2, "{offences:?}");
}

#[test]
fn addresses_patterns_and_commands_are_no_paths() {
    let text = "`/api/v1/claims`, `policy/rules/**/*.cedar`, `node --help`, [web](https://example.org/), [here](#below)";
    assert!(names_what_is_gone(&File::invented("README.md", text)).is_empty());
}

#[test]
fn the_top_of_the_tree_shows_the_rooms_and_nothing_else() {
    let tops = tree()
        .iter()
        .filter_map(|file| file.path.split('/').next())
        .filter(|top| !top.starts_with('.'));
    let others = tops
        .filter(|top| !TOP.contains(top))
        .collect::<std::collections::BTreeSet<_>>();
    assert!(
        others.is_empty(),
        "{others:?} belong into a room, or into a file whose name begins with a dot"
    );
}
