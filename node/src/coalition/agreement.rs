//! The agreement as people handle it: show, propose, sign.

use super::parties::Changes;
use crate::{
    app::App,
    http::problem::Failure,
    shares::setting::listed,
    store::{Result, Write},
    sync::outbox,
};
use policy::{Gate, Jurisdiction, OWN_DEFAULT, Terms};
use protocol::{
    agreement::{Agreement, Party, facts::Facts, signed_bytes},
    codec,
    entry::agreement::{AgreementPropose, AgreementSign},
    fold,
    id::{CoalitionId, EntryId, Hash, NodeId},
    identity::KeyUse,
    limits::KEEPERS,
    problem::ProblemKind,
    state::State,
};
use std::collections::BTreeSet;

/// Refuses terms that cannot be read, or under which nothing would flow because their day is over.
pub(super) fn usable(app: &App, terms: &str) -> std::result::Result<Terms, Failure> {
    let terms = Terms::parse(terms).map_err(|error| Failure::input(error.to_string()))?;
    match policy::lint::expiry(&terms, app.now().0).first() {
        None => Ok(terms),
        Some(fault) => Err(Failure::input(fault.to_string())),
    }
}

/// The first version, by the founder alone.
pub(super) fn first(app: &App, coalition: CoalitionId, (text, terms): (&str, &Terms)) -> Agreement {
    let document = app.identity();
    let kind = document.kind.to_string();
    let party = Party {
        node: app.me,
        name: document.organization.to_string(),
        facts: Facts::unstated(&kind, terms.params.default_jurisdiction()),
        kind,
    };
    Agreement {
        coalition,
        version: 1,
        before: Hash::ZERO,
        parties: vec![party],
        keepers: vec![app.me],
        terms: text.to_owned(),
    }
}

/// The next version for the present members: other terms or facts, or the same for other members.
fn next(state: &State, (text, terms): (&str, &Terms)) -> Agreement {
    let current = state.agreement();
    Agreement {
        coalition: state.meta().coalition,
        version: current
            .as_ref()
            .map_or(1, |(_, agreement)| agreement.version + 1),
        before: current.map_or(Hash::ZERO, |(hash, _)| hash),
        parties: fold::agreement::parties(state, terms.params.default_jurisdiction()),
        keepers: fold::agreement::keepers(state),
        terms: text.to_owned(),
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

/// Whether a draft entrusts the log to this node although its federation listener is switched off.
fn names_me_unreachable(app: &App, draft: &[u8]) -> bool {
    let draft = codec::decode::<Agreement>(draft);
    app.config.federation.is_none() && draft.is_ok_and(|draft| draft.keepers.contains(&app.me))
}

fn signature(app: &App, agreement: &[u8]) -> AgreementSign {
    let key = app.keys().stating().signing_key(KeyUse::Statement);
    AgreementSign {
        agreement: Hash::of(agreement),
        signature: key.sign(&signed_bytes(agreement)).0,
    }
}

/// The present members with the facts that the next version states unless they are changed.
#[must_use]
pub fn present(state: &State) -> Vec<Party> {
    let terms = state.agreement().map(|(_, agreement)| agreement.terms);
    let terms = terms.and_then(|terms| Terms::parse(&terms).ok());
    let place = terms.map_or(Jurisdiction::US, |terms| {
        terms.params.default_jurisdiction()
    });
    fold::agreement::parties(state, place)
}

/// What is to change; what is absent stays as it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wanted<'a> {
    /// The terms.
    pub terms: Option<&'a str>,
    /// Facts of members: a file for [`Changes`].
    pub parties: Option<&'a str>,
    /// Who keeps the log: names, or beginnings of node ids.
    pub keepers: Option<&'a [String]>,
}

/// The version that a proposal would make, for the present members; says nothing to anybody.
///
/// # Errors
/// [`Failure`] when terms or facts cannot be read or used, when they would join both sides of a race
/// in one coalition, or when they change nothing.
pub async fn draft(app: &App, wanted: Wanted<'_>) -> std::result::Result<Agreement, Failure> {
    let coalition = super::active(app).await?;
    let current = coalition.state.agreement();
    let text = match (wanted.terms, &current) {
        (Some(terms), _) => terms,
        (None, Some((_, agreement))) => &agreement.terms,
        (None, None) => {
            return Err(Failure::input(
                "give the terms: there is no agreement to carry on",
            ));
        }
    };
    let terms = usable(app, text)?;
    let mut agreement = next(&coalition.state, (text, &terms));
    if let Some(parties) = wanted.parties {
        Changes::read(parties)?.apply(&coalition.state, &mut agreement.parties)?;
    }
    if let Some(keepers) = wanted.keepers {
        agreement.keepers = entrusted(&coalition.state, keepers)?;
    }
    fits(&terms, &agreement)?;
    let same = |(_, current): &(Hash, Agreement)| {
        current.parties == agreement.parties
            && current.terms == agreement.terms
            && current.keepers == agreement.keepers
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
    Ok(agreement)
}

/// The members that are to keep the log.
fn entrusted(state: &State, names: &[String]) -> std::result::Result<Vec<NodeId>, Failure> {
    let mut keepers = BTreeSet::new();
    for name in names {
        let node = super::members::find(state, name)?;
        let reachable = state.document(node);
        if !reachable.is_some_and(|document| document.is_keeper()) {
            return Err(Failure::input(format!(
                "{name} cannot keep the log: its identity names no address, so nobody could reach it. A keeper's node \
                 is made with `commonturf init --federation ... --public-url ...`"
            )));
        }
        keepers.insert(node);
    }
    if !KEEPERS.contains(&keepers.len()) {
        return Err(Failure::input(format!(
            "a log has 1, 3 or 5 keepers, not {}: with an even number one more could fail without any gain",
            keepers.len()
        )));
    }
    Ok(keepers.into_iter().collect())
}

/// Refuses organizations that share no coalition, and rules that make no gate for them.
fn fits(terms: &Terms, agreement: &Agreement) -> std::result::Result<(), Failure> {
    let parties = agreement.policy_parties().map_err(|error| {
        Failure::input(if error.is_conflict() {
            format!("E_FIREWALL_CONFLICT: {}", error.reason)
        } else {
            error.to_string()
        })
    })?;
    match Gate::load(terms, OWN_DEFAULT, &parties) {
        Ok(_) => Ok(()),
        Err(faults) => Err(Failure::input(format!(
            "the draft cannot be used: {}",
            listed(&faults)
        ))),
    }
}

/// Proposes a version with these terms, or with the present terms for the present members.
///
/// # Errors
/// As [`draft`].
pub async fn propose(
    app: &App,
    terms: Option<&str>,
) -> std::result::Result<(Hash, EntryId), Failure> {
    let wanted = Wanted {
        terms,
        ..Wanted::default()
    };
    put_forward(app, &draft(app, wanted).await?).await
}

/// Proposes a draft, with this organization's signature under it.
///
/// # Errors
/// [`Failure`] when the database fails.
pub async fn put_forward(
    app: &App,
    agreement: &Agreement,
) -> std::result::Result<(Hash, EntryId), Failure> {
    let mut tx = app.store.write("proposing an agreement").await?;
    let entry = queue_with_signature(app, &mut tx, agreement).await?;
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
                    .is_ok_and(|draft| fold::agreement::names_members(&coalition.state, &draft));
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
    if names_me_unreachable(app, &bytes) {
        return Err(Failure::input(
            "this draft makes this node a keeper, and it listens to nobody: give it the [federation] section in \
             config.toml that it was made with, start it again, and sign then",
        ));
    }
    let mut tx = app.store.write("signing an agreement").await?;
    let entry = outbox::queue(app, &mut tx, signature(app, &bytes).into(), None).await?;
    tx.commit().await?;
    app.wake.outbox.notify_one();
    Ok((hash, entry))
}
