//! Pages of the desk: HTML for the organization's own people, without any other server.
//!
//! Each page is a file with what its template shows, a sample of it, and its handlers. Pages call
//! the same work as the API. Forms are plain posts that the browser's origin check guards.

pub mod agreement;
pub mod assets;
pub mod audit;
pub mod call;
pub mod calls;
pub mod claims;
pub mod cut;
pub mod done;
pub mod door;
mod form;
pub mod frame;
pub mod ground;
pub mod home;
pub mod impact;
pub mod imports;
pub mod lists;
pub mod overlap;
pub mod packet;
pub mod packets;
pub mod papers;
pub mod parting;
pub mod people;
pub mod person;
pub mod plans;
pub mod session;
pub mod share;
pub mod shares;
pub mod stretch;
pub mod uses;
pub mod when;
pub mod words;

#[cfg(test)]
mod tests;

use crate::{app::App, http::problem::Failure};
use askama::Template;
use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::{get, post},
};
use tower_http::compression::CompressionLayer;

/// What a browser may load for a page: nothing but this node's own files.
const CONTENT_POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; \
                              base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Every page's route.
pub fn routes(app: App) -> Router<App> {
    let pages = Router::new()
        .route("/", get(home::show))
        .route("/comparison", post(door::compare))
        .route("/newcomers", post(door::approve))
        .route("/agreement", get(agreement::show))
        .route("/agreement/signatures", post(agreement::sign))
        .route("/lists", get(lists::show))
        .route(
            "/imports",
            // An upload streams to disk and has a limit of its own.
            post(imports::upload).layer(DefaultBodyLimit::disable()),
        )
        .route("/imports/{id}", get(imports::show))
        .route("/people", get(people::show))
        .route("/people/{id}", get(person::show))
        .route("/people/{id}/suppression", post(person::suppress))
        .route("/people/{id}/revocation", post(person::revoke))
        .route("/plans", get(plans::show).post(plans::file))
        .route("/plans/{plan}/withdrawal", post(plans::withdraw))
        .route("/claims", get(claims::show).post(claims::take))
        .route("/claims/{claim}/renewal", post(claims::renew))
        .route("/claims/{claim}/release", post(claims::release))
        .route("/packets", get(packets::show).post(packets::cut))
        .route("/packets/{code}", get(packet::show))
        .route("/packets/{code}/sheet", get(packets::print))
        .route("/packets/{code}/assignment", post(packets::assign))
        .route("/packets/{code}/results", post(packet::record))
        .route("/packets/{code}/end", post(packets::end))
        .route("/calls", get(calls::show).post(calls::open))
        .route("/calls/{bank}", get(call::show))
        .route("/calls/{bank}/next", post(call::next_one))
        .route("/calls/{bank}/results", post(call::record))
        .route("/calls/{bank}/skips", post(call::skip))
        .route("/calls/{bank}/end", post(calls::end))
        .route("/impact", get(impact::show))
        .route("/impact.csv", get(impact::download))
        .route("/shares", get(shares::show).post(share::send))
        .route("/shares/new", get(share::show))
        .route("/shares/{share}/revocation", post(share::revoke))
        .route("/shares/{share}/uses", post(uses::announce))
        .route("/overlaps", get(overlap::show).post(overlap::ask))
        .route("/overlaps/{overlap}/agreement", post(overlap::agree))
        .route("/overlaps/{overlap}/decline", post(overlap::decline))
        .route("/leave", get(parting::leaving).post(parting::leave))
        .route("/removal", get(parting::removal).post(parting::remove))
        .route("/return", post(parting::come_back))
        .route("/audit", get(audit::show))
        .route("/sign-out", post(session::leave))
        .layer(middleware::from_fn_with_state(app, session::signed_in_only));
    let public = Router::new().route("/sign-in", get(session::ask).post(session::enter));
    let files = Router::new()
        .route("/assets/{build}/{*path}", get(assets::asset))
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn(nosniff));
    pages
        .merge(public)
        .layer(middleware::from_fn(page_headers))
        .merge(files)
}

/// A page, or why there is none.
pub type Page = Result<Html<String>, PageError>;

/// Fills a template.
///
/// # Errors
/// When a value cannot be written, which the templates do not do.
pub fn render(template: &impl Template) -> Page {
    Ok(Html(template.render().map_err(Failure::internal)?))
}

/// A refusal, as a page.
#[derive(Debug)]
pub struct PageError(Failure);

impl<E: Into<Failure>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// The page of a refusal.
#[derive(Debug, Template)]
#[template(path = "error.html")]
struct Refusal {
    title: String,
    detail: String,
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let problem = self.0.0;
        let status =
            StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let page = Refusal {
            title: problem.title.to_string(),
            detail: problem.detail.clone(),
        };
        (status, Html(page.render().unwrap_or_default())).into_response()
    }
}

/// There is nothing at this address: a page for people, a problem for tools.
pub async fn no_such_page(headers: HeaderMap) -> Response {
    let accepts = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    let failure = Failure::not_found("check the address");
    if !accepts.is_some_and(|accepts| accepts.contains("text/html")) {
        return failure.into_response();
    }
    let mut response = PageError(failure).into_response();
    set_page_headers(response.headers_mut());
    response
}

async fn page_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    set_page_headers(response.headers_mut());
    response
}

fn set_page_headers(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // With `no-referrer` a browser sends `Origin: null` with a form, and the check of the
        // origin would refuse our own forms. Other sites are told nothing either way.
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

async fn nosniff(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    response.headers_mut().insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    response
}
