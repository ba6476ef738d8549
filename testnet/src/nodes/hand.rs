//! What types a node's commands: it needs the node's directory, not its process.

use super::{Program, Refused};
use serde_json::{Value, json};
use std::{ffi::OsStr, path::PathBuf, process::Stdio, time::Duration};
use tokio::process::Command;

/// The commands of one node, whoever runs there meanwhile.
#[derive(Debug, Clone)]
pub struct Hand {
    program: Program,
    dir: PathBuf,
}

impl Hand {
    /// What types the commands of the node in a directory.
    #[must_use]
    pub fn new(program: Program, dir: PathBuf) -> Self {
        Self { program, dir }
    }

    /// Runs a command with `--json` and returns what it answers; one that takes longer is given up.
    ///
    /// # Errors
    /// [`Refused`] when the command ends with anything but 0, or does not end, or answers no JSON.
    pub async fn run<S: AsRef<OsStr>>(
        &self,
        words: &[S],
        patience: Duration,
    ) -> Result<Value, Refused> {
        let ended = tokio::time::timeout(patience, self.command(words).output()).await;
        let output = match ended {
            Ok(Ok(output)) => output,
            Ok(Err(error)) => return Err(Refused::without_answer("cannot-start", error)),
            Err(_) => {
                let detail = format!("no answer within {} seconds", patience.as_secs());
                return Err(Refused::without_answer("too-slow", detail));
            }
        };
        let exit = output.status.code().unwrap_or(-1);
        if exit != 0 {
            let text = String::from_utf8_lossy(&output.stderr);
            let problem = serde_json::from_str(text.trim())
                .unwrap_or_else(|_| json!({ "code": "text", "detail": text.trim() }));
            return Err(Refused { exit, problem });
        }
        if output.stdout.trim_ascii().is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&output.stdout).map_err(|error| Refused {
            exit,
            problem: json!({ "code": "no-json", "detail": format!("the answer is no JSON: {error}") }),
        })
    }

    pub(super) fn command<S: AsRef<OsStr>>(&self, words: &[S]) -> Command {
        let mut command = Command::new(self.program.path());
        command
            .arg("--node")
            .arg(&self.dir)
            .arg("--json")
            .args(words);
        // What the caller's shell says about another node is not meant for this one.
        command
            .env_remove("COMMONTURF_NODE")
            .env_remove("COMMONTURF_NODE_KEY");
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }
}
