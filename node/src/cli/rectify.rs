//! `commonturf rectify`: sends a person's present fields to everybody who holds the person.

use super::{
    client::{CliError, Desk},
    revoke,
};
use clap::Args;
use serde_json::json;

/// Correct what was shared of a person: everybody who holds the person gets the present fields, of
/// the classes that were shared.
#[derive(Debug, Args)]
pub struct Rectify {
    /// The person: id, system:value or whole name.
    #[arg(long)]
    person: String,
    /// Whose record holds the right fields, when this node has none of the person any more.
    #[arg(long, value_name = "PERSON")]
    with: Option<String>,
    /// Only in this share.
    #[arg(long)]
    share: Option<String>,
    /// Only tell what would happen.
    #[arg(long)]
    dry_run: bool,
}

impl Rectify {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let body = json!({
            "person": self.person,
            "with": self.with,
            "share": self.share,
            "kind": "rectification",
            "dry_run": self.dry_run,
        });
        revoke::send(desk, &body, self.dry_run).await
    }
}
