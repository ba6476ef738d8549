//! A TCP proxy whose weather changes: it delays, throttles, cuts, half-closes or swallows what it carries.
//!
//! It knows bytes only. What it holds back in a black hole goes on when the weather clears, as packets
//! do that a network sends again; a connection that was cut stays cut.

use anyhow::{Context, Result};
use serde::Serialize;
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinSet,
};

/// The most connections that are carried at once; more are closed at once.
const CONNECTIONS: usize = 512;
/// The most bytes that are read before they are handed on.
const PIECE: usize = 16 * 1024;
/// A slow line hands on a portion so many times in a second.
const PORTIONS: u32 = 20;

/// What becomes of bytes on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Weather {
    /// They arrive.
    Clear,
    /// Every piece arrives so many milliseconds late.
    Delay(u64),
    /// So many bytes arrive in a second.
    Throttle(u32),
    /// After so many bytes one way, the connection ends both ways.
    Cut(usize),
    /// After so many bytes one way, that way ends and the other stays open.
    HalfClose(usize),
    /// Nothing arrives, and nobody is told.
    BlackHole,
}

/// One proxy on this machine; it ends with its value.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    to: watch::Sender<Option<SocketAddr>>,
    weather: watch::Sender<Weather>,
    met: Arc<AtomicU64>,
    _task: JoinSet<()>,
}

impl Proxy {
    /// Listens on a port of its own; whoever connects waits until it is known where to.
    ///
    /// # Errors
    /// When no port is free.
    pub async fn open() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.context("no port for a proxy")?;
        let address = listener.local_addr()?;
        let (to, weather) = (watch::Sender::new(None), watch::Sender::new(Weather::Clear));
        let met = Arc::<AtomicU64>::default();
        let line = Line {
            to: to.subscribe(),
            weather: weather.subscribe(),
            met: met.clone(),
        };
        let mut task = JoinSet::new();
        task.spawn(accept(listener, line));
        Ok(Self {
            address,
            to,
            weather,
            met,
            _task: task,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where it leads from now on.
    pub fn leads_to(&self, to: SocketAddr) {
        self.to.send_replace(Some(to));
    }

    /// Changes the weather, for open connections too.
    pub fn turn(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    /// How many pieces met with anything but clear weather.
    #[must_use]
    pub fn met(&self) -> u64 {
        self.met.load(Ordering::Relaxed)
    }
}

/// What a connection has to know.
#[derive(Clone)]
struct Line {
    to: watch::Receiver<Option<SocketAddr>>,
    weather: watch::Receiver<Weather>,
    met: Arc<AtomicU64>,
}

async fn accept(listener: TcpListener, line: Line) {
    let mut open = JoinSet::new();
    loop {
        // A caller that was gone before it was accepted is no matter.
        if let Ok((caller, _)) = listener.accept().await {
            while open.try_join_next().is_some() {}
            if open.len() < CONNECTIONS {
                open.spawn(carry(caller, line.clone()));
            }
        }
    }
}

async fn carry(caller: TcpStream, mut line: Line) -> io::Result<()> {
    let gone = |_| io::Error::other("the proxy has ended");
    line.weather
        .wait_for(|weather| *weather != Weather::BlackHole)
        .await
        .map_err(gone)?;
    let to = *line.to.wait_for(Option::is_some).await.map_err(gone)?;
    let Some(to) = to else {
        return Ok(());
    };
    let callee = TcpStream::connect(to).await?;
    let ((from_caller, to_caller), (from_callee, to_callee)) =
        (caller.into_split(), callee.into_split());
    // An error of one way ends both; an end of one way does not.
    tokio::try_join!(
        pump(from_caller, to_callee, line.clone()),
        pump(from_callee, to_caller, line.clone()),
    )
    .map(drop)
}

/// Carries one way until it ends.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut line: Line) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    let mut carried = 0;
    loop {
        let read = from.read(&mut piece).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        let mut rest = &piece[..read];
        while !rest.is_empty() {
            if line.weather.has_changed().map_err(io::Error::other)? {
                carried = 0;
            }
            let weather = *line.weather.borrow_and_update();
            if weather != Weather::Clear {
                line.met.fetch_add(1, Ordering::Relaxed);
            }
            let portion = match weather {
                Weather::Clear => rest.len(),
                Weather::Delay(milliseconds) => {
                    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
                    rest.len()
                }
                Weather::Throttle(rate) => {
                    tokio::time::sleep(Duration::from_secs(1) / PORTIONS).await;
                    usize::try_from(rate / PORTIONS).map_or(rest.len(), |portion| portion.max(1))
                }
                Weather::BlackHole => {
                    line.weather.changed().await.map_err(io::Error::other)?;
                    carried = 0;
                    continue;
                }
                Weather::Cut(most) | Weather::HalfClose(most) => most.saturating_sub(carried),
            };
            let portion = portion.min(rest.len());
            to.write_all(&rest[..portion]).await?;
            carried += portion;
            rest = &rest[portion..];
            match weather {
                Weather::Cut(most) if carried >= most => {
                    return Err(io::ErrorKind::ConnectionReset.into());
                }
                Weather::HalfClose(most) if carried >= most => {
                    to.shutdown().await?;
                    return swallow(from).await;
                }
                _ => {}
            }
        }
    }
}

/// Reads what goes nowhere any more, so that its sender does not notice.
async fn swallow(mut from: OwnedReadHalf) -> io::Result<()> {
    tokio::io::copy(&mut from, &mut tokio::io::sink())
        .await
        .map(drop)
}
