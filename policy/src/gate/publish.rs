//! Plans, claims and contact reports are disclosures to every member; results, to who looks.
//!
//! They pass the same three layers as rows do, in the actions `publish` and `viewResult`: rules on
//! the action group `Flow` that read the flow alone hold for them as well. Spec:
//! `spec/policy.md`, section 12.

use super::{
    Alarm, Gate,
    judge::{Answer, Bench, Question, name},
};
use crate::{
    entities,
    facts::{Consideration, PolicyChannel, Purpose, names},
    flow::Flow,
    rules::{Layer, RuleText, law_pack_fresh},
    schema::{COALITION, flow_group, uid},
};
use cedar_policy::EntityUid;
use serde::Serialize;
use std::collections::BTreeSet;

names! {
    /// What a member publishes to all others.
    PublicationKind: "kind of publication" {
        /// What it is going to do.
        Plan = "plan",
        /// What it reserves for itself.
        Claim = "claim",
        /// Whom it contacted.
        ContactReport = "contact_report",
    }
}

impl PublicationKind {
    fn entity(self) -> &'static str {
        match self {
            Self::Plan => "Plan",
            Self::Claim => "Claim",
            Self::ContactReport => "ContactReport",
        }
    }
}

/// Something that a member is about to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// Id of the member.
    pub author: String,
    /// What it is.
    pub kind: PublicationKind,
    /// The races that it is about.
    pub races: BTreeSet<String>,
    /// What the work is for.
    pub purpose: Purpose,
    /// How people are contacted.
    pub channel: PolicyChannel,
}

/// A result that somebody wants to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultFacts {
    /// Id of the member whose work it is.
    pub author: String,
    /// The races that it is about.
    pub races: BTreeSet<String>,
    /// What the work was for.
    pub purpose: Purpose,
    /// How people were contacted.
    pub channel: PolicyChannel,
    /// Whether it is counts, and of no single person.
    pub aggregated: bool,
    /// Whether no count in it is below the agreement's least cell.
    pub min_cell_met: bool,
}

/// Whether one member may read it, and which rules say no.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Id of the member who would read it.
    pub to: String,
    /// Whether it may.
    pub allowed: bool,
    /// What refuses, with its text; empty when it is allowed.
    pub refused_by: Vec<RuleText>,
}

/// Who may read a publication, member by member, its author left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Readers {
    /// One verdict per other member, by id.
    pub verdicts: Vec<Verdict>,
}

impl Readers {
    /// Whether every member may read it; otherwise it is not published at all.
    #[must_use]
    pub fn allow(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.allowed)
    }
}

/// Who may read whose plans, claims and reports; people see it before they sign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Matrix {
    /// One row per member and kind of publication.
    pub rows: Vec<MatrixRow>,
}

/// Who may read one kind of publication of one member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MatrixRow {
    /// Id of the member who publishes.
    pub author: String,
    /// What it publishes.
    pub kind: PublicationKind,
    /// Who may read it.
    pub readers: Readers,
}

impl Gate {
    /// Whether a publication may go out: toward each other member, or else not at all.
    #[must_use]
    pub fn publish(&self, publication: &Publication, now_ms: i64) -> Readers {
        let kind = publication.kind.entity();
        let thing = entities::publication(kind, &name(0), &publication.author, &publication.races);
        let bench = Bench::new(self, std::iter::once(thing));
        let disclosure = Disclosure {
            author: &publication.author,
            races: &publication.races,
            purpose: publication.purpose,
            channel: publication.channel,
            action: uid("Action", "publish"),
            about: uid(kind, &name(0)),
            now_ms,
        };
        let others = self.parties.keys().filter(|to| **to != publication.author);
        let verdict = |to: &String| match &bench {
            Ok(bench) => self.verdict(to, disclosure.answers(self, bench, to)),
            Err(alarm) => self.verdict(to, Err(*alarm)),
        };
        Readers {
            verdicts: others.map(verdict).collect(),
        }
    }

    /// Who may read whose publications when the work is for this purpose, on this channel, about
    /// every race of the author.
    #[must_use]
    pub fn matrix(&self, purpose: Purpose, channel: PolicyChannel, now_ms: i64) -> Matrix {
        let row = |(author, kind): (&String, PublicationKind)| MatrixRow {
            author: author.clone(),
            kind,
            readers: self.publish(&self.publication(author, kind, purpose, channel), now_ms),
        };
        let kinds = |author| PublicationKind::ALL.iter().map(move |kind| (author, *kind));
        Matrix {
            rows: self.parties.keys().flat_map(kinds).map(row).collect(),
        }
    }

    /// A publication about every race of its author, as when it does not say about which.
    #[must_use]
    pub fn publication(
        &self,
        author: &str,
        kind: PublicationKind,
        purpose: Purpose,
        channel: PolicyChannel,
    ) -> Publication {
        let party = self.parties.get(author);
        Publication {
            author: author.to_owned(),
            kind,
            races: party
                .into_iter()
                .flat_map(entities::races_of)
                .cloned()
                .collect(),
            purpose,
            channel,
        }
    }

    /// Whether a member may look at a result of another's work.
    #[must_use]
    pub fn view_result(&self, result: &ResultFacts, reader: &str, now_ms: i64) -> Verdict {
        let thing = entities::result(
            &name(0),
            &result.author,
            &result.races,
            result.aggregated,
            result.min_cell_met,
        );
        let disclosure = Disclosure {
            author: &result.author,
            races: &result.races,
            purpose: result.purpose,
            channel: result.channel,
            action: uid("Action", "viewResult"),
            about: uid("Result", &name(0)),
            now_ms,
        };
        let answers = Bench::new(self, std::iter::once(thing))
            .and_then(|bench| disclosure.answers(self, &bench, reader));
        self.verdict(reader, answers)
    }

    fn verdict(&self, to: &str, answers: Result<[Answer; 3], Alarm>) -> Verdict {
        let ids: Vec<String> = match answers {
            Err(alarm) => vec![alarm.name().to_owned()],
            Ok(layers) => Layer::ALL
                .iter()
                .zip(layers)
                .filter(|(_, answer)| !answer.allow)
                .flat_map(|(_, answer)| match answer.by.is_empty() {
                    true => vec![super::NO_PERMIT.to_owned()],
                    false => answer.by,
                })
                .collect(),
        };
        Verdict {
            to: to.to_owned(),
            allowed: ids.is_empty(),
            refused_by: ids.iter().filter_map(|id| self.rule(id)).cloned().collect(),
        }
    }
}

/// Something that one member would let another read.
struct Disclosure<'d> {
    author: &'d str,
    races: &'d BTreeSet<String>,
    purpose: Purpose,
    channel: PolicyChannel,
    action: EntityUid,
    about: EntityUid,
    now_ms: i64,
}

impl Disclosure<'_> {
    fn answers(&self, gate: &Gate, bench: &Bench, to: &str) -> Result<[Answer; 3], Alarm> {
        let flow = Flow {
            from: self.author.to_owned(),
            to: to.to_owned(),
            coalition: COALITION.to_owned(),
            purpose: self.purpose,
            channel: self.channel,
            consideration: Consideration::None,
            evidence_on_file: false,
            equal_terms: false,
            // It happens under the agreement from which the gate was built.
            agreement_current: true,
            law_pack_fresh: law_pack_fresh(self.now_ms),
            // Disputes are about rows.
            suspended: false,
        };
        gate.recipient(&flow, self.now_ms)?;
        let group = [flow_group()];
        let (store, parties) = (&gate.store, &gate.parties);
        if !entities::flow_is_complete(store, parties, &self.action, &group, &flow)
            || !entities::races_are_complete(store, self.races.iter())
        {
            return Err(Alarm::EntityMissing);
        }
        let question = Question::new(self.author, self.action.clone(), &flow, self.about.clone())?;
        bench.layers(gate, &question, &self.about)
    }
}
