//! How answers look: tables for people, JSON for tools.

use super::client::CliError;
use serde::Serialize;
use serde_json::Value;

/// Prints an answer as JSON.
pub fn json(value: &impl Serialize) {
    println!(
        "{}",
        serde_json::to_string_pretty(value).unwrap_or_default()
    );
}

/// Prints an error: a sentence for people, a problem for tools.
pub fn error(error: &CliError, as_json: bool) {
    if !as_json {
        eprintln!("error: {error}");
        return;
    }
    let value = match error {
        CliError::Refused(problem) => serde_json::to_value(problem).unwrap_or_default(),
        other => serde_json::json!({ "code": code(other), "detail": other.to_string() }),
    };
    eprintln!(
        "{}",
        serde_json::to_string_pretty(&value).unwrap_or_default()
    );
}

fn code(error: &CliError) -> &'static str {
    match error {
        CliError::Usage(_) => "usage",
        CliError::Config(_) => "configuration",
        CliError::NotRunning { .. } => "not-running",
        CliError::Refused(_) => "refused",
        CliError::Failed(_) => "failed",
    }
}

/// Prints rows under headings, each column as wide as its widest cell.
pub fn table(headings: &[&str], rows: &[Vec<String>]) {
    for line in table_lines(headings, rows) {
        println!("{line}");
    }
}

/// The lines of a table.
#[must_use]
pub fn table_lines(headings: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let widths: Vec<usize> = headings
        .iter()
        .enumerate()
        .map(|(n, heading)| {
            rows.iter()
                .filter_map(|row| row.get(n))
                .map(|cell| cell.chars().count())
                .chain([heading.chars().count()])
                .max()
                .unwrap_or(0)
        })
        .collect();
    let line = |cells: Vec<&str>| {
        let mut text = String::new();
        for (cell, width) in cells.into_iter().zip(&widths) {
            text.push_str(&format!("{cell:<width$}  "));
        }
        text.trim_end().to_owned()
    };
    let below = rows.iter();
    let below = below.map(|row| line(row.iter().map(String::as_str).collect()));
    [line(headings.to_vec())].into_iter().chain(below).collect()
}

/// A moment as people read it: UTC, to the minute.
#[must_use]
pub fn moment(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds)
        .map(|time| time.strftime("%Y-%m-%d %H:%M UTC").to_string())
        .unwrap_or_else(|_| "-".to_owned())
}

/// The elements of a list of an answer; of anything else none.
pub fn list_of(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// A value of an answer as people read it.
#[must_use]
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A moment of an answer, empty where there is none.
#[must_use]
pub fn moment_of(value: &Value) -> String {
    value.as_i64().map(moment).unwrap_or_default()
}
