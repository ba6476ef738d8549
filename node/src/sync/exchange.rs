//! One exchange with a keeper: sign, send, check the answer's signature and the head it shows; again
//! where clocks, a start or too many calls stand in the way.

use super::{
    keeper_client::{Keeper, KeeperError, nobody},
    keepers::Seat,
};
use crate::{
    app::App,
    federation::{APPLICATION_CBOR, LOCAL_AUTHORITY, OCTETS},
    transport::TransportError,
};
use bytes::Bytes;
use http::{Method, Request, StatusCode, header};
use protocol::{
    evidence::SignedHead,
    identity::{IdentityDocument, KeyUse},
    problem::{Problem, ProblemKind},
    sign::{
        Answered, Nonce, RequestSigner, RequestView, ResponseView, Seen, SignatureError,
        VerifiedResponse, sign_request, verify_response,
    },
    time::Moment,
    version::Versions,
};
use std::time::Duration;
use tower::ServiceExt;

/// The unit in which a signature tells its time.
const A_SECOND: Duration = Duration::from_secs(1);

/// How often a call that comes too often is tried, with the pause between that the keeper asks for.
const RATE_TRIES: u32 = 5;

/// What may be behind it that a keeper takes this node for a stranger; the keeper tells strangers nothing.
const UNKNOWN_HERE: &str = "this node is no member, or its keys were changed after the copy was made that it was \
     restored from: then restore the latest backup";

/// What a call is: method, path below the coalition's, query.
pub(super) type Target<'a> = (Method, &'a str, &'a str);

/// What is sent along.
pub(super) enum Content<'a> {
    None,
    /// Signed content.
    Cbor(Vec<u8>),
    /// A chunk, which its own hash names.
    Chunk(&'a [u8]),
    /// Nothing; what comes back is a chunk, which its own hash names.
    AskForChunk,
}

impl Keeper {
    /// Asks one keeper with the present keys, and where it takes this node for a stranger, with those
    /// that it is about to list or has listed last: the two may have read the log differently far.
    pub(super) async fn call_one(
        &self,
        app: &App,
        seat: &Seat,
        target: Target<'_>,
        content: &Content<'_>,
    ) -> Result<Bytes, KeeperError> {
        let mut signers = vec![app.signer()];
        signers.extend(app.keys().other_signers(app.me));
        let mut answer = Err(nobody());
        for signer in &signers {
            answer = self
                .call_in_measure(app, seat, &target, content, signer)
                .await;
            let refused = answer.as_ref().err().and_then(KeeperError::kind);
            if refused != Some(ProblemKind::NotMember) {
                return answer;
            }
        }
        if let Err(KeeperError::Refused(problem)) = &mut answer {
            UNKNOWN_HERE.clone_into(&mut problem.detail);
        }
        answer
    }

    /// Asks one keeper; where it is asked too often for a moment, again after that moment. What needs
    /// many calls goes on in the keeper's measure, and need not begin anew.
    async fn call_in_measure(
        &self,
        app: &App,
        seat: &Seat,
        target: &Target<'_>,
        content: &Content<'_>,
        signer: &RequestSigner,
    ) -> Result<Bytes, KeeperError> {
        let mut tries = 1;
        loop {
            let answer = self.call_in_time(app, seat, target, content, signer).await;
            let error = match answer {
                Err(error) if error.kind() == Some(ProblemKind::Rate) => error,
                answer => return answer,
            };
            let wait = Duration::from_millis(error.asks_to_wait().unwrap_or(u64::MAX));
            if tries == RATE_TRIES || wait > A_SECOND || !app.life.pause(wait).await {
                return Err(error);
            }
            tries += 1;
        }
    }

    /// Asks one keeper, and signs again where the two clocks or its start stand in the way.
    async fn call_in_time(
        &self,
        app: &App,
        seat: &Seat,
        target: &Target<'_>,
        content: &Content<'_>,
        signer: &RequestSigner,
    ) -> Result<Bytes, KeeperError> {
        let own = Versions::of(&app.identity());
        let version = match &seat.document {
            Some(document) => own.agree(Versions::of(document))?,
            None => own.newest(),
        };
        let exchange =
            |ahead, version| self.exchange(app, seat, target, content, (version, ahead, signer));
        let first = exchange(0, version).await;
        let Err(KeeperError::Refused(problem)) = &first else {
            return first;
        };
        match (problem.kind(), problem.server_time) {
            (Some(ProblemKind::ClockSkew), Some(theirs)) => {
                app.offsets.set(seat.node, theirs.since(app.now()));
                exchange(0, version).await
            }
            // Whoever has not shown its document yet may speak an older version than this node.
            (Some(ProblemKind::Unsupported), _) if seat.document.is_none() => {
                let spoken = own.agree(spoken_by(app, seat, own).await?)?;
                exchange(0, spoken).await
            }
            // The keeper has just started and takes nothing that may have been signed before; a
            // signature as far ahead as clocks may differ cannot have been.
            (Some(ProblemKind::StaleSinceRestart), _) => {
                let ahead = protocol::limits::CLOCK_AHEAD;
                let again = exchange(ahead, version).await;
                let refused = again.as_ref().err().and_then(KeeperError::kind);
                if refused != Some(ProblemKind::StaleSinceRestart) {
                    return again;
                }
                // A signature names whole seconds, so within the keeper's first one even that
                // moment is cut off to one that is refused.
                app.life.pause(A_SECOND).await;
                exchange(ahead, version).await
            }
            _ => first,
        }
    }

    async fn exchange(
        &self,
        app: &App,
        seat: &Seat,
        (method, path, query): &Target<'_>,
        content: &Content<'_>,
        (version, ahead, signer): (u32, i64, &RequestSigner),
    ) -> Result<Bytes, KeeperError> {
        let path = format!("/v{version}/c/{}/{path}", self.coalition);
        let authority = match &seat.url {
            Some(url) => authority_of(url)?,
            None => LOCAL_AUTHORITY.to_owned(),
        };
        let (body, signed, content_type): (Bytes, bool, Option<&str>) = match content {
            Content::None | Content::AskForChunk => (Bytes::new(), false, None),
            Content::Cbor(bytes) => (bytes.clone().into(), true, Some(APPLICATION_CBOR)),
            Content::Chunk(bytes) => (Bytes::copy_from_slice(bytes), false, Some(OCTETS)),
        };
        let headers: Vec<(&str, &str)> = content_type
            .map(|value| ("content-type", value))
            .into_iter()
            .collect();
        let view = RequestView {
            method: method.as_str(),
            authority: &authority,
            path: &path,
            query: (!query.is_empty()).then_some(query),
            headers: &headers,
            body: signed.then_some(body.as_ref()),
        };
        let created = app.now().plus(app.offsets.of(seat.node)).plus(ahead);
        let seen = Seen {
            log: self.seen,
            document: app.identity().seq,
        };
        let nonce = Nonce::random(&mut crate::ambient::rng());
        let added = sign_request(signer, &view, seat.node, &seen, created, nonce)?;
        let target = if query.is_empty() {
            path.clone()
        } else {
            format!("{path}?{query}")
        };
        let mut request = Request::builder().method(method.clone()).uri(target);
        for (name, value) in &added {
            request = request.header(*name, value);
        }
        if let Some(value) = content_type {
            request = request.header(header::CONTENT_TYPE, value);
        }
        let request = request
            .body(body.clone())
            .map_err(|error| KeeperError::Unreadable(error.to_string()))?;
        let response = match &seat.url {
            Some(url) => app.transport.send(url, request).await?,
            None => call_own_router(app, request).await?,
        };
        let answered = Answered::sent(&view, &added)?;
        let chunk = matches!(content, Content::AskForChunk);
        let created = check(app, seat, &response, &answered, chunk)?;
        // What this node answers itself says nothing about its clock.
        if let (Some(created), Some(_)) = (created, &seat.url) {
            app.offsets.heard(created.since(app.now()));
        }
        if response.status().is_success() {
            return Ok(response.into_body());
        }
        match serde_json::from_slice::<Problem>(response.body()) {
            Ok(problem) => Err(KeeperError::Refused(Box::new(problem))),
            Err(_) => Err(KeeperError::Unreadable(format!(
                "it answered {}",
                response.status()
            ))),
        }
    }
}

/// What a keeper speaks that has not shown its document yet: it tells anybody, unsigned. Whoever lies
/// there makes two nodes fail to meet, nothing else.
async fn spoken_by(app: &App, seat: &Seat, own: Versions) -> Result<Versions, KeeperError> {
    let Some(url) = &seat.url else {
        return Ok(own);
    };
    let request = Request::get("/.well-known/commonturf").body(Bytes::new());
    let request = request.map_err(|error| KeeperError::Unreadable(error.to_string()))?;
    let answer = app.transport.send(url, request).await?;
    let said: serde_json::Value = serde_json::from_slice(answer.body()).unwrap_or_default();
    let listed = said["commonturf"]["versions"].as_array();
    let listed = listed.into_iter().flatten();
    let listed: Vec<u32> = listed
        .filter_map(|version| u32::try_from(version.as_u64()?).ok())
        .collect();
    let ends = listed.iter().min().zip(listed.iter().max());
    ends.and_then(|(min, max)| Versions::new(*min, *max))
        .ok_or_else(|| {
            let what = "it does not say which versions of the protocol it speaks";
            KeeperError::Unreadable(what.to_owned())
        })
}

/// Checks the answer's signature, and that its head is the keeper's word; answers when it was signed.
fn check(
    app: &App,
    seat: &Seat,
    response: &http::Response<Bytes>,
    answered: &Answered<'_>,
    asked_for_chunk: bool,
) -> Result<Option<Moment>, KeeperError> {
    let status = response.status();
    let unsigned = !response.headers().contains_key("signature");
    if unsigned && (status.is_server_error() || status == StatusCode::NOT_FOUND) {
        return Err(TransportError::Unreachable(format!(
            "something answered {status} in its place"
        ))
        .into());
    }
    // Who calls too often is told so before anything is signed. Believing it costs a pause.
    if unsigned && status == StatusCode::TOO_MANY_REQUESTS {
        return Err(KeeperError::Refused(Box::new(rate(response.body()))));
    }
    if seat.document.is_none() && !status.is_success() {
        // A newcomer cannot check a refusal yet. Believing it costs a try, nothing else.
        return Ok(None);
    }
    let mut headers: Vec<(&str, &str)> = Vec::new();
    for (name, value) in response.headers() {
        let value = value
            .to_str()
            .map_err(|_| KeeperError::Unreadable("a header is no text".to_owned()))?;
        headers.push((name.as_str(), value));
    }
    // Only a chunk may come unsigned, and only where one was asked for.
    let chunk = asked_for_chunk && headers.contains(&("content-type", OCTETS));
    let body = response.body();
    let view = ResponseView {
        status: status.as_u16(),
        headers: &headers,
        body: (!chunk && !body.is_empty()).then_some(body.as_ref()),
    };
    // A newcomer does not know the keeper's document yet; the invitation names its node id, and
    // the answer brings the document that the id is the hash of.
    let document = match &seat.document {
        Some(document) => document.clone(),
        None => crate::federation::join::document_in(response.body(), seat.node, app.now())
            .ok_or(SignatureError::UnknownKey)?,
    };
    let lookup = |node, kid: &_| {
        (node == seat.node)
            .then(|| document.key_named(KeyUse::Request, kid))
            .flatten()
    };
    let verified = verify_response(&view, answered, seat.node, lookup)?;
    let shown = check_head(&document, &verified)?;
    // What this node says itself is no news to it.
    if let Some(shown) = shown.filter(|shown| shown.node != app.me) {
        app.heads.shown(shown);
    }
    Ok(Some(verified.created))
}

/// What an unsigned refusal for calling too often can say: how long to wait, and no longer than any
/// pause between tries.
fn rate(body: &[u8]) -> Problem {
    let said: Option<Problem> = serde_json::from_slice(body).ok();
    let wait = said.and_then(|said| said.retry_after_ms).unwrap_or(0);
    let longest = protocol::limits::BACKOFF_CAP.unsigned_abs();
    let mut problem = Problem::new(ProblemKind::Rate, "", "");
    problem.retry_after_ms = Some(wait.clamp(1, longest));
    problem
}

/// A head is believed when the keeper's key for heads signed it.
fn check_head(
    document: &IdentityDocument,
    verified: &VerifiedResponse,
) -> Result<Option<SignedHead>, KeeperError> {
    let Some(shown) = &verified.head else {
        return Ok(None);
    };
    let head = protocol::chain::Head {
        lineage: shown.log.lineage,
        position: shown.log.position,
        chain: shown.log.chain,
        log_time: shown.log_time,
    };
    let key = document
        .key(KeyUse::Head)
        .ok_or(SignatureError::UnknownKey)?;
    let shown = SignedHead {
        node: document.node_id,
        head,
        signature: shown.signature,
    };
    if shown.is_signed(&key.public) {
        Ok(Some(shown))
    } else {
        Err(SignatureError::Signature.into())
    }
}

fn authority_of(url: &str) -> Result<String, KeeperError> {
    let endpoint: protocol::identity::Endpoint = url
        .parse()
        .map_err(|_| TransportError::Forbidden(url.to_owned()))?;
    Ok(endpoint.authority().to_owned())
}

/// The keeper asks itself by the same road as everybody else, without the network.
async fn call_own_router(
    app: &App,
    request: Request<Bytes>,
) -> Result<http::Response<Bytes>, KeeperError> {
    use http_body_util::BodyExt;
    let unreachable =
        |what: &str| KeeperError::Transport(TransportError::Unreachable(what.to_owned()));
    let router = app
        .federation
        .get()
        .ok_or_else(|| unreachable("this node keeps no log"))?
        .clone();
    let request = request.map(axum::body::Body::from);
    let Ok(response) = router.oneshot(request).await;
    let (parts, body) = response.into_parts();
    let body = body
        .collect()
        .await
        .map_err(|_| unreachable("its answer was cut off"))?
        .to_bytes();
    Ok(http::Response::from_parts(parts, body))
}
