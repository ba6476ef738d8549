//! A coalition of running nodes, founded and joined by the commands that people type.

use super::{Node, Organization, Program};
use anyhow::{Context, Result};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// How long one step of joining may take on a busy machine.
const STEP: Duration = Duration::from_secs(60);

/// A member to come: where its node lies, and who it is.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// The node's directory below the common one.
    pub slug: &'a str,
    /// Its organization; the first of a coalition keeps the log.
    pub who: Organization<'a>,
}

/// Makes and starts one node per member below `dir`, in their order, and brings them into one
/// coalition under terms that all have signed. The first founds it; `say` hears of every step.
///
/// # Errors
/// The first command that is refused, or the first step that does not end in time.
pub async fn found(
    program: &Program,
    dir: &Path,
    members: &[Member<'_>],
    terms: &str,
    mut say: impl FnMut(&str),
) -> Result<Vec<Node>> {
    let made = members
        .iter()
        .map(async |member| Node::launch(program, &dir.join(member.slug), member.who).await);
    let nodes = futures_util::future::try_join_all(made).await?;
    say(&format!("{} nodes run", nodes.len()));
    bring_together(&nodes, terms, say).await?;
    Ok(nodes)
}

/// Brings running nodes into one coalition under terms that all have signed; the first founds it.
///
/// # Errors
/// The first command that is refused, or the first step that does not end in time.
pub async fn bring_together(nodes: &[Node], terms: &str, mut say: impl FnMut(&str)) -> Result<()> {
    let (founder, others) = nodes.split_first().context("a coalition has a member")?;
    let create = ["coalition", "create", "Lakes Table", "--agreement", terms];
    founder.run(&create).await?;
    say(&format!(
        "{} founded the coalition and keeps its log",
        founder.name()
    ));
    for (place, newcomer) in others.iter().enumerate() {
        let last = place + 1 == others.len();
        bring_in(founder, newcomer, last).await?;
        say(&format!("{} is a member", newcomer.name()));
    }
    for newcomer in others {
        sign(newcomer).await?;
        say(&format!("{} signed the agreement", newcomer.name()));
    }
    for node in nodes {
        node.until(
            "all have signed",
            STEP,
            &["coalition", "status"],
            |status| {
                let agreement = &status["coalition"]["agreement"];
                let signed = agreement["signed"].as_array().map_or(0, Vec::len);
                (signed == nodes.len()).then_some(())
            },
        )
        .await?;
    }
    Ok(())
}

/// Makes some of the nodes keepers of the log, and waits until they are.
///
/// # Errors
/// As [`bring_together`].
pub async fn entrust(nodes: &[Node], keepers: &[&str]) -> Result<()> {
    let (founder, others) = nodes.split_first().context("a coalition has a member")?;
    let names = keepers.join(",");
    founder
        .run(&["agreement", "propose", "--keepers", &names])
        .await?;
    for node in others {
        let drafts = |status: &Value| {
            let drafts = status["coalition"]["drafts"].as_array()?;
            (!drafts.is_empty() || kept_by(status, keepers.len())).then_some(())
        };
        let status = ["coalition", "status"];
        node.until("the draft is there", STEP, &status, drafts)
            .await?;
        // More than half are enough for new keepers, so the last one may come too late.
        drop(node.run(&["agreement", "sign"]).await);
    }
    let whole = |status: &Value| kept_by(status, keepers.len()).then_some(());
    for node in nodes {
        node.until("all keep the log", STEP, &["coalition", "status"], whole)
            .await?;
    }
    Ok(())
}

/// Whether one keeper leads and all others follow.
fn kept_by(status: &Value, count: usize) -> bool {
    let keepers = status["coalition"]["keepers"].as_array();
    let keepers = keepers.map(Vec::as_slice).unwrap_or_default();
    let roles = |role: &str| {
        let has = |keeper: &&Value| keeper["role"] == role;
        keepers.iter().filter(has).count()
    };
    keepers.len() == count && roles("leader") == 1 && roles("follower") == count - 1
}

/// [`found`] without a word, for tests.
///
/// # Errors
/// As [`found`].
pub async fn found_quietly(
    program: &Program,
    dir: &Path,
    members: &[Member<'_>],
    terms: &str,
) -> Result<Vec<Node>> {
    found(program, dir, members, terms, |_| ()).await
}

/// Invites, joins and approves one newcomer; proposes the agreement anew after the last one only.
async fn bring_in(founder: &Node, newcomer: &Node, last: bool) -> Result<()> {
    let name = newcomer.name();
    let invited = founder
        .run(&["coalition", "invite", "--to-name", name])
        .await?;
    let code = invited["code"]
        .as_str()
        .context("the invitation has a code")?;
    newcomer.run(&["coalition", "join", code]).await?;
    let waits = |status: &Value| {
        let waiting = status["coalition"]["waiting"].as_array()?;
        waiting
            .iter()
            .any(|join| join["name"] == name)
            .then_some(())
    };
    founder
        .until("the newcomer waits", STEP, &["coalition", "status"], waits)
        .await?;
    let mut approve = vec!["coalition", "approve", name];
    approve.extend((!last).then_some("--no-propose"));
    founder.run(&approve).await?;
    newcomer
        .until("it is a member", STEP, &["coalition", "status"], |status| {
            (status["coalition"]["phase"] == "active").then_some(())
        })
        .await
}

async fn sign(newcomer: &Node) -> Result<()> {
    newcomer
        .until(
            "there is a draft to sign",
            STEP,
            &["coalition", "status"],
            |status| {
                let drafts = status["coalition"]["drafts"].as_array()?;
                let missing = |draft: &Value| {
                    let names = draft["missing"]
                        .as_array()
                        .map(Vec::as_slice)
                        .unwrap_or_default();
                    names.iter().any(|name| name == newcomer.name())
                };
                drafts.iter().any(missing).then_some(())
            },
        )
        .await?;
    newcomer.run(&["agreement", "sign"]).await?;
    Ok(())
}
