//! The gate as one agreement sets it up: its rules, this organization's own, and the parties.

use crate::{app::App, http::problem::Failure};
use policy::{
    Consideration, Fault, Flow, Gate, Jurisdiction, OWN_DEFAULT, Party, PolicyChannel, Purpose,
    Terms,
};
use protocol::{
    agreement::Agreement,
    channel::Channel,
    codec,
    entry::share::Consideration as Given,
    id::{Hash, NodeId},
    problem::ProblemKind,
    state::State,
    time::Moment,
};
use std::collections::BTreeSet;

/// The file in the node's directory that holds the organization's own policy.
pub const OWN_POLICY: &str = "own-policy.cedar";

/// Faults that one refusal names.
const FAULTS_SHOWN: usize = 5;

/// One agreement's gate.
#[derive(Debug)]
pub struct Setting {
    /// The rules in force.
    pub gate: Gate,
    /// The coalition's id, as the gate spells it.
    pub coalition: String,
    /// The agreement.
    pub agreement: Hash,
    /// Where people live of whom nothing else is known.
    pub default_region: Jurisdiction,
    /// Whether an attempt that reached nobody counts as a contact.
    pub attempts_count: bool,
    parties: Vec<(NodeId, String)>,
    facts: Vec<Party>,
    suspended: BTreeSet<(NodeId, NodeId)>,
}

impl Setting {
    /// The gate under the agreement in force.
    ///
    /// # Errors
    /// [`Failure`] without an agreement, or when the own policy cannot be used.
    pub async fn current(app: &App) -> Result<Self, Failure> {
        let coalition = crate::coalition::active(app).await?;
        let (hash, agreement) = coalition.state.agreement().ok_or_else(without_agreement)?;
        let now = coalition.state.meta().head.log_time;
        let own = own_policy(app)?;
        Self::load(&own, &coalition.state, hash, &agreement, now)
    }

    /// The gate under the agreement in force, with other terms or another own policy in its place.
    ///
    /// # Errors
    /// [`Failure`] without an agreement, or with everything that is wrong with the draft.
    pub async fn drafted(app: &App, draft: &Draft) -> Result<Self, Failure> {
        let coalition = crate::coalition::active(app).await?;
        let (hash, mut agreement) = coalition.state.agreement().ok_or_else(without_agreement)?;
        let now = coalition.state.meta().head.log_time;
        let own = match draft {
            Draft::Own(text) => text.clone(),
            Draft::Terms(text) => {
                text.clone_into(&mut agreement.terms);
                own_policy(app)?
            }
        };
        let refused = |fault: String| Failure::input(format!("the draft cannot be used: {fault}"));
        let terms = Terms::parse(&agreement.terms).map_err(|error| refused(error.to_string()))?;
        let parties = parties(&coalition.state, &agreement, now)?;
        let gate = Gate::load(&terms, &own, &parties).map_err(|faults| refused(listed(&faults)))?;
        let suspended = coalition.state.suspended_flows(now);
        Ok(Self::of_gate(
            gate,
            &terms,
            (&coalition.state, suspended, parties),
            hash,
            &agreement,
        ))
    }

    /// The gate under the agreement that a share names, as the log stood when it was announced.
    ///
    /// # Errors
    /// As [`Self::current`].
    pub async fn of(app: &App, agreement: Hash, log_time: Moment) -> Result<Self, Failure> {
        let coalition = crate::coalition::active(app).await?;
        let row =
            coalition.state.agreements.get(&agreement).ok_or_else(|| {
                Failure::not_found("the agreement that the share names is not known")
            })?;
        let parsed: Agreement = codec::decode(&row.bytes).map_err(Failure::internal)?;
        let own = own_policy(app)?;
        Self::load(&own, &coalition.state, agreement, &parsed, log_time)
    }

    /// The gate under a version that is in the log or about to be proposed.
    ///
    /// # Errors
    /// As [`Self::current`].
    pub async fn under(app: &App, hash: Hash, agreement: &Agreement) -> Result<Self, Failure> {
        let coalition = crate::coalition::active(app).await?;
        let now = coalition.state.meta().head.log_time;
        let own = own_policy(app)?;
        Self::load(&own, &coalition.state, hash, agreement, now)
    }

    fn load(
        own: &str,
        state: &State,
        hash: Hash,
        agreement: &Agreement,
        log_time: Moment,
    ) -> Result<Self, Failure> {
        let terms = Terms::parse(&agreement.terms).map_err(Failure::internal)?;
        let parties = parties(state, agreement, log_time)?;
        let gate = Gate::load(&terms, own, &parties).map_err(|faults| {
            let faults = listed(&faults);
            Failure::new(
                ProblemKind::Conflict,
                format!(
                    "the rules cannot be used; look at {OWN_POLICY} in the node's directory: {faults}"
                ),
            )
        })?;
        let seen = (state, state.suspended_flows(log_time), parties);
        Ok(Self::of_gate(gate, &terms, seen, hash, agreement))
    }

    fn of_gate(
        gate: Gate,
        terms: &Terms,
        (state, suspended, facts): (&State, BTreeSet<(NodeId, NodeId)>, Vec<Party>),
        hash: Hash,
        agreement: &Agreement,
    ) -> Self {
        Self {
            gate,
            coalition: state.meta().coalition.to_string(),
            agreement: hash,
            default_region: terms.params.default_jurisdiction(),
            attempts_count: terms.params.attempts_open_window,
            parties: agreement
                .parties
                .iter()
                .map(|party| (party.node, party.name.clone()))
                .collect(),
            facts,
            suspended,
        }
    }

    /// Whether an organization has signed this agreement.
    #[must_use]
    pub fn has(&self, node: NodeId) -> bool {
        self.parties.iter().any(|(party, _)| *party == node)
    }

    /// What the gate knows of an organization.
    #[must_use]
    pub fn party(&self, node: NodeId) -> Option<&Party> {
        let id = node.to_string();
        self.facts.iter().find(|party| party.id == id)
    }

    /// Those of some races that anybody at the table stands on a side of; rules can ask about no others.
    #[must_use]
    pub fn known_races<'r>(&self, races: impl IntoIterator<Item = &'r String>) -> BTreeSet<String> {
        let is_known = |race: &String| {
            self.facts.iter().any(|party| {
                party.coordinated_races.contains(race) || party.ie_races.contains(race)
            })
        };
        races
            .into_iter()
            .filter(|race| is_known(race))
            .cloned()
            .collect()
    }

    /// What people call an organization that the gate names.
    #[must_use]
    pub fn name(&self, id: &str) -> String {
        let named = self.parties.iter().find(|(node, _)| node.to_string() == id);
        named.map_or_else(|| id.to_owned(), |(_, name)| name.clone())
    }

    /// One share as the gate sees it.
    #[must_use]
    pub fn flow(
        &self,
        (from, to): (NodeId, NodeId),
        (purpose, channel): (Purpose, Channel),
        given: &Given,
        now: Moment,
    ) -> Flow {
        Flow {
            from: from.to_string(),
            to: to.to_string(),
            coalition: self.coalition.clone(),
            purpose,
            channel: policy_channel(channel),
            // The fold lets no other word through; nothing is what permits least.
            consideration: given.kind.parse().unwrap_or(Consideration::None),
            evidence_on_file: given.evidence.is_some(),
            equal_terms: given.equal_terms,
            agreement_current: true,
            law_pack_fresh: policy::law_pack_fresh(now.0),
            suspended: self.suspended.contains(&(from, to)),
        }
    }
}

/// What is wrong with rules, as far as a person reads it at once.
pub(crate) fn listed(faults: &[Fault]) -> String {
    let lines: Vec<String> = faults
        .iter()
        .take(FAULTS_SHOWN)
        .map(|fault| {
            format!(
                "line {}: {} ({})",
                fault.line,
                fault.message,
                fault.code.name()
            )
        })
        .collect();
    lines.join("; ")
}

/// A text to try in place of the one in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Draft {
    /// Terms of an agreement, TOML.
    Terms(String),
    /// The organization's own policy, Cedar.
    Own(String),
}

fn without_agreement() -> Failure {
    Failure::new(
        ProblemKind::Conflict,
        "no agreement is in force: nothing flows before all members have signed one",
    )
}

/// The gate's word for a channel: a person calls and texts by hand.
#[must_use]
pub fn policy_channel(channel: Channel) -> PolicyChannel {
    match channel {
        Channel::Door => PolicyChannel::Door,
        Channel::Phone => PolicyChannel::CallManual,
        Channel::Text => PolicyChannel::SmsP2p,
        Channel::Email => PolicyChannel::Email,
    }
}

/// The organization's own policy; without a file nothing is forbidden in this layer.
fn own_policy(app: &App) -> Result<String, Failure> {
    let path = app.dir.0.join(OWN_POLICY);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(OWN_DEFAULT.to_owned()),
        Err(error) => Err(Failure::new(
            ProblemKind::Conflict,
            format!("{OWN_POLICY} cannot be read ({error}); nothing flows until it can"),
        )),
    }
}

/// Everything that the rules read of the organizations: what the agreement states of each, and what
/// the log says that it owes.
fn parties(state: &State, agreement: &Agreement, log_time: Moment) -> Result<Vec<Party>, Failure> {
    let mut parties = agreement
        .policy_parties()
        .map_err(|error| Failure::new(ProblemKind::Conflict, error.to_string()))?;
    for (party, facts) in agreement.parties.iter().zip(&mut parties) {
        let mut owed = state.notices.iter().filter(|(_, n)| n.to == party.node);
        facts.notices_overdue = owed.any(|(_, notice)| is_overdue(notice, log_time));
    }
    Ok(parties)
}

/// Whether a recipient owes an answer to a notice, in log time.
#[must_use]
pub fn is_overdue(notice: &protocol::state::rows::NoticeRow, log_time: Moment) -> bool {
    notice.is_overdue(log_time)
}
