//! Signing and verifying responses, each bound to the request that it answers.
//!
//! A response covers the signature of its request, and with it the nonce. So it needs no clock to
//! be fresh: a node whose clock is wrong can still verify the answer that tells it the time.

use super::{
    AddedHeaders, CONTENT_DIGEST, CONTENT_TYPE, Component, HEAD, Headers, KeyName, Nonce,
    RequestSigner, RequestView, SIGNATURE, SIGNATURE_INPUT, ShownHead, SignatureError,
    base::component_list,
    content,
    content::print_bytes,
    content_digest,
    fields::{print_head, read_head},
    header,
    parameters::{LABEL, Parameters},
    request::{read_signature, target},
    signature_base,
};
use crate::{
    id::NodeId,
    identity::{KeyId, PublicKey},
    time::Moment,
};

/// The tag of a response signature.
const TAG: &str = "commonturf-res-1";

/// What a signature needs to know of a response.
#[derive(Clone, Copy)]
pub struct ResponseView<'a> {
    /// The status code.
    pub status: u16,
    /// All headers of the response, repeated ones repeated.
    pub headers: Headers<'a>,
    /// The content. None when there is none, and for a chunk of a blob, which its own hash names.
    pub body: Option<&'a [u8]>,
}

/// The request that a response answers.
#[derive(Clone, Copy)]
pub struct Answered<'a> {
    /// Its method.
    pub method: &'a str,
    /// Its path, as sent.
    pub path: &'a str,
    /// Its query, as sent.
    pub query: Option<&'a str>,
    /// Its `Signature` header.
    pub signature: &'a str,
}

impl<'a> Answered<'a> {
    /// A request that was received, with its signature among its headers.
    ///
    /// # Errors
    /// [`SignatureError::Missing`] or [`SignatureError::Repeated`]: it can only be answered unsigned.
    pub fn received(view: &RequestView<'a>) -> Result<Self, SignatureError> {
        let signature = header(view.headers, SIGNATURE)?;
        Ok(Self {
            method: view.method,
            path: view.path,
            query: view.query,
            signature,
        })
    }

    /// A request that was sent, with the headers that [`super::sign_request`] added.
    ///
    /// # Errors
    /// [`SignatureError::Missing`] when these are other headers.
    pub fn sent(view: &RequestView<'a>, added: &'a AddedHeaders) -> Result<Self, SignatureError> {
        let found = added.iter().find(|(name, _)| *name == SIGNATURE);
        let (_, signature) = found.ok_or(SignatureError::Missing { name: SIGNATURE })?;
        Ok(Self {
            method: view.method,
            path: view.path,
            query: view.query,
            signature,
        })
    }
}

/// A response whose signature holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifiedResponse {
    /// Under which of its keys the keeper answers.
    pub kid: KeyId,
    /// When it was signed by the keeper's clock, in whole seconds: the difference to one's own clock
    /// is the offset to use with this keeper.
    pub created: Moment,
    /// The end of the keeper's log; its own signature is still to be checked.
    pub head: Option<ShownHead>,
}

/// Signs a response, and returns the headers to add: `commonturf-head`, `signature-input`,
/// `signature`, and `content-digest` when there is content.
///
/// # Errors
/// [`SignatureError`] when the response cannot be signed, such as content without a type.
pub fn sign_response(
    signer: &RequestSigner,
    view: &ResponseView<'_>,
    answered: &Answered<'_>,
    head: Option<&ShownHead>,
    created: Moment,
    nonce: Nonce,
) -> Result<AddedHeaders, SignatureError> {
    let head = print_head(head);
    let digest = content(view.body).map(content_digest);
    let content_type = content(view.body)
        .map(|_| header(view.headers, CONTENT_TYPE))
        .transpose()?;
    let covered = components(
        view.status,
        answered,
        digest.as_deref().zip(content_type),
        &head,
    )?;
    let parameters = Parameters::new(created, nonce, signer.name()).print(TAG);
    let signature = signer
        .key
        .sign(signature_base(&covered, &parameters).as_bytes());
    let list = component_list(&covered);
    let mut added = vec![
        (SIGNATURE_INPUT, format!("{LABEL}={list}{parameters}")),
        (SIGNATURE, format!("{LABEL}={}", print_bytes(&signature.0))),
        (HEAD, head),
    ];
    added.extend(digest.map(|digest| (CONTENT_DIGEST, digest)));
    Ok(added)
}

/// Verifies the answer of a keeper to a request that this node sent.
///
/// # Errors
/// [`SignatureError`]; also when another node signed, whoever it is.
pub fn verify_response(
    view: &ResponseView<'_>,
    answered: &Answered<'_>,
    keeper: NodeId,
    lookup: impl Fn(NodeId, &KeyId) -> Option<PublicKey>,
) -> Result<VerifiedResponse, SignatureError> {
    let input = header(view.headers, SIGNATURE_INPUT)?;
    let signature = read_signature(header(view.headers, SIGNATURE)?)?;
    let head_text = header(view.headers, HEAD)?;
    let signed_content = match content(view.body) {
        Some(_) => Some((
            header(view.headers, CONTENT_DIGEST)?,
            header(view.headers, CONTENT_TYPE)?,
        )),
        None => None,
    };
    let covered = components(view.status, answered, signed_content, head_text)?;
    let parameters = Parameters::read(input, &covered, TAG)?;
    parameters.check_lifetime()?;
    let head = read_head(head_text)?;
    let KeyName { node, kid } = parameters.key;
    if node != keeper {
        return Err(SignatureError::OtherKeeper);
    }
    let key = lookup(node, &kid).ok_or(SignatureError::UnknownKey)?;
    if let (Some(body), Some((digest, _))) = (content(view.body), signed_content)
        && content_digest(body) != digest
    {
        return Err(SignatureError::Digest);
    }
    let base = signature_base(&covered, &parameters.print(TAG));
    if !key.verifies(base.as_bytes(), &signature) {
        return Err(SignatureError::Signature);
    }
    Ok(VerifiedResponse {
        kid,
        created: parameters.created(),
        head,
    })
}

/// The covered components of a response in their order; digest and type when it has content.
fn components<'a>(
    status: u16,
    answered: &Answered<'a>,
    content: Option<(&'a str, &'a str)>,
    head: &'a str,
) -> Result<Vec<Component<'a>>, SignatureError> {
    let (path, query) = target(answered.path, answered.query)?;
    let request_signature = print_bytes(&read_signature(answered.signature)?.0);
    let mut covered = vec![Component::new("\"@status\"", status.to_string())?];
    if let Some((digest, kind)) = content {
        covered.push(Component::new("\"content-digest\"", digest)?);
        covered.push(Component::new("\"content-type\"", kind)?);
    }
    covered.push(Component::new("\"commonturf-head\"", head)?);
    covered.push(Component::new("\"@method\";req", answered.method)?);
    covered.push(Component::new("\"@path\";req", path)?);
    covered.push(Component::new("\"@query\";req", query)?);
    covered.push(Component::new(
        "\"signature\";req;key=\"ct\"",
        request_signature,
    )?);
    Ok(covered)
}
