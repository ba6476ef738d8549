//! A PostgreSQL cluster for tests: installed binaries, a temporary folder, a socket, nothing durable.

use crate::child::{self, Interrupt};
use crate::setup::{self, is_root};
use anyhow::{Context, Result, bail, ensure};
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

/// The environment variable by which tests learn of the cluster: the URL of a superuser's
/// database, who may create more of them.
pub const VARIABLE: &str = "COMMONTURF_TEST_POSTGRES";

/// Settings of a cluster that is thrown away: it loses everything in a power cut, and is fast.
const SETTINGS: &str = "
listen_addresses = ''
max_connections = 200
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum_naptime = '1h'
";

/// `cargo testnet postgres`.
#[derive(clap::Args, Debug)]
pub struct Arguments {
    /// The command and its arguments; COMMONTURF_TEST_POSTGRES is set for it.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// Runs a command with a cluster at its side and returns the command's exit code.
///
/// # Errors
/// When the cluster or the command does not start, or a signal ended them.
pub async fn run(arguments: Arguments) -> Result<ExitCode> {
    let mut interrupt = Interrupt::listen()?;
    let cluster = Cluster::start()?;
    let (program, rest) = arguments.command.split_first().context("name a command")?;
    let mut command = Command::new(program);
    command.args(rest).env(VARIABLE, cluster.url("postgres"));
    let status = child::run(command, false, &mut interrupt).await?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// A running cluster, stopped and deleted when dropped.
#[derive(Debug)]
pub struct Cluster {
    folder: tempfile::TempDir,
}

impl Cluster {
    /// Makes a cluster in a temporary folder and starts it; takes about two seconds.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start; its own words are in the message.
    pub fn start() -> Result<Self> {
        // The user `postgres` must reach the folder, and a socket's path holds 107 bytes.
        let parent = if is_root() {
            PathBuf::from("/tmp")
        } else {
            std::env::temp_dir()
        };
        let folder = tempfile::Builder::new()
            .prefix("commonturf-pg-")
            .tempdir_in(parent)?;
        give_to_postgres(folder.path())?;
        let cluster = Self { folder };
        let data = cluster.data();
        let mut initdb = cluster.command("initdb")?;
        initdb.args([
            "--auth=trust",
            "--no-sync",
            "--username=postgres",
            "--encoding=UTF8",
            "--locale=C",
        ]);
        finish(initdb.arg("--pgdata").arg(&data), "initdb")?;

        let settings = data.join("postgresql.conf");
        let before =
            std::fs::read_to_string(&settings).context("cannot read PostgreSQL's settings")?;
        let socket = cluster.folder.path().display();
        std::fs::write(
            &settings,
            format!("{before}{SETTINGS}unix_socket_directories = '{socket}'\n"),
        )?;

        let log = cluster.folder.path().join("log");
        let mut start = cluster.command("pg_ctl")?;
        start
            .args(["start", "--silent", "--wait"])
            .arg("--pgdata")
            .arg(&data)
            .arg("--log")
            .arg(&log);
        finish(&mut start, "pg_ctl start")
            .with_context(|| std::fs::read_to_string(&log).unwrap_or_default())?;
        Ok(cluster)
    }

    /// The URL of a database in the cluster, as its superuser. `postgres` exists from the start.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://postgres@localhost/{database}?host={}",
            self.folder.path().display()
        )
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// One of PostgreSQL's programs, as a user that it accepts: it refuses root.
    fn command(&self, name: &str) -> Result<Command> {
        let file = program(name)?;
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command
                .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                .arg(file);
            command
        } else {
            Command::new(file)
        };
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        Ok(command)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Ok(mut stop) = self.command("pg_ctl") {
            stop.args(["stop", "--silent", "--mode=immediate", "--wait"])
                .arg("--pgdata")
                .arg(self.data());
            // A cluster that never started cannot be stopped, and has nothing to lose.
            drop(stop.output());
        }
    }
}

/// Finds one of PostgreSQL's server programs: in the folder `PG_BIN`, where `pg_config` says, or
/// in the newest version below `/usr/lib/postgresql`.
///
/// # Errors
/// When none of these holds it.
pub fn program(name: &str) -> Result<PathBuf> {
    let named = std::env::var_os("PG_BIN").map(PathBuf::from);
    let configured = || {
        let output = Command::new("pg_config")
            .arg("--bindir")
            .stdin(Stdio::null())
            .output()
            .ok()?;
        output
            .status
            .success()
            .then(|| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()))
    };
    let places = named
        .into_iter()
        .chain(configured())
        .chain(installed(Path::new("/usr/lib/postgresql")));
    places.map(|folder| folder.join(name)).find(|file| file.is_file()).with_context(|| {
        format!("PostgreSQL's {name} is not installed; `cargo testnet check --only packages` says what to do")
    })
}

/// The program folders of each installed version, newest first.
fn installed(parent: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).into_iter().flatten().flatten();
    let mut versions = entries
        .filter_map(|entry| {
            Some((
                entry.file_name().to_str()?.parse::<u32>().ok()?,
                entry.path().join("bin"),
            ))
        })
        .collect::<Vec<_>>();
    versions.sort();
    versions
        .into_iter()
        .rev()
        .map(|(_, folder)| folder)
        .collect()
}

/// As root, makes `postgres` the owner of a folder.
fn give_to_postgres(folder: &Path) -> Result<()> {
    std::fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    if !is_root() {
        return Ok(());
    }
    ensure!(
        setup::program("setpriv").is_some(),
        "setpriv is missing; install the package util-linux"
    );
    // The owner is named, not numbered: `chown` looks the name up in whatever directory the system uses.
    let status = Command::new("chown")
        .arg("postgres:postgres")
        .arg(folder)
        .stdin(Stdio::null())
        .status()?;
    let owned = std::fs::metadata(folder)?.uid() != 0;
    ensure!(
        status.success() && owned,
        "the user postgres does not exist; the package postgresql makes it"
    );
    Ok(())
}

fn finish(command: &mut Command, name: &str) -> Result<()> {
    let output = command
        .output()
        .with_context(|| format!("cannot start {name}"))?;
    if !output.status.success() {
        let words = [output.stdout, output.stderr]
            .map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned());
        bail!("{name} failed: {}", words.join("\n").trim());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_installed_version_comes_first_by_number() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["9", "15", "16", "notes"] {
            std::fs::create_dir(parent.path().join(name)).unwrap();
        }
        let found = installed(parent.path());
        let expected = ["16/bin", "15/bin", "9/bin"].map(|name| parent.path().join(name));
        assert_eq!(found, expected);
    }
}
