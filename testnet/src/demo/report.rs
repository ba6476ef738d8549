//! What a round comes to: everything that the report says, as data.

use super::findings::Finding;
use serde::Serialize;
use std::collections::BTreeMap;

/// The whole report.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// What the synthetic people follow from; none for files that somebody brought.
    pub seed: Option<u64>,
    /// The day of the round, `YYYY-MM-DD`.
    pub day: String,
    /// The agreement's title.
    pub agreement: String,
    /// One part per organization, the keeper first.
    pub organizations: Vec<Organization>,
    /// What became of the person who changed their mind.
    pub revocation: Option<Revocation>,
    /// What became of the person who wants no visits.
    pub opt_out: Option<OptOut>,
    /// Where all nodes stand.
    pub position: u64,
    /// The state's hash there.
    pub state_hash: String,
    /// What was checked without a finding, in sentences.
    pub checked: Vec<String>,
    /// What must not be.
    pub findings: Vec<Finding>,
    /// What took how long.
    pub steps: Vec<Step>,
}

/// A part of the round and its time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Step {
    /// What was done.
    pub what: String,
    /// Seconds.
    pub seconds: f64,
}

/// One organization's part.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Organization {
    /// Name of its folder.
    pub slug: String,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Whether it keeps the log.
    pub keeper: bool,
    /// The list's file and what was recognized.
    pub list: Import,
    /// The canvass history.
    pub history: Option<Import>,
    /// Match tokens by class.
    pub tokens: BTreeMap<String, u64>,
    /// What it shared or wanted to.
    pub shares: Vec<Share>,
    /// The doors that it claimed.
    pub claim: Option<Claim>,
    /// Whose rows it holds: name and number of people.
    pub holds: BTreeMap<String, u64>,
    /// A link that opens its pages once.
    pub link: String,
    /// Its node's directory.
    pub directory: String,
}

/// A file that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Import {
    /// The file's name.
    pub file: String,
    /// The format that was recognized.
    pub format: String,
    /// People, or attempts, that were new.
    pub rows: u64,
    /// Rows about a person or an attempt that an earlier row had described.
    pub repeated: u64,
    /// Rows that were left out.
    pub rejected: u64,
    /// People whose consent is on file since.
    pub consents: u64,
}

/// A share with one recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Share {
    /// Name of the recipient.
    pub to: String,
    /// What for.
    pub purpose: String,
    /// Kinds of fields.
    pub fields: Vec<String>,
    /// People on the list.
    pub of: u64,
    /// People who went.
    pub sent: u64,
    /// People whom the recipient took.
    pub accepted: u64,
    /// Why the recipient's own gate dropped people: rule and number.
    pub dropped: BTreeMap<String, u64>,
    /// Why people were withheld; one person may have several reasons.
    pub withheld: Vec<Withheld>,
}

/// One reason why people were withheld.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Withheld {
    /// The rule.
    pub rule: String,
    /// The rule's reason in words.
    pub reason: String,
    /// How many people.
    pub people: u64,
}

/// A claim.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Claim {
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Doors on the list.
    pub asked: u64,
    /// Doors granted.
    pub granted: u64,
    /// Doors that an ally holds: visits that would have doubled.
    pub held: u64,
    /// Doors that an ally spoke to lately: visits that would have come again too soon.
    pub recent: u64,
    /// Doors where somebody opted out.
    pub suppressed: u64,
    /// Doors on the walk list.
    pub walk_list: u64,
}

/// A row that was taken back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Revocation {
    /// Who took it back.
    pub by: String,
    /// Who had it, and whether the signed receipt is there.
    pub receipts: BTreeMap<String, bool>,
    /// Who was down while it was told.
    pub was_down: String,
}

/// An opt-out from visits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct OptOut {
    /// Who told it.
    pub by: String,
    /// Who refuses the door since.
    pub reached: Vec<String>,
}
