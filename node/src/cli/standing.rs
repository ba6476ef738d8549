//! `commonturf claim standing`: the same ground on the same days of every week.

use super::{
    client::{CliError, Desk},
    output::{self, list_of, text},
};
use clap::Subcommand;
use protocol::channel::Channel;
use serde_json::{Value, json};

/// Claim the same ground on the same days of every week.
#[derive(Debug, Subcommand)]
pub enum Standing {
    /// Make a standing claim.
    Add {
        /// Whose people; all lists without it.
        #[arg(long, value_name = "NAME")]
        list: Option<String>,
        /// Only what lies in this area of yours.
        #[arg(long, value_name = "NAME")]
        area: Option<String>,
        /// door, phone, text or email.
        #[arg(long)]
        channel: Channel,
        /// Days of the week, separated by commas: sat,sun.
        #[arg(long, value_delimiter = ',', required = true, value_name = "DAYS")]
        on: Vec<String>,
        /// How many days before it begins a window is claimed.
        #[arg(long, default_value_t = 7, value_name = "DAYS")]
        ahead: u64,
        /// The last day on which a window may begin, YYYY-MM-DD.
        #[arg(long, value_name = "DATE")]
        until: Option<jiff::civil::Date>,
        /// Show the next windows and make nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// List the standing claims.
    List,
    /// End a standing claim; what it has claimed stays claimed.
    End {
        /// Its number.
        number: u64,
    },
}

impl Standing {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let answer: Value = match self {
            Self::Add {
                list,
                area,
                channel,
                on,
                ahead,
                until,
                dry_run,
            } => {
                let wish = json!({
                    "list": list, "area": area, "channel": channel, "on": on, "ahead": ahead, "until": until,
                    "dry_run": dry_run,
                });
                desk.post("/standing-claims", &wish).await?
            }
            Self::List => desk.get("/standing-claims").await?,
            Self::End { number } => {
                let path = format!("/standing-claims/{number}/end");
                desk.post(&path, &json!({})).await?
            }
        };
        if desk.json {
            output::json(&answer);
            return Ok(());
        }
        match self {
            Self::Add { .. } => added(&answer),
            Self::List => list(&answer),
            Self::End { number } => {
                println!("Standing claim {number} is over. What it has claimed stays claimed.");
            }
        }
        Ok(())
    }
}

fn added(answer: &Value) {
    for window in list_of(&answer["next"]) {
        println!(
            "Next: {} to {}.",
            text(&window["from"]),
            text(&window["to"])
        );
    }
    match answer["number"].as_u64() {
        Some(number) => println!(
            "Standing claim {number} is made; `commonturf claim list` shows what it claims."
        ),
        None => println!("Nothing was made."),
    }
}

fn list(all: &Value) {
    let rows: Vec<Vec<String>> = list_of(all)
        .map(|one| {
            let of = one["list"].as_str().unwrap_or("all lists");
            let area = one["area"].as_str().map(|area| format!(" in {area}"));
            let days: Vec<String> = list_of(&one["on"]).map(text).collect();
            vec![
                text(&one["number"]),
                format!("{of}{}", area.unwrap_or_default()),
                text(&one["channel"]),
                days.join(", "),
                text(&one["until"]),
                text(&one["claimed_through"]),
                text(&one["why"]),
            ]
        })
        .collect();
    if rows.is_empty() {
        println!("There are no standing claims. `commonturf claim standing add` makes one.");
    } else {
        output::table(
            &[
                "Number",
                "People",
                "Channel",
                "On",
                "Until",
                "Claimed through",
                "Last answer",
            ],
            &rows,
        );
    }
}
