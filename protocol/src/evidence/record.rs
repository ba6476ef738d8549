//! Checking a record: the entries lead to every signed head, and disclosed entries are among them.

use super::{
    check::{Findings, Log, Report, opened},
    file::{Record, Shown},
    roster::Roster,
};
use crate::{
    chain,
    id::Hash,
    note::{Note, TreeHead},
    time::Moment,
};
use std::collections::BTreeMap;

pub(super) fn check(record: &Record) -> Report {
    let log = Log {
        coalition: record.coalition,
        lineage: record.lineage,
    };
    let mut findings = Findings::default();
    let mut roster = Roster::read(&record.documents, record.span(), &mut findings);
    let first = record.start.size() + 1;
    let end = record.start.size() + record.items.len() as u64;
    let in_order = record.items.is_sorted_by(|a, b| a.log_time <= b.log_time);
    findings.say(
        in_order && !record.items.is_empty(),
        format!("entries {first} to {end} are there, and log time never goes back"),
    );
    let roots = roots(record);
    for text in &record.notes {
        let root = |head: &TreeHead| match roots.get(&head.size) {
            Some(root) if *root == head.root => Ok(()),
            Some(_) => Err("the entries of this file lead to another root".to_owned()),
            None => Err(format!("this file has no entries up to {}", head.size)),
        };
        roster.note(text, log, root, &mut findings);
    }
    let covered = covered(record);
    findings.say(
        covered == end,
        format!("a signed head covers the entries up to {covered} of {end}"),
    );
    for shown in &record.entries {
        let stands = item_of(record, shown).is_some_and(|(time, sealed)| {
            time == shown.log_time && sealed == Hash::of(&shown.envelope)
        });
        if !stands {
            let at = shown.position;
            findings.say(
                false,
                format!("the entry shown for position {at} is not the one of the log"),
            );
            continue;
        }
        opened(log, shown, &roster, &mut findings);
    }
    findings.report("record", record.coalition, &roster)
}

/// The largest head that a note of the file is about.
fn covered(record: &Record) -> u64 {
    let sizes = record
        .notes
        .iter()
        .filter_map(|text| Some(text.parse::<Note>().ok()?.head.size));
    sizes.max().unwrap_or(0)
}

/// The roots at the sizes that notes are about.
fn roots(record: &Record) -> BTreeMap<u64, Hash> {
    let wanted: std::collections::BTreeSet<u64> = record
        .notes
        .iter()
        .filter_map(|text| Some(text.parse::<Note>().ok()?.head.size))
        .collect();
    let mut tree = record.start.clone();
    let mut roots = BTreeMap::new();
    if wanted.contains(&tree.size()) {
        roots.insert(tree.size(), tree.root());
    }
    for item in &record.items {
        let position = tree.size() + 1;
        tree.push(chain::leaf(
            record.lineage,
            position,
            item.log_time,
            item.sealed,
        ));
        if wanted.contains(&position) {
            roots.insert(position, tree.root());
        }
    }
    roots
}

fn item_of(record: &Record, shown: &Shown) -> Option<(Moment, Hash)> {
    let after = shown.position.checked_sub(record.start.size() + 1)?;
    let item = record.items.get(usize::try_from(after).ok()?)?;
    Some((item.log_time, item.sealed))
}
