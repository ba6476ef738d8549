//! From TOML or JSON to checked vectors, with the place of whatever is wrong.

use super::{
    Decision, MAX_VECTORS, MAX_VECTORS_BYTES, Vector, Vectors, VectorsError,
    case::{Question, merged},
};
use crate::text::position;
use serde::Deserialize;
use toml::{Spanned, Table, Value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawToml {
    base: Spanned<Table>,
    vector: Vec<Spanned<Table>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawJson {
    base: Table,
    vector: Vec<Table>,
}

/// A table and the line where it begins.
type Placed = (usize, Table);

pub(super) fn vectors(text: &str) -> Result<Vectors, VectorsError> {
    if text.len() > MAX_VECTORS_BYTES {
        return Err(error(1, 1, "a file of vectors has at most 1 MiB; split it"));
    }
    let (base, raw) = if text.trim_start().starts_with('{') {
        json(text)?
    } else {
        toml(text)?
    };
    if raw.len() > MAX_VECTORS {
        return Err(error(1, 1, "a file has at most 2,000 vectors; split it"));
    }
    Question::read(base.1.clone())
        .map_err(|message| error(base.0, 1, &format!("base, {message}")))?;
    let vectors = raw.into_iter().map(|raw| vector(&base.1, raw));
    Ok(Vectors {
        vectors: vectors.collect::<Result<_, _>>()?,
    })
}

fn toml(text: &str) -> Result<(Placed, Vec<Placed>), VectorsError> {
    let raw: RawToml = toml::from_str(text).map_err(|refusal| {
        let (line, column) = position(text, refusal.span().map_or(0, |span| span.start));
        error(line, column, refusal.message())
    })?;
    let placed = |table: Spanned<Table>| {
        let (line, _) = position(text, table.span().start);
        (line, table.into_inner())
    };
    Ok((
        placed(raw.base),
        raw.vector.into_iter().map(placed).collect(),
    ))
}

/// JSON comes from tools, which find a vector by its name: lines are those of the parser alone.
fn json(text: &str) -> Result<(Placed, Vec<Placed>), VectorsError> {
    let raw: RawJson = serde_json::from_str(text).map_err(|refusal| {
        error(
            refusal.line().max(1),
            refusal.column().max(1),
            &refusal.to_string(),
        )
    })?;
    let placed = |table| (1, table);
    Ok((
        placed(raw.base),
        raw.vector.into_iter().map(placed).collect(),
    ))
}

fn vector(base: &Table, (line, mut change): Placed) -> Result<Vector, VectorsError> {
    let name = match change.remove("name") {
        Some(Value::String(name)) if !name.trim().is_empty() => name,
        _ => {
            return Err(error(
                line,
                1,
                "name: say in a sentence what the vector shows",
            ));
        }
    };
    let refuse = |message: String| error(line, 1, &format!("\"{name}\", {message}"));
    let (decision, by) = match (change.remove("permit"), change.remove("deny")) {
        (Some(by), None) => (Decision::Permit, by),
        (None, Some(by)) => (Decision::Deny, by),
        _ => {
            let message =
                "write either permit = \"RULE\" or deny = \"RULE\", the rule that decides";
            return Err(refuse(message.to_owned()));
        }
    };
    let by =
        ids(by).ok_or_else(|| refuse("a rule is named by its id, several in a list".to_owned()))?;
    let about = match change.remove("about") {
        None => None,
        Some(Value::String(id)) => Some(id),
        Some(_) => return Err(refuse("about: name one rule by its id".to_owned())),
    };
    let question = Question::read(merged(base.clone(), change)).map_err(&refuse)?;
    Ok(Vector {
        line,
        decision,
        by,
        about,
        question,
        name,
    })
}

/// One id or a list of them; none for anything else, or an empty list.
fn ids(value: Value) -> Option<Vec<String>> {
    let text = |value: Value| match value {
        Value::String(id) => Some(id),
        _ => None,
    };
    match value {
        Value::Array(list) if !list.is_empty() => list.into_iter().map(text).collect(),
        value => text(value).map(|id| vec![id]),
    }
}

fn error(line: usize, column: usize, message: &str) -> VectorsError {
    VectorsError {
        line,
        column,
        message: message.to_owned(),
    }
}
