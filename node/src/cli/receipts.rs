//! `commonturf receipts`: who has confirmed what became of rows taken back, exceptions, disputes.

use super::{
    client::{CliError, Desk},
    output,
    share::{items, moment, number, text},
};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

/// Show who has confirmed that rows taken back are gone, at rest or corrected.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Receipts {
    /// Only those whose answer is late.
    #[arg(long)]
    overdue: bool,
    #[command(subcommand)]
    act: Option<Act>,
}

/// What can be done about receipts that do not come, and shares that should not have.
#[derive(Debug, Subcommand)]
enum Act {
    /// Stop waiting for a receipt, and say why; it ends the overdue state of the notice.
    Except {
        /// The notice's id.
        #[arg(long)]
        notice: String,
        /// Why nobody waits for it.
        #[arg(long)]
        kind: Kind,
        /// The reason, in one line; every member reads it.
        #[arg(long)]
        reason: String,
        /// The name of the person who answers for it.
        #[arg(long)]
        approver: String,
    },
    /// List open disputes of all members.
    Disputes,
    /// Settle a dispute of this organization.
    Settle {
        /// The share's id.
        #[arg(long)]
        share: String,
        /// E_ERASED_RESURFACED or W_OVERSHARE.
        #[arg(long)]
        code: String,
    },
}

/// Kinds of exceptions.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Kind {
    /// The recipient cannot do it.
    Impossible,
    /// It would take more than it is worth.
    Disproportionate,
}

impl Receipts {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        match &self.act {
            None => list(desk, self.overdue).await,
            Some(Act::Except {
                notice,
                kind,
                reason,
                approver,
            }) => {
                let kind = kind.to_possible_value();
                let body = json!({
                    "notice": notice,
                    "kind": kind.as_ref().map(clap::builder::PossibleValue::get_name),
                    "reason": reason,
                    "approver": approver,
                });
                let done = "Nobody waits for that receipt any more; all members read why.";
                say(desk, "/exceptions", &body, done).await
            }
            Some(Act::Disputes) => {
                let answer: Value = desk.get("/disputes").await?;
                if desk.json {
                    output::json(&answer);
                } else if items(&answer["items"]).is_empty() {
                    println!("No dispute is open.");
                } else {
                    disputes(&answer["items"]);
                }
                Ok(())
            }
            Some(Act::Settle { share, code }) => {
                let body = json!({ "share": share, "code": code });
                say(desk, "/disputes/settled", &body, "The dispute is settled.").await
            }
        }
    }
}

async fn say(desk: &Desk, path: &str, body: &Value, done: &str) -> Result<(), CliError> {
    let answer: Value = desk.post(path, body).await?;
    if desk.json {
        output::json(&answer);
    } else if text(&answer, "state") == "done" {
        println!("{done}");
    } else {
        println!("It waits for the keeper.");
    }
    Ok(())
}

async fn list(desk: &Desk, overdue: bool) -> Result<(), CliError> {
    let query = if overdue { "?overdue=true" } else { "" };
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
                state(receipt),
            ]
        })
        .collect();
    let headings = [
        "notice", "share", "to", "kind", "rows", "stopped", "receipt", "done", "due", "state",
    ];
    output::table(&headings, &rows);
    for receipt in items(&answer["items"]) {
        for line in remarks(receipt) {
            println!("{}: {line}", text(receipt, "notice"));
        }
    }
    if !items(&answer["disputes"]).is_empty() {
        println!("\nOpen disputes");
        disputes(&answer["disputes"]);
    }
    Ok(())
}

fn state(receipt: &Value) -> String {
    if receipt["overdue"] == true {
        "overdue".to_owned()
    } else {
        text(receipt, "state").replace('_', " ")
    }
}

/// What a recipient keeps and why, whom it had passed rows on to, and why nobody waits any more: a sentence
/// each.
pub(super) fn remarks(receipt: &Value) -> Vec<String> {
    let mut lines: Vec<String> = items(&receipt["retained"])
        .iter()
        .map(|kept| {
            format!(
                "{} kept until {}: {}",
                text(kept, "class"),
                moment(kept, "until"),
                text(kept, "ground")
            )
        })
        .collect();
    lines.extend(items(&receipt["onward"]).iter().map(|onward| {
        let state = match text(onward, "state") {
            _ if onward["overdue"] == true => "late with its confirmation".to_owned(),
            "queued" | "told" | "acknowledged" => "not confirmed yet".to_owned(),
            other => format!(
                "{} on {}",
                other.replace('_', " "),
                moment(onward, "receipt_at")
            ),
        };
        format!(
            "{} passed it on to {} ({} rows): {state}",
            text(onward, "by"),
            text(onward, "name"),
            number(onward, "rows")
        )
    }));
    let exception = &receipt["exception"];
    if !exception.is_null() {
        lines.push(format!(
            "{} since {}: {} ({} answers for it)",
            text(exception, "kind"),
            moment(exception, "at"),
            text(exception, "reason"),
            text(exception, "approver")
        ));
    }
    lines
}

/// Prints open disputes.
pub(super) fn disputes(open: &Value) {
    let rows: Vec<Vec<String>> = items(open)
        .iter()
        .map(|dispute| {
            vec![
                text(dispute, "code").to_owned(),
                number(dispute, "rows"),
                text(dispute, "from").to_owned(),
                text(dispute, "by").to_owned(),
                text(dispute, "share").to_owned(),
                moment(dispute, "at"),
            ]
        })
        .collect();
    let headings = ["code", "rows", "sent by", "reported by", "share", "since"];
    output::table(&headings, &rows);
}
