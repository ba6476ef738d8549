//! What the gate is asked about: the organizations, the flow between two of them, and the rows.

use crate::{
    consent::Record,
    facts::{Basis, Consideration, OrgKind, PolicyChannel, Purpose, Source},
    jurisdiction::Jurisdiction,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What the agreement attests about one organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Party {
    /// The node id; letters `a` to `z`, digits, `.`, `_`, `-`.
    pub id: String,
    /// The name that people read on a consent form.
    pub name: String,
    /// What kind of legal body it is.
    pub kind: OrgKind,
    /// Where it is established.
    pub jurisdiction: Jurisdiction,
    /// Whether it takes part in federal elections: of a candidate or party, the federal ones.
    pub federal: bool,
    /// Whether it is a corporation.
    pub incorporated: bool,
    /// Races in which it coordinates with a candidate.
    #[serde(default)]
    pub coordinated_races: BTreeSet<String>,
    /// Races in which it makes independent expenditures.
    #[serde(default)]
    pub ie_races: BTreeSet<String>,
    /// Whether a basis for transfers out of the EEA is on file.
    #[serde(default)]
    pub transfer_basis: bool,
    /// Whether the coalition suspended it.
    #[serde(default)]
    pub suspended: bool,
    /// Whether it owes confirmations of revocations that are past due.
    #[serde(default)]
    pub notices_overdue: bool,
}

impl Party {
    /// An organization of which nothing more is known: no races, nothing attested, not suspended.
    #[must_use]
    pub fn new(id: &str, name: &str, kind: OrgKind, jurisdiction: Jurisdiction) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            kind,
            jurisdiction,
            federal: false,
            incorporated: false,
            coordinated_races: BTreeSet::new(),
            ie_races: BTreeSet::new(),
            transfer_basis: false,
            suspended: false,
            notices_overdue: false,
        }
    }
}

/// One share as a whole: who gives to whom, what for, and what is on file about it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// Id of the organization that sends.
    pub from: String,
    /// Id of the organization that receives.
    pub to: String,
    /// Id of the coalition under whose agreement it happens.
    pub coalition: String,
    /// What the rows are for.
    pub purpose: Purpose,
    /// How the recipient will contact people.
    pub channel: PolicyChannel,
    /// What the recipient gives for it.
    pub consideration: Consideration,
    /// Whether an invoice or report id for the consideration is on file.
    pub evidence_on_file: bool,
    /// Whether the same terms are open to every organization of the recipient's kind.
    pub equal_terms: bool,
    /// Whether the agreement that the share names is the one in force.
    pub agreement_current: bool,
    /// Whether the law pack is within its review date; see [`crate::law_pack_fresh`].
    pub law_pack_fresh: bool,
    /// Whether the recipient has open disputes about rows that the sender should not have sent.
    pub suspended: bool,
}

/// What is known about one row, apart from consent. Rows with equal facts are judged once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowFacts {
    /// Id of the organization that collected the row.
    pub originator: String,
    /// Where it came from.
    pub source: Source,
    /// The ground on which it may move.
    pub basis: Basis,
    /// Whose law protects the person.
    pub jurisdiction: Jurisdiction,
    /// Whether the person is or may be a minor.
    pub minor: bool,
    /// Whether the person is in a program that keeps the address secret.
    pub confidential: bool,
    /// Whether the row is marked never to be shared; the rules treat it as confidential.
    pub never_share: bool,
    /// Whether the row says which side the person is on.
    pub partisan: bool,
    /// Whether it was derived from an organization's private plans.
    pub nonpublic: bool,
    /// Whether the terms of the source allow passing it on.
    pub terms_allow: bool,
    /// Races on whose coordinated side the row was derived.
    pub taint_coordinated: BTreeSet<String>,
    /// Races on whose independent side the row was derived.
    pub taint_ie: BTreeSet<String>,
    /// Whether the person asked not to be contacted.
    pub suppressed: bool,
    /// Whether the row was revoked or erased.
    pub tombstoned: bool,
    /// Whether the recontact window of the agreement is still running.
    pub recent_contact: bool,
}

impl RowFacts {
    /// A row with no marks; its source's terms are not known to allow anything.
    #[must_use]
    pub fn new(originator: &str, source: Source, basis: Basis, jurisdiction: Jurisdiction) -> Self {
        Self {
            originator: originator.to_owned(),
            source,
            basis,
            jurisdiction,
            minor: false,
            confidential: false,
            never_share: false,
            partisan: false,
            nonpublic: false,
            terms_allow: false,
            taint_coordinated: BTreeSet::new(),
            taint_ie: BTreeSet::new(),
            suppressed: false,
            tombstoned: false,
            recent_contact: false,
        }
    }

    /// Puts the labels of another row on this one, which was derived from it. Labels only ever
    /// come on top: a row has those of everything that it was made of.
    pub fn inherit(&mut self, from: &Self) {
        self.partisan |= from.partisan;
        self.nonpublic |= from.nonpublic;
        self.taint_coordinated
            .extend(from.taint_coordinated.iter().cloned());
        self.taint_ie.extend(from.taint_ie.iter().cloned());
    }

    /// Labels a row that was derived from the private plans of an organization.
    pub fn derive_from_plans_of(&mut self, author: &Party) {
        self.nonpublic = true;
        self.taint_coordinated
            .extend(author.coordinated_races.iter().cloned());
        self.taint_ie.extend(author.ie_races.iter().cloned());
    }
}

/// One row as the gate sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Everything but consent.
    pub facts: RowFacts,
    /// What the person agreed to; none means that nothing is known.
    pub consent: Option<Record>,
}

/// Which end decides: the same text serves both, with the deciding node as the principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// The sender, before anything leaves.
    Send,
    /// The recipient, before anything is stored.
    Receive,
}
