//! Every route, on one screen: the desk for the organization's own people, the federation for
//! members. Nothing of one is served by the other.

pub mod extract;
pub mod guard;
pub mod problem;
pub mod serve;

use crate::{api, app::App, federation, pages};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post, put},
};
use protocol::version::Versions;
use tower_http::catch_panic::CatchPanicLayer;

/// The longest body of a desk call; imports stream and are not bound by it.
pub const DESK_BODY: usize = 1024 * 1024;

/// Pages and API for the organization's own people.
pub fn desk(app: App) -> Router {
    let api = Router::new()
        .route("/status", get(api::status::status))
        .route("/desk-links", post(api::desk::link))
        .route("/coalition", post(api::coalition::create))
        .route("/coalition/invites", post(api::coalition::invite))
        .route("/coalition/join", post(api::coalition::join))
        .route("/coalition/comparisons", post(api::coalition::compared))
        .route("/coalition/approvals", post(api::coalition::approve))
        .route("/coalition/history", get(api::coalition::history))
        .route("/coalition/keep-again", post(api::coalition::keep_again))
        .route(
            "/agreement",
            get(api::agreement::show).post(api::agreement::propose),
        )
        .route("/agreement/signatures", post(api::agreement::sign))
        .merge(api::identity::routes())
        .merge(api::papers::routes())
        .merge(api::parting::routes())
        .merge(api::people::routes())
        .merge(api::policy::routes())
        .merge(api::plans::routes())
        .merge(api::claims::routes())
        .merge(api::standing::routes())
        .merge(api::turf::routes())
        .merge(api::calls::routes())
        .merge(api::impact::routes())
        .merge(api::contacts::routes())
        .merge(api::suppressions::routes())
        .merge(api::tokens::routes())
        .merge(api::shares::routes())
        .merge(api::overlap::routes())
        .merge(api::recall::routes())
        .merge(api::audit::routes())
        .layer(middleware::from_fn_with_state(
            app.clone(),
            extract::token_or_session,
        ));
    Router::new()
        .route("/healthz", get(|| async { "ok" }))
        .nest("/api/v1", api)
        .merge(pages::routes(app.clone()))
        .fallback(pages::no_such_page)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(DefaultBodyLimit::max(DESK_BODY))
        .layer(middleware::from_fn(extract::same_origin))
        .layer(middleware::from_fn(guard::plain_and_in_time))
        .layer(middleware::from_fn(problem::with_request_id))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .with_state(app)
}

/// What a keeper answers to members and newcomers.
pub fn federation(app: App) -> Router {
    let calls = Router::new()
        .route(
            "/log",
            get(federation::read::read).post(federation::append::append),
        )
        .route("/log/lines", get(federation::read::lines))
        .route("/join", post(federation::join::ask))
        .route(
            "/join/{node}",
            get(federation::join::poll).put(federation::join::admit),
        )
        .route("/rejoin", get(federation::rejoin::group))
        .route("/rejoin/{node}", get(federation::rejoin::standing))
        .route(
            "/repair",
            get(federation::repair::ask).post(federation::repair::hear),
        )
        .route("/blobs", post(federation::blob::declare))
        .route("/blobs/{blob}", get(federation::blob::manifest))
        .route(
            "/blobs/{blob}/{n}",
            put(federation::blob::put_chunk).get(federation::blob::chunk),
        )
        .route("/evaluate", post(federation::evaluate::evaluate))
        .route("/ledger", post(federation::ledger::page))
        .route("/status", get(federation::status::status))
        .route("/raft/append", post(federation::raft::append))
        .route("/raft/vote", post(federation::raft::vote))
        .route("/raft/snapshot", post(federation::raft::snapshot))
        .layer(DefaultBodyLimit::disable()) // the pipeline has read and limited the body
        .layer(middleware::from_fn_with_state(
            app.clone(),
            federation::pipeline,
        ));
    let mut all = Router::new().route("/.well-known/commonturf", get(federation::well_known));
    for version in Versions::of(&app.identity()).each() {
        all = all.nest(&format!("/v{version}/c/{{coalition}}"), calls.clone());
    }
    all.fallback(federation::no_such_route)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(middleware::from_fn(guard::plain_and_in_time))
        .layer(middleware::from_fn(problem::with_request_id))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .with_state(app)
}
