//! Correcting: the person's present fields go to everybody who holds a row of the person, class by
//! class as they were shared.

use super::{
    build,
    notice::{self, Correction, Names},
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
        },
    },
};
use policy::{FieldClass, FieldMask};
use protocol::{entry::share::RevokeKind, id::EntryId, state::State};

/// Sends a person's present fields to whoever holds the person, and waits for the fold.
///
/// # Errors
/// [`Failure`] when there is no such person or share, or this node is in no coalition.
pub async fn rectify(
    app: &App,
    reference: &str,
    share: Option<EntryId>,
    dry_run: bool,
) -> Result<Recall, Failure> {
    let id = super::plan::person(app, reference).await?;
    let names = Names::of(&crate::coalition::active(app).await?.state);
    let mut tx = app.store.write("correcting what was shared").await?;
    let person = candidate::one(&mut tx, &id).await?.ok_or_else(|| {
        Failure::not_found(
            "this node has no fields of that person any more, so there is nothing to correct with",
        )
    })?;
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
                sent = Some(send(app, &mut tx, &names, &person, line).await?);
            }
            ledger::set_rectified(&mut tx, line, sent).await?;
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
        consents_withdrawn: 0,
        notices,
    })
}

/// Whether the recipient still has the row: at rest perhaps, but not taken back.
fn is_held(line: &Disclosure) -> bool {
    let kind = line.revoke_kind.as_deref().map(RevokeKind::named);
    kind.is_none_or(|kind| kind.is_some_and(|kind| !kind.erases()))
}

async fn send(
    app: &App,
    tx: &mut Write,
    names: &Names,
    person: &Candidate,
    line: &Disclosure,
) -> Result<EntryId, Failure> {
    let correction = correction(person, line)?;
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
        let Some(person) = candidate::one(&mut *tx, &line.person).await? else {
            continue;
        };
        let notice = send(app, &mut *tx, &names, &person, line)
            .await
            .map_err(|failure| anyhow::anyhow!("{}", failure.0.title))?;
        ledger::set_rectified(&mut *tx, line, Some(notice)).await?;
    }
    Ok(())
}
