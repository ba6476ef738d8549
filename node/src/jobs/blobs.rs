//! Lets blobs go whose time is over.

use crate::{app::App, store};

/// The most blobs of one transaction.
const AT_ONCE: i64 = 100;

/// Removes blobs whose time is over.
///
/// # Errors
/// When the database fails.
pub async fn run(app: &App) -> anyhow::Result<()> {
    let mut db = app.store.read("finding old blobs").await?;
    let old = store::blob::expired(&mut db, app.now(), AT_ONCE).await?;
    drop(db);
    if old.is_empty() {
        return Ok(());
    }
    let mut tx = app.store.write("removing old blobs").await?;
    for blob in old {
        store::blob::remove(&mut tx, blob.parse()?).await?;
    }
    tx.commit().await?;
    Ok(())
}
