//! Chapter: which versions of the protocol the node speaks. Spec: protocol.md, 12.

use super::{
    peer::Peer,
    report::{Found, Report},
    wire::Sent,
};
use protocol::{problem::ProblemKind, version::Versions};

/// A version that nobody speaks for a while.
const FAR: u32 = 255;

/// Tries every clause of the chapter.
pub(super) async fn run(peer: &Peer, report: &mut Report) {
    report.chapter("versions");
    let listed = listed(peer).await;
    let says = "anybody is told which versions the node speaks";
    report.clause(
        "protocol.md 12",
        says,
        listed.as_ref().map(|_| ()).map_err(Clone::clone),
    );
    let says = "the signed document says the same";
    report.clause("protocol.md 12", says, same(peer, listed.as_deref()));
    let says = "one of them is a version that this kit speaks";
    report.clause("protocol.md 12", says, common(peer));
    let says = "a call in a version that the node does not speak is `unsupported`";
    report.clause("protocol.md 12", says, too_new(peer).await);
}

/// The versions on the list that anybody may read.
async fn listed(peer: &Peer) -> Result<Vec<u32>, String> {
    let sent = Sent {
        method: "GET",
        path: "/.well-known/commonturf".to_owned(),
        query: None,
        headers: Vec::new(),
        body: Vec::new(),
    };
    let answer = peer.send(&sent).await?;
    answer.accepted()?;
    let said: serde_json::Value =
        serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
    let versions = said["commonturf"]["versions"].as_array();
    let versions = versions.ok_or("it has no `commonturf.versions`")?;
    let number = |version: &serde_json::Value| u32::try_from(version.as_u64()?).ok();
    let versions: Option<Vec<u32>> = versions.iter().map(number).collect();
    let versions = versions.ok_or("a version is no number")?;
    match versions.as_slice() {
        [] => Err("the list is empty".to_owned()),
        list if list.is_sorted_by(|one, next| one + 1 == *next) => Ok(versions),
        list => Err(format!("{list:?} are not in a row")),
    }
}

fn same(peer: &Peer, listed: Result<&[u32], &String>) -> Found {
    let listed = listed.map_err(Clone::clone)?;
    let document = peer.document.as_ref().ok_or("its document is not known")?;
    let said = Versions::of(document);
    match said.each().eq(listed.iter().copied()) {
        true => Ok(()),
        false => Err(format!("the list is {listed:?}, the document says {said}")),
    }
}

fn common(peer: &Peer) -> Found {
    let document = peer.document.as_ref().ok_or("its document is not known")?;
    match Versions::SPOKEN.agree(Versions::of(document)) {
        Ok(_) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

async fn too_new(peer: &Peer) -> Found {
    let mut call = peer.get("log").query("after=0&wait=0");
    call.path = format!("/v{FAR}/c/{}/log", peer.coalition);
    peer.ask(&call).await?.refused(&[ProblemKind::Unsupported])
}
