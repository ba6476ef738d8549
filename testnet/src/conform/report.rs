//! What was found, clause by clause.

use serde::Serialize;

/// Whether a clause holds; what was seen instead where it does not.
pub(super) type Found = Result<(), String>;

/// One clause of the specification, and whether the peer keeps it.
#[derive(Debug, Clone, Serialize)]
pub struct Clause {
    /// The chapter of the kit.
    pub chapter: &'static str,
    /// Where the specification says it: file in `spec/` and section.
    pub spec: &'static str,
    /// What it says.
    pub says: &'static str,
    /// Whether it was kept.
    pub kept: bool,
    /// What was seen instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
}

/// All clauses that were tried, in order.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// The clauses.
    pub clauses: Vec<Clause>,
    #[serde(skip)]
    chapter: &'static str,
}

impl Report {
    /// Begins a chapter.
    pub(super) fn chapter(&mut self, name: &'static str) {
        self.chapter = name;
    }

    /// Notes a clause.
    pub(super) fn clause(&mut self, spec: &'static str, says: &'static str, found: Found) {
        self.clauses.push(Clause {
            chapter: self.chapter,
            spec,
            says,
            kept: found.is_ok(),
            seen: found.err(),
        });
    }

    /// The clauses that were not kept.
    pub fn broken(&self) -> impl Iterator<Item = &Clause> {
        self.clauses.iter().filter(|clause| !clause.kept)
    }

    /// Whether something was tried and everything was kept.
    #[must_use]
    pub fn holds(&self) -> bool {
        !self.clauses.is_empty() && self.broken().next().is_none()
    }
}
