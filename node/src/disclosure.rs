//! What organizations publish to all members, asked of the gate before it is said.
//!
//! Plans, claims and contact reports are open to every member, so each member must be one who may
//! read them; otherwise nothing is appended. Folding is never gated: it must not differ between
//! members. Spec: `spec/policy.md`, section 12.

use crate::{app::App, http::problem::Failure, shares::setting::Setting};
use policy::{PublicationKind, Purpose, Verdict};
use protocol::{
    agreement::Agreement,
    channel::Channel,
    id::{Hash, NodeId},
    problem::ProblemKind,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What work in the field is for, where an entry does not say: claims and reports of one channel
/// serve whatever their author does there, and getting people to vote is what all kinds may do. A
/// plan says what it is for.
const PURPOSE: Purpose = Purpose::Gotv;

/// Up to so many members the table shows everybody's publications; beyond it, one's own.
const TABLE_MEMBERS: usize = 50;

/// Who may read what one member publishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Readers {
    /// The member.
    pub node: NodeId,
    /// Its name.
    pub member: String,
    /// Its plans.
    pub plans: Reading,
    /// Its claims.
    pub claims: Reading,
    /// Its contact reports.
    pub contact_reports: Reading,
}

/// Whether something is published to all, and who may not read it if it is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// Whether every member may read it; it is published to all or not at all.
    pub published: bool,
    /// What stands against it.
    pub kept_by: Vec<Refusal>,
}

/// A rule that keeps something from one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Who may not read it.
    pub member: String,
    /// The rule, or the code of what is wrong.
    pub rule: String,
    /// Why, in the rule's words.
    pub reason: String,
    /// The rule's source.
    pub cite: Option<String>,
    /// What can be done.
    pub fix: Option<String>,
}

impl Reading {
    fn new(setting: &Setting, verdicts: &[Verdict]) -> Self {
        let refusals = |verdict: &Verdict| {
            let member = setting.name(&verdict.to);
            let refusal = move |rule: policy::RuleText| Refusal {
                member: member.clone(),
                rule: rule.id,
                reason: rule.reason,
                cite: rule.cite,
                fix: rule.fix,
            };
            let rules = verdict.refused_by.clone();
            rules.into_iter().map(refusal).collect::<Vec<_>>()
        };
        Self {
            published: verdicts.iter().all(|verdict| verdict.allowed),
            kept_by: verdicts.iter().flat_map(refusals).collect(),
        }
    }

    /// The cell of a table.
    #[must_use]
    pub fn words(&self) -> String {
        if self.published {
            return "all members".to_owned();
        }
        let mut names: Vec<&str> = self.kept_by.iter().map(|r| r.member.as_str()).collect();
        names.dedup();
        format!("nobody: {} may not", names.join(", "))
    }
}

impl Readers {
    /// The three kinds, in the order of the table.
    #[must_use]
    pub fn cells(&self) -> [&Reading; 3] {
        [&self.plans, &self.claims, &self.contact_reports]
    }
}

/// Why something is not published, each rule once: its words and its source.
#[must_use]
pub fn reasons(readers: &[Readers]) -> Vec<String> {
    let refusals = readers
        .iter()
        .flat_map(Readers::cells)
        .flat_map(|reading| &reading.kept_by);
    let by_rule: BTreeMap<&str, &Refusal> = refusals.map(|r| (r.rule.as_str(), r)).collect();
    by_rule
        .into_values()
        .map(|refusal| {
            let cite = refusal.cite.as_deref().unwrap_or_default();
            format!("{}: {} {cite}", refusal.rule, refusal.reason)
                .trim_end()
                .to_owned()
        })
        .collect()
}

/// Refuses to publish what not every member may read.
///
/// # Errors
/// [`Failure`] that names the member, the rule's reason and its source.
pub async fn allowed(app: &App, kind: PublicationKind, channel: Channel) -> Result<(), Failure> {
    allowed_for(app, kind, PURPOSE, channel).await
}

/// As [`allowed`], for a publication that says what it is for.
///
/// # Errors
/// As [`allowed`].
pub async fn allowed_for(
    app: &App,
    kind: PublicationKind,
    purpose: Purpose,
    channel: Channel,
) -> Result<(), Failure> {
    let setting = Setting::current(app).await?;
    let reading = reading(app, &setting, app.me, kind, purpose, channel);
    let Some(refusal) = reading.kept_by.first().filter(|_| !reading.published) else {
        return Ok(());
    };
    let what = match kind {
        PublicationKind::Plan => "a plan",
        PublicationKind::Claim => "a claim",
        PublicationKind::ContactReport => "a contact report",
    };
    let source = refusal.cite.as_ref().map_or_else(String::new, |cite| {
        format!(", {}", cite.trim_end_matches('.'))
    });
    let fix = refusal.fix.as_deref().unwrap_or_default();
    let said = format!(
        "{what} is open to every member, and {} may not read it: {} ({}{source}) {fix}",
        refusal.member, refusal.reason, refusal.rule
    );
    Err(Failure::new(
        ProblemKind::Conflict,
        said.trim_end().to_owned(),
    ))
}

/// Who may read whose publications under a version of the agreement, in force or not; people see it
/// before they sign.
///
/// # Errors
/// [`Failure`] when the rules cannot be used.
pub async fn readers(
    app: &App,
    hash: Hash,
    agreement: &Agreement,
) -> Result<Vec<Readers>, Failure> {
    let setting = Setting::under(app, hash, agreement).await?;
    let app = app.clone();
    let all = agreement.parties.len() <= TABLE_MEMBERS;
    let authors = agreement.parties.iter();
    let authors: Vec<(NodeId, String)> = authors
        .filter(|party| all || party.node == app.me)
        .map(|party| (party.node, party.name.clone()))
        .collect();
    let table = move || {
        let of = |(node, member): (NodeId, String)| {
            let read = |kind| reading(&app, &setting, node, kind, PURPOSE, Channel::Door);
            Readers {
                node,
                member,
                plans: read(PublicationKind::Plan),
                claims: read(PublicationKind::Claim),
                contact_reports: read(PublicationKind::ContactReport),
            }
        };
        authors.into_iter().map(of).collect()
    };
    tokio::task::spawn_blocking(table)
        .await
        .map_err(Failure::internal)
}

fn reading(
    app: &App,
    setting: &Setting,
    author: NodeId,
    kind: PublicationKind,
    purpose: Purpose,
    channel: Channel,
) -> Reading {
    let channel = crate::shares::setting::policy_channel(channel);
    let author = author.to_string();
    let publication = setting.gate.publication(&author, kind, purpose, channel);
    let readers = setting.gate.publish(&publication, app.now().0);
    Reading::new(setting, &readers.verdicts)
}
