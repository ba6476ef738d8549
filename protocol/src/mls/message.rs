//! The outer form of MLS messages.

use super::settings::MLS_BYTES;
use openmls::prelude::{MlsMessageBodyIn, MlsMessageIn, tls_codec::DeserializeBytes};

/// Reads one whole MLS message within the limit, or nothing.
pub(super) fn read(bytes: &[u8]) -> Option<MlsMessageBodyIn> {
    if bytes.len() > MLS_BYTES {
        return None;
    }
    Some(
        MlsMessageIn::tls_deserialize_exact_bytes(bytes)
            .ok()?
            .extract(),
    )
}
