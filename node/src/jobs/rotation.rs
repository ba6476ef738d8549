//! The keys after a removal for cause: keepers multiply their shares, every member multiplies its points.
//!
//! Nothing is evaluated and nobody waits for anybody else. The factor lies sealed until this node has
//! multiplied all that it holds, and is erased then. Spec: section 5.12, and `spec/matching.md`, 3.8.

use super::ceremony::{put_share, say, say_in};
use crate::{
    app::App,
    jobs::tokenize::element_place,
    keeper::evaluator::share_of,
    store::{
        self,
        token_job::{Evaluated, Tokenized},
    },
    sync::rotated::{self, APPLIED},
};
use protocol::{
    codec,
    entry::ceremony::{KeyRotation, RotationFault, RotationStep},
    fold::rotation,
    id::{CoalitionId, Hash},
    token::{Class, KeyShare, Keyset, Point, Rotation, TokenKey},
};

/// Points that are multiplied in one transaction.
pub const POINTS_AT_ONCE: usize = 1_024;

/// Takes a keeper's next step, and multiplies some points.
///
/// # Errors
/// When the database fails; what was not done is done next time.
pub async fn run(app: &App) -> anyhow::Result<()> {
    keep(app).await?;
    points(app).await
}

/// Whether points wait to be multiplied: until then none of them is evaluated.
///
/// # Errors
/// When the database fails.
pub async fn is_under_way(app: &App) -> anyhow::Result<bool> {
    let mut db = app.store.read("looking for a factor").await?;
    let places = store::node::secrets_beginning(&mut db, APPLIED).await?;
    Ok(!places.is_empty())
}

/// What a keeper is to go on from.
struct Step {
    removal: u64,
    before: Keyset,
    said: Option<Vec<u8>>,
}

async fn keep(app: &App) -> anyhow::Result<()> {
    let step = {
        let guard = app.coalition.read().await;
        let active = guard.as_ref().filter(|coalition| coalition.is_active());
        active.and_then(|coalition| {
            let (row, before) = rotation::base(&coalition.state)?;
            let own = before.id_of(&app.me)?;
            (!row.confirmed.contains(&own)).then(|| Step {
                removal: row.position,
                said: row.keyset.clone().map(Vec::from),
                before,
            })
        })
    };
    let Some(Step {
        removal,
        before,
        said,
    }) = step
    else {
        return Ok(());
    };
    let refuse = |why| KeyRotation {
        removal,
        step: RotationStep::Refuse(why),
    };
    let Some((share, keyset)) = product(app, removal, &before).await? else {
        tracing::warn!("this keeper cannot rotate its share: it came back from a backup");
        return say(app, refuse(RotationFault::Lost).into()).await;
    };
    let bytes = codec::encode(&keyset);
    let step = match said {
        None => RotationStep::Keyset(bytes),
        Some(said) if said == bytes => RotationStep::Confirm(Hash::of(&bytes)),
        Some(_) => {
            tracing::warn!("another keeper has said keys that are not the product");
            return say(app, refuse(RotationFault::Other).into()).await;
        }
    };
    let mut tx = app.store.write("rotating a share").await?;
    if say_in(app, &mut tx, KeyRotation { removal, step }.into()).await? {
        put_share(app, &mut tx, &share).await?;
        tx.commit().await?;
        app.wake.outbox.notify_one();
    }
    Ok(())
}

/// This keeper's share and the keyset, both multiplied; none without the factor or the share.
async fn product(
    app: &App,
    removal: u64,
    before: &Keyset,
) -> anyhow::Result<Option<(KeyShare, Keyset)>> {
    let mut db = app.store.read("reading a factor").await?;
    let factor = rotated::factor(app, &mut db, &rotated::factor_place(removal)).await?;
    drop(db);
    let share = share_of(app, before.generation(), before.reshare()).await?;
    let (Some(factor), Some(share)) = (factor, share) else {
        return Ok(None);
    };
    let (share, keyset) = (factor.share(&share)?, factor.keyset(before)?);
    // A share that belongs to other keys is none.
    Ok(share.belongs_to(&keyset).then_some((share, keyset)))
}

/// Multiplies some points, and asks to be run again while more wait.
async fn points(app: &App) -> anyhow::Result<()> {
    let coalition = {
        let guard = app.coalition.read().await;
        guard.as_ref().map(|coalition| coalition.row.id)
    };
    let Some(coalition) = coalition else {
        return Ok(());
    };
    let mut db = app.store.read("looking for a factor").await?;
    let places = store::node::secrets_beginning(&mut db, APPLIED).await?;
    let Some(place) = places.into_iter().next() else {
        return Ok(());
    };
    let from: u32 = place.trim_start_matches(APPLIED).parse()?;
    let factor = rotated::factor(app, &mut db, &place).await?;
    let waiting = store::token_job::of_generation(&mut db, from, POINTS_AT_ONCE).await?;
    drop(db);
    let last = factor.is_none() || waiting.len() < POINTS_AT_ONCE;
    let (rotated, damaged) = match factor {
        None => (Vec::new(), Vec::new()), // it does not open: its points are evaluated
        Some(factor) => {
            let app = app.clone();
            let work = move || multiplied(&app, &factor, coalition, from, waiting);
            tokio::task::spawn_blocking(work).await?
        }
    };
    let mut tx = app.store.write("rotating points").await?;
    store::token_job::put_tokens(&mut tx, from + 1, &rotated).await?;
    store::token_job::forget_tokens(&mut tx, &damaged).await?;
    if last {
        store::node::delete_secret(&mut tx, &place).await?;
    }
    tx.commit().await?;
    app.wake.jobs.notify_one();
    Ok(())
}

/// The points under the next generation, and the ids of those that cannot be read: these are evaluated.
fn multiplied(
    app: &App,
    factor: &Rotation,
    coalition: CoalitionId,
    from: u32,
    waiting: Vec<Tokenized>,
) -> (Vec<Evaluated>, Vec<String>) {
    let (mut rotated, mut damaged) = (Vec::new(), Vec::new());
    let mut rng = crate::ambient::rng();
    for class in Class::ALL {
        let key = TokenKey::ground(&coalition, from + 1, class);
        let (mut ids, mut elements) = (Vec::new(), Vec::new());
        for point in waiting.iter().filter(|point| point.class == class) {
            let place = element_place(&point.point_id);
            let opened = app.rest.open(&place, &point.element).ok();
            match opened.and_then(|bytes| bytes.try_into().ok()) {
                Some(element) => {
                    ids.push(point.point_id.clone());
                    elements.push(Point(element));
                }
                None => damaged.push(point.point_id.clone()),
            }
        }
        // All at once is faster; one by one finds those that are no points.
        let products: Vec<Option<Point>> = match factor.points(&elements) {
            Some(products) => products.into_iter().map(Some).collect(),
            None => elements
                .iter()
                .map(|element| factor.points(&[*element])?.first().copied())
                .collect(),
        };
        for (point_id, product) in ids.into_iter().zip(products) {
            match product {
                Some(element) => rotated.push(Evaluated {
                    element: app
                        .rest
                        .seal(&element_place(&point_id), &element.0, &mut rng),
                    token: key.token(&element).0,
                    point_id,
                }),
                None => damaged.push(point_id),
            }
        }
    }
    (rotated, damaged)
}
