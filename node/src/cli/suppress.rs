//! `commonturf suppress` and `commonturf suppressions`: who must not be contacted.

use super::{
    client::{CliError, Desk},
    output,
};
use clap::{Args, Subcommand};
use protocol::channel::Channel;
use serde_json::{Value, json};

/// Tell every member that somebody must not be contacted, or take it back.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("who").required(true))]
pub struct Suppress {
    /// A person of your lists: id, van:NUMBER, or the whole name.
    #[arg(long, value_name = "REF", group = "who")]
    person: Option<String>,
    /// A phone number.
    #[arg(long, value_name = "NUMBER", group = "who")]
    phone: Option<String>,
    /// An e-mail address.
    #[arg(long, value_name = "ADDRESS", group = "who")]
    email: Option<String>,
    /// A door: "12 Elm St Apt 4, 43215".
    #[arg(long, value_name = "ADDRESS, ZIP", group = "who")]
    door: Option<String>,
    /// door, phone, text, email or all.
    #[arg(long)]
    channel: String,
    /// do_not_contact, opt_out (stays here), defect or deceased.
    #[arg(long, default_value = "do_not_contact")]
    reason: String,
    /// Take it back.
    #[arg(long)]
    withdraw: bool,
    /// Show who is meant and change nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Own suppressions, and what allies say about your people.
#[derive(Debug, Subcommand)]
pub enum Suppressions {
    /// List them.
    List,
}

impl Suppress {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let channels: Vec<Channel> = if self.channel == "all" {
            Channel::ALL.to_vec()
        } else {
            let channel = self
                .channel
                .parse()
                .map_err(|error| CliError::Usage(format!("{error}, or all")))?;
            vec![channel]
        };
        let body = json!({
            "person": self.person,
            "phone": self.phone,
            "email": self.email,
            "door": self.door,
            "channels": channels,
            "reason": self.reason,
            "withdraw": self.withdraw,
            "dry_run": self.dry_run,
            "source": "cli",
        });
        let answer: Value = desk.post("/suppressions", &body).await?;
        if desk.json {
            output::json(&answer);
            return Ok(());
        }
        let about = answer["about"].as_str().unwrap_or_default();
        let what = if self.withdraw {
            "the suppression is taken back"
        } else {
            "no contact"
        };
        println!("{about}: {what} ({}).", self.channel);
        match answer["state"].as_str() {
            Some("dry_run") => println!("Nothing was changed."),
            Some("done") => println!("Every member knows."),
            Some("own") => match answer["why"].as_str() {
                Some(why) => println!("It stays with this organization: {why}."),
                None => println!("It stays with this organization."),
            },
            _ => println!(
                "It waits: {}.",
                answer["why"]
                    .as_str()
                    .unwrap_or("the keeper has not answered")
            ),
        }
        Ok(())
    }
}

impl Suppressions {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let Self::List = self;
        let answer: Value = desk.get("/suppressions").await?;
        if desk.json {
            output::json(&answer);
            return Ok(());
        }
        let rows = |field: &str| answer[field].as_array().cloned().unwrap_or_default();
        let own: Vec<Vec<String>> = rows("own")
            .iter()
            .map(|row| {
                vec![
                    row["about"].as_str().unwrap_or_default().to_owned(),
                    channels(row),
                    row["reason"].as_str().unwrap_or_default().to_owned(),
                    since(row),
                    row["state"].as_str().unwrap_or_default().to_owned(),
                ]
            })
            .collect();
        let allies: Vec<Vec<String>> = rows("allies")
            .iter()
            .map(|row| {
                let about: Vec<&str> = row["about"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                vec![
                    row["organization"].as_str().unwrap_or_default().to_owned(),
                    about.join(", "),
                    channels(row),
                    since(row),
                ]
            })
            .collect();
        if own.is_empty() && allies.is_empty() {
            println!("There are no suppressions.");
            return Ok(());
        }
        println!("Own:");
        output::table(&["About", "Channels", "Reason", "Since", "State"], &own);
        if rows("own").iter().any(|row| row["state"] == "untold") {
            println!(
                "Untold ones reach the allies once their match tokens are there (commonturf tokens status). Somebody \
                 of whom neither address, voter id nor date of birth is known can be told to nobody: add one of them."
            );
        }
        println!();
        println!("Allies', about your people:");
        output::table(&["Organization", "About", "Channels", "Since"], &allies);
        Ok(())
    }
}

fn channels(row: &Value) -> String {
    if row["deceased"] == true {
        return "said to have died".to_owned();
    }
    let channels: Vec<&str> = row["channels"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    channels.join(", ")
}

fn since(row: &Value) -> String {
    row["since"]
        .as_i64()
        .map(output::moment)
        .unwrap_or_default()
}
