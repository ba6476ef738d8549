//! Content-Digest (RFC 9530), with SHA-256 alone, and byte sequences (RFC 9651, section 3.3.5).

use super::SignatureError;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

/// The value of `Content-Digest` for this content.
#[must_use]
pub fn content_digest(body: &[u8]) -> String {
    format!("sha-256={}", print_bytes(&Sha256::digest(body)))
}

/// Bytes between colons, in padded base64.
pub(super) fn print_bytes(bytes: &[u8]) -> String {
    format!(":{}:", STANDARD.encode(bytes))
}

/// Reads exactly `N` bytes between colons. base64 has one spelling here: the decoder refuses
/// missing padding and loose bits at the end.
pub(super) fn read_bytes<const N: usize>(
    text: &str,
    what: &'static str,
) -> Result<[u8; N], SignatureError> {
    let inner = text
        .strip_prefix(':')
        .and_then(|rest| rest.strip_suffix(':'));
    read_base64(inner.unwrap_or_default(), what)
}

/// Plain padded base64 of exactly `N` bytes.
pub(super) fn read_base64<const N: usize>(
    text: &str,
    what: &'static str,
) -> Result<[u8; N], SignatureError> {
    let bytes = STANDARD
        .decode(text)
        .map_err(|_| SignatureError::Syntax { what })?;
    bytes
        .try_into()
        .map_err(|_| SignatureError::Syntax { what })
}

/// Plain padded base64.
pub(super) fn print_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_the_example_in_rfc_9530_comes_out() {
        let digest = content_digest(b"{\"hello\": \"world\"}\n");
        assert_eq!(
            digest,
            "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"
        );
    }

    #[test]
    fn bytes_of_another_length_or_spelling_are_refused() {
        for text in [
            "AAA=", ":AAA=", ":AAA:", ":AAB=:", ":AAAA:", ":AA==:", ": AAA=:", "",
        ] {
            assert!(read_bytes::<2>(text, "x").is_err(), "{text:?}");
        }
        assert_eq!(read_bytes(":AAA=:", "x"), Ok([0, 0]));
    }
}
