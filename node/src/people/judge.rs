//! The first reading of a file: to its end, keeping nothing but what the second has to know before.

use super::{job::ImportFailure, request::Target, spool::Spooled};
use crate::import::{self, Format, Header, ImportError, Item, Options, Summary};
use protocol::token::normalize::text::text;
use std::{collections::BTreeSet, ops::ControlFlow};

/// The most committees of one file that are told apart.
const COMMITTEES: usize = 10_000;

/// What the first reading found.
pub(super) struct Judged {
    pub(super) header: Header,
    pub(super) summary: Summary,
    /// Folded names of the committees in a contact history.
    pub(super) committees: BTreeSet<String>,
}

/// Reads the whole file.
///
/// # Errors
/// When it cannot be read, or holds something else than was said.
pub(super) async fn judge(
    target: &Target,
    spooled: &Spooled,
    options: &Options,
) -> Result<Judged, ImportFailure> {
    let file = spooled.reader().map_err(ImportError::Io)?;
    let options = options.clone();
    let read = move || {
        let mut header = None;
        let mut committees = BTreeSet::new();
        let summary = import::read(file, &options, &mut |item| {
            match item {
                Item::Header(found) => header = Some(found),
                Item::Attempt { attempt, .. } if committees.len() < COMMITTEES => {
                    committees.extend(attempt.committee.as_deref().map(text));
                }
                _ => {}
            }
            ControlFlow::Continue(())
        })?;
        let header = header.ok_or(ImportError::Empty)?;
        Ok::<_, ImportError>(Judged {
            header,
            summary,
            committees,
        })
    };
    let judged = tokio::task::spawn_blocking(read).await;
    let judged = judged.map_err(|error| ImportFailure::Reader(error.to_string()))??;
    fits(target, &judged)?;
    Ok(judged)
}

fn fits(target: &Target, judged: &Judged) -> Result<(), ImportFailure> {
    let summary = &judged.summary;
    let history = summary.attempts > 0 || summary.format == Format::VanContactHistory;
    match (target, history) {
        (Target::List(_), true) => Err(ImportFailure::Kind(
            "this file is a contact history, not a list; import it with: commonturf contacts import FILE",
        )),
        (Target::Contacts(_), false) => Err(ImportFailure::Kind(
            "this file is a list of people, not a contact history; import it with: commonturf import FILE --list NAME",
        )),
        _ => Ok(()),
    }
}
