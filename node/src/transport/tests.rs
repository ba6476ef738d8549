//! Where a peer's address may not lead: nothing inside is connected to, however it is written.

use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

/// Hosts that lead inside, or nowhere that a peer may be.
const INSIDE: [&str; 62] = [
    "0.0.0.0",
    "0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "10.1",
    "012.0.0.1",
    "0x0a.0.0.1",
    "0xa000001",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.1",
    "127.0.0.1.",
    "127.255.255.254",
    "0177.0.0.1",
    "017700000001",
    "0x7f.0.0.1",
    "0x7f000001",
    "2130706433",
    "\u{ff11}27.0.0.1",
    "127\u{3002}0.0.1",
    "169.254.0.1",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "192.168.1.1.",
    "3232235777",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "[::]",
    "[::1]",
    "[::127.0.0.1]",
    "[::ffff:10.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:a9fe:a9fe]",
    "[::ffff:0:10.0.0.1]",
    "[64:ff9b::10.0.0.1]",
    "[64:ff9b:1::a00:1]",
    "[100::1]",
    "[2001::1]",
    "[2001:10::1]",
    "[2001:db8::1]",
    "[2002:a00:1::]",
    "[2002:7f00:1::1]",
    "[3fff::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[ff02::1]",
];

/// Names that lead to this machine on any machine.
const NAMES: [&str; 3] = ["localhost", "localhost.", "LOCALHOST"];

fn check(base: &str) -> bool {
    checked_url(base, &"/v1/x".parse().unwrap(), false).is_ok()
}

fn get() -> http::Request<Bytes> {
    let request = http::Request::builder().uri("/v1/x");
    request.body(Bytes::new()).unwrap()
}

/// A listener on this machine that counts who connects, and answers all with the same.
async fn counting(answer: String) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let connects = Arc::new(AtomicUsize::new(0));
    let seen = connects.clone();
    crate::lifecycle::Lifecycle::default().spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            seen.fetch_add(1, Ordering::SeqCst);
            let _ = socket.read(&mut [0; 1024]).await;
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    (port, connects)
}

#[test]
fn an_address_inside_is_refused_however_it_is_written() {
    for host in INSIDE {
        assert!(!check(&format!("https://{host}")), "{host}");
        assert!(!check(&format!("https://{host}:8443")), "{host}");
    }
    for base in [
        "http://example.org",
        "http://10.0.0.1",
        "http://169.254.169.254",
        "http://localhost",
        "file:///etc/passwd",
        "https://user@example.org",
        "https://user:word@example.org",
        "https://example.org#fragment",
        "ftp://example.org",
        "//example.org",
        "",
    ] {
        assert!(!check(base), "{base}");
    }
}

#[test]
fn a_public_name_and_this_machine_over_http_are_accepted() {
    assert!(check("https://keeper.example.org"));
    assert!(check("https://93.184.216.34"));
    assert!(check("https://[2606:2800:220:1::1]"));
    assert!(check("http://127.0.0.1:8000"));
}

#[tokio::test]
async fn nothing_inside_is_connected_to() {
    let (port, connects) = counting(String::new()).await;
    let transport = HttpTransport::new(&Peers::default()).unwrap();
    for host in INSIDE.into_iter().chain(NAMES) {
        let base = format!("https://{host}:{port}");
        let outcome = transport.send(&base, get()).await;
        assert!(outcome.is_err(), "{host}");
    }
    assert_eq!(connects.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (inside, connects) = counting(String::new()).await;
    for status in [301, 302, 303, 307, 308] {
        let answer = format!(
            "HTTP/1.1 {status} Elsewhere\r\nlocation: http://127.0.0.1:{inside}/\r\ncontent-length: \
             0\r\nconnection: close\r\n\r\n"
        );
        let (port, _) = counting(answer).await;
        let transport = HttpTransport::new(&Peers::default()).unwrap();
        let base = format!("http://127.0.0.1:{port}");
        let answer = transport.send(&base, get()).await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
    }
    assert_eq!(connects.load(Ordering::SeqCst), 0);
}
