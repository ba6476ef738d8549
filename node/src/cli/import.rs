//! `commonturf import` and `commonturf contacts import`: a file into the node.

use super::{
    client::{CliError, Desk},
    output,
};
use clap::{Args, Subcommand};
use futures_util::TryStreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::{
    io::{IsTerminal, Read},
    path::{Path, PathBuf},
};

/// Bytes that are hashed at a time.
const HASH_BYTES: usize = 256 * 1024;

/// Bring a file into a list: VAN, NationBuilder, Action Network, CiviCRM or any CSV.
#[derive(Debug, Args)]
pub struct Import {
    /// The file, as the other system exported it.
    file: PathBuf,
    /// The list; it is made if there is none of this name.
    #[arg(long)]
    list: String,
    /// auto, van-saved-list, nationbuilder, action-network, civicrm or csv.
    #[arg(long, default_value = "auto")]
    format: String,
    /// What a column means, as COLUMN=FIELD; may be given many times.
    #[arg(long, value_name = "COLUMN=FIELD")]
    map: Vec<String>,
    /// The ground on which rows may move: consent, public_record, ...
    #[arg(long)]
    basis: Option<String>,
    /// The consent form that everybody in this file has signed.
    #[arg(long, value_name = "FILE")]
    consent_form: Option<PathBuf>,
    /// The day on which they signed it.
    #[arg(long, value_name = "YYYY-MM-DD")]
    consent_date: Option<String>,
    /// Where the rows come from: own_signup, voter_file, ...
    #[arg(long)]
    source: Option<String>,
    /// Read and count, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Import {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let mut query = Query::new(&self.file, &self.format, self.dry_run)?;
        query.add("list", &self.list);
        for map in &self.map {
            query.add("map", map);
        }
        let optional = [
            ("basis", &self.basis),
            ("source", &self.source),
            ("consent_date", &self.consent_date),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                query.add(name, value);
            }
        }
        if let Some(form) = &self.consent_form {
            let text = std::fs::read(form).map_err(|error| CliError::file(form, &error))?;
            let kept: Value = desk.upload("/consent-forms", text.into()).await?;
            let hash = kept["consent_form"].as_str().unwrap_or_default();
            query.add("consent_form", hash);
        }
        send(desk, "/imports", &self.file, query).await
    }
}

/// Canvass histories of other systems.
#[derive(Debug, Subcommand)]
pub enum Contacts {
    /// Bring a canvass history into the node: attempts, suppressions, notes.
    Import {
        /// The file, as the other system exported it.
        file: PathBuf,
        /// auto or van-contact-history.
        #[arg(long, default_value = "auto")]
        format: String,
        /// The name under which the file knows this organization.
        #[arg(long)]
        committee: Option<String>,
        /// Read and count, and write nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

impl Contacts {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let Self::Import {
            file,
            format,
            committee,
            dry_run,
        } = self;
        let mut query = Query::new(file, format, *dry_run)?;
        if let Some(committee) = committee {
            query.add("committee", committee);
        }
        send(desk, "/contacts/imports", file, query).await
    }
}

/// The parameters of an upload.
struct Query(url::form_urlencoded::Serializer<'static, String>);

impl Query {
    fn new(file: &Path, format: &str, dry_run: bool) -> Result<Self, CliError> {
        let mut query = Self(url::form_urlencoded::Serializer::new(String::new()));
        query.add("format", format);
        query.add("sha256", &hash(file)?);
        query.add("dry_run", if dry_run { "true" } else { "false" });
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        query.add("name", &name);
        Ok(query)
    }

    fn add(&mut self, name: &str, value: &str) {
        self.0.append_pair(name, value);
    }
}

/// The file's hash: by it the node knows the same import again and goes on where it stopped.
fn hash(path: &Path) -> Result<String, CliError> {
    let failed = |error: std::io::Error| CliError::file(path, &error);
    let mut file = std::fs::File::open(path).map_err(failed)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; HASH_BYTES];
    loop {
        match file.read(&mut buffer).map_err(failed)? {
            0 => break,
            read => digest.update(&buffer[..read]),
        }
    }
    Ok(data_encoding::HEXLOWER.encode(&digest.finalize()))
}

async fn send(desk: &Desk, path: &str, file: &Path, mut query: Query) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::file(file, &error);
    let open = tokio::fs::File::open(file).await.map_err(failed)?;
    let size = open.metadata().await.map_err(failed)?.len();
    let bar = if std::io::stderr().is_terminal() {
        ProgressBar::new(size)
    } else {
        ProgressBar::hidden()
    };
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {msg}") {
        bar.set_style(style);
    }
    let counted = bar.clone();
    let stream = tokio_util::io::ReaderStream::new(open)
        .inspect_ok(move |chunk| counted.inc(chunk.len() as u64));
    let target = format!("{path}?{}", query.0.finish());
    let report: Value = desk
        .upload(&target, reqwest::Body::wrap_stream(stream))
        .await?;
    bar.finish_and_clear();
    show(desk, &report);
    Ok(())
}

fn show(desk: &Desk, report: &Value) {
    if desk.json {
        output::json(report);
        return;
    }
    let rejects = report["rejects"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    for (name, value) in report.as_object().into_iter().flatten() {
        let plain = match value {
            Value::Number(number) => number.to_string(),
            Value::String(text) if !text.is_empty() => text.clone(),
            Value::Array(items) if name != "rejects" && !items.is_empty() => {
                let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                words.join(", ")
            }
            Value::Bool(true) => "yes".to_owned(),
            _ => continue,
        };
        println!("{:<20} {plain}", name.replace('_', " "));
    }
    for reject in rejects {
        println!(
            "line {}: {} {}",
            reject["line"],
            reject["column"].as_str().unwrap_or_default(),
            reject["reason"].as_str().unwrap_or_default()
        );
    }
}
