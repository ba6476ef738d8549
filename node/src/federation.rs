//! What a keeper answers to members and newcomers. Spec: section 8.
//!
//! One pipeline for every call: limit, read, verify, act, sign the answer. Nothing acts before the
//! request's signature holds, and nothing of the desk is served here.

pub mod append;
pub mod blob;
pub mod evaluate;
pub mod gate;
pub mod join;
pub mod ledger;
pub mod raft;
pub mod read;
pub mod rejoin;
pub mod repair;
pub mod status;

use crate::{
    app::App,
    http::problem::{self, Failure},
    store::coalition::Phase,
    sync::coalition::Coalition,
};
use axum::{
    body::Body,
    extract::{OriginalUri, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use protocol::{
    id::{CoalitionId, NodeId},
    identity::{IdentityDocument, KeyId, KeyUse, PublicKey},
    problem::{Problem, ProblemKind},
    sign::{
        Answered, LogPoint, Nonce, RequestSigner, RequestView, ResponseView, Seen, ShownHead,
        SignatureError, VerifiedRequest, sign_response, verify_request,
    },
    version::Versions,
};

use std::time::Duration;

/// How CBOR travels.
pub const APPLICATION_CBOR: &str = "application/cbor";
/// How a chunk of a blob travels: unsigned, its hash names it.
pub const OCTETS: &str = "application/octet-stream";
/// The authority under which a keeper calls itself.
pub const LOCAL_AUTHORITY: &str = "keeper.commonturf.internal";
/// The longest body of a call: a chunk, or an append.
const BODY_BYTES: usize = CHUNK + 64 * 1024;
/// How long a body may take.
const BODY_TIME: Duration = Duration::from_millis(protocol::limits::REQUEST_TIME.unsigned_abs());
/// Bytes of a blob's chunk.
pub const CHUNK: usize = protocol::limits::CHUNK_BYTES as usize;

/// Who calls, once its signature was checked.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// The node.
    pub node: NodeId,
    /// How far it has folded.
    pub seen: Seen,
    /// Whether it is a member now; a newcomer is not.
    pub member: bool,
    /// Where it was removed: up to there it reads on, so that it learns of it.
    pub until: Option<u64>,
    /// Whether it calls as one keeper calls another.
    pub keeper: bool,
}

impl Caller {
    /// Refuses everybody who is no member, in the words that a stranger gets too.
    ///
    /// # Errors
    /// A `not-member` problem.
    pub fn must_be_member(&self) -> Result<(), Failure> {
        if self.member {
            Ok(())
        } else {
            Err(not_member())
        }
    }
}

impl Caller {
    /// Refuses who is no member, unless it was one and has not read of its removal yet.
    ///
    /// # Errors
    /// A `not-member` problem.
    pub fn may_read(&self) -> Result<(), Failure> {
        let seen = self.seen.log.map_or(0, |log| log.position);
        if self.until.is_some_and(|until| seen < until) {
            return Ok(());
        }
        self.must_be_member()
    }

    /// Refuses everybody who is no keeper, in the words that a stranger gets too.
    ///
    /// # Errors
    /// A `not-member` problem.
    pub fn must_be_keeper(&self) -> Result<(), Failure> {
        if self.keeper {
            Ok(())
        } else {
            Err(not_member())
        }
    }
}

/// The one answer to strangers, whether the coalition exists or not.
fn not_member() -> Failure {
    Failure::new(
        ProblemKind::NotMember,
        "this keeper answers members of its coalition only",
    )
}

/// The pipeline around every call to a coalition.
pub async fn pipeline(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    // Nesting has cut the prefix off the address; what was signed is the whole of it.
    let uri = parts
        .extensions
        .get::<OriginalUri>()
        .map_or_else(|| parts.uri.clone(), |original| original.0.clone());
    let mut headers: Vec<(&str, &str)> = Vec::new();
    for (name, value) in &parts.headers {
        let Ok(value) = value.to_str() else {
            return Failure::new(ProblemKind::BadSignature, "a header is no text").into_response();
        };
        headers.push((name.as_str(), value));
    }
    // A chunk is named by its own hash; everything else that is sent is signed.
    let chunk = parts.method == http::Method::PUT
        && uri.path().contains("/blobs/")
        && headers.contains(&("content-type", OCTETS));
    let view = RequestView {
        method: parts.method.as_str(),
        authority: "",
        path: uri.path(),
        query: uri.query(),
        headers: &headers,
        body: None,
    };
    if let Err(failure) = gate::before_anything(&app, &view) {
        return failure.into_response();
    }
    let body = match whole_body(body).await {
        Ok(body) => body,
        Err(failure) => return failure.into_response(),
    };
    let view = RequestView {
        body: (!chunk && !body.is_empty()).then_some(body.as_ref()),
        ..view
    };
    let between_keepers = is_between_keepers(uri.path());
    let admitted = if between_keepers {
        admit_keeper(&app, &view, &body)
    } else {
        admit(&app, &view, &body).await
    };
    let is_member = admitted.as_ref().is_ok_and(|caller| caller.member);
    let response = match admitted.and_then(|caller| answered(&app, caller, &view)) {
        Ok(caller) => {
            let mut request = Request::from_parts(parts.clone(), Body::from(body.clone()));
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(failure) => failure.into_response(),
    };
    // A member that has folded another history is shown where this log stands, signed.
    let response = closed(response, parts.extensions.get());
    let conflict = is_member && response.status() == http::StatusCode::CONFLICT;
    // A keeper whose database went back signs no head: it could only be shorter than one before.
    let kept = app.kept.refused().is_none();
    let with_head = kept && !between_keepers && (response.status().is_success() || conflict);
    match Answered::received(&view) {
        Ok(answered) => {
            let position = claimed_position(&view);
            sign(&app, response, &answered, with_head, position).await
        }
        Err(_) => response,
    }
}

/// An answer as it will be signed: whatever was refused is a problem, with the request's id.
fn closed(response: Response, id: Option<&problem::RequestId>) -> Response {
    let response = problem::as_problem(response);
    match id {
        Some(id) => problem::named(response, id),
        None => response,
    }
}

/// The body of a call, when it comes in time and is as short as calls are.
async fn whole_body(body: Body) -> Result<Bytes, Failure> {
    let whole = Limited::new(body, BODY_BYTES).collect();
    match tokio::time::timeout(BODY_TIME, whole).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Failure::new(
            ProblemKind::TooLarge,
            "the body is longer than any call needs",
        )),
        _ => Err(Failure::new(
            ProblemKind::TooSlow,
            "the body stopped or took too long",
        )),
    }
}

/// Refuses a caller whose call this node does not answer, whoever makes it.
fn answered(app: &App, caller: Caller, view: &RequestView<'_>) -> Result<Caller, Failure> {
    of_a_known_type(view)?;
    repair::gate(app, &caller, view)?;
    Ok(caller)
}

/// Refuses signed content that is no CBOR.
fn of_a_known_type(view: &RequestView<'_>) -> Result<(), Failure> {
    if view.body.is_none() || view.headers.contains(&("content-type", APPLICATION_CBOR)) {
        return Ok(());
    }
    Err(Failure::new(
        ProblemKind::UnsupportedMediaType,
        "content is application/cbor; a chunk of a blob is application/octet-stream",
    ))
}

/// Whether a path is one of a coalition, in whichever version of the protocol.
fn is_of(path: &str, coalition: CoalitionId) -> bool {
    path.split('/').nth(3) == Some(coalition.to_string().as_str())
}

/// Whether a path is one on which keepers call each other.
fn is_between_keepers(path: &str) -> bool {
    path.split('/').nth(4) == Some("raft")
}

/// Checks the signature of another keeper's call, without waiting for anything: a fold that takes a
/// while must not look like a keeper that is gone.
fn admit_keeper(app: &App, view: &RequestView<'_>, body: &Bytes) -> Result<Caller, Failure> {
    if body.len() > raft::RAFT_BODY {
        return Err(Failure::new(ProblemKind::TooLarge, ""));
    }
    let node = claimed_caller(view)?;
    let circle = app.kept.circle();
    let circle = circle.filter(|circle| is_of(view.path, circle.coalition));
    let document = circle
        .as_ref()
        .and_then(|circle| circle.document(node))
        .ok_or_else(not_member)?;
    let verified = verified(app, view, node, document)?;
    Ok(Caller {
        node: verified.caller,
        seen: verified.seen,
        member: true,
        until: None,
        keeper: true,
    })
}

/// Checks a call's signature against the document of who claims to make it.
fn verified(
    app: &App,
    view: &RequestView<'_>,
    node: NodeId,
    document: &IdentityDocument,
) -> Result<VerifiedRequest, Failure> {
    let mut authorities = app.keys().authorities();
    authorities.push(LOCAL_AUTHORITY.to_owned());
    let authorities: Vec<&str> = authorities.iter().map(String::as_str).collect();
    let lookup = |asked: NodeId, kid: &KeyId| -> Option<PublicKey> {
        (asked == node)
            .then(|| document.key_named(KeyUse::Request, kid))
            .flatten()
    };
    verify_request(view, app.me, &authorities, lookup, app.now())
        .map_err(|error| refused(&error, app))
}

/// Checks a call's signature and says who makes it.
async fn admit(app: &App, view: &RequestView<'_>, body: &Bytes) -> Result<Caller, Failure> {
    let now = app.now();
    let node = claimed_caller(view)?;
    let coalition = app.coalition.read().await;
    let state = coalition
        .as_ref()
        .filter(|coalition| answers_here(app, coalition) && is_of(view.path, coalition.row.id))
        .map(|coalition| &coalition.state);
    // The keeper itself is one before the log has its first entry.
    let member = match state {
        Some(_) if node == app.me => Some(app.identity()),
        Some(state) => state.active(node).and_then(|_| state.document(node)),
        None => None,
    };
    let is_member = member.is_some();
    let former = state
        .filter(|_| !is_member && reads(view))
        .and_then(|state| Some((state.members.get(&node)?.left_at?, state.document(node)?)));
    let until = former.as_ref().map(|(left_at, _)| *left_at);
    let document = match member.or(former.map(|(_, document)| document)) {
        Some(document) => Some(document),
        None if state.is_some() => join::newcomer(app, view, node, body).await?,
        None => None,
    };
    drop(coalition);
    let document = document.ok_or_else(not_member)?;
    let verified = verified(app, view, node, &document)?;
    // What this node asks itself never was on a wire, so nobody can repeat it.
    if node != app.me {
        app.gate.called(node, now)?;
        let mut nonces = app
            .nonces
            .lock()
            .map_err(|_| Failure::internal("the nonces are locked"))?;
        nonces
            .remember(&verified, now)
            .map_err(|error| Failure::new(error.problem(), error.to_string()))?;
    }
    Ok(Caller {
        node: verified.caller,
        seen: verified.seen,
        member: is_member,
        until,
        keeper: false,
    })
}

/// Whether a call only reads the log or what its entries name.
fn reads(view: &RequestView<'_>) -> bool {
    view.method == "GET" && (view.path.ends_with("/log") || view.path.contains("/blobs/"))
}

/// Whether this node answers members: while it keeps the log, and afterwards, since its share of the
/// key of match tokens may lie here still. What it does not keep, each call refuses by itself.
fn answers_here(app: &App, coalition: &Coalition) -> bool {
    coalition.is_kept_by(app.me)
        || (app.config.federation.is_some() && coalition.row.phase != Phase::Joining)
}

/// Whose key the request names; its signature is checked after.
fn claimed_caller(view: &RequestView<'_>) -> Result<NodeId, Failure> {
    let input = view
        .headers
        .iter()
        .find(|(name, _)| *name == "signature-input")
        .map(|(_, value)| *value);
    let keyid = input
        .and_then(|input| input.split_once("keyid=\""))
        .and_then(|(_, rest)| rest.split('"').next());
    let node = keyid
        .and_then(|keyid| keyid.split('.').next())
        .and_then(|node| node.parse().ok());
    node.ok_or_else(|| {
        Failure::new(
            ProblemKind::BadSignature,
            "the request is not signed as members sign",
        )
    })
}

/// How far a caller says that it has folded; it chooses only with which own key it is answered.
fn claimed_position(view: &RequestView<'_>) -> Option<u64> {
    let mut headers = view.headers.iter();
    let (_, seen) = headers.find(|(name, _)| *name == protocol::sign::SEEN)?;
    Some(Seen::read(seen).ok()?.log?.position)
}

fn refused(error: &SignatureError, app: &App) -> Failure {
    let mut problem = Problem::new(error.problem(), error.to_string(), "");
    problem.server_time = Some(app.now());
    Failure(Box::new(problem))
}

/// Signs an answer, with the head of the log for those who may know it, by the keys that the caller
/// knows: it may not have read yet that this node has changed them.
async fn sign(
    app: &App,
    response: Response,
    answered: &Answered<'_>,
    with_head: bool,
    position: Option<u64>,
) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(body) = body.collect().await else {
        return Failure::internal("an answer could not be read").into_response();
    };
    let body = body.to_bytes();
    let mut headers: Vec<(&str, &str)> = Vec::new();
    for (name, value) in &parts.headers {
        headers.push((name.as_str(), value.to_str().unwrap_or_default()));
    }
    let chunk = headers.contains(&("content-type", OCTETS));
    let view = ResponseView {
        status: parts.status.as_u16(),
        headers: &headers,
        body: (!chunk && !body.is_empty()).then_some(body.as_ref()),
    };
    let head = if with_head {
        shown_head(app, position).await
    } else {
        None
    };
    let nonce = Nonce::random(&mut crate::ambient::rng());
    let key = app.keys().known_at(position).signing_key(KeyUse::Request);
    let added = match sign_response(
        &RequestSigner::new(app.me, key),
        &view,
        answered,
        head.as_ref(),
        app.now(),
        nonce,
    ) {
        Ok(added) => added,
        // Nothing to bind the answer to: the call's own signature is no signature.
        Err(_) if parts.status.is_client_error() => {
            return Response::from_parts(parts, Body::from(body));
        }
        Err(error) => return Failure::internal(error).into_response(),
    };
    for (name, value) in added {
        if let Ok(value) = value.parse() {
            parts.headers.insert(name, value);
        }
    }
    Response::from_parts(parts, Body::from(body))
}

/// Where the log stands, signed with the key for heads.
async fn shown_head(app: &App, known: Option<u64>) -> Option<ShownHead> {
    let lineage = app.coalition.read().await.as_ref()?.row.lineage;
    let mut db = app.store.read("reading the head").await.ok()?;
    let head = crate::store::keeper::head(&mut db, lineage).await.ok()?;
    let signature = app
        .keys()
        .known_at(known)
        .signing_key(KeyUse::Head)
        .sign(&head.signed_bytes());
    let log = LogPoint {
        lineage: head.lineage,
        position: head.position,
        chain: head.chain,
    };
    Some(ShownHead {
        log,
        log_time: head.log_time,
        signature,
    })
}

/// A canonical answer.
pub(crate) fn cbor(value: &impl protocol::codec::Canonical) -> Response {
    (
        [(http::header::CONTENT_TYPE, APPLICATION_CBOR)],
        protocol::codec::encode(value),
    )
        .into_response()
}

/// Reads a canonical body.
pub(crate) fn read_cbor<T: protocol::codec::Canonical>(body: &Bytes) -> Result<T, Failure> {
    protocol::codec::decode(body).map_err(|error| {
        let kind = match error {
            protocol::codec::CodecError::TooLong { .. } => ProblemKind::TooLarge,
            _ => ProblemKind::Unsupported,
        };
        Failure::new(kind, error.to_string())
    })
}

/// What anybody may know: which versions this node speaks.
pub async fn well_known(State(app): State<App>) -> axum::Json<serde_json::Value> {
    let spoken: Vec<u32> = Versions::of(&app.identity()).each().collect();
    let path = "/v{version}/c/{coalition}";
    axum::Json(serde_json::json!({ "commonturf": { "versions": spoken, "path": path } }))
}

/// Nothing is here; who speaks another version of the protocol is told which ones this node speaks.
pub async fn no_such_route(State(app): State<App>, uri: http::Uri) -> Failure {
    let first = uri.path().split('/').nth(1).unwrap_or_default();
    let version: Option<u32> = first.strip_prefix('v').and_then(|rest| rest.parse().ok());
    match (version, Versions::of(&app.identity())) {
        (Some(version), spoken) if !spoken.has(version) => Failure::new(
            ProblemKind::Unsupported,
            format!("this node speaks {spoken} of the protocol, not version {version}"),
        ),
        _ => problem::no_such_route().await,
    }
}
