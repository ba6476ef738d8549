//! What a listener does with clients that are slow, many, or long-winded.

use crate::site::{Wire, founded};
use commonturf::{
    http::{
        self,
        serve::{self, Manners},
    },
    lifecycle::Lifecycle,
};
use protocol::limits::HEADER_BYTES;
use std::{net::SocketAddr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};

async fn serving(router: axum::Router, manners: Manners) -> (SocketAddr, Lifecycle) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let life = Lifecycle::default();
    life.spawn(serve::run(listener, router, None, manners, life.clone()));
    (address, life)
}

fn small() -> axum::Router {
    axum::Router::new().route("/healthz", axum::routing::get(|| async { "ok" }))
}

/// How long a listener may take to close.
const SOON: Duration = Duration::from_secs(30);

/// Sends something and reads until the other side closes.
async fn tell(address: SocketAddr, words: &[u8]) -> String {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let _ = socket.write_all(words).await;
    let mut answer = Vec::new();
    let read = socket.read_to_end(&mut answer);
    let _ = timeout(SOON, read).await.expect("it is closed");
    String::from_utf8_lossy(&answer).into_owned()
}

/// Manners of somebody in a hurry.
const QUICK: Manners = Manners {
    headers: Duration::from_millis(300),
    life: Some(Duration::from_secs(1)),
    ..Manners::FEDERATION
};

#[tokio::test]
async fn headers_that_do_not_come_end_the_connection() {
    {
        let (address, _life) = serving(small(), QUICK).await;
        for begun in [
            "",
            "P",
            "PRI * HTTP/2.0",
            "GET /healthz HTTP/1.1\r\nhost: x\r\n",
        ] {
            let answer = tell(address, begun.as_bytes()).await;
            assert!(!answer.contains("200"), "{begun}: {answer}");
        }
    }
}

#[tokio::test]
async fn headers_that_are_too_long_are_refused() {
    {
        let (address, _life) = serving(small(), Manners::FEDERATION).await;
        let request = |bytes: usize| {
            let long = "x".repeat(bytes);
            format!("GET /healthz HTTP/1.1\r\nhost: x\r\nlong: {long}\r\nconnection: close\r\n\r\n")
        };
        let answer = tell(address, request(HEADER_BYTES - 200).as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let answer = tell(address, request(HEADER_BYTES + 1).as_bytes()).await;
        assert!(
            answer.starts_with("HTTP/1.1 431") || answer.is_empty(),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn one_connection_too_many_is_closed_at_once_and_the_others_go_on() {
    {
        let manners = Manners {
            connections: 2,
            ..Manners::FEDERATION
        };
        let (address, _life) = serving(small(), manners).await;
        let mut kept = TcpStream::connect(address).await.unwrap();
        let _second = TcpStream::connect(address).await.unwrap();
        assert_eq!(
            tell(address, b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await,
            ""
        );
        let ask = b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        kept.write_all(ask).await.unwrap();
        let mut answer = String::new();
        kept.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[tokio::test]
async fn a_connection_that_is_kept_in_use_ends_some_day() {
    let (address, _life) = serving(small(), QUICK).await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    let mut buffer = [0; 4096];
    let mut answers = 0;
    let using = async {
        loop {
            let ask = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
            let asked = socket.write_all(ask).await;
            if asked.is_err() || matches!(socket.read(&mut buffer).await, Ok(0) | Err(_)) {
                break;
            }
            answers += 1;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(SOON, using).await.expect("it is closed");
    assert!(answers > 3, "it was in use");
}

#[tokio::test]
async fn a_body_that_stops_is_refused_at_both_listeners() {
    let keeper = founded(&Wire::default()).await;
    let federation = serving(http::federation(keeper.app.clone()), Manners::FEDERATION).await;
    let desk = serving(http::desk(keeper.app.clone()), Manners::DESK).await;
    let token = commonturf::config::NodeDir::read_secret(&keeper.app.dir.token()).unwrap();
    let path = format!(
        "/v1/c/{}/log",
        keeper.app.coalition.read().await.as_ref().unwrap().row.id
    );
    let asks = [
        (federation.0, format!("POST {path}"), "408", "too-slow"),
        (
            desk.0,
            "POST /api/v1/coalition/invites".to_owned(),
            "408",
            "too-slow",
        ),
    ];
    for (address, line, status, code) in asks {
        let request = format!(
            "{line} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: \
             application/json\r\ncontent-length: 100\r\nconnection: close\r\n\r\n{{\"label\":"
        );
        let answer = tell(address, request.as_bytes()).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        assert!(answer.contains(code), "{answer}");
    }
}
