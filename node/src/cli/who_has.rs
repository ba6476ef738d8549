//! `commonturf who-has`: who was given a person.

use super::{
    client::{CliError, Desk, segment},
    output,
    receipts::remarks,
    share::{items, moment, text, words},
};
use clap::Args;
use serde_json::Value;

/// Show who was given a person.
#[derive(Debug, Args)]
pub struct WhoHas {
    /// The person: id, system:value or whole name.
    #[arg(long)]
    person: String,
}

impl WhoHas {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let answer: Value = desk
            .get(&format!("/people/{}/holders", segment(&self.person)))
            .await?;
        if desk.json {
            output::json(&answer);
            return Ok(());
        }
        let holders = items(&answer["holders"]);
        if holders.is_empty() {
            println!("Nobody was given this person.");
            return Ok(());
        }
        let rows: Vec<Vec<String>> = holders
            .iter()
            .map(|holder| {
                let status = match text(holder, "status") {
                    "erased" => format!("erased on {}", moment(holder, "erased_at")),
                    "revoked" => "revoked, waiting".to_owned(),
                    "held" if holder["correction"] == "rectified" => "held, corrected".to_owned(),
                    other => other.replace('_', " "),
                };
                vec![
                    text(holder, "name").to_owned(),
                    text(holder, "share").to_owned(),
                    words(holder, "fields"),
                    text(holder, "purpose").to_owned(),
                    moment(holder, "sent_at"),
                    status,
                ]
            })
            .collect();
        output::table(
            &["who", "share", "fields", "purpose", "sent", "status"],
            &rows,
        );
        for holder in holders {
            for line in remarks(holder) {
                println!("{}: {line}", text(holder, "name"));
            }
        }
        Ok(())
    }
}
