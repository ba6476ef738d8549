//! `commonturf desk-link`: a one-time link that opens the desk's pages.

use super::{
    client::{CliError, Desk},
    output,
};
use clap::Args;

/// Prints a one-time link that opens the desk's pages.
#[derive(Debug, Args)]
pub struct DeskLink {}

impl DeskLink {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let answer: serde_json::Value = desk.post("/desk-links", &serde_json::json!({})).await?;
        if desk.json {
            output::json(&answer);
        } else {
            println!("{}", answer["url"].as_str().unwrap_or_default());
        }
        Ok(())
    }
}
