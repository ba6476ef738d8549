//! `commonturf agreement`: show, propose, sign, and what is stated of each member.

use super::{
    client::{CliError, Desk},
    coalition::read_terms,
    output,
};
use crate::{
    coalition::parties::{self, Stated},
    disclosure::{self, Readers, Reading},
};
use clap::Subcommand;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Show, propose and sign the coalition's agreement.
#[derive(Debug, Subcommand)]
pub enum Agreement {
    /// Show the agreement in force and the drafts.
    Show,
    /// Print what the next version would state of each member, as a file to edit and propose.
    Parties,
    /// Propose other terms or facts, or the present ones for the present members.
    Propose {
        /// The terms: a TOML file, or template:NAME; without it the present ones.
        #[arg(value_name = "FILE|template:NAME")]
        terms: Option<String>,
        /// What changes of members: a TOML file as `agreement parties` prints it; what it leaves
        /// out stays as it is.
        #[arg(long, value_name = "FILE")]
        parties: Option<PathBuf>,
        /// Who keeps the log from then on: 1, 3 or 5 members, by name or beginning of the node id.
        #[arg(long, value_name = "MEMBER,...", value_delimiter = ',')]
        keepers: Option<Vec<String>>,
        /// Check everything, show who may read what, and change nothing.
        #[arg(long)]
        dry_run: bool,
    },
    /// Sign the draft that waits for this organization.
    Sign {
        /// The beginning of the draft's hash, where several wait.
        draft: Option<String>,
    },
}

impl Agreement {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Show => show(desk).await,
            Self::Parties => parties(desk).await,
            Self::Propose {
                terms,
                parties,
                keepers,
                dry_run,
            } => {
                let who = (parties.as_deref(), keepers.as_deref());
                propose(desk, terms.as_deref(), who, *dry_run).await
            }
            Self::Sign { draft } => sign(desk, draft.as_deref()).await,
        }
    }
}

async fn show(desk: &Desk) -> Result<(), CliError> {
    let answer: Value = desk.get("/agreement").await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    let drafts = answer["drafts"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|draft| ("Draft", draft));
    for (label, version) in [("In force", &answer["in_force"])]
        .into_iter()
        .chain(drafts)
    {
        if version.is_null() {
            println!("No agreement is in force.");
            continue;
        }
        let names = |field: &str| -> String {
            let names: Vec<&str> = version[field]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            if names.is_empty() {
                "nobody".to_owned()
            } else {
                names.join(", ")
            }
        };
        println!(
            "# {label}: version {}, hash {}",
            version["version"],
            version["hash"].as_str().unwrap_or_default()
        );
        println!(
            "# Follows {}",
            version["before"].as_str().unwrap_or_default()
        );
        println!(
            "# Signed by {}; missing: {}",
            names("signed"),
            names("missing")
        );
        println!("# Kept by {}", names("keepers"));
        let mut about = stated(&read(version, "parties")?);
        match version["readers_missing"].as_str() {
            Some(why) => about.push(format!("Who may read whose work cannot be told: {why}")),
            None => about.extend(table(&read(version, "readers")?)),
        }
        // Comments to who saves it all as a file of terms.
        for line in about {
            println!("{}", format!("# {line}").trim_end());
        }
        println!();
        println!("{}", version["terms"].as_str().unwrap_or_default());
    }
    Ok(())
}

/// The rows of a part of an answer.
fn read<T: DeserializeOwned>(answer: &Value, part: &str) -> Result<Vec<T>, CliError> {
    serde_json::from_value(answer[part].clone())
        .map_err(|error| CliError::Failed(format!("the node's answer cannot be read: {error}")))
}

/// What is stated of each member, as lines.
fn stated(parties: &[Stated]) -> Vec<String> {
    let row = |party: &Stated| {
        vec![
            party.name.clone(),
            party.kind.clone(),
            party.words().join("; "),
            party.attestation(),
        ]
    };
    let rows: Vec<Vec<String>> = parties.iter().map(row).collect();
    let mut lines = vec![String::new()];
    lines.extend(output::table_lines(
        &["MEMBER", "KIND", "STATED", "ATTESTED"],
        &rows,
    ));
    lines
}

/// Who may read whose plans, claims and contact reports, and why not, as lines.
fn table(readers: &[Readers]) -> Vec<String> {
    let row = |row: &Readers| {
        let cells = row.cells().map(Reading::words);
        [row.member.clone()].into_iter().chain(cells).collect()
    };
    let rows: Vec<Vec<String>> = readers.iter().map(row).collect();
    let mut lines = vec![
        String::new(),
        "Who may read what a member publishes; what one may not read is not published:".to_owned(),
    ];
    let headings = ["OF", "PLANS", "CLAIMS", "CONTACT REPORTS"];
    lines.extend(output::table_lines(&headings, &rows));
    lines.extend(disclosure::reasons(readers));
    lines
}

async fn parties(desk: &Desk) -> Result<(), CliError> {
    let answer: Value = desk.get("/agreement").await?;
    if desk.json {
        output::json(&answer["present"]);
    } else {
        print!("{}", parties::file(&read(&answer, "present")?));
    }
    Ok(())
}

async fn propose(
    desk: &Desk,
    terms: Option<&str>,
    (parties, keepers): (Option<&Path>, Option<&[String]>),
    dry_run: bool,
) -> Result<(), CliError> {
    let terms = terms.map(read_terms).transpose()?;
    let file = |path| std::fs::read_to_string(path).map_err(|error| CliError::file(path, &error));
    let parties = parties.map(file).transpose()?;
    let wanted =
        json!({ "terms": terms, "parties": parties, "keepers": keepers, "dry_run": dry_run });
    let answer: Value = desk.post("/agreement", &wanted).await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    let stated = stated(&read(&answer, "parties")?);
    let table = table(&read(&answer, "readers")?);
    for line in stated.iter().chain(&table).skip(1) {
        println!("{line}");
    }
    println!();
    if dry_run {
        println!("It can be proposed. Nothing was.");
    } else {
        report(desk, &answer, "Proposed and signed");
    }
    Ok(())
}

async fn sign(desk: &Desk, draft: Option<&str>) -> Result<(), CliError> {
    let answer: Value = desk
        .post("/agreement/signatures", &json!({ "draft": draft }))
        .await?;
    report(desk, &answer, "Signed");
    Ok(())
}

fn report(desk: &Desk, answer: &Value, done: &str) {
    if desk.json {
        output::json(answer);
        return;
    }
    println!("{done} {}.", answer["hash"].as_str().unwrap_or_default());
    match (answer["state"].as_str(), answer["in_force"].as_bool()) {
        (Some("waiting"), _) => println!("The signature waits for the keeper."),
        (_, Some(true)) => println!("All members have signed: it is in force."),
        _ => println!("It comes into force once all members have signed."),
    }
}
