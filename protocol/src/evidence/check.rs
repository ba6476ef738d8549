//! What holds and what does not, in plain sentences.

use super::{
    file::{Body, Evidence, EvidenceError, Shown},
    fork, person, record,
    roster::Roster,
};
use crate::{
    chain, codec,
    entry::{
        Entry,
        share::{ErasureResult, ErasureStatement},
    },
    envelope::Envelope,
    fold::recall::is_receipt_signed_by,
    id::{CoalitionId, Hash, Lineage, NodeId},
    identity::KeyUse,
};

/// One thing that was checked.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Finding {
    /// Whether it holds.
    pub holds: bool,
    /// What was checked, and what came of it.
    pub what: String,
}

/// Everything that was checked in a file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// `record`, `person` or `fork`.
    pub kind: &'static str,
    /// Whose log.
    pub coalition: CoalitionId,
    /// Whether everything holds.
    pub holds: bool,
    /// The organizations that vouch for the log with a signature.
    pub vouched_by: Vec<NodeId>,
    /// The organizations that are proved to have signed two histories; only in evidence of that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub accused: Vec<NodeId>,
    /// What was checked, in order.
    pub findings: Vec<Finding>,
    /// The disclosed row in diagnostic notation (RFC 8949, section 8); only in a person's proof
    /// where everything holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<String>,
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let about = match self.kind {
            "person" => "what was shared of one person",
            "fork" => "two histories of a log",
            _ => "the log of a coalition",
        };
        writeln!(f, "Evidence about {about}, coalition {}.", self.coalition)?;
        for finding in &self.findings {
            let mark = if finding.holds {
                "holds"
            } else {
                "DOES NOT HOLD"
            };
            writeln!(f, "  {mark}: {}", finding.what)?;
        }
        if let Some(row) = &self.row {
            writeln!(f, "The row: {row}")?;
        }
        if self.holds {
            write!(f, "Everything holds.")
        } else {
            write!(f, "This file does not prove what it is about.")
        }
    }
}

/// Signatures of so many organizations make a log hard to deny.
const ORGANIZATIONS: usize = 2;

/// Checks a file.
///
/// # Errors
/// [`EvidenceError`] when the bytes are no file of evidence. A file that can be read is answered
/// with a report, also when nothing in it holds.
pub fn verify(bytes: &[u8]) -> Result<Report, EvidenceError> {
    Ok(match Evidence::read(bytes)?.body {
        Body::Record(record) => record::check(&record),
        Body::Person(proof) => person::check(&proof),
        Body::Fork(proof) => fork::check(&proof),
    })
}

/// Collects findings.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Finding>);

impl Findings {
    pub(super) fn say(&mut self, holds: bool, what: impl Into<String>) -> bool {
        let what = what.into();
        self.0.push(Finding { holds, what });
        holds
    }

    pub(super) fn all_hold(&self) -> bool {
        self.0.iter().all(|finding| finding.holds)
    }

    pub(super) fn report(
        mut self,
        kind: &'static str,
        coalition: CoalitionId,
        roster: &Roster,
    ) -> Report {
        let vouched_by = roster.vouched_by();
        self.say(
            vouched_by.len() >= ORGANIZATIONS,
            format!(
                "{} organizations signed for this log ({ORGANIZATIONS} or more are evidence)",
                vouched_by.len()
            ),
        );
        Report {
            kind,
            coalition,
            holds: self.all_hold(),
            vouched_by,
            accused: Vec::new(),
            findings: self.0,
            row: None,
        }
    }

    /// A report on two histories: nobody has to vouch for it, what was signed speaks for itself.
    pub(super) fn accuse(self, coalition: CoalitionId, accused: Vec<NodeId>) -> Report {
        Report {
            kind: "fork",
            coalition,
            holds: self.all_hold(),
            vouched_by: Vec::new(),
            accused,
            findings: self.0,
            row: None,
        }
    }
}

/// Which log a file is about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Log {
    pub(super) coalition: CoalitionId,
    pub(super) lineage: Lineage,
}

/// Checks that an entry is what its envelope was sealed over; gives it with its author.
pub(super) fn opened(
    log: Log,
    shown: &Shown,
    roster: &Roster,
    findings: &mut Findings,
) -> Option<(NodeId, Entry)> {
    let at = shown.position;
    let envelope = match Envelope::read(&shown.envelope, log.coalition, log.lineage, None) {
        Ok(envelope) => envelope,
        Err(error) => {
            findings.say(false, format!("the envelope at position {at}: {error}"));
            return None;
        }
    };
    if envelope.header.evidence != Some(Hash::of(&shown.entry)) {
        findings.say(
            false,
            format!("the entry shown for position {at} is not the one that was sealed there"),
        );
        return None;
    }
    let entry: Entry = match codec::decode(&shown.entry) {
        Ok(entry) => entry,
        Err(error) => {
            findings.say(false, format!("the entry at position {at}: {error}"));
            return None;
        }
    };
    let author = envelope.header.author;
    describe(shown, author, &entry, roster, findings);
    Some((author, entry))
}

/// The leaf that a disclosed entry must have in the log tree.
pub(super) fn leaf(log: Log, shown: &Shown) -> Hash {
    let sealed = Hash::of(&shown.envelope);
    chain::leaf(log.lineage, shown.position, shown.log_time, sealed)
}

fn describe(
    shown: &Shown,
    author: NodeId,
    entry: &Entry,
    roster: &Roster,
    findings: &mut Findings,
) {
    let (at, day) = (shown.position, shown.log_time.date());
    let who = roster.name(author);
    match entry {
        Entry::Share(share) => {
            findings.say(
                true,
                format!(
                    "position {at}, {day}: {who} announced {} people ({}) to {} for {} by {}, given for it: {}",
                    share.count,
                    share.fields.join(", "),
                    roster.name(share.to),
                    share.purpose,
                    share.channel.name(),
                    share.consideration.kind,
                ),
            );
        }
        Entry::ErasureReceipt(receipt) => {
            let statement: Option<ErasureStatement> = codec::decode(&receipt.statement).ok();
            let mut keys = roster.keys(author, KeyUse::Statement);
            let signed = keys.any(|key| is_receipt_signed_by(receipt, &key.0));
            let words = match statement {
                Some(statement) => stated(&statement),
                None => "something that cannot be read".to_owned(),
            };
            findings.say(
                signed,
                format!("position {at}, {day}: {who} signed a receipt that {words}"),
            );
        }
        other => {
            findings.say(
                true,
                format!("position {at}, {day}: {who} said {}", other.kind()),
            );
        }
    }
}

/// What a receipt says, after "signed a receipt that".
fn stated(statement: &ErasureStatement) -> String {
    let ErasureStatement { erased, share, .. } = statement;
    match statement.result {
        ErasureResult::Erased => format!("it erased {erased} rows of share {share}"),
        ErasureResult::NotFound => format!("it held no such rows of share {share}"),
        ErasureResult::Restricted => format!("it stopped using {erased} rows of share {share}"),
        ErasureResult::Rectified => format!("it corrected {erased} rows of share {share}"),
        ErasureResult::PartlyRetained => {
            let kept: Vec<&str> = statement
                .retained
                .iter()
                .map(|kept| kept.class.as_str())
                .collect();
            let kept = kept.join(", ");
            format!("it erased {erased} rows of share {share} but for {kept}")
        }
        ErasureResult::Lifted => format!("it uses {erased} rows of share {share} again"),
        ErasureResult::Refused => format!("it does not act on rows of share {share}"),
    }
}
