//! `commonturf consent`: receipts for people, and whose consent ends.

use super::{
    client::{CliError, Desk, segment},
    out_file::{MaybeOutFile, OutFile},
    output,
    share::{items, moment, number, text},
    statement,
};
use clap::Subcommand;
use serde_json::Value;

/// Give people receipts for their consent, and see whose consent ends.
#[derive(Debug, Subcommand)]
pub enum Consent {
    /// Tell a person what it agreed to and how to take it back.
    Receipt {
        /// The person: id, system:value or whole name.
        #[arg(long)]
        person: String,
        /// Only this record.
        #[arg(long, value_name = "ID")]
        record: Option<String>,
        /// A web page to give to the person.
        #[command(flatten)]
        out: MaybeOutFile,
    },
    /// List people whose consent ends soon or has ended.
    Renewals {
        /// How many days to look ahead.
        #[arg(long, default_value_t = 60)]
        days: u32,
    },
}

impl Consent {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Receipt {
                person,
                record,
                out,
            } => {
                let record = record.as_deref();
                receipt(desk, person, record, out.file().as_ref()).await
            }
            Self::Renewals { days } => renewals(desk, *days).await,
        }
    }
}

async fn receipt(
    desk: &Desk,
    person: &str,
    record: Option<&str>,
    out: Option<&OutFile>,
) -> Result<(), CliError> {
    let path = format!("/people/{}/consent-receipts", segment(person));
    let query = record
        .map(|record| format!("?record={}", segment(record)))
        .unwrap_or_default();
    if let Some(out) = out {
        return statement::write(desk, &format!("{path}.html{query}"), out).await;
    }
    let answer: Value = desk.get(&format!("{path}{query}")).await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    for receipt in items(&answer["receipts"]) {
        let record = &receipt["record"];
        println!("{}: {}", text(receipt, "name"), text(receipt, "state"));
        println!("  Record   {}", text(record, "record_id"));
        println!("  Form     {}", text(record, "x_form_version"));
        println!("  Ends     {}", moment(receipt, "ends"));
        println!("  To take it back: {}", text(record, "withdrawal_method"));
        for clause in items(&record["purposes"]) {
            println!("  Agreed to {}", text(clause, "purpose"));
        }
    }
    println!("A page for the person: add --out FILE.html");
    Ok(())
}

async fn renewals(desk: &Desk, days: u32) -> Result<(), CliError> {
    let answer: Value = desk.get(&format!("/consents/renewals?days={days}")).await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    println!(
        "{} consent records end within {days} days; {} have ended.",
        number(&answer, "ending"),
        number(&answer, "ended")
    );
    let rows: Vec<Vec<String>> = items(&answer["people"])
        .iter()
        .map(|row| {
            let ends = if row["ends"].is_null() {
                "ended".to_owned()
            } else {
                moment(row, "ends")
            };
            let id = text(row, "person");
            vec![
                ends,
                text(row, "name").to_owned(),
                id.chars().take(8).collect(),
                text(row, "form").to_owned(),
            ]
        })
        .collect();
    if !rows.is_empty() {
        output::table(&["ends", "name", "id", "form"], &rows);
    }
    Ok(())
}
