//! `commonturf coalition`: create, invite, status, log; who comes is in `door`, who goes in `parting`.

use super::{
    client::{CliError, Desk},
    door, output, parting,
};
use clap::Subcommand;
use serde_json::{Value, json};
use std::path::Path;

/// Found, join and look after a coalition.
#[derive(Debug, Subcommand)]
pub enum Coalition {
    /// Found a coalition; this node keeps its log.
    Create {
        /// The coalition's name.
        name: String,
        /// The terms: a TOML file, or template:NAME.
        #[arg(long, value_name = "FILE|template:NAME")]
        agreement: String,
    },
    /// Make a one-use invitation and print its code.
    Invite {
        /// For whom it is meant.
        #[arg(long)]
        to_name: String,
        /// How many hours it is good.
        #[arg(long, default_value_t = crate::coalition::invite::HOURS_DEFAULT)]
        hours: u32,
    },
    /// Ask to join with an invitation's code.
    Join {
        /// The code, as it was told.
        #[arg(required = true, num_args = 1..)]
        code: Vec<String>,
    },
    /// Say which digits your inviter has read to you; this node comes in once it is approved.
    Compared {
        /// The digits, with or without spaces.
        #[arg(required = true, num_args = 1..)]
        digits: Vec<String>,
    },
    /// Show who waits at the door, since when, and the digits to compare with them.
    Waiting,
    /// Approve a newcomer that this organization invited, and propose the agreement for all members.
    Approve {
        /// Its name, or the beginning of its node id.
        organization: String,
        /// The digits that its people have read to you, on a number that you had before.
        #[arg(long, value_name = "DIGITS")]
        compared: Option<String>,
        /// Do not propose the agreement now: more newcomers follow.
        #[arg(long)]
        no_propose: bool,
    },
    /// Leave: take every share back first, and go once nobody owes a receipt.
    Leave {
        /// Show what would happen and change nothing.
        #[arg(long)]
        dry_run: bool,
        /// Go at once: receipts that come later are not read any more.
        #[arg(long)]
        without_waiting: bool,
    },
    /// Propose that a member goes; it goes once enough others agree.
    Remove {
        /// Its name, or the beginning of its node id.
        organization: String,
        /// Why, on one line; all members read it.
        #[arg(long)]
        reason: String,
        /// Show what would happen and say nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Agree with a proposal that a member goes.
    ApproveRemoval {
        /// Its name, or the beginning of its node id.
        organization: String,
        /// Show what would happen and say nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Bring a node that has stopped back into the group, with the state that the others have.
    Return,
    /// Show members, keeper, epoch, log head, state hash and agreement.
    Status,
    /// Keep the log again after this keeper was restored from a backup; the other keepers have it.
    KeepAgain {
        /// This node is the only keeper: go on with what members have handed back so far.
        #[arg(long)]
        lone: bool,
        /// Show how far each member reaches and whose word is missing, and change nothing.
        #[arg(long, requires = "lone")]
        dry_run: bool,
    },
    /// Show what this node read in the coalition log, newest first.
    Log {
        /// How many lines.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
}

impl Coalition {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Create { name, agreement } => create(desk, name, agreement).await,
            Self::Invite { to_name, hours } => invite(desk, to_name, *hours).await,
            Self::Join { code } => door::join(desk, &code.concat()).await,
            Self::Compared { digits } => door::compared(desk, &digits.concat()).await,
            Self::Waiting => door::waiting(desk).await,
            Self::Approve {
                organization,
                compared,
                no_propose,
            } => door::approve(desk, organization, compared.as_deref(), *no_propose).await,
            Self::Leave {
                dry_run,
                without_waiting,
            } => parting::leave(desk, *dry_run, *without_waiting).await,
            Self::Remove {
                organization,
                reason,
                dry_run,
            } => parting::remove(desk, organization, Some(reason), *dry_run).await,
            Self::ApproveRemoval {
                organization,
                dry_run,
            } => parting::remove(desk, organization, None, *dry_run).await,
            Self::Return => parting::come_back(desk).await,
            Self::Status => status(desk).await,
            Self::KeepAgain { lone, dry_run } => keep_again(desk, *lone, *dry_run).await,
            Self::Log { limit } => log(desk, *limit).await,
        }
    }
}

/// The terms of an agreement, from a file or a template.
pub(super) fn read_terms(source: &str) -> Result<String, CliError> {
    if let Some(name) = source.strip_prefix("template:") {
        let names: Vec<&str> = policy::terms::templates()
            .iter()
            .map(|template| template.name)
            .collect();
        return policy::terms::template(name)
            .map(|template| template.text.to_owned())
            .ok_or_else(|| {
                CliError::Usage(format!(
                    "no template {name}; there are: {}",
                    names.join(", ")
                ))
            });
    }
    std::fs::read_to_string(source).map_err(|error| CliError::file(Path::new(source), &error))
}

async fn create(desk: &Desk, name: &str, agreement: &str) -> Result<(), CliError> {
    let terms = read_terms(agreement)?;
    let answer: Value = desk
        .post("/coalition", &json!({ "name": name, "terms": terms }))
        .await?;
    if desk.json {
        output::json(&answer);
    } else {
        println!("Founded {name}. This node keeps its log.");
        println!("Next: commonturf coalition invite --to-name \"An ally\"");
    }
    Ok(())
}

async fn invite(desk: &Desk, to_name: &str, hours: u32) -> Result<(), CliError> {
    let answer: Value = desk
        .post(
            "/coalition/invites",
            &json!({ "to_name": to_name, "hours": hours }),
        )
        .await?;
    if desk.json {
        output::json(&answer);
    } else {
        println!(
            "Tell {to_name} this code, over a road that you trust. It is good once, until {}:",
            output::moment(answer["expires_at"].as_i64().unwrap_or_default())
        );
        println!();
        println!("{}", answer["code"].as_str().unwrap_or_default());
    }
    Ok(())
}

/// How the repair of an only keeper stands.
fn repair(repair: &Value) {
    let [before, position] = ["before", "position"].map(|field| repair[field].to_string());
    println!("The copy ended at position {before}; members have handed back up to {position}.");
    let members = repair["members"].as_array();
    for member in members.into_iter().flatten() {
        let name = member["name"].as_str().unwrap_or_default();
        match member["reached"].as_u64() {
            Some(reached) => println!("  {name} had read up to {reached} and has handed back all"),
            None => println!("  {name} has not handed back anything: its word is missing"),
        }
    }
    if let Some(lost) = repair["without_bytes"].as_u64().filter(|lost| *lost > 0) {
        println!("Of {lost} entries nobody holds more than the line; who has not read them");
        println!("comes back with what came of them.");
    }
    if repair["missing"] == true {
        println!(
            "What only those had read whose word is missing is lost if you go on without them."
        );
    }
}

async fn keep_again(desk: &Desk, lone: bool, dry_run: bool) -> Result<(), CliError> {
    let asked = json!({ "lone": lone, "dry_run": dry_run });
    let answer: Value = desk.post("/coalition/keep-again", &asked).await?;
    if desk.json {
        output::json(&answer);
    } else if lone {
        repair(&answer["repair"]);
        if dry_run {
            println!("Nothing was changed. It opens by itself once every member has handed back;");
            println!("without them: commonturf coalition keep-again --lone");
        } else {
            println!(
                "The log is open to be read again. This node orders once a member has given it the group."
            );
        }
    } else {
        println!("This node learns the log from the other keepers and is one of them again then.");
        println!("See: commonturf coalition status");
    }
    Ok(())
}

fn keepers(coalition: &Value) {
    if coalition["quorum"] == "no-quorum" {
        println!(
            "KEEPERS    no-quorum: too few can be reached. Nothing is ordered and nothing is granted;"
        );
        println!("           what you say waits here and goes out by itself.");
    }
    let row = |keeper: &Value| {
        let text = |field: &str| keeper[field].as_str().unwrap_or_default().to_owned();
        let number = |field: &str| keeper[field].as_u64().map(|n| n.to_string());
        vec![
            text("name"),
            text("role"),
            number("position").unwrap_or_default(),
            number("lag").unwrap_or_default(),
            keeper["answered_at"]
                .as_i64()
                .map_or_else(|| "never".to_owned(), output::moment),
            text("error"),
        ]
    };
    let rows: Vec<Vec<String>> = coalition["keepers"]
        .as_array()
        .into_iter()
        .flatten()
        .map(row)
        .collect();
    output::table(&["KEEPER", "ROLE", "POSITION", "LAG", "HEARD", ""], &rows);
}

/// Says that the log has two histories, where it has.
fn frozen(coalition: &Value) {
    if let Some(why) = coalition["frozen"].as_str() {
        println!("FROZEN     nothing new is granted or printed: {why}");
        println!("           show the others: commonturf audit export --fork");
    }
}

async fn status(desk: &Desk) -> Result<(), CliError> {
    let answer: Value = desk.get("/status").await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    println!("{} ({})", text(&answer["name"]), text(&answer["node"]));
    document(&answer["document"]);
    let coalition = &answer["coalition"];
    if coalition.is_null() {
        println!("In no coalition yet.");
        return Ok(());
    }
    println!(
        "Coalition  {} ({})",
        text(&coalition["name"]),
        text(&coalition["phase"])
    );
    door::at_the_door(&coalition["door"]);
    if let Some(why) = coalition["stopped_because"].as_str() {
        let phase = coalition["phase"].as_str().unwrap_or_default();
        println!("{:<10} {why}", phase.to_uppercase());
    }
    frozen(coalition);
    if coalition["repair"].is_object() {
        println!(
            "REPAIR     {}",
            coalition["repair"]["stage"].as_str().unwrap_or_default()
        );
        repair(&coalition["repair"]);
    }
    super::quarantine::say(&coalition["quarantines"]);
    println!(
        "Log        position {}, epoch {}, {}",
        coalition["position"],
        coalition["epoch"],
        output::moment(coalition["log_time"].as_i64().unwrap_or_default())
    );
    println!("Head       {}", text(&coalition["head"]));
    println!("State      {}", text(&coalition["state_hash"]));
    println!("Outbox     {} waiting", coalition["outbox"]);
    if let Some(error) = coalition["keeper_contact"]["error"].as_str() {
        println!("Keeper     {error}");
    }
    if let Some(why) = coalition["reports_withheld"].as_str() {
        println!("Reports    not published: {why}");
    }
    version("Agreement", &coalition["agreement"]);
    for draft in coalition["drafts"].as_array().into_iter().flatten() {
        version("Draft", draft);
    }
    println!();
    keepers(coalition);
    println!();
    members(&coalition["members"]);
    door::newcomers(&coalition["waiting"]);
    removals(&coalition["removals"]);
    if coalition["disputes"]
        .as_array()
        .is_some_and(|open| !open.is_empty())
    {
        println!("\nOpen disputes");
        super::receipts::disputes(&coalition["disputes"]);
    }
    Ok(())
}

/// What is to be known of the own identity document, if anything is.
fn document(document: &Value) {
    let until = output::moment_of(&document["valid_until"]);
    if document["ended"] == true {
        println!(
            "DOCUMENT   ran out {until}: renew it with: commonturf identity rotate --keep-keys"
        );
    } else if document["ends_soon"] == true {
        println!(
            "DOCUMENT   runs out {until} and was not renewed by itself; try: commonturf identity rotate --keep-keys"
        );
    }
    if document["handed_out"] == true {
        println!("DOCUMENT   the next one was handed out and no ally has carried it yet");
    }
}

fn removals(proposed: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for removal in proposed.as_array().into_iter().flatten() {
        println!(
            "Removal: {} proposes to remove {} ({} of {} needed agree): {}",
            text(&removal["proposer"]),
            text(&removal["name"]),
            removal["agree"],
            removal["needed"],
            text(&removal["reason"])
        );
    }
}

fn members(members: &Value) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows: Vec<Vec<String>> = members
        .as_array()
        .into_iter()
        .flatten()
        .map(|member| {
            let mark = |flag: &str, word: &str| {
                if member[flag] == true {
                    word.to_owned()
                } else {
                    String::new()
                }
            };
            vec![
                text(&member["name"]),
                text(&member["kind"]),
                mark("keeper", "keeper"),
                mark("party", "party"),
                standing(member),
                text(&member["node"]),
            ]
        })
        .collect();
    output::table(&["MEMBER", "KIND", "KEEPS", "AGREEMENT", "", "NODE"], &rows);
}

/// What is to be known of a member besides.
fn standing(member: &Value) -> String {
    let mut words = Vec::new();
    if member["you"] == true {
        words.push("you".to_owned());
    }
    if member["leaving"] == true {
        words.push("leaving".to_owned());
    }
    if let Some(at) = member["returned_at"].as_i64() {
        words.push(format!("came back {}", output::moment(at)));
    }
    words.join(", ")
}

fn version(label: &str, version: &Value) {
    if version.is_null() {
        println!("{label:<10} none");
        return;
    }
    let names = |field: &str| -> Vec<&str> {
        version[field]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    };
    let hash: String = version["hash"]
        .as_str()
        .unwrap_or_default()
        .chars()
        .take(12)
        .collect();
    println!(
        "{label:<10} version {} \"{}\" ({hash}), signed by {}",
        version["version"],
        version["title"].as_str().unwrap_or_default(),
        names("signed").join(", ")
    );
    if !names("missing").is_empty() {
        println!("           missing: {}", names("missing").join(", "));
    }
}

async fn log(desk: &Desk, limit: u32) -> Result<(), CliError> {
    let lines: Vec<Value> = desk
        .get(&format!("/coalition/history?limit={limit}"))
        .await?;
    if desk.json {
        output::json(&lines);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = lines
        .iter()
        .map(|line| {
            vec![
                line["position"].to_string(),
                output::moment(line["log_time"].as_i64().unwrap_or_default()),
                line["kind"].as_str().unwrap_or_default().to_owned(),
                line["author"]
                    .as_str()
                    .unwrap_or("-")
                    .chars()
                    .take(8)
                    .collect(),
                line["void"]
                    .as_str()
                    .map(|why| format!("void: {why}"))
                    .unwrap_or_default(),
            ]
        })
        .collect();
    output::table(&["POSITION", "TIME", "KIND", "AUTHOR", ""], &rows);
    Ok(())
}
