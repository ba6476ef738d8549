//! The disclosure ledger: who was given which person, on which ground, and what was taken back.

use super::super::Result;
use protocol::id::{EntryId, Hash, NodeId, RowRef};
use sqlx::{AnyConnection, FromRow, Row, any::AnyRow};

/// One person given to one recipient in one share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disclosure {
    /// The share.
    pub share: EntryId,
    /// The person's local id.
    pub person: String,
    /// The row's random name at the recipient.
    pub row_ref: RowRef,
    /// The recipient.
    pub recipient: NodeId,
    /// JSON list of the classes of fields that went.
    pub fields: String,
    /// The ground it rests on.
    pub basis: String,
    /// The consent record relied on.
    pub consent_record: Option<String>,
    /// When.
    pub sent_at: i64,
    /// Why it is taken back, if it is.
    pub revoke_kind: Option<String>,
    /// The notice that takes it back.
    pub notice: Option<EntryId>,
    /// The latest notice that corrects it.
    pub rectified: Option<EntryId>,
    /// The received share and row that it was passed on from; none for own people.
    pub via: Option<(EntryId, RowRef)>,
    /// The person whose fields correct it while the correction waits for the share's announcement.
    pub rectify_with: Option<String>,
}

impl FromRow<'_, AnyRow> for Disclosure {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        let decode = |error: protocol::id::IdError| sqlx::Error::Decode(Box::new(error));
        let name = |bytes: Vec<u8>| {
            let bytes = bytes.try_into();
            let bytes =
                bytes.map_err(|_| sqlx::Error::Decode("a row reference has 16 bytes".into()));
            bytes.map(RowRef)
        };
        let via_share: Option<String> = row.try_get("via_share")?;
        let via_row: Option<Vec<u8>> = row.try_get("via_row")?;
        let via = match (via_share, via_row) {
            (Some(share), Some(row)) => Some((share.parse().map_err(decode)?, name(row)?)),
            _ => None,
        };
        let notice = |column: &str| {
            let id: Option<String> = row.try_get(column)?;
            id.map(|id| id.parse().map_err(decode)).transpose()
        };
        Ok(Self {
            share: row
                .try_get::<String, _>("share_id")?
                .parse()
                .map_err(decode)?,
            person: row.try_get("person_id")?,
            row_ref: name(row.try_get("row_ref")?)?,
            recipient: row
                .try_get::<String, _>("recipient")?
                .parse()
                .map_err(decode)?,
            fields: row.try_get("fields")?,
            basis: row.try_get("basis")?,
            consent_record: row.try_get("consent_record")?,
            sent_at: row.try_get("sent_at")?,
            revoke_kind: row.try_get("revoke_kind")?,
            notice: notice("notice_id")?,
            rectified: notice("rectify_notice")?,
            via,
            rectify_with: row.try_get("rectify_with")?,
        })
    }
}

pub(super) const COLUMNS: &str = "share_id, person_id, row_ref, recipient, fields, basis, consent_record, sent_at, \
    revoke_kind, notice_id, rectify_notice, via_share, via_row, rectify_with";

/// Writes one line, with what proves its row.
///
/// # Errors
/// [`super::StoreError`].
pub async fn insert(db: &mut AnyConnection, line: &Disclosure, proof: &Proof) -> Result<()> {
    let (salt, bytes) = match &proof.secret {
        Some((salt, bytes)) => (Some(salt.to_vec()), Some(bytes.clone())),
        None => (None, None),
    };
    sqlx::query(
        "INSERT INTO disclosure (share_id, person_id, row_ref, recipient, fields, basis, consent_record, sent_at, \
         leaf, salt, row_bytes, via_share, via_row) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(line.share.to_string())
    .bind(&line.person)
    .bind(line.row_ref.0.to_vec())
    .bind(line.recipient.to_string())
    .bind(&line.fields)
    .bind(&line.basis)
    .bind(&line.consent_record)
    .bind(line.sent_at)
    .bind(proof.leaf.0.to_vec())
    .bind(salt)
    .bind(bytes)
    .bind(line.via.map(|(share, _)| share.to_string()))
    .bind(line.via.map(|(_, row)| row.0.to_vec()))
    .execute(db)
    .await?;
    Ok(())
}

/// Everything that was ever given of a person, the latest first.
///
/// # Errors
/// [`super::StoreError`].
pub async fn of_person(db: &mut AnyConnection, person: &str) -> Result<Vec<Disclosure>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM disclosure WHERE person_id = $1 ORDER BY sent_at DESC, share_id"
    );
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(person)
        .fetch_all(db)
        .await?)
}

/// Everybody that a share carried.
///
/// # Errors
/// [`super::StoreError`].
pub async fn of_share(db: &mut AnyConnection, share: EntryId) -> Result<Vec<Disclosure>> {
    let sql = format!("SELECT {COLUMNS} FROM disclosure WHERE share_id = $1 ORDER BY person_id");
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(share.to_string())
        .fetch_all(db)
        .await?)
}

/// Lines that one statement changes.
const LINES_AT_ONCE: usize = 400;

/// Notes that lines of one share are taken back, and by which notice once there is one; without a kind,
/// that they are not any more.
///
/// # Errors
/// [`super::StoreError`].
pub async fn set_revoked(
    db: &mut AnyConnection,
    lines: &[Disclosure],
    kind: Option<&str>,
    notice: Option<EntryId>,
) -> Result<()> {
    for some in lines.chunks(LINES_AT_ONCE) {
        let Some(share) = some.first().map(|line| line.share) else {
            continue;
        };
        let places: Vec<String> = (4..some.len() + 4).map(|n| format!("${n}")).collect();
        let sql = format!(
            "UPDATE disclosure SET revoke_kind = $1, notice_id = $2 WHERE share_id = $3 AND person_id IN ({})",
            places.join(", ")
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(kind)
            .bind(notice.map(|notice| notice.to_string()))
            .bind(share.to_string());
        for line in some {
            query = query.bind(&line.person);
        }
        query.execute(&mut *db).await?;
    }
    Ok(())
}

/// Notes the notice that corrects a line; without one, that the line waits for its announcement, and
/// with whose fields it is to be corrected when not with the person's own.
///
/// # Errors
/// [`super::StoreError`].
pub async fn set_rectified(
    db: &mut AnyConnection,
    line: &Disclosure,
    notice: Option<EntryId>,
    with: Option<&str>,
) -> Result<()> {
    sqlx::query(
        "UPDATE disclosure SET rectify_notice = $1, rectify_waits = $2, rectify_with = $3 \
         WHERE share_id = $4 AND person_id = $5",
    )
    .bind(notice.map(|notice| notice.to_string()))
    .bind(i64::from(notice.is_none()))
    .bind(with)
    .bind(line.share.to_string())
    .bind(&line.person)
    .execute(db)
    .await?;
    Ok(())
}

/// The lines of a share that are to be corrected and wait for its announcement.
///
/// # Errors
/// [`super::StoreError`].
pub async fn waiting_for_correction(
    db: &mut AnyConnection,
    share: EntryId,
) -> Result<Vec<Disclosure>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM disclosure WHERE share_id = $1 AND rectify_waits = 1 ORDER BY person_id"
    );
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(share.to_string())
        .fetch_all(db)
        .await?)
}

/// The lines of a share that are taken back and wait for its announcement.
///
/// # Errors
/// [`super::StoreError`].
pub async fn waiting_for_notice(db: &mut AnyConnection, share: EntryId) -> Result<Vec<Disclosure>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM disclosure WHERE share_id = $1 AND revoke_kind IS NOT NULL AND notice_id IS NULL \
         ORDER BY person_id"
    );
    Ok(sqlx::query_as(sqlx::AssertSqlSafe(sql))
        .bind(share.to_string())
        .fetch_all(db)
        .await?)
}

/// What proves a line's row to outsiders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Its leaf in the share tree.
    pub leaf: Hash,
    /// The leaf's salt and the row as it went; gone after an erasure, and then nobody can tell of
    /// whom the leaf is.
    pub secret: Option<([u8; 32], Vec<u8>)>,
}

/// The leaves of a share in the order of its tree, with the names of their rows.
///
/// # Errors
/// [`super::StoreError`].
pub async fn leaves(db: &mut AnyConnection, share: EntryId) -> Result<Vec<(RowRef, Hash)>> {
    let rows: Vec<(Vec<u8>, Option<Vec<u8>>)> =
        sqlx::query_as("SELECT row_ref, leaf FROM disclosure WHERE share_id = $1 ORDER BY row_ref")
            .bind(share.to_string())
            .fetch_all(db)
            .await?;
    rows.into_iter()
        .map(|(row, leaf)| {
            let leaf = leaf.and_then(|leaf| leaf.try_into().ok()).map(Hash);
            let leaf = leaf.ok_or_else(|| super::StoreError::damaged("disclosure", "leaf"))?;
            Ok((RowRef(super::sixteen("disclosure", row)?), leaf))
        })
        .collect()
}

/// Salt and bytes of a person's row in a share; none once they are erased.
///
/// # Errors
/// [`super::StoreError`].
pub async fn secret(
    db: &mut AnyConnection,
    share: EntryId,
    row: RowRef,
) -> Result<Option<([u8; 32], Vec<u8>)>> {
    type Columns = (Option<Vec<u8>>, Option<Vec<u8>>);
    let found: Option<Columns> = sqlx::query_as(
        "SELECT salt, row_bytes FROM disclosure WHERE share_id = $1 AND row_ref = $2",
    )
    .bind(share.to_string())
    .bind(row.0.to_vec())
    .fetch_optional(db)
    .await?;
    let Some((Some(salt), Some(bytes))) = found else {
        return Ok(None);
    };
    let salt = salt
        .try_into()
        .map_err(|_| super::StoreError::damaged("disclosure", "salt"))?;
    Ok(Some((salt, bytes)))
}

/// Whether rows whose erasure was confirmed can still be proved here.
///
/// # Errors
/// [`super::StoreError`].
pub async fn any_to_forget(db: &mut AnyConnection) -> Result<bool> {
    let count: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM disclosure WHERE revoke_kind = 'erasure' AND salt IS NOT NULL AND notice_id IN \
         (SELECT notice_id FROM notice_out WHERE receipt IS NOT NULL AND (result IS NULL OR result <> 'refused'))",
    )
    .fetch_one(db)
    .await?;
    Ok(count > 0)
}

/// Deletes salts and rows whose erasure was confirmed: their leaves stay, and nobody can tell of
/// whom they are.
///
/// # Errors
/// [`super::StoreError`].
pub async fn forget(db: &mut AnyConnection) -> Result<()> {
    sqlx::query(
        "UPDATE disclosure SET salt = NULL, row_bytes = NULL \
         WHERE revoke_kind = 'erasure' AND salt IS NOT NULL AND notice_id IN \
         (SELECT notice_id FROM notice_out WHERE receipt IS NOT NULL AND (result IS NULL OR result <> 'refused'))",
    )
    .execute(db)
    .await?;
    Ok(())
}
