//! Turns contact points and person keys into match tokens, batch by batch.
//!
//! A batch is written down before its request leaves: after a crash the same bytes are sent again,
//! so that the keepers recognize them and charge nothing twice. All keepers of a quorum are asked at
//! once; where one fails, the same batch goes to another quorum. Spec: `spec/matching.md`, section 3.

use crate::{
    app::App,
    store::{
        self, StoreError,
        token_job::{Evaluated, Fault, Job, Waiting},
    },
    sync::{
        coalition::Coalition,
        keeper_client::{Keeper, KeeperError},
        keepers::Seat,
        outbox,
    },
};
use protocol::{
    codec,
    entry::ceremony::EvaluationFault,
    id::{CoalitionId, EntryId, Hash, NodeId},
    limits::GROWTH_TIME,
    problem::ProblemKind,
    time::Moment,
    token::{
        BlindedBatch, Class, CombineError, EVAL_POINTS, EvalReply, EvalRequest, Keyset,
        PrepareError, Quorum, QuorumError, TokenKey, VerifiedShare, VerifyError, blind,
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
    #[error("the keeper's evaluation does not hold: {error}")]
    False {
        error: VerifyError,
        reply: Box<EvalReply>,
    },
    #[error(transparent)]
    Quorum(#[from] QuorumError),
    #[error("the keepers' evaluations do not fit together: {0}")]
    Combine(#[from] CombineError),
    #[error("the points are no batch: {0}")]
    Prepare(#[from] PrepareError),
    #[error("{0}")]
    Other(String),
}

impl BatchError {
    /// What kind of refusal by a keeper this is, if it is one.
    fn kind(&self) -> Option<ProblemKind> {
        match self {
            Self::Keeper(error) => error.kind(),
            _ => None,
        }
    }

    /// Whether another quorum would not help: every keeper would say the same, or the node itself fails.
    fn is_final(&self) -> bool {
        let refusals = [
            ProblemKind::Budget,
            ProblemKind::Growth,
            ProblemKind::Conflict,
            ProblemKind::KeyChanged,
        ];
        match self {
            Self::Keeper(_) => self.kind().is_some_and(|kind| refusals.contains(&kind)),
            Self::False { .. } => false,
            _ => true,
        }
    }
}

/// Under what this node has its points evaluated.
struct Basis {
    coalition: CoalitionId,
    keyset: Arc<Keyset>,
    /// The keepers, in the order in which this node asks them.
    keepers: Vec<(u16, Keeper)>,
    /// Whether the keyset is the one that closes.
    closing: bool,
}

/// Has one batch of each class evaluated, and asks to be run again while more wait.
///
/// # Errors
/// When the database fails. What the keeper refuses is noted and tried again later.
pub async fn run(app: &App) -> anyhow::Result<()> {
    // What can be multiplied is not evaluated, so it comes first.
    if super::rotation::is_under_way(app).await? {
        return Ok(());
    }
    for basis in bases(app).await? {
        all_classes(app, &basis).await?;
    }
    Ok(())
}

async fn all_classes(app: &App, basis: &Basis) -> anyhow::Result<()> {
    for class in Class::ALL {
        let mut db = app.store.read("looking for points without tokens").await?;
        let retry_at = store::token_job::retry_at(&mut db, class).await?;
        drop(db);
        if retry_at.is_some_and(|at| app.now() < Moment(at)) {
            continue;
        }
        match one_batch(app, basis, class).await {
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
    let wait = match error {
        // It says itself when to go on.
        BatchError::Keeper(keeper) if error.kind() == Some(ProblemKind::Growth) => {
            let wait = keeper.asks_to_wait().unwrap_or_default();
            i64::try_from(wait).map_or(GROWTH_TIME, |wait| wait.clamp(RETRY, GROWTH_TIME))
        }
        _ if error.kind() == Some(ProblemKind::Budget) => RETRY_BUDGET,
        _ => RETRY,
    };
    tracing::warn!(%class, %error, "a batch of match tokens waits");
    let now = app.now();
    let mut tx = app.store.write("noting a token problem").await?;
    store::token_job::put_problem(&mut tx, class, &error.to_string(), now.0, now.plus(wait).0)
        .await?;
    tx.commit().await?;
    Ok(())
}

/// The keyset in use, and the one that closes; none before there is one.
async fn bases(app: &App) -> anyhow::Result<Vec<Basis>> {
    let guard = app.coalition.read().await;
    let Some(coalition) = guard.as_ref().filter(|coalition| coalition.is_active()) else {
        return Ok(Vec::new());
    };
    let state = &coalition.state;
    // Evaluating needs a budget, and budgets come with an agreement.
    if state.rules().is_none() {
        return Ok(Vec::new());
    }
    let closing = state.closing.get(&()).map(|closing| closing.generation);
    let generations = [(state.meta().generation, false), (closing, true)];
    let mut bases = Vec::new();
    for (generation, closing) in generations {
        let row = generation.and_then(|generation| state.keysets.get(&generation));
        let Some(row) = row else { continue };
        let keyset: Keyset = codec::decode(&row.bytes)?;
        bases.push(Basis {
            coalition: state.meta().coalition,
            keepers: in_turn(app, coalition, &keyset),
            keyset: Arc::new(keyset),
            closing,
        });
    }
    Ok(bases)
}

/// The keepers that can be asked: this node itself first, the others from a place that differs from
/// member to member, so that no keeper answers all.
fn in_turn(app: &App, coalition: &Coalition, keyset: &Keyset) -> Vec<(u16, Keeper)> {
    let mut keepers: Vec<_> = keyset.keepers().to_vec();
    let turn = usize::from(app.me.0[0]) % keepers.len().max(1);
    keepers.rotate_left(turn);
    keepers.sort_by_key(|keeper| keeper.node != app.me);
    let reached = keepers.iter().filter_map(|keeper| {
        let seat = Seat::of_member(app, coalition, keeper.node)?;
        Some((keeper.id, Keeper::at(coalition.row.id, seat)))
    });
    reached.collect()
}

/// Evaluates the batch that was begun, or a new one; how many points got tokens.
async fn one_batch(app: &App, basis: &Basis, class: Class) -> Result<usize, BatchError> {
    let generation = basis.keyset.generation();
    let Some((job, points)) = begin(app, basis, class).await? else {
        return Ok(0);
    };
    let place = secret_place(class, generation, job.slot);
    let secret: [u8; 32] = app
        .rest
        .open(&place, &job.job_secret)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or_else(|| StoreError::damaged("token_job", "job_secret"))?;
    let batch = Arc::new(prepare(basis, class, job.slot, &secret, &points).await?);
    let verified = match from_some_quorum(app, basis, class, job.slot, &batch).await {
        Ok(verified) => verified,
        Err(error) => {
            if error.kind() == Some(ProblemKind::Conflict) {
                // A keeper knows other points under this number, as after a restore: take the next.
                end(app, basis, class, &job, &[]).await?;
                app.wake.jobs.notify_one();
            }
            return Err(error);
        }
    };
    let evaluated = finish(app, basis, class, batch, verified, points).await?;
    end(app, basis, class, &job, &evaluated).await?;
    Ok(evaluated.len())
}

/// Asks one quorum after another until one has answered whole: a keeper that fails is not asked again
/// for this batch, and all others answer anew, because each answers for its quorum.
async fn from_some_quorum(
    app: &App,
    basis: &Basis,
    class: Class,
    slot: u64,
    batch: &Arc<BlindedBatch>,
) -> Result<Vec<VerifiedShare>, BatchError> {
    let threshold = usize::from(basis.keyset.threshold());
    let mut left: Vec<&(u16, Keeper)> = basis.keepers.iter().collect();
    let mut last = None;
    while left.len() >= threshold {
        let asked: Vec<&(u16, Keeper)> = left.iter().take(threshold).copied().collect();
        let ids: Vec<u16> = asked.iter().map(|(id, _)| *id).collect();
        let quorum = basis.keyset.quorum(&ids)?;
        let request = Arc::new(batch.request(&quorum));
        let answers = asked
            .iter()
            .map(|(_, keeper)| from_one(app, basis, keeper, batch, &quorum, &request));
        let answers = futures_util::future::join_all(answers).await;
        let mut verified = Vec::new();
        let mut failed = Vec::new();
        for (answer, (id, keeper)) in answers.into_iter().zip(&asked) {
            match answer {
                Ok(share) => verified.push(share),
                Err(error) if error.is_final() => return Err(error),
                Err(error) => {
                    if let BatchError::False { error, reply } = &error
                        && is_fault(error)
                        && let Some(node) = keeper.node()
                    {
                        tell_fault(app, node, class, slot, &request, reply).await?;
                    }
                    failed.push(*id);
                    last = Some(error);
                }
            }
        }
        if failed.is_empty() {
            return Ok(verified);
        }
        left.retain(|(id, _)| !failed.contains(id));
    }
    Err(last.unwrap_or_else(|| {
        BatchError::Other("too few keepers of the match-token keys can be reached".to_owned())
    }))
}

/// One keeper's answer, checked.
async fn from_one(
    app: &App,
    basis: &Basis,
    keeper: &Keeper,
    batch: &Arc<BlindedBatch>,
    quorum: &Quorum,
    request: &Arc<EvalRequest>,
) -> Result<VerifiedShare, BatchError> {
    let reply = keeper.evaluate(app, request).await?;
    let (me, keyset) = (app.me, basis.keyset.clone());
    let (batch, quorum) = (batch.clone(), quorum.clone());
    let work = move || {
        batch
            .verify(&keyset, &me, &quorum, &reply)
            .map_err(|error| BatchError::False {
                error,
                reply: Box::new(reply),
            })
    };
    blocking(work).await
}

/// Whether an answer that does not hold is its keeper's fault, and no mistake of this node.
fn is_fault(error: &VerifyError) -> bool {
    !matches!(
        error,
        VerifyError::Keyset
            | VerifyError::Quorum(_)
            | VerifyError::Request(_)
            | VerifyError::NotAsked(_)
    )
}

/// Keeps what a keeper signed falsely, and tells the coalition once.
async fn tell_fault(
    app: &App,
    keeper: NodeId,
    class: Class,
    slot: u64,
    request: &EvalRequest,
    reply: &EvalReply,
) -> Result<(), StoreError> {
    if keeper == app.me {
        return Ok(());
    }
    let (asked, answered) = (codec::encode(request), codec::encode(reply));
    let entry = EvaluationFault {
        keeper,
        generation: request.generation,
        reshare: request.reshare,
        class,
        slot,
        request: Hash::of(&asked),
        reply: Hash::of(&answered),
    };
    let id = EntryId::random(&mut crate::ambient::rng());
    let fault = Fault {
        keeper,
        generation: request.generation,
        class,
        slot,
        request: &asked,
        reply: &answered,
        entry: id,
        at: app.now().0,
    };
    let mut tx = app.store.write("keeping a false evaluation").await?;
    if store::token_job::keep_fault(&mut tx, &fault).await? {
        outbox::queue_as(app, &mut tx, id, entry.into(), None).await?;
        tx.commit().await?;
        app.wake.outbox.notify_one();
    }
    Ok(())
}

/// The open batch, or one made of points that wait; none when none do.
async fn begin(
    app: &App,
    basis: &Basis,
    class: Class,
) -> Result<Option<(Job, Vec<Waiting>)>, StoreError> {
    let generation = basis.keyset.generation();
    let mut db = app.store.read("looking for points without tokens").await?;
    if let Some(job) = store::token_job::open(&mut db, class, generation).await? {
        if let Some(points) = store::token_job::of_job(&mut db, &job).await? {
            return Ok(Some((job, points)));
        }
        // A point was deleted meanwhile: its batch cannot be built again.
        drop(db);
        end(app, basis, class, &job, &[]).await?;
        db = app.store.read("looking for points without tokens").await?;
    }
    let points = if basis.closing {
        store::token_job::waiting_before(&mut db, class, generation, EVAL_POINTS).await?
    } else {
        store::token_job::waiting(&mut db, class, generation, EVAL_POINTS).await?
    };
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
) -> Result<BlindedBatch, BatchError> {
    let secret = zeroize::Zeroizing::new(*secret);
    let values: Vec<_> = points.iter().map(|point| point.value.clone()).collect();
    let (keyset, coalition) = (basis.keyset.clone(), basis.coalition);
    blocking(move || {
        let batch = blind::prepare(&secret, &coalition, &keyset, class, slot, &values)?;
        Ok(batch)
    })
    .await
}

/// Puts the answers together, unblinds them and seals the elements.
async fn finish(
    app: &App,
    basis: &Basis,
    class: Class,
    batch: Arc<BlindedBatch>,
    verified: Vec<VerifiedShare>,
    points: Vec<Waiting>,
) -> Result<Vec<Evaluated>, BatchError> {
    let app: App = app.clone();
    let (keyset, coalition) = (basis.keyset.clone(), basis.coalition);
    let work = move || {
        let elements = batch.combine(verified)?.finalize();
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
    basis: &Basis,
    class: Class,
    job: &Job,
    evaluated: &[Evaluated],
) -> Result<(), StoreError> {
    let generation = basis.keyset.generation();
    let mut tx = app.store.write("ending a batch of tokens").await?;
    if basis.closing {
        store::token_job::put_tokens_before(&mut tx, generation, evaluated).await?;
    } else {
        store::token_job::put_tokens(&mut tx, generation, evaluated).await?;
    }
    store::token_job::finish(&mut tx, class, generation, job.slot, app.now().0).await?;
    tx.commit().await
}
