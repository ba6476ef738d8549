//! Pages of the desk.

pub mod session;

use crate::app::App;
use axum::Router;

/// Every page's route.
pub fn routes(app: App) -> Router<App> {
    let _ = app;
    Router::new()
}
