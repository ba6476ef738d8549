//! Received rows that must not be used, and what a law makes this organization keep of rows that are
//! taken back.

use super::super::{Result, natural};
use policy::FieldClass;
use protocol::{
    id::{EntryId, RowRef},
    time::Moment,
};
use sqlx::AnyConnection;

/// Why a row is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Its processing is restricted.
    Restricted,
    /// It was taken back, and a part of it is kept because a law asks for it.
    Retained,
}

impl Mark {
    fn name(self) -> &'static str {
        match self {
            Self::Restricted => "restricted",
            Self::Retained => "retained",
        }
    }
}

/// Marks a row, whether it was fetched yet or not; of two marks the later one stands.
///
/// # Errors
/// [`super::StoreError`].
pub async fn put(
    db: &mut AnyConnection,
    share: EntryId,
    row: RowRef,
    mark: Mark,
    notice: EntryId,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO row_mark (share_id, row_ref, mark, notice_id) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (share_id, row_ref) DO UPDATE SET mark = excluded.mark, notice_id = excluded.notice_id",
    )
    .bind(share.to_string())
    .bind(row.0.to_vec())
    .bind(mark.name())
    .bind(notice.to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// Takes a row's mark away: the row itself is gone.
///
/// # Errors
/// [`super::StoreError`].
pub async fn remove(db: &mut AnyConnection, share: EntryId, row: RowRef) -> Result<()> {
    sqlx::query("DELETE FROM row_mark WHERE share_id = $1 AND row_ref = $2")
        .bind(share.to_string())
        .bind(row.0.to_vec())
        .execute(db)
        .await?;
    Ok(())
}

/// Ends the rest of a row; `true` when it was at rest.
///
/// # Errors
/// [`super::StoreError`].
pub async fn lift(db: &mut AnyConnection, share: EntryId, row: RowRef) -> Result<bool> {
    let done =
        sqlx::query("DELETE FROM row_mark WHERE share_id = $1 AND row_ref = $2 AND mark = $3")
            .bind(share.to_string())
            .bind(row.0.to_vec())
            .bind(Mark::Restricted.name())
            .execute(db)
            .await?;
    Ok(done.rows_affected() == 1)
}

/// How many rows of a share are held and must not be used.
///
/// # Errors
/// [`super::StoreError`].
pub async fn resting(db: &mut AnyConnection, share: EntryId) -> Result<u64> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM received_row r JOIN row_mark m ON m.share_id = r.share_id AND m.row_ref = r.row_ref \
         WHERE r.share_id = $1",
    )
    .bind(share.to_string())
    .fetch_one(db)
    .await?;
    Ok(natural(count))
}

/// The rows of a share of which only a part is kept.
///
/// # Errors
/// [`super::StoreError`].
pub async fn retained(db: &mut AnyConnection, share: EntryId) -> Result<Vec<RowRef>> {
    let rows: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT row_ref FROM row_mark WHERE share_id = $1 AND mark = $2 ORDER BY row_ref",
    )
    .bind(share.to_string())
    .bind(Mark::Retained.name())
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| Ok(RowRef(super::sixteen("row_mark", row)?)))
        .collect()
}

/// A class of fields that is kept when rows of a share are taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// The share.
    pub share: EntryId,
    /// The class.
    pub class: FieldClass,
    /// Why.
    pub ground: String,
    /// Until when.
    pub until: Moment,
}

/// Notes what is kept; a later word about the same class stands.
///
/// # Errors
/// [`super::StoreError`].
pub async fn retain(db: &mut AnyConnection, retention: &Retention) -> Result<()> {
    sqlx::query(
        "INSERT INTO retention (share_id, class, ground, until) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (share_id, class) DO UPDATE SET ground = excluded.ground, until = excluded.until",
    )
    .bind(retention.share.to_string())
    .bind(retention.class.name())
    .bind(&retention.ground)
    .bind(retention.until.0)
    .execute(db)
    .await?;
    Ok(())
}

/// Everything that is kept, by share and rising class.
///
/// # Errors
/// [`super::StoreError`].
pub async fn retentions(db: &mut AnyConnection) -> Result<Vec<Retention>> {
    let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
        "SELECT share_id, class, ground, until FROM retention ORDER BY share_id, class",
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(share, class, ground, until)| {
            Ok(Retention {
                share: super::id("retention", &share)?,
                class: class
                    .parse()
                    .map_err(|error| super::StoreError::damaged("retention", error))?,
                ground,
                until: Moment(until),
            })
        })
        .collect()
}

/// Forgets that a class is kept: its time is over.
///
/// # Errors
/// [`super::StoreError`].
pub async fn release(db: &mut AnyConnection, share: EntryId, class: FieldClass) -> Result<()> {
    sqlx::query("DELETE FROM retention WHERE share_id = $1 AND class = $2")
        .bind(share.to_string())
        .bind(class.name())
        .execute(db)
        .await?;
    Ok(())
}
