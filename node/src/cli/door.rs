//! `commonturf coalition join`, `compared`, `waiting` and `approve`: both ends of a door.

use super::{
    client::{CliError, Desk},
    output,
};
use serde_json::{Value, json};

pub(super) async fn join(desk: &Desk, code: &str) -> Result<(), CliError> {
    let answer: Value = desk
        .post("/coalition/join", &json!({ "code": code }))
        .await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    println!("Asked to join {}.", output::text(&answer["name"]));
    at_the_door(&answer["door"]);
    Ok(())
}

pub(super) async fn compared(desk: &Desk, digits: &str) -> Result<(), CliError> {
    let answer: Value = desk
        .post("/coalition/comparisons", &json!({ "digits": digits }))
        .await?;
    if desk.json {
        output::json(&answer);
    } else {
        println!(
            "They are the same. This node comes in by itself once {} has approved.",
            output::text(&answer["inviter_name"])
        );
    }
    Ok(())
}

pub(super) async fn approve(
    desk: &Desk,
    organization: &str,
    compared: Option<&str>,
    no_propose: bool,
) -> Result<(), CliError> {
    let body = json!({
        "organization": organization,
        "compared": compared,
        "propose": !no_propose,
    });
    let answer: Value = desk.post("/coalition/approvals", &body).await?;
    if desk.json {
        output::json(&answer);
    } else if answer["state"] == "done" {
        println!("{organization} is a member now.");
        if answer["proposed"] == true {
            println!(
                "The agreement is proposed for the members as they are now: every member signs it with: commonturf agreement sign"
            );
        }
    } else {
        println!("The approval waits for the keeper.");
    }
    Ok(())
}

/// Who waits, at either end.
pub(super) async fn waiting(desk: &Desk) -> Result<(), CliError> {
    let answer: Value = desk.get("/status").await?;
    let coalition = &answer["coalition"];
    let shown = json!({ "door": coalition["door"], "newcomers": coalition["waiting"] });
    if desk.json {
        output::json(&shown);
        return Ok(());
    }
    if coalition["door"].is_null() && output::list_of(&coalition["waiting"]).next().is_none() {
        println!("Nobody waits.");
    }
    at_the_door(&coalition["door"]);
    newcomers(&coalition["waiting"]);
    Ok(())
}

/// What a newcomer has to do.
pub(super) fn at_the_door(door: &Value) {
    if door.is_null() {
        return;
    }
    let inviter = output::text(&door["inviter_name"]);
    println!(
        "Waiting for approval by {inviter} (node {}) since {}.",
        output::text(&door["inviter"]),
        output::moment_of(&door["since"])
    );
    if door["compared"] == true {
        println!("The digits were compared; this node comes in by itself once it is approved.");
        return;
    }
    println!();
    println!("    {}", output::text(&door["digits"]));
    println!();
    println!(
        "Call {inviter} on a number that you had before. Read these digits to them, let them read theirs"
    );
    println!("to you, and if they are the same: commonturf coalition compared DIGITS");
    println!("If they are not, or nobody there sees you wait, somebody stands between you: stop.");
}

/// Who waits to be let in.
pub(super) fn newcomers(waiting: &Value) {
    for newcomer in output::list_of(waiting) {
        let name = output::text(&newcomer["name"]);
        println!(
            "Waiting: {name} ({}), node {}, invited by {}, since {}",
            output::text(&newcomer["kind"]),
            output::text(&newcomer["node"]),
            output::text(&newcomer["inviter"]),
            output::moment_of(&newcomer["since"])
        );
        println!(
            "         its document {} counts until {}",
            newcomer["document"],
            output::moment_of(&newcomer["document_until"])
        );
        if let Some(digits) = newcomer["digits"].as_str() {
            println!("         compare by telephone: {digits}");
            println!(
                "         then: commonturf coalition approve \"{name}\" --compared \"DIGITS\""
            );
        }
    }
}
