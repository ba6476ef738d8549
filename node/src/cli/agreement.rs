//! `commonturf agreement`: show, propose, sign, templates.

use super::{
    client::{CliError, Desk},
    coalition::read_terms,
    output,
};
use clap::Subcommand;
use serde_json::{Value, json};

/// Show, propose and sign the coalition's agreement.
#[derive(Debug, Subcommand)]
pub enum Agreement {
    /// Show the agreement in force and the drafts.
    Show,
    /// Propose other terms, or the present terms for the present members.
    Propose {
        /// The terms: a TOML file, or template:NAME; without it the present ones.
        #[arg(value_name = "FILE|template:NAME")]
        terms: Option<String>,
        /// Check the terms and change nothing.
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
            Self::Propose { terms, dry_run } => propose(desk, terms.as_deref(), *dry_run).await,
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
        println!();
        println!("{}", version["terms"].as_str().unwrap_or_default());
    }
    Ok(())
}

async fn propose(desk: &Desk, terms: Option<&str>, dry_run: bool) -> Result<(), CliError> {
    let terms = terms.map(read_terms).transpose()?;
    if dry_run {
        if let Some(terms) = &terms {
            policy::terms::Terms::parse(terms)
                .map_err(|error| CliError::Failed(error.to_string()))?;
        }
        if desk.json {
            output::json(&json!({ "dry_run": true, "terms": "readable" }));
        } else {
            println!("The terms can be read. Nothing was proposed.");
        }
        return Ok(());
    }
    let answer: Value = desk.post("/agreement", &json!({ "terms": terms })).await?;
    report(desk, &answer, "Proposed and signed");
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
