//! What the check prints: a heading per step, a table at the end, the test runner's last words.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the report is for the person who asked"
)]

use super::step::Step;
use super::suite::Suite;
use std::time::Duration;

/// How much of a note the table shows; the whole stands where the step ended.
const NOTE: usize = 90;

/// How a step ended, and what it said.
#[derive(Debug)]
pub(super) enum Outcome {
    /// As it should.
    Passed(String),
    /// Not so; the reason is a sentence or several lines.
    Failed(String),
    /// Not begun, because a step that it builds on failed.
    NotRun(Step),
}

impl From<anyhow::Result<String>> for Outcome {
    fn from(ended: anyhow::Result<String>) -> Self {
        match ended {
            Ok(note) => Self::Passed(note),
            Err(error) => Self::Failed(format!("{error:#}")),
        }
    }
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Passed(_) => "passed",
            Self::Failed(_) => "FAILED",
            Self::NotRun(_) => "not run",
        }
    }

    fn note(&self) -> String {
        match self {
            Self::Passed(note) | Self::Failed(note) => note.clone(),
            Self::NotRun(broken) => format!("{} failed", broken.name()),
        }
    }
}

/// The steps so far.
pub(super) struct Report {
    chosen: usize,
    json: bool,
    rows: Vec<(Step, Outcome, Duration)>,
}

impl Report {
    pub(super) fn new(chosen: usize, json: bool) -> Self {
        Self {
            chosen,
            json,
            rows: Vec::new(),
        }
    }

    /// Whether a step ran, or should have run, and did not pass.
    pub(super) fn failed(&self, step: Step) -> bool {
        self.rows
            .iter()
            .any(|(done, outcome, _)| *done == step && !matches!(outcome, Outcome::Passed(_)))
    }

    pub(super) fn begin(&self, step: Step) {
        self.say(&format!(
            "\n[{}/{}] {}: {}",
            self.rows.len() + 1,
            self.chosen,
            step.name(),
            step.about()
        ));
    }

    pub(super) fn skip(&mut self, step: Step, broken: Step) {
        self.begin(step);
        self.end(step, Outcome::NotRun(broken), Duration::ZERO);
    }

    pub(super) fn end(&mut self, step: Step, outcome: Outcome, took: Duration) {
        let note = outcome.note();
        let colon = if note.is_empty() { "" } else { ": " };
        self.say(&format!(
            "{} {} in {}{colon}{note}",
            step.name(),
            outcome.word(),
            seconds(took)
        ));
        self.rows.push((step, outcome, took));
    }

    /// Prints the table, how to repeat what failed, and the runner's last lines as the very last;
    /// whether everything passed.
    pub(super) fn close(&self, suite: Option<&Suite>) -> bool {
        let passed = self.rows.len() == self.chosen
            && self.rows.iter().all(|(step, ..)| !self.failed(*step));
        self.say("\nstep          result    time");
        for (step, outcome, took) in &self.rows {
            let note = outcome.note();
            let note = note.lines().map(str::trim).collect::<Vec<_>>().join(" ");
            let note = note.chars().take(NOTE).collect::<String>();
            self.say(
                format!(
                    "{:<13} {:<8} {:>8}  {note}",
                    step.name(),
                    outcome.word(),
                    seconds(*took)
                )
                .trim_end(),
            );
        }
        for (step, ..) in self.rows.iter().filter(|(step, ..)| self.failed(*step)) {
            self.say(&format!(
                "again, alone: cargo testnet check --only {}",
                step.name()
            ));
        }
        self.say(if passed {
            "\nThe check passed."
        } else {
            "\nThe check FAILED."
        });
        if let Some(suite) = suite {
            suite.closing_lines().iter().for_each(|line| self.say(line));
            self.say(&suite.tally().unwrap_or_default());
        }
        if self.json {
            println!("{}", self.document(passed, suite));
        }
        passed
    }

    fn document(&self, passed: bool, suite: Option<&Suite>) -> serde_json::Value {
        let step = |(step, outcome, took): &(Step, Outcome, Duration)| {
            serde_json::json!({
                "step": step.name(),
                "result": outcome.word().to_lowercase(),
                "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                "note": outcome.note(),
            })
        };
        let tests = suite.map(|suite| {
            let (passed, failed) = suite.counts();
            serde_json::json!({ "passed": passed, "failed": failed })
        });
        let steps = self.rows.iter().map(step).collect::<Vec<_>>();
        serde_json::json!({ "passed": passed, "steps": steps, "tests": tests })
    }

    /// A line for people: to standard output, unless that is a document.
    fn say(&self, line: &str) {
        if self.json {
            eprintln!("{line}")
        } else {
            println!("{line}")
        }
    }
}

/// Prints the steps and what each does.
pub(super) fn list() {
    for step in Step::ALL {
        println!("{:<13} {}", step.name(), step.about());
    }
}

fn seconds(took: Duration) -> String {
    format!("{:.1} s", took.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_was_not_run_counts_as_failed() {
        let mut report = Report::new(2, true);
        report.end(Step::Build, Outcome::Failed("no".into()), Duration::ZERO);
        report.skip(Step::Tests, Step::Build);
        assert!(report.failed(Step::Tests));
        let document = report.document(report.close(None), None);
        assert_eq!(document["passed"], false);
        assert_eq!(document["steps"][1]["note"], "build failed");
    }

    #[test]
    fn a_check_that_ended_early_did_not_pass() {
        let mut report = Report::new(2, true);
        report.end(Step::Build, Outcome::Passed(String::new()), Duration::ZERO);
        assert!(!report.close(None));
    }
}
