//! A recall of many people at several recipients, from one command until every signed receipt is there.

use super::{
    measure::{Watch, rounded},
    memory::member,
    share,
};
use crate::{
    export_files::van_rows,
    nodes::{Node, Program, found_quietly},
};
use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use std::{fs::File, io::BufWriter, path::Path, time::Duration};

/// Who is given the people, and must give them up.
const ALLIES: [&str; 5] = ["ally-1", "ally-2", "ally-3", "ally-4", "ally-5"];
/// The file of the people.
const LIST: &str = "saved_list.csv";
/// How long the recipients may take for the shares, and for the receipts.
const TAKEN: Duration = Duration::from_secs(900);

/// Gives a list of so many people to five allies, takes everybody on it back by one command, and waits for
/// the receipts.
///
/// # Errors
/// When the nodes cannot be run, or a receipt says less than was taken back.
pub async fn run(rows: u64) -> Result<Map<String, Value>> {
    let program = Program::build().await?;
    let directory = tempfile::tempdir()?;
    let mut members = vec![member("sender", true)];
    members.extend(ALLIES.map(|ally| member(ally, false)));
    let terms = "template:us-issue-table";
    let nodes = found_quietly(&program, directory.path(), &members, terms).await?;
    let sender = nodes.first().context("no node was started")?;
    import(sender, directory.path(), rows).await?;
    let shares = shared(sender).await?;
    let list = directory.path().join(LIST);
    let list = list.to_str().context("a path that is text")?;
    // Everybody on the list by the ids of the system that it came from, in one command.
    let revoke = [
        "revoke", "--list", list, "--column", "VanID", "--system", "van",
    ];
    let watch = Watch::start();
    let dry = [revoke.as_slice(), &["--dry-run"]].concat();
    let would = sender.run(&dry).await?;
    let dry_run_seconds = watch.seconds();
    ensure!(
        would["notices"].as_array().map(Vec::len) == Some(shares.len()),
        "one notice per share was expected: {would}"
    );
    let watch = Watch::start();
    sender.run(&revoke).await?;
    let told_seconds = watch.seconds();
    let all = |receipts: &Value| {
        let items = receipts["items"].as_array()?;
        let signed = |item: &Value| !item["signed"].is_null();
        (items.len() == shares.len() && items.iter().all(signed)).then(|| items.clone())
    };
    let receipts = sender
        .until("every ally has signed", TAKEN, &["receipts"], all)
        .await?;
    let seconds = watch.seconds();
    let erased = |receipt: &Value| receipt["erased"].as_u64().unwrap_or_default();
    let people = receipts.iter().map(erased).min().unwrap_or_default();
    ensure!(
        receipts
            .iter()
            .all(|receipt| receipt["rows"] == receipt["erased"]),
        "a receipt says less than was taken back"
    );
    ensure!(people > 0, "nobody was taken back");
    let mut figures = Map::new();
    figures.insert("rows".to_owned(), json!(rows));
    figures.insert("people".to_owned(), json!(people));
    figures.insert("recipients".to_owned(), json!(receipts.len()));
    figures.insert("dry_run_seconds".to_owned(), rounded(dry_run_seconds));
    figures.insert("seconds_until_all_told".to_owned(), rounded(told_seconds));
    figures.insert("seconds_until_all_receipts".to_owned(), rounded(seconds));
    Ok(figures)
}

/// A list of people who have all signed a form that names every ally.
async fn import(sender: &Node, directory: &Path, rows: u64) -> Result<()> {
    let list = directory.join(LIST);
    let form = directory.join("form.toml");
    let out = BufWriter::new(File::create(&list)?);
    van_rows(out, 1, usize::try_from(rows)?)?;
    std::fs::write(&form, share::form(&ALLIES)?)?;
    share::import(sender, &list, &form).await
}

/// Shares the list with every ally and waits until each has answered; the ids of the shares.
async fn shared(sender: &Node) -> Result<Vec<String>> {
    for ally in ALLIES {
        let mut share = vec!["share", "send", "--to", ally, "--list", "voters"];
        share.extend(["--purpose", "issue_advocacy", "--fields", "identity,postal"]);
        sender.run(&share).await?;
    }
    let answered = |shares: &Value| {
        let items = shares["items"].as_array()?;
        let taken = |item: &Value| item["accepted"].as_u64() > Some(0);
        (items.len() == ALLIES.len() && items.iter().all(taken)).then(|| items.clone())
    };
    let shares = sender
        .until(
            "every ally has answered",
            TAKEN,
            &["share", "list"],
            answered,
        )
        .await?;
    let id = |share: &Value| share["share"].as_str().map(str::to_owned);
    shares
        .iter()
        .map(|share| id(share).context("a share without an id"))
        .collect()
}
