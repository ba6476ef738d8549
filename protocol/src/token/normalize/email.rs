//! E-mail addresses. Section 6.4.

use super::Normalized;
use crate::token::Kind;
use email_address::{EmailAddress, Options};
use unicode_normalization::UnicodeNormalization;

/// The longest address that SMTP carries (RFC 5321, section 4.5.3.1.3).
const MAX_BYTES: usize = 254;

/// An e-mail address in lower case, its domain as A-labels (RFC 5890).
///
/// Dots and plus tags stay: which providers ignore them is for the coalition to agree, in a later
/// norm version. None for display names, quoted local parts, address literals and bare hosts.
#[must_use]
pub fn email(raw: &str) -> Option<Normalized> {
    let lower = raw
        .trim()
        .nfkc()
        .collect::<String>()
        .to_lowercase()
        .nfkc()
        .collect::<String>();
    let (local, domain) = lower.trim().rsplit_once('@')?;
    if local.contains(['"', '@']) || domain.starts_with('[') || !domain.contains('.') {
        return None;
    }
    let domain = idna::domain_to_ascii_strict(domain).ok()?;
    let address = format!("{local}@{domain}");
    let options = Options {
        minimum_sub_domains: 2,
        allow_domain_literal: false,
        allow_display_text: false,
        ..Options::default()
    };
    EmailAddress::parse_with_options(&address, options).ok()?;
    if address.len() > MAX_BYTES {
        return None;
    }
    Normalized::new(Kind::Email, address)
}
