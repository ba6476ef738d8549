//! `rejoin`: what a member that lost its state needs to come back into the group. Spec: section 8.8.

use super::{Caller, cbor};
use crate::{
    app::App,
    federation::join::Admission,
    http::problem::Failure,
    keeper::raft::repair,
    store::way_back,
    sync::{outbox, returned},
};
use axum::{
    Extension,
    extract::{Path, State},
    response::Response,
};
use minicbor::{Decode, Encode};
use protocol::{
    blob::{BlobId, Manifest},
    codec::Canonical,
    fold::membership::RETURN_EVERY,
    id::NodeId,
    problem::ProblemKind,
    seal,
    time::Moment,
};

/// The group as it is now, signed by this keeper inside MLS.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct GroupNow {
    /// MLS group information.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub group_info: Vec<u8>,
    /// The caller's return is void before this moment of log time: it came back lately.
    #[n(1)]
    pub not_before: Option<Moment>,
}

impl Canonical for GroupNow {
    const WHAT: &'static str = "group information";
    const MAX_BYTES: usize = 1024 * 1024;
}

/// How a member's way back stands at this keeper.
#[derive(Debug, Encode, Decode)]
pub struct Standing {
    /// The position up to which the keeper has folded.
    #[n(0)]
    pub folded: u64,
    /// The latest return of the member that was accepted; without a welcome.
    #[n(1)]
    pub admission: Option<Admission>,
}

impl Canonical for Standing {
    const WHAT: &'static str = "standing of a return";
    const MAX_BYTES: usize = 16 * 1024;
}

/// Hands a present member the group, so that it can make its commit from outside.
pub async fn group(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Failure> {
    caller.must_be_member()?;
    if caller.node == app.me {
        return Ok(cbor(&repair::group(&app).await?));
    }
    let guard = app.coalition.read().await;
    let coalition = guard
        .as_ref()
        .filter(|coalition| coalition.is_active())
        .ok_or_else(|| {
            Failure::new(
                ProblemKind::Unavailable,
                "this keeper does not follow the group itself now; ask another one",
            )
        })?;
    let returned = coalition
        .state
        .active(caller.node)
        .and_then(|member| member.returned);
    let group_info = coalition
        .group()?
        .export_group_info(&app.mls_key())
        .map_err(Failure::internal)?;
    Ok(cbor(&GroupNow {
        group_info,
        not_before: returned.map(|last| last.at.plus(RETURN_EVERY)),
    }))
}

/// Tells a member whether its commit from outside was accepted, and where the state lies for it.
pub async fn standing(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Path((_, node)): Path<(String, NodeId)>,
) -> Result<Response, Failure> {
    caller.must_be_member()?;
    if caller.node != node {
        return Err(super::not_member());
    }
    if node == app.me {
        return Ok(cbor(&own_standing(&app).await?));
    }
    let (folded, recipient) = {
        let guard = app.coalition.read().await;
        let state = &guard.as_ref().ok_or_else(super::not_member)?.state;
        let document = state.document(node);
        let recipient = document.and_then(|document| document.age_recipient());
        (state.meta().head.position, recipient)
    };
    let mut db = app.store.read("reading a return").await?;
    let held = way_back::held(&mut db, node).await?;
    drop(db);
    let admission = match held {
        None => None,
        Some(held) => Some(Admission {
            welcome: Vec::new(),
            position: held.position,
            snapshot: match held.blob {
                Some(blob) => blob,
                None => {
                    let recipient = recipient.ok_or_else(super::not_member)?;
                    let plain = app
                        .rest
                        .open(&returned::place(node), &held.snapshot)
                        .map_err(Failure::internal)?;
                    let sealed = seal::seal(&plain, &[recipient]).map_err(Failure::internal)?;
                    put_blob(&app, node, &sealed).await?
                }
            },
        }),
    };
    Ok(cbor(&Standing { folded, admission }))
}

/// How the only keeper's own way back stands, as a member has told it.
async fn own_standing(app: &App) -> Result<Standing, Failure> {
    let came = repair::came(app).await?;
    Ok(Standing {
        folded: came.map_or(0, |(position, _)| position),
        admission: came.and_then(|(position, blob)| {
            Some(Admission {
                welcome: Vec::new(),
                position,
                snapshot: blob?,
            })
        }),
    })
}

async fn put_blob(app: &App, node: NodeId, sealed: &[u8]) -> Result<BlobId, Failure> {
    let manifest = Manifest::of(sealed).map_err(Failure::internal)?;
    let mut tx = app.store.write("keeping a snapshot").await?;
    outbox::keep_blob(app, &mut tx, &manifest, sealed).await?;
    way_back::set_blob(&mut tx, node, manifest.id()).await?;
    tx.commit().await?;
    Ok(manifest.id())
}
