//! Chapter: blobs. Spec: identity.md, 6, and protocol.md, 8.4.

use super::{
    peer::{Answer, Peer},
    report::{Found, Report},
    wire::OCTETS,
};
use commonturf::federation::blob::Missing;
use protocol::{
    blob::{BlobId, Manifest},
    codec,
    limits::CHUNK_BYTES,
    problem::ProblemKind,
};

/// How a chunk is refused that the manifest does not list.
const MISMATCH: &[ProblemKind] = &[ProblemKind::BlobMismatch];
/// How a blob is refused that is not whole.
const MISSING: &[ProblemKind] = &[ProblemKind::BlobMissing];

/// Tries every clause of the chapter.
pub(super) async fn run(peer: &Peer, report: &mut Report) {
    report.chapter("blobs");
    // Two chunks of which the second is short; nobody has seen these bytes before.
    let mut bytes = super::wire::random().to_vec();
    bytes.resize(usize::try_from(CHUNK_BYTES).unwrap_or_default() + 5, 7);
    let Ok(manifest) = Manifest::of(&bytes) else {
        let no = Err("the kit cannot make a blob".to_owned());
        return report.clause("identity.md 6.1", "a blob has a manifest", no);
    };
    let halves = bytes.split_at(bytes.len() - 5);
    let says = "declaring answers which chunks are missing";
    report.clause(
        "protocol.md 8.4",
        says,
        declared(peer, &manifest, &[0, 1]).await,
    );
    let says = "a chunk whose length or hash differs from the manifest is refused";
    let wrong = [halves.1, &bytes[1..], &bytes[..16], b"".as_slice()];
    report.clause(
        "identity.md 6.3",
        says,
        mismatched(peer, &manifest, &wrong).await,
    );
    let says = "a blob that is not whole is not handed out";
    report.clause("protocol.md 8.4", says, not_whole(peer, &manifest).await);
    let says = "a chunk is stored, and the same again is no harm";
    report.clause(
        "protocol.md 8.4",
        says,
        stored(peer, &manifest, halves.1).await,
    );
    let says = "an upload that broke off goes on where it stopped";
    report.clause(
        "protocol.md 8.4",
        says,
        declared(peer, &manifest, &[0]).await,
    );
    let says =
        "a whole blob is handed out as it was, chunk by chunk, unsigned chunks under their hash";
    report.clause(
        "protocol.md 8.4",
        says,
        whole(peer, &manifest, halves).await,
    );
    let says = "a blob or chunk whose name cannot be read is refused";
    report.clause("protocol.md 8.4", says, unreadable(peer).await);
    let says = "a manifest that contradicts itself is refused";
    report.clause("identity.md 6.1", says, contradicts(peer, &manifest).await);
    let says = "an entry that names a whole blob is ordered";
    report.clause("protocol.md 8.2", says, named(peer, manifest.id()).await);
}

async fn declared(peer: &Peer, manifest: &Manifest, missing: &[u64]) -> Found {
    let answer = peer
        .ask(&peer.post("blobs", codec::encode(manifest)))
        .await?;
    let found: Missing = answer.read()?;
    match found.chunks == missing {
        true => Ok(()),
        false => Err(format!("missing are {:?}", found.chunks)),
    }
}

async fn put(peer: &Peer, blob: BlobId, n: u64, bytes: &[u8]) -> Result<Answer, String> {
    let mut call = peer.get(&format!("blobs/{blob}/{n}")).chunk(bytes.to_vec());
    call.method = "PUT";
    peer.ask(&call).await
}

async fn mismatched(peer: &Peer, manifest: &Manifest, wrong: &[&[u8]]) -> Found {
    for bytes in wrong {
        let answer = put(peer, manifest.id(), 0, bytes).await?;
        answer.refused(MISMATCH)?;
    }
    let answer = put(peer, manifest.id(), 2, wrong[0]).await?;
    answer.refused(MISMATCH)
}

async fn not_whole(peer: &Peer, manifest: &Manifest) -> Found {
    let id = manifest.id();
    for rest in [format!("blobs/{id}"), format!("blobs/{id}/0")] {
        peer.ask(&peer.get(&rest)).await?.refused(MISSING)?;
    }
    Ok(())
}

async fn stored(peer: &Peer, manifest: &Manifest, last: &[u8]) -> Found {
    for _ in 0..2 {
        put(peer, manifest.id(), 1, last).await?.accepted()?;
    }
    Ok(())
}

async fn whole(peer: &Peer, manifest: &Manifest, (first, last): (&[u8], &[u8])) -> Found {
    let id = manifest.id();
    put(peer, id, 0, first).await?.accepted()?;
    let answer = peer.ask(&peer.get(&format!("blobs/{id}"))).await?;
    if answer.read::<Manifest>()?.id() != id {
        return Err("it is another manifest".to_owned());
    }
    for (n, bytes) in [first, last].into_iter().enumerate() {
        let answer = peer.ask(&peer.get(&format!("blobs/{id}/{n}"))).await?;
        answer.accepted()?;
        if answer.body != bytes {
            return Err(format!("chunk {n} has other bytes"));
        }
        if answer.header("content-type") != Some(OCTETS) {
            return Err(format!("chunk {n} does not come as {OCTETS}"));
        }
    }
    Ok(())
}

async fn contradicts(peer: &Peer, manifest: &Manifest) -> Found {
    let good = codec::encode(manifest);
    for body in [
        good[..good.len() - 1].to_vec(),
        [good.as_slice(), &[0]].concat(),
        // One byte, and no chunk that holds it.
        vec![0x82, 0x01, 0x80],
    ] {
        let answer = peer.ask(&peer.post("blobs", body)).await?;
        answer.refused(&[ProblemKind::Unsupported])?;
    }
    Ok(())
}

async fn unreadable(peer: &Peer) -> Found {
    let id = BlobId(protocol::id::Hash::of(b"nowhere"));
    for rest in ["blobs/what".to_owned(), format!("blobs/{id}/first")] {
        let answer = peer.ask(&peer.get(&rest)).await?;
        answer.refused(&[ProblemKind::InvalidInput, ProblemKind::NotFound])?;
    }
    Ok(())
}

async fn named(peer: &Peer, blob: BlobId) -> Found {
    let mut envelope = peer.envelope();
    envelope.header.blobs = vec![blob];
    match peer.append(vec![envelope.bytes()]).await?.as_slice() {
        [protocol::chain::AppendResult::Ordered { .. }] => Ok(()),
        other => Err(format!("{other:?}")),
    }
}
