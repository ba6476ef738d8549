//! Notices about rows of shares: given out, and arrived.

use super::super::{Result, integer, natural};
use protocol::{
    entry::{
        Entry,
        share::{ErasureResult, Revoke, RevokeKind},
    },
    fold::At,
    id::{EntryId, Hash, NodeId, RowRef},
    time::Moment,
    token::Token,
};
use sqlx::AnyConnection;

/// A notice that this organization gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeOut {
    /// Id of the revoke entry.
    pub notice: EntryId,
    /// The share.
    pub share: EntryId,
    /// The recipient.
    pub recipient: NodeId,
    /// Why.
    pub kind: String,
    /// Rows.
    pub count: u64,
    /// The signed receipt, once there is one.
    pub receipt: Option<Vec<u8>>,
    /// When it was decided.
    pub created_at: i64,
}

/// Notes a notice that was decided.
///
/// # Errors
/// [`super::StoreError`].
pub async fn insert_out(db: &mut AnyConnection, notice: &NoticeOut) -> Result<()> {
    sqlx::query(
        "INSERT INTO notice_out (notice_id, share_id, recipient, kind, count, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(notice.notice.to_string())
    .bind(notice.share.to_string())
    .bind(notice.recipient.to_string())
    .bind(&notice.kind)
    .bind(integer(notice.count))
    .bind(notice.created_at)
    .execute(db)
    .await?;
    Ok(())
}

/// Every notice that was given, the latest first.
///
/// # Errors
/// [`super::StoreError`].
pub async fn all_out(db: &mut AnyConnection) -> Result<Vec<NoticeOut>> {
    type Line = (String, String, String, String, i64, Option<Vec<u8>>, i64);
    let rows: Vec<Line> = sqlx::query_as(
        "SELECT notice_id, share_id, recipient, kind, count, receipt, created_at FROM notice_out \
         ORDER BY created_at DESC, notice_id",
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(
            |(notice, share, recipient, kind, count, receipt, created_at)| {
                Ok(NoticeOut {
                    notice: super::id("notice_out", &notice)?,
                    share: super::id("notice_out", &share)?,
                    recipient: super::id("notice_out", &recipient)?,
                    kind,
                    count: natural(count),
                    receipt,
                    created_at,
                })
            },
        )
        .collect()
}

/// Keeps the signed receipt: it is good outside the log too.
///
/// # Errors
/// [`super::StoreError`].
pub async fn set_receipt(
    db: &mut AnyConnection,
    notice: EntryId,
    result: ErasureResult,
    receipt: &[u8],
) -> Result<()> {
    sqlx::query("UPDATE notice_out SET receipt = $1, result = $2 WHERE notice_id = $3")
        .bind(receipt)
        .bind(result.name())
        .bind(notice.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Forgets a notice that is void, so that it can be given again; `false` when it is none.
///
/// # Errors
/// [`super::StoreError`].
pub async fn void_out(db: &mut AnyConnection, notice: EntryId) -> Result<bool> {
    let done = sqlx::query("DELETE FROM notice_out WHERE notice_id = $1")
        .bind(notice.to_string())
        .execute(&mut *db)
        .await?;
    for sql in [
        "UPDATE disclosure SET notice_id = NULL WHERE notice_id = $1",
        "UPDATE disclosure SET rectify_notice = NULL WHERE rectify_notice = $1",
    ] {
        sqlx::query(sql)
            .bind(notice.to_string())
            .execute(&mut *db)
            .await?;
    }
    Ok(done.rows_affected() == 1)
}

/// A notice that arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeIn {
    /// Id of the revoke entry.
    pub notice: EntryId,
    /// The share.
    pub share: EntryId,
    /// Who gives it.
    pub sender: NodeId,
    /// Why.
    pub kind: RevokeKind,
    /// How many rows it names.
    pub count: u64,
    /// Row references, still sealed: the entry's payload as CBOR.
    pub row_refs: Vec<u8>,
    /// Where it was ordered.
    pub position: u64,
    /// Log time.
    pub at: Moment,
    /// SHA-256 of the revoke entry.
    pub hash: Hash,
}

/// Notes a notice that arrived.
///
/// # Errors
/// [`super::StoreError`].
pub async fn insert_in(db: &mut AnyConnection, at: At, revoke: &Revoke) -> Result<()> {
    sqlx::query(
        "INSERT INTO notice_in (notice_id, share_id, sender, count, row_refs, position, at, kind, hash, state, erased) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'arrived', 0) ON CONFLICT (notice_id) DO NOTHING",
    )
    .bind(at.entry.to_string())
    .bind(revoke.share.to_string())
    .bind(at.author.to_string())
    .bind(integer(revoke.count))
    .bind(protocol::codec::encode(&revoke.row_refs))
    .bind(integer(at.position))
    .bind(at.time.0)
    .bind(revoke.kind.name())
    .bind(Entry::from(revoke.clone()).hash().to_string())
    .execute(db)
    .await?;
    Ok(())
}

/// Notices that wait to be carried out, in log order.
///
/// # Errors
/// [`super::StoreError`].
pub async fn arrived(db: &mut AnyConnection, limit: i64) -> Result<Vec<NoticeIn>> {
    type Line = (
        String,
        String,
        String,
        i64,
        Vec<u8>,
        i64,
        i64,
        String,
        String,
    );
    let rows: Vec<Line> = sqlx::query_as(
        "SELECT notice_id, share_id, sender, count, row_refs, position, at, kind, hash FROM notice_in \
         WHERE state = 'arrived' ORDER BY position LIMIT $1",
    )
    .bind(limit)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(
            |(notice, share, sender, count, row_refs, position, at, kind, hash)| {
                Ok(NoticeIn {
                    kind: RevokeKind::named(&kind)
                        .ok_or_else(|| super::StoreError::damaged("notice_in", "kind"))?,
                    notice: super::id("notice_in", &notice)?,
                    share: super::id("notice_in", &share)?,
                    sender: super::id("notice_in", &sender)?,
                    count: natural(count),
                    row_refs,
                    position: natural(position),
                    at: Moment(at),
                    hash: hash
                        .parse()
                        .map_err(|_| super::StoreError::damaged("notice_in", "hash"))?,
                })
            },
        )
        .collect()
}

/// Lets a notice wait until the rows of its share were fetched.
///
/// # Errors
/// [`super::StoreError`].
pub async fn set_waiting(db: &mut AnyConnection, notice: EntryId) -> Result<()> {
    sqlx::query("UPDATE notice_in SET state = 'waits' WHERE notice_id = $1")
        .bind(notice.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// The rows of a share were fetched, or never will be: notices that waited for it are carried out.
///
/// # Errors
/// [`super::StoreError`].
pub async fn wake(db: &mut AnyConnection, share: EntryId) -> Result<()> {
    sqlx::query("UPDATE notice_in SET state = 'arrived' WHERE share_id = $1 AND state = 'waits'")
        .bind(share.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Notes that a notice was carried out.
///
/// # Errors
/// [`super::StoreError`].
pub async fn set_done(
    db: &mut AnyConnection,
    notice: EntryId,
    state: &str,
    erased: u64,
) -> Result<()> {
    sqlx::query("UPDATE notice_in SET state = $1, erased = $2, row_refs = $3 WHERE notice_id = $4")
        .bind(state)
        .bind(integer(erased))
        .bind(Vec::new())
        .bind(notice.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Puts up a tombstone; of two notices the later one stands.
///
/// # Errors
/// [`super::StoreError`].
pub async fn put_tombstone(
    db: &mut AnyConnection,
    token: Token,
    sender: NodeId,
    position: u64,
    at: Moment,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO tombstone (token, sender, position, at) VALUES ($1, $2, $3, $4) ON CONFLICT (token, sender) \
         DO UPDATE SET position = excluded.position, at = excluded.at WHERE tombstone.position < excluded.position",
    )
    .bind(token.0.to_vec())
    .bind(sender.to_string())
    .bind(integer(position))
    .bind(at.0)
    .execute(db)
    .await?;
    Ok(())
}

/// The tombstone of a token: where and when its notice was ordered.
///
/// # Errors
/// [`super::StoreError`].
pub async fn tombstone(
    db: &mut AnyConnection,
    token: Token,
    sender: NodeId,
) -> Result<Option<(u64, Moment)>> {
    let found: Option<(i64, i64)> =
        sqlx::query_as("SELECT position, at FROM tombstone WHERE token = $1 AND sender = $2")
            .bind(token.0.to_vec())
            .bind(sender.to_string())
            .fetch_optional(db)
            .await?;
    Ok(found.map(|(position, at)| (natural(position), Moment(at))))
}

/// Takes a tombstone down: the person has agreed again.
///
/// # Errors
/// [`super::StoreError`].
pub async fn remove_tombstone(db: &mut AnyConnection, token: Token, sender: NodeId) -> Result<()> {
    sqlx::query("DELETE FROM tombstone WHERE token = $1 AND sender = $2")
        .bind(token.0.to_vec())
        .bind(sender.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Marks a row that must never be stored, or never again.
///
/// # Errors
/// [`super::StoreError`].
pub async fn mark_erased(db: &mut AnyConnection, notice: &NoticeIn, row: RowRef) -> Result<()> {
    sqlx::query(
        "INSERT INTO erased_row (share_id, row_ref, position, at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (share_id, row_ref) DO NOTHING",
    )
    .bind(notice.share.to_string())
    .bind(row.0.to_vec())
    .bind(integer(notice.position))
    .bind(notice.at.0)
    .execute(db)
    .await?;
    Ok(())
}

/// Where and when a row was taken back, if it was.
///
/// # Errors
/// [`super::StoreError`].
pub async fn erased(
    db: &mut AnyConnection,
    share: EntryId,
    row: RowRef,
) -> Result<Option<(u64, Moment)>> {
    let found: Option<(i64, i64)> =
        sqlx::query_as("SELECT position, at FROM erased_row WHERE share_id = $1 AND row_ref = $2")
            .bind(share.to_string())
            .bind(row.0.to_vec())
            .fetch_optional(db)
            .await?;
    Ok(found.map(|(position, at)| (natural(position), Moment(at))))
}
