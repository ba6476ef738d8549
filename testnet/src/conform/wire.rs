//! Calls as another implementation makes them, right or wrong on purpose.
//!
//! They are signed by code of this folder and not by the node's: a mistake that signing and checking
//! have in common would not show otherwise.

use base64::{Engine, engine::general_purpose::STANDARD};
use protocol::{
    id::NodeId,
    identity::{KeyId, KeyUse, SigningKey},
    sign::content_digest,
};
use std::fmt::Write;

/// The type of everything that is signed.
pub(super) const CBOR: &str = "application/cbor";
/// The type of a chunk, which its hash names.
pub(super) const OCTETS: &str = "application/octet-stream";
/// How long a signature lives, in seconds.
const LIFE: i64 = 300;

/// How a call is signed.
#[derive(Debug, Clone)]
pub(super) struct Signing {
    /// `@authority`.
    pub(super) authority: String,
    /// For whom the call is.
    pub(super) to: NodeId,
    /// `commonturf-seen`.
    pub(super) seen: String,
    /// When, in seconds since 1970.
    pub(super) created: i64,
    /// For how long, in seconds.
    pub(super) life: i64,
    /// Drawn for this call.
    pub(super) nonce: [u8; 16],
    /// The covered components, in their order.
    pub(super) components: Vec<&'static str>,
    /// The tag.
    pub(super) tag: &'static str,
    /// More parameters, where none may be.
    pub(super) more: &'static str,
}

/// A call before it is signed.
#[derive(Debug, Clone)]
pub(super) struct Call {
    /// The method.
    pub(super) method: &'static str,
    /// The path, whole.
    pub(super) path: String,
    /// The query, without the question mark.
    pub(super) query: Option<String>,
    /// The type of the content, if there is one.
    pub(super) content_type: Option<&'static str>,
    /// The content.
    pub(super) body: Vec<u8>,
    /// How it is signed.
    pub(super) signing: Signing,
}

/// What goes over the wire; a test alters it after it was signed.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    /// The method.
    pub(super) method: &'static str,
    /// The path.
    pub(super) path: String,
    /// The query.
    pub(super) query: Option<String>,
    /// All headers.
    pub(super) headers: Vec<(String, String)>,
    /// The content.
    pub(super) body: Vec<u8>,
}

/// A node's key for requests and its full name.
pub(super) struct Key {
    name: String,
    key: SigningKey,
}

impl Key {
    /// The key of a node.
    #[must_use]
    pub(super) fn new(node: NodeId, key: SigningKey) -> Self {
        let kid = KeyId::of(KeyUse::Request, &key.public());
        Self {
            name: format!("{node}.{kid}"),
            key,
        }
    }
}

impl Call {
    /// A call to be signed now with these components; whoever wants it wrong alters it.
    #[must_use]
    pub(super) fn new(method: &'static str, path: String, authority: &str, to: NodeId) -> Self {
        Self {
            method,
            path,
            query: None,
            content_type: None,
            body: Vec::new(),
            signing: Signing {
                authority: authority.to_owned(),
                to,
                seen: "doc=1".to_owned(),
                created: now(),
                life: LIFE,
                nonce: random(),
                components: WITHOUT_CONTENT.to_vec(),
                tag: "commonturf-req-1",
                more: "",
            },
        }
    }

    /// The same with a query.
    #[must_use]
    pub(super) fn query(mut self, query: impl Into<String>) -> Self {
        self.query = Some(query.into());
        self
    }

    /// The same with signed content.
    #[must_use]
    pub(super) fn cbor(mut self, body: Vec<u8>) -> Self {
        self.content_type = Some(CBOR);
        self.body = body;
        self.signing.components = WITH_CONTENT.to_vec();
        self
    }

    /// The same with a chunk, which is not signed.
    #[must_use]
    pub(super) fn chunk(mut self, body: Vec<u8>) -> Self {
        self.content_type = Some(OCTETS);
        self.body = body;
        self
    }

    fn value(&self, component: &str) -> String {
        let signing = &self.signing;
        match component {
            "@method" => self.method.to_owned(),
            "@authority" => signing.authority.clone(),
            "@path" => self.path.clone(),
            "@query" => format!("?{}", self.query.as_deref().unwrap_or_default()),
            "content-digest" => content_digest(&self.body),
            "content-type" => self.content_type.unwrap_or_default().to_owned(),
            "commonturf-to" => format!("\"{}\"", signing.to),
            "commonturf-seen" => signing.seen.clone(),
            _ => String::new(),
        }
    }

    /// Signs it (RFC 9421, section 2.5).
    #[must_use]
    pub(super) fn signed(&self, key: &Key) -> Sent {
        let signing = &self.signing;
        let names: Vec<String> = signing
            .components
            .iter()
            .map(|name| format!("\"{name}\""))
            .collect();
        let (list, created) = (names.join(" "), signing.created);
        let parameters = format!(
            "({list});created={created};expires={};nonce=\"{}\";keyid=\"{}\";tag=\"{}\"{}",
            created + signing.life,
            STANDARD.encode(signing.nonce),
            key.name,
            signing.tag,
            signing.more
        );
        let mut base = String::new();
        for name in &signing.components {
            let _ = writeln!(base, "\"{name}\": {}", self.value(name));
        }
        let _ = write!(base, "\"@signature-params\": {parameters}");
        let signature = STANDARD.encode(key.key.sign(base.as_bytes()).0);
        let mut headers = vec![
            ("signature-input".to_owned(), format!("ct={parameters}")),
            ("signature".to_owned(), format!("ct=:{signature}:")),
        ];
        let carried = ["commonturf-to", "commonturf-seen"];
        let content = ["content-digest", "content-type"];
        let with = signing.components.contains(&"content-digest");
        for name in carried.iter().chain(content.iter().filter(|_| with)) {
            headers.push(((*name).to_owned(), self.value(name)));
        }
        if let (false, Some(kind)) = (with, self.content_type) {
            headers.push(("content-type".to_owned(), kind.to_owned()));
        }
        Sent {
            method: self.method,
            path: self.path.clone(),
            query: self.query.clone(),
            headers,
            body: self.body.clone(),
        }
    }
}

/// What a call without content covers.
pub(super) const WITHOUT_CONTENT: [&str; 6] = [
    "@method",
    "@authority",
    "@path",
    "@query",
    "commonturf-to",
    "commonturf-seen",
];
/// What a call with content covers.
pub(super) const WITH_CONTENT: [&str; 8] = [
    "@method",
    "@authority",
    "@path",
    "@query",
    "content-digest",
    "content-type",
    "commonturf-to",
    "commonturf-seen",
];

impl Sent {
    /// A header's value.
    pub(super) fn header(&mut self, name: &str) -> Option<&mut String> {
        let mut headers = self.headers.iter_mut();
        headers.find(|(known, _)| known == name).map(|(_, v)| v)
    }

    /// The same without a header.
    #[must_use]
    pub(super) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self
    }

    /// The same with one more header.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

/// The present by this machine's clock, in seconds since 1970.
#[must_use]
pub(super) fn now() -> i64 {
    use protocol::time::Clock;
    commonturf::ambient::SystemClock.now().0.div_euclid(1_000)
}

/// Sixteen fresh bytes.
#[must_use]
pub(super) fn random() -> [u8; 16] {
    use rand_core::RngCore;
    let mut bytes = [0; 16];
    commonturf::ambient::rng().fill_bytes(&mut bytes);
    bytes
}
