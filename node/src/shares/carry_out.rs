//! What a notice does to the rows that it names: they go, rest, are corrected, or come into use again.

use super::{
    notice::{Correction, RecalledRows},
    payload::{Fields, RowToken, field_of},
    take,
};
use crate::store::{
    Write,
    share::{
        mark::{self, Mark, Retention},
        notice::{self, NoticeIn},
        received,
    },
};
use policy::{FieldClass, FieldMask};
use protocol::{
    entry::share::{ErasureResult, Retained, RevokeKind},
    id::{EntryId, RowRef},
    time::Moment,
};
use std::collections::BTreeSet;

/// What came of a notice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// In one word.
    pub result: ErasureResult,
    /// Rows that were held.
    pub rows: u64,
    /// What is kept of them.
    pub retained: Vec<Retained>,
    /// Whether match tokens of them are kept.
    pub tombstones: bool,
}

/// Does what a notice asks for.
///
/// # Errors
/// When the database fails or a row is damaged.
pub async fn carry_out(
    tx: &mut Write,
    notice: &NoticeIn,
    recalled: &RecalledRows,
    now: Moment,
) -> anyhow::Result<Done> {
    let done = match notice.kind {
        RevokeKind::Restriction => {
            let rows = restrict(tx, notice, recalled).await?;
            Done::of(ErasureResult::Restricted, rows)
        }
        RevokeKind::Rectification => {
            let rows = rectify(tx, notice, recalled).await?;
            Done::of(ErasureResult::Rectified, rows)
        }
        RevokeKind::Lift => {
            let rows = lift(tx, notice, recalled).await?;
            Done::of(ErasureResult::Lifted, rows)
        }
        RevokeKind::Withdrawal
        | RevokeKind::Objection
        | RevokeKind::Erasure
        | RevokeKind::Recall => erase(tx, notice, recalled, now).await?,
    };
    Ok(done)
}

impl Done {
    fn of(result: ErasureResult, rows: u64) -> Self {
        Self {
            result: if rows > 0 {
                result
            } else {
                ErasureResult::NotFound
            },
            rows,
            retained: Vec::new(),
            tombstones: false,
        }
    }
}

async fn restrict(
    tx: &mut Write,
    notice: &NoticeIn,
    recalled: &RecalledRows,
) -> anyhow::Result<u64> {
    let mut held = 0;
    for row in named(notice, recalled) {
        if received::fields(&mut *tx, notice.share, *row)
            .await?
            .is_some()
        {
            held += 1;
            rest(tx, notice, *row).await?;
        }
    }
    Ok(held)
}

/// Marks the rows of a restriction, fetched or not, so that none is used meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn rest_all(
    tx: &mut Write,
    notice: &NoticeIn,
    recalled: &RecalledRows,
) -> anyhow::Result<()> {
    for row in named(notice, recalled) {
        rest(tx, notice, *row).await?;
    }
    Ok(())
}

async fn rest(tx: &mut Write, notice: &NoticeIn, row: RowRef) -> anyhow::Result<()> {
    mark::put(&mut *tx, notice.share, row, Mark::Restricted, notice.notice).await?;
    Ok(())
}

async fn lift(tx: &mut Write, notice: &NoticeIn, recalled: &RecalledRows) -> anyhow::Result<u64> {
    let mut lifted = 0;
    for row in named(notice, recalled) {
        let held = received::fields(&mut *tx, notice.share, *row)
            .await?
            .is_some();
        let rested = mark::lift(&mut *tx, notice.share, *row).await?;
        lifted += u64::from(held && rested);
    }
    Ok(lifted)
}

/// The rows of a notice, as many as it announced.
pub(super) fn named<'r>(
    notice: &NoticeIn,
    recalled: &'r RecalledRows,
) -> impl Iterator<Item = &'r RowRef> {
    let count = usize::try_from(notice.count).unwrap_or(usize::MAX);
    recalled.rows.iter().take(count)
}

async fn rectify(
    tx: &mut Write,
    notice: &NoticeIn,
    recalled: &RecalledRows,
) -> anyhow::Result<u64> {
    let mut corrected = 0;
    for (row, correction) in named(notice, recalled).zip(&recalled.corrections) {
        let Some(stored) = received::fields(&mut *tx, notice.share, *row).await? else {
            continue;
        };
        let stored: Fields = serde_json::from_str(&stored)?;
        let tokens = row_tokens(tx, notice.share, *row).await?;
        let (fields, tokens) = corrected_row(stored, tokens, correction);
        let tokens: Vec<_> = tokens
            .iter()
            .map(|token| (token.class, token.token))
            .collect();
        let json = serde_json::to_string(&fields)?;
        received::replace(&mut *tx, notice.share, *row, &json, &tokens).await?;
        corrected += 1;
    }
    Ok(corrected)
}

/// The row with the classes of a correction replaced, as far as the row had them: a class that this
/// node did not take does not come in by a correction.
fn corrected_row(
    stored: Fields,
    tokens: Vec<RowToken>,
    correction: &Correction,
) -> (Fields, Vec<RowToken>) {
    let about: FieldMask = correction
        .classes
        .iter()
        .filter_map(|class| class.parse().ok())
        .collect();
    let had = stored.mask();
    let replaced: FieldMask = had.iter().filter(|class| about.contains(*class)).collect();
    let kept: FieldMask = had.iter().filter(|class| !about.contains(*class)).collect();
    let mut new = correction.fields.clone();
    new.keep(replaced);
    let mut fields = stored;
    fields.keep(kept);
    fields.add(new);
    let is_of = |mask: FieldMask| move |token: &RowToken| mask.contains(field_of(token.class));
    let fresh = correction.tokens.iter().copied().filter(is_of(replaced));
    let tokens = tokens.into_iter().filter(is_of(kept)).chain(fresh);
    (fields, tokens.collect())
}

async fn row_tokens(tx: &mut Write, share: EntryId, row: RowRef) -> anyhow::Result<Vec<RowToken>> {
    let tokens = received::tokens(&mut *tx, share, row).await?;
    Ok(tokens
        .into_iter()
        .map(|(class, token)| RowToken { class, token })
        .collect())
}

async fn erase(
    tx: &mut Write,
    notice: &NoticeIn,
    recalled: &RecalledRows,
    now: Moment,
) -> anyhow::Result<Done> {
    let retentions = mark::retentions(&mut *tx).await?;
    let retentions: Vec<Retention> = retentions
        .into_iter()
        .filter(|kept| kept.share == notice.share && kept.until > now)
        .collect();
    let mask: FieldMask = retentions.iter().map(|kept| kept.class).collect();
    let mut kept: BTreeSet<FieldClass> = BTreeSet::new();
    let mut rows = 0;
    let mut tombstones = false;
    for row in named(notice, recalled) {
        let tokens = row_tokens(tx, notice.share, *row).await?;
        let when = (notice.position, notice.at);
        take::bury(tx, &tokens, notice.sender, when).await?;
        tombstones |= !take::tombstone_tokens(&tokens).is_empty();
        let rest = keep_rest(tx, notice, *row, mask).await?;
        if rest.is_empty() {
            rows += u64::from(received::erase_row(&mut *tx, notice.share, *row).await?);
        } else {
            rows += 1;
            kept.extend(rest.iter());
        }
        notice::mark_erased(&mut *tx, notice, *row).await?;
    }
    let mut done = Done::of(ErasureResult::Erased, rows);
    done.tombstones = tombstones;
    if !kept.is_empty() {
        done.result = ErasureResult::PartlyRetained;
        let mut retained: Vec<Retained> = retentions
            .into_iter()
            .filter(|retention| kept.contains(&retention.class))
            .map(|retention| Retained {
                class: retention.class.name().to_owned(),
                ground: retention.ground,
                until: retention.until,
            })
            .collect();
        retained.sort_by(|a, b| a.class.cmp(&b.class));
        done.retained = retained;
    }
    Ok(done)
}

/// Cuts a row down to what a law makes us keep, out of use and found by nothing; the classes that are
/// left.
async fn keep_rest(
    tx: &mut Write,
    notice: &NoticeIn,
    row: RowRef,
    mask: FieldMask,
) -> anyhow::Result<FieldMask> {
    let Some(stored) = received::fields(&mut *tx, notice.share, row).await? else {
        return Ok(FieldMask::default());
    };
    let mut fields: Fields = serde_json::from_str(&stored)?;
    fields.keep(mask);
    let left = fields.mask();
    if !left.is_empty() {
        let json = serde_json::to_string(&fields)?;
        received::replace(&mut *tx, notice.share, row, &json, &[]).await?;
        let mark = Mark::Retained;
        mark::put(&mut *tx, notice.share, row, mark, notice.notice).await?;
    }
    Ok(left)
}

/// Erases what was kept for a time that is over; whether there was any.
///
/// # Errors
/// When the database fails.
pub async fn release(tx: &mut Write, now: Moment) -> anyhow::Result<bool> {
    let over: Vec<Retention> = mark::retentions(&mut *tx)
        .await?
        .into_iter()
        .filter(|kept| kept.until <= now)
        .collect();
    for kept in &over {
        mark::release(&mut *tx, kept.share, kept.class).await?;
        for row in mark::retained(&mut *tx, kept.share).await? {
            let Some(stored) = received::fields(&mut *tx, kept.share, row).await? else {
                continue;
            };
            let mut fields: Fields = serde_json::from_str(&stored)?;
            let rest = fields.mask().iter().filter(|class| *class != kept.class);
            fields.keep(rest.collect());
            if fields.mask().is_empty() {
                received::erase_row(&mut *tx, kept.share, row).await?;
            } else {
                let json = serde_json::to_string(&fields)?;
                received::replace(&mut *tx, kept.share, row, &json, &[]).await?;
            }
        }
    }
    Ok(!over.is_empty())
}
