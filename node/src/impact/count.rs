//! Counting a claim as it is decided.

use crate::{
    store::{self, Write, impact::Count},
    sync::react::Event,
};
use protocol::{
    channel::Channel,
    entry::Entry,
    fold::{Outcome, claim::Refusal},
    id::NodeId,
    state::State,
    token::Token,
};
use std::collections::BTreeMap;

/// A quarter of an hour, in milliseconds.
pub(super) const QUARTER: i64 = 900_000;

/// Counts what a claim asked for, was granted, and was spared.
///
/// A contact point that an ally holds, or contacted lately, is a visit spared through that ally: once
/// within the recontact window, however often it is asked for.
///
/// # Errors
/// When the database fails.
pub async fn react(tx: &mut Write, state: &State, event: &Event<'_>) -> anyhow::Result<()> {
    let (Entry::Claim(claim), Outcome::Claim(decision)) = (event.entry, event.outcome) else {
        return Ok(());
    };
    let Some((_, rules)) = state.rules() else {
        return Ok(());
    };
    let (node, channel, now) = (event.at.author, claim.channel, event.at.time);
    let quarter = now.0.div_euclid(QUARTER);
    let mut refused: BTreeMap<(&str, Option<NodeId>), Vec<Token>> = BTreeMap::new();
    for (token, refusal) in &decision.refused {
        refused.entry(through(refusal)).or_default().push(*token);
    }
    let asked = (decision.granted.len() + decision.refused.len()) as u64;
    add(tx, quarter, node, channel, ("asked", None), asked).await?;
    let granted = decision.granted.len() as u64;
    add(tx, quarter, node, channel, ("granted", None), granted).await?;
    let before = now.plus(-rules.recontact(channel)).0;
    store::impact::forget(&mut *tx, channel, before).await?;
    for (why, tokens) in refused {
        let points = if why.1.is_some_and(|by| by != node) {
            store::impact::spare(&mut *tx, node, channel, &tokens, now.0).await?
        } else {
            tokens.len() as u64
        };
        add(tx, quarter, node, channel, why, points).await?;
    }
    Ok(())
}

/// Why a contact point was refused, and through whom a visit is spared. One's own claim spares nothing.
fn through(refusal: &Refusal) -> (&'static str, Option<NodeId>) {
    match refusal {
        Refusal::Held { by, .. } => ("held", Some(*by)),
        Refusal::Recent { by, .. } => ("recent", Some(*by)),
        Refusal::Capped { .. } => ("capped", None),
        Refusal::Suppressed { .. } => ("suppressed", None),
    }
}

async fn add(
    tx: &mut Write,
    quarter: i64,
    node: NodeId,
    channel: Channel,
    (what, by): (&str, Option<NodeId>),
    points: u64,
) -> store::Result<()> {
    let count = Count {
        quarter,
        node,
        channel,
        what: what.to_owned(),
        by,
        points,
    };
    store::impact::add(tx, &count).await
}
