//! Statements that bear the signature of a key that was retired before they were ordered: they are
//! signed again, so that what was done for a person does not look undone for ever.

use super::Keys;
use protocol::{
    agreement,
    entry::{Entry, agreement::AgreementSign, share::ERASURE_PREFIX, share::ErasureReceipt},
    fold::{self, Void},
    id::NodeId,
    identity::KeyUse,
    state::State,
};

/// The same statement under the present key, where neither the present nor the next one has signed it.
#[must_use]
pub fn restated(keys: &Keys, state: &State, entry: &Entry) -> Option<Entry> {
    let next = keys.next.iter().map(|(_, listed)| &listed.secrets);
    let present = keys.secrets.signing_key(KeyUse::Statement);
    let listed: Vec<[u8; 32]> = next
        .map(|secrets| secrets.signing_key(KeyUse::Statement).public().0)
        .chain([present.public().0])
        .collect();
    match entry {
        Entry::ErasureReceipt(receipt) => {
            let holds = |key| fold::recall::is_receipt_signed_by(receipt, key);
            if listed.iter().any(holds) {
                return None;
            }
            let signed = [ERASURE_PREFIX, &receipt.statement].concat();
            let receipt = ErasureReceipt {
                statement: receipt.statement.clone(),
                signature: present.sign(&signed).0,
            };
            Some(receipt.into())
        }
        Entry::AgreementSign(sign) => {
            let draft = &state.agreements.get(&sign.agreement)?.bytes;
            let holds = |key| agreement::is_signed_by(draft, &sign.signature, key);
            if listed.iter().any(holds) {
                return None;
            }
            let sign = AgreementSign {
                agreement: sign.agreement,
                signature: present.sign(&agreement::signed_bytes(draft)).0,
            };
            Some(sign.into())
        }
        _ => None,
    }
}

/// Whether an own entry may be void for no other reason than that its signer's key was retired.
#[must_use]
pub fn may_be_restated(state: &State, me: NodeId, kind: &str, void: &Void) -> bool {
    matches!(void, Void::Signature(_))
        && matches!(kind, "erasure_receipt" | "agreement_sign")
        && fold::identity::past(state, me).next().is_some()
}
