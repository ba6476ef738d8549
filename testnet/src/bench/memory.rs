//! Resident memory of nodes that have nothing to do.

use super::{
    measure::{resident_mb, rounded},
    table,
};
use crate::nodes::{Member, Organization, Program};
use anyhow::{Context, Result, ensure};
use commonturf::config::NodeDir;
use serde_json::{Map, Value, json};
use std::{path::Path, process::Stdio, time::Duration};
use tokio::process::{Child, Command};

/// How long the nodes are left alone before their memory is read.
const SETTLE: Duration = Duration::from_secs(10);

/// A keeper and a member of a coalition of so many, with empty lists, after a while of silence.
///
/// # Errors
/// When the nodes cannot be run.
pub async fn run(members: usize) -> Result<Map<String, Value>> {
    ensure!(members > 1, "a coalition has a keeper and a member");
    let program = Program::build().await?;
    let directory = tempfile::tempdir()?;
    let last = members - 1;
    join(directory.path(), members).await?;
    let mut figures = Map::new();
    figures.insert("members".to_owned(), json!(members));
    let mut nodes = Vec::new();
    for n in [0, last] {
        let NodeDir(dir) = table::directory(directory.path(), n);
        nodes.push(serve(&program, &dir)?);
    }
    tokio::time::sleep(SETTLE).await;
    for (node, name) in nodes.iter().zip(["keeper_idle_rss_mb", "idle_rss_mb"]) {
        let process = node.id().context("the node has ended")?;
        let megabytes = resident_mb(process).context("the system does not tell its memory")?;
        figures.insert(name.to_owned(), rounded(megabytes));
    }
    Ok(figures)
}

/// Runs the node of a directory; it ends with what this gives back.
fn serve(program: &Program, dir: &Path) -> Result<Child> {
    let mut command = Command::new(program.path());
    command.arg("--node").arg(dir).arg("serve");
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.kill_on_drop(true).spawn();
    child.context("cannot start a node")
}

/// Brings so many into one coalition; of those between the first and the last nobody goes on.
async fn join(below: &Path, members: usize) -> Result<()> {
    let founder = table::start(below, 0, true).await?;
    table::found(&founder).await?;
    for n in 1..members {
        let newcomer = table::start(below, n, false).await?;
        table::let_in(&founder, &newcomer).await?;
        table::stop(newcomer).await;
    }
    table::stop(founder).await;
    Ok(())
}

/// A member of a coalition that exists for a measurement.
pub(super) fn member(slug: &'static str, keeper: bool) -> Member<'static> {
    Member {
        slug,
        who: Organization {
            name: slug,
            kind: "c4",
            keeper,
        },
    }
}
