//! The steps of the check, in the order in which they run: cheap ones first, the tests last.

use clap::ValueEnum;

/// A step; its name on the command line is its name in lower case, its help what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Step {
    /// Chromium, PostgreSQL, a C compiler, rustfmt, clippy; installs what is missing.
    Packages,
    /// Every Rust file is formatted as rustfmt does it.
    Format,
    /// No listed migration changed, and every migration is listed.
    Migrations,
    /// Every generated file says what its generator says.
    Generated,
    /// Licences, banned crates and sources of all dependencies, by cargo-deny.
    Dependencies,
    /// Clippy without a warning.
    Lints,
    /// Everything compiles: libraries, programs, tests.
    Build,
    /// The examples in the documentation run.
    Doctests,
    /// The documentation builds without a warning.
    Docs,
    /// Every test, the rules of the house among them, with PostgreSQL at its side.
    Tests,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 10] = [
        Self::Packages,
        Self::Format,
        Self::Migrations,
        Self::Generated,
        Self::Dependencies,
        Self::Lints,
        Self::Build,
        Self::Doctests,
        Self::Docs,
        Self::Tests,
    ];

    /// The name, as typed after `--only`.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value()
            .map(|value| value.get_name().to_owned())
            .expect("no step is hidden")
    }

    /// What the step does, in a sentence.
    #[must_use]
    pub fn about(self) -> String {
        let value = self.to_possible_value().expect("no step is hidden");
        value
            .get_help()
            .map(ToString::to_string)
            .expect("every step is documented")
    }

    /// The step without whose success this one would only repeat its errors.
    #[must_use]
    pub fn needs(self) -> Option<Self> {
        match self {
            Self::Doctests | Self::Docs | Self::Tests => Some(Self::Build),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_runs_and_says_what_it_does() {
        assert_eq!(Step::value_variants(), Step::ALL);
        assert!(Step::ALL.iter().all(|step| !step.about().is_empty()));
    }

    #[test]
    fn a_step_needs_only_what_ran_before_it() {
        assert!(Step::ALL.iter().all(|step| step.needs() < Some(*step)));
    }
}
