//! The agreement as people handle it: show, propose, sign.

use crate::{
    app::App,
    http::problem::Failure,
    store::{Result, Write},
    sync::outbox,
};
use protocol::{
    agreement::{Agreement, Party, signed_bytes},
    codec,
    entry::agreement::{AgreementPropose, AgreementSign},
    fold,
    id::{CoalitionId, EntryId, Hash},
    identity::KeyUse,
    problem::ProblemKind,
    state::State,
};

/// Refuses terms that cannot be read, or under which nothing would flow because their day is over.
pub(super) fn usable(app: &App, terms: &str) -> std::result::Result<(), Failure> {
    let terms = policy::Terms::parse(terms).map_err(|error| Failure::input(error.to_string()))?;
    match policy::lint::expiry(&terms, app.now().0).first() {
        None => Ok(()),
        Some(fault) => Err(Failure::input(fault.to_string())),
    }
}

/// The first version, by the founder alone.
pub(super) fn first(app: &App, coalition: CoalitionId, terms: &str) -> Agreement {
    let document = app.identity();
    let party = Party {
        node: app.me,
        name: document.organization.to_string(),
        kind: document.kind.to_string(),
    };
    Agreement {
        coalition,
        version: 1,
        before: Hash::ZERO,
        parties: vec![party],
        keepers: vec![app.me],
        terms: terms.to_owned(),
    }
}

/// The next version for the present members: other terms, or the same for other members.
fn next(state: &State, terms: &str) -> Agreement {
    let current = state.agreement();
    Agreement {
        coalition: state.meta().coalition,
        version: current
            .as_ref()
            .map_or(1, |(_, agreement)| agreement.version + 1),
        before: current.map_or(Hash::ZERO, |(hash, _)| hash),
        parties: fold::agreement::parties(state),
        keepers: fold::agreement::keepers(state),
        terms: terms.to_owned(),
    }
}

/// Queues a draft and this node's own signature under it.
pub(super) async fn queue_with_signature(
    app: &App,
    tx: &mut Write,
    agreement: &Agreement,
) -> Result<EntryId> {
    let bytes = codec::encode(agreement);
    let propose = AgreementPropose {
        agreement: bytes.clone(),
    };
    outbox::queue(app, &mut *tx, propose.into(), None).await?;
    outbox::queue(app, tx, signature(app, &bytes).into(), None).await
}

fn signature(app: &App, agreement: &[u8]) -> AgreementSign {
    let key = app.secrets.signing_key(KeyUse::Statement);
    AgreementSign {
        agreement: Hash::of(agreement),
        signature: key.sign(&signed_bytes(agreement)).0,
    }
}

/// Proposes a version with these terms, or with the present terms for the present members.
///
/// # Errors
/// [`Failure`] when the terms cannot be read or change nothing.
pub async fn propose(
    app: &App,
    terms: Option<&str>,
) -> std::result::Result<(Hash, EntryId), Failure> {
    let agreement = {
        let coalition = super::active(app).await?;
        let current = coalition.state.agreement();
        let terms = match (terms, &current) {
            (Some(terms), _) => terms,
            (None, Some((_, agreement))) => &agreement.terms,
            (None, None) => {
                return Err(Failure::input(
                    "give the terms: there is no agreement to carry on",
                ));
            }
        };
        usable(app, terms)?;
        let agreement = next(&coalition.state, terms);
        let same = |(_, current): &(Hash, Agreement)| {
            current.parties == agreement.parties && current.terms == agreement.terms
        };
        if current.as_ref().is_some_and(same) {
            return Err(Failure::new(
                ProblemKind::Conflict,
                "the agreement in force says the same already",
            ));
        }
        if coalition.state.agreements.has(&agreement.hash()) {
            return Err(Failure::new(
                ProblemKind::Conflict,
                "this draft waits for signatures already",
            ));
        }
        agreement
    };
    let mut tx = app.store.write("proposing an agreement").await?;
    let entry = queue_with_signature(app, &mut tx, &agreement).await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok((agreement.hash(), entry))
}

/// Signs a draft: the one of this hash, or the only one that waits for this node.
///
/// # Errors
/// [`Failure`] when there is no such draft, or several and none was named.
pub async fn sign(app: &App, draft: Option<&str>) -> std::result::Result<(Hash, EntryId), Failure> {
    let (hash, bytes) = {
        let coalition = super::active(app).await?;
        let parties = fold::agreement::parties(&coalition.state);
        let mut open: Vec<(Hash, Vec<u8>)> = coalition
            .state
            .agreements
            .iter()
            .filter(|(hash, row)| {
                let waits = row.active_from.is_none()
                    && row.signatures.iter().all(|signed| signed.node != app.me);
                let named =
                    draft.is_none_or(|draft| hash.to_string().starts_with(&draft.to_lowercase()));
                let current = codec::decode::<Agreement>(&row.bytes)
                    .is_ok_and(|draft| draft.parties == parties);
                waits && named && current
            })
            .map(|(hash, row)| (*hash, row.bytes.clone()))
            .collect();
        match (open.pop(), open.len()) {
            (Some(only), 0) => only,
            (Some(_), _) => {
                return Err(Failure::input(
                    "several drafts wait; name one by the beginning of its hash",
                ));
            }
            (None, _) => {
                return Err(Failure::not_found(
                    "no draft that names the present members waits for this organization's signature",
                ));
            }
        }
    };
    let mut tx = app.store.write("signing an agreement").await?;
    let entry = outbox::queue(app, &mut tx, signature(app, &bytes).into(), None).await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok((hash, entry))
}
