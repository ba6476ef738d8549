//! What every request meets first, at the desk and at the federation: no packed bodies, and no body
//! that stands still.

use super::problem::Failure;
use axum::{
    body::{Body, Bytes},
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use http::header;
use protocol::{limits::BODY_SILENCE, problem::ProblemKind};
use std::{io, time::Duration};

/// How long a body may stand still.
const SILENCE: Duration = Duration::from_millis(BODY_SILENCE.unsigned_abs());

/// Refuses packed bodies, whose length says nothing about what they unpack to, and ends a body that
/// stands still.
pub async fn plain_and_in_time(request: Request, next: Next) -> Response {
    if is_packed(&request) {
        return Failure::new(
            ProblemKind::UnsupportedMediaType,
            "send the body as it is, without a content encoding",
        )
        .into_response();
    }
    next.run(request.map(in_time)).await
}

fn is_packed(request: &Request) -> bool {
    let mut encodings = request.headers().get_all(header::CONTENT_ENCODING).iter();
    encodings.any(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// The same body, which fails where nothing comes for a while.
fn in_time(body: Body) -> Body {
    if axum::body::HttpBody::is_end_stream(&body) {
        return body;
    }
    let pieces = stream::unfold(Some(body.into_data_stream()), |pieces| async move {
        let mut pieces = pieces?;
        let next = tokio::time::timeout(SILENCE, futures_util::StreamExt::next(&mut pieces));
        let piece: Result<Bytes, io::Error> = match next.await {
            Ok(None) => return None,
            Ok(Some(Ok(piece))) => return Some((Ok(piece), Some(pieces))),
            Ok(Some(Err(error))) => Err(io::Error::other(error)),
            Err(_) => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "nothing more of the body came",
            )),
        };
        Some((piece, None))
    });
    Body::from_stream(pieces)
}
