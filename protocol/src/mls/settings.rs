//! The settings of every coalition's group: constants of the protocol version, not options.

use super::MlsKey;
use crate::id::NodeId;
use openmls::{
    group::{MlsGroupCreateConfig, MlsGroupJoinConfig, PURE_PLAINTEXT_WIRE_FORMAT_POLICY},
    prelude::{
        BasicCredential, Capabilities, Ciphersuite, Credential, CredentialType, CredentialWithKey,
        KeyPackage, LeafNode, Lifetime, ProtocolVersion, SenderRatchetConfiguration,
    },
};

/// X25519, ChaCha20-Poly1305, SHA-256, Ed25519 (RFC 9420, section 17.1: 0x0003).
pub(super) const SUITE: Ciphersuite =
    Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519;
/// MLS 1.0.
pub(super) const VERSION: ProtocolVersion = ProtocolVersion::Mls10;

/// How many epochs an application message may be behind the group when it is ordered.
pub const EPOCHS_ACCEPTED: u64 = 5;
/// How many messages of one sender and epoch may overtake another one before that is void.
pub const RATCHET_BACK: u32 = 1_024;
/// How many messages of one sender and epoch may be missing before the next one.
pub const RATCHET_AHEAD: u32 = 4_096;
/// Organizations that one commit adds at most: more would not fit an entry beside their welcome.
pub const ADDS_AT_ONCE: usize = 100;
/// The longest MLS message that is read.
pub const MLS_BYTES: usize = 1 << 20;
/// Application messages are padded to a multiple of this many bytes.
pub const PADDING_BYTES: usize = 128;

/// Every leaf is valid for ever, because openmls would judge a shorter life by the local clock and
/// two nodes would come to two verdicts. Invitations and keys expire by log time instead.
pub(super) fn lifetime() -> Lifetime {
    Lifetime::init(0, u64::MAX)
}

/// Whether a key package lives as long as [`lifetime`] says.
pub(super) fn is_unlimited(package: &KeyPackage) -> bool {
    (
        package.life_time().not_before(),
        package.life_time().not_after(),
    ) == (0, u64::MAX)
}

/// What a leaf says it can do: this suite, these credentials, no extensions.
pub(super) fn capabilities() -> Capabilities {
    Capabilities::new(
        Some(&[VERSION]),
        Some(&[SUITE]),
        Some(&[]),
        Some(&[]),
        Some(&[CredentialType::Basic]),
    )
}

/// The settings that a joiner needs. They must equal those of [`create_config`]: the library's
/// defaults would keep no earlier epoch, at that one node alone.
pub(super) fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .padding_size(PADDING_BYTES)
        .max_past_epochs(past_epochs())
        .use_ratchet_tree_extension(true)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(RATCHET_BACK, RATCHET_AHEAD))
        .build()
}

/// The settings of a new group.
pub(super) fn create_config() -> MlsGroupCreateConfig {
    MlsGroupCreateConfig::builder()
        .ciphersuite(SUITE)
        .capabilities(capabilities())
        .lifetime(lifetime())
        .wire_format_policy(PURE_PLAINTEXT_WIRE_FORMAT_POLICY)
        .padding_size(PADDING_BYTES)
        .max_past_epochs(past_epochs())
        .use_ratchet_tree_extension(true)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(RATCHET_BACK, RATCHET_AHEAD))
        .build()
}

fn past_epochs() -> usize {
    usize::try_from(EPOCHS_ACCEPTED).expect("a small constant fits every word size")
}

/// The credential of a node: its id and nothing else, because commits show it on the wire.
pub(super) fn credential(me: NodeId, key: &MlsKey) -> CredentialWithKey {
    CredentialWithKey {
        credential: BasicCredential::new(me.0.to_vec()).into(),
        signature_key: key.public().as_slice().into(),
    }
}

/// The node that a credential names, if it is one of ours.
pub(super) fn node_of(credential: &Credential) -> Option<NodeId> {
    let basic = BasicCredential::try_from(credential.clone()).ok()?;
    Some(NodeId(basic.identity().try_into().ok()?))
}

/// The node and the signature key of a leaf, if both have the right form.
pub(super) fn identity_of(leaf: &LeafNode) -> Option<(NodeId, [u8; 32])> {
    Some((
        node_of(leaf.credential())?,
        leaf.signature_key().as_slice().try_into().ok()?,
    ))
}
