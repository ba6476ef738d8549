//! `commonturf revoke`: takes back a person or a whole share, or lets a person rest.

use super::{
    client::{CliError, Desk},
    output,
    share::{items, number, text},
};
use clap::Args;
use serde_json::{Value, json};

/// Take back what was shared: a person, or a whole share.
#[derive(Debug, Args)]
pub struct Revoke {
    /// The person: id, system:value or whole name.
    #[arg(long)]
    person: Option<String>,
    /// Only in this share; with --all: everybody in it.
    #[arg(long)]
    share: Option<String>,
    /// Take the whole share back.
    #[arg(long, requires = "share", conflicts_with_all = ["person", "kind"])]
    all: bool,
    /// Why: withdrawal, objection, erasure, restriction (rows stay and are not used) or
    /// rectification (rows are corrected).
    #[arg(long)]
    kind: Option<String>,
    /// Only tell what would happen.
    #[arg(long)]
    dry_run: bool,
}

impl Revoke {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        if self.person.is_none() && !self.all {
            return Err(CliError::Usage(
                "say who: --person REF; or take a whole share back with --share ID --all"
                    .to_owned(),
            ));
        }
        let body = json!({
            "person": self.person,
            "share": self.share,
            "all": self.all,
            "kind": self.kind,
            "dry_run": self.dry_run,
        });
        send(desk, &body, self.dry_run).await
    }
}

/// Sends notices and tells what became of them.
pub(super) async fn send(desk: &Desk, body: &Value, dry_run: bool) -> Result<(), CliError> {
    let answer: Value = desk.post("/revocations", body).await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    if dry_run {
        println!("Nothing was changed. This would happen:");
    }
    let records = answer["consents_withdrawn"].as_u64().unwrap_or(0);
    if records > 0 {
        println!("Consent withdrawn in {records} records.");
    }
    let notices = items(&answer["notices"]);
    if notices.is_empty() {
        println!("Nobody holds it by this organization's ledger; nobody had to be told.");
    }
    for notice in notices {
        let state = match text(notice, "state") {
            "done" => "told",
            "waiting" => "waits for the keeper",
            "share-waits" => "the share itself waits for the keeper; the notice follows it",
            "void" => "did not take effect; say it again",
            _ => "would be told",
        };
        println!(
            "{}: {} rows of share {}: {state}",
            text(notice, "name"),
            number(notice, "rows"),
            text(notice, "share")
        );
    }
    if !dry_run && !notices.is_empty() {
        println!("Confirmations: commonturf receipts");
    }
    Ok(())
}
