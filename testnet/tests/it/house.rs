//! The rules of the house: what the compiler does not enforce about the tree as a whole.
//!
//! A rule is a function from a file to its offences. One test applies it to the tree; its
//! neighbour shows it an offence, so that no rule passes because it looks at nothing.

mod crates;
mod layers;
mod pages;
mod paths;
mod text;
mod tree;

use tree::{File, tree};

/// Something that a rule does not allow: where, and what.
type Offence = String;

/// Applies a rule to every file of the tree; fails with all offences at once.
fn holds_everywhere(rule: impl Fn(&File) -> Vec<Offence>) {
    let offences = tree().iter().flat_map(rule).collect::<Vec<_>>();
    assert!(
        offences.is_empty(),
        "{} offences:\n{}",
        offences.len(),
        offences.join("\n")
    );
}

/// Each line of a file that the predicate picks, as an offence.
fn lines(file: &File, picked: impl Fn(&str) -> bool, complaint: &str) -> Vec<Offence> {
    let numbered = file
        .text
        .lines()
        .enumerate()
        .filter(|(_, line)| picked(line));
    numbered
        .map(|(index, line)| format!("{}:{}: {complaint}: {}", file.path, index + 1, line.trim()))
        .collect()
}
