//! Keeping queues filled: decided claims are queued, and the next portion is claimed before the queue is
//! empty.

use super::bank::{over, question, zone};
use crate::{
    app::App,
    claims::take::{self, Portion},
    http::problem::Failure,
    store::{
        self,
        call::{Bank, CallState},
        claim::Phase,
    },
};

/// So long after nothing was left to claim nobody looks again, in milliseconds: allies give things back.
const LOOK_AGAIN: i64 = 300_000;

/// Fills every open phone bank's queue.
///
/// # Errors
/// When the database fails.
pub async fn run(app: &App) -> anyhow::Result<()> {
    let mut db = app.store.read("looking at phone banks").await?;
    let banks = store::call::banks(&mut db).await?;
    drop(db);
    for bank in banks.iter().filter(|bank| bank.open) {
        // One that cannot be filled now is no reason to leave the others empty.
        if let Err(failure) = fill(app, bank).await {
            tracing::warn!(bank = bank.bank, why = %failure.0.detail, "a phone bank could not be filled");
        }
    }
    Ok(())
}

async fn fill(app: &App, bank: &Bank) -> Result<(), Failure> {
    if crate::coalition::active(app).await.is_err() {
        return Ok(());
    }
    let undecided = queue_decided(app, bank).await?;
    let mut db = app.store.read("looking at a phone bank's queue").await?;
    let counts = store::call::counts(&mut db, bank.bank).await?;
    let waiting = counts.get(&CallState::Waiting).copied().unwrap_or(0);
    let now = app.now().0;
    let looked_in_vain = !bank.why.is_empty() && now < bank.looked_at + LOOK_AGAIN;
    if undecided || waiting * 2 >= bank.ahead || looked_in_vain {
        return Ok(());
    }
    if over(bank, &zone(app).await?, now)? {
        return Ok(());
    }
    let mut asked = question(bank)?;
    asked.portion = Some(Portion {
        bank: bank.bank,
        most: usize::try_from(bank.ahead).unwrap_or(usize::MAX),
        except: store::call::points(&mut db, bank.bank).await?,
    });
    drop(db);
    let why = match take::take(app, asked).await {
        Ok(_) => String::new(),
        Err(failure) => failure.0.detail,
    };
    let mut tx = app.store.write("looking for numbers to call").await?;
    store::call::looked(&mut tx, bank.bank, now, &why).await?;
    tx.commit().await?;
    Ok(())
}

/// Queues what was granted; whether a claim still waits for its decision.
async fn queue_decided(app: &App, bank: &Bank) -> Result<bool, Failure> {
    let mut db = app.store.read("looking at a phone bank's claims").await?;
    let claims = store::call::claims(&mut db, bank.bank).await?;
    drop(db);
    let mut undecided = false;
    for (id, _) in claims.iter().filter(|(_, queued)| !queued) {
        let claim = crate::claims::show::find(app, id).await?;
        if claim.phase == Phase::Asked {
            undecided = true;
            continue;
        }
        let generation = crate::claims::ground(app).await?.generation;
        let mut tx = app.store.write("queueing numbers to call").await?;
        let mut points = Vec::new();
        if claim.phase == Phase::Granted {
            for held in store::claim::points(&mut tx, claim.id).await? {
                if held.state != "granted" {
                    continue;
                }
                let point = store::reach::by_token(&mut tx, held.token, generation).await?;
                points.extend(point.map(|point| point.point_id));
            }
        }
        store::call::queue(&mut tx, bank.bank, id, &points).await?;
        tx.commit().await?;
    }
    Ok(undecided)
}
