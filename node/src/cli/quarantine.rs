//! Members that signed two truths: `commonturf audit accuse` and `lift`, and what the status says of them.

use super::{
    client::{CliError, Desk},
    output,
    share::{items, number, text},
};
use protocol::evidence::EVIDENCE_BYTES;
use serde_json::{Value, json};
use std::{io::Read, path::Path};

pub(super) async fn accuse(
    desk: &Desk,
    file: Option<&Path>,
    dry_run: bool,
) -> Result<(), CliError> {
    let evidence = match file {
        None => None,
        Some(file) => {
            let mut bytes = Vec::new();
            std::fs::File::open(file)
                .and_then(|open| open.take(EVIDENCE_BYTES as u64 + 1).read_to_end(&mut bytes))
                .map_err(|error| CliError::file(file, &error))?;
            Some(protocol::id::to_base32(&bytes))
        }
    };
    let ask = json!({ "evidence": evidence, "dry_run": dry_run });
    let answer: Value = desk.post("/audit/accusations", &ask).await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    for accusation in items(&answer["items"]) {
        let what = match text(accusation, "what") {
            "heads" => "roots of the log over entries up to",
            _ => "identity documents of number",
        };
        println!(
            "{} signed two different {what} {}.",
            text(accusation, "name"),
            number(accusation, "number")
        );
    }
    if dry_run {
        println!("Nothing was said. It would be quarantined until the members lift that.");
    } else {
        println!(
            "The coalition was told. Nothing new is granted to it and nothing flows to it until the members lift that:"
        );
        println!("commonturf audit lift ORGANIZATION");
    }
    Ok(())
}

pub(super) async fn lift(desk: &Desk, organization: &str, dry_run: bool) -> Result<(), CliError> {
    let ask = json!({ "organization": organization, "dry_run": dry_run });
    let answer: Value = desk.post("/audit/lifted", &ask).await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    println!(
        "{}: {} of {} needed members agree that it may go on.",
        text(&answer, "name"),
        answer["agree"],
        answer["needed"]
    );
    if dry_run {
        println!("Nothing was said.");
    }
    Ok(())
}

/// Who is quarantined, and what that means; about this organization first.
pub(super) fn say(quarantines: &Value) {
    for quarantine in items(quarantines) {
        let (name, signed) = (text(quarantine, "name"), text(quarantine, "signed"));
        if quarantine["about_us"] == true {
            println!("QUARANTINE this organization's node {signed}.");
            println!(
                "           Nothing new is granted to you and nothing flows to you. What you take back, suppress"
            );
            println!(
                "           and answer still goes out. Find out who used your keys, renew them (commonturf identity"
            );
            println!("           rotate), and ask the other members to lift it.");
        } else {
            println!("QUARANTINE {name} {signed}.");
            println!(
                "           Nothing new is granted to it and nothing flows to it; what it takes back still counts."
            );
            println!("           To let it go on: commonturf audit lift {name:?}");
        }
        println!(
            "           {} of {} needed members agree that it may go on",
            quarantine["agree"], quarantine["needed"]
        );
    }
}
