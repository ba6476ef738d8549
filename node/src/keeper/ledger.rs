//! What a restored keeper does about evaluations that it has forgotten: it takes over the ledgers of the
//! other keepers of the same keys before it evaluates again. Spec: section 8.5.
//!
//! Every batch that came to its member stands in the ledgers of t keepers. A keeper that has asked n - t + 1
//! others has asked one that knows it, whichever they are. A sole keeper has nobody to ask: as much as each
//! member can have had evaluated since the copy was made counts as spent.

use super::growth;
use crate::{
    app::App,
    federation::ledger::{Ask, Place},
    store::{self, Write, keeper::Slot},
    sync::{
        keeper_client::{Keeper, KeeperError},
        keepers::Seat,
    },
};
use protocol::{
    codec,
    limits::{GROWTH_TIME, LEDGER_PAGE, LEDGER_PAGES, LEDGER_RETRY},
    state::State,
    time::Moment,
    token::{Class, Keyset},
};

/// The keyset of a generation, as far as this node has folded.
pub async fn keyset(app: &App, generation: u32) -> Option<Keyset> {
    let guard = app.coalition.read().await;
    let row = guard.as_ref()?.state.keysets.get(&generation)?;
    codec::decode(&row.bytes).ok()
}

/// This node's tables are of an earlier moment: the ledgers of the generations that are evaluated may have
/// gaps since.
///
/// # Errors
/// When the database fails.
pub async fn note_restored(
    app: &App,
    tx: &mut Write,
    state: &State,
    since: Moment,
) -> store::Result<()> {
    let closing = state.closing.get(&()).map(|closing| closing.generation);
    for generation in [state.meta().generation, closing].into_iter().flatten() {
        let row = state.keysets.get(&generation);
        let keyset: Option<Keyset> = row.and_then(|row| codec::decode(&row.bytes).ok());
        let Some(keyset) = keyset.filter(|keyset| keyset.id_of(&app.me).is_some()) else {
            continue;
        };
        if keyset.keepers().len() == 1 {
            count_lost(app, tx, state, generation, since).await?;
        } else {
            store::ledger::note_gap(&mut *tx, generation).await?;
        }
    }
    Ok(())
}

/// Nobody else knows what a sole keeper has forgotten, but in each day it evaluated no more for a member
/// than a list may grow: that much counts as spent for each day since that has begun.
async fn count_lost(
    app: &App,
    tx: &mut Write,
    state: &State,
    generation: u32,
    since: Moment,
) -> store::Result<()> {
    let lost = app.now().since(since).max(0);
    let days = u64::try_from(lost / GROWTH_TIME).unwrap_or(0) + 1;
    let budgets = state.rules().map(|(_, rules)| rules.token_budget);
    for (member, _) in state.roster() {
        for class in Class::ALL {
            let budget = budgets.and_then(|of| of.get(class as usize).copied());
            let most = growth::allowed(budget.unwrap_or(0)).saturating_mul(days);
            let slot = Slot {
                member: *member,
                class: class as i64,
                generation: i64::from(generation),
                slot: 0,
            };
            store::ledger::count_lost(&mut *tx, slot, most, since.0).await?;
        }
    }
    Ok(())
}

/// Asks other keepers for their ledgers, where this one's may have gaps.
///
/// # Errors
/// When the database fails; a keeper that does not answer is asked again later.
pub async fn run(app: &App) -> anyhow::Result<()> {
    let mut db = app.store.read("looking for gaps in the ledger").await?;
    let gaps = store::ledger::gaps(&mut db).await?;
    drop(db);
    for (generation, asked_at) in gaps {
        if app.now() < Moment(asked_at).plus(LEDGER_RETRY) {
            continue;
        }
        let Some(asked) = to_ask(app, generation).await else {
            close(app, generation).await?;
            continue;
        };
        let mut told = 0;
        for other in &asked.others {
            match take_over(app, other, generation).await {
                Ok(()) => told += 1,
                Err(error) => {
                    tracing::warn!(generation, %error, "a keeper's ledger could not be had");
                }
            }
        }
        if told >= asked.needed {
            close(app, generation).await?;
            tracing::info!(generation, "the ledger of evaluations is whole again");
        } else {
            let mut tx = app.store.write("noting an answer that is missing").await?;
            store::ledger::asked(&mut tx, generation, app.now().0).await?;
            tx.commit().await?;
        }
    }
    Ok(())
}

struct Asked {
    others: Vec<Keeper>,
    /// How many must have told all.
    needed: usize,
}

/// Whom to ask about a generation; none where nobody evaluates under it any more, or this node does not.
async fn to_ask(app: &App, generation: u32) -> Option<Asked> {
    let guard = app.coalition.read().await;
    let coalition = guard.as_ref()?;
    let state = &coalition.state;
    let closing = state.closing.get(&()).map(|closing| closing.generation);
    let in_use = [state.meta().generation, closing].contains(&Some(generation));
    let row = state.keysets.get(&generation).filter(|_| in_use)?;
    let keyset: Keyset = codec::decode(&row.bytes).ok()?;
    keyset.id_of(&app.me)?;
    let others = keyset
        .keepers()
        .iter()
        .filter(|keeper| keeper.node != app.me);
    let others = others.filter_map(|keeper| Seat::of_member(app, coalition, keeper.node));
    let known = keyset.keepers().len();
    Some(Asked {
        others: others
            .map(|seat| Keeper::at(coalition.row.id, seat))
            .collect(),
        needed: known + 1 - usize::from(keyset.threshold()),
    })
}

async fn close(app: &App, generation: u32) -> store::Result<()> {
    let mut tx = app.store.write("closing a gap in the ledger").await?;
    store::ledger::close_gap(&mut tx, generation).await?;
    tx.commit().await
}

/// Takes over the whole ledger of one keeper, page by page.
async fn take_over(app: &App, other: &Keeper, generation: u32) -> anyhow::Result<()> {
    let mut after: Option<Place> = None;
    for _ in 0..LEDGER_PAGES {
        let page = other.ledger(app, &Ask { generation, after }).await?;
        let last = page.slots.last().map(|slot| slot.place);
        anyhow::ensure!(
            page.slots.len() <= LEDGER_PAGE,
            KeeperError::Unreadable("a page of a ledger is too long".to_owned())
        );
        let mut tx = app.store.write("taking over a ledger").await?;
        for slot in &page.slots {
            store::ledger::take_over(&mut tx, generation, &slot.line()).await?;
        }
        tx.commit().await?;
        if page.slots.len() < LEDGER_PAGE {
            return Ok(());
        }
        after = last;
    }
    anyhow::bail!("the ledger has more slots than members can have filled")
}
