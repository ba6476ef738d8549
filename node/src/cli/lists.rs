//! `commonturf lists`: the organization's lists and how many people are on each.

use super::{
    client::{CliError, Desk},
    output,
};
use clap::Args;
use serde_json::Value;

/// Show the lists.
#[derive(Debug, Args)]
pub struct Lists {}

impl Lists {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let answer: Vec<Value> = desk.get("/lists").await?;
        if desk.json {
            output::json(&answer);
            return Ok(());
        }
        if answer.is_empty() {
            println!("There are no lists yet; make one with: commonturf import FILE --list NAME");
            return Ok(());
        }
        let row = |list: &Value| {
            vec![
                list["name"].as_str().unwrap_or_default().to_owned(),
                list["people"].to_string(),
                list["created_at"]
                    .as_i64()
                    .map(output::moment)
                    .unwrap_or_default(),
            ]
        };
        let rows: Vec<Vec<String>> = answer.iter().map(row).collect();
        output::table(&["List", "People", "Made"], &rows);
        Ok(())
    }
}
