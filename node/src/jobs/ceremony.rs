//! A keeper's part in key ceremonies: it begins one that is called for and takes each next step.
//!
//! What is next follows from the folded state and one sealed secret, so the node may be killed between
//! any two steps: it goes on where the log stands. Spec: sections 5.12 and 5.13 of `spec/protocol.md`.

mod hand_on;

use crate::{
    app::App,
    keeper::evaluator::{share_of, share_place},
    store::{self, StoreError, Write},
    sync::{
        outbox,
        rotated::{FACTORS, factor_place},
    },
};
use protocol::{
    codec,
    entry::{
        Entry,
        ceremony::{
            CeremonyAbandon, CeremonyCommit, CeremonyConfirm, CeremonyDeal, CeremonyStart,
            Complaint, SealedPart,
        },
        housekeeping::Keyset as KeysetEntry,
    },
    fold::{agreement::keepers, ceremony, rotation},
    id::{EntryId, Hash, NodeId},
    identity::KeyUse,
    seal::{self, AgeRecipient},
    state::{State, rows::CeremonyRow},
    time::{DAY, Moment},
    token::{
        KeyShare, Keyset,
        ceremony::{CeremonyKind, DEALT_BYTES, Dealt, FinishError, Participant, Plan},
    },
};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Shares are refreshed when they are this old, in log time.
const REFRESH_AFTER: i64 = 90 * DAY;
/// Where secrets of ceremonies are stored.
const CEREMONY_SECRETS: &str = "secret/ceremony/";
/// Where shares of keys are stored.
const SHARES: &str = "secret/token share/";

/// What the coalition calls for, read at one moment.
struct Standing {
    /// Where the factor lies of the rotation that is called for.
    factor: Option<String>,
    open: Option<(EntryId, CeremonyRow)>,
    begin: Option<Plan>,
    alone: Option<u32>,
    keyset: Option<Keyset>,
    kept: Vec<(u32, u32)>,
    sealed_to: BTreeMap<u16, AgeRecipient>,
}

/// Takes the next step, if one is this node's to take.
///
/// # Errors
/// When the database fails or a stored secret is damaged; the step is tried again.
pub async fn run(app: &App) -> anyhow::Result<()> {
    let standing = {
        let guard = app.coalition.read().await;
        let Some(coalition) = guard.as_ref().filter(|coalition| coalition.is_active()) else {
            return Ok(());
        };
        read(&coalition.state, app.me, app.now())
    };
    forget(app, &standing).await?;
    if let Some((id, row)) = &standing.open {
        return take_part(app, *id, row, &standing).await;
    }
    if let Some(plan) = standing.begin {
        return say(app, CeremonyStart { plan }.into()).await;
    }
    match standing.alone {
        Some(generation) => make_alone(app, generation).await,
        None => Ok(()),
    }
}

fn read(state: &State, me: NodeId, now: Moment) -> Standing {
    let keyset = ceremony::current(state);
    let nodes = keepers(state);
    let open = ceremony::open(state)
        .filter(|(_, row)| row.plan.id_of(&me).is_some())
        .map(|(id, row)| (id, row.clone()));
    let mine = nodes.contains(&me) && state.agreement().is_some();
    let too_soon = state.ceremonies.iter().any(|(_, row)| {
        let failed = row.failed;
        failed.is_some_and(|failed| now < failed.at.plus(ceremony::CEREMONY_PAUSE))
    });
    let begin = ceremony::wanted(state).or_else(|| {
        let plan = ceremony::refreshable(state)?;
        let row = state.keysets.get(&plan.generation)?;
        (row.handed_on || row.at.plus(REFRESH_AFTER) <= now).then_some(plan)
    });
    let begin = begin.filter(|_| mine && !too_soon && ceremony::open(state).is_none());
    let made_by_me = |keyset: &Keyset| keyset.keepers().iter().all(|keeper| keeper.node == me);
    let alone = (mine && nodes == [me] && state.closing.is_empty())
        .then_some(keyset.as_ref())
        .flatten()
        .filter(|keyset| !made_by_me(keyset) || rotation::has_failed(state))
        .map(|keyset| keyset.generation().saturating_add(1));
    let mut sealed_to = BTreeMap::new();
    for keeper in open.iter().flat_map(|(_, row)| &row.plan.keepers) {
        let key = state.document(keeper.node);
        let key = key.and_then(|document| Some(document.key(KeyUse::Age)?.public.0));
        let recipient = key.and_then(|key| AgeRecipient::from_bytes(key).ok());
        sealed_to.extend(recipient.map(|recipient| (keeper.id, recipient)));
    }
    Standing {
        kept: kept(state, open.as_ref().map(|(_, row)| row)),
        factor: rotation::open(state).map(|row| factor_place(row.position)),
        open,
        begin,
        alone,
        keyset,
        sealed_to,
    }
}

/// The shares that may still be needed: by generation and reshare.
fn kept(state: &State, open: Option<&CeremonyRow>) -> Vec<(u32, u32)> {
    let generations = [
        state.meta().generation,
        state.closing.get(&()).map(|closing| closing.generation),
    ];
    let of = |generation: u32| {
        let row = state.keysets.get(&generation)?;
        let keyset: Keyset = codec::decode(&row.bytes).ok()?;
        Some((keyset.generation(), keyset.reshare()))
    };
    let mut kept: Vec<(u32, u32)> = generations.into_iter().flatten().filter_map(of).collect();
    kept.extend(open.map(|row| (row.plan.generation, row.plan.reshare)));
    kept.extend(rotation::open(state).map(|row| (row.generation, 0)));
    kept
}

/// Erases what no ceremony, rotation or keyset needs any more: old shares above all.
async fn forget(app: &App, standing: &Standing) -> anyhow::Result<()> {
    let mut db = app.store.read("looking for old shares").await?;
    let mut names = store::node::secrets_beginning(&mut db, CEREMONY_SECRETS).await?;
    names.extend(store::node::secrets_beginning(&mut db, SHARES).await?);
    names.extend(store::node::secrets_beginning(&mut db, FACTORS).await?);
    drop(db);
    // Before the first keyset was folded there is nothing to compare with.
    if standing.kept.is_empty() {
        return Ok(());
    }
    let needed = |name: &String| {
        let open = standing.open.as_ref();
        let of_open = open.is_some_and(|(id, _)| *name == secret_place(*id));
        let mut shares = standing.kept.iter();
        of_open
            || standing.factor.as_ref() == Some(name)
            || shares.any(|(generation, reshare)| *name == share_place(*generation, *reshare))
    };
    let old: Vec<String> = names.into_iter().filter(|name| !needed(name)).collect();
    if old.is_empty() {
        return Ok(());
    }
    let mut tx = app.store.write("erasing old shares").await?;
    // A sole keeper's fresh share waits for its keyset to be folded.
    if store::outbox::waiting_of(&mut tx, "keyset").await? > 0 {
        return Ok(());
    }
    for name in old {
        store::node::delete_secret(&mut tx, &name).await?;
    }
    tx.commit().await?;
    Ok(())
}

fn secret_place(ceremony: EntryId) -> String {
    format!("{CEREMONY_SECRETS}{ceremony}")
}

/// Queues an entry unless one of its kind waits: then the log has not caught up with this node.
pub(super) async fn say_in(app: &App, tx: &mut Write, entry: Entry) -> store::Result<bool> {
    if store::outbox::waiting_of(&mut *tx, entry.kind()).await? > 0 {
        return Ok(false);
    }
    outbox::queue(app, tx, entry, None).await?;
    Ok(true)
}

pub(super) async fn say(app: &App, entry: Entry) -> anyhow::Result<()> {
    let mut tx = app.store.write("taking part in a key ceremony").await?;
    if say_in(app, &mut tx, entry).await? {
        tx.commit().await?;
        app.wake.outbox.notify_one();
    }
    Ok(())
}

async fn take_part(
    app: &App,
    id: EntryId,
    row: &CeremonyRow,
    standing: &Standing,
) -> anyhow::Result<()> {
    let Some(own) = row.plan.id_of(&app.me) else {
        return Ok(());
    };
    if row.plan.kind == CeremonyKind::HandOn {
        return hand_on::take_part(app, id, row, own, standing).await;
    }
    if !row.committed.iter().any(|known| known.keeper == own) {
        return commit(app, id, &row.plan, own).await;
    }
    if row.keyset.is_none() {
        return Ok(());
    }
    let all = row.plan.keepers.len();
    let dealt = row.dealt.iter().any(|known| known.from == own);
    if dealt && (row.dealt.len() < all || row.confirmed.contains(&own)) {
        return Ok(());
    }
    let Some(participant) = participant(app, id).await? else {
        return complain(app, id, own, Complaint::Lost).await;
    };
    if !dealt {
        return deal(app, id, row, &participant, standing).await;
    }
    finish(app, id, row, own, &participant, standing).await
}

async fn participant(app: &App, id: EntryId) -> anyhow::Result<Option<Participant>> {
    let place = secret_place(id);
    let mut db = app.store.read("reading a ceremony's secret").await?;
    let Some(sealed) = store::node::secret(&mut db, &place).await? else {
        return Ok(None);
    };
    let bytes = Zeroizing::new(app.rest.open(&place, &sealed)?);
    Ok(Some(Participant::from_bytes(&bytes)?))
}

/// The secret and the entry are written together: neither exists without the other.
async fn commit(app: &App, id: EntryId, plan: &Plan, own: u16) -> anyhow::Result<()> {
    let mut rng = crate::ambient::rng();
    let (participant, commitments) = Participant::commit(plan, own, &mut rng)?;
    let entry = CeremonyCommit {
        ceremony: id,
        commitments: codec::encode(&commitments),
    };
    let place = secret_place(id);
    let sealed = app.rest.seal(&place, &participant.to_bytes(), &mut rng);
    let mut tx = app.store.write("committing in a key ceremony").await?;
    if say_in(app, &mut tx, entry.into()).await? {
        store::node::put_secret(&mut tx, &place, &sealed).await?;
        tx.commit().await?;
        app.wake.outbox.notify_one();
    }
    Ok(())
}

async fn deal(
    app: &App,
    id: EntryId,
    row: &CeremonyRow,
    participant: &Participant,
    standing: &Standing,
) -> anyhow::Result<()> {
    let dealt = participant.deal(&row.plan, &ceremony::commitments(row))?;
    let mut parts = Vec::new();
    for (to, part) in dealt {
        let sealed = sealed_to(standing, to, &part)?;
        parts.push(SealedPart { to, sealed });
    }
    say(
        app,
        CeremonyDeal {
            ceremony: id,
            parts,
        }
        .into(),
    )
    .await
}

async fn finish(
    app: &App,
    id: EntryId,
    row: &CeremonyRow,
    own: u16,
    participant: &Participant,
    standing: &Standing,
) -> anyhow::Result<()> {
    let dealt = match opened(app, row, own) {
        Ok(dealt) => dealt,
        Err(from) => return complain(app, id, from, Complaint::Sealed).await,
    };
    let before = match &standing.keyset {
        Some(keyset) if keyset.generation() == row.plan.generation => {
            let share = share_of(app, keyset.generation(), keyset.reshare()).await?;
            share.map(|share| (share, keyset))
        }
        _ => None,
    };
    let before = before.as_ref().map(|(share, keyset)| (share, *keyset));
    let all = ceremony::commitments(row);
    let share = match participant.finish(&row.plan, &all, &dealt, before) {
        Ok(share) => share,
        Err(FinishError::Dealt(from)) => return complain(app, id, from, Complaint::Unfit).await,
        Err(FinishError::Mismatch) => return complain(app, id, own, Complaint::Lost).await,
    };
    let Some(keyset) = &row.keyset else {
        return Ok(());
    };
    let entry = CeremonyConfirm {
        ceremony: id,
        digest: Hash::of(keyset),
    };
    let mut tx = app.store.write("confirming a share of the keys").await?;
    if say_in(app, &mut tx, entry.into()).await? {
        put_share(app, &mut tx, &share).await?;
        tx.commit().await?;
        app.wake.outbox.notify_one();
    }
    Ok(())
}

/// What others dealt to this keeper; whose part cannot be opened.
fn opened(app: &App, row: &CeremonyRow, own: u16) -> Result<BTreeMap<u16, Dealt>, u16> {
    let mut dealt = BTreeMap::new();
    for known in row.dealt.iter().filter(|known| known.from != own) {
        let part = known.parts.iter().find(|part| part.to == own);
        let part = part.and_then(|part| unsealed(app, &part.sealed));
        dealt.insert(known.from, part.ok_or(known.from)?);
    }
    Ok(dealt)
}

fn unsealed(app: &App, sealed: &[u8]) -> Option<Dealt> {
    let opened = Zeroizing::new(app.keys().open(sealed, DEALT_BYTES).ok()?);
    Some(Zeroizing::new(opened.as_slice().try_into().ok()?))
}

/// Seals what is meant for one keeper to it.
fn sealed_to(standing: &Standing, to: u16, dealt: &Dealt) -> anyhow::Result<Vec<u8>> {
    let recipient = standing.sealed_to.get(&to);
    let recipient = recipient
        .ok_or_else(|| anyhow::anyhow!("the document of keeper {to} has no key for sealing"))?;
    Ok(seal::seal(
        dealt.as_slice(),
        std::slice::from_ref(recipient),
    )?)
}

async fn complain(app: &App, id: EntryId, about: u16, why: Complaint) -> anyhow::Result<()> {
    tracing::warn!(about, ?why, "a key ceremony has failed");
    let entry = CeremonyAbandon {
        ceremony: id,
        about,
        why,
    };
    say(app, entry.into()).await
}

pub(super) async fn put_share(
    app: &App,
    tx: &mut Write,
    share: &KeyShare,
) -> Result<(), StoreError> {
    let place = share_place(share.generation(), share.reshare());
    let mut rng = crate::ambient::rng();
    let sealed = app.rest.seal(&place, &share.to_bytes(), &mut rng);
    store::node::put_secret(&mut *tx, &place, &sealed).await
}

/// A sole keeper makes the next key by itself.
async fn make_alone(app: &App, generation: u32) -> anyhow::Result<()> {
    let (share, keyset) = KeyShare::found(generation, app.me, &mut crate::ambient::rng());
    let entry = KeysetEntry {
        keyset: codec::encode(&keyset),
    };
    let mut tx = app.store.write("making a key alone").await?;
    if say_in(app, &mut tx, entry.into()).await? {
        put_share(app, &mut tx, &share).await?;
        tx.commit().await?;
        app.wake.outbox.notify_one();
    }
    Ok(())
}
