//! Chapter: the door. Spec: protocol.md, 8.6.

use super::{
    peer::{Answer, Peer},
    report::{Found, Report},
    wire::{Call, Key},
};
use anyhow::{Context, Result};
use commonturf::federation::join::{Admission, Answer as Opened, Ask, document_in};
use protocol::{
    codec,
    comparison::{Comparison, Digits},
    id::NodeId,
    identity::{IdentityDocument, KeyUse, NodeSecrets, Particulars, SignedDocument},
    invite::{Invite, InviteToken},
    mls::{self, MlsKey, Overlay, Rows},
    problem::ProblemKind,
    time::{DAY, Moment},
};
use std::time::Duration;

/// For how long the kit's document is good, in days.
const DOCUMENT_DAYS: i64 = 30;
/// How often to look whether the door is open.
const LOOK: Duration = Duration::from_millis(300);

/// The document of the kit, or of somebody like it.
///
/// # Errors
/// When it cannot be made.
fn document(secrets: &NodeSecrets, name: &str) -> Result<SignedDocument> {
    let particulars = Particulars {
        organization: name.parse()?,
        kind: "c4".parse()?,
        endpoints: Vec::new(),
        capabilities: Vec::new(),
        valid_until: Moment(super::wire::now() * 1_000).plus(DOCUMENT_DAYS * DAY),
    };
    Ok(secrets.document(particulars, None)?)
}

/// What is said at the door.
fn request(secrets: &NodeSecrets, token: InviteToken, name: &str) -> Result<Vec<u8>> {
    let key = MlsKey::from_seed(secrets.seed(KeyUse::Mls));
    let mut overlay = Overlay::from_rows(Rows::new());
    let key_package = mls::key_package(&mut overlay, &key, secrets.node_id())?;
    Ok(codec::encode(&Ask {
        token,
        document: document(secrets, name)?,
        key_package,
    }))
}

/// Tries the door in every wrong way, then asks to come in; the digits that people compare.
///
/// # Errors
/// When the kit does not get as far as being announced.
pub(super) async fn ask(
    peer: &mut Peer,
    invite: &Invite,
    name: &str,
    report: &mut Report,
) -> Result<Digits> {
    report.chapter("joining");
    let body = request(&peer.secrets, invite.token.clone(), name)?;
    let asked: Ask = codec::decode(&body)?;
    let compared = Comparison::of_request(invite, &asked.document, &asked.key_package);
    // A node that has just started takes nothing that is older than its start.
    let first = peer.insist(|| peer.post("join", body.clone())).await;
    let first = first.context("the node does not let the kit ask to join")?;
    let shown = keeper_in(&first, peer.keeper);
    report.clause(
        "protocol.md 8.6",
        "the answer at the door brings the document of the keeper that the invitation names",
        shown.as_ref().map(|_| ()).map_err(Clone::clone),
    );
    peer.knows(shown.map_err(anyhow::Error::msg)?)?;
    let says = "the same request again is answered alike";
    report.clause("protocol.md 8.6", says, again(peer, &body).await);
    let says = "a token that nobody was given opens nothing";
    report.clause("protocol.md 8.6", says, no_token(peer).await);
    let says = "who signs with another key than its document's is refused";
    report.clause("identity.md 3.1", says, borrowed(peer, invite).await);
    let says = "while nobody has approved, a newcomer learns nothing";
    report.clause("protocol.md 8.6", says, nothing_yet(peer).await);
    let says = "nobody reads another newcomer's answer";
    report.clause("protocol.md 8.6", says, anothers(peer).await);
    let says = "a newcomer reads no log and orders nothing";
    report.clause("protocol.md 8.1", says, still_outside(peer).await);
    Ok(compared.digits())
}

fn keeper_in(answer: &Answer, keeper: NodeId) -> Result<IdentityDocument, String> {
    let _: Opened = answer.read()?;
    let now = Moment(super::wire::now() * 1_000);
    document_in(&answer.body, keeper, now)
        .ok_or_else(|| "it is another node's document, or is not valid".to_owned())
}

async fn again(peer: &Peer, body: &[u8]) -> Found {
    let answer = peer.ask(&peer.post("join", body.to_vec())).await?;
    answer.accepted()
}

async fn no_token(peer: &Peer) -> Found {
    let stranger = NodeSecrets::generate(&mut commonturf::ambient::rng());
    let token = InviteToken::random(&mut commonturf::ambient::rng());
    let body = request(&stranger, token, "Nobody").map_err(|error| error.to_string())?;
    let key = Key::new(stranger.node_id(), stranger.signing_key(KeyUse::Request));
    let answer = peer.send(&peer.post("join", body).signed(&key)).await?;
    answer.refused(&[ProblemKind::InviteUnknown])
}

async fn borrowed(peer: &Peer, invite: &Invite) -> Found {
    let stranger = NodeSecrets::generate(&mut commonturf::ambient::rng());
    let body = request(&peer.secrets, invite.token.clone(), "Somebody else");
    let body = body.map_err(|error| error.to_string())?;
    let key = Key::new(peer.me, stranger.signing_key(KeyUse::Request));
    let answer = peer.send(&peer.post("join", body).signed(&key)).await?;
    answer.refused(&[ProblemKind::NotMember, ProblemKind::BadSignature])
}

async fn nothing_yet(peer: &Peer) -> Found {
    let answer = peer.ask(&peer.get(&format!("join/{}", peer.me))).await?;
    answer.accepted()?;
    match answer.body.is_empty() {
        true => Ok(()),
        false => Err("it got something".to_owned()),
    }
}

async fn anothers(peer: &Peer) -> Found {
    let answer = peer
        .ask(&peer.get(&format!("join/{}", peer.keeper)))
        .await?;
    answer.refused(&[ProblemKind::NotMember, ProblemKind::NotFound])
}

async fn still_outside(peer: &Peer) -> Found {
    let call = peer.get("log").query("after=0");
    peer.ask(&call).await?.refused(&[ProblemKind::NotMember])?;
    let call: Call = peer.post("log", vec![0x81, 0x80]);
    peer.ask(&call).await?.refused(&[ProblemKind::NotMember])
}

/// Waits until somebody has approved, and reads what lets the kit in.
///
/// # Errors
/// When nobody does in time.
pub(super) async fn come_in(peer: &Peer, patience: Duration, report: &mut Report) -> Result<()> {
    let path = format!("join/{}", peer.me);
    let waiting = async {
        loop {
            let answer = peer.insist(|| peer.get(&path)).await?;
            if !answer.body.is_empty() {
                return anyhow::Ok(answer);
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    let answer = tokio::time::timeout(patience, waiting)
        .await
        .context("nobody approved the kit in time")??;
    report.clause(
        "protocol.md 8.6",
        "who was approved gets the Welcome, the id of the snapshot and the joining position",
        admitted(peer, &answer).await,
    );
    Ok(())
}

async fn admitted(peer: &Peer, answer: &Answer) -> Found {
    let admission: Admission = answer.read()?;
    let rest = format!("blobs/{}", admission.snapshot);
    let manifest = peer.ask(&peer.get(&rest)).await?;
    manifest
        .accepted()
        .map_err(|why| format!("the snapshot: {why}"))?;
    match admission.position {
        0 => Err("it names no position".to_owned()),
        _ => Ok(()),
    }
}
