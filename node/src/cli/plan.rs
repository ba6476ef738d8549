//! `commonturf plan`: file what this organization intends, and see what allies intend.

use super::{
    client::{CliError, Desk, segment},
    output::{self, list_of, moment_of as moment, text},
};
use clap::{Args, Subcommand};
use protocol::{channel::Channel, entry::plan::Place};
use serde_json::{Value, json};

/// File, list and withdraw plans: what members intend to do, where and when.
#[derive(Debug, Subcommand)]
pub enum Plan {
    /// File a plan for all members to see; it reserves nothing.
    File(File),
    /// List the plans of all members, the soonest first.
    List,
    /// Show one plan.
    Show {
        /// The plan's id, or the beginning of it.
        plan: String,
    },
    /// Take a plan of this organization back.
    Withdraw {
        /// The plan's id, or the beginning of it.
        plan: String,
    },
}

/// What is intended.
#[derive(Debug, Args)]
pub struct File {
    /// What allies read as its name, for example "Kensington doors, weekends".
    label: String,
    /// door, phone, text or email.
    #[arg(long)]
    channel: Channel,
    /// First day, as YYYY-MM-DD.
    #[arg(long, value_name = "DATE")]
    from: jiff::civil::Date,
    /// Last day, included.
    #[arg(long, value_name = "DATE")]
    to: jiff::civil::Date,
    /// What for: gotv, persuasion, issue_advocacy, voter_registration, petition, event, ...
    #[arg(long)]
    purpose: policy::Purpose,
    /// Where: "postal:us 19104", "area:ward 27" or "cell:882a134d49fffff"; several times.
    #[arg(long = "place", value_name = "PLACE", required_unless_present_any = ["list", "areas"])]
    places: Vec<Place>,
    /// An area of this organization; allies see its cells, postal codes or precincts; several times.
    #[arg(long = "area", value_name = "NAME")]
    areas: Vec<String>,
    /// A list of this organization: its postal codes become places, its number the volume.
    #[arg(long, value_name = "NAME")]
    list: Option<String>,
    /// About how many contact points.
    #[arg(long, required_unless_present = "list")]
    volume: Option<u64>,
    /// Whom allies call about it, and how; all members read it.
    #[arg(long)]
    contact: String,
    /// The own plan in whose place this one stands: its id, or the beginning of it.
    #[arg(long, value_name = "PLAN")]
    replaces: Option<String>,
    /// Show what would be filed and what it meets, and file nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Plan {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::File(what) => file(desk, what).await,
            Self::List => {
                let plans: Value = desk.get("/plans").await?;
                if desk.json {
                    output::json(&plans);
                } else {
                    list(&plans);
                }
                Ok(())
            }
            Self::Show { plan } => {
                let plan: Value = desk.get(&format!("/plans/{}", segment(plan))).await?;
                if desk.json {
                    output::json(&plan);
                } else {
                    show(&plan);
                }
                Ok(())
            }
            Self::Withdraw { plan } => {
                let path = format!("/plans/{}/withdrawal", segment(plan));
                let answer: Value = desk.post(&path, &json!({})).await?;
                if desk.json {
                    output::json(&answer);
                } else if answer["state"] == "waiting" {
                    println!("It waits for the keeper.");
                } else {
                    println!("Withdrawn: {}.", text(&answer["plan"]));
                }
                Ok(())
            }
        }
    }
}

async fn file(desk: &Desk, what: &File) -> Result<(), CliError> {
    let intention = json!({
        "channel": what.channel,
        "from": what.from,
        "to": what.to,
        "purpose": what.purpose.to_string(),
        "label": what.label,
        "places": what.places,
        "areas": what.areas,
        "list": what.list,
        "volume": what.volume,
        "contact": what.contact,
        "replaces": what.replaces,
    });
    let path = format!("/plans?dry_run={}", what.dry_run);
    let answer: Value = desk.post(&path, &intention).await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    println!(
        "{}: by {}, {} to {}, about {} contact points in {}.",
        text(&answer["label"]),
        text(&answer["channel"]),
        what.from,
        what.to,
        text(&answer["volume"]),
        places(&answer["places"])
    );
    match answer["left_out"].as_u64() {
        Some(count) if count > 0 => println!(
            "{count} contact points lie where too few of the list do; their places are not named."
        ),
        _ => {}
    }
    meets(&answer["meets"]);
    if let Some(why) = answer["withheld"].as_str() {
        println!("It cannot be filed: {why}");
    }
    if what.dry_run {
        println!("Nothing was filed.");
    } else if answer["state"] == "waiting" {
        println!("It waits for the keeper.");
    } else {
        println!("Filed as {}.", text(&answer["entry"]));
    }
    Ok(())
}

fn meets(meetings: &Value) {
    let rows: Vec<Vec<String>> = list_of(meetings)
        .map(|meeting| {
            vec![
                text(&meeting["organization"]),
                text(&meeting["label"]),
                moment(&meeting["from"]),
                moment(&meeting["to"]),
                places(&meeting["places"]),
                text(&meeting["own_points"]),
                text(&meeting["contact"]),
            ]
        })
        .collect();
    if rows.is_empty() {
        println!("No ally's plan meets it.");
        return;
    }
    println!("Allies plan to be there on the same days; talk to them:");
    let headings = [
        "Organization",
        "Plan",
        "From",
        "To",
        "Same places",
        "Your points there",
        "Contact",
    ];
    output::table(&headings, &rows);
}

fn list(plans: &Value) {
    let rows: Vec<Vec<String>> = list_of(plans)
        .map(|plan| {
            vec![
                text(&plan["plan"]).chars().take(8).collect(),
                text(&plan["organization"]),
                text(&plan["label"]),
                text(&plan["channel"]),
                moment(&plan["from"]),
                moment(&plan["to"]),
                text(&plan["volume"]),
                places(&plan["places"]),
                list_of(&plan["meets"]).count().to_string(),
            ]
        })
        .collect();
    if rows.is_empty() {
        println!("There are no plans. `commonturf plan file` files one.");
        return;
    }
    let headings = [
        "Plan",
        "Organization",
        "Name",
        "Channel",
        "From",
        "To",
        "About",
        "Where",
        "Meets",
    ];
    output::table(&headings, &rows);
}

fn show(plan: &Value) {
    println!(
        "{} of {} ({})",
        text(&plan["label"]),
        text(&plan["organization"]),
        text(&plan["plan"])
    );
    println!(
        "By {}, {} to {}, for {}; about {} contact points.",
        text(&plan["channel"]),
        moment(&plan["from"]),
        moment(&plan["to"]),
        text(&plan["purpose"]).replace('_', " "),
        text(&plan["volume"])
    );
    let all: Vec<String> = list_of(&plan["places"]).map(text).collect();
    println!("Where: {}.", all.join(", "));
    println!("Contact: {}.", text(&plan["contact"]));
    let met: Vec<String> = list_of(&plan["meets"]).map(text).collect();
    if !met.is_empty() {
        println!("It meets the plans {}.", met.join(", "));
    }
}

/// The first places, and how many more.
fn places(value: &Value) -> String {
    const SHOWN: usize = 3;
    let mut names: Vec<String> = list_of(value).take(SHOWN).map(text).collect();
    let more = list_of(value).count().saturating_sub(SHOWN);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}
