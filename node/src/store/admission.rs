//! What newcomers need, from the moment their commit won until the keeper has it.

use super::{Result, StoreError, integer, natural, sealed::RestKey};
use protocol::id::NodeId;
use sqlx::AnyConnection;

/// An admission to keep.
#[derive(Debug)]
pub struct New<'a> {
    /// The newcomer.
    pub node: NodeId,
    /// The MLS Welcome.
    pub welcome: &'a [u8],
    /// The folded state at the joining position.
    pub snapshot: &'a [u8],
    /// The joining position.
    pub position: u64,
}

/// A kept admission.
#[derive(Debug)]
pub struct Kept {
    /// The newcomer.
    pub node: NodeId,
    /// The MLS Welcome.
    pub welcome: Vec<u8>,
    /// The folded state at the joining position.
    pub snapshot: Vec<u8>,
    /// The joining position.
    pub position: u64,
}

fn place(node: &str, column: &str) -> String {
    format!("admission/{node}/{column}")
}

/// Keeps an admission, sealed.
///
/// # Errors
/// [`StoreError`].
pub async fn insert(db: &mut AnyConnection, rest: &RestKey, new: &New<'_>) -> Result<()> {
    let node = new.node.to_string();
    let welcome = rest.seal(
        &place(&node, "welcome"),
        new.welcome,
        &mut crate::ambient::rng(),
    );
    let snapshot = rest.seal(
        &place(&node, "snapshot"),
        new.snapshot,
        &mut crate::ambient::rng(),
    );
    sqlx::query(
        "INSERT INTO admission (node_id, welcome, snapshot, position) VALUES ($1, $2, $3, $4)",
    )
    .bind(node)
    .bind(welcome)
    .bind(snapshot)
    .bind(integer(new.position))
    .execute(db)
    .await?;
    Ok(())
}

/// The admission that waits longest.
///
/// # Errors
/// [`StoreError`].
pub async fn first(db: &mut AnyConnection, rest: &RestKey) -> Result<Option<Kept>> {
    let row: Option<(String, Vec<u8>, Vec<u8>, i64)> = sqlx::query_as(
        "SELECT node_id, welcome, snapshot, position FROM admission ORDER BY position LIMIT 1",
    )
    .fetch_optional(db)
    .await?;
    let Some((node, welcome, snapshot, position)) = row else {
        return Ok(None);
    };
    let damaged = |error: super::sealed::SealedError| StoreError::damaged("admission", error);
    Ok(Some(Kept {
        welcome: rest
            .open(&place(&node, "welcome"), &welcome)
            .map_err(damaged)?,
        snapshot: rest
            .open(&place(&node, "snapshot"), &snapshot)
            .map_err(damaged)?,
        node: node
            .parse()
            .map_err(|error| StoreError::damaged("admission", error))?,
        position: natural(position),
    }))
}

/// Forgets an admission: the keeper has it.
///
/// # Errors
/// [`StoreError`].
pub async fn remove(db: &mut AnyConnection, node: NodeId) -> Result<()> {
    sqlx::query("DELETE FROM admission WHERE node_id = $1")
        .bind(node.to_string())
        .execute(db)
        .await?;
    Ok(())
}
