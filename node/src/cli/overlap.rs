//! `commonturf overlap`: how many people lists of members have in common, and never which.

use super::{
    client::{CliError, Desk, segment},
    output::{self, list_of, moment_of as moment, text},
};
use clap::{Args, Subcommand};
use protocol::token::Kind;
use serde_json::{Value, json};

/// Count what your list and allies' lists have in common, before anybody shares anything.
///
/// All parties must agree, each with a list of its own. They learn whole cells of the agreement's least
/// size and nobody learns which rows. All members see that there is a count, not what it says.
#[derive(Debug, Subcommand)]
pub enum Overlap {
    /// Ask allies for a count.
    Ask(Ask),
    /// List the counts of the last 30 days, the newest first.
    List,
    /// Agree to a count with a list of yours.
    Agree(Agree),
    /// Decline a count that waits for you, or stop one that you are a party to.
    Decline {
        /// The count's id, or the beginning of it.
        overlap: String,
    },
    /// Show one count, with its result.
    Show {
        /// The count's id, or the beginning of it.
        overlap: String,
    },
}

/// What is to be counted.
#[derive(Debug, Args)]
pub struct Ask {
    /// The other organizations, separated by commas: 1 to 3.
    #[arg(long, value_name = "ORG", required = true, value_delimiter = ',')]
    with: Vec<String>,
    #[command(flatten)]
    from: From,
    /// What is counted: ns_dob_postal, voter_id, name_door, phone, email or door.
    #[arg(long, value_name = "KEY", default_value = "ns_dob_postal")]
    by: Kind,
    /// What the counts are for: gotv, issue_advocacy, voter_registration, ...
    #[arg(long, default_value = "gotv")]
    purpose: policy::Purpose,
    /// Every list must have at least so many entries.
    #[arg(long)]
    least: Option<u64>,
    /// For how many days the count is open.
    #[arg(long)]
    days: Option<i64>,
    /// The member that counts and brings no list; the node chooses a keeper where you name none.
    #[arg(long, value_name = "ORG", conflicts_with = "no_counter")]
    counter: Option<String>,
    /// Let every party count by itself; less safe against a party that cheats.
    #[arg(long)]
    no_counter: bool,
    /// Show what would be asked, and ask nothing.
    #[arg(long)]
    dry_run: bool,
}

/// A list of this organization.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct From {
    /// A list of this organization.
    #[arg(long, value_name = "NAME")]
    list: Option<String>,
    /// Everybody on any list.
    #[arg(long)]
    all: bool,
}

/// With what this organization takes part.
#[derive(Debug, Args)]
pub struct Agree {
    /// The count's id, or the beginning of it.
    overlap: String,
    #[command(flatten)]
    from: From,
    /// Show with what you would take part, and say nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Overlap {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Ask(what) => ask(desk, what).await,
            Self::Agree(what) => agree(desk, what).await,
            Self::List => {
                let counts: Value = desk.get("/overlaps").await?;
                if desk.json {
                    output::json(&counts);
                } else {
                    list(&counts);
                }
                Ok(())
            }
            Self::Show { overlap } => {
                let count: Value = desk.get(&format!("/overlaps/{}", segment(overlap))).await?;
                if desk.json {
                    output::json(&count);
                } else {
                    show(&count);
                }
                Ok(())
            }
            Self::Decline { overlap } => {
                let path = format!("/overlaps/{}/decline", segment(overlap));
                let answer: Value = desk.post(&path, &json!({})).await?;
                if desk.json {
                    output::json(&answer);
                } else if answer["state"] == "waiting" {
                    println!("It waits for the keeper.");
                } else {
                    println!("Ended: {}.", text(&answer["overlap"]));
                }
                Ok(())
            }
        }
    }
}

async fn ask(desk: &Desk, what: &Ask) -> Result<(), CliError> {
    let wish = json!({
        "with": what.with,
        "list": what.from.list,
        "by": what.by.name(),
        "purpose": what.purpose.to_string(),
        "least": what.least,
        "days": what.days,
        "counter": what.counter,
        "no_counter": what.no_counter,
    });
    let path = format!("/overlaps?dry_run={}", what.dry_run);
    let answer: Value = desk.post(&path, &wish).await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    brought(&answer);
    if what.dry_run {
        println!("Nothing was asked.");
    } else if answer["state"] == "waiting" {
        println!("It waits for the keeper.");
    } else {
        println!(
            "Asked as {}; the others agree with `commonturf overlap agree`.",
            text(&answer["overlap"])
        );
    }
    Ok(())
}

async fn agree(desk: &Desk, what: &Agree) -> Result<(), CliError> {
    let path = format!(
        "/overlaps/{}/agreement?dry_run={}",
        segment(&what.overlap),
        what.dry_run
    );
    let with = json!({ "list": what.from.list });
    let answer: Value = desk.post(&path, &with).await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    brought(&answer);
    if what.dry_run {
        println!("Nothing was said.");
    } else if answer["state"] == "waiting" {
        println!("It waits for the keeper.");
    } else {
        println!(
            "Agreed. The nodes count by themselves; `commonturf overlap show` tells the result."
        );
    }
    Ok(())
}

fn brought(answer: &Value) {
    let parties: Vec<String> = list_of(&answer["parties"]).map(text).collect();
    println!(
        "Count of {}: {}.",
        text(&answer["counts"]),
        parties.join(", ")
    );
    println!(
        "Your list: {}, {} people, {} of them with such a key; {} entries take part (at least {}).",
        text(&answer["list"]),
        text(&answer["people"]),
        text(&answer["with_key"]),
        text(&answer["size"]),
        text(&answer["least"])
    );
    match answer["counter"].as_str() {
        Some(counter) => println!(
            "{counter} counts: it sees random points and tells the parties whole cells alone."
        ),
        None => println!(
            "Every party counts by itself: a party with a changed program could learn which of its own \
             people are on another list. With a third member you can let that one count (--counter)."
        ),
    }
}

fn list(counts: &Value) {
    let rows: Vec<Vec<String>> = list_of(counts)
        .map(|count| {
            let parties = list_of(&count["parties"]).map(|party| text(&party["organization"]));
            vec![
                text(&count["overlap"]).chars().take(8).collect(),
                parties.collect::<Vec<_>>().join(", "),
                text(&count["counts"]),
                standing(&count["state"]),
                moment(&count["until"]),
                results(count).join("; "),
            ]
        })
        .collect();
    if rows.is_empty() {
        println!("Nobody has asked for a count lately. `commonturf overlap ask` asks for one.");
        return;
    }
    let headings = ["Count", "Parties", "What", "State", "Until", "In common"];
    output::table(&headings, &rows);
}

fn standing(state: &Value) -> String {
    match state.as_str() {
        Some("your_answer") => "waits for your answer".to_owned(),
        Some("asked") => "waits for others' answers".to_owned(),
        _ => text(state).replace('_', " "),
    }
}

/// Of each set of lists what they have in common.
fn results(count: &Value) -> Vec<String> {
    let several = list_of(&count["parties"]).count() > 2;
    let line = |common: &Value| {
        let whose: Vec<String> = list_of(&common["organizations"]).map(text).collect();
        if several {
            format!("{}: {}", whose.join(" and "), text(&common["words"]))
        } else {
            text(&common["words"])
        }
    };
    list_of(&count["result"]).map(line).collect()
}

fn show(count: &Value) {
    println!(
        "Count of {} ({}), for {}; {} asked.",
        text(&count["counts"]),
        text(&count["overlap"]),
        text(&count["purpose"]).replace('_', " "),
        text(&count["asked_by"])
    );
    for party in list_of(&count["parties"]) {
        let size = match party["size"].as_u64() {
            Some(size) => format!("{size} entries"),
            None => "has not answered".to_owned(),
        };
        println!("  {}: {size}", text(&party["organization"]));
    }
    match count["counter"].as_str() {
        Some(counter) => println!("{counter} counts."),
        None => println!("Every party counts by itself."),
    }
    println!(
        "{}; {} of {} steps; open until {}.",
        standing(&count["state"]),
        text(&count["steps_done"]),
        text(&count["steps"]),
        moment(&count["until"])
    );
    if let Some(note) = count["note"].as_str() {
        println!("Why: {note}.");
    }
    for line in results(count) {
        println!("In common: {line}.");
    }
}
