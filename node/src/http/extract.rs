//! Who may use the desk, and how bodies are read.

use super::problem::Failure;
use crate::{app::App, config::NodeDir};
use axum::{
    extract::{FromRequest, Request, State, rejection::JsonRejection},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{Method, StatusCode, header};
use protocol::problem::ProblemKind;
use subtle::ConstantTimeEq;

/// A JSON body whose errors say where and what.
#[derive(Debug)]
pub struct Body<T>(pub T);

impl<T, S> FromRequest<S> for Body<T>
where
    T: serde::de::DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(value)) => Ok(Self(value)),
            Err(JsonRejection::MissingJsonContentType(_)) => Err(Failure::new(
                ProblemKind::UnsupportedMediaType,
                "send application/json",
            )),
            Err(JsonRejection::BytesRejection(broken)) => Err(match broken.status() {
                StatusCode::PAYLOAD_TOO_LARGE => Failure::new(ProblemKind::PayloadTooLarge, ""),
                _ => Failure::new(ProblemKind::TooSlow, "the body stopped or took too long"),
            }),
            Err(error) => Err(Failure::input(error.body_text())),
        }
    }
}

/// Lets through whoever shows the desk's token, or has signed in at the pages.
pub async fn token_or_session(State(app): State<App>, request: Request, next: Next) -> Response {
    if shows_token(&app, &request)
        || crate::pages::session::is_signed_in(&app, request.headers()).await
    {
        return next.run(request).await;
    }
    Failure::new(
        ProblemKind::Unauthorized,
        "commands on this machine read the token from the node's directory; people sign in by the link of \
         `commonturf desk-link`",
    )
    .into_response()
}

fn shows_token(app: &App, request: &Request) -> bool {
    let shown = request
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let Some(shown) = shown.and_then(|value| value.strip_prefix("Bearer ")) else {
        return false;
    };
    let Ok(token) = NodeDir::read_secret(&app.dir.token()) else {
        return false;
    };
    !token.is_empty() && bool::from(shown.as_bytes().ct_eq(token.as_bytes()))
}

/// Refuses changes that another site's page asks a browser for.
pub async fn same_origin(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD);
    if safe || !is_foreign(&request) {
        return next.run(request).await;
    }
    Failure::new(
        ProblemKind::Forbidden,
        "another site's page may not change anything here",
    )
    .into_response()
}

fn is_foreign(request: &Request) -> bool {
    let text = |name: header::HeaderName| {
        request
            .headers()
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let site = request
        .headers()
        .get("sec-fetch-site")
        .and_then(|value| value.to_str().ok());
    if site.is_some_and(|site| site != "same-origin" && site != "none") {
        return true;
    }
    let host = text(header::HOST);
    text(header::ORIGIN).is_some_and(|origin| {
        let origin = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"));
        origin != host
    })
}
