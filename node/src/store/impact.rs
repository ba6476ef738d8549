//! Counts of what claims brought and spared, by time and organization.

use super::{Result, integer, natural, rows};
use protocol::{channel::Channel, id::NodeId, token::Token};
use sqlx::{AnyConnection, AssertSqlSafe};

/// One count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// Quarter hours since 1970 by log time: in every time zone days begin at one.
    pub quarter: i64,
    /// Who claimed.
    pub node: NodeId,
    /// How people would have been contacted.
    pub channel: Channel,
    /// asked, granted, held, recent, capped, suppressed.
    pub what: String,
    /// Through whom it was spared.
    pub by: Option<NodeId>,
    /// Contact points.
    pub points: u64,
}

/// Adds to a count.
///
/// # Errors
/// [`super::StoreError`].
pub async fn add(db: &mut AnyConnection, count: &Count) -> Result<()> {
    if count.points == 0 {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO impact_claim (quarter, node, channel, what, by_node, points) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (quarter, node, channel, what, by_node) \
         DO UPDATE SET points = impact_claim.points + excluded.points",
    )
    .bind(count.quarter)
    .bind(count.node.to_string())
    .bind(count.channel.name())
    .bind(&count.what)
    .bind(count.by.map(|node| node.to_string()).unwrap_or_default())
    .bind(integer(count.points))
    .execute(db)
    .await?;
    Ok(())
}

/// Forgets what was spared so long ago that it would count again.
///
/// # Errors
/// [`super::StoreError`].
pub async fn forget(db: &mut AnyConnection, channel: Channel, before: i64) -> Result<()> {
    sqlx::query("DELETE FROM impact_spared WHERE channel = $1 AND at <= $2")
        .bind(channel.name())
        .bind(before)
        .execute(db)
        .await?;
    Ok(())
}

/// Remembers contact points as spared; how many of them were not yet.
///
/// # Errors
/// [`super::StoreError`].
pub async fn spare(
    db: &mut AnyConnection,
    node: NodeId,
    channel: Channel,
    tokens: &[Token],
    at: i64,
) -> Result<u64> {
    let mut new = 0;
    for chunk in tokens.chunks(rows::CHUNK) {
        let sql = format!(
            "INSERT INTO impact_spared (node, channel, token, at) VALUES {} \
             ON CONFLICT (node, channel, token) DO NOTHING",
            rows::places(chunk.len(), 4)
        );
        let query = sqlx::query(AssertSqlSafe(sql));
        let query = chunk.iter().fold(query, |query, token| {
            query
                .bind(node.to_string())
                .bind(channel.name())
                .bind(token.0.to_vec())
                .bind(at)
        });
        new += query.execute(&mut *db).await?.rows_affected();
    }
    Ok(new)
}

/// Counts of the quarter hours from one to another, the last one left out, added up.
///
/// # Errors
/// [`super::StoreError`].
pub async fn counts(db: &mut AnyConnection, from: i64, to: i64) -> Result<Vec<Count>> {
    type Row = (i64, String, String, String, String, i64);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT MIN(quarter), node, channel, what, by_node, CAST(SUM(points) AS BIGINT) FROM impact_claim \
         WHERE quarter >= $1 AND quarter < $2 GROUP BY node, channel, what, by_node ORDER BY node, channel, what, by_node",
    )
    .bind(from)
    .bind(to)
    .fetch_all(db)
    .await?;
    let damaged = |column: &'static str| super::StoreError::damaged("impact_claim", column);
    rows.into_iter()
        .map(|(quarter, node, channel, what, by, points)| {
            let by = Some(by).filter(|by| !by.is_empty());
            Ok(Count {
                quarter,
                node: node.parse().map_err(|_| damaged("node"))?,
                channel: channel.parse().map_err(|_| damaged("channel"))?,
                what,
                by: by
                    .map(|by| by.parse().map_err(|_| damaged("by_node")))
                    .transpose()?,
                points: natural(points),
            })
        })
        .collect()
}
