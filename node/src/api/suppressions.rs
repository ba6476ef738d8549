//! `/suppressions`.

use crate::app::App;
use axum::Router;

/// Routes of this group.
pub fn routes() -> Router<App> {
    Router::new()
}
