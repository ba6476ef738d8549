//! `commonturf backup`: a sealed copy of the node.

use super::{client::CliError, output};
use crate::{ambient::SystemClock, backup, config::NodeDir};
use clap::Args;
use protocol::{seal::AgeRecipient, time::Clock};
use std::path::{Path, PathBuf};

/// Writes a sealed copy of the node's database to a file; the node may run meanwhile.
#[derive(Debug, Args)]
pub struct Backup {
    /// The file to write.
    #[arg(long, value_name = "FILE", required_unless_present = "new_key")]
    out: Option<PathBuf>,
    /// Who can open it: a recipient of age (age1...), whose key is kept away from this machine.
    #[arg(
        long = "for",
        value_name = "RECIPIENT",
        required_unless_present = "new_key"
    )]
    recipient: Option<String>,
    /// Instead, make a key for backups: its secret goes into this file, its recipient is printed.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "recipient"])]
    new_key: Option<PathBuf>,
}

impl Backup {
    pub(super) async fn run(&self, node: &Path, json: bool) -> Result<(), CliError> {
        if let Some(path) = &self.new_key {
            let recipient = backup::new_key(path)?;
            if json {
                output::json(&serde_json::json!({ "recipient": recipient.to_string() }));
            } else {
                println!(
                    "Keep {} away from this machine: it opens backups.",
                    path.display()
                );
                println!("Next: commonturf backup --out FILE --for {recipient}");
            }
            return Ok(());
        }
        let (Some(out), Some(recipient)) = (&self.out, &self.recipient) else {
            return Err(CliError::Usage("--out and --for are needed".to_owned()));
        };
        if out.exists() {
            return Err(CliError::Failed(format!(
                "{} exists; choose another name: a backup is never written over",
                out.display()
            )));
        }
        let recipient: AgeRecipient = recipient
            .parse()
            .map_err(|error| CliError::Usage(format!("--for: {error}")))?;
        let dir = NodeDir(node.to_owned());
        let bytes = backup::write(&dir, recipient, out, SystemClock.now()).await?;
        if json {
            output::json(&serde_json::json!({ "file": out, "bytes": bytes }));
        } else {
            println!("Wrote {} ({bytes} bytes).", out.display());
            println!(
                "To restore it you need the key of {recipient} and a copy of {}.",
                dir.key().display()
            );
        }
        Ok(())
    }
}
