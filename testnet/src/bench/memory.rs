//! Resident memory of nodes that have nothing to do.

use super::measure::{resident_mb, rounded};
use crate::nodes::{Member, Organization, Program, found_quietly};
use anyhow::{Context, Result};
use serde_json::{Map, Value};
use std::time::Duration;

/// How long the nodes are left alone before their memory is read.
const SETTLE: Duration = Duration::from_secs(10);

/// A keeper and a member of one coalition, with empty lists, after a while of silence.
///
/// # Errors
/// When the nodes cannot be run.
pub async fn run() -> Result<Map<String, Value>> {
    let program = Program::build().await?;
    let directory = tempfile::tempdir()?;
    let members = [member("keeper", true), member("member", false)];
    let terms = "template:us-claims-only";
    let nodes = found_quietly(&program, directory.path(), &members, terms).await?;
    tokio::time::sleep(SETTLE).await;
    let mut figures = Map::new();
    for (node, name) in nodes.iter().zip(["keeper_idle_rss_mb", "idle_rss_mb"]) {
        let process = node.process().context("the node has ended")?;
        let megabytes = resident_mb(process).context("the system does not tell its memory")?;
        figures.insert(name.to_owned(), rounded(megabytes));
    }
    Ok(figures)
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
