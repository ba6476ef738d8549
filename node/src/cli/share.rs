//! `commonturf share`: preview, explain, send, list, uses.

use super::{
    client::{CliError, Desk},
    output,
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

/// Share people with allies: preview, explain, send, list, uses.
#[derive(Debug, Subcommand)]
pub enum Share {
    /// Tell what would flow of a list or of received rows and why the rest would not; changes nothing.
    Preview(What),
    /// Tell every rule that decides about one person.
    Explain(Explain),
    /// Share what may flow of a list or of received rows.
    Send {
        /// What it is about.
        #[command(flatten)]
        what: What,
        /// Only tell what would happen.
        #[arg(long)]
        dry_run: bool,
    },
    /// List the shares that this organization gave.
    List,
    /// List the uses of shared rows that any member announced.
    Uses,
}

/// What to share with whom.
#[derive(Debug, Args)]
pub struct What {
    /// The recipients: name or the beginning of a node id.
    #[arg(long, required = true, num_args = 1.., value_name = "ORGANIZATION")]
    to: Vec<String>,
    /// The list to share from.
    #[arg(
        long,
        value_name = "NAME",
        required_unless_present = "received",
        conflicts_with = "received"
    )]
    list: Option<String>,
    /// Pass on what others gave, where the people and rules let it be passed on.
    #[arg(long)]
    received: bool,
    /// Of what others gave, only what this organization gave.
    #[arg(long, value_name = "ORGANIZATION", requires = "received")]
    from: Option<String>,
    /// Of what others gave, only this share.
    #[arg(long, value_name = "ID", requires = "received")]
    share: Option<String>,
    /// What for: gotv, persuasion, fundraising, issue_advocacy, voter_registration, event, petition, membership,
    /// online_ads, constituent_service.
    #[arg(long)]
    purpose: String,
    /// Classes of fields: identity, postal, email, phone, political, engagement.
    #[arg(long, required = true, value_delimiter = ',')]
    fields: Vec<String>,
    /// How the recipient will reach people: door, phone, text, email.
    #[arg(long, default_value = "door")]
    channel: String,
    /// The last day on which the recipient may use it: YYYY-MM-DD.
    #[arg(long, value_name = "DATE")]
    expires: Option<String>,
    /// What the recipients give for it.
    #[command(flatten)]
    given: Given,
}

/// What the recipients give for a share.
#[derive(Debug, Args)]
pub struct Given {
    /// What the recipients give: none, fmv_paid (the usual price), in_kind_reported, exchange.
    #[arg(long, default_value = "none")]
    consideration: String,
    /// The id of the invoice or report that proves it; every member reads it.
    #[arg(long, value_name = "ID")]
    evidence: Option<String>,
    /// The same terms are open to every organization of the recipient's kind.
    #[arg(long)]
    equal_terms: bool,
}

impl Given {
    fn body(&self) -> Value {
        json!({
            "consideration": self.consideration,
            "evidence": self.evidence,
            "equal_terms": self.equal_terms,
        })
    }
}

/// A person to explain.
#[derive(Debug, Args)]
pub struct Explain {
    /// The person: id, system:value or whole name; or a received row by its `reference` in the export.
    #[arg(long)]
    person: String,
    /// The recipients.
    #[arg(long, required = true, num_args = 1.., value_name = "ORGANIZATION")]
    to: Vec<String>,
    /// What for.
    #[arg(long)]
    purpose: String,
    /// Classes of fields; all without it.
    #[arg(long, value_delimiter = ',')]
    fields: Vec<String>,
    /// How the recipient will reach the person.
    #[arg(long, default_value = "door")]
    channel: String,
    /// What the recipients give for it.
    #[command(flatten)]
    given: Given,
}

impl Share {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Preview(what) => {
                let answer: Value = desk.post("/shares/preview", &what.body(true)).await?;
                show_recipients(desk, &answer);
            }
            Self::Send { what, dry_run } => {
                let answer: Value = desk.post("/shares", &what.body(*dry_run)).await?;
                show_recipients(desk, &answer);
                let void = items(&answer["recipients"])
                    .iter()
                    .any(|sent| sent["state"] == "void");
                let sent = items(&answer["recipients"]);
                if !dry_run && sent.iter().all(|sent| sent["state"] == "nothing") {
                    return Err(CliError::Failed(
                        "nothing was sent: the rules above withhold everybody".to_owned(),
                    ));
                }
                if void {
                    return Err(CliError::Failed(
                        "a share did not take effect; the coalition's agreement may have changed, try again".to_owned(),
                    ));
                }
            }
            Self::Explain(explain) => show_explanations(desk, explain).await?,
            Self::List => list(desk).await?,
            Self::Uses => uses(desk).await?,
        }
        Ok(())
    }
}

impl What {
    fn body(&self, dry_run: bool) -> Value {
        json!({
            "to": self.to,
            "list": self.list,
            "received": self.received,
            "from": self.from,
            "share": self.share,
            "purpose": self.purpose,
            "fields": self.fields,
            "channel": self.channel,
            "expires": self.expires,
            "given": self.given.body(),
            "dry_run": dry_run,
        })
    }
}

/// The elements of a JSON list; none where there is no list.
pub(super) fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// A text of an answer; empty where there is none.
pub(super) fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_default()
}

/// A number of an answer.
pub(super) fn number(value: &Value, field: &str) -> String {
    value[field]
        .as_u64()
        .map_or_else(|| "-".to_owned(), |number| number.to_string())
}

/// A moment of an answer.
pub(super) fn moment(value: &Value, field: &str) -> String {
    value[field]
        .as_i64()
        .map_or_else(|| "-".to_owned(), output::moment)
}

/// Words of a JSON list, with commas.
pub(super) fn words(value: &Value, field: &str) -> String {
    let words: Vec<&str> = items(&value[field])
        .iter()
        .filter_map(Value::as_str)
        .collect();
    words.join(", ")
}

fn counts(value: &Value) -> String {
    let counts: Vec<String> = value
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    counts.join(", ")
}

fn show_recipients(desk: &Desk, answer: &Value) {
    if desk.json {
        output::json(answer);
        return;
    }
    for recipient in items(&answer["recipients"]) {
        let name = text(recipient, "name");
        match text(recipient, "state") {
            "done" => println!("Shared with {name}: share {}.", text(recipient, "share")),
            "waiting" => println!(
                "The share with {name} waits for the keeper: share {}.",
                text(recipient, "share")
            ),
            "void" => println!(
                "The share with {name} did not take effect: {}.",
                text(recipient, "note")
            ),
            "nothing" => println!("Nothing may flow to {name}; nothing was sent."),
            _ => println!("To {name} (nothing was sent):"),
        }
        let fields = counts(&recipient["fields"]);
        println!(
            "  {} of {} people flow{}.",
            number(recipient, "flow"),
            number(recipient, "people"),
            if fields.is_empty() {
                fields
            } else {
                format!(" ({fields})")
            }
        );
        let unreachable = recipient["unreachable"].as_u64().unwrap_or(0);
        if unreachable > 0 {
            println!("  {unreachable} could not be reached by what may flow, and do not.");
        }
        let withheld = items(&recipient["withheld"]);
        if !withheld.is_empty() {
            println!("  Withheld:");
        }
        for rule in withheld {
            println!(
                "    {}: nothing of {} people; values: {}",
                text(rule, "rule"),
                number(rule, "people"),
                counts(&rule["fields"])
            );
            println!("      {}", text(rule, "reason"));
            if !text(rule, "cite").is_empty() {
                println!("      Source: {}", text(rule, "cite"));
            }
            if !text(rule, "fix").is_empty() {
                println!("      What helps: {}", text(rule, "fix"));
            }
        }
    }
}

async fn show_explanations(desk: &Desk, explain: &Explain) -> Result<(), CliError> {
    let body = json!({
        "person": explain.person,
        "to": explain.to,
        "purpose": explain.purpose,
        "fields": explain.fields,
        "channel": explain.channel,
        "given": explain.given.body(),
    });
    let answer: Value = desk.post("/shares/explain", &body).await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    for cell in items(&answer["items"]) {
        println!("{}: {}", text(cell, "field"), text(cell, "decision"));
        if !text(cell, "error").is_empty() {
            println!("  the question cannot be judged: {}", text(cell, "error"));
        }
        for layer in ["agreement", "law", "own"] {
            let verdict = &cell["layers"][layer];
            if verdict.is_null() {
                continue;
            }
            println!("  {layer}: {}", text(verdict, "decision"));
            for rule in items(&verdict["by"]) {
                println!("    {}: {}", text(rule, "id"), text(rule, "reason"));
                if !text(rule, "cite").is_empty() {
                    println!("      Source: {}", text(rule, "cite"));
                }
            }
        }
        for miss in items(&cell["near_misses"]) {
            println!(
                "  {} would permit it, but for: {}",
                text(miss, "id"),
                words(miss, "failed")
            );
        }
        let changes = words(cell, "would_flow_if");
        if !changes.is_empty() {
            println!("  It would flow if: {changes}");
        }
    }
    Ok(())
}

async fn list(desk: &Desk) -> Result<(), CliError> {
    let answer: Value = desk.get("/shares").await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = items(&answer["items"])
        .iter()
        .map(|share| {
            vec![
                text(share, "share").to_owned(),
                text(share, "name").to_owned(),
                text(share, "purpose").to_owned(),
                words(share, "fields"),
                number(share, "people"),
                number(share, "accepted"),
                number(share, "taken_back"),
                number(share, "confirmed"),
                text(share, "state").to_owned(),
                moment(share, "created_at"),
            ]
        })
        .collect();
    let headings = [
        "share",
        "to",
        "purpose",
        "fields",
        "people",
        "taken",
        "taken back",
        "confirmed",
        "state",
        "decided",
    ];
    output::table(&headings, &rows);
    Ok(())
}

async fn uses(desk: &Desk) -> Result<(), CliError> {
    let answer: Value = desk.get("/uses").await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    let rows: Vec<Vec<String>> = items(&answer["items"])
        .iter()
        .map(|one| {
            vec![
                text(one, "by_name").to_owned(),
                text(one, "from_name").to_owned(),
                text(one, "purpose").to_owned(),
                text(one, "channel").to_owned(),
                moment(one, "from"),
                moment(one, "until"),
                text(one, "share").to_owned(),
            ]
        })
        .collect();
    let headings = [
        "used by", "given by", "purpose", "channel", "from", "until", "share",
    ];
    output::table(&headings, &rows);
    Ok(())
}
