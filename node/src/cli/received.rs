//! `commonturf received`: list, show, announce, export, retain.

use super::{
    client::{CliError, Desk, segment},
    out_file::OutFile,
    output,
    share::{items, moment, number, text, words},
};
use crate::api::claims::LEFT_OUT;
use clap::Subcommand;
use serde_json::{Value, json};

/// See and export what allies have shared with this organization.
#[derive(Debug, Subcommand)]
pub enum Received {
    /// List the shares that allies gave.
    List,
    /// Show one share: counts, and what this node's own rules dropped.
    Show {
        /// The share's id.
        share: String,
    },
    /// Tell all members that this organization is going to use the rows of a share; the use begins after the
    /// agreement's notice and lasts a week.
    Announce {
        /// The share's id.
        #[arg(long)]
        share: String,
        /// The first day of the use: YYYY-MM-DD; as soon as the agreement lets it without.
        #[arg(long, value_name = "DATE")]
        from: Option<String>,
        /// Only tell when it would begin.
        #[arg(long)]
        dry_run: bool,
    },
    /// Write the rows of which an announced use goes on to a CSV file.
    Export {
        /// One share.
        #[arg(long, conflicts_with = "all", required_unless_present = "all")]
        share: Option<String>,
        /// Every share.
        #[arg(long)]
        all: bool,
        /// The file.
        #[command(flatten)]
        out: OutFile,
    },
    /// Note that a law makes this organization keep a class of fields of a share: when its rows are
    /// taken back, the receipt says so and names the ground.
    Retain {
        /// The share's id.
        #[arg(long)]
        share: String,
        /// The class: identity, postal, email, phone, political or engagement.
        #[arg(long)]
        class: String,
        /// The law, in one line; every member reads it.
        #[arg(long)]
        ground: String,
        /// The last day on which it is kept: YYYY-MM-DD.
        #[arg(long)]
        until: String,
    },
}

impl Received {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::List => list(desk).await,
            Self::Show { share } => show(desk, share).await,
            Self::Announce {
                share,
                from,
                dry_run,
            } => announce(desk, share, from.as_deref(), *dry_run).await,
            Self::Export { share, out, .. } => export(desk, share.as_deref(), out).await,
            Self::Retain {
                share,
                class,
                ground,
                until,
            } => {
                let body =
                    json!({ "share": share, "class": class, "ground": ground, "until": until });
                let answer: Value = desk.post("/retentions", &body).await?;
                if desk.json {
                    output::json(&answer);
                } else {
                    println!(
                        "Noted. Rows of that share that are taken back keep their {class} fields, out of use."
                    );
                }
                Ok(())
            }
        }
    }
}

async fn list(desk: &Desk) -> Result<(), CliError> {
    let answer: Value = desk.get("/received").await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = items(&answer["items"])
        .iter()
        .map(|share| {
            vec![
                text(share, "share").to_owned(),
                text(share, "name").to_owned(),
                text(share, "purpose").to_owned(),
                text(share, "channel").to_owned(),
                words(share, "fields"),
                number(share, "announced"),
                number(share, "held"),
                moment(share, "expires_at"),
                text(share, "state").to_owned(),
                use_of(share),
            ]
        })
        .collect();
    let headings = [
        "share",
        "from",
        "purpose",
        "channel",
        "fields",
        "announced",
        "held",
        "use until",
        "state",
        "use",
    ];
    output::table(&headings, &rows);
    Ok(())
}

async fn show(desk: &Desk, share: &str) -> Result<(), CliError> {
    let answer: Value = desk.get(&format!("/received/{}", segment(share))).await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    println!(
        "Share {} from {}",
        text(&answer, "share"),
        text(&answer, "name")
    );
    println!(
        "For {} by {}; fields: {}; use until: {}",
        text(&answer, "purpose"),
        text(&answer, "channel"),
        words(&answer, "fields"),
        moment(&answer, "expires_at")
    );
    println!(
        "State: {}{}",
        text(&answer, "state"),
        answer["note"]
            .as_str()
            .map(|note| format!(" ({note})"))
            .unwrap_or_default()
    );
    println!(
        "{} announced, {} taken, {} held now, and {} at rest that must not be used",
        number(&answer, "announced"),
        number(&answer, "accepted"),
        number(&answer, "held"),
        number(&answer, "resting")
    );
    println!("Use: {}", use_of(&answer));
    for (what, counts) in answer["dropped"].as_object().into_iter().flatten() {
        for (rule, count) in counts.as_object().into_iter().flatten() {
            println!("Dropped here, {what}: {rule} {count}");
        }
    }
    Ok(())
}

async fn announce(
    desk: &Desk,
    share: &str,
    from: Option<&str>,
    dry_run: bool,
) -> Result<(), CliError> {
    let body = json!({ "from": from, "dry_run": dry_run });
    let path = format!("/received/{}/uses", segment(share));
    let answer: Value = desk.post(&path, &body).await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    let begins = moment(&answer, "begins");
    match answer["state"].as_str() {
        None => println!("The use would begin at {begins}. Nothing was announced."),
        Some("waiting") => println!(
            "Announced. It waits for the keeper; `commonturf received list` tells when the use begins."
        ),
        Some(_) => println!(
            "Announced to all members. The use begins at {begins} and lasts a week; {} more may follow.",
            number(&answer["received"]["uses"], "left")
        ),
    }
    Ok(())
}

/// How the use of a share stands, in words.
fn use_of(share: &Value) -> String {
    let uses = &share["uses"];
    match text(uses, "state") {
        "open" => format!("in use until {}", moment(uses, "until")),
        "announced" => format!("announced for {}", moment(uses, "from")),
        "used_up" => format!("used up until {}", moment(uses, "room_from")),
        "none" => format!("{} uses left, none announced", number(uses, "left")),
        _ => String::new(),
    }
}

async fn export(desk: &Desk, share: Option<&str>, out: &OutFile) -> Result<(), CliError> {
    out.check()?;
    let query = share
        .map(|share| format!("?share={}", segment(share)))
        .unwrap_or_default();
    let path = format!("/received/export{query}");
    let (bytes, headers) = desk.download_with(&path).await?;
    let said = headers
        .get(LEFT_OUT)
        .and_then(|said| said.to_str().ok()?.parse().ok());
    let left_out: u64 = said.unwrap_or_default();
    out.write(&bytes)?;
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let rows = reader.records().count();
    if desk.json {
        let file = out.name();
        output::json(&json!({ "file": file, "rows": rows, "not_in_use": left_out }));
    } else {
        println!("Wrote {rows} rows to {}.", out.name());
        println!("Each row says what it may be used for, and until when.");
        if left_out > 0 {
            println!(
                "{left_out} shares are left out: no use of them goes on; see `commonturf received list`."
            );
        }
    }
    Ok(())
}
