//! Chapter: saying something. Spec: protocol.md, 4 and 8.2.

use super::{
    peer::Peer,
    report::{Found, Report},
};
use protocol::{
    blob::BlobId,
    chain::AppendResult,
    codec,
    envelope::{ENTRY_BYTES, Envelope},
    id::{CoalitionId, Hash, Lineage},
    problem::ProblemKind,
};

/// Tries every clause of the chapter.
pub(super) async fn run(peer: &Peer, report: &mut Report) {
    report.chapter("append");
    let says = "an entry gets the next position, and stands there byte for byte";
    report.clause("protocol.md 8.2", says, ordered(peer).await);
    let says = "the same bytes get the same position, at once and later";
    report.clause("protocol.md 8.2", says, twice(peer).await);
    let says = "entries of one append are judged one by one, and good ones are ordered";
    report.clause("protocol.md 8.2", says, one_by_one(peer).await);
    let says = "an entry of another author than the caller is refused";
    report.clause("protocol.md 4", says, another_author(peer).await);
    let says = "an entry of another coalition or numbering is refused";
    report.clause("protocol.md 4", says, another_log(peer).await);
    let says = "an entry of a version that the coalition does not speak is refused";
    report.clause("protocol.md 12", says, version(peer).await);
    let says = "an envelope with a field that nobody knows is refused";
    report.clause("protocol.md 2", says, unknown_field(peer).await);
    let says = "another spelling of the same envelope is refused";
    report.clause("protocol.md 2", says, spelling(peer).await);
    let says = "an entry waits for the blobs that it names, four at most";
    report.clause("protocol.md 8.2", says, blobs(peer).await);
    let says = "an entry has at most 64 KiB";
    report.clause("protocol.md 9", says, too_long(peer).await);
    let says = "an append has at most 256 entries";
    report.clause("protocol.md 9", says, too_many(peer).await);
    let says = "bytes that are no append are refused as a whole";
    report.clause("protocol.md 2", says, no_append(peer).await);
}

fn position(result: &AppendResult) -> Result<u64, String> {
    match result {
        AppendResult::Ordered { position, .. } => Ok(*position),
        AppendResult::Refused { code } => Err(format!("it was refused as {code}")),
    }
}

/// Appends one and wants it refused so.
async fn refused(peer: &Peer, bytes: Vec<u8>, kinds: &[ProblemKind]) -> Found {
    match peer.append(vec![bytes]).await?.as_slice() {
        [AppendResult::Refused { code }] if kinds.iter().any(|kind| kind.code() == code) => Ok(()),
        [AppendResult::Refused { code }] => {
            let wanted: Vec<&str> = kinds.iter().map(|kind| kind.code()).collect();
            Err(format!(
                "it should be {}, and was {code}",
                wanted.join(" or ")
            ))
        }
        [AppendResult::Ordered { .. }] => Err("it was ordered".to_owned()),
        results => Err(format!("{} answers to one entry", results.len())),
    }
}

/// Only the one result.
async fn one(peer: &Peer, bytes: Vec<u8>) -> Result<u64, String> {
    let results = peer.append(vec![bytes]).await?;
    position(results.first().ok_or("no answer to the entry")?)
}

async fn ordered(peer: &Peer) -> Found {
    let bytes = peer.envelope().bytes();
    let at = one(peer, bytes.clone()).await?;
    let (page, _) = peer.page(at - 1, 0).await?;
    let item = page.items.first().ok_or("nothing stands there")?;
    match item.position == at && item.sealed == bytes {
        true => Ok(()),
        false => Err("something else stands there".to_owned()),
    }
}

async fn twice(peer: &Peer) -> Found {
    let bytes = peer.envelope().bytes();
    let results = peer.append(vec![bytes.clone(), bytes.clone()]).await?;
    let [first, second] = results.as_slice() else {
        return Err(format!("{} answers to two entries", results.len()));
    };
    let at = position(first)?;
    let again = [position(second)?, one(peer, bytes).await?];
    match again.iter().all(|again| *again == at) {
        true => Ok(()),
        false => Err(format!("at {at} first, then at {again:?}")),
    }
}

async fn one_by_one(peer: &Peer) -> Found {
    let mut wrong = peer.envelope();
    wrong.header.author = peer.keeper;
    let entries = vec![
        peer.envelope().bytes(),
        wrong.bytes(),
        vec![0],
        peer.envelope().bytes(),
    ];
    let results = peer.append(entries).await?;
    let taken: Vec<bool> = results.iter().map(|one| position(one).is_ok()).collect();
    match taken.as_slice() {
        [true, false, false, true] => Ok(()),
        other => Err(format!("taken were {other:?}")),
    }
}

async fn another_author(peer: &Peer) -> Found {
    let mut envelope = peer.envelope();
    envelope.header.author = peer.keeper;
    refused(peer, envelope.bytes(), &[ProblemKind::Forbidden]).await
}

async fn another_log(peer: &Peer) -> Found {
    let mut coalition = peer.envelope();
    coalition.header.coalition = CoalitionId([9; 16]);
    let mut lineage = peer.envelope();
    lineage.header.lineage = Lineage([9; 16]);
    for envelope in [coalition, lineage] {
        refused(peer, envelope.bytes(), &[ProblemKind::Unsupported]).await?;
    }
    Ok(())
}

async fn version(peer: &Peer) -> Found {
    for version in [0, u8::MAX] {
        let mut envelope = peer.envelope();
        envelope.header.version = version;
        refused(peer, envelope.bytes(), &[ProblemKind::Unsupported]).await?;
    }
    Ok(())
}

/// The bytes of an envelope whose header has one more field: it begins with two arrays, of 2 and of 8
/// or 9 elements.
fn with_a_field(envelope: &Envelope) -> Vec<u8> {
    let sealed = codec::encode(envelope);
    let header = codec::encode(&envelope.header);
    let count = header.first().copied().unwrap_or_default() & 0x1f;
    // Nothing stands for a field in between that is absent; the unknown one is a number.
    let absent = std::iter::repeat_n(0xf6, usize::from(9_u8.saturating_sub(count)));
    let mut bytes = vec![0x82, 0x8a];
    bytes.extend_from_slice(&header[1..]);
    bytes.extend(absent);
    bytes.push(0x01);
    bytes.extend_from_slice(&sealed[1 + header.len()..]);
    bytes
}

async fn unknown_field(peer: &Peer) -> Found {
    let bytes = with_a_field(&peer.envelope());
    refused(peer, bytes, &[ProblemKind::Unsupported]).await
}

async fn spelling(peer: &Peer) -> Found {
    let bytes = peer.envelope().bytes();
    // An array without an end mark, and bytes behind the envelope.
    let mut open = vec![0x9f];
    open.extend_from_slice(&bytes[1..]);
    open.push(0xff);
    let behind = [bytes.as_slice(), &[0]].concat();
    for bytes in [open, behind] {
        refused(peer, bytes, &[ProblemKind::Unsupported]).await?;
    }
    Ok(())
}

async fn blobs(peer: &Peer) -> Found {
    let nowhere = BlobId(Hash::of(&super::wire::random()));
    let mut envelope = peer.envelope();
    envelope.header.blobs = vec![nowhere];
    refused(peer, envelope.bytes(), &[ProblemKind::BlobMissing]).await?;
    envelope.header.blobs = vec![nowhere; 5];
    refused(peer, envelope.bytes(), &[ProblemKind::Unsupported]).await
}

async fn too_long(peer: &Peer) -> Found {
    let mut envelope = peer.envelope();
    envelope.sealed = vec![0; ENTRY_BYTES];
    refused(peer, envelope.bytes(), &[ProblemKind::TooLarge]).await
}

async fn too_many(peer: &Peer) -> Found {
    let entries = vec![vec![0]; protocol::chain::APPEND_ENTRIES + 1];
    match peer.append(entries).await {
        Ok(_) => Err("all were judged".to_owned()),
        Err(why) if why.contains("too-large") => Ok(()),
        Err(why) => Err(why),
    }
}

async fn no_append(peer: &Peer) -> Found {
    for body in [vec![0x80], vec![0x81, 0x9f, 0xff], vec![0x81, 0x80, 0x00]] {
        let answer = peer.ask(&peer.post("log", body)).await?;
        answer.refused(&[ProblemKind::Unsupported])?;
    }
    Ok(())
}
