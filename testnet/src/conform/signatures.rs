//! Chapter: request signatures. Spec: identity.md, section 4.

use super::{
    peer::{Answer, Peer},
    report::{Found, Report},
    wire::{Call, Key, Sent, WITH_CONTENT, WITHOUT_CONTENT, random},
};
use protocol::{
    id::{CoalitionId, NodeId},
    identity::{KeyUse, NodeSecrets},
    problem::ProblemKind,
};

/// How a signature that does not hold is answered.
const BAD: &[ProblemKind] = &[ProblemKind::BadSignature];
/// How somebody is answered whose key is not in the roster.
const STRANGER: &[ProblemKind] = &[ProblemKind::NotMember];

/// An append of nothing: a call with content that changes nothing.
const NOTHING: [u8; 2] = [0x81, 0x80];

/// Tries every clause of the chapter.
pub(super) async fn run(peer: &Peer, report: &mut Report) {
    report.chapter("signatures");
    let honest = peer.ask(&read(peer)).await;
    let says = "a call signed by the profile is accepted";
    report.clause("identity.md 4.1", says, honest.and_then(|a| a.accepted()));
    let says = "a call without a signature, or without a header that is signed, is refused";
    report.clause("identity.md 4.1", says, missing(peer).await);
    let says = "the covered components are exactly these, in this order";
    report.clause("identity.md 4.1", says, components(peer).await);
    let says = "every parameter is required, no other stands beside them, `alg` least of all";
    report.clause("identity.md 4.3", says, parameters(peer).await);
    let says = "no second signature stands beside the one, and no header is sent twice";
    report.clause("identity.md 4.3", says, second(peer).await);
    let says = "what was signed cannot be altered: method, path, query, content, type, seen";
    report.clause("identity.md 4.1", says, altered(peer).await);
    let says = "the digest is that of the content";
    report.clause("identity.md 4.5", says, digest(peer).await);
    let says = "a call for another node is refused";
    report.clause("identity.md 4.6", says, elsewhere(peer).await);
    let says = "the authority is one of the receiver's own document";
    report.clause("identity.md 4.9", says, authority(peer).await);
    let says = "a signature lives 1 to 300 seconds";
    report.clause("identity.md 4.4", says, life(peer).await);
    let says =
        "what was signed too long ago, or for later, is `clock-skew` and told the time, signed";
    report.clause("identity.md 4.4", says, skew(peer).await);
    let says = "a nonce is good once";
    report.clause("identity.md 4.12", says, replayed(peer).await);
    let says = "keys come from the roster: nobody signs in a member's name";
    report.clause("identity.md 3.1", says, borrowed(peer).await);
    let says = "a stranger gets one answer, whether the coalition exists or not, and sees no head";
    report.clause("protocol.md 8.1", says, strangers(peer).await);
}

fn read(peer: &Peer) -> Call {
    peer.get("log").query("after=0&wait=0")
}

fn write(peer: &Peer) -> Call {
    peer.post("log", NOTHING.to_vec())
}

/// Sends each and wants each refused so.
async fn all(peer: &Peer, calls: Vec<(&str, Sent)>, kinds: &[ProblemKind]) -> Found {
    for (what, sent) in calls {
        let answer = peer.send(&sent).await?;
        let found = answer.refused(kinds);
        found.map_err(|why| format!("{what}: {why}"))?;
    }
    Ok(())
}

async fn missing(peer: &Peer) -> Found {
    let mut calls = Vec::new();
    for name in [
        "signature",
        "signature-input",
        "commonturf-to",
        "commonturf-seen",
    ] {
        calls.push((name, read(peer).signed(&peer.key).without(name)));
    }
    let digest = write(peer).signed(&peer.key).without("content-digest");
    calls.push(("content-digest", digest));
    let mut none = read(peer).signed(&peer.key);
    none.headers.clear();
    calls.push(("everything", none));
    all(peer, calls, BAD).await
}

async fn components(peer: &Peer) -> Found {
    let mut calls = Vec::new();
    for (n, name) in WITHOUT_CONTENT.iter().enumerate() {
        let mut call = read(peer);
        call.signing.components.remove(n);
        calls.push((*name, call.signed(&peer.key)));
    }
    for (n, name) in WITH_CONTENT.iter().enumerate() {
        let mut call = write(peer);
        call.signing.components.remove(n);
        let mut sent = call.signed(&peer.key);
        if sent.header("content-digest").is_none() {
            let digest = protocol::sign::content_digest(&NOTHING);
            sent = sent.with("content-digest", &digest);
        }
        calls.push((*name, sent));
    }
    let mut turned = read(peer);
    turned.signing.components.swap(0, 1);
    calls.push(("another order", turned.signed(&peer.key)));
    let mut more = read(peer);
    more.signing.components.push("@method");
    calls.push(("one more", more.signed(&peer.key)));
    all(peer, calls, BAD).await
}

async fn parameters(peer: &Peer) -> Found {
    let mut calls = Vec::new();
    let mut algorithm = read(peer);
    algorithm.signing.more = ";alg=\"ed25519\"";
    calls.push(("alg", algorithm.signed(&peer.key)));
    let mut tag = read(peer);
    tag.signing.tag = "commonturf-res-1";
    calls.push(("another tag", tag.signed(&peer.key)));
    for (what, part) in [
        ("no nonce", ";nonce="),
        ("no time", ";created="),
        ("no end", ";expires="),
        ("no key", ";keyid="),
    ] {
        let mut sent = read(peer).signed(&peer.key);
        if let Some(input) = sent.header("signature-input") {
            *input = without(input, part);
        }
        calls.push((what, sent));
    }
    all(peer, calls, BAD).await
}

/// A signature's input without one of its parameters.
fn without(input: &str, part: &str) -> String {
    let Some(at) = input.find(part) else {
        return input.to_owned();
    };
    let rest = &input[at + 1..];
    let end = rest.find(';').map_or(input.len(), |end| at + 1 + end);
    format!("{}{}", &input[..at], &input[end..])
}

async fn second(peer: &Peer) -> Found {
    let signed = || read(peer).signed(&peer.key);
    let mut beside = signed();
    for name in ["signature-input", "signature"] {
        if let Some(value) = beside.header(name) {
            *value = format!("{value}, {}", value.replacen("ct=", "second=", 1));
        }
    }
    let seen = signed().with("commonturf-seen", "doc=2");
    all(
        peer,
        vec![("another label", beside), ("seen twice", seen)],
        BAD,
    )
    .await
}

async fn altered(peer: &Peer) -> Found {
    let mut calls = Vec::new();
    let mut path = write(peer).signed(&peer.key);
    path.path = peer.path("evaluate");
    calls.push(("path", path));
    let mut query = read(peer).signed(&peer.key);
    query.query = Some("after=1&wait=0".to_owned());
    calls.push(("query", query));
    let mut method = read(peer).signed(&peer.key);
    method.method = "DELETE";
    calls.push(("method", method));
    for (what, name, value) in [
        ("type", "content-type", "application/json"),
        ("seen", "commonturf-seen", "doc=2"),
    ] {
        let mut sent = write(peer).signed(&peer.key);
        if let Some(header) = sent.header(name) {
            value.clone_into(header);
        }
        calls.push((what, sent));
    }
    for (what, sent) in calls {
        let answer = peer.send(&sent).await?;
        // Another method may be refused before anybody looks at the signature.
        let found = answer.refused(&[ProblemKind::BadSignature, ProblemKind::MethodNotAllowed]);
        found.map_err(|why| format!("{what}: {why}"))?;
    }
    Ok(())
}

async fn digest(peer: &Peer) -> Found {
    let mut body = write(peer).signed(&peer.key);
    body.body = vec![0x81, 0x81, 0x41, 0x00];
    let mut emptied = write(peer).signed(&peer.key);
    emptied.body.clear();
    all(
        peer,
        vec![("other content", body), ("no content", emptied)],
        BAD,
    )
    .await
}

async fn elsewhere(peer: &Peer) -> Found {
    let mut call = read(peer);
    call.signing.to = NodeId([7; 32]);
    all(peer, vec![("another node", call.signed(&peer.key))], BAD).await
}

async fn authority(peer: &Peer) -> Found {
    let mut call = read(peer);
    "elsewhere.example.org".clone_into(&mut call.signing.authority);
    all(peer, vec![("another host", call.signed(&peer.key))], BAD).await
}

async fn life(peer: &Peer) -> Found {
    let mut calls = Vec::new();
    for (what, life) in [
        ("301 seconds", 301),
        ("no second", 0),
        ("an end before", -1),
    ] {
        let mut call = read(peer);
        call.signing.life = life;
        calls.push((what, call.signed(&peer.key)));
    }
    all(peer, calls, BAD).await
}

async fn skew(peer: &Peer) -> Found {
    for (what, ahead) in [("an hour ago", -3_600), ("in an hour", 3_600)] {
        let mut call = read(peer);
        call.signing.created += ahead;
        let answer = peer.ask(&call).await?;
        let wrong = |why: String| format!("{what}: {why}");
        answer.refused(&[ProblemKind::ClockSkew]).map_err(wrong)?;
        let told = answer.problem().and_then(|problem| problem.server_time);
        told.ok_or_else(|| wrong("it does not tell the time".to_owned()))?;
        answer.signed.map_err(wrong)?;
    }
    Ok(())
}

async fn replayed(peer: &Peer) -> Found {
    let sent = read(peer).signed(&peer.key);
    peer.send(&sent).await?.accepted()?;
    let again = peer.send(&sent).await?;
    again.refused(&[ProblemKind::Replayed])?;
    // The same nonce in another call of the same member.
    let mut first = read(peer);
    first.signing.nonce = random();
    let mut other = write(peer);
    other.signing.nonce = first.signing.nonce;
    peer.ask(&first).await?.accepted()?;
    peer.ask(&other).await?.refused(&[ProblemKind::Replayed])
}

async fn borrowed(peer: &Peer) -> Found {
    let stranger = NodeSecrets::generate(&mut commonturf::ambient::rng());
    let key = Key::new(peer.me, stranger.signing_key(KeyUse::Request));
    let answer = peer.send(&read(peer).signed(&key)).await?;
    answer.refused(&[ProblemKind::NotMember, ProblemKind::BadSignature])
}

async fn strangers(peer: &Peer) -> Found {
    let stranger = NodeSecrets::generate(&mut commonturf::ambient::rng());
    let key = Key::new(stranger.node_id(), stranger.signing_key(KeyUse::Request));
    let mut answers: Vec<Answer> = Vec::new();
    for coalition in [peer.coalition, CoalitionId(random())] {
        let mut call = read(peer);
        call.path = format!("/v1/c/{coalition}/log");
        let answer = peer.send(&call.signed(&key)).await?;
        answer.refused(STRANGER)?;
        answers.push(answer);
    }
    let told = |answer: &Answer| {
        let problem = answer.problem();
        let words = problem.map(|problem| (problem.code, problem.title, problem.detail));
        (answer.status, words)
    };
    let same = answers.iter().map(told).all(|one| one == told(&answers[0]));
    if !same {
        return Err("the two answers differ".to_owned());
    }
    match answers
        .iter()
        .find_map(|answer| answer.header("commonturf-head"))
    {
        Some("none") | None => Ok(()),
        Some(head) => Err(format!("it is shown a head: {head}")),
    }
}
