//! Who this node is, and its secrets.

use super::{Result, StoreError};
use protocol::id::NodeId;
use sqlx::AnyConnection;

/// The one row about this node.
#[derive(Debug, Clone)]
pub struct NodeRow {
    /// Its id.
    pub node_id: NodeId,
    /// The organization's name.
    pub name: String,
    /// Its legal kind.
    pub kind: String,
    /// Its signed identity document.
    pub document: Vec<u8>,
}

/// Writes the one row about this node.
///
/// # Errors
/// [`StoreError`]; a unique violation when there is one already.
pub async fn insert(db: &mut AnyConnection, row: &NodeRow, now: i64) -> Result<()> {
    sqlx::query("INSERT INTO node (one, node_id, name, kind, document, created_at) VALUES (1, $1, $2, $3, $4, $5)")
        .bind(row.node_id.to_string())
        .bind(&row.name)
        .bind(&row.kind)
        .bind(&row.document)
        .bind(now)
        .execute(db)
        .await?;
    Ok(())
}

/// The one row about this node; none in a fresh database.
///
/// # Errors
/// [`StoreError`].
pub async fn find(db: &mut AnyConnection) -> Result<Option<NodeRow>> {
    let row: Option<(String, String, String, Vec<u8>)> =
        sqlx::query_as("SELECT node_id, name, kind, document FROM node")
            .fetch_optional(db)
            .await?;
    row.map(|(node_id, name, kind, document)| {
        let node_id = node_id
            .parse()
            .map_err(|error| StoreError::damaged("node", error))?;
        Ok(NodeRow {
            node_id,
            name,
            kind,
            document,
        })
    })
    .transpose()
}

/// Puts another signed identity document in the place of this node's.
///
/// # Errors
/// [`StoreError`].
pub async fn put_document(db: &mut AnyConnection, document: &[u8]) -> Result<()> {
    sqlx::query("UPDATE node SET document = $1")
        .bind(document)
        .execute(db)
        .await?;
    Ok(())
}

/// Writes a sealed secret, in place of an earlier one.
///
/// # Errors
/// [`StoreError`].
pub async fn put_secret(db: &mut AnyConnection, name: &str, sealed: &[u8]) -> Result<()> {
    sqlx::query(
        "INSERT INTO secret (name, sealed) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed",
    )
    .bind(name)
    .bind(sealed)
    .execute(db)
    .await?;
    Ok(())
}

/// A sealed secret.
///
/// # Errors
/// [`StoreError`].
pub async fn secret(db: &mut AnyConnection, name: &str) -> Result<Option<Vec<u8>>> {
    Ok(
        sqlx::query_scalar("SELECT sealed FROM secret WHERE name = $1")
            .bind(name)
            .fetch_optional(db)
            .await?,
    )
}

/// The names of the secrets that begin so.
///
/// # Errors
/// [`StoreError`].
pub async fn secrets_beginning(db: &mut AnyConnection, beginning: &str) -> Result<Vec<String>> {
    Ok(
        sqlx::query_scalar("SELECT name FROM secret WHERE name LIKE $1 ORDER BY name")
            .bind(format!("{beginning}%"))
            .fetch_all(db)
            .await?,
    )
}

/// Erases a secret.
///
/// # Errors
/// [`StoreError`].
pub async fn delete_secret(db: &mut AnyConnection, name: &str) -> Result<()> {
    sqlx::query("DELETE FROM secret WHERE name = $1")
        .bind(name)
        .execute(db)
        .await?;
    Ok(())
}
