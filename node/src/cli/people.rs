//! `commonturf people`: look for people of the lists and show one.

use super::{
    client::{CliError, Desk},
    output,
};
use clap::Subcommand;
use serde_json::Value;

/// People of the organization's lists.
#[derive(Debug, Subcommand)]
pub enum People {
    /// Find people by name or e-mail address.
    Search {
        /// Words of a name or an e-mail address.
        text: String,
        /// On this list only.
        #[arg(long, value_name = "NAME")]
        list: Option<String>,
    },
    /// Show all that is known about a person.
    Show {
        /// Id or its beginning, van:NUMBER, or the whole name.
        #[arg(value_name = "REF")]
        reference: String,
    },
}

impl People {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Search { text, list } => search(desk, text, list.as_deref()).await,
            Self::Show { reference } => show(desk, reference).await,
        }
    }
}

async fn search(desk: &Desk, words: &str, list: Option<&str>) -> Result<(), CliError> {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("search", words);
    if let Some(list) = list {
        query.append_pair("list", list);
    }
    let answer: Vec<Value> = desk.get(&format!("/people?{}", query.finish())).await?;
    if desk.json {
        output::json(&answer);
        return Ok(());
    }
    if answer.is_empty() {
        println!("Nobody was found.");
        return Ok(());
    }
    let rows: Vec<Vec<String>> = answer
        .iter()
        .map(|row| {
            let id = text(row, "person_id").chars().take(8).collect();
            let place = [
                text(row, "street"),
                text(row, "city"),
                text(row, "postal_code"),
            ];
            vec![
                id,
                text(row, "name"),
                joined(&place),
                strings(&row["lists"]).join(", "),
            ]
        })
        .collect();
    output::table(&["Id", "Name", "Address", "Lists"], &rows);
    Ok(())
}

async fn show(desk: &Desk, reference: &str) -> Result<(), CliError> {
    let mut path = url::Url::parse("http://desk/people")
        .map_err(|error| CliError::Failed(error.to_string()))?;
    if let Ok(mut segments) = path.path_segments_mut() {
        segments.push(reference);
    }
    let person: Value = desk.get(path.path()).await?;
    if desk.json {
        output::json(&person);
        return Ok(());
    }
    println!("{} ({})", text(&person, "name"), text(&person, "person_id"));
    let address = &person["address"];
    let parts = ["line1", "line2", "city", "state", "postal_code"];
    let fields = [
        ("Address", joined(&parts.map(|part| text(address, part)))),
        ("Born", text(&person, "birth_date")),
        ("Lists", strings(&person["lists"]).join(", ")),
        ("Source", text(&person, "source")),
        ("Basis", text(&person, "basis")),
        ("Tags", strings(&person["tags"]).join(", ")),
    ];
    for (label, value) in fields.iter().filter(|(_, value)| !value.is_empty()) {
        println!("{label:<8} {value}");
    }
    for point in rows(&person, "points") {
        let bad = if point["bad"] == true {
            "does not reach"
        } else {
            ""
        };
        let shown = [text(point, "shown"), text(point, "label"), bad.to_owned()];
        println!("{:<8} {}", text(point, "kind"), joined(&shown));
    }
    for row in rows(&person, "suppressions") {
        let taken_back = if row["withdrawn_at"].is_null() {
            ""
        } else {
            "taken back"
        };
        let shown = [
            text(row, "reason"),
            moment(row, "since"),
            taken_back.to_owned(),
        ];
        println!("Not to be contacted: {}", joined(&shown));
    }
    println!("{} consent records", rows(&person, "consents").len());
    for contact in rows(&person, "contacts") {
        let shown = [
            moment(contact, "at"),
            text(contact, "channel"),
            text(contact, "result"),
        ];
        println!("Attempt: {}", joined(&shown));
    }
    Ok(())
}

fn text(value: &Value, field: &str) -> String {
    value[field].as_str().unwrap_or_default().to_owned()
}

fn moment(value: &Value, field: &str) -> String {
    value[field]
        .as_i64()
        .map(output::moment)
        .unwrap_or_default()
}

fn rows<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map_or(&[][..], Vec::as_slice)
}

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

fn joined(parts: &[String]) -> String {
    let parts: Vec<&str> = parts
        .iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(", ")
}
