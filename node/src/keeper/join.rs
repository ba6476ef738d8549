//! Newcomers at the door: their invitation is checked and they are announced to all members.

use crate::{app::App, federation::join::Ask, http::problem::Failure, store, sync::outbox};
use protocol::{
    codec,
    entry::membership::JoinRequest,
    id::{Hash, NodeId},
    identity::{IdentityDocument, SignedDocument},
    problem::ProblemKind,
    version::Versions,
};

/// Checks a newcomer's invitation and announces the newcomer. The same call again changes nothing.
///
/// # Errors
/// [`Failure`]: unknown, spent or expired invitation, or a document that does not hold.
pub async fn announce(app: &App, caller: NodeId, ask: Ask) -> Result<(), Failure> {
    let document = ask
        .document
        .verify(app.now())
        .map_err(|error| Failure::new(ProblemKind::BadSignature, error.to_string()))?;
    if document.node_id != caller {
        return Err(Failure::new(
            ProblemKind::BadSignature,
            "the document is another node's",
        ));
    }
    common_version(app, &document).await?;
    let token = ask.token.hash();
    let standing = check_invite(app, token, caller, &ask, document.organization.as_str()).await?;
    if standing == Standing::Announced {
        return Ok(());
    }
    let signed = codec::encode(&ask.document);
    let mut tx = app.store.write("announcing a newcomer").await?;
    match store::keeper::join_by_token(&mut tx, token).await? {
        Some(node) if node != caller.to_string() => {
            return Err(Failure::new(ProblemKind::InviteSpent, ""));
        }
        _ => {}
    }
    store::keeper::put_join(&mut tx, caller, token, &signed, app.now().0).await?;
    let request = JoinRequest {
        token_hash: token,
        node: caller,
        document: signed,
        key_package: ask.key_package,
    };
    outbox::queue(app, &mut tx, request.into(), None).await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok(())
}

/// The signed identity document of who made an invitation.
///
/// # Errors
/// [`Failure`] when the log does not know the invitation any more.
pub async fn inviter(app: &App, token: Hash) -> Result<SignedDocument, Failure> {
    let coalition = app.coalition.read().await;
    let state = coalition.as_ref().map(|coalition| &coalition.state);
    let document = state.and_then(|state| {
        let invite = state.invites.get(&token)?;
        state.active(invite.inviter).map(|member| &member.document)
    });
    let document = document.ok_or_else(|| Failure::new(ProblemKind::InviteUnknown, ""))?;
    codec::decode(document).map_err(Failure::internal)
}

/// Refuses a newcomer with whom some member would have no version in common.
async fn common_version(app: &App, newcomer: &IdentityDocument) -> Result<(), Failure> {
    let coalition = app.coalition.read().await;
    let spoken = coalition
        .as_ref()
        .and_then(|coalition| coalition.state.meta().versions);
    let (theirs, all) = (Versions::of(newcomer), spoken.unwrap_or(Versions::SPOKEN));
    match all.common(theirs) {
        Some(_) => Ok(()),
        None => Err(Failure::new(
            ProblemKind::Unsupported,
            format!(
                "all members of the coalition speak {all} of the protocol and the newcomer {theirs}; whoever is \
                 behind has to be updated first"
            ),
        )),
    }
}

/// What the log knows of a newcomer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Nothing, or a key package that the newcomer has lost since: it must be announced.
    New,
    /// Just this request, or the newcomer is in already.
    Announced,
}

async fn check_invite(
    app: &App,
    token: Hash,
    caller: NodeId,
    ask: &Ask,
    name: &str,
) -> Result<Standing, Failure> {
    let coalition = app.coalition.read().await;
    let state = coalition.as_ref().map(|coalition| &coalition.state);
    let invite = state.and_then(|state| state.invites.get(&token));
    let Some((state, invite)) = state.zip(invite) else {
        return Err(Failure::new(
            ProblemKind::InviteUnknown,
            "check the code, or ask for a new one",
        ));
    };
    if invite.used_by.is_some_and(|node| node != caller) {
        return Err(Failure::new(ProblemKind::InviteSpent, ""));
    }
    if invite.expires < app.now() {
        return Err(Failure::new(ProblemKind::InviteExpired, ""));
    }
    let waits = state
        .joins
        .get(&caller)
        .is_some_and(|join| join.key_package == ask.key_package);
    if waits || state.active(caller).is_some() {
        return Ok(Standing::Announced);
    }
    let taken = |member: &str| member.to_lowercase() == name.to_lowercase();
    if state.roster().any(|(_, member)| taken(&member.name)) {
        let detail =
            "an organization of this name is a member already; use a name that tells the two apart";
        return Err(Failure::new(ProblemKind::Conflict, detail));
    }
    Ok(Standing::New)
}
