//! `commonturf statement`: what an organization has of a person, and who was given it.

use super::{
    client::{CliError, Desk, segment},
    out_file::{MaybeOutFile, OutFile},
    output,
    share::{items, moment, text, words},
};
use clap::Args;
use serde_json::{Value, json};

/// Make a person's statement.
#[derive(Debug, Args)]
pub struct Statement {
    /// The person: id, system:value or whole name.
    #[arg(long)]
    person: String,
    /// A web page to give to the person.
    #[command(flatten)]
    out: MaybeOutFile,
}

impl Statement {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let person = segment(&self.person);
        if let Some(out) = self.out.file() {
            return write(desk, &format!("/people/{person}/statement.html"), &out).await;
        }
        let answer: Value = desk.get(&format!("/people/{person}/statement")).await?;
        if desk.json {
            output::json(&answer);
            return Ok(());
        }
        show(&answer);
        Ok(())
    }
}

/// Fetches a paper and writes it.
pub(super) async fn write(desk: &Desk, path: &str, out: &OutFile) -> Result<(), CliError> {
    out.check()?;
    let bytes = desk.download(path).await?;
    out.write(&bytes)?;
    if desk.json {
        output::json(&json!({ "file": out.name() }));
    } else {
        println!(
            "Wrote {}. It opens in any browser and can be printed.",
            out.name()
        );
    }
    Ok(())
}

fn show(answer: &Value) {
    let person = &answer["person"];
    println!(
        "{} about {}",
        text(answer, "organization"),
        text(person, "name")
    );
    println!("Address  {}", words(person, "address"));
    for point in items(&person["points"]) {
        println!("Reached  {}", point.as_str().unwrap_or_default());
    }
    println!(
        "Source   {}; ground: {}",
        text(person, "source"),
        text(person, "basis")
    );
    let consents = items(&answer["consents"]);
    if !consents.is_empty() {
        println!("\nConsent");
    }
    for consent in consents {
        println!(
            "  {}: {} (form {})",
            text(consent, "state"),
            words(consent, "purposes"),
            text(consent, "form")
        );
    }
    let recipients = items(&answer["recipients"]);
    if recipients.is_empty() {
        println!("\nNobody was ever given this person.");
        return;
    }
    println!();
    let rows: Vec<Vec<String>> = recipients
        .iter()
        .map(|recipient| {
            let signed = if recipient["receipt"].is_null() {
                "-"
            } else {
                "signed"
            };
            vec![
                text(recipient, "name").to_owned(),
                moment(recipient, "sent_at"),
                words(recipient, "fields"),
                text(recipient, "purpose").to_owned(),
                text(recipient, "status").to_owned(),
                signed.to_owned(),
            ]
        })
        .collect();
    output::table(
        &["given to", "when", "fields", "purpose", "now", "receipt"],
        &rows,
    );
}
