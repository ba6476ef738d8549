//! `commonturf revoke`: takes back a person, many people or a whole share, or lets people rest.

use super::{
    client::{CliError, Desk},
    output,
    people_file::{Named, PeopleFile},
    share::{items, number, text},
};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::{io::IsTerminal, path::Path};

/// People who are looked up at once.
const LOOKED_UP: usize = 2_000;
/// The most unknown people that are printed.
const UNKNOWN_PRINTED: usize = 20;

/// Take back what was shared: a person, many people, or a whole share.
#[derive(Debug, Args)]
pub struct Revoke {
    /// The person: id, system:value or whole name.
    #[arg(long)]
    person: Option<String>,
    /// Many people, with one notice for each share that carried any of them.
    #[command(flatten)]
    people: PeopleFile,
    /// Only in this share; with --all: everybody in it.
    #[arg(long, conflicts_with = "list")]
    share: Option<String>,
    /// Take the whole share back.
    #[arg(long, requires = "share", conflicts_with_all = ["person", "list", "kind"])]
    all: bool,
    /// Why: withdrawal, objection, erasure, restriction (rows stay and are not used), lift (rows that rest may
    /// be used again) or rectification (rows are corrected).
    #[arg(long)]
    kind: Option<String>,
    /// Only tell what would happen.
    #[arg(long)]
    dry_run: bool,
}

impl Revoke {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        if let Some(path) = self.people.path() {
            if self.person.is_some() {
                return Err(CliError::Usage(
                    "name one person with --person, or many with --list, not both".to_owned(),
                ));
            }
            return self.many(desk, path).await;
        }
        if self.person.is_none() && !self.all {
            return Err(CliError::Usage(
                "say who: --person REF; many people: --list FILE; or take a whole share back with --share ID --all"
                    .to_owned(),
            ));
        }
        let body = json!({
            "person": self.person,
            "share": self.share,
            "all": self.all,
            "kind": self.kind,
            "dry_run": self.dry_run,
        });
        send(desk, &body, self.dry_run).await
    }

    async fn many(&self, desk: &Desk, path: &Path) -> Result<(), CliError> {
        let named = self.people.read(path)?;
        let people = look_up(desk, path, &named).await?;
        let bar = bar(0, "telling everybody who holds them");
        let body = json!({ "people": people, "kind": self.kind, "dry_run": self.dry_run });
        let answer = desk.post("/revocations", &body).await;
        bar.finish_and_clear();
        show(desk, &answer?, self.dry_run);
        Ok(())
    }
}

/// The ids of everybody in a file; nothing is done while anybody in it is unknown.
async fn look_up(desk: &Desk, path: &Path, named: &[Named]) -> Result<Vec<String>, CliError> {
    let bar = bar(named.len() as u64, "looking people up");
    let mut people = Vec::new();
    let mut unknown = Vec::new();
    for some in named.chunks(LOOKED_UP) {
        let references: Vec<&str> = some.iter().map(|named| named.reference.as_str()).collect();
        let body = json!({ "people": references });
        let answer: Value = desk.post("/revocations/check", &body).await?;
        let ids = items(&answer["people"]).iter();
        people.extend(ids.filter_map(Value::as_str).map(str::to_owned));
        for problem in items(&answer["problems"]) {
            let n = problem["n"].as_u64().and_then(|n| usize::try_from(n).ok());
            let line = n
                .and_then(|n| some.get(n.checked_sub(1)?))
                .map_or(0, |named| named.line);
            unknown.push(format!("line {line}: {}", text(problem, "why")));
        }
        bar.inc(some.len() as u64);
    }
    bar.finish_and_clear();
    if unknown.is_empty() {
        people.sort_unstable();
        people.dedup();
        return Ok(people);
    }
    let count = unknown.len();
    unknown.truncate(UNKNOWN_PRINTED);
    Err(CliError::Usage(format!(
        "{}: {count} of {} people are not known, and nothing was changed; correct these lines or take them out:\n{}",
        path.display(),
        named.len(),
        unknown.join("\n")
    )))
}

fn bar(length: u64, message: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, style) = if length == 0 {
        (ProgressBar::new_spinner(), "{msg} {elapsed}")
    } else {
        (
            ProgressBar::new(length),
            "{msg} {wide_bar} {pos}/{len} {elapsed}",
        )
    };
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar.with_message(message)
}

/// Sends notices and tells what became of them.
pub(super) async fn send(desk: &Desk, body: &Value, dry_run: bool) -> Result<(), CliError> {
    let answer: Value = desk.post("/revocations", body).await?;
    show(desk, &answer, dry_run);
    Ok(())
}

fn show(desk: &Desk, answer: &Value, dry_run: bool) {
    if desk.json {
        output::json(answer);
        return;
    }
    if dry_run {
        println!("Nothing was changed. This would happen:");
    }
    let people = answer["people"].as_u64().unwrap_or(0);
    if people > 1 {
        println!("It is about {people} people.");
    }
    let records = answer["consents_withdrawn"].as_u64().unwrap_or(0);
    if records > 0 {
        println!("Consent withdrawn in {records} records.");
    }
    let notices = items(&answer["notices"]);
    if notices.is_empty() {
        println!("Nobody holds it by this organization's ledger; nobody had to be told.");
    }
    for notice in notices {
        let state = match text(notice, "state") {
            "done" => "told",
            "waiting" => "waits for the keeper",
            "share-waits" => "the share itself waits for the keeper; the notice follows it",
            "void" => "did not take effect; say it again",
            _ => "would be told",
        };
        println!(
            "{}: {} rows of share {}: {state}",
            text(notice, "name"),
            number(notice, "rows"),
            text(notice, "share")
        );
    }
    if !dry_run && !notices.is_empty() {
        println!("Confirmations: commonturf receipts");
    }
}
