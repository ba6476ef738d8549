//! The judgement: what must not be found after a round, and is named when it is.

mod claims;
mod rows;

use super::known::Known;
use super::observed::Observed;
use serde::Serialize;
use std::collections::BTreeSet;

/// How many examples of one finding are told.
const EXAMPLES: usize = 3;

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Its name.
    pub name: &'static str,
    /// What was seen where, in a sentence.
    pub detail: String,
}

impl Finding {
    fn new(name: &'static str, detail: impl Into<String>) -> Self {
        Self {
            name,
            detail: detail.into(),
        }
    }
}

/// Everything that is wrong. Without the generator's knowledge, what needs it is not judged.
pub(super) fn find(
    observed: &Observed,
    known: Option<&Known>,
    recontact_days: i64,
) -> Vec<Finding> {
    let mut found = claims::double_contacts(observed);
    found.extend(claims::short_walk_lists(observed));
    found.extend(divergence(observed));
    found.extend(missing_receipts(observed));
    found.extend(lost_opt_outs(observed));
    found.extend(rows::wrong_counts(observed));
    found.extend(rows::wrong_fields(observed));
    if let Some(known) = known {
        found.extend(claims::early_visits(observed, known, recontact_days));
        found.extend(claims::suppressed_on_walk_lists(observed, known));
        found.extend(rows::leaked_people(observed, known));
        found.extend(rows::leaked_traces(observed, known));
    }
    found
}

/// What the checks looked at, for the reader of a report without findings.
pub(super) fn looked_at(observed: &Observed, known: bool) -> Vec<String> {
    let doors: usize = observed
        .claims
        .iter()
        .map(|claim| claim.doors().len())
        .sum();
    let rows: usize = observed.shares.iter().map(|share| share.rows.len()).sum();
    let receipts = observed
        .notices
        .iter()
        .filter(|notice| notice.receipt)
        .count();
    let mut lines = vec![
        format!(
            "{doors} doors on {} walk lists: none granted twice",
            observed.claims.len()
        ),
        format!("{rows} received rows: none more and no other fields than were sent"),
        format!("{receipts} erasure receipts: none missing"),
        format!(
            "{} nodes: one state at one position",
            observed.standings.len()
        ),
        format!("{} opt-outs: each known to all", observed.opt_outs.len()),
    ];
    if !observed.opt_outs.is_empty() {
        let count = observed.opt_outs.len();
        lines.push(format!(
            "{count} opt-out: known to everybody who has the person"
        ));
    }
    if known {
        lines.push(
            "walk lists: nobody who opted out, no door that an ally spoke to lately".to_owned(),
        );
        lines.push("received rows: nobody without consent for this recipient".to_owned());
        lines.push(format!(
            "every file of {} nodes: no e-mail address or telephone that must not be there",
            observed.traces.len()
        ));
    }
    lines
}

fn divergence(observed: &Observed) -> Vec<Finding> {
    let Some(first) = observed.standings.first() else {
        return vec![Finding::new("divergence", "no node said where it stands")];
    };
    let others = observed
        .standings
        .iter()
        .filter(|other| other.position != first.position || other.state_hash != first.state_hash);
    others
        .map(|other| {
            let detail = format!(
                "{} stands at position {} with state {}, {} at {} with {}",
                first.organization,
                first.position,
                first.state_hash,
                other.organization,
                other.position,
                other.state_hash
            );
            Finding::new("divergence", detail)
        })
        .collect()
}

fn missing_receipts(observed: &Observed) -> Vec<Finding> {
    let mut found = Vec::new();
    for notice in &observed.notices {
        if !notice.receipt {
            let detail = format!("{} has no receipt from {}", notice.from, notice.to);
            found.push(Finding::new("missing receipt", detail));
        }
        let Some(traces) = observed.traces.get(&notice.to) else {
            continue;
        };
        let (emails, phones) = &notice.gone;
        let still = traces.emails_among(emails).len() + traces.phones.intersection(phones).count();
        if still > 0 {
            let detail = format!(
                "{} signed that the row of {} is gone; {still} of its contact points are still in its files",
                notice.to, notice.from
            );
            found.push(Finding::new("not erased", detail));
        }
    }
    found
}

fn lost_opt_outs(observed: &Observed) -> Vec<Finding> {
    let lost = |members: &BTreeSet<String>, reached: &BTreeSet<String>| {
        members.difference(reached).cloned().collect::<Vec<_>>()
    };
    observed
        .opt_outs
        .iter()
        .filter_map(|opt_out| {
            let lost = lost(&opt_out.members, &opt_out.reached);
            let detail = format!(
                "an opt-out told by {} did not reach {}",
                opt_out.by,
                lost.join(", ")
            );
            (!lost.is_empty()).then(|| Finding::new("lost opt-out", detail))
        })
        .collect()
}

/// A finding about several cases: how many, and a few of them.
fn several(name: &'static str, what: &str, cases: &BTreeSet<String>) -> Option<Finding> {
    if cases.is_empty() {
        return None;
    }
    let examples: Vec<&str> = cases.iter().map(String::as_str).take(EXAMPLES).collect();
    let more = if cases.len() > EXAMPLES { ", ..." } else { "" };
    let detail = format!("{what}: {} ({}{more})", cases.len(), examples.join(", "));
    Some(Finding::new(name, detail))
}

#[cfg(test)]
mod tests;
