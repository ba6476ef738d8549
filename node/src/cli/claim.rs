//! `commonturf claim` and `commonturf walklist`: look, take, keep, give back, print.

use super::{
    client::{CliError, Desk, segment},
    out_file::OutFile,
    output::{self, list_of, moment_of as moment, text},
};
use crate::api::claims::{LEFT_OUT, LEFT_OUT_UNTIL};
use clap::{Args, Subcommand};
use protocol::channel::Channel;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Look at, take and give back contact points.
#[derive(Debug, Subcommand)]
pub enum Claim {
    /// Show what a claim would bring; changes nothing.
    Check(What),
    /// Claim the contact points of a list or file for some days.
    Take {
        /// What it is about.
        #[command(flatten)]
        what: What,
        /// Show what it would bring and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// List this organization's claims.
    List {
        /// Others' claims too: who, channel, window and count.
        #[arg(long)]
        all: bool,
    },
    /// Show one claim and why points were refused.
    Show {
        /// The claim's id, or the beginning of it.
        claim: String,
        /// How many refused points to show.
        #[arg(long, default_value_t = 20)]
        rows: usize,
    },
    /// Claim the same ground on the same days of every week.
    #[command(subcommand)]
    Standing(super::standing::Standing),
    /// Keep a claim alive.
    Renew {
        /// The claim's id, or the beginning of it.
        claim: String,
    },
    /// Give a claim back, whole or in part.
    Release {
        /// The claim's id, or the beginning of it.
        claim: String,
        /// Only the contact points in this file.
        #[arg(long, value_name = "FILE", conflicts_with = "rest")]
        points: Option<PathBuf>,
        /// Only the contact points that were not contacted since the window began.
        #[arg(long)]
        rest: bool,
    },
}

/// What to claim, how and when.
#[derive(Debug, Args)]
pub struct What {
    /// An export whose rows are matched to this organization's own people.
    #[arg(required_unless_present_any = ["list", "area"], conflicts_with = "list")]
    file: Option<PathBuf>,
    /// A list of this organization.
    #[arg(long, value_name = "NAME")]
    list: Option<String>,
    /// Only what lies in this area of yours; by itself, of all lists.
    #[arg(long, value_name = "NAME")]
    area: Option<String>,
    /// door, phone, text or email.
    #[arg(long)]
    channel: Channel,
    /// First day, as YYYY-MM-DD.
    #[arg(long, value_name = "DATE")]
    from: jiff::civil::Date,
    /// Last day, included.
    #[arg(long, value_name = "DATE")]
    to: jiff::civil::Date,
    /// How many contact points to show.
    #[arg(long, default_value_t = 20)]
    rows: usize,
}

/// Print a granted claim's people in walking order.
#[derive(Debug, Args)]
pub struct WalkList {
    /// The claim's id, or the beginning of it.
    #[arg(long)]
    claim: String,
    /// The file.
    #[command(flatten)]
    out: OutFile,
}

impl Claim {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Check(what)
            | Self::Take {
                what,
                dry_run: true,
            } => check(desk, what).await,
            Self::Take { what, .. } => take(desk, what).await,
            Self::List { all } => list(desk, *all).await,
            Self::Show { claim, rows } => {
                let whole: Value = desk
                    .get(&format!("/claims/{}?rows={rows}", segment(claim)))
                    .await?;
                if desk.json {
                    output::json(&whole);
                } else {
                    show(&whole);
                }
                Ok(())
            }
            Self::Standing(command) => command.run(desk).await,
            Self::Renew { claim } => {
                let path = format!("/claims/{}/renewal", segment(claim));
                changed(desk, &desk.post(&path, &json!({})).await?, "Renewed");
                Ok(())
            }
            Self::Release {
                claim,
                points,
                rest,
            } => {
                let mut path = format!("/claims/{}/release?rest={rest}", segment(claim));
                let body = match points {
                    Some(file) => {
                        path.push_str(&format!("&file={}", name_of(file)));
                        read(file)?
                    }
                    None => Vec::new(),
                };
                changed(desk, &desk.upload(&path, body.into()).await?, "Given back");
                Ok(())
            }
        }
    }
}

fn name_of(file: &Path) -> String {
    segment(&file.file_name().unwrap_or_default().to_string_lossy())
}

fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(file).map_err(|error| CliError::file(file, &error))
}

impl What {
    async fn ask(&self, desk: &Desk, path: &str) -> Result<Value, CliError> {
        let (mut source, body) = match (&self.list, &self.file) {
            (Some(list), _) => (format!("list={}", segment(list)), Vec::new()),
            (None, Some(file)) => (format!("file={}", name_of(file)), read(file)?),
            (None, None) => (String::new(), Vec::new()),
        };
        if let Some(area) = &self.area {
            source.push_str(&format!("&area={}", segment(area)));
        }
        let path = format!(
            "{path}?{source}&channel={}&from={}&to={}&rows={}",
            self.channel, self.from, self.to, self.rows
        );
        desk.upload(&path, body.into()).await
    }
}

async fn check(desk: &Desk, what: &What) -> Result<(), CliError> {
    let answer = what.ask(desk, "/claims/check").await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    println!(
        "{} from {} to {}, by {}:",
        text(&answer["label"]),
        what.from,
        what.to,
        what.channel
    );
    counts(&answer["counts"]);
    in_area(&answer["area"]);
    left(&answer);
    capped(&answer["capped"]);
    reasons(&answer["because_of"]);
    let rows: Vec<Vec<String>> = list_of(&answer["points"])
        .map(|point| {
            ["display", "state", "by", "until", "people"]
                .map(|field| text(&point[field]))
                .to_vec()
        })
        .collect();
    if !rows.is_empty() {
        println!();
        output::table(&["Contact point", "State", "By", "Until", "People"], &rows);
    }
    if let Some(why) = answer["withheld"].as_str() {
        println!("Nothing can be claimed now: {why}");
    }
    println!("Nothing was claimed.");
    Ok(())
}

async fn take(desk: &Desk, what: &What) -> Result<(), CliError> {
    let answer = what.ask(desk, "/claims").await?;
    let refused = answer["claim"]["state"] == "refused";
    let refused = refused.then(|| {
        CliError::Failed("nothing was granted: everything is held, recent or suppressed".to_owned())
    });
    if desk.json {
        output::json(&answer);
        return refused.map_or(Ok(()), Err);
    }
    if answer["state"] == "waiting" {
        println!(
            "Claim {} waits for the keeper; `commonturf claim list` tells when it is decided.",
            text(&answer["claim"]["claim"])
        );
        return Ok(());
    }
    show(&answer["claim"]);
    let out: Vec<String> = answer["left_out"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(state, count)| format!("{count} {}", state.replace('_', " ")))
        .collect();
    if !out.is_empty() {
        println!("Left out beforehand: {}.", out.join(", "));
    }
    left(&answer);
    capped(&answer["capped"]);
    refused.map_or(Ok(()), Err)
}

async fn list(desk: &Desk, all: bool) -> Result<(), CliError> {
    let answer: Value = desk.get(&format!("/claims?all={all}")).await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = list_of(&answer)
        .map(|claim| {
            vec![
                text(&claim["claim"]).chars().take(8).collect(),
                text(&claim["organization"]),
                text(&claim["channel"]),
                moment(&claim["from"]),
                moment(&claim["to"]),
                text(&claim["state"]),
                format!("{} of {}", text(&claim["holds"]), text(&claim["asked"])),
                moment(&claim["ends"]),
                text(&claim["label"]),
            ]
        })
        .collect();
    if rows.is_empty() {
        println!("There are no claims.");
        return Ok(());
    }
    let headings = [
        "Claim",
        "Organization",
        "Channel",
        "From",
        "To",
        "State",
        "Holds",
        "Ends",
        "Made from",
    ];
    output::table(&headings, &rows);
    Ok(())
}

fn show(claim: &Value) {
    println!(
        "Claim {} ({}): {} granted, {} refused, {} asked for.",
        text(&claim["claim"]),
        text(&claim["state"]),
        text(&claim["granted"]),
        text(&claim["refused"]),
        text(&claim["asked"])
    );
    println!(
        "By {}, {} to {}; holds {}.",
        text(&claim["channel"]),
        moment(&claim["from"]),
        moment(&claim["to"]),
        text(&claim["holds"])
    );
    if !claim["ends"].is_null() {
        println!(
            "It ends {} unless it is renewed; its number is {}.",
            moment(&claim["ends"]),
            text(&claim["number"])
        );
    }
    if let Some(note) = claim["note"].as_str() {
        println!("Void: {note}.");
    }
    reasons(&claim["because_of"]);
    let rows: Vec<Vec<String>> = list_of(&claim["refused_points"])
        .map(|point| {
            vec![
                text(&point["display"]),
                text(&point["state"]),
                text(&point["by"]),
                moment(&point["until"]),
            ]
        })
        .collect();
    if !rows.is_empty() {
        println!();
        output::table(&["Refused", "Because", "By", "Until"], &rows);
    }
}

fn changed(desk: &Desk, answer: &Value, done: &str) {
    if desk.json {
        output::json(answer);
        return;
    }
    if answer["state"] == "waiting" {
        println!("It waits for the keeper.");
        return;
    }
    let now = &answer["now"];
    match answer["given_back"].as_u64() {
        Some(count) if count > 0 => println!("{done}: {count} contact points."),
        _ => println!("{done}."),
    }
    println!(
        "Claim {} is {} and holds {}{}.",
        text(&now["claim"]),
        text(&now["state"]),
        text(&now["holds"]),
        if now["ends"].is_null() {
            String::new()
        } else {
            format!(", until {}", moment(&now["ends"]))
        }
    );
}

fn counts(counts: &Value) {
    let count = |state: &str| counts[state].as_u64().unwrap_or(0);
    println!(
        "{} free, {} held by others, {} recently contacted, {} contacted as often as agreed, {} suppressed, {} without a \
         token, {} yours already.",
        count("free"),
        count("held"),
        count("recent"),
        count("capped"),
        count("suppressed"),
        count("no_token"),
        count("mine")
    );
}

fn left(answer: &Value) {
    for (field, what) in [
        ("without_point", "have no contact point on this channel"),
        ("unknown", "are known from no list of yours"),
        ("unreadable", "could not be read"),
    ] {
        if let Some(count) = answer[field].as_u64().filter(|count| *count > 0) {
            println!("{count} rows {what}.");
        }
    }
}

/// Whom the cap on contacts leaves out.
fn capped(waiting: &Value) {
    if let Some(people) = waiting["people"].as_u64().filter(|people| *people > 0) {
        println!(
            "{people} people are left out: they were contacted as often as the agreement allows; the last of them until {}.",
            moment(&waiting["until"])
        );
    }
}

fn in_area(area: &Value) {
    if area.is_null() {
        return;
    }
    let count = |field: &str| area[field].as_u64().unwrap_or(0);
    println!(
        "{} contact points lie outside the area; of {} nobody knows where they are; {} inside were placed by precinct or \
         postal code alone.",
        count("outside"),
        count("nowhere"),
        count("rough")
    );
}

fn reasons(because_of: &Value) {
    for (organization, standings) in because_of.as_object().into_iter().flatten() {
        let parts: Vec<String> = standings
            .as_object()
            .into_iter()
            .flatten()
            .map(|(state, count)| format!("{count} {}", state.replace('_', " ")))
            .collect();
        println!("  {organization}: {}", parts.join(", "));
    }
}

impl WalkList {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        self.out.check()?;
        let path = format!("/claims/{}/walk-list", segment(&self.claim));
        let (bytes, headers) = desk.download_with(&path).await?;
        self.out.write(&bytes)?;
        let people = csv::Reader::from_reader(bytes.as_slice()).records().count();
        let said = |name: &str| -> Option<i64> { headers.get(name)?.to_str().ok()?.parse().ok() };
        let waiting = json!({
            "people": said(LEFT_OUT).unwrap_or_default(),
            "until": said(LEFT_OUT_UNTIL).filter(|until| *until > 0),
        });
        if desk.json {
            let file = self.out.name();
            output::json(&json!({ "file": file, "people": people, "capped": waiting }));
        } else {
            println!("Wrote {people} people to {}.", self.out.name());
            capped(&waiting);
        }
        Ok(())
    }
}
