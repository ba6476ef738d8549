//! Checking a person's proof: row, share tree, announcement, log tree, signed heads.

use super::{
    check::{Findings, Log, Report, leaf, opened},
    file::PersonProof,
    roster::Roster,
};
use crate::{
    entry::{Entry, share::row_leaf},
    merkle::verify_inclusion,
    note::TreeHead,
};

pub(super) fn check(proof: &PersonProof) -> Report {
    let log = Log {
        coalition: proof.coalition,
        lineage: proof.lineage,
    };
    let mut findings = Findings::default();
    let shown = &proof.share;
    let mut roster = Roster::read(&proof.documents, proof.span(), &mut findings);
    match opened(log, shown, &roster, &mut findings) {
        Some((_, Entry::Share(share))) => {
            let leaf = row_leaf(&proof.salt, &proof.row);
            let path = &proof.path;
            let place = format!("row {} of {}", proof.index.saturating_add(1), share.count);
            match verify_inclusion(leaf, proof.index, share.count, path, share.root) {
                Ok(()) => {
                    findings.say(true, format!("the row shown here is {place} of that share"))
                }
                Err(error) => findings.say(
                    false,
                    format!("the row shown here is not {place} of that share: {error}"),
                ),
            };
        }
        Some((_, other)) => {
            let kind = other.kind();
            findings.say(false, format!("the entry shown is a {kind}, not a share"));
        }
        None => {}
    }
    if proof.vouched.is_empty() {
        findings.say(false, "no signed head of the log is in this file");
    }
    let leaf = leaf(log, shown);
    for vouched in &proof.vouched {
        let root = |head: &TreeHead| {
            let index = shown
                .position
                .checked_sub(1)
                .ok_or("there is no position 0")?;
            verify_inclusion(leaf, index, head.size, &vouched.path, head.root)
                .map_err(|error| format!("the announcement is not proved to be in it: {error}"))
        };
        roster.note(&vouched.note, log, root, &mut findings);
    }
    let row = findings
        .all_hold()
        .then(|| minicbor::display(&proof.row).to_string());
    let mut report = findings.report("person", proof.coalition, &roster);
    report.row = row.filter(|_| report.holds);
    report
}
