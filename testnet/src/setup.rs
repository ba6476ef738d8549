//! What the machine must hold before the check can run, and how it gets there.

use crate::child::{self, Interrupt};
use crate::postgres;
use anyhow::{Result, bail, ensure};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A program of the system and the Debian package that brings it.
pub struct Need {
    /// The package.
    pub package: &'static str,
    /// What it is for.
    pub purpose: &'static str,
    find: fn() -> Option<PathBuf>,
    report_version: bool,
}

/// Everything that is not Rust.
pub const NEEDS: &[Need] = &[
    Need {
        package: "build-essential",
        purpose: "compiles the C of SQLite and ring",
        find: || program("cc"),
        report_version: false,
    },
    Need {
        package: "chromium",
        purpose: "opens the pages in tests",
        find: || program("chromium"),
        report_version: true,
    },
    Need {
        package: "chromium-driver",
        purpose: "steers the browser in tests",
        find: || program("chromedriver"),
        report_version: false,
    },
    Need {
        package: "postgresql",
        purpose: "the second database of the storage tests",
        find: || postgres::program("initdb").ok(),
        report_version: true,
    },
];

/// The needs that this machine does not meet.
#[must_use]
pub fn missing() -> Vec<&'static Need> {
    NEEDS
        .iter()
        .filter(|need| (need.find)().is_none())
        .collect()
}

/// Whether this process has root's rights.
#[must_use]
pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// The first program of that name on the path that can be run.
#[must_use]
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| {
            std::fs::metadata(file)
                .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
        })
}

/// Installs what is missing, as root; without root's rights, fails with the command to type.
/// Says what is there.
pub(crate) async fn ensure_packages(
    quiet_stdout: bool,
    interrupt: &mut Interrupt,
) -> Result<String> {
    let absent = missing();
    if !absent.is_empty() {
        install(&absent, quiet_stdout, interrupt).await?;
        let still = describe(&missing());
        ensure!(
            still.is_empty(),
            "apt-get reported success, but no program is found for:\n{still}\nLook at PATH."
        );
    }
    Ok(NEEDS.iter().map(found).collect::<Vec<_>>().join(", "))
}

/// Adds the parts of the Rust toolchain that a minimal one lacks.
pub(crate) async fn ensure_components(quiet_stdout: bool, interrupt: &mut Interrupt) -> Result<()> {
    for (tool, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if !answers(crate::check::cargo::cargo().args([tool, "--version"])) {
            let mut add = Command::new("rustup");
            add.args(["component", "add", component]);
            ensure!(
                child::run(add, quiet_stdout, interrupt)
                    .await
                    .is_ok_and(|status| status.success()),
                "cargo {tool} is missing and could not be added. Run: rustup component add {component}"
            );
        }
    }
    Ok(())
}

/// Whether a command runs and succeeds; its output goes nowhere.
pub(crate) fn answers(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

async fn install(absent: &[&Need], quiet_stdout: bool, interrupt: &mut Interrupt) -> Result<()> {
    let packages = absent.iter().map(|need| need.package).collect::<Vec<_>>();
    let advice = format!(
        "apt-get update && apt-get install --yes --no-install-recommends {}",
        packages.join(" ")
    );
    let missing = describe(absent);
    if program("apt-get").is_none() {
        bail!("Missing here:\n{missing}\nInstall what this system calls them (Debian: {advice}).");
    }
    if !is_root() {
        bail!("Missing here:\n{missing}\nRun as root: {advice}");
    }
    // A package list that cannot be renewed may still be good enough to install from.
    child::run(apt_get(&["update"]), quiet_stdout, interrupt).await?;
    let mut command = apt_get(&["install", "--yes", "--no-install-recommends"]);
    command.args(&packages);
    let status = child::run(command, quiet_stdout, interrupt).await?;
    ensure!(
        status.success(),
        "Missing here:\n{missing}\nInstalling failed; see above. Tried: {advice}"
    );
    Ok(())
}

fn apt_get(arguments: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command
        .arg("--quiet")
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn describe(needs: &[&Need]) -> String {
    needs
        .iter()
        .map(|need| format!("  {}: {}", need.package, need.purpose))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The package, and the version that its program states.
fn found(need: &Need) -> String {
    let version = (need.find)()
        .filter(|_| need.report_version)
        .and_then(|file| {
            let output = Command::new(file)
                .arg("--version")
                .stdin(Stdio::null())
                .output()
                .ok()?;
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            text.split_whitespace()
                .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
                .map(str::to_owned)
        });
    match version {
        Some(version) => format!("{} {version}", need.package),
        None => need.package.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_no_folder_holds_is_not_found() {
        assert!(program("sh").is_some());
        assert!(program("a-program-that-nobody-wrote").is_none());
    }

    #[test]
    fn what_is_missing_is_named_with_its_purpose() {
        let needs = NEEDS.iter().collect::<Vec<_>>();
        assert!(describe(&needs).contains("  chromium-driver: steers the browser in tests"));
    }
}
