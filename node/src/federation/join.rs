//! `join`: a newcomer at the door, and what lets it in. Spec: section 8.6.

use super::{Caller, cbor, read_cbor};
use crate::{app::App, http::problem::Failure, keeper, store};
use axum::{
    Extension,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use minicbor::{Decode, Encode};
use protocol::{
    blob::BlobId,
    codec::{self, Canonical},
    id::NodeId,
    identity::{IdentityDocument, SignedDocument},
    invite::InviteToken,
    problem::ProblemKind,
    sign::RequestView,
    time::Moment,
};

/// A newcomer's call.
#[derive(Debug, Encode, Decode)]
pub struct Ask {
    /// The invitation's token.
    #[n(0)]
    pub token: InviteToken,
    /// The newcomer's signed identity document, whose key signs this call.
    #[n(1)]
    pub document: SignedDocument,
    /// The newcomer's MLS key package.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub key_package: Vec<u8>,
}

impl Canonical for Ask {
    const WHAT: &'static str = "request to join";
    const MAX_BYTES: usize = 48 * 1024;
}

/// The keeper's answer: it is who the invitation says, and shows who invites.
#[derive(Debug, Encode, Decode)]
pub struct Answer {
    /// The keeper's signed identity document.
    #[n(0)]
    pub keeper: SignedDocument,
    /// The signed identity document of who invites: it bears the name that people know.
    #[n(1)]
    pub inviter: SignedDocument,
}

impl Canonical for Answer {
    const WHAT: &'static str = "answer to a request to join";
    const MAX_BYTES: usize = 64 * 1024;
}

/// What lets an approved newcomer in.
#[derive(Debug, Encode, Decode)]
pub struct Admission {
    /// The MLS Welcome.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub welcome: Vec<u8>,
    /// The folded state at the joining position, sealed to the newcomer.
    #[n(1)]
    pub snapshot: BlobId,
    /// The joining position.
    #[n(2)]
    pub position: u64,
}

impl Canonical for Admission {
    const WHAT: &'static str = "admission";
    const MAX_BYTES: usize = 512 * 1024;
}

/// Takes a newcomer's call and announces it to the members.
pub async fn ask(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Failure> {
    let ask: Ask = read_cbor(&body)?;
    let token = ask.token.hash();
    keeper::join::announce(&app, caller.node, ask).await?;
    Ok(cbor(&Answer {
        keeper: app.keys().document.clone(),
        inviter: keeper::join::inviter(&app, token).await?,
    }))
}

/// Tells a newcomer whether it may come in: the admission, or nothing yet.
pub async fn poll(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path((_, node)): Path<(String, NodeId)>,
) -> Result<Response, Failure> {
    if caller.node != node {
        return Err(super::not_member());
    }
    let mut db = app.store.read("reading an admission").await?;
    let row = store::keeper::join(&mut db, node)
        .await?
        .ok_or_else(super::not_member)?;
    match row.admission {
        Some(bytes) => Ok((
            [(http::header::CONTENT_TYPE, super::APPLICATION_CBOR)],
            bytes,
        )
            .into_response()),
        None => Ok(().into_response()),
    }
}

/// Keeps what an inviter hands over for its newcomer.
pub async fn admit(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path((_, node)): Path<(String, NodeId)>,
    body: Bytes,
) -> Result<Response, Failure> {
    caller.must_be_member()?;
    let _: Admission = read_cbor(&body)?;
    if !invited(&app, caller.node, node).await {
        return Err(Failure::new(
            ProblemKind::NotFound,
            "this organization has invited nobody of this id",
        ));
    }
    let mut tx = app.store.write("keeping an admission").await?;
    if !store::keeper::set_admission(&mut tx, node, &body).await? {
        return Err(Failure::new(
            ProblemKind::NotFound,
            "nobody of this id asked to join",
        ));
    }
    tx.commit().await?;
    Ok(().into_response())
}

/// Whether a member invited this newcomer: nobody else hands over what lets it in.
async fn invited(app: &App, inviter: NodeId, newcomer: NodeId) -> bool {
    let coalition = app.coalition.read().await;
    coalition.as_ref().is_some_and(|coalition| {
        coalition
            .state
            .invites
            .iter()
            .any(|(_, invite)| invite.inviter == inviter && invite.used_by == Some(newcomer))
    })
}

/// The document under which somebody who is no member signs: the one it sends, or the one it sent.
pub(super) async fn newcomer(
    app: &App,
    view: &RequestView<'_>,
    node: NodeId,
    body: &Bytes,
) -> Result<Option<IdentityDocument>, Failure> {
    if view.method == "POST" && view.path.ends_with("/join") {
        let Ok(ask) = codec::decode::<Ask>(body) else {
            return Ok(None);
        };
        return Ok(ask
            .document
            .verify(app.now())
            .ok()
            .filter(|document| document.node_id == node));
    }
    if view.method != "GET" || !view.path.ends_with(&format!("/join/{node}")) {
        return Ok(None);
    }
    let mut db = app.store.read("finding a newcomer").await?;
    let row = store::keeper::join(&mut db, node).await?;
    let signed: Option<SignedDocument> = row.and_then(|row| codec::decode(&row.document).ok());
    Ok(signed.and_then(|signed| codec::decode(&signed.document).ok()))
}

/// The keeper's own document in its answer, if it is the one that the invitation names.
#[must_use]
pub fn document_in(body: &[u8], keeper: NodeId, now: Moment) -> Option<IdentityDocument> {
    let answer: Answer = codec::decode(body).ok()?;
    answer
        .keeper
        .verify(now)
        .ok()
        .filter(|document| document.node_id == keeper)
}
