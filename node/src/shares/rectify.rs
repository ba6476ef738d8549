//! Correcting: the person's present fields go to everybody who holds a row of the person, class by
//! class as they were shared.

use super::{
    build,
    notice::{self, Correction, Names},
    pass_on,
    payload::{Fields, RowToken, field_of},
    recall::{Notice, Recall},
};
use crate::{
    app::App,
    http::problem::Failure,
    store::{
        self, Write,
        share::{
            candidate::{self, Candidate},
            ledger::{self, Disclosure},
            received,
        },
    },
};
use policy::{FieldClass, FieldMask};
use protocol::{
    entry::share::RevokeKind,
    id::{EntryId, RowRef},
    state::State,
};

/// What to correct.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rectification {
    /// Whom: id or `system:value`.
    pub person: String,
    /// Only in this share.
    pub share: Option<EntryId>,
    /// Whose record holds the right fields, when not the person's own.
    pub with: Option<String>,
}

/// Sends a person's present fields to whoever holds the person, and waits for the fold.
///
/// # Errors
/// [`Failure`] when there is no such person or share, or this node is in no coalition.
pub async fn rectify(app: &App, what: &Rectification, dry_run: bool) -> Result<Recall, Failure> {
    let id = super::plan::person(app, &what.person).await?;
    if pass_on::named(&id).is_some() {
        return Err(Failure::input(
            "a row that was received is corrected by the organization that gave it; its correction is passed on \
             by itself",
        ));
    }
    let with = match &what.with {
        Some(with) => Some(super::plan::person(app, with).await?),
        None => None,
    };
    let share = what.share;
    let names = Names::of(&crate::coalition::active(app).await?.state);
    let mut tx = app.store.write("correcting what was shared").await?;
    let record = with.as_deref().unwrap_or(&id);
    let person = candidate::one(&mut tx, record).await?;
    let person = person.ok_or_else(|| without_record(&id))?;
    let mut lines = ledger::of_person(&mut tx, &id).await?;
    lines.retain(|line| share.is_none_or(|share| line.share == share) && is_held(line));
    if share.is_some() && lines.is_empty() {
        return Err(Failure::not_found(
            "that share did not carry this person, or it was taken back; see `commonturf who-has`",
        ));
    }
    let now = app.now().0;
    let mut notices = Vec::new();
    for line in &lines {
        let Some(given) = store::share::find(&mut tx, line.share).await? else {
            continue;
        };
        if given.state == "void" || given.expires_at.is_some_and(|expires| expires <= now) {
            continue;
        }
        let announced = given.state == "announced";
        let mut sent = None;
        if !dry_run {
            if announced {
                let correction = correction(&person, line)?;
                sent = Some(send(app, &mut tx, &names, line, correction).await?);
            }
            ledger::set_rectified(&mut tx, line, sent, with.as_deref()).await?;
        }
        notices.push(Notice {
            notice: sent,
            share: line.share,
            to: line.recipient,
            name: names.name(line.recipient),
            rows: 1,
            state: if dry_run { "dry-run" } else { "share-waits" },
        });
    }
    if dry_run {
        drop(tx); // undone: nothing was changed
    } else {
        tx.commit().await?;
        super::recall::wait(app, &mut notices).await?;
    }
    Ok(Recall {
        dry_run,
        people: Some(1),
        consents_withdrawn: 0,
        notices,
    })
}

fn without_record(person: &str) -> Failure {
    Failure::not_found(format!(
        "this node has no record of that person any more, so there is nothing to correct with. Either import the \
         person again with the right fields and name that record: commonturf rectify --person {person} --with \
         PERSON; or take the rows back: commonturf revoke --person {person} --kind erasure"
    ))
}

/// Whether the recipient still has the row: at rest perhaps, but not taken back.
pub(super) fn is_held(line: &Disclosure) -> bool {
    let kind = line.revoke_kind.as_deref().map(RevokeKind::named);
    kind.is_none_or(|kind| kind.is_some_and(|kind| !kind.erases()))
}

/// Queues the correction of one line; the ledger is the caller's.
pub(super) async fn send(
    app: &App,
    tx: &mut Write,
    names: &Names,
    line: &Disclosure,
    correction: Correction,
) -> Result<EntryId, Failure> {
    let rows = vec![(line, Some(correction))];
    notice::queue(app, tx, names, RevokeKind::Rectification, rows).await
}

/// What a line's row holds now: exactly the classes that the ledger says were given.
fn correction(person: &Candidate, line: &Disclosure) -> Result<Correction, Failure> {
    let classes: Vec<FieldClass> = serde_json::from_str(&line.fields).map_err(Failure::internal)?;
    let mask: FieldMask = classes.iter().copied().collect();
    Ok(Correction {
        classes: mask.iter().map(|class| class.name().to_owned()).collect(),
        fields: build::fields(person, mask),
        tokens: build::tokens(person, mask),
    })
}

/// What a line that passed a received row on holds now, by what was corrected here; none when the row is
/// not held any more.
pub(super) async fn correction_of_received(
    tx: &mut Write,
    line: &Disclosure,
    (share, row): (EntryId, RowRef),
) -> anyhow::Result<Option<Correction>> {
    let Some(stored) = received::fields(&mut *tx, share, row).await? else {
        return Ok(None);
    };
    let mut fields: Fields = serde_json::from_str(&stored)?;
    let classes: Vec<FieldClass> = serde_json::from_str(&line.fields)?;
    let mask: FieldMask = classes.into_iter().collect();
    fields.keep(mask);
    let tokens = received::tokens(&mut *tx, share, row).await?;
    let given = |token: &RowToken| mask.contains(field_of(token.class));
    Ok(Some(Correction {
        classes: mask.iter().map(|class| class.name().to_owned()).collect(),
        fields,
        tokens: tokens
            .into_iter()
            .map(|(class, token)| RowToken { class, token })
            .filter(given)
            .collect(),
    }))
}

/// A share was announced: rows that were corrected while it waited get their notices now.
///
/// # Errors
/// When the database fails.
pub async fn after_announcement(
    app: &App,
    tx: &mut Write,
    state: &State,
    share: EntryId,
) -> anyhow::Result<()> {
    let waiting = ledger::waiting_for_correction(&mut *tx, share).await?;
    let names = Names::of(state);
    for line in waiting.iter().filter(|line| is_held(line)) {
        let correction = match line.via {
            Some(row) => correction_of_received(tx, line, row).await?,
            None => {
                let record = line.rectify_with.as_ref().unwrap_or(&line.person);
                let person = candidate::one(&mut *tx, record).await?;
                let made = person.map(|person| correction(&person, line)).transpose();
                made.map_err(|failure| anyhow::anyhow!("{}", failure.0.title))?
            }
        };
        let Some(correction) = correction else {
            continue;
        };
        let notice = send(app, &mut *tx, &names, line, correction)
            .await
            .map_err(|failure| anyhow::anyhow!("{}", failure.0.title))?;
        ledger::set_rectified(&mut *tx, line, Some(notice), None).await?;
    }
    Ok(())
}
