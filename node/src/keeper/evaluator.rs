//! Evaluates blinded points under a budget per member. Spec: section 8.5, and `spec/matching.md`.
//!
//! A slot is bound to the digest of its points before anything is evaluated, on disk: the same batch
//! again costs nothing, another one in its place is refused.

use super::growth;
use crate::{
    app::App,
    http::problem::Failure,
    store::{self, StoreError, keeper::Slot},
};
use protocol::{
    codec,
    id::NodeId,
    limits::GROWTH_TIME,
    problem::{Problem, ProblemKind},
    time::Moment,
    token::{EvalReply, EvalRequest, KeyShare, Keyset},
};

/// Where the keeper's share of the key is stored, and to which it is sealed.
#[must_use]
pub fn share_place(generation: u32, reshare: u32) -> String {
    format!("secret/token share/{generation}/{reshare}")
}

/// Evaluates a batch, once it is paid for.
///
/// # Errors
/// [`Failure`]: this node was restored and has not made good what it forgot, another key in use, budget used up, slot used for other points, malformed points.
pub async fn evaluate(
    app: &App,
    member: NodeId,
    request: EvalRequest,
) -> Result<EvalReply, Failure> {
    let (id, keyset, budget) = standing(app, &request).await?;
    must_remember(app, &keyset).await?;
    let share = share_of(app, keyset.generation(), keyset.reshare()).await?;
    let share = share.ok_or_else(no_key)?;
    request
        .check(&share, &keyset, &id)
        .map_err(|error| Failure::new(ProblemKind::Unsupported, error.to_string()))?;
    charge(app, member, &request, budget).await?;
    let work = tokio::task::spawn_blocking(move || {
        protocol::token::evaluate(
            &share,
            &keyset,
            &id,
            &member,
            &request,
            &mut crate::ambient::rng(),
        )
    });
    work.await
        .map_err(Failure::internal)?
        .map_err(|error| Failure::new(ProblemKind::Unsupported, error.to_string()))
}

/// Refuses while this keeper may have forgotten what was spent.
async fn must_remember(app: &App, keyset: &Keyset) -> Result<(), Failure> {
    let mut db = app.store.read("looking for gaps in the ledger").await?;
    let gap = store::ledger::has_gap(&mut db, keyset.generation()).await?;
    drop(db);
    if gap || app.kept.refused().is_some() {
        return Err(restored());
    }
    Ok(())
}

fn restored() -> Failure {
    Failure::new(
        ProblemKind::Repair,
        "this keeper was restored and has not learned yet what was evaluated before; ask another one, or again later",
    )
}

async fn standing(
    app: &App,
    request: &EvalRequest,
) -> Result<(protocol::id::CoalitionId, Keyset, u64), Failure> {
    let guard = app.coalition.read().await;
    let coalition = guard.as_ref().ok_or_else(no_key)?;
    if !coalition.is_active() {
        return Err(restored());
    }
    let state = &coalition.state;
    let meta = state.meta();
    // While an older generation closes, new points need its tokens too.
    let closing = state.closing.get(&()).map(|closing| closing.generation);
    if ![meta.generation, closing].contains(&Some(request.generation)) {
        return Err(Failure::new(
            ProblemKind::KeyChanged,
            "evaluate under the generation in use",
        ));
    }
    let row = state.keysets.get(&request.generation).ok_or_else(no_key)?;
    let keyset: Keyset = codec::decode(&row.bytes).map_err(Failure::internal)?;
    let class = request.class as usize;
    let budget = state
        .rules()
        .and_then(|(_, rules)| rules.token_budget.get(class).copied())
        .unwrap_or(0);
    Ok((meta.coalition, keyset, budget))
}

fn no_key() -> Failure {
    Failure::new(
        ProblemKind::UnknownCoalition,
        "this node evaluates for no coalition",
    )
}

/// This node's share of a keyset; none when it has none.
///
/// # Errors
/// [`StoreError`] when the database fails or the stored share is damaged.
pub async fn share_of(
    app: &App,
    generation: u32,
    reshare: u32,
) -> Result<Option<KeyShare>, StoreError> {
    let place = share_place(generation, reshare);
    let mut db = app.store.read("reading the token share").await?;
    let Some(sealed) = store::node::secret(&mut db, &place).await? else {
        return Ok(None);
    };
    let damaged = |error: String| StoreError::damaged("secret", error);
    let bytes = app.rest.open(&place, &sealed);
    let bytes = zeroize::Zeroizing::new(bytes.map_err(|error| damaged(error.to_string()))?);
    let share = KeyShare::from_bytes(&bytes).map_err(|error| damaged(error.to_string()))?;
    Ok(Some(share))
}

async fn charge(
    app: &App,
    member: NodeId,
    request: &EvalRequest,
    budget: u64,
) -> Result<(), Failure> {
    let slot = Slot {
        member,
        class: request.class as i64,
        generation: i64::from(request.generation),
        slot: store::integer(request.slot),
    };
    let digest = request.points.digest();
    let points = request.points.count() as u64;
    let now = app.now();
    let mut tx = app.store.write("charging an evaluation").await?;
    match store::keeper::slot_digest(&mut tx, slot).await? {
        Some(bound) if bound == digest.0 => return Ok(()),
        Some(_) => {
            return Err(Failure::new(
                ProblemKind::Conflict,
                "this slot was used for other points; take the next one",
            ));
        }
        None => {}
    }
    if store::keeper::points_used(&mut tx, slot)
        .await?
        .saturating_add(points)
        > budget
    {
        let mut problem = Problem::new(
            ProblemKind::Budget,
            "the agreement's budget of evaluations for this class is used up; a higher one needs a new version of \
             the agreement",
            "",
        );
        problem.limit = Some(budget);
        return Err(Failure(Box::new(problem)));
    }
    let lately = store::keeper::points_since(&mut tx, slot, now.plus(-GROWTH_TIME).0).await?;
    if let Some(again) = growth::goes_on(&lately, points, growth::allowed(budget)) {
        return Err(too_fast(again, now, growth::allowed(budget)));
    }
    store::keeper::bind_slot(&mut tx, slot, &digest.0, points, now.0).await?;
    tx.commit().await?;
    Ok(())
}

fn too_fast(again: Moment, now: Moment, allowed: u64) -> Failure {
    let at = jiff::Timestamp::from_millisecond(again.0).map_or_else(
        |_| "a later day".to_owned(),
        |at| at.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    );
    let mut problem = Problem::new(
        ProblemKind::Growth,
        format!(
            "a list grows by at most {allowed} evaluated points of one class in a day; this one goes on at {at}, by itself"
        ),
        "",
    );
    problem.limit = Some(allowed);
    problem.retry_after_ms = Some(again.since(now).max(1).unsigned_abs());
    Failure(Box::new(problem))
}
