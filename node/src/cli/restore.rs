//! `commonturf restore`: a node from a sealed copy.

use super::{client::CliError, output};
use crate::{ambient::SystemClock, backup, config::NodeDir};
use clap::Args;
use protocol::{seal::AgeIdentity, time::Clock};
use std::path::{Path, PathBuf};

/// Makes a node from a copy that `backup` wrote, in a new directory.
#[derive(Debug, Args)]
pub struct Restore {
    /// The copy.
    #[arg(long, value_name = "FILE", required_unless_present = "mark")]
    from: Option<PathBuf>,
    /// The file with the secret key that opens the copy.
    #[arg(long, value_name = "FILE", required_unless_present = "mark")]
    identity: Option<PathBuf>,
    /// The node key (node.key) of the node that was copied.
    #[arg(long, value_name = "FILE", required_unless_present = "mark")]
    key: Option<PathBuf>,
    /// Instead, mark this node's database as a copy, after it was restored by other means.
    #[arg(long, conflicts_with_all = ["from", "identity", "key"])]
    mark: bool,
}

impl Restore {
    pub(super) async fn run(&self, node: &Path, json: bool) -> Result<(), CliError> {
        let dir = NodeDir(node.to_owned());
        let now = SystemClock.now();
        if self.mark {
            backup::mark_in_place(&dir, now).await?;
            return said(node, None, json);
        }
        let (Some(from), Some(identity), Some(key)) = (&self.from, &self.identity, &self.key)
        else {
            return Err(CliError::Usage(
                "--from, --identity and --key are needed".to_owned(),
            ));
        };
        let text =
            std::fs::read_to_string(identity).map_err(|error| CliError::file(identity, &error))?;
        // A file of age-keygen has comments above the key.
        let line = text
            .lines()
            .find(|line| !line.starts_with('#') && !line.trim().is_empty());
        let identity = AgeIdentity::from_secret_text(line.unwrap_or_default())
            .map_err(|error| CliError::Usage(format!("--identity: {error}")))?;
        let id = backup::restore(&dir, from, &identity, key, now).await?;
        said(node, Some(id), json)
    }
}

fn said(node: &Path, id: Option<protocol::id::NodeId>, json: bool) -> Result<(), CliError> {
    if json {
        output::json(&serde_json::json!({ "node": id, "directory": node, "copy": true }));
        return Ok(());
    }
    println!(
        "This node is a copy of an earlier day. Never run it beside the one it was made from."
    );
    println!("It reads the log first and comes back into its coalition before it says anything.");
    println!("A coalition's only keeper first takes back from the members what it lacks.");
    println!("Next: commonturf serve --node {}", node.display());
    Ok(())
}
