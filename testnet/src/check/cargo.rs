//! How the check calls cargo: always in the same shape, so that nothing is built twice.

use std::process::Command;

/// The selection that lints, build and tests share; another one would turn on other features of
/// the dependencies and compile them again.
pub(crate) const SHAPE: [&str; 3] = ["--workspace", "--all-targets", "--locked"];

/// Variables that `cargo run` sets for the program it starts. Build scripts watch some of them
/// (ring's does), so a cargo that inherited them would compile what has not changed.
const OF_THE_CALLER: [&str; 4] = [
    "CARGO_PKG_",
    "CARGO_MANIFEST_",
    "CARGO_BIN_",
    "CARGO_CRATE_",
];

/// The cargo that started us, or the one on the path, in the workspace's folder.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(crate::workspace());
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|name| OF_THE_CALLER.iter().any(|prefix| name.starts_with(prefix)))
        {
            command.env_remove(name);
        }
    }
    command
}

/// Cargo for installing a tool: outside the workspace's target folder, which it would fill, and
/// without the optimization of the tool's own releases, which costs more here than it saves.
pub(crate) fn install(tool: &str, version: &str) -> Command {
    let mut command = cargo();
    command
        .args(["install", tool, "--locked", "--version", version])
        .env_remove("CARGO_TARGET_DIR")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
    command
}
