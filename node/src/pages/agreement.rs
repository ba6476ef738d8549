//! The agreement: what is in force, what it says, and the drafts that wait for signatures.

use super::{
    Page, PageError,
    done::Done,
    frame::{self, Frame, Section},
    render,
    when::When,
    words,
};
use crate::{
    api,
    app::App,
    coalition::{self as work, parties::Stated},
    disclosure::{self, Readers, Reading},
    store::coalition::Phase,
};
use askama::Template;
use axum::{Form, extract::State, http::Uri, response::Redirect};
use policy::terms::{PerChannel, Terms};
use protocol::{
    agreement::Agreement as Text,
    codec, fold,
    id::{Hash, NodeId},
    state::{State as Folded, rows::AgreementRow},
};
use serde::Deserialize;

/// The most versions that the page shows.
const VERSIONS: usize = 50;

/// What the page shows.
#[derive(Debug, Template)]
#[template(path = "agreement.html")]
pub struct Agreement {
    frame: Frame,
    propose: String,
    restate: String,
    in_force: Option<Version>,
    drafts: Vec<Version>,
    former: Vec<Former>,
}

/// A version with what it says.
#[derive(Debug)]
struct Version {
    number: u32,
    hash: String,
    short: String,
    proposer: String,
    title: String,
    summary: String,
    review_by: String,
    signatures: Vec<Signature>,
    /// Whether this organization can sign it now.
    ours: bool,
    /// Whether it names the members as they are now.
    current: bool,
    numbers: Vec<Number>,
    rules: Vec<Rule>,
    parties: Vec<Party>,
    /// Who may read whose plans, claims and contact reports.
    readers: Vec<Row>,
    /// Why not, rule by rule.
    reasons: Vec<String>,
    /// Why that cannot be told.
    unread: String,
    text: String,
    /// What the readers are worked out from.
    agreement: Option<(Hash, Text)>,
}

/// A member and what is stated of it.
#[derive(Debug)]
struct Party {
    name: String,
    kind: String,
    facts: Vec<String>,
    attested: String,
}

/// Who may read a member's plans, claims and contact reports.
#[derive(Debug)]
struct Row {
    member: String,
    cells: [String; 3],
}

/// Who has signed, or has not.
#[derive(Debug)]
struct Signature {
    name: String,
    at: Option<When>,
}

/// One number of the terms, in words.
#[derive(Debug)]
struct Number {
    label: &'static str,
    value: String,
}

/// One rule, in the words of who wrote it.
#[derive(Debug)]
struct Rule {
    id: String,
    permits: bool,
    reason: String,
}

/// An earlier version.
#[derive(Debug)]
struct Former {
    number: u32,
    short: String,
    title: String,
    parties: Vec<String>,
}

/// Shows the page.
pub async fn show(State(app): State<App>, uri: Uri) -> Page {
    let frame = Frame::read(&app, Section::Agreement, &uri).await;
    let guard = app.coalition.read().await;
    let state = guard
        .as_ref()
        .filter(|coalition| coalition.row.phase != Phase::Joining)
        .map(|coalition| &coalition.state);
    let mut page = Agreement {
        propose: frame::command(&app, "agreement propose terms.toml"),
        restate: frame::command(&app, "agreement propose --parties parties.toml"),
        in_force: None,
        drafts: Vec::new(),
        former: Vec::new(),
        frame,
    };
    if let Some(state) = state {
        page.fill(state, app.me);
    }
    drop(guard);
    for version in page.in_force.iter_mut().chain(&mut page.drafts) {
        version.read(&app).await;
    }
    render(&page)
}

/// A draft to sign.
#[derive(Debug, Deserialize)]
pub struct Draft {
    draft: String,
}

/// Signs a draft.
pub async fn sign(State(app): State<App>, Form(sign): Form<Draft>) -> Result<Redirect, PageError> {
    let (hash, entry) = work::agreement::sign(&app, Some(&sign.draft)).await?;
    let said = api::said(&app, entry).await?;
    let in_force = work::active(&app).await?.state.meta().agreement == Some(hash);
    let done = match (said.state, in_force) {
        (_, true) => Done::InForce,
        ("done", false) => Done::Signed,
        _ => Done::SignatureWaits,
    };
    Ok(done.at("/agreement"))
}

/// Whether a draft names the present members and lacks one's signature.
#[must_use]
pub fn waits_for(state: &Folded, draft: Hash, node: NodeId) -> bool {
    state.agreements.get(&draft).is_some_and(|row| {
        let names_all = codec::decode::<Text>(&row.bytes)
            .is_ok_and(|text| fold::agreement::names_members(state, &text));
        let signed = row.signatures.iter().any(|signed| signed.node == node);
        row.active_from.is_none() && names_all && !signed
    })
}

impl Agreement {
    fn fill(&mut self, state: &Folded, me: NodeId) {
        let in_force = state.meta().agreement;
        let mut rows: Vec<(&Hash, &AgreementRow)> = state.agreements.iter().collect();
        rows.sort_by_key(|(_, row)| std::cmp::Reverse(row.position));
        for (hash, row) in rows.into_iter().take(VERSIONS) {
            let Ok(text) = codec::decode::<Text>(&row.bytes) else {
                continue;
            };
            if Some(*hash) == in_force {
                self.in_force = Some(Version::new(&self.frame, state, me, *hash, row, text));
            } else if row.active_from.is_none() {
                let draft = Version::new(&self.frame, state, me, *hash, row, text);
                self.drafts.push(draft);
            } else {
                self.former.push(Former::new(*hash, text));
            }
        }
    }
}

impl Former {
    fn new(hash: Hash, text: Text) -> Self {
        Self {
            number: text.version,
            short: hash.short(),
            title: Terms::parse(&text.terms)
                .map(|terms| terms.title)
                .unwrap_or_default(),
            parties: text
                .parties
                .iter()
                .map(|party| party.name.clone())
                .collect(),
        }
    }
}

impl Version {
    fn new(
        frame: &Frame,
        state: &Folded,
        me: NodeId,
        hash: Hash,
        row: &AgreementRow,
        text: Text,
    ) -> Self {
        let terms = Terms::parse(&text.terms).ok();
        let signature = |node: NodeId| row.signatures.iter().find(|signed| signed.node == node);
        Self {
            number: text.version,
            hash: hash.to_string(),
            short: hash.short(),
            proposer: work::members::name(state, row.proposer),
            title: terms.as_ref().map(|t| t.title.clone()).unwrap_or_default(),
            summary: terms
                .as_ref()
                .map(|t| t.summary.clone())
                .unwrap_or_default(),
            review_by: terms
                .as_ref()
                .map(|t| t.review_by.clone())
                .unwrap_or_default(),
            signatures: text
                .parties
                .iter()
                .map(|party| Signature {
                    name: party.name.clone(),
                    at: signature(party.node).map(|signed| frame.calendar.moment(signed.at)),
                })
                .collect(),
            ours: frame.is_active() && waits_for(state, hash, me),
            current: fold::agreement::names_members(state, &text),
            parties: text.parties.iter().map(Stated::of).map(party).collect(),
            readers: Vec::new(),
            reasons: Vec::new(),
            unread: String::new(),
            numbers: terms.as_ref().map(numbers).unwrap_or_default(),
            rules: terms.as_ref().map(|t| rules(&t.rules)).unwrap_or_default(),
            text: text.terms.clone(),
            agreement: Some((hash, text)),
        }
    }

    /// Adds who may read whose publications.
    async fn read(&mut self, app: &App) {
        let Some((hash, agreement)) = self.agreement.take() else {
            return;
        };
        match disclosure::readers(app, hash, &agreement).await {
            Ok(readers) => self.put(&readers),
            Err(refusal) => self.unread = refusal.0.detail,
        }
    }

    fn put(&mut self, readers: &[Readers]) {
        self.reasons = disclosure::reasons(readers);
        self.readers = readers
            .iter()
            .map(|row| Row {
                member: row.member.clone(),
                cells: row.cells().map(Reading::words),
            })
            .collect();
    }
}

/// What the agreement states of a member, in words.
fn party(stated: Stated) -> Party {
    Party {
        kind: words::kind(&stated.kind),
        facts: stated.words(),
        attested: stated.attestation(),
        name: stated.name,
    }
}

/// The numbers that people ask for first.
fn numbers(terms: &Terms) -> Vec<Number> {
    let params = &terms.params;
    let days = |per: &PerChannel| {
        format!(
            "doors {}, calls {}, texts {}, e-mail {} days",
            per.door, per.phone, per.text, per.email
        )
    };
    let lines = [
        ("Nobody contacts again for", days(&params.recontact_days)),
        ("A claim lasts at most", days(&params.claim_days_max)),
        (
            "A claim lapses without renewal after",
            format!("{} hours", params.renewal_hours + params.grace_hours),
        ),
        (
            "Use of rows that are taken back ends within",
            format!("{} hours", params.ack_hours),
        ),
        (
            "They are erased within",
            format!(
                "{} business days for a channel, {} days for a person",
                params.due_business_days_channels, params.due_days_erasure
            ),
        ),
        (
            "Backups lose them within",
            format!("{} more days", params.backup_days),
        ),
        (
            "One person is contacted at most",
            format!(
                "{} times in {} days, by all members together",
                params.contact_cap.contacts, params.contact_cap.days
            ),
        ),
        (
            "Shared rows are used at most",
            format!("{} times a year, a week each", params.use_limit),
        ),
        (
            "A use is announced to all",
            format!("{} hours before", params.notice_hours),
        ),
        ("Counts are not shown below", params.min_cell.to_string()),
    ];
    lines
        .into_iter()
        .map(|(label, value)| Number { label, value })
        .collect()
}

/// The rules of the agreement: what each says of itself. The text itself stands below them.
fn rules(text: &str) -> Vec<Rule> {
    let quoted = |piece: &str, name: &str| {
        let start = piece.find(name)? + name.len();
        let rest = piece.get(start..)?;
        Some(rest.split('"').next()?.to_owned())
    };
    text.split("@id(\"")
        .skip(1)
        .filter_map(|piece| {
            Some(Rule {
                id: piece.split('"').next()?.to_owned(),
                permits: piece.lines().any(|line| line.starts_with("permit")),
                reason: quoted(piece, "@reason(\"").unwrap_or_default(),
            })
        })
        .collect()
}

#[cfg(test)]
impl Agreement {
    /// The page with one text in every place that others can fill.
    pub(super) fn sample(text: &str) -> Self {
        let frame = Frame::sample(Section::Agreement, text);
        let at = frame
            .calendar
            .moment(protocol::time::Moment(1_795_604_160_000));
        let text = || text.to_owned();
        let version = |ours| Version {
            number: 2,
            hash: text(),
            short: text(),
            proposer: text(),
            title: text(),
            summary: text(),
            review_by: text(),
            signatures: vec![
                Signature {
                    name: text(),
                    at: Some(at.clone()),
                },
                Signature {
                    name: text(),
                    at: None,
                },
            ],
            ours,
            current: ours,
            numbers: vec![Number {
                label: "A claim lasts at most",
                value: text(),
            }],
            rules: vec![Rule {
                id: text(),
                permits: true,
                reason: text(),
            }],
            parties: vec![Party {
                name: text(),
                kind: text(),
                facts: vec![text()],
                attested: text(),
            }],
            readers: vec![Row {
                member: text(),
                cells: [text(), text(), text()],
            }],
            reasons: vec![text()],
            unread: text(),
            text: text(),
            agreement: None,
        };
        Self {
            propose: text(),
            restate: text(),
            in_force: Some(version(false)),
            drafts: vec![version(true), version(false)],
            former: vec![Former {
                number: 1,
                short: text(),
                title: text(),
                parties: vec![text()],
            }],
            frame,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_every_template_are_listed_with_their_reasons() {
        for template in policy::terms::templates() {
            let terms = Terms::parse(template.text).unwrap();
            let listed = rules(&terms.rules);
            assert_eq!(listed.len(), terms.rules.matches("@id(").count());
            assert!(listed.iter().all(|rule| !rule.reason.is_empty()));
        }
    }
}
