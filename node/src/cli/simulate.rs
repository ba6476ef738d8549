//! `commonturf policy simulate`: what a draft of rules would change on the own lists or on received rows.

use super::{
    client::{CliError, Desk},
    output,
    share::{items, number, text},
};
use clap::Args;
use policy::{FieldClass, Purpose};
use serde_json::{Value, json};
use std::path::Path;

/// Tell what a draft would let flow and what it would stop; nothing is sent or written.
#[derive(Debug, Args)]
pub struct Simulate {
    /// The draft: terms of an agreement (TOML), or own rules (.cedar), or template:NAME.
    #[arg(long, value_name = "FILE|template:NAME")]
    draft: String,
    /// One list; every list without it.
    #[arg(long, value_name = "NAME")]
    list: Option<String>,
    /// What others gave, in the place of lists.
    #[arg(long, conflicts_with = "list")]
    received: bool,
    /// Recipients: name or the beginning of a node id; every other member without it.
    #[arg(long, num_args = 1.., value_name = "ORGANIZATION")]
    to: Vec<String>,
    /// What for; every purpose without it.
    #[arg(long)]
    purpose: Option<String>,
    /// Classes of fields; all without it.
    #[arg(long, value_delimiter = ',')]
    fields: Vec<String>,
    /// How the recipient would reach people: door, phone, text, email.
    #[arg(long, default_value = "door")]
    channel: String,
    /// Also show what does not change.
    #[arg(long)]
    all: bool,
}

impl Simulate {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let draft = super::coalition::read_terms(&self.draft)?;
        let is_own = Path::new(&self.draft)
            .extension()
            .is_some_and(|end| end == "cedar");
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect();
        let purposes: Vec<String> = match &self.purpose {
            Some(purpose) => vec![purpose.clone()],
            None => names(Purpose::NAMES),
        };
        let fields: Vec<String> = if self.fields.is_empty() {
            names(FieldClass::NAMES)
        } else {
            self.fields.clone()
        };
        let mut found = Vec::new();
        for purpose in purposes {
            let body = json!({
                "terms": (!is_own).then_some(&draft),
                "own": is_own.then_some(&draft),
                "list": self.list,
                "share": {
                    "to": self.to,
                    "purpose": purpose,
                    "fields": fields,
                    "channel": self.channel,
                    "received": self.received,
                },
            });
            let mut answer: Value = desk.post("/policy/simulation", &body).await?;
            answer["purpose"] = purpose.into();
            found.push(answer);
        }
        if desk.json {
            output::json(&json!({ "simulations": found }));
        } else {
            self.show(&found);
        }
        Ok(())
    }

    fn show(&self, found: &[Value]) {
        let people = found.first().map(|one| number(one, "people"));
        println!(
            "{} people were looked at; nothing was sent or changed.",
            people.unwrap_or_default()
        );
        let rows: Vec<Vec<String>> = found
            .iter()
            .flat_map(|one| items(&one["cells"]).iter().map(move |cell| (one, cell)))
            .filter(|(_, cell)| self.all || changes(cell))
            .map(|(one, cell)| row(one, cell))
            .collect();
        if rows.is_empty() {
            println!("The draft changes nothing of what flows today.");
            return;
        }
        let headings = [
            "to",
            "for",
            "fields",
            "flows now",
            "newly flows",
            "newly stops",
            "by",
        ];
        output::table(&headings, &rows);
    }
}

fn changes(cell: &Value) -> bool {
    let some = |field: &str| cell[field].as_u64().is_some_and(|count| count > 0);
    some("newly_flows") || some("newly_withheld")
}

fn row(one: &Value, cell: &Value) -> Vec<String> {
    let by: Vec<&str> = items(&cell["by"])
        .iter()
        .map(|by| text(by, "rule"))
        .collect();
    vec![
        text(cell, "name").to_owned(),
        text(one, "purpose").to_owned(),
        text(cell, "field").to_owned(),
        number(cell, "flows_now"),
        number(cell, "newly_flows"),
        number(cell, "newly_withheld"),
        by.join(", "),
    ]
}
