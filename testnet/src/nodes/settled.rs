//! Whether all nodes stand at one place of the log, and at one state there.

use super::Node;
use anyhow::{Context, Result, bail};
use serde::Serialize;
use std::time::Duration;

/// Nodes run their jobs every two seconds.
const QUIET: Duration = Duration::from_secs(3);

/// Where a node stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Standing {
    /// The organization.
    pub organization: String,
    /// The position up to which the node has folded.
    pub position: u64,
    /// The hash of the folded state there.
    pub state_hash: String,
    /// Entries of the node that have not come back yet.
    pub outbox: u64,
}

/// Waits until all nodes stand at one position with nothing left to say, and returns where each stands.
///
/// Equal positions are awaited, equal hashes are not: comparing those is the caller's own check.
///
/// # Errors
/// When a node does not answer, or the positions still differ after `deadline`.
pub async fn settled(nodes: &[&Node], deadline: Duration) -> Result<Vec<Standing>> {
    let mut last = Vec::new();
    let looking = async {
        loop {
            last =
                futures_util::future::try_join_all(nodes.iter().map(|node| standing(node))).await?;
            let first = last.first().map(|first| first.position);
            let equal = |node: &Standing| Some(node.position) == first && node.outbox == 0;
            if last.iter().all(equal) {
                return anyhow::Ok(());
            }
            tokio::time::sleep(super::LOOK).await;
        }
    };
    match tokio::time::timeout(deadline, looking).await {
        Ok(ended) => ended.map(|()| last),
        Err(_) => bail!(
            "after {} seconds the nodes still stand at different places of the log: {last:?}",
            deadline.as_secs()
        ),
    }
}

/// [`settled`], and nothing new for as long as the nodes' own jobs may wait before they speak again.
///
/// # Errors
/// As [`settled`].
pub async fn quiet(nodes: &[&Node], deadline: Duration) -> Result<Vec<Standing>> {
    let looking = async {
        let mut before = settled(nodes, deadline).await?;
        loop {
            tokio::time::sleep(QUIET).await;
            let now = settled(nodes, deadline).await?;
            if now == before {
                return Ok(now);
            }
            before = now;
        }
    };
    match tokio::time::timeout(deadline, looking).await {
        Ok(ended) => ended,
        Err(_) => bail!("after {} seconds the nodes still talk", deadline.as_secs()),
    }
}

async fn standing(node: &Node) -> Result<Standing> {
    let status = node.run(&["coalition", "status"]).await?;
    let coalition = &status["coalition"];
    Ok(Standing {
        organization: node.name().to_owned(),
        position: coalition["position"]
            .as_u64()
            .context("a status has a position")?,
        state_hash: coalition["state_hash"]
            .as_str()
            .context("a status has a hash")?
            .to_owned(),
        outbox: coalition["outbox"]
            .as_u64()
            .context("a status counts what waits")?,
    })
}
