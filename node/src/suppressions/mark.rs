//! Marking by hand: a person, a phone number, an e-mail address or a door; and taking it back.

use crate::{
    app::App,
    claims::ground,
    http::problem::Failure,
    import::ParsedAddress,
    people::refer,
    store::{
        self, Write,
        person_suppression::Cause,
        point::{self, Point},
        suppression::Suppression,
    },
};
use protocol::{entry::payload::Channels, id::RowRef, token::normalize};

/// What is marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A person of the organization's lists: id, its beginning, `van:123`, or a whole name.
    Person(String),
    /// A phone number.
    Phone(String),
    /// An e-mail address.
    Email(String),
    /// Street, unit and, behind the last comma, the postal code.
    Door(String),
}

/// A mark to set or take back.
#[derive(Debug, Clone)]
pub struct Mark {
    /// What is marked.
    pub subject: Subject,
    /// On which channels.
    pub channels: Channels,
    /// Why.
    pub cause: Cause,
    /// desk or cli.
    pub source: &'static str,
    /// Take it back instead.
    pub withdraw: bool,
    /// Look only.
    pub dry_run: bool,
}

/// What was done, or would be.
#[derive(Debug, Clone)]
pub struct Done {
    /// What is marked, as people read it.
    pub about: String,
    /// The suppressions that were written or taken back.
    pub ids: Vec<String>,
}

/// Who or what is meant.
enum Meant {
    Person(String, String),
    Point(Box<Point>),
}

/// Sets a mark or takes it back, in this node's own tables; the coalition is told by the job.
///
/// # Errors
/// [`Failure`] when nobody or several are meant, a value cannot be read, or nothing stands to be
/// taken back.
pub async fn mark(app: &App, mark: &Mark) -> Result<Done, Failure> {
    if mark.channels.is_empty() {
        return Err(Failure::input(
            "name a channel: door, phone, text, email or all",
        ));
    }
    let meant = meant(app, &mark.subject).await?;
    let about = match &meant {
        Meant::Person(_, name) => name.clone(),
        Meant::Point(point) => point.display.clone(),
    };
    let mut tx = app.store.write("marking a suppression").await?;
    let ids = if mark.withdraw {
        withdraw(app, &mut tx, mark, &meant).await?
    } else {
        set(app, &mut tx, mark, &meant).await?
    };
    if !mark.dry_run {
        tx.commit().await?;
        app.wake.jobs.notify_one();
    }
    Ok(Done { about, ids })
}

async fn set(
    app: &App,
    tx: &mut Write,
    mark: &Mark,
    meant: &Meant,
) -> Result<Vec<String>, Failure> {
    let (person_id, point_id) = match meant {
        Meant::Person(id, _) => (Some(id.clone()), None),
        Meant::Point(point) => {
            let new = Point {
                point_id: fresh_id(),
                ..(**point).clone()
            };
            (None, Some(point::put(tx, &new).await?))
        }
    };
    let deceased = mark.cause == Cause::Deceased;
    if deceased && person_id.is_none() {
        return Err(Failure::input("only a person can be said to have died"));
    }
    let standing =
        store::suppression::standing_about(tx, person_id.as_deref(), point_id.as_deref()).await?;
    let same = |row: &&Suppression| {
        row.reason == mark.cause.name() && mark.channels.without(row.channels).is_empty()
    };
    if let Some(row) = standing.iter().find(same) {
        return Ok(vec![row.id.clone()]);
    }
    let row = Suppression {
        id: fresh_id(),
        person_id,
        point_id,
        channels: mark.channels,
        deceased,
        reason: mark.cause.name().to_owned(),
        source: mark.source.to_owned(),
        since: app.now(),
        withdrawn_at: None,
        told: None,
        withdrawal_told: None,
    };
    store::suppression::insert(tx, &row).await?;
    Ok(vec![row.id])
}

async fn withdraw(
    app: &App,
    tx: &mut Write,
    mark: &Mark,
    meant: &Meant,
) -> Result<Vec<String>, Failure> {
    let (person_id, point_id) = match meant {
        Meant::Person(id, _) => (Some(id.clone()), None),
        Meant::Point(point) => (None, store::reach::id_of(tx, point).await?),
    };
    let standing =
        store::suppression::standing_about(tx, person_id.as_deref(), point_id.as_deref()).await?;
    let mut ids = Vec::new();
    for row in standing {
        let left = row.channels.without(mark.channels);
        if left == row.channels && !row.deceased {
            continue;
        }
        store::suppression::withdraw(tx, &row.id, app.now()).await?;
        ids.push(row.id.clone());
        if !left.is_empty() && !row.deceased {
            let rest = Suppression {
                id: fresh_id(),
                channels: left,
                told: None,
                ..row
            };
            store::suppression::insert(tx, &rest).await?;
        }
    }
    if ids.is_empty() {
        return Err(Failure::not_found(
            "no suppression of this organization stands here on this channel; allies take back their own",
        ));
    }
    Ok(ids)
}

fn fresh_id() -> String {
    RowRef::random(&mut crate::ambient::rng()).to_string()
}

async fn meant(app: &App, subject: &Subject) -> Result<Meant, Failure> {
    let region = match ground(app).await {
        Ok(ground) => ground.params.default_region,
        Err(_) => "US".to_owned(),
    };
    let (value, what) = match subject {
        Subject::Person(reference) => return person(app, reference).await,
        Subject::Phone(raw) => (normalize::phone(raw, &region), "a phone number"),
        Subject::Email(raw) => (normalize::email(raw), "an e-mail address"),
        Subject::Door(raw) => return door(raw, &region),
    };
    let value =
        value.ok_or_else(|| Failure::input(format!("this is not {what} that can be read")))?;
    Ok(Meant::Point(Box::new(crate::people::plain_point(
        &value,
        value.value(),
    ))))
}

async fn person(app: &App, reference: &str) -> Result<Meant, Failure> {
    let mut db = app.store.read("finding a person").await?;
    let id = refer::one(&mut db, reference).await?;
    let person = store::person::find(&mut db, &id).await?;
    let name = person.map(|person| person.name()).unwrap_or_default();
    Ok(Meant::Person(id, name))
}

fn door(raw: &str, region: &str) -> Result<Meant, Failure> {
    let unreadable =
        || Failure::input("write a door as STREET LINE, POSTAL CODE: \"12 Elm St Apt 4, 43215\"");
    let (line1, postal_code) = raw.rsplit_once(',').ok_or_else(unreadable)?;
    let address = ParsedAddress {
        line1: line1.replace(',', " "),
        postal_code: postal_code.trim().to_owned(),
        ..ParsedAddress::default()
    };
    let door = crate::people::door_point(&address, region).ok_or_else(unreadable)?;
    Ok(Meant::Point(Box::new(door)))
}
