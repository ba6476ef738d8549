//! Every refusal as a problem document (RFC 9457). Causes go to the log, a reference to the caller.

use crate::{store::StoreError, sync::keeper_client::KeeperError};
use axum::{
    Json,
    body::Body,
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header};
use protocol::problem::{Problem, ProblemKind};
use std::any::Any;

/// A refusal on its way out.
#[derive(Debug, Clone)]
pub struct Failure(pub Box<Problem>);

impl Failure {
    /// A refusal of a kind, with what is particular this time.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self(Box::new(Problem::new(kind, detail, "")))
    }

    /// Something that the caller cannot help: the cause goes to the log only.
    pub fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(cause = %cause, "a request failed");
        Self::new(ProblemKind::Internal, "")
    }

    /// Something that was entered cannot be used; the detail says what and what to do.
    pub fn input(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::InvalidInput, detail)
    }

    /// There is no such thing; the detail says what was looked for.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(ProblemKind::NotFound, detail)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::internal(error)
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<KeeperError>() {
            Ok(error) => error.into(),
            Err(error) => Self::internal(format!("{error:#}")),
        }
    }
}

impl From<KeeperError> for Failure {
    fn from(error: KeeperError) -> Self {
        match error {
            KeeperError::Refused(problem) => Self(problem),
            KeeperError::Version(error) => Self::new(ProblemKind::Unsupported, error.to_string()),
            error => Self::new(
                ProblemKind::Unavailable,
                format!("{error}; nothing was lost, try again later"),
            ),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status =
            StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry = self
            .0
            .retry_after_ms
            .map(|milliseconds| milliseconds.div_ceil(1000));
        let mut response = (status, Json(&*self.0)).into_response();
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if let Some(seconds) = retry {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, seconds.into());
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// The id of a request, for whoever closes an answer before it leaves.
#[derive(Debug, Clone)]
pub struct RequestId(String);

/// Gives each request an id that its problem and its log lines carry.
pub async fn with_request_id(mut request: Request, next: Next) -> Response {
    use rand_core::RngCore;
    let mut bytes = [0; 8];
    crate::ambient::rng().fill_bytes(&mut bytes);
    let id = protocol::id::to_base32(&bytes);
    let span = tracing::info_span!("request", request_id = %id, method = %request.method());
    let id = RequestId(id);
    request.extensions_mut().insert(id.clone());
    let for_tools = request.uri().path().starts_with("/api/");
    let response = tracing::Instrument::instrument(next.run(request), span).await;
    if response.headers().contains_key("signature") {
        return response; // signed already, content and all
    }
    let response = if for_tools {
        as_problem(response)
    } else {
        response
    };
    named(response, &id)
}

/// What was refused in plain words, before it came to anybody here, as a problem.
#[must_use]
pub fn as_problem(response: Response) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE);
    let words = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if words && response.status().is_client_error() {
        return Failure::input(
            "the address, its query or the content cannot be read as what belongs there",
        )
        .into_response();
    }
    response
}

/// The same answer; a problem in it carries the id of its request.
#[must_use]
pub fn named(response: Response, id: &RequestId) -> Response {
    let Some(mut problem) = response.extensions().get::<Failure>().cloned() else {
        return response;
    };
    problem.0.request_id.clone_from(&id.0);
    let (parts, _) = response.into_parts();
    let body = serde_json::to_vec(&*problem.0).unwrap_or_default();
    let mut response = Response::from_parts(parts, Body::from(body));
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}

/// There is nothing at this address.
pub async fn no_such_route() -> Failure {
    Failure::not_found("check the address")
}

/// The address exists and does not answer to this method.
pub async fn no_such_method() -> Failure {
    Failure::new(ProblemKind::MethodNotAllowed, "")
}

/// A handler panicked: the message goes to the log only.
pub fn panicked(panic: Box<dyn Any + Send + 'static>) -> Response {
    let message = panic.downcast_ref::<String>().map(String::as_str);
    let message = message
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("a panic without a message");
    Failure::internal(message).into_response()
}
