//! What came of a call: the result is kept and told as any other, and the number leaves the queue or
//! waits for another try.

use super::bank::{self, zone};
use crate::{
    app::App,
    http::problem::Failure,
    people::noted::{self, Noted},
    store::{
        self,
        call::{CallState, Queued},
        point,
    },
    turf::result::word,
};
use protocol::{channel::Channel, problem::ProblemKind};

/// Busy lines are tried again after so long, in milliseconds.
pub const BUSY_PAUSE: i64 = 15 * 60_000;
/// Numbers at which nobody answered are tried again after so long, in milliseconds.
pub const AWAY_PAUSE: i64 = 4 * 3_600_000;

/// Results after which the same number is tried again, and how long later.
const TRY_AGAIN: [(&str, i64); 3] = [
    ("Busy", BUSY_PAUSE),
    ("Not Home", AWAY_PAUSE),
    ("Left Message", AWAY_PAUSE),
];

/// A result.
#[derive(Debug, Clone, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// What the number was handed out with.
    pub lease: String,
    /// By its short code or word.
    pub result: String,
    /// Whom it concerns: needed where several people are known there.
    #[serde(default)]
    pub person: Option<String>,
    /// The caller goes on with somebody else there, and keeps the number.
    #[serde(default)]
    pub stay: bool,
}

/// What was noted.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Told {
    /// The person's id.
    pub person_id: String,
    /// The result in words.
    pub result: &'static str,
    /// When the number is tried again, if it is.
    pub again_at: Option<i64>,
    /// The same result stood there already.
    pub known: bool,
}

async fn leased(app: &App, lease: &str) -> Result<Queued, Failure> {
    let mut db = app.store.read("finding a call").await?;
    let found = store::call::by_lease(&mut db, lease.trim()).await?;
    found.ok_or_else(|| {
        Failure::not_found(
            "this number was given to somebody else meanwhile, because its time had run out; import the result \
             with your other results, or note it where the person is shown",
        )
    })
}

/// Notes the result of a call.
///
/// # Errors
/// [`Failure`] when the number is with somebody else meanwhile, the result has no such code, or it is not
/// clear whom it concerns.
pub async fn tell(app: &App, outcome: &Outcome) -> Result<Told, Failure> {
    let result = word(Channel::Phone, &outcome.result)?;
    let before = leased(app, &outcome.lease).await?;
    let bank = bank::find(app, before.bank).await?;
    let zone = zone(app).await?;
    let mut tx = app.store.write("noting the result of a call").await?;
    let person_id = whom(&mut tx, &before, outcome.person.as_deref()).await?;
    let points = point::of_person(&mut tx, &person_id).await?;
    let tried = points
        .iter()
        .find(|point| point.point.point_id == before.point_id)
        .ok_or_else(|| Failure::input("this person is not known at the number that was called"))?;
    let what = Noted {
        person_id: &person_id,
        tried,
        points: &points,
        channel: Channel::Phone,
        result,
        day: None,
    };
    let new = noted::note(app, &mut tx, &zone, &what).await?;
    let again = TRY_AGAIN.iter().find(|(word, _)| *word == result);
    let again = again
        .filter(|_| new && before.tries + 1 < bank.tries)
        .map(|(_, pause)| app.now().0 + pause);
    if before.state == CallState::Leased && !outcome.stay {
        let after = Queued {
            state: if again.is_some() {
                CallState::Waiting
            } else {
                CallState::Done
            },
            tries: before.tries + 1,
            ready_at: again.unwrap_or(before.ready_at),
            ..before.clone()
        };
        if !store::call::change(&mut tx, &before, &after).await? {
            return Err(Failure::new(
                ProblemKind::Conflict,
                "this number was given to somebody else just now; tell the result again",
            ));
        }
    }
    tx.commit().await?;
    app.wake.jobs.notify_one();
    Ok(Told {
        person_id,
        result,
        again_at: again,
        known: !new,
    })
}

/// Whom a result concerns: who is named, or the only one who is known there.
async fn whom(
    tx: &mut store::Write,
    call: &Queued,
    named: Option<&str>,
) -> Result<String, Failure> {
    if let Some(named) = named {
        return crate::people::refer::one(tx, named).await;
    }
    let mut people = store::reach::people_at(tx, &call.point_id).await?;
    match (people.pop(), people.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(_), false) => Err(Failure::input(
            "several people are known at this number; say whom the result concerns (`--person`)",
        )),
        (None, _) => Err(Failure::new(
            ProblemKind::Conflict,
            "nobody is known at this number any more",
        )),
    }
}

/// A caller gives a number back without having called.
///
/// # Errors
/// [`Failure`] when somebody else has it meanwhile.
pub async fn skip(app: &App, lease: &str) -> Result<(), Failure> {
    let before = leased(app, lease).await?;
    if before.state != CallState::Leased {
        return Ok(());
    }
    let after = Queued {
        state: CallState::Waiting,
        ready_at: app.now().0,
        ..before.clone()
    };
    let mut tx = app.store.write("giving a number back to the queue").await?;
    store::call::change(&mut tx, &before, &after).await?;
    tx.commit().await?;
    Ok(())
}
