//! `POST log`: entries to be ordered. Spec: section 8.2.

use super::{Caller, cbor, gate, read_cbor};
use crate::{app::App, http::problem::Failure, keeper};
use axum::{Extension, extract::State, response::Response};
use bytes::Bytes;
use protocol::{
    chain::{APPEND_ENTRIES, Append, Sealed},
    codec,
    entry::Class,
    envelope::Envelope,
    problem::ProblemKind,
};

/// Orders a member's entries, one by one, and answers once they are on disk.
pub async fn append(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Failure> {
    caller.must_be_member()?;
    let append: Append = read_cbor(&body)?;
    if append.entries.len() > APPEND_ENTRIES {
        return Err(Failure::new(
            ProblemKind::TooLarge,
            format!("an append has at most {APPEND_ENTRIES} entries"),
        ));
    }
    let classes = classes(&append);
    gate::append(&app, &caller, &classes)?;
    let control = classes == [Class::Control];
    let entries = append.entries.len();
    let _turn = app.turns.take(caller.node, control, entries).await?;
    Ok(cbor(
        &keeper::log::append(&app, caller.node, append.entries).await?,
    ))
}

/// The classes of which an append has entries. What cannot be read counts as the least urgent one.
fn classes(append: &Append) -> Vec<Class> {
    let class = |entry: &Sealed| {
        let envelope: Result<Envelope, _> = codec::decode(&entry.0);
        envelope.map_or(Class::Data, |envelope| envelope.header.class)
    };
    let mut classes: Vec<Class> = append.entries.iter().map(class).collect();
    classes.sort_unstable();
    classes.dedup();
    classes
}
