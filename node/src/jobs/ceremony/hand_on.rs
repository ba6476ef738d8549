//! A keeper's part where a share is handed on: helpers deal to each other, sum what they got and hand the
//! sums to the new keeper, which holds its share against the keyset. Spec: `spec/matching.md`, 3.7.
//!
//! A helper draws its parts once and keeps them sealed until the ceremony is over, so that a restart between
//! any two steps says the same again.

use super::{
    Standing, complain, opened, put_share, say, say_in, sealed_to, secret_place, unsealed,
};
use crate::{app::App, keeper::evaluator::share_of, store};
use protocol::{
    entry::ceremony::{CeremonyConfirm, CeremonyDeal, CeremonyHandOn, Complaint, SealedPart},
    id::{EntryId, Hash},
    state::rows::CeremonyRow,
    token::{
        Keyset,
        ceremony::{DEALT_BYTES, Dealt, gather, help, join},
    },
};
use std::collections::BTreeMap;
use zeroize::Zeroizing;

pub(super) async fn take_part(
    app: &App,
    id: EntryId,
    row: &CeremonyRow,
    own: u16,
    standing: &Standing,
) -> anyhow::Result<()> {
    let Some(before) = &standing.keyset else {
        return Ok(());
    };
    let helpers = row.plan.helpers(before);
    let Some(newcomer) = row.plan.newcomer(before) else {
        return Ok(());
    };
    if own == newcomer {
        return receive(app, id, row, own, before).await;
    }
    let summed = row.summed.iter().any(|known| known.from == own);
    if !helpers.contains(&own) || summed {
        return Ok(());
    }
    if !row.dealt.iter().any(|known| known.from == own) {
        return deal(app, id, (&helpers, own, newcomer), standing, before).await;
    }
    if row.dealt.len() < helpers.len() {
        return Ok(());
    }
    let Some(mut parts) = kept(app, id, &helpers).await? else {
        return complain(app, id, own, Complaint::Lost).await;
    };
    let mut dealt = match opened(app, row, own) {
        Ok(dealt) => dealt,
        Err(from) => return complain(app, id, from, Complaint::Sealed).await,
    };
    dealt.extend(parts.remove(&own).map(|part| (own, part)));
    let dealt: Vec<Dealt> = dealt.into_values().collect();
    let Ok(sum) = gather(&dealt) else {
        return complain(app, id, own, Complaint::Unfit).await;
    };
    let entry = CeremonyHandOn {
        ceremony: id,
        sealed: sealed_to(standing, newcomer, &sum)?,
    };
    say(app, entry.into()).await
}

/// Splits this keeper's share for the others; the parts and the entry are written together.
async fn deal(
    app: &App,
    id: EntryId,
    (helpers, own, newcomer): (&[u16], u16, u16),
    standing: &Standing,
    before: &Keyset,
) -> anyhow::Result<()> {
    let Some(share) = share_of(app, before.generation(), before.reshare()).await? else {
        return complain(app, id, own, Complaint::Lost).await;
    };
    let mut rng = crate::ambient::rng();
    let Ok(parts) = help(&share, before, helpers, newcomer, &mut rng) else {
        return complain(app, id, own, Complaint::Lost).await;
    };
    let mut bytes = Zeroizing::new(Vec::with_capacity(parts.len() * DEALT_BYTES));
    for part in parts.values() {
        bytes.extend_from_slice(part.as_slice());
    }
    let others = parts.iter().filter(|(to, _)| **to != own);
    let sealed = others.map(|(to, part)| {
        let sealed = sealed_to(standing, *to, part)?;
        Ok(SealedPart { to: *to, sealed })
    });
    let entry = CeremonyDeal {
        ceremony: id,
        parts: sealed.collect::<anyhow::Result<_>>()?,
    };
    let place = secret_place(id);
    let sealed = app.rest.seal(&place, &bytes, &mut rng);
    let mut tx = app
        .store
        .write("splitting a share for a new keeper")
        .await?;
    if say_in(app, &mut tx, entry.into()).await? {
        store::node::put_secret(&mut tx, &place, &sealed).await?;
        tx.commit().await?;
        app.wake.outbox.notify_one();
    }
    Ok(())
}

/// The parts that this keeper drew, by helper.
async fn kept(
    app: &App,
    id: EntryId,
    helpers: &[u16],
) -> anyhow::Result<Option<BTreeMap<u16, Dealt>>> {
    let place = secret_place(id);
    let mut db = app.store.read("reading a ceremony's secret").await?;
    let Some(sealed) = store::node::secret(&mut db, &place).await? else {
        return Ok(None);
    };
    let bytes = Zeroizing::new(app.rest.open(&place, &sealed)?);
    let (parts, rest) = bytes.as_chunks::<DEALT_BYTES>();
    if parts.len() != helpers.len() || !rest.is_empty() {
        return Ok(None);
    }
    let parts = parts.iter().map(|part| Zeroizing::new(*part));
    Ok(Some(helpers.iter().copied().zip(parts).collect()))
}

/// The new keeper puts its share together, and takes it only if it is the one that the keyset calls for.
async fn receive(
    app: &App,
    id: EntryId,
    row: &CeremonyRow,
    own: u16,
    before: &Keyset,
) -> anyhow::Result<()> {
    let Some(keyset) = &row.keyset else {
        return Ok(());
    };
    let mut sums = Vec::new();
    for known in &row.summed {
        match unsealed(app, &known.sealed) {
            Some(sum) => sums.push(sum),
            None => return complain(app, id, known.from, Complaint::Sealed).await,
        }
    }
    let Ok(share) = join(before, own, &sums) else {
        // Nobody can tell which of the helpers did it: fresh keys are made.
        return complain(app, id, own, Complaint::Unfit).await;
    };
    let entry = CeremonyConfirm {
        ceremony: id,
        digest: Hash::of(keyset),
    };
    let mut tx = app
        .store
        .write("confirming a share that was handed on")
        .await?;
    if say_in(app, &mut tx, entry.into()).await? {
        put_share(app, &mut tx, &share).await?;
        tx.commit().await?;
        app.wake.outbox.notify_one();
    }
    Ok(())
}
