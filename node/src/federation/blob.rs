//! `blobs`: ciphertext by content address, in chunks, resumable both ways. Spec: section 8.4.

use super::{Caller, OCTETS, cbor, read_cbor};
use crate::{app::App, http::problem::Failure, store};
use axum::{
    Extension,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use minicbor::{Decode, Encode};
use protocol::{
    blob::{BlobId, Manifest},
    codec::Canonical,
    problem::ProblemKind,
    time::DAY,
};

/// How long a keeper stores a blob where no agreement says so, in days.
pub const BLOB_DAYS: i64 = 30;
/// The most bytes of blobs that one member has at a keeper.
pub const BLOB_QUOTA: u64 = 50 * 1024 * 1024 * 1024;

/// Chunks that a declared blob still lacks.
#[derive(Debug, Encode, Decode)]
pub struct Missing {
    /// Their numbers, rising.
    #[n(0)]
    pub chunks: Vec<u64>,
}

impl Canonical for Missing {
    const WHAT: &'static str = "list of missing chunks";
    const MAX_BYTES: usize = 64 * 1024;
}

fn missing_blob() -> Failure {
    Failure::new(
        ProblemKind::BlobMissing,
        "declare and upload it first, or its time is over",
    )
}

/// Declares a blob and answers which chunks are missing.
pub async fn declare(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Failure> {
    caller.must_be_member()?;
    let manifest: Manifest = read_cbor(&body)?;
    let now = app.now();
    let lifetime = {
        let guard = app.coalition.read().await;
        let rules = guard.as_ref().and_then(|coalition| coalition.state.rules());
        rules.map_or(BLOB_DAYS * DAY, |(_, rules)| rules.blob_ttl)
    };
    let mut tx = app.store.write("declaring a blob").await?;
    if store::blob::bytes_of(&mut tx, caller.node)
        .await?
        .saturating_add(manifest.size())
        > BLOB_QUOTA
    {
        return Err(Failure::new(
            ProblemKind::Quota,
            "the member's blobs fill its quota; wait until old ones expire",
        ));
    }
    store::blob::declare(&mut tx, &manifest, caller.node, now, now.plus(lifetime)).await?;
    let present = store::blob::present(&mut tx, manifest.id()).await?;
    tx.commit().await?;
    let chunks = (0..manifest.chunks().len() as u64)
        .filter(|n| present.binary_search(n).is_err())
        .collect();
    Ok(cbor(&Missing { chunks }))
}

/// Stores one chunk after comparing it with the manifest.
pub async fn put_chunk(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path((_, blob, n)): Path<(String, BlobId, u64)>,
    body: Bytes,
) -> Result<Response, Failure> {
    caller.must_be_member()?;
    let mut tx = app.store.write("storing a chunk").await?;
    let row = store::blob::find(&mut tx, blob)
        .await?
        .ok_or_else(missing_blob)?;
    row.manifest
        .verify_chunk(n, &body)
        .map_err(|error| Failure::new(ProblemKind::BlobMismatch, error.to_string()))?;
    store::blob::put_chunk(&mut tx, blob, n, &body).await?;
    tx.commit().await?;
    Ok(().into_response())
}

/// The manifest of a blob that is whole.
pub async fn manifest(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path((_, blob)): Path<(String, BlobId)>,
) -> Result<Response, Failure> {
    caller.may_read()?;
    let mut db = app.store.read("reading a manifest").await?;
    let row = store::blob::find(&mut db, blob)
        .await?
        .filter(|row| row.missing == 0)
        .ok_or_else(missing_blob)?;
    Ok(cbor(&row.manifest))
}

/// One chunk.
pub async fn chunk(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path((_, blob, n)): Path<(String, BlobId, u64)>,
) -> Result<Response, Failure> {
    caller.may_read()?;
    let mut db = app.store.read("reading a chunk").await?;
    let bytes = store::blob::chunk(&mut db, blob, n)
        .await?
        .ok_or_else(missing_blob)?;
    Ok(([(http::header::CONTENT_TYPE, OCTETS)], bytes).into_response())
}
