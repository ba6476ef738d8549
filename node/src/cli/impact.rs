//! `commonturf impact`: what working together spares and brings.

use super::{
    client::{CliError, Desk},
    out_file::MaybeOutFile,
    output::{self, list_of, text},
};
use clap::Args;
use jiff::civil::Date;
use serde_json::{Value, json};

/// Show what working together spares and brings, by organization, with hours and money.
#[derive(Debug, Args)]
pub struct Impact {
    /// The first day, YYYY-MM-DD.
    #[arg(long, value_name = "DATE")]
    from: Date,
    /// The last day, included.
    #[arg(long, value_name = "DATE")]
    to: Date,
    /// Minutes that a visit at a door takes.
    #[arg(long, default_value_t = 5.0)]
    door_minutes: f64,
    /// Minutes that a call or message takes.
    #[arg(long, default_value_t = 2.0)]
    phone_minutes: f64,
    /// What an hour costs.
    #[arg(long, default_value_t = 0.0)]
    hourly: f64,
    /// Write the report as CSV to a file instead.
    #[command(flatten)]
    out: MaybeOutFile,
}

impl Impact {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let asked = format!(
            "from={}&to={}&door_minutes={}&phone_minutes={}&hourly={}",
            self.from, self.to, self.door_minutes, self.phone_minutes, self.hourly
        );
        if let Some(out) = self.out.file() {
            out.check()?;
            let bytes = desk.download(&format!("/impact.csv?{asked}")).await?;
            out.write(&bytes)?;
            if desk.json {
                output::json(&json!({ "file": out.name(), "bytes": bytes.len() }));
            } else {
                println!("Wrote {}.", out.name());
            }
            return Ok(());
        }
        let answer: Value = desk.get(&format!("/impact?{asked}")).await?;
        if desk.json {
            output::json(&answer);
        } else {
            show(&answer);
        }
        Ok(())
    }
}

fn show(answer: &Value) {
    println!(
        "{} doubled visits and {} doubled calls and messages spared: {} hours, {} in money.",
        text(&answer["spared_at_doors"]),
        text(&answer["spared_by_phone"]),
        text(&answer["hours"]),
        text(&answer["money"])
    );
    if let Some(day) = answer["counted_from"].as_str() {
        println!("This node has counted since {day}.");
    }
    let rows: Vec<Vec<String>> = list_of(&answer["organizations"])
        .map(|part| {
            let fields = [
                "name",
                "asked",
                "granted",
                "spared",
                "spared_others",
                "rows_given",
                "rows_taken",
            ];
            fields.iter().map(|field| text(&part[*field])).collect()
        })
        .collect();
    output::table(
        &[
            "Organization",
            "Asked for",
            "Granted",
            "Spared",
            "Spared others",
            "Rows given",
            "Rows taken",
        ],
        &rows,
    );
    let rows: Vec<Vec<String>> = list_of(&answer["coverage"])
        .map(|list| {
            let fields = [
                "list", "channel", "points", "own", "allies", "both", "never",
            ];
            fields.iter().map(|field| text(&list[*field])).collect()
        })
        .collect();
    if !rows.is_empty() {
        output::table(
            &[
                "List",
                "Channel",
                "Points",
                "By us",
                "By allies",
                "By both",
                "By nobody",
            ],
            &rows,
        );
        println!(
            "Counts of lists are told in multiples of {}.",
            text(&answer["least"])
        );
    }
}
