//! Programs that a command starts: their output passes through, and a signal ends them before us.

use anyhow::{Context, Result, bail};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long a program may take to end after it was asked to.
const GRACE: Duration = Duration::from_secs(10);

/// How long output may still come from what a program left behind after it ended.
const DRAIN: Duration = Duration::from_secs(5);

/// The request to end: Ctrl-C, SIGTERM or SIGHUP. Once listening, no signal ends us without
/// giving what we started the time to be stopped.
pub(crate) struct Interrupt {
    keyboard: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Interrupt {
    /// Listens from now on.
    pub(crate) fn listen() -> Result<Self> {
        Ok(Self {
            keyboard: signal(SignalKind::interrupt()).context("cannot listen for Ctrl-C")?,
            terminate: signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?,
            hangup: signal(SignalKind::hangup()).context("cannot listen for SIGHUP")?,
        })
    }

    /// Returns when a signal has come; one that came before the call counts.
    pub(crate) async fn arrived(&mut self) {
        tokio::select! {
            _ = self.keyboard.recv() => (),
            _ = self.terminate.recv() => (),
            _ = self.hangup.recv() => (),
        }
    }
}

/// A signal ended the work.
#[derive(Debug)]
pub(crate) struct Interrupted;

impl std::fmt::Display for Interrupted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// Runs a program that writes straight to our output; `quiet_stdout` sends its standard output
/// to standard error, for callers whose own standard output is a document.
pub(crate) async fn run(
    command: Command,
    quiet_stdout: bool,
    interrupt: &mut Interrupt,
) -> Result<ExitStatus> {
    let mut command = command;
    if quiet_stdout {
        command.stdout(Stdio::from(std::io::stderr()));
    }
    let mut child = spawn(command)?;
    tokio::select! {
        status = child.wait() => Ok(status?),
        () = interrupt.arrived() => {
            end(&mut child).await;
            bail!(Interrupted)
        }
    }
}

/// Runs a program, passes its output on to standard error line by line, and shows each line to
/// `observe`.
pub(crate) async fn watch(
    mut command: Command,
    interrupt: &mut Interrupt,
    mut observe: impl FnMut(&str),
) -> Result<ExitStatus> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = spawn(command)?;
    let mut out = BufReader::new(child.stdout.take().context("no standard output")?).split(b'\n');
    let mut err = BufReader::new(child.stderr.take().context("no standard error")?).split(b'\n');
    let (mut out_open, mut err_open) = (true, true);
    let mut status = None;
    while status.is_none() || out_open || err_open {
        let line = tokio::select! {
            line = out.next_segment(), if out_open => { let line = line?; out_open = line.is_some(); line }
            line = err.next_segment(), if err_open => { let line = line?; err_open = line.is_some(); line }
            ended = child.wait(), if status.is_none() => { status = Some(ended?); None }
            // Something that the program left behind keeps the pipes open: it is not waited for.
            () = tokio::time::sleep(DRAIN), if status.is_some() => break,
            () = interrupt.arrived() => {
                end(&mut child).await;
                bail!(Interrupted)
            }
        };
        if let Some(line) = line {
            let line = String::from_utf8_lossy(&line);
            #[expect(clippy::print_stderr, reason = "the program's output passes through")]
            {
                eprintln!("{line}");
            }
            observe(&line);
        }
    }
    status.context("the program did not end")
}

fn spawn(mut command: Command) -> Result<Child> {
    command.stdin(Stdio::null());
    let name = command.get_program().to_string_lossy().into_owned();
    tokio::process::Command::from(command)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {name}"))
}

/// Asks a program to end, and ends it when it does not. A Ctrl-C has reached it already: a second
/// request does no harm.
async fn end(child: &mut Child) {
    let asked = ask_to_end(child);
    let waited = tokio::time::timeout(GRACE, child.wait()).await;
    if !asked || waited.is_err() {
        // It is gone already, or goes now: nothing is left to do in either case.
        drop(child.kill().await);
    }
}

/// Sends a program SIGTERM; false when it could not be sent, and when it ended already.
pub(crate) fn ask_to_end(child: &Child) -> bool {
    let Some(id) = child.id() else { return false };
    // The shell's own `kill`: the program of that name is not installed everywhere.
    let mut kill = Command::new("sh");
    kill.args(["-c", "kill -TERM \"$1\"", "sh", &id.to_string()]);
    kill.status().is_ok_and(|status| status.success())
}
