//! A short run of what `cargo testnet chaos` does for as long as one likes, and what its proxy does.

use std::{net::Ipv4Addr, time::Duration};
use testnet::chaos::{
    play,
    proxy::{Proxy, Weather},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// How long people work while everything goes wrong.
const SPAN: Duration = Duration::from_secs(15);

async fn nothing_is_violated(seed: u64, keepers: usize) {
    let findings = play(seed, SPAN, keepers).await.unwrap();
    assert_eq!(
        findings.violation,
        None,
        "cargo testnet chaos --seed {seed} --keepers {keepers}\n{}",
        findings.done.join("\n")
    );
    assert!(
        findings.kills > 0 && findings.pieces > 0 && findings.acknowledged > 0,
        "{findings:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_nodes_die_and_lines_break_while_people_work() {
    nothing_is_violated(1, 1).await;
}

/// What the other end receives within a moment when `sent` is sent to it, and whether that way ended.
async fn through(weather: Weather, sent: usize) -> (usize, bool) {
    let (proxy, listener) = lines().await;
    proxy.turn(weather);
    let mut caller = TcpStream::connect(proxy.address()).await.unwrap();
    caller.write_all(&vec![7; sent]).await.unwrap();
    let Ok(accepted) = tokio::time::timeout(MOMENT, listener.accept()).await else {
        return (0, false);
    };
    received(&mut accepted.unwrap().0).await
}

const MOMENT: Duration = Duration::from_millis(400);

async fn lines() -> (Proxy, TcpListener) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let proxy = Proxy::open().await.unwrap();
    proxy.leads_to(listener.local_addr().unwrap());
    (proxy, listener)
}

async fn received(callee: &mut TcpStream) -> (usize, bool) {
    let (mut bytes, mut ended) = (0, false);
    let reading = async {
        let mut piece = [0; 1024];
        while !ended {
            match callee.read(&mut piece).await {
                Ok(read @ 1..) => bytes += read,
                _ => ended = true,
            }
        }
    };
    drop(tokio::time::timeout(MOMENT, reading).await);
    (bytes, ended)
}

#[tokio::test]
async fn in_clear_weather_everything_arrives() {
    assert_eq!(through(Weather::Clear, 9_000).await, (9_000, false));
}

#[tokio::test]
async fn a_late_piece_arrives_late() {
    assert_eq!(through(Weather::Delay(100), 900).await, (900, false));
    assert_eq!(through(Weather::Delay(60_000), 900).await, (0, false));
}

#[tokio::test]
async fn a_slow_line_carries_a_part_meanwhile() {
    let (bytes, ended) = through(Weather::Throttle(2_000), 9_000).await;
    assert!(bytes > 100 && bytes < 2_000 && !ended, "{bytes}");
}

#[tokio::test]
async fn a_cut_line_ends_both_ways_after_its_bytes() {
    assert_eq!(through(Weather::Cut(100), 900).await, (100, true));
    let (proxy, listener) = lines().await;
    let mut caller = TcpStream::connect(proxy.address()).await.unwrap();
    let (_callee, _) = listener.accept().await.unwrap();
    proxy.turn(Weather::Cut(10));
    caller.write_all(&[7; 50]).await.unwrap();
    assert_eq!(received(&mut caller).await, (0, true));
}

#[tokio::test]
async fn a_half_closed_line_still_carries_the_other_way() {
    let (proxy, listener) = lines().await;
    let mut caller = TcpStream::connect(proxy.address()).await.unwrap();
    let (mut callee, _) = listener.accept().await.unwrap();
    proxy.turn(Weather::HalfClose(10));
    caller.write_all(&[7; 50]).await.unwrap();
    assert_eq!(received(&mut callee).await, (10, true));
    callee.write_all(&[7; 9]).await.unwrap();
    assert_eq!(received(&mut caller).await, (9, false));
}

#[tokio::test]
async fn a_black_hole_tells_nobody_and_gives_back_when_the_weather_clears() {
    assert_eq!(through(Weather::BlackHole, 900).await, (0, false));
    let (proxy, listener) = lines().await;
    let mut caller = TcpStream::connect(proxy.address()).await.unwrap();
    let (mut callee, _) = listener.accept().await.unwrap();
    proxy.turn(Weather::BlackHole);
    caller.write_all(&[7; 50]).await.unwrap();
    assert_eq!(received(&mut callee).await, (0, false));
    proxy.turn(Weather::Clear);
    assert_eq!(received(&mut callee).await, (50, false));
    assert!(proxy.met() > 0);
}
