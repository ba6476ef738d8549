//! Licences, banned crates and sources of the dependencies, by cargo-deny under `.deny.toml`.

use super::cargo::{cargo, install};
use crate::child::{self, Interrupt};
use crate::setup::answers;
use anyhow::{Result, ensure};

/// The version that is installed when there is none.
const VERSION: &str = "0.20.2";

/// Runs cargo-deny, and installs it before when it is missing.
pub(super) async fn run(quiet_stdout: bool, interrupt: &mut Interrupt) -> Result<String> {
    if !answers(cargo().args(["deny", "--version"])) {
        let status = child::run(install("cargo-deny", VERSION), quiet_stdout, interrupt).await?;
        ensure!(
            status.success(),
            "cargo-deny could not be installed. Run: cargo install cargo-deny --locked --version {VERSION}"
        );
    }
    // Licences are read from the sources. When the network is away they may still all be here.
    let mut fetch = cargo();
    fetch.args(["fetch", "--quiet", "--locked"]);
    let fetched = child::run(fetch, quiet_stdout, interrupt).await?.success();

    let mut deny = cargo();
    deny.args(["deny", "--config", ".deny.toml", "--log-level", "error"]);
    deny.args(["--offline", "check", "licenses", "bans", "sources"]);
    let status = child::run(deny, quiet_stdout, interrupt).await?;
    ensure!(
        status.success(),
        "a dependency breaks .deny.toml; see above"
    );
    Ok(if fetched {
        String::new()
    } else {
        "without network".into()
    })
}
