//! Key packages: what a newcomer hands over so that a member can add it.

use super::{MlsError, MlsKey, Overlay, message, settings};
use crate::id::NodeId;
use openmls::prelude::{KeyPackage, MlsMessageBodyIn, MlsMessageOut, OpenMlsProvider};

/// Makes a key package for one invitation. Its private part stays in the overlay until a welcome
/// uses it up, so the overlay's changes are to be committed before the bytes leave the node.
///
/// # Errors
/// [`MlsError::Library`] when the library fails.
pub fn key_package(overlay: &mut Overlay, key: &MlsKey, me: NodeId) -> Result<Vec<u8>, MlsError> {
    let bundle = KeyPackage::builder()
        .key_package_lifetime(settings::lifetime())
        .leaf_node_capabilities(settings::capabilities())
        .build(settings::SUITE, overlay, key, settings::credential(me, key))
        .map_err(MlsError::library)?;
    MlsMessageOut::from(bundle.into_key_package())
        .to_bytes()
        .map_err(MlsError::library)
}

/// Checks a key package and says whose it is: the node and its signature key.
///
/// The node id is a claim: compare the key with the one in that node's identity document.
///
/// # Errors
/// [`MlsError::KeyPackage`] with what is wrong with it.
pub fn inspect_key_package(bytes: &[u8]) -> Result<(NodeId, [u8; 32]), MlsError> {
    let package = read(&Overlay::default(), bytes)?;
    settings::identity_of(package.leaf_node())
        .ok_or(MlsError::KeyPackage("its credential is not a node id"))
}

/// Reads and checks a key package: signatures, suite, lifetime, credential.
pub(super) fn read(overlay: &Overlay, bytes: &[u8]) -> Result<KeyPackage, MlsError> {
    let Some(MlsMessageBodyIn::KeyPackage(package)) = message::read(bytes) else {
        return Err(MlsError::KeyPackage("these bytes are no key package"));
    };
    let package = package
        .validate(overlay.crypto(), settings::VERSION)
        .map_err(|_| MlsError::KeyPackage("its signature or its form is not valid"))?;
    acceptable(&package).map_err(MlsError::KeyPackage)?;
    Ok(package)
}

/// Whether a key package keeps to our settings; the same check for one's own adds and for others'.
pub(super) fn acceptable(package: &KeyPackage) -> Result<(NodeId, [u8; 32]), &'static str> {
    if package.ciphersuite() != settings::SUITE {
        return Err("it is for another cipher suite");
    }
    if !settings::is_unlimited(package) {
        return Err("its lifetime is limited, and nodes' clocks differ");
    }
    settings::identity_of(package.leaf_node()).ok_or("its credential is not a node id")
}
