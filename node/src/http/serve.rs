//! The accept loop: header timeout, connection cap, graceful end; TLS on the federation listener.

use crate::{config::Federation, lifecycle::Lifecycle};
use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use protocol::limits;
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::Semaphore,
};
use tokio_rustls::{TlsAcceptor, rustls};

/// How long a client may take to send its request's headers.
const HEADERS: Duration = Duration::from_millis(limits::HEADER_TIME.unsigned_abs());
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_millis(limits::HANDSHAKE_TIME.unsigned_abs());

/// All headers of a request.
const HEADER_LIST: u32 = 16 * 1024;
const _: () = assert!(HEADER_LIST as usize == limits::HEADER_BYTES);
/// How long the last request of an old connection may take: a long poll and its answer.
const LAST_REQUEST: Duration = Duration::from_secs(60);

/// How one listener treats its connections.
#[derive(Debug, Clone, Copy)]
pub struct Manners {
    /// The most connections at a time; one more is closed at once.
    pub connections: usize,
    /// How long a client may take to send its request's headers.
    pub headers: Duration,
    /// How long a connection lives; requests under way are finished. None: for as long as it is used.
    pub life: Option<Duration>,
}

impl Manners {
    /// The organization's own people.
    pub const DESK: Self = Self {
        connections: limits::CONNECTIONS,
        headers: HEADERS,
        life: None,
    };
    /// Members, newcomers, and whoever else finds the address.
    pub const FEDERATION: Self = Self {
        connections: limits::CONNECTIONS,
        headers: HEADERS,
        life: Some(Duration::from_millis(
            limits::CONNECTION_LIFE.unsigned_abs(),
        )),
    };
}

/// Serves a router until the node is told to stop; requests under way are finished.
pub async fn run(
    listener: TcpListener,
    router: Router,
    tls: Option<TlsAcceptor>,
    manners: Manners,
    life: Lifecycle,
) {
    let places = Arc::new(Semaphore::new(manners.connections));
    loop {
        let accepted = tokio::select! {
            biased;
            () = life.stopped() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((socket, _)) = accepted else { continue };
        let Ok(place) = places.clone().try_acquire_owned() else {
            continue;
        };
        let (router, tls, end) = (router.clone(), tls.clone(), life.clone());
        let _ = socket.set_nodelay(true);
        life.spawn(async move {
            match tls {
                None => connection(socket, router, (false, manners), end).await,
                Some(tls) => {
                    if let Ok(Ok(socket)) =
                        tokio::time::timeout(HANDSHAKE, tls.accept(socket)).await
                    {
                        let h2 = socket.get_ref().1.alpn_protocol() == Some(b"h2");
                        connection(socket, router, (h2, manners), end).await;
                    }
                }
            }
            drop(place);
        });
    }
}

async fn connection(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    (h2, manners): (bool, Manners),
    life: Lifecycle,
) {
    let builder = Builder::new(TokioExecutor::new());
    // Which version a client speaks is known from the handshake; waiting for it to show itself would
    // have no end.
    let mut builder = if h2 {
        builder.http2_only()
    } else {
        builder.http1_only()
    };
    builder
        .http1()
        .timer(TokioTimer::new())
        .max_buf_size(limits::HEADER_BYTES)
        .header_read_timeout(manners.headers);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(HEADER_LIST)
        .keep_alive_interval(Some(Duration::from_secs(30)));
    let service = TowerToHyperService::new(router);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(socket), service);
    tokio::pin!(connection);
    let old = async {
        match manners.life {
            Some(life) => tokio::time::sleep(life).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        biased;
        () = old => {
            connection.as_mut().graceful_shutdown();
            let _ = tokio::time::timeout(LAST_REQUEST, connection).await;
        }
        () = life.stopped() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
        _ = connection.as_mut() => {}
    }
}

/// What ends TLS on the federation listener, where a certificate is configured.
///
/// # Errors
/// When a file cannot be read or the two do not belong together.
pub fn tls(federation: &Federation) -> anyhow::Result<Option<TlsAcceptor>> {
    use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
    let Some((certificate, key)) = federation
        .tls_certificate
        .as_ref()
        .zip(federation.tls_key.as_ref())
    else {
        return Ok(None);
    };
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Some(TlsAcceptor::from(Arc::new(config))))
}
