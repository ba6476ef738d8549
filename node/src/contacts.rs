//! contacts of this organization.

use crate::app::App;

/// Tells the coalition what it does not know yet.
///
/// # Errors
/// When the database fails.
pub async fn tell(app: &App) -> anyhow::Result<()> {
    let _ = app;
    Ok(())
}
