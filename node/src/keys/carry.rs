//! Saying the next document of a member that cannot say it itself: cut off, or with stolen keys.

use crate::{app::App, http::problem::Failure, sync::outbox};
use protocol::{
    codec,
    entry::membership::Identity,
    id::{EntryId, NodeId},
    identity::{IdentityDocument, KeyUse, SignedDocument},
    state::State,
    time::Moment,
};
use serde::Serialize;

/// A document that was carried, or would be.
#[derive(Debug, Serialize)]
pub struct Carried {
    /// Whose it is.
    pub node: NodeId,
    /// What that member is called.
    pub organization: String,
    /// The number of the document.
    pub seq: u64,
    /// Uses whose keys change.
    pub keys: Vec<KeyUse>,
    /// Addresses in it.
    pub endpoints: Vec<String>,
    /// Until when it counts, by log time.
    pub valid_until: Moment,
    /// The entry that carries it; none in a dry run.
    pub entry: Option<EntryId>,
}

/// Says another member's next document.
///
/// # Errors
/// [`Failure`] when the text is no document, or does not follow a member's present one, or this node
/// is in no coalition.
pub async fn carry(app: &App, text: &str, dry_run: bool) -> Result<Carried, Failure> {
    let text: String = text.split_whitespace().collect();
    let document = protocol::id::from_base32(&text).map_err(no_document)?;
    let signed: SignedDocument = codec::decode(&document).map_err(no_document)?;
    let mut carried = {
        let coalition = crate::coalition::active(app).await?;
        check(&coalition.state, &signed)?
    };
    if dry_run {
        return Ok(carried);
    }
    let mut tx = app.store.write("carrying an identity document").await?;
    let id = outbox::queue(app, &mut tx, Identity { document }.into(), None).await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    carried.entry = Some(id);
    Ok(carried)
}

/// What can be told beforehand; the fold at all members decides.
fn check(state: &State, signed: &SignedDocument) -> Result<Carried, Failure> {
    let claimed: IdentityDocument = codec::decode(&signed.document).map_err(no_document)?;
    let node = claimed.node_id;
    let member = state.active(node).ok_or_else(|| {
        Failure::input(format!(
            "this is the document of node {node}, which is no member of the coalition"
        ))
    })?;
    let known: SignedDocument = codec::decode(&member.document).map_err(Failure::internal)?;
    let before: IdentityDocument = codec::decode(&known.document).map_err(Failure::internal)?;
    let next = signed
        .verify_after(&known, state.meta().head.log_time)
        .map_err(|error| {
            Failure::input(format!(
                "this document does not follow document {} of {}, which all members know: {error}",
                before.seq, member.name
            ))
        })?;
    let changed = next.keys.iter().filter(|key| !before.keys.contains(key));
    Ok(Carried {
        node,
        organization: member.name.clone(),
        seq: next.seq,
        keys: changed.map(|key| key.usage).collect(),
        endpoints: next.endpoints.iter().map(ToString::to_string).collect(),
        valid_until: next.valid_until,
        entry: None,
    })
}

fn no_document(error: impl std::fmt::Display) -> Failure {
    Failure::input(format!(
        "this is no identity document: {error}; an ally writes one with `identity rotate --out`"
    ))
}
