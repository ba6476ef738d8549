//! Suppressions as imports write them and as they stand with people.

use super::{Result, StoreError};
use sqlx::{AnyConnection, AssertSqlSafe, FromRow, Row, any::AnyRow};

/// Why a person or contact point must not be contacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The person wants no contact on the channel; the coalition is told.
    DoNotContact,
    /// The person said no to this organization; stays here and blocks shares.
    OptOut,
    /// The contact point does not reach anybody it should.
    Defect,
    /// The person has left the door; says nothing about the door.
    Moved,
    /// Reported dead.
    Deceased,
}

impl Cause {
    const ALL: [Self; 5] = [
        Self::DoNotContact,
        Self::OptOut,
        Self::Defect,
        Self::Moved,
        Self::Deceased,
    ];

    /// The word that is stored and read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DoNotContact => "do_not_contact",
            Self::OptOut => "opt_out",
            Self::Defect => "defect",
            Self::Moved => "moved",
            Self::Deceased => "deceased",
        }
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Base32, random.
    pub suppression_id: String,
    /// Whom it concerns, where it is a person of a list.
    pub person_id: Option<String>,
    /// What it concerns, where it is a contact point.
    pub point_id: Option<String>,
    /// Bits as in [`protocol::entry::payload::Channels`].
    pub channels: i64,
    /// Said to have died.
    pub deceased: bool,
    /// Why.
    pub cause: Cause,
    /// Import id, `desk` or `cli`.
    pub source: String,
    /// Milliseconds since 1970.
    pub since: i64,
    /// Milliseconds since 1970.
    pub withdrawn_at: Option<i64>,
    /// Entry that told the coalition.
    pub told: Option<String>,
}

const COLUMNS: &str = "s.suppression_id, s.person_id, s.point_id, s.channels, s.deceased, s.reason, s.source, s.since, \
    s.withdrawn_at, s.told";

impl FromRow<'_, AnyRow> for Suppression {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        let word: String = row.try_get("reason")?;
        let cause = Cause::ALL.into_iter().find(|cause| cause.name() == word);
        let cause = cause.ok_or_else(|| sqlx::Error::ColumnDecode {
            index: "reason".to_owned(),
            source: "no reason that is known".into(),
        })?;
        Ok(Self {
            suppression_id: row.try_get("suppression_id")?,
            person_id: row.try_get("person_id")?,
            point_id: row.try_get("point_id")?,
            channels: row.try_get("channels")?,
            deceased: row.try_get::<i64, _>("deceased")? != 0,
            cause,
            source: row.try_get("source")?,
            since: row.try_get("since")?,
            withdrawn_at: row.try_get("withdrawn_at")?,
            told: row.try_get("told")?,
        })
    }
}

/// The suppressions of a person, withdrawn ones included, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn of_person(db: &mut AnyConnection, person_id: &str) -> Result<Vec<Suppression>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM suppression s WHERE s.person_id = $1 ORDER BY s.since, s.suppression_id"
    );
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(person_id)
        .fetch_all(db)
        .await?)
}

/// The suppressions of the people of a list whose ids lie between two, both included.
///
/// # Errors
/// [`StoreError`].
pub async fn of_page(
    db: &mut AnyConnection,
    list_id: &str,
    first: &str,
    last: &str,
) -> Result<Vec<Suppression>> {
    let sql = format!(
        "SELECT {COLUMNS} FROM person_list l JOIN suppression s ON s.person_id = l.person_id \
         WHERE l.list_id = $1 AND l.person_id >= $2 AND l.person_id <= $3 \
         ORDER BY s.person_id, s.since, s.suppression_id"
    );
    Ok(sqlx::query_as(AssertSqlSafe(sql))
        .bind(list_id)
        .bind(first)
        .bind(last)
        .fetch_all(db)
        .await?)
}

/// Writes a suppression.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(db: &mut AnyConnection, row: &Suppression) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO suppression (suppression_id, person_id, point_id, channels, deceased, reason, source, since) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(&row.suppression_id)
    .bind(row.person_id.as_deref())
    .bind(row.point_id.as_deref())
    .bind(row.channels)
    .bind(i64::from(row.deceased))
    .bind(row.cause.name())
    .bind(&row.source)
    .bind(row.since)
    .execute(db)
    .await?;
    Ok(())
}
