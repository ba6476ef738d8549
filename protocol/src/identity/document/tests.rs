//! Identity documents: one that holds, and everything that makes one not hold.

use super::*;
use crate::identity::Skip;
use crate::identity::{NodeSecrets, Particulars};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

const NOW: Moment = Moment(1_700_000_000_000);

fn secrets(seed: u64) -> NodeSecrets {
    NodeSecrets::generate(&mut ChaCha20Rng::seed_from_u64(seed))
}

fn particulars() -> Particulars {
    let capability = |name: &str| Capability {
        name: name.parse().unwrap(),
        min: 1,
        max: 2,
    };
    Particulars {
        organization: "Tenants of Riverside".parse().unwrap(),
        kind: "c4".parse().unwrap(),
        endpoints: vec!["https://keeper.example".parse().unwrap()],
        capabilities: vec![capability("entries"), capability("tokens")],
        valid_until: NOW.plus(crate::time::DAY),
    }
}

fn good() -> (NodeSecrets, SignedDocument) {
    let secrets = secrets(1);
    let signed = secrets.document(particulars(), None).unwrap();
    (secrets, signed)
}

/// Changes a good document, signs it with its root all the same, and says what `verify` finds.
fn forged(change: impl FnOnce(&mut IdentityDocument)) -> IdentityError {
    let (secrets, signed) = good();
    let mut document = signed.verify(NOW).unwrap();
    change(&mut document);
    let root = secrets.signing_key(KeyUse::Root);
    let bytes = encode(&document);
    let signature = root.sign(&signed_bytes(&bytes));
    let error = SignedDocument {
        document: bytes,
        signature,
    }
    .verify(NOW)
    .unwrap_err();
    if !matches!(
        error,
        IdentityError::Expired { .. } | IdentityError::TooLongValid | IdentityError::Codec(_)
    ) {
        assert_eq!(
            document.sign(&root),
            Err(error.clone()),
            "signing refuses what reading refuses"
        );
    }
    error
}

fn key_of(document: &mut IdentityDocument, usage: KeyUse) -> &mut DocumentKey {
    document
        .keys
        .iter_mut()
        .find(|key| key.usage == usage)
        .unwrap()
}

#[test]
fn a_document_says_who_signed_it_and_which_keys_count() {
    let (secrets, signed) = good();
    let document = signed.verify(NOW).unwrap();
    assert_eq!(document.node_id, secrets.node_id());
    let request = secrets.signing_key(KeyUse::Request).public();
    let kid = KeyId::of(KeyUse::Request, &request);
    assert_eq!(document.key_named(KeyUse::Request, &kid), Some(request));
    assert_eq!(
        document.key_named(KeyUse::Head, &kid),
        None,
        "a key has one use"
    );
    assert_eq!(document.age_recipient(), Some(secrets.age().recipient()));
    assert!(document.is_keeper());
    assert_eq!(decode::<SignedDocument>(&encode(&signed)), Ok(signed));
}

#[test]
fn a_node_that_keeps_no_log_lists_no_key_for_heads() {
    let mut member = particulars();
    member.endpoints.clear();
    let document = secrets(1)
        .document(member, None)
        .unwrap()
        .verify(NOW)
        .unwrap();
    assert!(!document.is_keeper() && document.key(KeyUse::Head).is_none());
}

#[test]
fn secrets_survive_storage_and_anything_else_is_refused() {
    let (secrets, signed) = good();
    let bytes = secrets.to_bytes();
    let again = NodeSecrets::from_bytes(&bytes).unwrap();
    assert_eq!(again.document(particulars(), None), Ok(signed));
    use crate::identity::SecretsError::{Length, Version};
    let error = |bytes: &[u8]| NodeSecrets::from_bytes(bytes).err().unwrap();
    assert_eq!(error(&bytes[..bytes.len() - 1]), Length);
    assert_eq!(error(&[bytes.as_slice(), &[0]].concat()), Length);
    assert_eq!(error(&[]), Length);
    assert_eq!(error(&[2; 225]), Version { found: 2 });
}

#[test]
fn no_bit_of_a_signed_document_can_be_flipped() {
    let (_, signed) = good();
    let bytes = encode(&signed);
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let held =
            decode::<SignedDocument>(&changed).is_ok_and(|signed| signed.verify(NOW).is_ok());
        assert!(!held, "bit {bit} was flipped unnoticed");
    }
}

#[test]
fn a_document_counts_for_its_time_and_not_for_ever() {
    let (_, signed) = good();
    let until = NOW.plus(crate::time::DAY);
    assert!(signed.verify(until).is_ok());
    assert_eq!(
        signed.verify(until.plus(1)),
        Err(IdentityError::Expired { until })
    );
    let error = forged(|document| document.valid_until = NOW.plus(DOCUMENT_LIFE + 1));
    assert_eq!(error, IdentityError::TooLongValid);
}

#[test]
fn another_root_key_is_another_node() {
    let other = secrets(2).signing_key(KeyUse::Root).public();
    assert_eq!(
        forged(|document| document.root = other),
        IdentityError::NodeId
    );
    let stranger = NodeId::of_root_key(&other.0);
    assert_eq!(
        forged(|document| document.node_id = stranger),
        IdentityError::NodeId
    );
    let (_, mut signed) = good();
    signed.signature = secrets(2)
        .signing_key(KeyUse::Root)
        .sign(&signed_bytes(&signed.document));
    assert_eq!(signed.verify(NOW), Err(IdentityError::Signature));
}

#[test]
fn a_signature_made_for_something_else_does_not_pass_for_one_on_a_document() {
    let (secrets, mut signed) = good();
    signed.signature = secrets.signing_key(KeyUse::Root).sign(&signed.document);
    assert_eq!(signed.verify(NOW), Err(IdentityError::Signature));
}

#[test]
fn keys_are_one_per_use_in_order_and_never_shared() {
    use IdentityError::{DuplicateUse, MissingUse, RootInUse, SharedKey};
    assert_eq!(
        forged(|d| d.keys.insert(1, d.keys[0])),
        DuplicateUse(KeyUse::Request)
    );
    assert_eq!(forged(|d| d.keys.swap(0, 1)), DuplicateUse(KeyUse::Request));
    assert_eq!(
        forged(|d| d.keys.insert(0, DocumentKey::new(KeyUse::Root, d.root))),
        RootInUse
    );
    assert_eq!(
        forged(|d| d.keys[1] = DocumentKey::new(KeyUse::Mls, d.keys[0].public)),
        SharedKey(KeyUse::Mls)
    );
    assert_eq!(
        forged(|d| d.keys[0] = DocumentKey::new(KeyUse::Request, d.root)),
        SharedKey(KeyUse::Request)
    );
    for usage in [KeyUse::Request, KeyUse::Mls, KeyUse::Age, KeyUse::Statement] {
        assert_eq!(
            forged(|d| d.keys.retain(|key| key.usage != usage)),
            MissingUse(usage)
        );
    }
}

#[test]
fn a_key_with_a_borrowed_name_or_without_strength_is_refused() {
    let error = forged(|d| key_of(d, KeyUse::Mls).kid = KeyId([0; 8]));
    assert_eq!(error, IdentityError::KeyId(KeyUse::Mls));
    for usage in KeyUse::ALL
        .into_iter()
        .filter(|usage| *usage != KeyUse::Root)
    {
        let weak = DocumentKey::new(usage, PublicKey([0; 32]));
        assert_eq!(
            forged(|d| *key_of(d, usage) = weak),
            IdentityError::WeakKey(usage)
        );
    }
}

#[test]
fn lists_keep_their_limits_and_their_order() {
    use IdentityError::{Capabilities, HalfKeeper, RepeatedEndpoint, TooMany};
    assert_eq!(forged(|d| d.endpoints.clear()), HalfKeeper);
    assert_eq!(
        forged(|d| d.keys.retain(|key| key.usage != KeyUse::Head)),
        HalfKeeper
    );
    assert_eq!(
        forged(|d| d.endpoints.push(d.endpoints[0].clone())),
        RepeatedEndpoint
    );
    let five = TooMany {
        what: "endpoints",
        limit: 4,
        found: 5,
    };
    assert_eq!(
        forged(|d| d.endpoints = vec![d.endpoints[0].clone(); 5]),
        five
    );
    assert_eq!(forged(|d| d.capabilities.swap(0, 1)), Capabilities);
    assert_eq!(
        forged(|d| d.capabilities[1] = d.capabilities[0].clone()),
        Capabilities
    );
    assert_eq!(forged(|d| d.capabilities[0].min = 3), Capabilities);
    let many = TooMany {
        what: "keys",
        limit: 32,
        found: 33,
    };
    assert_eq!(forged(|d| d.keys = vec![d.keys[0]; 33]), many);
}

#[test]
fn numbers_and_links_fit_together() {
    assert_eq!(forged(|d| d.seq = 0), IdentityError::Sequence { seq: 0 });
    assert_eq!(forged(|d| d.seq = 2), IdentityError::Sequence { seq: 2 });
    assert_eq!(
        forged(|d| d.prev = Some(Hash::ZERO)),
        IdentityError::Sequence { seq: 1 }
    );
}

#[test]
fn a_document_follows_one_alone_by_any_larger_number() {
    let (mine, first) = good();
    let second = mine
        .document(particulars(), Some((&first, Skip(0))))
        .unwrap();
    let third = mine
        .document(particulars(), Some((&second, Skip(9))))
        .unwrap();
    assert_eq!(second.verify_after(&first, NOW).unwrap().seq, 2);
    assert_eq!(third.verify_after(&second, NOW).unwrap().seq, 12);
    let not_next = |what| Err(IdentityError::NotNext { what });
    assert_eq!(third.verify_after(&first, NOW), not_next("the link"));
    assert_eq!(first.verify_after(&second, NOW), not_next("the number"));
    let mut renamed = particulars();
    renamed.organization = "Another name".parse().unwrap();
    let branch = mine.document(renamed, None).unwrap();
    assert_eq!(second.verify_after(&branch, NOW), not_next("the link"));
    let stranger = secrets(2).document(particulars(), None).unwrap();
    assert_eq!(second.verify_after(&stranger, NOW), not_next("the node id"));
}

#[test]
fn a_name_that_turns_text_around_is_refused_on_the_wire() {
    let (secrets, signed) = good();
    let plain = encode(&signed.verify(NOW).unwrap());
    let at = plain
        .windows(7)
        .position(|window| window == b"Tenants")
        .unwrap();
    let mut document = plain;
    document[at..at + 3].copy_from_slice("\u{202e}".as_bytes());
    let signature = secrets
        .signing_key(KeyUse::Root)
        .sign(&signed_bytes(&document));
    let error = SignedDocument {
        document,
        signature,
    }
    .verify(NOW)
    .unwrap_err();
    assert!(
        matches!(&error, IdentityError::Codec(CodecError::Shape { .. })),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("character 1 of this name"),
        "{error}"
    );
}
