//! This node's own claims and their contact points.

use super::{Result, StoreError, integer, natural, rows};
use protocol::{
    channel::Channel,
    id::{EntryId, NodeId},
    time::Moment,
    token::Token,
};
use sqlx::{AnyConnection, Row, any::AnyRow};

/// How far a claim has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Said, not yet decided.
    Asked,
    /// Some or all of its points are held.
    Granted,
    /// None of its points was granted.
    Refused,
    /// Given back.
    Released,
    /// Its time is over.
    Ended,
    /// The coalition did not accept it.
    Void,
}

impl Phase {
    const ALL: [Self; 6] = [
        Self::Asked,
        Self::Granted,
        Self::Refused,
        Self::Released,
        Self::Ended,
        Self::Void,
    ];

    /// The word that is stored.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::Released => "released",
            Self::Ended => "ended",
            Self::Void => "void",
        }
    }
}

/// One claim.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The id of the entry that made it.
    pub id: EntryId,
    /// How the people will be contacted.
    pub channel: Channel,
    /// The window's first moment.
    pub from: Moment,
    /// The moment after the window's last.
    pub to: Moment,
    /// The list it was made from.
    pub list_id: Option<String>,
    /// List or file name.
    pub label: String,
    /// How far it has come.
    pub phase: Phase,
    /// Contact points asked for.
    pub asked: u64,
    /// Contact points granted.
    pub granted: u64,
    /// Contact points refused.
    pub refused: u64,
    /// Where it was decided.
    pub position: Option<u64>,
    /// Why it is void.
    pub note: Option<String>,
}

/// What became of one contact point of a claim.
#[derive(Debug, Clone)]
pub struct ClaimPoint {
    /// Its token.
    pub token: Token,
    /// asked, granted, held, recent, suppressed or released.
    pub state: String,
    /// Who holds it, was there, or says so.
    pub by: Option<NodeId>,
    /// Until when.
    pub until: Option<Moment>,
}

const COLUMNS: &str = "claim_id, channel, starts_at, ends_at, list_id, label, state, asked, granted, refused, position, note";

fn read(row: &AnyRow) -> Result<Claim> {
    let damaged = |what: &str| StoreError::damaged("claim", what);
    let text = |column: &str| row.try_get::<String, _>(column);
    let number = |column: &str| row.try_get::<i64, _>(column);
    let phase = text("state")?;
    Ok(Claim {
        id: text("claim_id")?.parse().map_err(|_| damaged("claim_id"))?,
        channel: text("channel")?.parse().map_err(|_| damaged("channel"))?,
        from: Moment(number("starts_at")?),
        to: Moment(number("ends_at")?),
        list_id: row.try_get("list_id")?,
        label: text("label")?,
        phase: Phase::ALL
            .into_iter()
            .find(|known| known.name() == phase)
            .ok_or_else(|| damaged("state"))?,
        asked: natural(number("asked")?),
        granted: natural(number("granted")?),
        refused: natural(number("refused")?),
        position: row.try_get::<Option<i64>, _>("position")?.map(natural),
        note: row.try_get("note")?,
    })
}

/// Writes a new claim and the points it asks for.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(
    db: &mut AnyConnection,
    claim: &Claim,
    tokens: &[Token],
    now: Moment,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO claim (claim_id, channel, starts_at, ends_at, list_id, label, state, asked, granted, refused, \
         created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, 0, $9)",
    )
    .bind(claim.id.to_string())
    .bind(claim.channel.name())
    .bind(claim.from.0)
    .bind(claim.to.0)
    .bind(&claim.list_id)
    .bind(&claim.label)
    .bind(claim.phase.name())
    .bind(integer(claim.asked))
    .bind(now.0)
    .execute(&mut *db)
    .await?;
    let id = claim.id.to_string();
    for chunk in tokens.chunks(rows::CHUNK) {
        let sql = format!(
            "INSERT INTO claim_point (claim_id, token, state) VALUES {}",
            rows::places(chunk.len(), 3)
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql));
        let query = chunk.iter().fold(query, |query, token| {
            query.bind(&id).bind(token.0.as_slice()).bind("asked")
        });
        query.execute(&mut *db).await?;
    }
    Ok(())
}

/// Writes what the coalition decided; deciding twice changes nothing more.
///
/// # Errors
/// [`StoreError`].
pub async fn decide(
    db: &mut AnyConnection,
    id: EntryId,
    granted: u64,
    refused: &[ClaimPoint],
    position: u64,
) -> Result<()> {
    let phase = if granted > 0 {
        Phase::Granted
    } else {
        Phase::Refused
    };
    sqlx::query(
        "UPDATE claim SET state = $1, granted = $2, refused = $3, position = $4 WHERE claim_id = $5",
    )
    .bind(phase.name())
    .bind(integer(granted))
    .bind(integer(refused.len() as u64))
    .bind(integer(position))
    .bind(id.to_string())
    .execute(&mut *db)
    .await?;
    sqlx::query("UPDATE claim_point SET state = 'granted' WHERE claim_id = $1")
        .bind(id.to_string())
        .execute(&mut *db)
        .await?;
    for point in refused {
        sqlx::query(
            "UPDATE claim_point SET state = $1, by_node = $2, until = $3 WHERE claim_id = $4 AND token = $5",
        )
        .bind(&point.state)
        .bind(point.by.map(|node| node.to_string()))
        .bind(point.until.map(|until| until.0))
        .bind(id.to_string())
        .bind(point.token.0.as_slice())
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// Marks granted points as given back: these, or all.
///
/// # Errors
/// [`StoreError`].
pub async fn release(db: &mut AnyConnection, id: EntryId, tokens: Option<&[Token]>) -> Result<()> {
    let Some(tokens) = tokens else {
        sqlx::query(
            "UPDATE claim_point SET state = 'released' WHERE claim_id = $1 AND state = 'granted'",
        )
        .bind(id.to_string())
        .execute(db)
        .await?;
        return Ok(());
    };
    for token in tokens {
        sqlx::query(
            "UPDATE claim_point SET state = 'released' WHERE claim_id = $1 AND token = $2 AND state = 'granted'",
        )
        .bind(id.to_string())
        .bind(token.0.as_slice())
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// Moves a claim from one phase to another; nothing when it is in neither.
///
/// # Errors
/// [`StoreError`].
pub async fn set_phase(
    db: &mut AnyConnection,
    id: EntryId,
    before: Phase,
    after: Phase,
    note: Option<&str>,
) -> Result<()> {
    sqlx::query("UPDATE claim SET state = $1, note = $2 WHERE claim_id = $3 AND state = $4")
        .bind(after.name())
        .bind(note)
        .bind(id.to_string())
        .bind(before.name())
        .execute(db)
        .await?;
    Ok(())
}

/// Own claims whose id begins so, at most two: one is an answer, two are a question.
///
/// # Errors
/// [`StoreError`].
pub async fn by_beginning(db: &mut AnyConnection, beginning: &str) -> Result<Vec<Claim>> {
    let sql =
        format!("SELECT {COLUMNS} FROM claim WHERE claim_id LIKE $1 ORDER BY claim_id LIMIT 2");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(format!("{beginning}%"))
        .fetch_all(db)
        .await?;
    rows.iter().map(read).collect()
}

/// Own claims, newest first.
///
/// # Errors
/// [`StoreError`].
pub async fn latest(db: &mut AnyConnection, most: i64) -> Result<Vec<Claim>> {
    let sql = format!("SELECT {COLUMNS} FROM claim ORDER BY created_at DESC, claim_id LIMIT $1");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
        .bind(most)
        .fetch_all(db)
        .await?;
    rows.iter().map(read).collect()
}

/// The points of a claim, in order of token.
///
/// # Errors
/// [`StoreError`].
pub async fn points(db: &mut AnyConnection, id: EntryId) -> Result<Vec<ClaimPoint>> {
    type Columns = (Vec<u8>, String, Option<String>, Option<i64>);
    let rows: Vec<Columns> = sqlx::query_as(
        "SELECT token, state, by_node, until FROM claim_point WHERE claim_id = $1 ORDER BY token",
    )
    .bind(id.to_string())
    .fetch_all(db)
    .await?;
    let damaged = |what: &str| StoreError::damaged("claim_point", what);
    rows.into_iter()
        .map(|(token, state, by, until)| {
            Ok(ClaimPoint {
                token: Token(token.try_into().map_err(|_| damaged("token"))?),
                state,
                by: by
                    .map(|by| by.parse().map_err(|_| damaged("by_node")))
                    .transpose()?,
                until: until.map(Moment),
            })
        })
        .collect()
}

/// Tokens of points at which this organization made a contact on a channel since a moment.
///
/// # Errors
/// [`StoreError`].
pub async fn visited(
    db: &mut AnyConnection,
    channel: Channel,
    since: Moment,
) -> Result<Vec<Token>> {
    let rows: Vec<Vec<u8>> = sqlx::query_scalar(
        "SELECT p.token FROM contact c JOIN point p ON p.point_id = c.point_id \
         WHERE c.own = 1 AND c.channel = $1 AND c.at >= $2 AND p.token IS NOT NULL \
         UNION SELECT p.old_token FROM contact c JOIN point p ON p.point_id = c.point_id \
         WHERE c.own = 1 AND c.channel = $1 AND c.at >= $2 AND p.old_token IS NOT NULL",
    )
    .bind(channel.name())
    .bind(since.0)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|token| {
            token
                .try_into()
                .map(Token)
                .map_err(|_| StoreError::damaged("point", "token"))
        })
        .collect()
}
