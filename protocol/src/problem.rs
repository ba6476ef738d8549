//! Every way to say no, in one table (RFC 9457, `application/problem+json`).
//!
//! Code, type URI, HTTP status, title and what the other side should do about it stand in one row
//! each. [`ProblemKind::ALL`], both directions between kind and code, and `spec/problems.md` come
//! from that table, so they cannot disagree. A problem never carries personal data.

mod table;

use crate::{id::NodeId, time::Moment};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

pub use table::ProblemKind;

/// What stands before the code in the `type` of a problem.
const URN: &str = "urn:commonturf:problem:";

/// What the side that asked does when it reads a problem. Each kind has one reaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reaction {
    /// Tries another keeper, then waits and tries again, for ever.
    Retry,
    /// Does what the answer says, such as waiting or setting its clock, and sends again.
    Obey,
    /// Reads the roster once more, then stops this link and alarms.
    CheckIdentity,
    /// Parks this one item with the reason and goes on with the others.
    Park,
    /// Compares its position in the log with other keepers, keeps the evidence.
    Reposition,
    /// Shows a person what is wrong.
    Tell,
}

impl Reaction {
    /// The reaction in words, for the generated page.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Retry => "tries another keeper, then again later",
            Self::Obey => "does what the answer says, sends again",
            Self::CheckIdentity => "refreshes the roster once, stops, alarms",
            Self::Park => "parks the item with its reason, goes on",
            Self::Reposition => "asks other keepers, keeps evidence",
            Self::Tell => "shows a person what is wrong",
        }
    }
}

impl ProblemKind {
    /// The type URI.
    #[must_use]
    pub fn type_uri(self) -> String {
        format!("{URN}{}", self.code())
    }

    /// The kind with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }

    /// The kind with this type URI.
    #[must_use]
    pub fn from_type_uri(uri: &str) -> Option<Self> {
        uri.strip_prefix(URN).and_then(Self::from_code)
    }
}

/// A refusal as it travels. A newer node may send a code that this version does not know, so the
/// code is text here and [`Problem::kind`] says whether it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// The type URI.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// The kind in plain words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong this time and what to do, without personal data.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// The stable code.
    pub code: String,
    /// What to look for in the logs.
    pub request_id: String,
    /// How long to wait, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The answering side's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_time: Option<Moment>,
    /// Who can answer instead; never an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<NodeId>,
    /// The limit that was met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

impl Problem {
    /// A problem of a kind, with what is particular this time.
    #[must_use]
    pub fn new(
        kind: ProblemKind,
        detail: impl Into<String>,
        request_id: impl Into<String>,
    ) -> Self {
        Self {
            type_uri: kind.type_uri(),
            title: kind.title().into(),
            status: kind.status(),
            detail: detail.into(),
            code: kind.code().into(),
            request_id: request_id.into(),
            retry_after_ms: None,
            server_time: None,
            leader: None,
            limit: None,
        }
    }

    /// The kind, if this version knows it and type and code agree.
    #[must_use]
    pub fn kind(&self) -> Option<ProblemKind> {
        ProblemKind::from_code(&self.code).filter(|kind| kind.type_uri() == self.type_uri)
    }
}

/// The page `spec/problems.md`, from the table.
#[must_use]
pub fn problems_markdown() -> String {
    let mut page = String::from(
        "# Problem types\n\n\
         Generated from `protocol/src/problem/table.rs`; a test fails when this page is stale.\n\n\
         A refusal is `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `code` and\n\
         `request_id`, often `detail`, and where apt `retry_after_ms`, `server_time`, `leader`, `limit`.\n\
         The type is `urn:commonturf:problem:` and the code. Codes never change their meaning.\n\n\
         | code | status | title | the side that asked |\n|---|---|---|---|\n",
    );
    for kind in ProblemKind::ALL {
        let (code, status, title) = (kind.code(), kind.status(), kind.title());
        let reaction = kind.reaction().sentence();
        writeln!(page, "| `{code}` | {status} | {title} | {reaction} |")
            .expect("writing to memory cannot fail");
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_is_found_by_its_code_and_its_type() {
        for kind in ProblemKind::ALL.iter().copied() {
            assert_eq!(ProblemKind::from_code(kind.code()), Some(kind));
            assert_eq!(ProblemKind::from_type_uri(&kind.type_uri()), Some(kind));
        }
    }

    #[test]
    fn codes_are_distinct_and_in_kebab_case() {
        let codes: BTreeSet<_> = ProblemKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), ProblemKind::ALL.len());
        for code in codes {
            assert!(
                code.split('-')
                    .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase())),
                "{code}"
            );
        }
    }

    #[test]
    fn every_status_is_an_error_and_every_title_a_sentence_part() {
        for kind in ProblemKind::ALL {
            assert!((400..600).contains(&kind.status()), "{kind:?}");
            assert!(
                kind.title().len() > 10 && !kind.title().contains('|'),
                "{kind:?}"
            );
        }
    }

    #[test]
    fn a_problem_survives_json_and_leaves_out_what_it_has_not() {
        let mut problem = Problem::new(ProblemKind::ClockSkew, "", "r1");
        problem.server_time = Some(Moment(5));
        let json = serde_json::to_string(&problem).unwrap();
        assert!(json.starts_with(r#"{"type":"urn:commonturf:problem:clock-skew","title":"#));
        assert!(!json.contains("leader") && !json.contains("detail"));
        assert_eq!(serde_json::from_str::<Problem>(&json).unwrap(), problem);
    }

    #[test]
    fn a_code_from_the_future_is_read_but_not_known() {
        let json = r#"{"type":"urn:commonturf:problem:x","title":"X","status":400,"code":"x","request_id":"1","new":1}"#;
        assert_eq!(serde_json::from_str::<Problem>(json).unwrap().kind(), None);
    }

    #[test]
    fn a_code_under_another_type_is_not_known() {
        let mut problem = Problem::new(ProblemKind::Rate, "", "r1");
        problem.type_uri = "https://elsewhere.example/rate".into();
        assert_eq!(problem.kind(), None);
        assert_eq!(ProblemKind::from_type_uri("rate"), None);
    }
}
