//! A real node process for a browser to look at.

use anyhow::{Context, Result, ensure};
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The program, built where this test was built.
fn program() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let profile = test
        .parent()
        .and_then(Path::parent)
        .context("the test lies in no target folder")?;
    let program = profile.join("commonturf");
    if !program.exists() {
        let status = Command::new("cargo")
            .args(["build", "--locked", "--package", "commonturf"])
            .current_dir(testnet::workspace())
            .status()?;
        ensure!(status.success(), "the program cannot be built");
    }
    Ok(program)
}

/// A port on which nothing listens now.
pub(super) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// A node that serves; it ends with this value.
pub(super) struct Node {
    folder: tempfile::TempDir,
    child: Child,
    /// The address of its desk, without a path.
    pub(super) desk: String,
    first_link: String,
}

impl Node {
    /// A node of an organization that keeps no log.
    pub(super) fn member(name: &str, kind: &str) -> Result<Self> {
        Self::start(name, kind, &[])
    }

    /// A node of an organization that can found a coalition.
    pub(super) fn keeper(name: &str, kind: &str) -> Result<Self> {
        let address = format!("127.0.0.1:{}", free_port()?);
        let url = format!("http://{address}");
        Self::start(
            name,
            kind,
            &["--federation", &address, "--public-url", &url],
        )
    }

    fn start(name: &str, kind: &str, more: &[&str]) -> Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("commonturf-page-")
            .tempdir()?;
        let desk = format!("127.0.0.1:{}", free_port()?);
        let node = folder.path().join("node");
        let status = Command::new(program()?)
            .arg("init")
            .arg("--node")
            .arg(&node)
            .args(["--name", name, "--kind", kind, "--desk", &desk])
            .args(more)
            .stdout(Stdio::null())
            .status()?;
        ensure!(status.success(), "the node cannot be made");
        let log = std::fs::File::create(folder.path().join("log"))?;
        let mut child = Command::new(program()?)
            .args(["--json", "serve", "--node"])
            .arg(&node)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let out = child.stdout.take().context("the node has no output")?;
        // The node says where it is once it listens: no other way to wait is needed.
        let mut said = String::new();
        for line in BufReader::new(out).lines() {
            let line = line?;
            said.push_str(&line);
            if line == "}" {
                break;
            }
        }
        let said: serde_json::Value = serde_json::from_str(&said).with_context(|| {
            std::fs::read_to_string(folder.path().join("log")).unwrap_or_default()
        })?;
        Ok(Self {
            folder,
            child,
            desk: format!("http://{desk}"),
            first_link: said["link"].as_str().unwrap_or_default().to_owned(),
        })
    }

    /// The link that the node printed when it started.
    pub(super) fn first_link(&self) -> &str {
        &self.first_link
    }

    /// A command as a person types it, and what it prints.
    pub(super) fn run(&self, arguments: &[&str]) -> Result<String> {
        let output = Command::new(program()?)
            .arg("--node")
            .arg(self.folder.path().join("node"))
            .args(arguments)
            .output()?;
        ensure!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8(output.stdout)?)
    }

    /// A command that asks a keeper which has just started: it refuses what was signed in the second
    /// of its start, because it does not know yet what it has seen before.
    pub(super) fn run_in_time(&self, arguments: &[&str]) -> Result<String> {
        for _ in 0..20 {
            if let Ok(said) = self.run(arguments) {
                return Ok(said);
            }
            Command::new("sleep").arg("0.2").status()?;
        }
        self.run(arguments)
    }

    /// A command whose answer is JSON.
    pub(super) fn json(&self, arguments: &[&str]) -> Result<serde_json::Value> {
        let mut all = vec!["--json"];
        all.extend(arguments);
        Ok(serde_json::from_str(&self.run(&all)?)?)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
