//! The conformance kit: our own node keeps every clause, and a server that does not is found out.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{Request, State},
    response::Response,
};
use http_body_util::BodyExt;
use std::sync::{Arc, Mutex};
use testnet::{
    conform::{self, Report},
    nodes::{Node, Organization, Program},
};
use tokio::net::TcpListener;

const KEEPER: Organization<'static> = Organization {
    name: "Tenants United",
    kind: "c4",
    keeper: true,
};

/// What stands before the node and does something wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    NoSignature,
    YesToEverything,
    PlainRefusals,
    OtherVersions,
    NoHead,
}

type Answer = http::Response<Bytes>;

impl Wrong {
    fn alter(self, path: &str, mut answer: Answer) -> Answer {
        let refused = answer.status().as_u16() >= 400;
        match self {
            Self::NoSignature => {
                answer.headers_mut().remove("signature");
            }
            Self::YesToEverything if refused => {
                *answer.status_mut() = http::StatusCode::OK;
            }
            Self::PlainRefusals if refused => {
                answer = Answer::new(Bytes::from_static(b"no"));
                *answer.status_mut() = http::StatusCode::BAD_REQUEST;
            }
            Self::OtherVersions if path == "/.well-known/commonturf" => {
                *answer.body_mut() = Bytes::from_static(br#"{"commonturf":{"versions":[7]}}"#);
            }
            Self::NoHead => {
                let none = "none".parse().unwrap();
                answer.headers_mut().insert("commonturf-head", none);
            }
            _ => {}
        }
        answer
    }
}

#[derive(Clone)]
struct Front {
    node: String,
    client: reqwest::Client,
    wrong: Arc<Mutex<Wrong>>,
}

/// Hands a call on to the node, and its answer back, altered.
async fn hand_on(State(front): State<Front>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().unwrap().to_string();
    let mut headers = parts.headers;
    headers.remove("host");
    headers.remove("content-length");
    let body = body.collect().await.unwrap().to_bytes();
    let url = format!("{}{target}", front.node);
    let asked = front.client.request(parts.method, url).headers(headers);
    let answer = asked.body(body).send().await.unwrap();
    let mut whole = Answer::new(Bytes::new());
    *whole.status_mut() = answer.status();
    *whole.headers_mut() = answer.headers().clone();
    *whole.body_mut() = answer.bytes().await.unwrap();
    let wrong = *front.wrong.lock().unwrap();
    let mut whole = wrong.alter(parts.uri.path(), whole);
    whole.headers_mut().remove("content-length");
    whole.headers_mut().remove("transfer-encoding");
    whole.map(Body::from)
}

/// What each wrong is found by; nothing where there is none.
const FOUND: [(Wrong, &[&str]); 6] = [
    (Wrong::Nothing, &[]),
    (Wrong::NoSignature, &["every answer to a readable"]),
    (
        Wrong::YesToEverything,
        &[
            "a call without a signature",
            "the covered components are exactly",
            "`alg` least of all",
            "the digest is that of the content",
            "a call for another node",
            "told the time",
            "a nonce is good once",
            "nobody signs in a member's name",
            "longer than any call needs",
            "a packed body",
            "content is CBOR",
            "`keeper-behind`",
            "`fork-suspected`",
            "are refused as a whole",
            "differs from the manifest",
            "does not speak is `unsupported`",
        ],
    ),
    (Wrong::PlainRefusals, &["every refusal is a problem"]),
    (Wrong::OtherVersions, &["the signed document says the same"]),
    (Wrong::NoHead, &["every answer to a readable"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn our_node_keeps_every_clause_and_a_server_that_does_not_is_found_out() {
    let program = Program::build().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let node = Node::launch(&program, &folder.path().join("keeper"), KEEPER)
        .await
        .unwrap();
    let create = [
        "coalition",
        "create",
        "Lakes Table",
        "--agreement",
        "template:us-claims-only",
    ];
    node.run(&create).await.unwrap();
    let mut report = Report::default();
    let mut peer = conform::come_in(&node.hand(), None, &mut report)
        .await
        .unwrap();
    conform::chapters(&peer, &mut report).await;
    let broken: Vec<_> = report.broken().collect();
    assert!(report.holds(), "{broken:#?}");
    assert!(report.clauses.len() > 50, "{}", report.clauses.len());

    let wrong = Arc::new(Mutex::new(Wrong::Nothing));
    let front = Front {
        node: node.federation().unwrap(),
        client: testnet::ambient::patient_client(std::time::Duration::from_secs(60)).unwrap(),
        wrong: wrong.clone(),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().fallback(hand_on).with_state(front);
    commonturf::lifecycle::Lifecycle::default().spawn(async move {
        let _ = axum::serve(listener, router).await;
    });
    for (how, clauses) in FOUND {
        *wrong.lock().unwrap() = how;
        peer.turn_to(&format!("http://{address}"));
        let mut report = Report::default();
        conform::chapters(&peer, &mut report).await;
        let broken: Vec<&str> = report.broken().map(|clause| clause.says).collect();
        assert_eq!(
            broken.is_empty(),
            clauses.is_empty(),
            "{how:?}: {broken:#?}"
        );
        for clause in clauses {
            let found = broken.iter().any(|says| says.contains(clause));
            assert!(found, "{how:?} breaks \"{clause}\": {broken:#?}");
        }
    }
}

#[test]
fn the_hash_of_the_test_vectors_changes_with_a_byte_or_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("accept_one.json");
    let mut hashes = vec![conform::vectors(folder.path()).unwrap()];
    std::fs::write(&file, "1").unwrap();
    hashes.push(conform::vectors(folder.path()).unwrap());
    std::fs::write(&file, "2").unwrap();
    hashes.push(conform::vectors(folder.path()).unwrap());
    std::fs::rename(&file, folder.path().join("accept_two.json")).unwrap();
    hashes.push(conform::vectors(folder.path()).unwrap());
    assert_eq!(conform::vectors(folder.path()).unwrap(), hashes[3]);
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 4);
}
