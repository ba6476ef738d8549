//! `commonturf import`: a file of another system onto one of the organization's lists.

use super::{
    client::{CliError, Desk},
    output,
};
use clap::Args;
use futures_util::TryStreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use protocol::id::Hash;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    io::{IsTerminal, Read},
    path::{Path, PathBuf},
};
use tokio_util::io::ReaderStream;

/// Bytes that are hashed at once.
const PIECE: usize = 64 * 1024;
/// The format that holds attempts to reach people, not people.
const HISTORY: &str = "van-contact-history";
/// The most rejected rows that are printed.
const REJECTS_PRINTED: usize = 20;

/// Import a file onto a list; the same file twice adds nothing.
#[derive(Debug, Args)]
pub struct Import {
    /// The file: CSV, tab separated, .xlsx, or a .zip of one.
    file: PathBuf,
    /// The list; it is made when there is none with this name.
    #[arg(long)]
    list: String,
    /// auto, van-saved-list, nationbuilder, action-network, civicrm or csv; van-contact-history is taken as by
    /// `contacts import`.
    #[arg(long, default_value = "auto")]
    format: String,
    /// What a column means; may be given several times.
    #[arg(long, value_name = "COLUMN=FIELD")]
    map: Vec<String>,
    /// The ground on which the rows may move.
    #[arg(long)]
    basis: Option<String>,
    /// The consent form that everybody in the file signed.
    #[arg(long, value_name = "FILE")]
    consent_form: Option<PathBuf>,
    /// When they signed it.
    #[arg(long, value_name = "DATE", requires = "consent_form")]
    consent_date: Option<String>,
    /// Where the rows come from.
    #[arg(long)]
    source: Option<String>,
    /// Read and count, change nothing; the consent form itself is kept.
    #[arg(long)]
    dry_run: bool,
}

impl Import {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let file = Upload {
            file: &self.file,
            format: &self.format,
            dry_run: self.dry_run,
        };
        if self.format == HISTORY {
            // Attempts are on no list: they go to the people who have these ids, on whichever list.
            let answer = file.send(desk, "/contacts/imports", Vec::new()).await?;
            show(desk, &answer);
            return Ok(());
        }
        let mut pairs = vec![("list", self.list.clone())];
        pairs.extend(self.map.iter().map(|map| ("map", map.clone())));
        let optional = [
            ("basis", &self.basis),
            ("source", &self.source),
            ("consent_date", &self.consent_date),
        ];
        for (key, value) in optional {
            pairs.extend(value.clone().map(|value| (key, value)));
        }
        if let Some(path) = &self.consent_form {
            let form = std::fs::read(path).map_err(|error| CliError::file(path, &error))?;
            let kept: Value = desk.upload("/consent-forms", form.into()).await?;
            let hash = kept["consent_form"].as_str().unwrap_or_default();
            pairs.push(("consent_form", hash.to_owned()));
        }
        let answer = file.send(desk, "/imports", pairs).await?;
        show(desk, &answer);
        Ok(())
    }
}

/// A file on its way to the node.
pub(super) struct Upload<'a> {
    pub(super) file: &'a Path,
    pub(super) format: &'a str,
    pub(super) dry_run: bool,
}

impl Upload<'_> {
    /// Hashes the file, sends it as a stream and waits for the report.
    pub(super) async fn send(
        &self,
        desk: &Desk,
        path: &str,
        mut pairs: Vec<(&str, String)>,
    ) -> Result<Value, CliError> {
        let failed = |error: std::io::Error| CliError::file(self.file, &error);
        let hash = hash(self.file).map_err(failed)?;
        pairs.push(("format", self.format.to_owned()));
        pairs.push(("sha256", hash.to_string()));
        pairs.push(("dry_run", self.dry_run.to_string()));
        if let Some(name) = self.file.file_name() {
            pairs.push(("name", name.to_string_lossy().into_owned()));
        }
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(&pairs);
        let file = tokio::fs::File::open(self.file).await.map_err(failed)?;
        let bytes = file.metadata().await.map_err(failed)?.len();
        let bar = bar(bytes);
        let counted = bar.clone();
        let stream = ReaderStream::new(file).inspect_ok(move |piece| {
            counted.inc(piece.len() as u64);
            if counted.position() >= bytes {
                counted.set_message("reading the rows");
            }
        });
        let path = format!("{path}?{}", query.finish());
        let answer = desk.upload(&path, reqwest::Body::wrap_stream(stream)).await;
        bar.finish_and_clear();
        answer
    }
}

fn hash(path: &Path) -> std::io::Result<Hash> {
    let mut file = std::fs::File::open(path)?;
    let mut hasher = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        let count = file.read(&mut piece)?;
        if count == 0 {
            return Ok(Hash(hasher.finalize().into()));
        }
        hasher.update(piece.get(..count).unwrap_or_default());
    }
}

fn bar(bytes: u64) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(bytes).with_message("sending");
    let style = ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {elapsed}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// Prints a report.
pub(super) fn show(desk: &Desk, report: &Value) {
    if desk.json {
        output::json(report);
    } else {
        print(report);
    }
}

fn print(report: &Value) {
    let text = |field: &str| report[field].as_str().unwrap_or_default();
    let count = |field: &str| report[field].as_u64().unwrap_or_default();
    println!(
        "{}: {} rows, read as {}.",
        text("file_name"),
        count("rows"),
        text("format")
    );
    let refused = text("refused");
    if !refused.is_empty() {
        println!("The file was refused: {refused}");
    }
    if text("state") == "running" {
        println!("It has not come to its end; the same command goes on with it.");
    }
    if let Some(row) = report["resumed_at"].as_u64() {
        println!("Resumed at row {row}: an earlier import of this file had ended there.");
    }
    let lines = [
        ("imported", "new people"),
        ("updated", "known people with something new"),
        ("contacts", "new attempts"),
        ("joined", "attempts that now lead to a person"),
        ("unchanged", "known already"),
        ("duplicates_merged", "rows about a person of an earlier row"),
        ("suppressions", "new suppressions"),
        ("consents", "new consent records"),
        ("consents_withdrawn", "consents taken back"),
        ("unjoined", "attempts that lead to nobody on any list"),
        ("other_committee", "attempts of other committees"),
        ("rejected", "rows left out"),
    ];
    for (field, label) in lines.iter().filter(|(field, _)| count(field) > 0) {
        println!("{:>9}  {label}", count(field));
    }
    doubts(report);
    if report["dry_run"] == true {
        println!("This was a dry run: nothing was changed.");
    }
}

fn doubts(report: &Value) {
    let columns = |field: &str| -> Vec<&str> {
        let names = report[field].as_array().into_iter().flatten();
        names.filter_map(Value::as_str).collect()
    };
    let unknown = columns("unknown_columns");
    if !unknown.is_empty() {
        println!("Kept without a meaning: {}", unknown.join(", "));
    }
    let left_out = columns("left_out_columns");
    if !left_out.is_empty() {
        println!("Columns left out: {}", left_out.join(", "));
    }
    for (message, times) in report["warnings"].as_object().into_iter().flatten() {
        println!("{:>9}  {message}", times.as_u64().unwrap_or_default());
    }
    for (result, times) in report["unknown_results"].as_object().into_iter().flatten() {
        let times = times.as_u64().unwrap_or_default();
        println!("{times:>9}  unknown result \"{result}\"");
    }
    let rejects = report["rejects"].as_array().map_or(&[][..], Vec::as_slice);
    for reject in rejects.iter().take(REJECTS_PRINTED) {
        let reason = reject["reason"].as_str().unwrap_or_default();
        match reject["column"].as_str() {
            Some(column) if !column.is_empty() => {
                println!("Line {}, column \"{column}\": {reason}", reject["line"]);
            }
            _ => println!("Line {}: {reason}", reject["line"]),
        }
    }
    if rejects.len() > REJECTS_PRINTED {
        let id = report["import_id"].as_str().unwrap_or_default();
        println!("Every row that was left out: commonturf imports {id} --rejects");
    }
}
