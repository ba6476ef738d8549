//! The next number for a caller.

use super::bank::{self, shut, zone};
use crate::{
    app::App,
    claims::walk_list,
    http::problem::Failure,
    store::{
        self,
        call::{Bank, CallState, Queued},
    },
};
use protocol::{id::RowRef, problem::ProblemKind};

/// The longest name of a caller, in bytes.
pub const CALLER_BYTES: usize = 100;
/// So many numbers are passed over at most before a caller is asked to try again.
const PASSED_OVER: usize = 200;
/// A caller who must wait asks again after so many seconds.
const WAIT_SECONDS: u64 = 5;
/// The longest that a caller is asked to wait before asking again, in seconds.
const WAIT_MOST: u64 = 300;

/// Somebody to talk to.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Called {
    /// The person's id.
    pub person_id: String,
    /// The name.
    pub name: String,
}

/// A number that a caller has now.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Call {
    /// What the caller says when it tells the result.
    pub lease: String,
    /// The phone number.
    pub number: String,
    /// Whom the organization knows there and may call.
    pub people: Vec<Called>,
    /// Until when nobody else is given it, in milliseconds since 1970.
    pub until: i64,
    /// How often it was tried before in vain.
    pub tries: u64,
}

/// What a caller does next.
#[derive(Debug, Clone, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    /// Calls somebody.
    Call(Call),
    /// Waits, and asks again.
    Wait {
        /// After so many seconds.
        seconds: u64,
        /// Why.
        why: String,
    },
}

/// Gives a caller the next number. Who has one already is given the same again.
///
/// # Errors
/// [`Failure`] when there is no such phone bank, it is closed, or this node may hand out no lists.
pub async fn next(app: &App, number: u64, caller: &str) -> Result<Next, Failure> {
    let caller = caller.trim();
    if caller.is_empty() || !protocol::fold::share::is_line(caller, CALLER_BYTES) {
        return Err(Failure::input(format!(
            "say who calls: one line of at most {CALLER_BYTES} bytes"
        )));
    }
    let bank = bank::find(app, number).await?;
    if !bank.open {
        return Err(Failure::new(
            ProblemKind::Conflict,
            "this phone bank is closed; `commonturf calls open` opens another",
        ));
    }
    if shut(&bank, &zone(app).await?, app.now().0)?.is_some() {
        return wait(app, &bank).await;
    }
    for _ in 0..PASSED_OVER {
        let Some(leased) = lease(app, &bank, caller).await? else {
            return wait(app, &bank).await;
        };
        if let Some(call) = call(app, &leased).await? {
            return Ok(Next::Call(call));
        }
        leave(app, &leased).await?;
    }
    Ok(Next::Wait {
        seconds: WAIT_SECONDS,
        why: "many numbers in a row may not be called any more; the search goes on".to_owned(),
    })
}

/// The number that a caller has now, if any; nobody else is asked for one.
///
/// # Errors
/// [`Failure`] when this node may hand out no lists.
pub async fn held(app: &App, bank: &Bank, caller: &str) -> Result<Option<Call>, Failure> {
    let mut db = app.store.read("finding a caller's number").await?;
    let held = store::call::held_by(&mut db, bank.bank, caller.trim(), app.now().0).await?;
    drop(db);
    match held {
        Some(held) => call(app, &held).await,
        None => Ok(None),
    }
}

/// Leases the next number to a caller, or finds the one that it has.
async fn lease(app: &App, bank: &Bank, caller: &str) -> Result<Option<Queued>, Failure> {
    let now = app.now().0;
    let mut tx = app.store.write("leasing a number").await?;
    if let Some(held) = store::call::held_by(&mut tx, bank.bank, caller, now).await? {
        return Ok(Some(held));
    }
    let Some(ready) = store::call::next(&mut tx, bank.bank, now).await? else {
        return Ok(None);
    };
    let leased = Queued {
        state: CallState::Leased,
        ready_at: now + bank.lease,
        lease: Some(RowRef::random(&mut crate::ambient::rng()).to_string()),
        caller: caller.to_owned(),
        ..ready.clone()
    };
    if !store::call::change(&mut tx, &ready, &leased).await? {
        return Err(Failure::new(
            ProblemKind::Conflict,
            "somebody else took this number just now; ask again",
        ));
    }
    tx.commit().await?;
    app.wake.jobs.notify_one();
    Ok(Some(leased))
}

/// Whom a caller would reach; nobody when the number may not be called any more.
async fn call(app: &App, leased: &Queued) -> Result<Option<Call>, Failure> {
    // A claim that is over, or a node that must not hand out lists, stops the caller; the number stays leased
    // for its minutes and then waits again.
    let holding = match walk_list::holding(app, &leased.claim_id).await {
        Ok(holding) => holding,
        Err(failure) if claim_is_over(app, leased).await? => {
            tracing::debug!(why = %failure.0.detail, "a number is left alone");
            return Ok(None);
        }
        Err(failure) => return Err(failure),
    };
    let Some(stop) = walk_list::stop(app, &holding, &leased.point_id).await? else {
        return Ok(None);
    };
    let coalition = crate::coalition::active(app).await?;
    let people = stop.contactable(&coalition.state, holding.claim.channel);
    if people.is_empty() {
        return Ok(None);
    }
    Ok(Some(Call {
        lease: leased.lease.clone().unwrap_or_default(),
        number: stop.point.display.clone(),
        people: people
            .iter()
            .map(|guest| Called {
                person_id: guest.person.person_id.clone(),
                name: guest.person.name(),
            })
            .collect(),
        until: leased.ready_at,
        tries: leased.tries,
    }))
}

/// Whether the coalition does not hold the number for this organization any more.
async fn claim_is_over(app: &App, leased: &Queued) -> Result<bool, Failure> {
    let claim = crate::claims::show::find(app, &leased.claim_id).await?;
    let coalition = crate::coalition::active(app).await?;
    Ok(coalition.state.claims.get(&claim.id).is_none())
}

async fn leave(app: &App, leased: &Queued) -> Result<(), Failure> {
    let left = Queued {
        state: CallState::Left,
        ..leased.clone()
    };
    let mut tx = app.store.write("leaving a number alone").await?;
    store::call::change(&mut tx, leased, &left).await?;
    tx.commit().await?;
    Ok(())
}

/// Why there is no number now, and when to ask again.
///
/// # Errors
/// [`Failure`] when the database fails.
pub async fn wait(app: &App, bank: &Bank) -> Result<Next, Failure> {
    if let Some(why) = shut(bank, &zone(app).await?, app.now().0)? {
        return Ok(Next::Wait {
            seconds: WAIT_MOST,
            why: format!("nobody is called now: {why}"),
        });
    }
    let mut db = app.store.read("looking when numbers are ready").await?;
    let claims = store::call::claims(&mut db, bank.bank).await?;
    let ready = store::call::next_ready(&mut db, bank.bank).await?;
    if claims.is_empty() && bank.why.is_empty() || claims.iter().any(|(_, queued)| !queued) {
        return Ok(Next::Wait {
            seconds: WAIT_SECONDS,
            why: "numbers are being claimed".to_owned(),
        });
    }
    let Some(ready) = ready else {
        let why = if bank.why.is_empty() {
            "every number was called".to_owned()
        } else {
            format!("no number is left: {}", bank.why)
        };
        return Ok(Next::Wait {
            seconds: WAIT_MOST,
            why,
        });
    };
    let seconds = u64::try_from(ready.saturating_sub(app.now().0) / 1_000).unwrap_or(0) + 1;
    Ok(Next::Wait {
        seconds: seconds.clamp(WAIT_SECONDS, WAIT_MOST),
        why: "every number that is left is with another caller, or was tried in vain a short time ago"
            .to_owned(),
    })
}
