//! What a keeper refuses, and what a member refuses of a keeper.

mod answers;
mod appends;
mod callers;
mod doors;
mod evaluation;
mod joins;
mod limits;
mod two_histories;
mod versions;

use super::site::{KEEPER_URL, Site, answer};
use axum::body::Body;
use bytes::Bytes;
use commonturf::{app::App, federation::LOCAL_AUTHORITY};
use protocol::{
    id::NodeId,
    problem::Problem,
    sign::{LogPoint, Nonce, RequestSigner, RequestView, Seen, sign_request},
    time::Moment,
};

/// A call before it is signed.
#[derive(Clone)]
struct Call {
    method: &'static str,
    path: String,
    query: Option<&'static str>,
    content_type: Option<&'static str>,
    body: Vec<u8>,
    seen: Option<LogPoint>,
}

/// A signed call, which a test may alter before it is sent.
#[derive(Clone)]
struct Signed {
    call: Call,
    headers: Vec<(String, String)>,
}

impl Call {
    fn get(path: &str, query: Option<&'static str>) -> Self {
        Self {
            method: "GET",
            path: path.to_owned(),
            query,
            content_type: None,
            body: Vec::new(),
            seen: None,
        }
    }

    fn post(path: &str, body: Vec<u8>) -> Self {
        Self {
            method: "POST",
            content_type: Some("application/cbor"),
            body,
            ..Self::get(path, None)
        }
    }

    fn signed(self, signer: &RequestSigner, to: NodeId, created: Moment) -> Signed {
        let authority = KEEPER_URL.trim_start_matches("https://");
        self.signed_for(authority, signer, to, created)
    }

    fn signed_for(
        self,
        authority: &str,
        signer: &RequestSigner,
        to: NodeId,
        created: Moment,
    ) -> Signed {
        let mut headers: Vec<(String, String)> = Vec::new();
        if let Some(value) = self.content_type {
            headers.push(("content-type".to_owned(), value.to_owned()));
        }
        let borrowed: Vec<(&str, &str)> = headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let content = self.content_type == Some("application/cbor");
        let view = RequestView {
            method: self.method,
            authority,
            path: &self.path,
            query: self.query,
            headers: &borrowed,
            body: content.then_some(self.body.as_slice()),
        };
        let seen = Seen {
            log: self.seen,
            document: 1,
        };
        let nonce = Nonce::random(&mut commonturf::ambient::rng());
        let added = sign_request(signer, &view, to, &seen, created, nonce).unwrap();
        headers.extend(
            added
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        Signed {
            call: self,
            headers,
        }
    }
}

/// What a keeper answers to somebody who reads the log with this key.
pub(crate) async fn reads_log(
    keeper: &App,
    signer: &RequestSigner,
    now: Moment,
) -> http::Response<Bytes> {
    let id = coalition_id(keeper).await;
    let call = Call::get(&path(keeper, id, "log"), Some("after=0&wait=0"));
    call.signed_for(LOCAL_AUTHORITY, signer, keeper.me, now)
        .send(keeper)
        .await
}

impl Signed {
    async fn send(&self, keeper: &App) -> http::Response<Bytes> {
        let Call {
            method,
            path,
            query,
            body,
            ..
        } = &self.call;
        let target = query.map_or_else(|| path.clone(), |query| format!("{path}?{query}"));
        let mut request = http::Request::builder().method(*method).uri(target);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(body.clone())).unwrap();
        answer(keeper.federation.get().unwrap(), request).await
    }

    fn header(&mut self, name: &str) -> &mut String {
        &mut self
            .headers
            .iter_mut()
            .find(|(known, _)| known == name)
            .unwrap()
            .1
    }
}

fn path(keeper: &App, id: impl std::fmt::Display, rest: &str) -> String {
    let _ = keeper;
    format!("/v1/c/{id}/{rest}")
}

async fn coalition_id(app: &App) -> protocol::id::CoalitionId {
    app.coalition.read().await.as_ref().unwrap().row.id
}

/// The path of a call to the coalition that a keeper keeps.
async fn at(keeper: &Site, rest: &str) -> String {
    path(&keeper.app, coalition_id(&keeper.app).await, rest)
}

/// The code of a refusal.
fn code(response: &http::Response<Bytes>) -> String {
    assert!(!response.status().is_success(), "it was accepted");
    serde_json::from_slice::<Problem>(response.body())
        .unwrap()
        .code
}
