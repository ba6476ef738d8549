//! The tests: by cargo-nextest, or by `cargo test` where that cannot be had.

use super::cargo::{SHAPE, cargo, install};
use crate::child::{self, Interrupt, Interrupted};
use crate::postgres::{Cluster, VARIABLE};
use crate::setup::answers;
use anyhow::{Result, ensure};

/// The version that is installed when there is none.
const NEXTEST: &str = "0.9.143";

/// How many closing lines are kept: a summary, and the names of what failed.
const CLOSING_LINES: usize = 200;

/// A finished run of all tests.
#[derive(Debug)]
pub(super) struct Suite {
    closing: Closing,
    success: bool,
}

impl Suite {
    /// Runs every test with a PostgreSQL cluster at its side.
    pub(super) async fn run(quiet_stdout: bool, interrupt: &mut Interrupt) -> Result<Self> {
        let nextest = has_nextest(quiet_stdout, interrupt).await?;
        let cluster = Cluster::start()?;
        let mut command = cargo();
        if nextest {
            command.args(["nextest", "run", "--profile", "ci", "--color", "never"]);
        } else {
            command.args(["test", "--no-fail-fast", "--color", "never"]);
        }
        command.args(SHAPE).env(VARIABLE, cluster.url("postgres"));
        let mut closing = Closing::default();
        let status = child::watch(command, interrupt, |line| closing.observe(line)).await?;
        Ok(Self {
            closing,
            success: status.success(),
        })
    }

    /// How many tests passed; an error when any failed or the runner did.
    pub(super) fn verdict(&self) -> Result<String> {
        ensure!(
            self.success,
            "{}",
            self.tally()
                .unwrap_or_else(|| "the test runner failed; see above".into())
        );
        ensure!(self.closing.passed > 0, "no test ran");
        Ok(self.tally().unwrap_or_default())
    }

    /// `N passed, N failed`, when the runner said so.
    pub(super) fn tally(&self) -> Option<String> {
        let Closing { passed, failed, .. } = self.closing;
        (passed + failed > 0).then(|| format!("{passed} passed, {failed} failed"))
    }

    /// Passed and failed tests.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.closing.passed, self.closing.failed)
    }

    /// The runner's own last lines, unchanged.
    pub(super) fn closing_lines(&self) -> &[String] {
        &self.closing.lines
    }
}

/// Whether cargo-nextest is there, after an attempt to install it.
async fn has_nextest(quiet_stdout: bool, interrupt: &mut Interrupt) -> Result<bool> {
    if answers(cargo().args(["nextest", "--version"])) {
        return Ok(true);
    }
    match child::run(install("cargo-nextest", NEXTEST), quiet_stdout, interrupt).await {
        Err(error) if error.is::<Interrupted>() => Err(error),
        installed => Ok(installed.is_ok_and(|status| status.success())),
    }
}

/// What the runner's lines say about its end.
#[derive(Debug, Default)]
struct Closing {
    lines: Vec<String>,
    passed: u64,
    failed: u64,
}

impl Closing {
    /// Takes the next line: nextest ends with one summary, `cargo test` states one per program.
    fn observe(&mut self, line: &str) {
        let first = line.split_whitespace().next();
        if first == Some("Summary") && line.contains("tests run:") {
            *self = Self::default();
            self.count(line);
            self.lines.push(line.to_owned());
        } else if line.starts_with("test result:") {
            self.count(line);
            self.lines.push(line.to_owned());
        } else if self
            .lines
            .first()
            .is_some_and(|line| line.contains("tests run:"))
        {
            self.lines.push(line.to_owned());
        }
        self.lines.truncate(CLOSING_LINES);
    }

    /// Adds the numbers before the words that runners use: `12 passed`, `1 failed`, `2 timed out`.
    fn count(&mut self, line: &str) {
        let words = line
            .split([' ', ';', ',', ':'])
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>();
        for pair in words.windows(2) {
            if let [number, word] = pair
                && let Ok(number) = number.parse::<u64>()
            {
                match *word {
                    "passed" => self.passed += number,
                    "failed" | "timed" | "exec" => self.failed += number,
                    _ => (),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(lines: &[&str]) -> Closing {
        let mut closing = Closing::default();
        lines.iter().for_each(|line| closing.observe(line));
        closing
    }

    #[test]
    fn the_summary_of_nextest_and_all_after_it_is_kept() {
        let failing = "     Summary [   0.4s] 9 tests run: 5 passed (1 slow), 3 failed, 1 timed out, 2 skipped";
        let closing = after(&[
            "PASS [ 0.1s] it a_summary",
            failing,
            "        FAIL [   0.1s] it a_name",
        ]);
        assert_eq!((closing.passed, closing.failed), (5, 4));
        assert_eq!(closing.lines, [failing, "        FAIL [   0.1s] it a_name"]);
    }

    #[test]
    fn the_results_of_several_programs_are_added() {
        let result =
            "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 7 filtered out";
        let closing = after(&["running 4 tests", result, "", result]);
        assert_eq!((closing.passed, closing.failed), (6, 2));
        assert_eq!(closing.lines, [result, result]);
    }

    #[test]
    fn a_runner_that_says_nothing_passed_nothing() {
        let silent = Suite {
            closing: after(&["error: no such profile"]),
            success: true,
        };
        assert_eq!(silent.verdict().unwrap_err().to_string(), "no test ran");
        assert_eq!(silent.tally(), None);
    }

    #[test]
    fn a_failing_runner_fails_whatever_it_printed() {
        let closing = after(&["     Summary [   0.4s] 5 tests run: 5 passed, 0 skipped"]);
        let verdict = Suite {
            closing,
            success: false,
        }
        .verdict();
        assert_eq!(verdict.unwrap_err().to_string(), "5 passed, 0 failed");
    }
}
