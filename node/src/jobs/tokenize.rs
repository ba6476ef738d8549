//! Turns contact points and person keys into match tokens, batch by batch.
//!
//! A batch is written down before its request leaves: after a crash the same bytes are sent again,
//! so that the keeper recognizes them and charges nothing twice. Spec: `spec/matching.md`, section 3.

use crate::{
    app::App,
    store::{
        self, StoreError,
        token_job::{Evaluated, Job, Waiting},
    },
    sync::{
        keeper_client::{Keeper, KeeperError},
        keepers::Seat,
    },
};
use protocol::{
    codec,
    id::{CoalitionId, NodeId},
    problem::ProblemKind,
    time::Moment,
    token::{
        BlindedBatch, Class, CombineError, EVAL_POINTS, EvalReply, EvalRequest, Keyset,
        PrepareError, Quorum, TokenKey, VerifyError, blind,
    },
};
use std::sync::Arc;

/// How soon a keeper that was not reached is asked again.
const RETRY: i64 = 10_000;
/// How soon a used-up budget is tried again: a new agreement may have raised it.
const RETRY_BUDGET: i64 = 60_000;

/// Why a batch brought no tokens.
#[derive(Debug, thiserror::Error)]
enum BatchError {
    #[error(transparent)]
    Keeper(#[from] KeeperError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the keeper's evaluation does not hold: {0}")]
    Verify(#[from] VerifyError),
    #[error("the keepers' evaluations do not fit together: {0}")]
    Combine(#[from] CombineError),
    #[error("the points are no batch: {0}")]
    Prepare(#[from] PrepareError),
    #[error("{0}")]
    Other(String),
}

/// Under what this node has its points evaluated.
struct Basis {
    coalition: CoalitionId,
    keyset: Arc<Keyset>,
    quorum: Quorum,
    keeper: Keeper,
}

/// Has one batch of each class evaluated, and asks to be run again while more wait.
///
/// # Errors
/// When the database fails. What the keeper refuses is noted and tried again later.
pub async fn run(app: &App) -> anyhow::Result<()> {
    let Some(basis) = basis(app).await? else {
        return Ok(());
    };
    for class in Class::ALL {
        let mut db = app.store.read("looking for points without tokens").await?;
        let retry_at = store::token_job::retry_at(&mut db, class).await?;
        drop(db);
        if retry_at.is_some_and(|at| app.now() < Moment(at)) {
            continue;
        }
        match one_batch(app, &basis, class).await {
            Ok(0) => {}
            Ok(_) => {
                if retry_at.is_some() {
                    let mut tx = app.store.write("forgetting a token problem").await?;
                    store::token_job::clear_problem(&mut tx, class).await?;
                    tx.commit().await?;
                }
                app.wake.jobs.notify_one();
            }
            Err(BatchError::Store(error)) => return Err(error.into()),
            Err(error) => note(app, class, &error).await?,
        }
    }
    Ok(())
}

async fn note(app: &App, class: Class, error: &BatchError) -> anyhow::Result<()> {
    let budget =
        matches!(error, BatchError::Keeper(error) if error.kind() == Some(ProblemKind::Budget));
    let wait = if budget { RETRY_BUDGET } else { RETRY };
    tracing::warn!(%class, %error, "a batch of match tokens waits");
    let now = app.now();
    let mut tx = app.store.write("noting a token problem").await?;
    store::token_job::put_problem(&mut tx, class, &error.to_string(), now.0, now.plus(wait).0)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// The keyset in use; none before there is one.
async fn basis(app: &App) -> anyhow::Result<Option<Basis>> {
    let guard = app.coalition.read().await;
    let Some(coalition) = guard.as_ref().filter(|coalition| coalition.is_active()) else {
        return Ok(None);
    };
    let meta = coalition.state.meta();
    let row = meta
        .generation
        .and_then(|generation| coalition.state.keysets.get(&generation));
    // Evaluating needs a budget, and budgets come with an agreement.
    let (Some(row), Some(_)) = (row, coalition.state.rules()) else {
        return Ok(None);
    };
    let keyset: Keyset = codec::decode(&row.bytes)?;
    // Who holds the share evaluates, a keeper or not any more.
    let holder = keyset.keepers().first();
    let holder = holder.ok_or_else(|| anyhow::anyhow!("the key of match tokens has no share"))?;
    let seat = Seat::of_member(app, coalition, holder.node).ok_or_else(|| {
        anyhow::anyhow!("the member with the key of match tokens has no address any more")
    })?;
    let keeper = Keeper::at(meta.coalition, seat);
    let quorum = keyset.quorum(&[holder.id])?;
    Ok(Some(Basis {
        coalition: meta.coalition,
        keyset: Arc::new(keyset),
        quorum,
        keeper,
    }))
}

/// Evaluates the batch that was begun, or a new one; how many points got tokens.
async fn one_batch(app: &App, basis: &Basis, class: Class) -> Result<usize, BatchError> {
    let generation = basis.keyset.generation();
    let Some((job, points)) = begin(app, class, generation).await? else {
        return Ok(0);
    };
    let place = secret_place(class, generation, job.slot);
    let secret: [u8; 32] = app
        .rest
        .open(&place, &job.job_secret)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| StoreError::damaged("token_job", "job_secret"))?;
    let (batch, request) = prepare(basis, class, job.slot, &secret, &points).await?;
    let reply = match basis.keeper.evaluate(app, &request).await {
        Ok(reply) => reply,
        Err(error) => {
            if error.kind() == Some(ProblemKind::Conflict) {
                // The keeper knows other points under this number, as after a restore: take the next.
                end(app, class, generation, &job, &[]).await?;
                app.wake.jobs.notify_one();
            }
            return Err(error.into());
        }
    };
    let evaluated = finish(app, basis, class, batch, reply, points).await?;
    end(app, class, generation, &job, &evaluated).await?;
    Ok(evaluated.len())
}

/// The open batch, or one made of points that wait; none when none do.
async fn begin(
    app: &App,
    class: Class,
    generation: u32,
) -> Result<Option<(Job, Vec<Waiting>)>, StoreError> {
    let mut db = app.store.read("looking for points without tokens").await?;
    if let Some(job) = store::token_job::open(&mut db, class, generation).await? {
        if let Some(points) = store::token_job::of_job(&mut db, &job).await? {
            return Ok(Some((job, points)));
        }
        // A point was deleted meanwhile: its batch cannot be built again.
        drop(db);
        end(app, class, generation, &job, &[]).await?;
        db = app.store.read("looking for points without tokens").await?;
    }
    let points = store::token_job::waiting(&mut db, class, generation, EVAL_POINTS).await?;
    drop(db);
    if points.is_empty() {
        return Ok(None);
    }
    let mut tx = app.store.write("beginning a batch of tokens").await?;
    let slot = store::token_job::next_slot(&mut tx, class, generation).await?;
    let mut secret = zeroize::Zeroizing::new([0; 32]);
    rand_core::RngCore::fill_bytes(&mut crate::ambient::rng(), secret.as_mut());
    let place = secret_place(class, generation, slot);
    let job = Job {
        slot,
        job_secret: app
            .rest
            .seal(&place, secret.as_ref(), &mut crate::ambient::rng()),
        points: points.iter().map(|point| point.point_id.clone()).collect(),
    };
    store::token_job::insert(&mut tx, class, generation, &job).await?;
    tx.commit().await?;
    Ok(Some((job, points)))
}

fn secret_place(class: Class, generation: u32, slot: u64) -> String {
    format!("token_job/job_secret/{class}/{generation}/{slot}")
}

/// To what a point's element is sealed.
#[must_use]
pub fn element_place(point_id: &str) -> String {
    format!("point/element/{point_id}")
}

async fn prepare(
    basis: &Basis,
    class: Class,
    slot: u64,
    secret: &[u8; 32],
    points: &[Waiting],
) -> Result<(BlindedBatch, EvalRequest), BatchError> {
    let secret = zeroize::Zeroizing::new(*secret);
    let values: Vec<_> = points.iter().map(|point| point.value.clone()).collect();
    let (keyset, quorum, coalition) = (basis.keyset.clone(), basis.quorum.clone(), basis.coalition);
    let work = move || {
        let batch = blind::prepare(&secret, &coalition, &keyset, class, slot, &values)?;
        let request = batch.request(&quorum);
        Ok((batch, request))
    };
    blocking(work).await
}

/// Checks the answer, unblinds it and seals the elements.
async fn finish(
    app: &App,
    basis: &Basis,
    class: Class,
    batch: BlindedBatch,
    reply: EvalReply,
    points: Vec<Waiting>,
) -> Result<Vec<Evaluated>, BatchError> {
    let (app, me): (App, NodeId) = (app.clone(), app.me);
    let (keyset, quorum, coalition) = (basis.keyset.clone(), basis.quorum.clone(), basis.coalition);
    let work = move || {
        let share = batch.verify(&keyset, &me, &quorum, &reply)?;
        let elements = batch.combine(vec![share])?.finalize();
        let key = TokenKey::ground(&coalition, keyset.generation(), class);
        let mut rng = crate::ambient::rng();
        Ok(points
            .into_iter()
            .zip(elements)
            .map(|(point, element)| Evaluated {
                element: app
                    .rest
                    .seal(&element_place(&point.point_id), &element.0, &mut rng),
                token: key.token(&element).0,
                point_id: point.point_id,
            })
            .collect())
    };
    blocking(work).await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BatchError> + Send + 'static,
) -> Result<T, BatchError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| BatchError::Other(error.to_string()))?
}

async fn end(
    app: &App,
    class: Class,
    generation: u32,
    job: &Job,
    evaluated: &[Evaluated],
) -> Result<(), StoreError> {
    let mut tx = app.store.write("ending a batch of tokens").await?;
    store::token_job::put_tokens(&mut tx, generation, evaluated).await?;
    store::token_job::finish(&mut tx, class, generation, job.slot, app.now().0).await?;
    tx.commit().await
}
