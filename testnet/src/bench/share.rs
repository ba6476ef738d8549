//! A share of people who agreed, from the command to the recipient's answer in the log.

use super::{
    measure::{Watch, rounded},
    memory::member,
};
use crate::{
    export_files::van_rows,
    nodes::{Node, Program, found_quietly},
    people::{OrganizationKind, consent},
};
use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use std::{fs::File, io::BufWriter, path::Path, time::Duration};

/// How long the recipient may take.
const TAKEN: Duration = Duration::from_secs(300);

/// The form that everybody on the list has signed: a synthetic organization's, for some allies alone.
pub(super) fn form(allies: &[&str]) -> Result<String> {
    let forms = consent::forms(OrganizationKind::C4);
    let naming = forms
        .into_iter()
        .find(|form| form.form_version == consent::NAMING_FORM);
    let mut form = naming.context("the synthetic form is gone")?;
    for purpose in &mut form.purposes {
        purpose.recipients = allies.iter().map(|ally| (*ally).to_owned()).collect();
    }
    Ok(form.to_toml())
}

/// Brings the list in, with the form that everybody on it has signed, and waits for its tokens.
pub(super) async fn import(sender: &Node, list: &Path, form: &Path) -> Result<()> {
    bring_in(sender, list, form).await?;
    sender.run(&["tokens", "status", "--wait"]).await?;
    Ok(())
}

/// Brings the list in and waits for nothing else.
pub(super) async fn bring_in(sender: &Node, list: &Path, form: &Path) -> Result<()> {
    let text = |path: &Path| {
        let text = path.to_str().map(str::to_owned);
        text.context("a path that is text")
    };
    let (list, form) = (text(list)?, text(form)?);
    let mut import = vec!["import", &list, "--list", "voters"];
    import.extend(["--source", "own_signup", "--basis", "consent"]);
    import.extend(["--consent-form", &form]);
    sender.run(&import).await?;
    Ok(())
}

/// How long one explanation takes by command, of the person that a search finds first.
async fn explain(sender: &Node) -> Result<f64> {
    let found = sender.run(&["people", "search", "a"]).await?;
    let person = found[0]["person_id"].as_str().context("somebody")?;
    let watch = Watch::start();
    let words = ["share", "explain", "--person", person, "--to", "ally"];
    let words = [words.as_slice(), &["--purpose", "issue_advocacy"]].concat();
    sender.run(&words).await?;
    Ok(watch.seconds())
}

/// Shares a list of so many people with one ally.
///
/// # Errors
/// When the nodes cannot be run, or less arrives than was sent.
pub async fn run(rows: u64) -> Result<Map<String, Value>> {
    let program = Program::build().await?;
    let directory = tempfile::tempdir()?;
    let list = directory.path().join("saved_list.csv");
    let form = directory.path().join("form.toml");
    van_rows(
        BufWriter::new(File::create(&list)?),
        1,
        usize::try_from(rows)?,
    )?;
    std::fs::write(&form, self::form(&["ally"])?)?;
    let members = [member("sender", true), member("ally", false)];
    let nodes = found_quietly(
        &program,
        directory.path(),
        &members,
        "template:us-issue-table",
    )
    .await?;
    let [sender, _] = nodes.as_slice() else {
        anyhow::bail!("two nodes were asked for");
    };
    import(sender, &list, &form).await?;
    let words = |verb: &'static str| {
        let mut words = vec!["share", verb, "--to", "ally", "--list", "voters"];
        words.extend(["--purpose", "issue_advocacy", "--fields", "identity,postal"]);
        words
    };
    let watch = Watch::start();
    sender.run(&words("preview")).await?;
    let preview_seconds = watch.seconds();
    let explain_seconds = explain(sender).await?;
    let share = words("send");
    let watch = Watch::start();
    let sent = sender.run(&share).await?;
    let sent_seconds = watch.seconds();
    let received = |shares: &Value| {
        let share = shares["items"].as_array()?.first()?;
        (!share["accepted"].is_null()).then(|| share.clone())
    };
    let answer = sender
        .until("the ally has answered", TAKEN, &["share", "list"], received)
        .await?;
    let seconds = watch.seconds();
    let flowed = sent["recipients"][0]["flow"].clone();
    ensure!(flowed.as_u64() > Some(0), "nobody was shared: {sent}");
    let mut figures = Map::new();
    figures.insert("rows".to_owned(), json!(rows));
    figures.insert("people_shared".to_owned(), flowed);
    figures.insert("people_accepted".to_owned(), answer["accepted"].clone());
    figures.insert("preview_seconds".to_owned(), rounded(preview_seconds));
    figures.insert("explain_seconds".to_owned(), rounded(explain_seconds));
    figures.insert("share_sent_seconds".to_owned(), rounded(sent_seconds));
    figures.insert("share_end_to_end_seconds".to_owned(), rounded(seconds));
    figures.insert(
        "people_per_second".to_owned(),
        rounded(rows as f64 / seconds),
    );
    Ok(figures)
}
