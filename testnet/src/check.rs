//! `cargo testnet check`: everything that must hold before a change is merged, the same for
//! people and for automatic builds.

mod audit;
pub(crate) mod cargo;
pub mod migrations;
mod report;
mod step;
mod suite;

use crate::child::{self, Interrupt, Interrupted};
use crate::{generated, setup};
use anyhow::{Result, ensure};
use report::{Outcome, Report};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Instant;
pub use step::Step;
use suite::Suite;

/// The exit code that shells expect after Ctrl-C.
const INTERRUPTED: u8 = 130;

/// `cargo testnet check`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// Print the results as one JSON document on standard output, everything else on standard error.
    #[arg(long)]
    json: bool,
    /// Run these steps only (several names, or the option several times).
    #[arg(long, value_enum, num_args = 1.., value_name = "STEP")]
    only: Vec<Step>,
    /// Print the steps and what each does, and run none.
    #[arg(long)]
    list: bool,
}

/// Runs the chosen steps in order, each also after another failed unless it builds on that one.
///
/// # Errors
/// When no signal can be listened for; a failing step is an exit code, not an error.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    if arguments.list {
        report::list();
        return Ok(ExitCode::SUCCESS);
    }
    let mut check = Check {
        root: crate::workspace(),
        json: arguments.json,
        interrupt: Interrupt::listen()?,
        suite: None,
    };
    let chosen = Step::ALL
        .into_iter()
        .filter(|step| arguments.only.is_empty() || arguments.only.contains(step))
        .collect::<Vec<_>>();
    let mut report = Report::new(chosen.len(), arguments.json);
    for step in chosen {
        if let Some(broken) = step.needs().filter(|needed| report.failed(*needed)) {
            report.skip(step, broken);
            continue;
        }
        report.begin(step);
        let begun = now();
        let ended = check.perform(step).await;
        let interrupted = ended.as_ref().is_err_and(|error| error.is::<Interrupted>());
        report.end(step, Outcome::from(ended), begun.elapsed());
        if interrupted {
            report.close(None);
            return Ok(ExitCode::from(INTERRUPTED));
        }
    }
    Ok(if report.close(check.suite.as_ref()) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// One run of the check.
struct Check {
    root: &'static Path,
    json: bool,
    interrupt: Interrupt,
    /// What the test runner said at its end, when it ran.
    suite: Option<Suite>,
}

impl Check {
    /// Does one step; what it has to say beside "passed" is the result.
    async fn perform(&mut self, step: Step) -> Result<String> {
        let shape = cargo::SHAPE;
        match step {
            Step::Packages => {
                let found = setup::ensure_packages(self.json, &mut self.interrupt).await?;
                setup::ensure_components(self.json, &mut self.interrupt).await?;
                Ok(found)
            }
            Step::Format => {
                let arguments = ["fmt", "--all", "--", "--check", "--files-with-diff"];
                let remedy = "the files above are not formatted. Run: cargo fmt --all";
                self.cargo(&arguments, &[], remedy).await
            }
            Step::Migrations => migrations::check(self.root),
            Step::Generated => self.generated(),
            Step::Dependencies => audit::run(self.json, &mut self.interrupt).await,
            Step::Lints => {
                let arguments = [&["clippy"], &shape[..], &["--", "--deny", "warnings"]].concat();
                self.cargo(&arguments, &[], "see the warnings above").await
            }
            Step::Build => {
                self.cargo(
                    &[&["build"], &shape[..]].concat(),
                    &[],
                    "see the errors above",
                )
                .await
            }
            Step::Doctests => {
                self.cargo(
                    &["test", "--doc", "--workspace", "--locked"],
                    &[],
                    "see the failures above",
                )
                .await
            }
            Step::Docs => {
                let arguments = ["doc", "--workspace", "--no-deps", "--locked"];
                self.cargo(
                    &arguments,
                    &[("RUSTDOCFLAGS", "-D warnings")],
                    "see the warnings above",
                )
                .await
            }
            Step::Tests => {
                let suite = Suite::run(self.json, &mut self.interrupt).await?;
                let ended = suite.verdict();
                self.suite = Some(suite);
                ended
            }
        }
    }

    /// Runs one cargo command that passes or fails; `remedy` is what to do then.
    async fn cargo(
        &mut self,
        arguments: &[&str],
        environment: &[(&str, &str)],
        remedy: &str,
    ) -> Result<String> {
        let mut command: Command = cargo::cargo();
        command.args(arguments).envs(environment.iter().copied());
        let status = child::run(command, self.json, &mut self.interrupt).await?;
        ensure!(status.success(), "{remedy}");
        Ok(String::new())
    }

    fn generated(&self) -> Result<String> {
        let stale = generated::stale(self.root, generated::FILES)?;
        ensure!(
            stale.is_empty(),
            "stale: {}. Run: cargo testnet generate",
            stale.join(", ")
        );
        Ok(format!("{} fresh", generated::FILES.len()))
    }
}

/// The present, for the time that a step took and for nothing that is decided.
fn now() -> Instant {
    #[expect(
        clippy::disallowed_methods,
        reason = "a stopwatch for people; there is no log here to take the time from"
    )]
    Instant::now()
}
