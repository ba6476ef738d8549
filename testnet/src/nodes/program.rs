//! The program under test: built once, in the profile in which this program was built.

use crate::check::cargo;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::sync::OnceCell;

/// A built `commonturf`.
#[derive(Debug, Clone)]
pub struct Program(PathBuf);

static BUILT: OnceCell<Program> = OnceCell::const_new();

impl Program {
    /// Builds the program, once per process; a line on standard error says so.
    ///
    /// # Errors
    /// When cargo does not start or the build fails; cargo's own words went to standard error.
    pub async fn build() -> Result<Self> {
        BUILT.get_or_try_init(build).await.cloned()
    }

    /// A program that somebody else built.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }
}

async fn build() -> Result<Program> {
    #[expect(
        clippy::print_stderr,
        reason = "a build takes a while: the person should know"
    )]
    {
        eprintln!("Building the node: cargo build --package commonturf");
    }
    let mut command = cargo::cargo();
    // With this package beside it, cargo unites the features of dependencies as it did for the
    // program that runs now, and compiles none of them twice.
    command.args(["build", "--locked", "--bin", "commonturf"]);
    command.args(["--package", "commonturf", "--package", "commonturf-testnet"]);
    command.args(["--message-format", "json-render-diagnostics"]);
    command.args(["--profile", profile()]);
    if let Some(target) = target() {
        command.arg("--target-dir").arg(target);
    }
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    let mut command = tokio::process::Command::from(command);
    let output = command.kill_on_drop(true).stdout(Stdio::piped());
    let output = output.output().await.context("cannot start cargo")?;
    ensure!(
        output.status.success(),
        "cargo could not build the node; see above"
    );
    let file = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["target"]["name"] == "commonturf")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from));
    Ok(Program(file.context("cargo named no file that it built")?))
}

/// The profile of this program, by the optimization that it was built with.
fn profile() -> &'static str {
    if cfg!(debug_assertions) {
        "dev"
    } else {
        "release"
    }
}

/// The folder that this program was built into: what it needs of dependencies is built there already.
fn target() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let folder = program.parent()?;
    let folder = if folder.ends_with("deps") {
        folder.parent()?
    } else {
        folder
    };
    folder.parent().map(Path::to_owned)
}
