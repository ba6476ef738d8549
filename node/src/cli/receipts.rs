//! `commonturf receipts`: who has confirmed that rows taken back are gone.

use super::{
    client::{CliError, Desk},
    output,
    share::{items, moment, number, text},
};
use clap::Args;
use serde_json::Value;

/// Show who has confirmed that rows taken back are gone.
#[derive(Debug, Args)]
pub struct Receipts {
    /// Only those whose answer is late.
    #[arg(long)]
    overdue: bool,
}

impl Receipts {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let query = if self.overdue { "?overdue=true" } else { "" };
        let answer: Value = desk.get(&format!("/receipts{query}")).await?;
        if desk.json {
            output::json(&answer);
            return Ok(());
        }
        let rows: Vec<Vec<String>> = items(&answer["items"])
            .iter()
            .map(|receipt| {
                vec![
                    text(receipt, "notice").to_owned(),
                    text(receipt, "share").to_owned(),
                    text(receipt, "name").to_owned(),
                    text(receipt, "kind").to_owned(),
                    number(receipt, "rows"),
                    moment(receipt, "acknowledged"),
                    moment(receipt, "receipt_at"),
                    number(receipt, "erased"),
                    moment(receipt, "due"),
                    if receipt["overdue"] == true {
                        "overdue".to_owned()
                    } else {
                        text(receipt, "state").to_owned()
                    },
                ]
            })
            .collect();
        let headings = [
            "notice", "share", "to", "kind", "rows", "stopped", "receipt", "erased", "due", "state",
        ];
        output::table(&headings, &rows);
        Ok(())
    }
}
