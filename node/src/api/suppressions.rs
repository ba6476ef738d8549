//! `/suppressions`: mark, take back, list own and allies'.

use super::said;
use crate::{
    app::App,
    http::{extract::Body, problem::Failure},
    store::{self, person_suppression::Cause},
    suppressions::{
        mark::{self, Mark, Subject},
        touching::{self, Touching},
    },
};
use axum::{Json, Router, extract::State, routing::get};
use protocol::{channel::Channel, entry::payload::Channels, id::EntryId};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How often a call looks whether its mark has been told.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The most own suppressions that are listed.
const LISTED: i64 = 1_000;

/// Routes of this group.
pub fn routes() -> Router<App> {
    Router::new().route("/suppressions", get(list).post(suppress))
}

/// Who or what must not be contacted: exactly one of person, phone, e-mail and door.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suppress {
    person: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    door: Option<String>,
    channels: Vec<Channel>,
    reason: Option<String>,
    #[serde(default)]
    withdraw: bool,
    #[serde(default)]
    dry_run: bool,
    #[serde(default)]
    source: Source,
}

/// Where a mark is made.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// On a page.
    #[default]
    Desk,
    /// On the command line.
    Cli,
}

/// What was done.
#[derive(Debug, Serialize)]
pub struct Suppressed {
    /// Who or what, as people read it.
    pub about: String,
    /// The suppressions that were written or taken back.
    pub suppressions: Vec<String>,
    /// `done` once all members have it, `waiting` while it has not come back, `own` where the coalition
    /// is not told, `dry_run` where nothing was changed.
    pub state: &'static str,
    /// Why it waits, where that is known.
    pub why: Option<&'static str>,
}

async fn suppress(
    State(app): State<App>,
    Body(suppress): Body<Suppress>,
) -> Result<Json<Suppressed>, Failure> {
    let mark = read(suppress)?;
    let done = mark::mark(&app, &mark).await?;
    let (state, why) = if mark.dry_run {
        ("dry_run", None)
    } else if mark.cause == Cause::OptOut {
        ("own", None)
    } else {
        reached(&app, &done.ids, mark.withdraw).await?
    };
    Ok(Json(Suppressed {
        about: done.about,
        suppressions: done.ids,
        state,
        why,
    }))
}

fn read(suppress: Suppress) -> Result<Mark, Failure> {
    let one = "name exactly one of person, phone, email and door";
    let mut subjects = [
        suppress.person.map(Subject::Person),
        suppress.phone.map(Subject::Phone),
        suppress.email.map(Subject::Email),
        suppress.door.map(Subject::Door),
    ]
    .into_iter()
    .flatten();
    let (Some(subject), None) = (subjects.next(), subjects.next()) else {
        return Err(Failure::input(one));
    };
    let cause = match suppress.reason.as_deref().unwrap_or("do_not_contact") {
        "do_not_contact" => Cause::DoNotContact,
        "opt_out" => Cause::OptOut,
        "defect" => Cause::Defect,
        "deceased" => Cause::Deceased,
        _ => {
            return Err(Failure::input(
                "a reason is one of: do_not_contact, opt_out, defect, deceased",
            ));
        }
    };
    let reached = match &subject {
        Subject::Person(_) => Channels::EVERY,
        Subject::Phone(_) => Channels::only(Channel::Phone).with(Channels::only(Channel::Text)),
        Subject::Email(_) => Channels::only(Channel::Email),
        Subject::Door(_) => Channels::only(Channel::Door),
    };
    if suppress
        .channels
        .iter()
        .any(|channel| !reached.has(*channel))
    {
        return Err(Failure::input(
            "a phone number is reached by phone and text, an e-mail address by email, a door by door; \
             name such a channel, or none for all",
        ));
    }
    Ok(Mark {
        subject,
        channels: suppress.channels.into_iter().collect::<Channels>(),
        cause,
        source: match suppress.source {
            Source::Desk => "desk",
            Source::Cli => "cli",
        },
        withdraw: suppress.withdraw,
        dry_run: suppress.dry_run,
    })
}

/// Waits until every member has it, as long as a call waits.
async fn reached(
    app: &App,
    ids: &[String],
    withdraw: bool,
) -> Result<(&'static str, Option<&'static str>), Failure> {
    if crate::coalition::active(app).await.is_err() {
        return Ok(("waiting", Some("this node is in no coalition yet")));
    }
    let mut db = app.store.read("looking how a suppression travels").await?;
    let mut travels = false;
    for id in ids {
        travels |= store::suppression::can_travel(&mut db, id).await?;
    }
    drop(db);
    if !travels {
        return Ok((
            "own",
            Some(
                "no address, phone, e-mail or voter id is known by which allies could tell who is meant",
            ),
        ));
    }
    let told = async {
        loop {
            let mut db = app.store.read("waiting for a suppression").await?;
            let mut entries = Vec::new();
            let mut open = 0;
            for id in ids {
                let Some(row) = store::suppression::find(&mut db, id).await? else {
                    continue;
                };
                let told = match (withdraw, row.told) {
                    (false, told) => told,
                    (true, Some(_)) => row.withdrawal_told,
                    (true, None) => continue,
                };
                open += usize::from(told.is_none());
                entries.extend(told.and_then(|entry| entry.parse::<EntryId>().ok()));
            }
            if open == 0 {
                return Ok::<_, Failure>(entries);
            }
            drop(db);
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let Ok(entries) = tokio::time::timeout(super::PATIENCE, told).await else {
        return Ok((
            "waiting",
            Some(
                "its match tokens do not exist yet (`commonturf tokens status`); it is told as soon as they do",
            ),
        ));
    };
    for entry in entries? {
        if said(app, entry).await?.state != "done" {
            return Ok(("waiting", Some("the keeper has not answered")));
        }
    }
    Ok(("done", None))
}

/// Own suppressions and allies' assertions about own people.
#[derive(Debug, Serialize)]
pub struct Listed {
    /// Own ones, newest first.
    pub own: Vec<Own>,
    /// Allies'.
    pub allies: Vec<Touching>,
}

/// An own suppression.
#[derive(Debug, Serialize)]
pub struct Own {
    /// Its id.
    pub suppression: String,
    /// Who or what, as people read it.
    pub about: String,
    /// On which channels.
    pub channels: Vec<Channel>,
    /// Said to have died.
    pub deceased: bool,
    /// Why.
    pub reason: String,
    /// Since when, in milliseconds since 1970.
    pub since: i64,
    /// `told`, `untold`, `own` or `withdrawn`.
    pub state: &'static str,
}

async fn list(State(app): State<App>) -> Result<Json<Listed>, Failure> {
    let mut db = app.store.read("listing suppressions").await?;
    let mut own = Vec::new();
    for row in store::suppression::latest(&mut db, LISTED).await? {
        let mut about = Vec::new();
        if let Some(person) = &row.person_id {
            let person = store::person::find(&mut db, person).await?;
            about.extend(person.map(|person| person.name()));
        }
        if let Some(point) = &row.point_id {
            let point = store::point::find(&mut db, point).await?;
            about.extend(point.map(|point| point.display));
        }
        own.push(Own {
            suppression: row.id,
            about: about.join(", "),
            channels: row.channels.iter().collect(),
            deceased: row.deceased,
            state: match (&row.withdrawn_at, &row.told, row.reason.as_str()) {
                (Some(_), _, _) => "withdrawn",
                (_, _, store::suppression::OPT_OUT) => "own",
                (_, Some(_), _) => "told",
                _ => "untold",
            },
            reason: row.reason,
            since: row.since.0,
        });
    }
    drop(db);
    let allies = if app.coalition.read().await.is_some() {
        touching::touching(&app).await?
    } else {
        Vec::new()
    };
    Ok(Json(Listed { own, allies }))
}
