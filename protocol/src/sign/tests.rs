//! Request signatures: what passes, and that nothing of a message can be changed.

mod altered;
mod response;
mod rfc;
mod rules;

use super::*;
use crate::{
    id::{Hash, Lineage},
    identity::PublicKey,
    time::Moment,
};

pub(super) const NOW: Moment = Moment(1_700_000_000_500);
pub(super) const AUTHORITIES: [&str; 2] = ["keeper.example", "keeper.example:8443"];

pub(super) fn signer(seed: u8) -> RequestSigner {
    let root = SigningKey::from_seed(&[seed; 32]).public();
    RequestSigner::new(
        NodeId::of_root_key(&root.0),
        SigningKey::from_seed(&[seed + 100; 32]),
    )
}

pub(super) fn keeper() -> NodeId {
    signer(9).name().node
}

/// A roster that knows nodes 1 and 9.
pub(super) fn roster(node: NodeId, kid: &KeyId) -> Option<PublicKey> {
    [signer(1), signer(9)]
        .into_iter()
        .find(|one| one.name == KeyName { node, kid: *kid })
        .map(|one| one.key.public())
}

pub(super) fn seen() -> Seen {
    let log = LogPoint {
        lineage: Lineage([1; 16]),
        position: 41,
        chain: Hash([2; 32]),
    };
    Seen {
        log: Some(log),
        document: 3,
    }
}

/// A message with its headers, owned, so that tests can change any part of it.
#[derive(Clone)]
pub(super) struct Message {
    pub(super) method: String,
    pub(super) authority: String,
    pub(super) path: String,
    pub(super) query: Option<String>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Option<Vec<u8>>,
}

impl Message {
    pub(super) fn append() -> Self {
        Self {
            method: "POST".into(),
            authority: AUTHORITIES[0].into(),
            path: "/v1/c/abc/log".into(),
            query: Some("relay=1".into()),
            headers: vec![("Content-Type".into(), "application/cbor".into())],
            body: Some(b"entries".to_vec()),
        }
    }

    pub(super) fn read() -> Self {
        let query = Some("after=41&wait=25".into());
        Self {
            method: "GET".into(),
            query,
            headers: vec![],
            body: None,
            ..Self::append()
        }
    }

    pub(super) fn with_view<T>(&self, use_it: impl FnOnce(&RequestView<'_>) -> T) -> T {
        let headers: Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        use_it(&RequestView {
            method: &self.method,
            authority: &self.authority,
            path: &self.path,
            query: self.query.as_deref(),
            headers: &headers,
            body: self.body.as_deref(),
        })
    }

    pub(super) fn signed(mut self) -> Self {
        let added = self.with_view(|view| {
            sign_request(&signer(1), view, keeper(), &seen(), NOW, Nonce([7; 16]))
        });
        self.headers.extend(
            added
                .unwrap()
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value)),
        );
        self
    }

    pub(super) fn verify(&self) -> Result<VerifiedRequest, SignatureError> {
        self.verify_at(NOW)
    }

    pub(super) fn verify_at(&self, now: Moment) -> Result<VerifiedRequest, SignatureError> {
        self.with_view(|view| verify_request(view, keeper(), &AUTHORITIES, roster, now))
    }

    pub(super) fn header(&mut self, name: &str) -> &mut String {
        let found = self
            .headers
            .iter_mut()
            .find(|(found, _)| found.eq_ignore_ascii_case(name));
        &mut found.unwrap_or_else(|| panic!("no header {name}")).1
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.headers
            .retain(|(found, _)| !found.eq_ignore_ascii_case(name));
        self
    }

    /// Changes the parameters, then signs again with the right key: only a rule can refuse this.
    pub(super) fn resigned(mut self, change: impl Fn(&str) -> String) -> Self {
        let input = change(self.header(SIGNATURE_INPUT));
        let (list, parameters) = input.split_once(')').unwrap();
        let mut lines = String::new();
        for identifier in list
            .trim_start_matches("ct=(")
            .split(' ')
            .filter(|one| !one.is_empty())
        {
            let name = identifier.trim_matches('"');
            let value = match name {
                "@method" => self.method.clone(),
                "@authority" => self.authority.clone(),
                "@path" => self.path.clone(),
                "@query" => format!("?{}", self.query.clone().unwrap_or_default()),
                header => self.header(header).clone(),
            };
            lines += &format!("{identifier}: {value}\n");
        }
        let list = list.trim_start_matches("ct=");
        let base = format!("{lines}\"@signature-params\": {list}){parameters}");
        let signature = signer(1).key.sign(base.as_bytes());
        *self.header(SIGNATURE) = format!("ct={}", content::print_bytes(&signature.0));
        *self.header(SIGNATURE_INPUT) = input;
        self
    }
}

#[test]
fn a_signed_request_tells_who_called_and_what_it_has_read() {
    for message in [Message::append(), Message::read()] {
        let verified = message.signed().verify().unwrap();
        assert_eq!(
            (verified.caller, verified.kid),
            (signer(1).name().node, signer(1).name().kid)
        );
        assert_eq!((verified.nonce, verified.seen), (Nonce([7; 16]), seen()));
        assert_eq!(verified.created, Moment(1_700_000_000_000));
        assert_eq!(verified.expires, Moment(1_700_000_300_000));
    }
}

#[test]
fn signing_the_same_parts_by_hand_gives_the_same_signature() {
    let mut message = Message::append().signed();
    let mut again = message.clone().resigned(ToOwned::to_owned);
    assert_eq!(again.header(SIGNATURE), message.header(SIGNATURE));
}

#[test]
fn a_proxy_may_rewrite_the_host_but_not_what_was_signed() {
    let mut message = Message::append();
    message.authority = AUTHORITIES[1].into();
    let mut message = message.signed();
    message.authority = "10.0.0.7:3000".into();
    assert!(message.verify().is_ok());
}

#[test]
fn a_missing_query_and_an_empty_one_are_the_same() {
    let mut message = Message::read();
    message.query = None;
    let mut message = message.signed();
    message.query = Some(String::new());
    assert!(message.verify().is_ok());
}
