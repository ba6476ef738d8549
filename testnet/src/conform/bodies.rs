//! Chapter: bodies, addresses and methods. Spec: protocol.md, 8.1 and 9.

use super::{
    peer::Peer,
    report::{Found, Report},
};
use protocol::{chain::APPEND_BYTES, limits::CHUNK_BYTES, problem::ProblemKind};

/// The most bytes of any call: a chunk and what stands around it.
const BODY: usize = CHUNK_BYTES as usize + 64 * 1024;

/// Tries every clause of the chapter.
pub(super) async fn run(peer: &Peer, report: &mut Report) {
    report.chapter("bodies");
    let says = "a body longer than any call needs is `too-large`";
    report.clause("protocol.md 9", says, oversized(peer, BODY + 1).await);
    let says = "an append has at most 1 MiB";
    report.clause(
        "protocol.md 9",
        says,
        oversized(peer, APPEND_BYTES + 1).await,
    );
    let says = "a packed body is refused, whatever it unpacks to";
    report.clause("protocol.md 8.1", says, packed(peer).await);
    let says = "content is CBOR, a chunk is octets; another type is refused";
    report.clause("protocol.md 8.1", says, types(peer).await);
    let says = "an answer with content is CBOR";
    report.clause("protocol.md 8.1", says, answers(peer).await);
    let says = "an address that does not exist is `not-found`";
    report.clause("problems.md", says, nowhere(peer).await);
    let says = "a method that an address does not know is `method-not-allowed`";
    report.clause("problems.md", says, method(peer).await);
}

async fn oversized(peer: &Peer, bytes: usize) -> Found {
    match peer.ask(&peer.post("log", vec![0; bytes])).await {
        Ok(answer) => answer.refused(&[ProblemKind::TooLarge]),
        // A node may hang up on who goes on talking.
        Err(_) => Ok(()),
    }
}

async fn packed(peer: &Peer) -> Found {
    for encoding in ["gzip", "br", "zstd"] {
        let sent = peer.post("log", vec![0x81, 0x80]).signed(&peer.key);
        let answer = peer.send(&sent.with("content-encoding", encoding)).await?;
        answer.refused(&[ProblemKind::UnsupportedMediaType])?;
    }
    Ok(())
}

async fn types(peer: &Peer) -> Found {
    for kind in ["application/json", "text/plain", "application/cbor-seq"] {
        let mut call = peer.post("log", vec![0x81, 0x80]);
        call.content_type = Some(kind);
        let answer = peer.ask(&call).await?;
        let found = answer.refused(&[ProblemKind::UnsupportedMediaType]);
        found.map_err(|why| format!("{kind}: {why}"))?;
    }
    Ok(())
}

async fn answers(peer: &Peer) -> Found {
    let (_, answer) = peer.page(0, 0).await?;
    match answer.header("content-type") {
        Some(super::wire::CBOR) => Ok(()),
        other => Err(format!("its type is {other:?}")),
    }
}

async fn nowhere(peer: &Peer) -> Found {
    let answer = peer.ask(&peer.get("nowhere")).await?;
    answer.refused(&[ProblemKind::NotFound])
}

async fn method(peer: &Peer) -> Found {
    let mut call = peer.get("log");
    call.method = "DELETE";
    let answer = peer.ask(&call).await?;
    answer.refused(&[ProblemKind::MethodNotAllowed])
}
