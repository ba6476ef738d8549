//! Packets of own claims, and their stops.

use super::{Result, StoreError, natural, rows};
use sqlx::{AnyConnection, AssertSqlSafe, Row, any::AnyRow};

/// How far a packet has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PacketState {
    /// Nobody has it.
    Unassigned,
    /// Somebody has it.
    Assigned,
    /// Somebody walks it.
    InProgress,
    /// It is over; what was not reached was given back, unless it was kept.
    Done,
}

impl PacketState {
    const ALL: [Self; 4] = [
        Self::Unassigned,
        Self::Assigned,
        Self::InProgress,
        Self::Done,
    ];

    /// The word that is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unassigned => "unassigned",
            Self::Assigned => "assigned",
            Self::InProgress => "in_progress",
            Self::Done => "done",
        }
    }
}

/// One packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packet {
    /// Its id.
    pub packet_id: String,
    /// The claim, as its entry's id.
    pub claim_id: String,
    /// The position of the claim's grant: the number on walk lists.
    pub claim_number: u64,
    /// Its number within the claim, from 1.
    pub number: u64,
    /// How far it has come.
    pub state: PacketState,
    /// Who walks it; may be empty.
    pub assignee: String,
    /// How many stops it has.
    pub stops: u64,
}

fn read(row: &AnyRow) -> Result<Packet> {
    let state: String = row.try_get("state")?;
    let number = |column: &str| row.try_get::<i64, _>(column).map(natural);
    Ok(Packet {
        packet_id: row.try_get("packet_id")?,
        claim_id: row.try_get("claim_id")?,
        claim_number: number("position")?,
        number: number("number")?,
        state: PacketState::ALL
            .into_iter()
            .find(|known| known.name() == state)
            .ok_or_else(|| StoreError::damaged("packet", "state"))?,
        assignee: row.try_get("assignee")?,
        stops: number("stops")?,
    })
}

const SELECT: &str = "SELECT k.packet_id, k.claim_id, c.position, k.number, k.state, k.assignee, \
    (SELECT COUNT(*) FROM packet_stop s WHERE s.packet_id = k.packet_id) AS stops \
    FROM packet k JOIN claim c ON c.claim_id = k.claim_id AND c.position IS NOT NULL";

/// Packets of a claim, or of all claims, newest claim first.
///
/// # Errors
/// [`StoreError`].
pub async fn all(db: &mut AnyConnection, claim_id: Option<&str>) -> Result<Vec<Packet>> {
    let sql =
        format!("{SELECT} WHERE ($1 = '' OR k.claim_id = $2) ORDER BY c.position DESC, k.number");
    let claim_id = claim_id.unwrap_or_default();
    let rows = sqlx::query(AssertSqlSafe(sql))
        .bind(claim_id)
        .bind(claim_id)
        .fetch_all(db)
        .await?;
    rows.iter().map(read).collect()
}

/// The packet with a claim's number and its own.
///
/// # Errors
/// [`StoreError`].
pub async fn find(db: &mut AnyConnection, claim: i64, number: i64) -> Result<Option<Packet>> {
    let sql = format!("{SELECT} WHERE c.position = $1 AND k.number = $2");
    let row = sqlx::query(AssertSqlSafe(sql))
        .bind(claim)
        .bind(number)
        .fetch_optional(db)
        .await?;
    row.as_ref().map(read).transpose()
}

/// Writes a new packet with its stops in walking order.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(
    db: &mut AnyConnection,
    packet: &Packet,
    stops: &[String],
    now: i64,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO packet (packet_id, claim_id, number, state, assignee, changed_at) \
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(&packet.packet_id)
    .bind(&packet.claim_id)
    .bind(super::integer(packet.number))
    .bind(packet.state.name())
    .bind(&packet.assignee)
    .bind(now)
    .execute(&mut *db)
    .await?;
    let stops: Vec<(i64, &String)> = (1..).zip(stops).collect();
    for chunk in stops.chunks(rows::CHUNK) {
        let sql = format!(
            "INSERT INTO packet_stop (packet_id, point_id, stop) VALUES {}",
            rows::places(chunk.len(), 3)
        );
        let query = sqlx::query(AssertSqlSafe(sql));
        let query = chunk.iter().fold(query, |query, (stop, point)| {
            query
                .bind(packet.packet_id.clone())
                .bind((*point).clone())
                .bind(*stop)
        });
        query.execute(&mut *db).await?;
    }
    Ok(())
}

/// Removes every packet of a claim.
///
/// # Errors
/// [`StoreError`].
pub async fn remove_all(db: &mut AnyConnection, claim_id: &str) -> Result<()> {
    for sql in [
        "DELETE FROM packet_stop WHERE packet_id IN (SELECT packet_id FROM packet WHERE claim_id = $1)",
        "DELETE FROM packet WHERE claim_id = $1",
    ] {
        sqlx::query(sql).bind(claim_id).execute(&mut *db).await?;
    }
    Ok(())
}

/// The stops of a packet by contact point.
///
/// # Errors
/// [`StoreError`].
pub async fn stops(
    db: &mut AnyConnection,
    packet_id: &str,
) -> Result<std::collections::BTreeMap<String, i64>> {
    let rows: Vec<(String, i64)> =
        sqlx::query_as("SELECT point_id, stop FROM packet_stop WHERE packet_id = $1")
            .bind(packet_id)
            .fetch_all(db)
            .await?;
    Ok(rows.into_iter().collect())
}

/// The results at a packet's stops since a moment: person, stop, result; the latest of a person comes last.
///
/// # Errors
/// [`StoreError`].
pub async fn results(
    db: &mut AnyConnection,
    packet_id: &str,
    since: i64,
) -> Result<Vec<(String, i64, String)>> {
    let sql = "SELECT c.person_id, s.stop, c.result FROM packet_stop s \
        JOIN contact c ON c.point_id = s.point_id AND c.own = 1 AND c.at >= $1 \
        WHERE s.packet_id = $2 AND c.person_id IS NOT NULL ORDER BY c.at, c.contact_id";
    Ok(sqlx::query_as(sql)
        .bind(since)
        .bind(packet_id)
        .fetch_all(db)
        .await?)
}

/// Writes how far a packet has come and who has it, if it is still as it was read.
///
/// # Errors
/// [`StoreError`].
pub async fn change(
    db: &mut AnyConnection,
    packet: &Packet,
    before: PacketState,
    now: i64,
) -> Result<bool> {
    let changed = sqlx::query(
        "UPDATE packet SET state = $1, assignee = $2, changed_at = $3 WHERE packet_id = $4 AND state = $5",
    )
    .bind(packet.state.name())
    .bind(&packet.assignee)
    .bind(now)
    .bind(&packet.packet_id)
    .bind(before.name())
    .execute(db)
    .await?;
    Ok(changed.rows_affected() == 1)
}
