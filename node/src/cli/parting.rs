//! `commonturf coalition leave`, `remove`, `approve-removal` and `return`.

use super::{
    client::{CliError, Desk},
    output,
};
use serde_json::{Value, json};

pub(super) async fn leave(desk: &Desk, dry_run: bool, at_once: bool) -> Result<(), CliError> {
    let ask = json!({ "dry_run": dry_run, "without_waiting": at_once });
    let answer: Value = desk.post("/coalition/leave", &ask).await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    let word = if dry_run { "Would take" } else { "Took" };
    for recall in answer["recalled"].as_array().into_iter().flatten() {
        for notice in recall["notices"].as_array().into_iter().flatten() {
            println!(
                "{word} back {} rows from {}",
                notice["rows"],
                notice["name"].as_str().unwrap_or_default()
            );
        }
    }
    let owed: Vec<&Value> = answer["owed"].as_array().into_iter().flatten().collect();
    for owed in &owed {
        println!(
            "{} owes a receipt for {} rows, due {}",
            owed["name"].as_str().unwrap_or_default(),
            owed["rows"],
            output::moment(owed["due"].as_i64().unwrap_or_default())
        );
    }
    println!("{} of your claims end.", answer["claims"]);
    if dry_run {
        println!("Nothing was changed.");
    } else if answer["entry"].is_null() {
        println!(
            "Not left yet. Run this again once the receipts are in, or add --without-waiting."
        );
    } else {
        println!("The coalition was told that you leave; another member ends your membership.");
    }
    Ok(())
}

pub(super) async fn remove(
    desk: &Desk,
    organization: &str,
    reason: Option<&str>,
    dry_run: bool,
) -> Result<(), CliError> {
    let (path, ask) = match reason {
        Some(reason) => (
            "/coalition/removals",
            json!({ "organization": organization, "reason": reason, "dry_run": dry_run }),
        ),
        None => (
            "/coalition/removals/approvals",
            json!({ "organization": organization, "dry_run": dry_run }),
        ),
    };
    let answer: Value = desk.post(path, &ask).await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    println!(
        "Removal of {}: {} of {} needed members agree; {} of its claims end; it owes {} receipts.",
        answer["name"].as_str().unwrap_or_default(),
        answer["agree"],
        answer["needed"],
        answer["claims"],
        answer["owes"]
    );
    if dry_run {
        println!("Nothing was said.");
    }
    Ok(())
}

pub(super) async fn come_back(desk: &Desk) -> Result<(), CliError> {
    let answer: Value = desk.post("/coalition/return", &json!({})).await?;
    if desk.json {
        output::json(&answer);
    } else {
        println!("This node is on its way back; see: commonturf coalition status");
    }
    Ok(())
}
