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
        /// Id or its end, van:NUMBER, or the whole name.
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
            let id = end_of_id(&text(row, "person_id"));
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

/// As much of an id as tells people apart: what was imported together begins alike.
fn end_of_id(id: &str) -> String {
    let skip = id.chars().count().saturating_sub(8);
    id.chars().skip(skip).collect()
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
    details(&person);
    Ok(())
}

/// Contact points, marks, consents, who was given the person, attempts.
fn details(person: &Value) {
    let section = |heading: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            println!("\n{heading}");
        }
        for line in lines {
            println!("  {line}");
        }
    };
    let lines = |field: &str, line: &dyn Fn(&Value) -> [String; 4]| -> Vec<String> {
        rows(person, field)
            .iter()
            .map(|row| joined(&line(row)))
            .collect()
    };
    let if_set = |set: bool, words: &str| if set { words.to_owned() } else { String::new() };
    let point = |row: &Value| {
        let bad = if_set(row["bad"] == true, "does not reach the person");
        [
            text(row, "shown"),
            text(row, "kind"),
            text(row, "label"),
            bad,
        ]
    };
    section("Reached at", lines("points", &point));
    let mark = |row: &Value| {
        let since = format!("since {}", moment(row, "since"));
        let channels = strings(&row["channels"]).join(" and ");
        let back = if_set(!row["withdrawn_at"].is_null(), "taken back");
        [text(row, "reason").replace('_', " "), channels, since, back]
    };
    section("Not to be contacted", lines("suppressions", &mark));
    let consent = |row: &Value| {
        let events = rows(&row["record"], "events");
        let last = events.last().map(|event| moment(event, "event_time"));
        let form = format!("form {}", text(row, "form"));
        [
            form,
            text(row, "state"),
            last.unwrap_or_default(),
            String::new(),
        ]
    };
    section("Consents", lines("consents", &consent));
    let holder = |row: &Value| {
        let sent = format!("since {}", moment(row, "sent_at"));
        [
            text(row, "name"),
            text(row, "purpose"),
            sent,
            text(row, "status"),
        ]
    };
    section("Given to", lines("holders", &holder));
    let contact = |row: &Value| {
        let at = if row["whole_day"] == true {
            day(row)
        } else {
            moment(row, "at")
        };
        let unknown = if_set(row["flagged"] == true, "unknown result");
        [at, text(row, "channel"), text(row, "result"), unknown]
    };
    section("Attempts", lines("contacts", &contact));
}

/// The day of a contact that is known by its day alone. It counts to the end of that day where people
/// are, which is the next day elsewhere; noon before it is the same day nearly everywhere.
fn day(row: &Value) -> String {
    const HALF_A_DAY: i64 = 12 * 60 * 60 * 1_000;
    let noon = row["at"].as_i64().map(|at| at - HALF_A_DAY);
    let noon = noon.map(output::moment).unwrap_or_default();
    noon.chars().take(10).collect()
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
