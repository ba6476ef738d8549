//! The one way in which a node calls another: bytes in, bytes out, nothing trusted.
//!
//! Only addresses from the roster or an invitation are called. Redirects are not followed, proxies
//! from the environment are not used, and a name is resolved once: the checked address is the one
//! that is connected to.

use crate::config::Peers;
use bytes::Bytes;
use futures_util::{StreamExt, future::BoxFuture};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long a whole exchange may take, a long poll's wait included.
const EXCHANGE: Duration = Duration::from_secs(90);
/// The longest answer that is read.
const ANSWER_BYTES: usize = 8 * 1024 * 1024;

/// Why an exchange did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The address is one that no peer may have.
    #[error(
        "{0} is not an address that a peer may have; a keeper in your own network needs peers.allow_private_addresses"
    )]
    Forbidden(String),
    /// Nobody answered.
    #[error("the keeper cannot be reached: {0}")]
    Unreachable(String),
    /// The answer is longer than any answer may be.
    #[error("the answer is longer than {ANSWER_BYTES} bytes")]
    TooLong,
}

/// Carries requests to other nodes; a simulation has its own.
pub trait Transport: Send + Sync {
    /// Sends a request to the node at a base URL and returns what it answers.
    fn send<'a>(
        &'a self,
        base: &'a str,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Response<Bytes>, TransportError>>;
}

/// Over HTTP.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: reqwest::Client,
    allow_private: bool,
}

impl HttpTransport {
    /// The node's one client.
    ///
    /// # Errors
    /// When the extra authority cannot be read.
    #[expect(clippy::disallowed_methods, reason = "this is the place that may")]
    pub fn new(peers: &Peers) -> anyhow::Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let allow_private = peers.allow_private_addresses;
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(EXCHANGE)
            .tls_version_min(reqwest::tls::Version::TLS_1_3)
            .pool_idle_timeout(Duration::from_secs(30))
            .dns_resolver(Arc::new(Guard { allow_private }));
        if let Some(path) = &peers.extra_authority {
            let pem = std::fs::read(path)?;
            for authority in reqwest::Certificate::from_pem_bundle(&pem)? {
                builder = builder.add_root_certificate(authority);
            }
        }
        Ok(Self {
            client: builder.build()?,
            allow_private,
        })
    }

    async fn exchange(
        &self,
        base: &str,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, TransportError> {
        let url = checked_url(base, request.uri(), self.allow_private)?;
        let (parts, body) = request.into_parts();
        let unreachable = |error: reqwest::Error| TransportError::Unreachable(plain(&error));
        let response = self
            .client
            .request(parts.method, url)
            .headers(parts.headers)
            .body(body)
            .send()
            .await
            .map_err(unreachable)?;
        let mut answer = http::Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            headers.clone_from(response.headers());
        }
        let mut body = Vec::new();
        let mut stream = response.bytes_stream();
        while let Some(chunk) = stream.next().await {
            let chunk = chunk.map_err(unreachable)?;
            if body.len() + chunk.len() > ANSWER_BYTES {
                return Err(TransportError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        answer
            .body(body.into())
            .map_err(|error| TransportError::Unreachable(error.to_string()))
    }
}

impl Transport for HttpTransport {
    fn send<'a>(
        &'a self,
        base: &'a str,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'a, Result<http::Response<Bytes>, TransportError>> {
        Box::pin(self.exchange(base, request))
    }
}

/// What went wrong, without the address.
fn plain(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

/// The URL of a request, after checking an address that is written out.
fn checked_url(
    base: &str,
    target: &http::Uri,
    allow_private: bool,
) -> Result<url::Url, TransportError> {
    let forbidden = || TransportError::Forbidden(base.to_owned());
    let base = crate::config::public_url(base).map_err(|_| forbidden())?;
    let path = target
        .path_and_query()
        .map_or("/", http::uri::PathAndQuery::as_str);
    let url = base.join(path).map_err(|_| forbidden())?;
    let literal = match url.host() {
        Some(url::Host::Ipv4(ip)) => Some(IpAddr::V4(ip)),
        Some(url::Host::Ipv6(ip)) => Some(IpAddr::V6(ip)),
        _ => None,
    };
    // Plain http to this machine is for trying things out; `public_url` allows it nowhere else.
    let this_machine = url.scheme() == "http" && literal.is_some_and(|ip| ip.is_loopback());
    match literal {
        Some(ip) if !this_machine && !is_public(ip) && !allow_private => Err(forbidden()),
        _ => Ok(url),
    }
}

/// Resolves names to permitted addresses only.
#[derive(Debug)]
struct Guard {
    allow_private: bool,
}

impl reqwest::dns::Resolve for Guard {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed: Vec<SocketAddr> = found
                .into_iter()
                .filter(|address| allow_private || is_public(address.ip()))
                .collect();
            if allowed.is_empty() {
                return Err("the name leads to no public address".into());
            }
            Ok(Box::new(allowed.into_iter()) as reqwest::dns::Addrs)
        })
    }
}

/// Whether an address belongs to the public internet, whatever it is wrapped in.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_broadcast()
                || ip.is_multicast()
                || ip.is_documentation()
                || a == 0
                || a >= 240
                || (a == 100 && (64..128).contains(&b))
                || (a == 198 && (18..20).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 192 && b == 88 && c == 99))
        }
        IpAddr::V6(ip) => {
            if let Some(inner) = ip.to_ipv4_mapped().or_else(|| ip.to_ipv4()) {
                return is_public(IpAddr::V4(inner));
            }
            // Global unicast is 2000::/3. 2002::/16 wraps IPv4; 2001::/23 is for protocols, one of which
            // does too; 2001:db8::/32 and 3fff::/20 are for books.
            let [first, second, ..] = ip.segments();
            first & 0xe000 == 0x2000
                && first != 0x2002
                && !(first == 0x2001 && (second < 0x200 || second == 0xdb8))
                && !(first == 0x3fff && second < 0x1000)
        }
    }
}

#[cfg(test)]
mod tests;
