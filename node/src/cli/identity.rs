//! `commonturf identity`: see this node's keys, change them, and carry an ally's new document.

use super::{
    client::{CliError, Desk},
    out_file::MaybeOutFile,
    output,
};
use clap::{Args, Subcommand};
use protocol::identity::KeyUse;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Show this node's keys, change them, and carry an ally's new document.
#[derive(Debug, Subcommand)]
pub enum Identity {
    /// Show the identity document and its keys.
    Show,
    /// Put a new document with fresh keys in the place of the present one.
    Rotate(Rotate),
    /// Say a new document that an ally has handed over, because it cannot say it itself.
    Carry {
        /// The file that the ally wrote with `identity rotate --out`.
        file: PathBuf,
        /// Show whose document it is and what would change, and say nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

/// What is to change.
#[derive(Debug, Args)]
pub struct Rotate {
    /// Which keys: request, mls, age, head, statement.
    #[arg(long, value_delimiter = ',', value_name = "USES", value_parser = usage,
          default_values = ["request", "mls", "age", "head", "statement"])]
    keys: Vec<KeyUse>,
    /// Keep all keys: only the address changes, or the date until which the document counts.
    #[arg(long, conflicts_with = "keys")]
    keep_keys: bool,
    /// Put the address of config.toml into the document, so that this node can become a keeper.
    #[arg(long)]
    address: bool,
    /// Say nothing, and write the document to a file that an ally carries.
    #[command(flatten)]
    out: MaybeOutFile,
    /// Show what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

fn usage(text: &str) -> Result<KeyUse, String> {
    const USES: [KeyUse; 5] = [
        KeyUse::Request,
        KeyUse::Mls,
        KeyUse::Age,
        KeyUse::Head,
        KeyUse::Statement,
    ];
    let found = USES.into_iter().find(|usage| usage.to_string() == text);
    found.ok_or_else(|| "there are request, mls, age, head and statement".to_owned())
}

impl Identity {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Show => show(desk).await,
            Self::Rotate(rotate) => rotate.run(desk).await,
            Self::Carry { file, dry_run } => carry(desk, file, *dry_run).await,
        }
    }
}

async fn show(desk: &Desk) -> Result<(), CliError> {
    let answer: Value = desk.get("/identity").await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    println!(
        "{}, node {}",
        output::text(&answer["organization"]),
        output::text(&answer["node"])
    );
    println!(
        "Document {} counts until {}.",
        answer["seq"],
        output::moment_of(&answer["valid_until"])
    );
    for key in output::list_of(&answer["keys"]) {
        println!(
            "  {:<10} {}",
            output::text(&key["use"]),
            output::text(&key["kid"])
        );
    }
    for endpoint in output::list_of(&answer["endpoints"]) {
        println!("  address    {}", output::text(endpoint));
    }
    Ok(())
}

impl Rotate {
    async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let out = self.out.file();
        if let Some(out) = &out {
            out.check()?;
        }
        let keys: &[KeyUse] = if self.keep_keys { &[] } else { &self.keys };
        let ask = json!({
            "keys": keys,
            "address": self.address,
            "carried": out.is_some(),
            "dry_run": self.dry_run,
        });
        let answer: Value = desk.post("/identity/rotations", &ask).await?;
        if let Some(out) = out.filter(|_| !self.dry_run) {
            out.write(output::text(&answer["document"]).as_bytes())?;
        }
        if desk.json {
            output::json(&answer);
            return Ok(());
        }
        let word = if answer["state"] == "done" {
            "counts"
        } else {
            "would count"
        };
        println!(
            "Document {} {word} until {}; new keys: {}.",
            answer["seq"],
            output::moment_of(&answer["valid_until"]),
            uses(&answer["keys"])
        );
        if self.dry_run {
            println!("Nothing was changed.");
        } else if let Some(out) = self.out.file() {
            println!(
                "Hand {} to an ally, who runs: commonturf identity carry FILE",
                out.name()
            );
        } else {
            if answer["state"] == "waiting" {
                println!("It waits for the keeper; the present keys are used until then.");
            }
            println!("Make a backup now: one from before does not hold the new keys.");
        }
        Ok(())
    }
}

/// Uses of keys in words.
fn uses(keys: &Value) -> String {
    let keys: Vec<&str> = output::list_of(keys).filter_map(Value::as_str).collect();
    if keys.is_empty() {
        "none".to_owned()
    } else {
        keys.join(", ")
    }
}

async fn carry(desk: &Desk, file: &Path, dry_run: bool) -> Result<(), CliError> {
    let document = std::fs::read_to_string(file).map_err(|error| CliError::file(file, &error))?;
    let ask = json!({ "document": document, "dry_run": dry_run });
    let answer: Value = desk.post("/identity/carried", &ask).await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    println!(
        "Document {} of {} (node {}), until {}; new keys: {}.",
        answer["seq"],
        output::text(&answer["organization"]),
        output::text(&answer["node"]),
        output::moment_of(&answer["valid_until"]),
        uses(&answer["keys"])
    );
    match answer["state"].as_str() {
        Some("done") => println!("All members follow it from here on."),
        Some("waiting") => println!("It waits for the keeper."),
        _ => println!("Nothing was said."),
    }
    Ok(())
}
