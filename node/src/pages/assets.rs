//! Style sheet, scripts and icons, embedded in the program.

use axum::{
    body::Body,
    extract::Path,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use protocol::id::Hash;
use std::sync::LazyLock;

#[derive(rust_embed::Embed)]
#[folder = "assets/"]
struct Assets;

/// Names the assets of this build in their addresses, so that browsers may keep them for good.
static BUILD: LazyLock<String> = LazyLock::new(|| {
    let mut all = Vec::new();
    for path in Assets::iter() {
        if let Some(file) = Assets::get(&path) {
            all.extend_from_slice(path.as_bytes());
            all.extend_from_slice(&file.metadata.sha256_hash());
        }
    }
    Hash::of(&all).short()
});

/// The address of an asset.
#[must_use]
pub fn url(path: &str) -> String {
    format!("/assets/{}/{path}", *BUILD)
}

/// Answers with an asset. An address of this build never changes its content; an old one is not
/// kept by the browser.
pub async fn asset(Path((build, path)): Path<(String, String)>) -> Response {
    let Some(file) = Assets::get(&path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let keep = if build == *BUILD {
        "public, max-age=31536000, immutable"
    } else {
        "no-store"
    };
    let content_type = match file.metadata.mimetype() {
        text if text.starts_with("text/") => format!("{text}; charset=utf-8"),
        other => other.to_owned(),
    };
    let content_type = HeaderValue::from_str(&content_type)
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let mut response = Response::new(Body::from(file.data));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, content_type);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    response
}
