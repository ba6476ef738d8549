//! Rows and traces of people: nobody at a node who must not be there, and nothing more of anybody.

use super::super::known::Known;
use super::super::observed::Observed;
use super::{Finding, several};
use std::collections::BTreeSet;

/// A recipient that holds another number of rows than were sent, less what it dropped and what was
/// taken back.
pub(super) fn wrong_counts(observed: &Observed) -> Vec<Finding> {
    let wrong = observed
        .shares
        .iter()
        .filter(|share| share.rows.len() + share.taken_back + share.dropped != share.sent);
    wrong
        .map(|share| {
            let detail = format!(
                "{} sent {} people to {}, which dropped {}, and took {} back; {} are there",
                share.from,
                share.sent,
                share.to,
                share.dropped,
                share.taken_back,
                share.rows.len()
            );
            Finding::new("count", detail)
        })
        .collect()
}

/// A field of a kind that was not asked for.
pub(super) fn wrong_fields(observed: &Observed) -> Vec<Finding> {
    let mut found = Vec::new();
    for share in &observed.shares {
        let held: BTreeSet<String> = share
            .rows
            .iter()
            .flat_map(|row| row.classes.iter().cloned())
            .collect();
        let more = held.difference(&share.fields).cloned().collect();
        let what = format!(
            "kinds of fields of {} at {} that were not shared",
            share.from, share.to
        );
        found.extend(several("leak", &what, &more));
    }
    found
}

/// A person at a recipient who did not agree to it, or who is not on the sender's list at all.
pub(super) fn leaked_people(observed: &Observed, known: &Known) -> Vec<Finding> {
    let nobody = BTreeSet::new();
    let mut found = Vec::new();
    for share in &observed.shares {
        let Some(list) = known.lists.get(&share.from) else {
            continue;
        };
        let pair = (share.from.clone(), share.to.clone());
        let allowed = known.may_flow.get(&pair).unwrap_or(&nobody);
        let (mut leaked, mut strangers) = (BTreeSet::new(), BTreeSet::new());
        for (place, row) in share.rows.iter().enumerate() {
            let who = list.who(row);
            if who.is_empty() {
                strangers.insert(format!("row {}", place + 1));
            } else if who.is_disjoint(allowed) {
                leaked.extend(who.iter().map(|person| format!("person {}", person.0)));
            }
        }
        let what = format!(
            "people of {} at {} who must not be there",
            share.from, share.to
        );
        found.extend(several("leak", &what, &leaked));
        let what = format!("rows at {} that {} does not have", share.to, share.from);
        found.extend(several("stranger", &what, &strangers));
    }
    found
}

/// Contact points in the files of a node that neither its own list has nor a share brought.
///
/// The search is worth something only if it finds what must be there: a node whose own list leaves
/// no trace is a finding, too.
pub(super) fn leaked_traces(observed: &Observed, known: &Known) -> Vec<Finding> {
    let mut found = Vec::new();
    for (slug, traces) in &observed.traces {
        let Some(own) = known.lists.get(slug) else {
            continue;
        };
        let (mut emails, mut phones) = own.points();
        if traces.emails_among(&emails).is_empty() || traces.phones.is_disjoint(&phones) {
            let detail = format!("nothing of its own list was found in the files of {slug}");
            found.push(Finding::new("blind search", detail));
        }
        for share in observed.shares.iter().filter(|share| share.to == *slug) {
            for row in &share.rows {
                emails.extend(row.emails.iter().map(|email| email.to_lowercase()));
                phones.extend(
                    row.phones
                        .iter()
                        .map(|phone| super::super::canary::national(phone)),
                );
            }
        }
        let (mut foreign_emails, mut foreign_phones) = (BTreeSet::new(), BTreeSet::new());
        for list in known.lists.values() {
            let (more_emails, more_phones) = list.points();
            foreign_emails.extend(more_emails.difference(&emails).cloned());
            foreign_phones.extend(more_phones.difference(&phones).cloned());
        }
        let what = format!("e-mail addresses in the files of {slug} that no road leads there");
        found.extend(several(
            "leak",
            &what,
            &traces.emails_among(&foreign_emails),
        ));
        let there = traces
            .phones
            .intersection(&foreign_phones)
            .cloned()
            .collect();
        let what = format!("telephones in the files of {slug} that no road leads there");
        found.extend(several("leak", &what, &there));
    }
    found
}
