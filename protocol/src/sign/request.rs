//! Signing and verifying requests.

use super::{
    AddedHeaders, CONTENT_DIGEST, CONTENT_TYPE, Component, Headers, KeyName, Nonce, RequestSigner,
    SEEN, SIGNATURE, SIGNATURE_INPUT, Seen, SignatureError, TO, content,
    content::{print_bytes, read_bytes},
    content_digest,
    fields::print_to,
    header,
    parameters::{LABEL, Parameters},
    signature_base,
};
use crate::{
    id::NodeId,
    identity::{KeyId, PublicKey, Signature},
    limits::SIGNED_TARGET_BYTES,
    time::Moment,
};

/// The tag of a request signature.
const TAG: &str = "commonturf-req-1";
/// Methods that carry no content.
const WITHOUT_CONTENT: [&str; 3] = ["GET", "HEAD", "DELETE"];

/// What a signature needs to know of a request.
#[derive(Clone, Copy)]
pub struct RequestView<'a> {
    /// Such as `POST`.
    pub method: &'a str,
    /// Host, and port unless it is the default. Used when signing; a verifier tries the authorities
    /// of its own document instead, because a proxy may rewrite what arrives.
    pub authority: &'a str,
    /// As sent, percent-encoded, beginning with a slash.
    pub path: &'a str,
    /// As sent, without the question mark; none and empty sign alike.
    pub query: Option<&'a str>,
    /// All headers of the request, repeated ones repeated.
    pub headers: Headers<'a>,
    /// The content. None when there is none, and for a chunk of a blob, which its own hash names.
    pub body: Option<&'a [u8]>,
}

/// A request whose signature holds. Whether its nonce is new, and whether the caller may do what it
/// asks, is still to be decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedRequest {
    /// Who calls.
    pub caller: NodeId,
    /// Under which of its keys.
    pub kid: KeyId,
    /// Drawn for this request.
    pub nonce: Nonce,
    /// When it was signed, by the caller's clock, in whole seconds.
    pub created: Moment,
    /// Until when it counts.
    pub expires: Moment,
    /// How far the caller has read.
    pub seen: Seen,
}

/// Signs a request to a keeper, and returns the headers to add: `commonturf-to`,
/// `commonturf-seen`, `signature-input`, `signature`, and `content-digest` when there is content.
///
/// # Errors
/// [`SignatureError`] when the request cannot be signed: content without a type or where none may
/// be, a value that is too long or not ASCII.
pub fn sign_request(
    signer: &RequestSigner,
    view: &RequestView<'_>,
    to: NodeId,
    seen: &Seen,
    created: Moment,
    nonce: Nonce,
) -> Result<AddedHeaders, SignatureError> {
    check_content(view)?;
    let (to, seen) = (print_to(to), seen.to_string());
    let digest = content(view.body).map(content_digest);
    let content_type = content(view.body)
        .map(|_| header(view.headers, CONTENT_TYPE))
        .transpose()?;
    let covered = components(
        view,
        view.authority,
        digest.as_deref().zip(content_type),
        &to,
        &seen,
    )?;
    let parameters = Parameters::new(created, nonce, signer.name()).print(TAG);
    let signature = signer
        .key
        .sign(signature_base(&covered, &parameters).as_bytes());
    let list = super::base::component_list(&covered);
    let mut added = vec![
        (SIGNATURE_INPUT, format!("{LABEL}={list}{parameters}")),
        (SIGNATURE, format!("{LABEL}={}", print_bytes(&signature.0))),
        (TO, to),
        (SEEN, seen),
    ];
    added.extend(digest.map(|digest| (CONTENT_DIGEST, digest)));
    Ok(added)
}

/// Verifies a request that arrived at this node. `lookup` finds a node's key for requests: in the
/// roster, or, for a newcomer that asks to join, in the document that it sends along.
///
/// # Errors
/// [`SignatureError`], the first that shows: size, syntax, recipient, key, time, digest, signature.
pub fn verify_request(
    view: &RequestView<'_>,
    me: NodeId,
    my_authorities: &[&str],
    lookup: impl Fn(NodeId, &KeyId) -> Option<PublicKey>,
    now: Moment,
) -> Result<VerifiedRequest, SignatureError> {
    check_content(view)?;
    let input = header(view.headers, SIGNATURE_INPUT)?;
    let signature = read_signature(header(view.headers, SIGNATURE)?)?;
    let (to, seen_text) = (header(view.headers, TO)?, header(view.headers, SEEN)?);
    let signed_content = match content(view.body) {
        Some(_) => Some((
            header(view.headers, CONTENT_DIGEST)?,
            header(view.headers, CONTENT_TYPE)?,
        )),
        None => None,
    };
    let covered = |authority| components(view, authority, signed_content, to, seen_text);
    let parameters = Parameters::read(input, &covered("")?, TAG)?;
    parameters.check_lifetime()?;
    let seen = Seen::read(seen_text)?;
    if to != print_to(me) {
        return Err(SignatureError::OtherRecipient);
    }
    let KeyName { node, kid } = parameters.key;
    let key = lookup(node, &kid).ok_or(SignatureError::UnknownKey)?;
    parameters.check_time(now)?;
    if let (Some(body), Some((digest, _))) = (content(view.body), signed_content)
        && content_digest(body) != digest
    {
        return Err(SignatureError::Digest);
    }
    let printed = parameters.print(TAG);
    for authority in my_authorities {
        if key.verifies(
            signature_base(&covered(*authority)?, &printed).as_bytes(),
            &signature,
        ) {
            let (created, expires) = (parameters.created(), parameters.expires());
            return Ok(VerifiedRequest {
                caller: node,
                kid,
                nonce: parameters.nonce,
                created,
                expires,
                seen,
            });
        }
    }
    Err(SignatureError::Signature)
}

/// The value of a `Signature` header.
pub(super) fn read_signature(value: &str) -> Result<Signature, SignatureError> {
    let what = SIGNATURE;
    let bytes = value
        .strip_prefix(LABEL)
        .and_then(|rest| rest.strip_prefix('='));
    read_bytes(bytes.ok_or(SignatureError::Syntax { what })?, what).map(Signature)
}

/// Path and query as RFC 9421, sections 2.2.6 and 2.2.7, have them.
pub(super) fn target(path: &str, query: Option<&str>) -> Result<(String, String), SignatureError> {
    if path.len() + query.map_or(0, str::len) > SIGNED_TARGET_BYTES {
        return Err(SignatureError::TooLong {
            what: "the request target",
        });
    }
    let path = if path.is_empty() { "/" } else { path };
    Ok((path.to_owned(), format!("?{}", query.unwrap_or_default())))
}

fn check_content(view: &RequestView<'_>) -> Result<(), SignatureError> {
    match WITHOUT_CONTENT
        .into_iter()
        .find(|method| *method == view.method)
    {
        Some(method) if content(view.body).is_some() => {
            Err(SignatureError::ContentNotAllowed { method })
        }
        _ => Ok(()),
    }
}

/// The covered components of a request in their order; digest and type when it has content.
fn components<'a>(
    view: &RequestView<'a>,
    authority: &'a str,
    content: Option<(&'a str, &'a str)>,
    to: &'a str,
    seen: &'a str,
) -> Result<Vec<Component<'a>>, SignatureError> {
    let (path, query) = target(view.path, view.query)?;
    let mut covered = vec![
        Component::new("\"@method\"", view.method)?,
        Component::new("\"@authority\"", authority)?,
        Component::new("\"@path\"", path)?,
        Component::new("\"@query\"", query)?,
    ];
    if let Some((digest, kind)) = content {
        covered.push(Component::new("\"content-digest\"", digest)?);
        covered.push(Component::new("\"content-type\"", kind)?);
    }
    covered.push(Component::new("\"commonturf-to\"", to)?);
    covered.push(Component::new("\"commonturf-seen\"", seen)?);
    Ok(covered)
}
