//! Vectors: questions to the gate with the answers that a policy must give.
//!
//! A file of vectors stands beside each policy. It has one base case, and vectors that change as
//! little of it as they can: the rule that a vector is about withholds it, or nearly does. Running
//! the vectors after every edit shows what the edit changed; a rule without vectors is reported,
//! since nobody knows what it does. Format: `spec/policy.md`, section 14.

mod case;
mod read;
mod run;

pub use run::{run, run_law, run_own};

use case::Question;
use serde::Serialize;

/// The most bytes of a file of vectors.
pub const MAX_VECTORS_BYTES: usize = 1024 * 1024;
/// The most vectors of one file.
pub const MAX_VECTORS: usize = 2_000;

/// A checked file of vectors.
#[derive(Clone, Debug)]
pub struct Vectors {
    vectors: Vec<Vector>,
}

#[derive(Clone, Debug)]
struct Vector {
    line: usize,
    name: String,
    decision: Decision,
    /// The rules that are to decide.
    by: Vec<String>,
    /// The rule at stake, when it is another.
    about: Option<String>,
    question: Question,
}

/// What is to become of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It flows.
    Permit,
    /// It is withheld.
    Deny,
}

impl Decision {
    /// `permit` or `deny`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Permit => "permit",
            Self::Deny => "deny",
        }
    }
}

/// Why a file holds no vectors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("vectors, line {line}, column {column}: {message}")]
pub struct VectorsError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl Vectors {
    /// Reads a file of vectors: TOML, or JSON when its first character is `{`.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place.
    pub fn parse(text: &str) -> Result<Self, VectorsError> {
        read::vectors(text)
    }

    /// Those that name a rule, as what decides or as what is at stake.
    #[must_use]
    pub fn of_rule(&self, id: &str) -> Self {
        let vectors = self.vectors.iter().filter(|vector| vector.names(id));
        Self {
            vectors: vectors.cloned().collect(),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.vectors.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.vectors.is_empty()
    }
}

impl Vector {
    fn names(&self, id: &str) -> bool {
        self.by.iter().any(|by| by == id) || self.about.as_deref() == Some(id)
    }
}

/// What became of the vectors of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether every vector holds and every rule has its vectors.
    pub ok: bool,
    /// One per vector, in the order of the file.
    pub vectors: Vec<Tested>,
    /// Rules that lack a vector.
    pub uncovered: Vec<Uncovered>,
}

/// What became of one vector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tested {
    /// Where it stands in its file.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// What is to become of the cell.
    pub expected: Decision,
    /// By which rules.
    pub by: Vec<String>,
    /// What the gate said instead; none when the vector holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// A rule of which nobody has shown what it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Uncovered {
    /// The rule.
    pub id: String,
    /// What it lacks: a vector that flows, a vector that is withheld, or both.
    pub lacks: Vec<Decision>,
}
