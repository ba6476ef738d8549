//! The accept loop: header timeout, connection cap, graceful end; TLS on the federation listener.

use crate::{config::Federation, lifecycle::Lifecycle};
use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    sync::Semaphore,
};
use tokio_rustls::{TlsAcceptor, rustls};

/// How long a client may take to send its request's headers.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// The most connections of one listener at a time.
const CONNECTIONS: usize = 2_000;
/// How long a TLS handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Serves a router until the node is told to stop; requests under way are finished.
pub async fn run(listener: TcpListener, router: Router, tls: Option<TlsAcceptor>, life: Lifecycle) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
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
                None => connection(socket, router, end).await,
                Some(tls) => {
                    if let Ok(Ok(socket)) =
                        tokio::time::timeout(HANDSHAKE, tls.accept(socket)).await
                    {
                        connection(socket, router, end).await;
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
    life: Lifecycle,
) {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(Duration::from_secs(30)));
    let service = TowerToHyperService::new(router);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(socket), service);
    tokio::pin!(connection);
    tokio::select! {
        biased;
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
