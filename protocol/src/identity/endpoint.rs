//! Where a keeper is reached: an origin, never more.
//!
//! An endpoint is `https://host` or `https://host:port`. Plain `http` is read for loopback hosts
//! alone, so that a coalition on one desk needs no certificates. There is no path, because a
//! proxy that cuts one off would break every request signature; no user, query or fragment.
//! Which addresses may be connected to is decided where connections are made.

use crate::limits::ENDPOINT_BYTES;
use std::{
    net::{Ipv4Addr, Ipv6Addr},
    str::FromStr,
};

/// The public address of a keeper, in its one spelling: lower case, no default port, no slash.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint(String);

/// Why a text is no endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Too long to be an address.
    #[error("an address has at most {ENDPOINT_BYTES} characters")]
    TooLong,
    /// Neither https nor loopback http.
    #[error("an address begins with https://; http:// is for this machine alone")]
    Scheme,
    /// A user, path, query or fragment.
    #[error("an address ends after its host and port; remove what follows")]
    MoreThanOrigin,
    /// A host that is neither a name nor an address.
    #[error("the host is no domain name and no IP address in its usual form")]
    Host,
    /// A port out of range or oddly written.
    #[error("a port is a number from 1 to 65535")]
    Port,
    /// Acceptable from a person, but not the one spelling that documents carry.
    #[error("this address is not in its shortest form")]
    NotShortest,
}

impl Endpoint {
    /// The whole address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Host, and port unless it is the default: what `@authority` is in a signature.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.0
            .split_once("://")
            .map_or("", |(_, authority)| authority)
    }

    /// Whether it is plain `http` to this machine.
    #[must_use]
    pub fn is_loopback_http(&self) -> bool {
        self.0.starts_with("http://")
    }

    fn strict(text: &str) -> Result<Self, EndpointError> {
        let endpoint: Self = text.parse()?;
        if endpoint.0 == text {
            Ok(endpoint)
        } else {
            Err(EndpointError::NotShortest)
        }
    }
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    /// Reads what a person typed; capitals, a final slash and the default port are tidied away.
    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let text = text.trim();
        if text.len() > ENDPOINT_BYTES {
            return Err(EndpointError::TooLong);
        }
        let lower = text.to_ascii_lowercase();
        let (scheme, rest) = lower.split_once("://").ok_or(EndpointError::Scheme)?;
        let origin = rest.strip_suffix('/').unwrap_or(rest);
        if origin.contains(['/', '?', '#', '@', '\\']) {
            return Err(EndpointError::MoreThanOrigin);
        }
        let (host, port) = split_port(origin)?;
        check_host(host)?;
        let default = match scheme {
            "https" => 443,
            "http" if is_loopback(host) => 80,
            _ => return Err(EndpointError::Scheme),
        };
        Ok(Self(match port {
            Some(port) if port != default => format!("{scheme}://{host}:{port}"),
            _ => format!("{scheme}://{host}"),
        }))
    }
}

super::checked_text!(Endpoint, Endpoint::strict);

fn split_port(origin: &str) -> Result<(&str, Option<u16>), EndpointError> {
    let after_bracket = origin.rfind(']').map_or(0, |at| at + 1);
    let Some((host, port)) = origin
        .rsplit_once(':')
        .filter(|(host, _)| host.len() >= after_bracket)
    else {
        return Ok((origin, None));
    };
    let number: u16 = port.parse().map_err(|_| EndpointError::Port)?;
    if number == 0 || number.to_string() != port {
        return Err(EndpointError::Port);
    }
    Ok((host, Some(number)))
}

/// A domain name of plain labels, a dotted IPv4 address, or a bracketed IPv6 address. A host whose
/// last label is a number must be the usual dotted form: some resolvers read octal and hex.
fn check_host(host: &str) -> Result<(), EndpointError> {
    if let Some(inner) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        let address: Ipv6Addr = inner.parse().map_err(|_| EndpointError::Host)?;
        return if address.to_string() == inner {
            Ok(())
        } else {
            Err(EndpointError::Host)
        };
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    if last.starts_with(|first: char| first.is_ascii_digit()) {
        return host
            .parse::<Ipv4Addr>()
            .map(|_| ())
            .map_err(|_| EndpointError::Host);
    }
    let plain = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    if host.len() <= 253 && host.split('.').all(plain) {
        Ok(())
    } else {
        Err(EndpointError::Host)
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host == "[::1]"
        || host
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_address_is_tidied() {
        let endpoint: Endpoint = " HTTPS://Keeper.Example:443/ ".parse().unwrap();
        assert_eq!(endpoint.as_str(), "https://keeper.example");
        assert_eq!(endpoint.authority(), "keeper.example");
        let endpoint: Endpoint = "http://127.0.0.1:7001".parse().unwrap();
        assert_eq!(endpoint.authority(), "127.0.0.1:7001");
        assert!("https://[2001:db8::1]:8443".parse::<Endpoint>().is_ok());
    }

    #[test]
    fn an_untidy_address_in_a_document_is_refused() {
        for text in [
            "https://Keeper.example",
            "https://keeper.example/",
            "https://keeper.example:443",
        ] {
            assert_eq!(
                Endpoint::strict(text),
                Err(EndpointError::NotShortest),
                "{text}"
            );
        }
    }

    #[test]
    fn addresses_that_say_too_much_or_say_it_oddly_are_refused() {
        use EndpointError::{Host, MoreThanOrigin, Port, Scheme, TooLong};
        let cases = [
            ("keeper.example", Scheme),
            ("ftp://keeper.example", Scheme),
            ("http://keeper.example", Scheme),
            ("http://10.0.0.1", Scheme),
            ("https://a@keeper.example", MoreThanOrigin),
            ("https://keeper.example/path", MoreThanOrigin),
            ("https://keeper.example?x", MoreThanOrigin),
            ("https://keeper.example#x", MoreThanOrigin),
            ("https://keeper.example\\x", MoreThanOrigin),
            ("https://", Host),
            ("https://keeper..example", Host),
            ("https://keeper.example.", Host),
            ("https://ke eper.example", Host),
            ("https://b\u{fc}ro.example", Host),
            ("https://0177.0.0.1", Host),
            ("https://0x7f.1", Host),
            ("https://2130706433", Host),
            ("https://[::ffff:7f00:1]", Host),
            ("https://[::1", Host),
            ("https://keeper.example:0", Port),
            ("https://keeper.example:080", Port),
            ("https://keeper.example:65536", Port),
            ("https://keeper.example:", Port),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<Endpoint>(), Err(error), "{text}");
        }
        let long = format!("https://{}", "a.".repeat(200));
        assert_eq!(long.parse::<Endpoint>(), Err(TooLong));
    }
}
