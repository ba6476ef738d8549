//! Real `commonturf` processes on this machine, driven as a person drives them: by the command line.
//!
//! The demo, process tests and benchmarks use this. A [`Node`] owns the process that it started and
//! ends it when dropped; its directory belongs to the caller. Nothing here knows what a command means.

mod coalition;
mod hand;
mod port;
mod program;
mod settled;

pub use coalition::{Member, bring_together, entrust, found, found_quietly};
pub use hand::Hand;
pub use program::Program;
pub use settled::{Standing, quiet, settled};

use anyhow::{Context, Result, bail, ensure};
use port::Port;
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::process::Child;

/// How long a node may take until its desk answers, on a busy machine.
const START: Duration = Duration::from_secs(60);
/// How long a node may take to end when asked: a little more than it gives its own tasks.
const STOP: Duration = Duration::from_secs(25);
/// How long one command may take: a million rows on a busy machine.
const COMMAND: Duration = Duration::from_secs(3_600);
/// How long to pause between two looks at something that is awaited.
const LOOK: Duration = Duration::from_millis(50);
/// How many of the last lines of a log stand in an error.
const LOG_LINES: usize = 12;

/// A command that did not do what it was asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Refused {
    /// 2 for wrong use, 1 for a refusal or failure, -1 when a signal ended the command.
    pub exit: i32,
    /// What it printed: a problem (RFC 9457) when the node refused, else `code` and `detail`.
    pub problem: Value,
}

impl Refused {
    /// The problem's code, such as `not-party`; empty where it has none.
    #[must_use]
    pub fn code(&self) -> &str {
        self.problem["code"].as_str().unwrap_or_default()
    }

    fn without_answer(code: &str, detail: impl std::fmt::Display) -> Self {
        Self {
            exit: -1,
            problem: json!({ "code": code, "detail": detail.to_string() }),
        }
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |field: &str| self.problem[field].as_str().unwrap_or_default();
        let words = [text("title"), text("detail")];
        let words: Vec<&str> = words.into_iter().filter(|text| !text.is_empty()).collect();
        write!(f, "exit {}: {}", self.exit, words.join(": "))
    }
}

impl std::error::Error for Refused {}

/// Who a node works for, and whether it keeps logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Organization<'a> {
    /// The organization's name.
    pub name: &'a str,
    /// Its kind, as `init --kind` takes it.
    pub kind: &'a str,
    /// Whether it gets a federation listener, so that it can found a coalition and keep its log.
    pub keeper: bool,
}

/// One node: a directory, two ports and, while it runs, a process.
#[derive(Debug)]
pub struct Node {
    program: Program,
    name: String,
    dir: PathBuf,
    log: PathBuf,
    desk: Port,
    federation: Option<Port>,
    child: Option<Child>,
}

impl Node {
    /// Makes a node in a directory that does not exist yet (`commonturf init`); it does not run yet.
    ///
    /// The log of the process stands beside the directory, in `DIR.log`.
    ///
    /// # Errors
    /// When no port is free, or `init` refuses.
    pub async fn make(program: &Program, dir: &Path, who: Organization<'_>) -> Result<Self> {
        Self::make_behind(program, dir, who, None).await
    }

    /// Makes a node whose members reach it at another address, which leads to its listener.
    ///
    /// # Errors
    /// As [`Node::make`].
    pub async fn make_behind(
        program: &Program,
        dir: &Path,
        who: Organization<'_>,
        front: Option<&str>,
    ) -> Result<Self> {
        let node = Self {
            program: program.clone(),
            name: who.name.to_owned(),
            dir: dir.to_owned(),
            log: dir.with_extension("log"),
            desk: Port::free()?,
            federation: who.keeper.then(Port::free).transpose()?,
            child: None,
        };
        let desk = node.desk.address();
        let mut words = vec!["init", "--name", who.name, "--kind", who.kind];
        words.extend(["--desk", &desk]);
        let federation = node.federation.as_ref().map(Port::address);
        let own = federation
            .as_ref()
            .map(|address| format!("http://{address}"));
        let public = own.map(|own| front.map_or(own, str::to_owned));
        if let (Some(address), Some(url)) = (&federation, &public) {
            words.extend(["--federation", address, "--public-url", url]);
        }
        node.run(&words)
            .await
            .with_context(|| format!("cannot make the node of {}", who.name))?;
        Ok(node)
    }

    /// Makes a node and starts it.
    ///
    /// # Errors
    /// As [`Node::make`] and [`Node::start`].
    pub async fn launch(program: &Program, dir: &Path, who: Organization<'_>) -> Result<Self> {
        let mut node = Self::make(program, dir, who).await?;
        node.start().await?;
        Ok(node)
    }

    /// The organization's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The node's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The file with everything that the process wrote, over all its lives.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The desk's address, such as `http://127.0.0.1:20310`.
    #[must_use]
    pub fn desk(&self) -> String {
        format!("http://{}", self.desk.address())
    }

    /// The address of this keeper's own listener; none where it keeps nothing.
    #[must_use]
    pub fn federation(&self) -> Option<String> {
        let port = self.federation.as_ref()?;
        Some(format!("http://{}", port.address()))
    }

    /// The process, while one runs.
    #[must_use]
    pub fn process(&self) -> Option<u32> {
        self.child.as_ref().and_then(Child::id)
    }

    /// Starts the process and returns once its desk answers; does nothing when it runs already.
    ///
    /// # Errors
    /// When it ends at once or does not answer in time; the end of its log is in the message.
    pub async fn start(&mut self) -> Result<()> {
        if self.child.is_some() {
            return Ok(());
        }
        self.desk.leave();
        if let Some(port) = &mut self.federation {
            port.leave();
        }
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(&self.log);
        let log = log.with_context(|| format!("cannot write {}", self.log.display()))?;
        let mut command = self.hand().command(&["serve"]);
        // A group of its own: Ctrl-C reaches the one who started it, who then ends it in order.
        command.process_group(0);
        command.stdout(log.try_clone()?).stderr(log);
        let child = command.spawn().context("cannot start a node")?;
        self.child = Some(child);
        let answered = tokio::time::timeout(START, self.answers()).await;
        let problem = match answered {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => format!("{error:#}"),
            Err(_) => format!("its desk did not answer within {} seconds", START.as_secs()),
        };
        let words = self.last_words();
        self.kill().await?;
        bail!(
            "the node of {} did not start: {problem}\n{words}",
            self.name
        )
    }

    async fn answers(&mut self) -> Result<()> {
        let client = crate::ambient::http_client()?;
        let url = format!("{}/healthz", self.desk());
        let child = self.child.as_mut().context("it was not started")?;
        loop {
            if let Some(status) = child.try_wait()? {
                bail!("it ended with {status}");
            }
            if client
                .get(&url)
                .send()
                .await
                .is_ok_and(|answer| answer.status().is_success())
            {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
    }

    /// Asks the process to end (SIGTERM) and waits for it; does nothing when none runs.
    ///
    /// # Errors
    /// When it did not end in time and had to be killed, or ended with a failure.
    pub async fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        crate::child::ask_to_end(&child);
        match tokio::time::timeout(STOP, child.wait()).await {
            Ok(status) => {
                let status = status?;
                ensure!(
                    status.success(),
                    "the node of {} ended with {status}:\n{}",
                    self.name,
                    self.last_words()
                );
                Ok(())
            }
            Err(_) => {
                child.kill().await?;
                bail!(
                    "the node of {} did not end when asked and was killed",
                    self.name
                )
            }
        }
    }

    /// Ends the process at once (SIGKILL), as a power cut does; does nothing when none runs.
    ///
    /// # Errors
    /// When the system refuses.
    pub async fn kill(&mut self) -> Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().await.context("cannot kill a node")?;
        }
        Ok(())
    }

    /// Stops the process and starts it again.
    ///
    /// # Errors
    /// As [`Node::stop`] and [`Node::start`].
    pub async fn restart(&mut self) -> Result<()> {
        self.stop().await?;
        self.start().await
    }

    /// What runs this node's commands, also while somebody else ends and starts its process.
    #[must_use]
    pub fn hand(&self) -> Hand {
        Hand::new(self.program.clone(), self.dir.clone())
    }

    /// Runs a command of this node with `--json` and returns what it answers.
    ///
    /// # Errors
    /// [`Refused`] when the command ends with anything but 0, or does not end, or answers no JSON.
    pub async fn run<S: AsRef<OsStr>>(&self, words: &[S]) -> Result<Value, Refused> {
        self.hand().run(words, COMMAND).await
    }

    /// Runs a command until its answer is as wished, and returns what `wished` makes of it.
    ///
    /// # Errors
    /// When the command is refused, or `deadline` passes; `what` and the last answer are in the message.
    pub async fn until<T>(
        &self,
        what: &str,
        deadline: Duration,
        words: &[&str],
        mut wished: impl FnMut(&Value) -> Option<T>,
    ) -> Result<T> {
        let mut last = Value::Null;
        let looking = async {
            loop {
                last = self.run(words).await?;
                if let Some(found) = wished(&last) {
                    return Ok(found);
                }
                tokio::time::sleep(LOOK).await;
            }
        };
        let found: Result<Result<T, Refused>, _> = tokio::time::timeout(deadline, looking).await;
        match found {
            Ok(found) => found.with_context(|| format!("{}: waiting until {what}", self.name)),
            Err(_) => bail!(
                "{}: waited {} seconds until {what}; the last answer of `{}` was {last}",
                self.name,
                deadline.as_secs(),
                words.join(" ")
            ),
        }
    }
}

/// Stops several nodes at once.
///
/// # Errors
/// The first that did not end as it should; the others are stopped all the same.
pub async fn stop_all(nodes: &mut [Node]) -> Result<()> {
    let ended = futures_util::future::join_all(nodes.iter_mut().map(Node::stop)).await;
    ended.into_iter().collect()
}
