//! Every page in a real browser, served by a real node: readable on a phone and by keyboard, without
//! an error and without another server.

mod coalition;
mod driver;
mod ground;
mod lists;
mod sign_in;

use anyhow::{Context, Result};
use std::path::Path;
use testnet::nodes::{Member, Node, Organization, Program, found_quietly};

/// Who keeps the log.
const TENANTS: Organization<'static> = Organization {
    name: "Tenants United",
    kind: "c4",
    keeper: true,
};

/// Who joins.
const TABLE: Organization<'static> = Organization {
    name: "Green Table",
    kind: "c3",
    keeper: false,
};

/// A node of an organization that is in no coalition.
async fn alone(folder: &Path, who: Organization<'static>) -> Result<Node> {
    Node::launch(&Program::build().await?, folder, who).await
}

/// Two organizations under an agreement that both have signed.
async fn together(folder: &Path) -> Result<(Node, Node)> {
    let members = [("a", TENANTS), ("b", TABLE)].map(|(slug, who)| Member { slug, who });
    let program = Program::build().await?;
    let nodes = found_quietly(&program, folder, &members, "template:us-issue-table").await?;
    let mut nodes = nodes.into_iter();
    let two = nodes.next().zip(nodes.next());
    two.context("a coalition of two has two nodes")
}

/// A file below a folder; its path as commands and forms take it.
fn file(folder: &Path, name: &str, text: &str) -> Result<String> {
    let path = folder.join(name);
    std::fs::write(&path, text)?;
    Ok(path.display().to_string())
}
