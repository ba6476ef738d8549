//! The organization's own attempts that the coalition has not been told.

use super::{Result, StoreError};
use protocol::{channel::Channel, id::EntryId, time::Moment, token::Token};
use sqlx::AnyConnection;

/// An attempt that can be told.
#[derive(Debug, Clone)]
pub struct Untold {
    /// Its id.
    pub id: String,
    /// The contact point's token.
    pub token: Token,
    /// When; where only the day is known, its last moment.
    pub at: Moment,
    /// Its effect class.
    pub effect: String,
}

/// Own attempts on a channel whose contact point has a token, oldest first.
///
/// # Errors
/// [`StoreError`].
pub async fn untold(
    db: &mut AnyConnection,
    channel: Channel,
    generation: u32,
    until: Moment,
    most: i64,
) -> Result<Vec<Untold>> {
    let rows: Vec<(String, Vec<u8>, i64, String)> = sqlx::query_as(
        "SELECT c.contact_id, p.token, c.at, c.effect FROM contact c \
         JOIN point p ON p.point_id = c.point_id \
         WHERE c.told IS NULL AND c.own = 1 AND c.channel = $1 AND p.generation = $2 AND c.at <= $3 \
         AND (c.effect = 'attempt-only' OR c.effect = 'contact-made' OR c.effect = 'answer') \
         ORDER BY c.at, c.contact_id LIMIT $4",
    )
    .bind(channel.name())
    .bind(i64::from(generation))
    .bind(until.0)
    .bind(most)
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|(id, token, at, effect)| {
            let token = token
                .try_into()
                .map_err(|_| StoreError::damaged("point", "token"))?;
            Ok(Untold {
                id,
                token: Token(token),
                at: Moment(at),
                effect,
            })
        })
        .collect()
}

/// Notes which entry told an attempt.
///
/// # Errors
/// [`StoreError`].
pub async fn set_told(db: &mut AnyConnection, id: &str, entry: EntryId) -> Result<()> {
    sqlx::query("UPDATE contact SET told = $1 WHERE contact_id = $2")
        .bind(entry.to_string())
        .bind(id)
        .execute(db)
        .await?;
    Ok(())
}

/// An entry changed nothing: what it told has to be told again.
///
/// # Errors
/// [`StoreError`].
pub async fn untell(db: &mut AnyConnection, entry: EntryId) -> Result<()> {
    sqlx::query("UPDATE contact SET told = NULL WHERE told = $1")
        .bind(entry.to_string())
        .execute(db)
        .await?;
    Ok(())
}

/// Every own attempt has to be told again, by new tokens.
///
/// # Errors
/// [`StoreError`].
pub async fn untell_all(db: &mut AnyConnection) -> Result<()> {
    sqlx::query("UPDATE contact SET told = NULL WHERE told IS NOT NULL")
        .execute(db)
        .await?;
    Ok(())
}
