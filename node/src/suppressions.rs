//! Suppressions: what the coalition is told, what allies told, and whom nobody may contact.
//!
//! A mark on a person travels on the person's keys, and on the phones or e-mail addresses of the
//! channels that it closes, never on the door: others live there. A mark on a door, or a defect of a
//! contact point, travels on that point. What an organization was told to leave alone as its own
//! affair (an opt-out) does not travel at all.

pub mod mark;
pub mod touching;

use crate::{
    app::App,
    store::{
        self, Write,
        reach::Point,
        suppression::{MOVED, Suppression},
    },
    sync::outbox,
};
use protocol::{
    channel::Channel,
    entry::{
        payload::{Channels, SuppressionRow, write_rows},
        suppression::{Suppress, SuppressWithdraw},
    },
    id::NodeId,
    state::State,
    time::Moment,
    token::{Class, Token},
};
use sqlx::AnyConnection;

/// The most suppressions of one entry.
const ENTRY_SUPPRESSIONS: i64 = 5_000;
/// What stands for the entry where a withdrawal has nothing to take back.
const NOTHING_TO_TELL: &str = "nothing to tell";

/// Tells the coalition of own suppressions and withdrawals that it has not been told.
///
/// # Errors
/// When the database fails.
pub async fn tell(app: &App) -> anyhow::Result<()> {
    let generation = {
        let guard = app.coalition.read().await;
        let active = guard.as_ref().filter(|coalition| coalition.is_active());
        active.and_then(|coalition| coalition.state.meta().generation)
    };
    let Some(generation) = generation else {
        return Ok(());
    };
    // Withdrawals first: what stands is told again after them.
    let withdrawn = tell_withdrawals(app, generation).await?;
    let told = tell_new(app, generation).await?;
    if withdrawn || told {
        app.wake.outbox.notify_one();
        app.wake.jobs.notify_one();
    }
    Ok(())
}

async fn tell_new(app: &App, generation: u32) -> anyhow::Result<bool> {
    let mut tx = app.store.write("telling suppressions").await?;
    let untold = store::suppression::untold(&mut tx, generation, ENTRY_SUPPRESSIONS).await?;
    let mut rows = Vec::new();
    let mut told = Vec::new();
    for suppression in untold {
        let assertions = assertions(&mut tx, &suppression, generation).await?;
        if !assertions.is_empty() {
            told.push(suppression.id);
        }
        rows.extend(assertions.into_iter().map(|assertion| assertion.row));
    }
    if rows.is_empty() {
        return Ok(false);
    }
    let bytes = write_rows(rows);
    let packed = outbox::pack(&bytes)?;
    let entry = Suppress {
        rows: packed.payload.clone(),
        generation,
    };
    let id = outbox::queue(app, &mut tx, entry.into(), Some((&packed, &bytes))).await?;
    for suppression in told {
        store::suppression::set_told(&mut tx, &suppression, id).await?;
    }
    tx.commit().await?;
    Ok(true)
}

async fn tell_withdrawals(app: &App, generation: u32) -> anyhow::Result<bool> {
    let mut tx = app.store.write("telling withdrawals").await?;
    let withdrawn = store::suppression::withdrawn_untold(&mut tx, ENTRY_SUPPRESSIONS).await?;
    if withdrawn.is_empty() {
        return Ok(false);
    }
    let mut rows = Vec::new();
    for suppression in &withdrawn {
        for assertion in assertions(&mut tx, suppression, generation).await? {
            rows.extend(without_what_stands(&mut tx, assertion, generation).await?);
        }
    }
    let entry = if rows.is_empty() {
        NOTHING_TO_TELL.to_owned()
    } else {
        let bytes = write_rows(rows);
        let packed = outbox::pack(&bytes)?;
        let entry = SuppressWithdraw {
            rows: packed.payload.clone(),
            generation,
        };
        outbox::queue(app, &mut tx, entry.into(), Some((&packed, &bytes)))
            .await?
            .to_string()
    };
    for suppression in &withdrawn {
        store::suppression::set_withdrawal_told(&mut tx, &suppression.id, &entry).await?;
    }
    tx.commit().await?;
    Ok(true)
}

/// What a suppression asserts about one point.
struct Assertion {
    point_id: String,
    row: SuppressionRow,
}

/// Everything that a suppression asserts, by points that have a token.
async fn assertions(
    tx: &mut Write,
    suppression: &Suppression,
    generation: u32,
) -> store::Result<Vec<Assertion>> {
    let mut assertions = Vec::new();
    let mut assert = |point: &Point, channels: Channels, deceased: bool| {
        let Some(token) = point.token else { return };
        if deceased || !channels.is_empty() {
            assertions.push(Assertion {
                point_id: point.point_id.clone(),
                row: SuppressionRow {
                    token,
                    channels,
                    deceased,
                },
            });
        }
    };
    match (&suppression.person_id, &suppression.point_id) {
        (Some(person), door) if suppression.reason == MOVED => {
            let left = match door {
                Some(door) => store::reach::by_id(tx, door, generation).await?,
                None => None,
            };
            for point in store::reach::all_of_person(tx, person, generation).await? {
                if is_at(&point, left.as_ref()) {
                    assert(&point, Channels::only(Channel::Door), false);
                }
            }
        }
        (_, Some(point)) => {
            if let Some(point) = store::reach::by_id(tx, point, generation).await? {
                assert(&point, suppression.channels, false);
            }
        }
        (Some(person), None) => {
            for point in store::reach::all_of_person(tx, person, generation).await? {
                let (channels, deceased) = of_person(&point, suppression);
                assert(&point, channels, deceased);
            }
        }
        (None, None) => {}
    }
    Ok(assertions)
}

/// Whether a key names its person at the door that the person has left.
fn is_at(point: &Point, door: Option<&Point>) -> bool {
    let at_door = |door: &Point| point.value.ends_with(&format!("|{}", door.value));
    point.kind == "name_door" && door.is_none_or(at_door)
}

/// What a mark on a person asserts about one of the person's points.
fn of_person(point: &Point, suppression: &Suppression) -> (Channels, bool) {
    if suppression.deceased {
        // One source alone closes nothing: it travels as a claim about the person, not about phones.
        return (Channels::default(), point.class == Class::Person);
    }
    (by_class(point.class, suppression.channels), false)
}

/// The channels of a person's mark that concern a class of points.
fn by_class(class: Class, channels: Channels) -> Channels {
    let only = match class {
        Class::Person => Channels::EVERY,
        Class::Phone => Channels::only(Channel::Phone).with(Channels::only(Channel::Text)),
        Class::Email => Channels::only(Channel::Email),
        Class::Door => Channels::default(),
    };
    channels.without(Channels::EVERY.without(only))
}

/// Less than was asserted where another own suppression still says the same about the point.
async fn without_what_stands(
    tx: &mut Write,
    assertion: Assertion,
    generation: u32,
) -> store::Result<Option<SuppressionRow>> {
    let mut row = assertion.row;
    for other in store::suppression::told_touching(tx, &assertion.point_id).await? {
        for standing in assertions(tx, &other, generation).await? {
            if standing.row.token == row.token {
                row.channels = row.channels.without(standing.row.channels);
                row.deceased &= !standing.row.deceased;
            }
        }
    }
    Ok((row.deceased || !row.channels.is_empty()).then_some(row))
}

/// A channel on which a person must not be contacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Closed {
    /// The channel.
    pub channel: Channel,
    /// Who says so; this node for own suppressions.
    pub by: NodeId,
    /// Since when.
    pub since: Moment,
}

/// On which channels a person must not be contacted, and who says so.
///
/// Own suppressions count at once. An ally's count by the person's keys, or where every contact
/// point of the channel is closed; that somebody died, once two organizations say so.
///
/// # Errors
/// [`store::StoreError`].
pub async fn person_channels(
    state: &State,
    me: NodeId,
    db: &mut AnyConnection,
    person_id: &str,
) -> store::Result<Vec<Closed>> {
    let generation = state.meta().generation.unwrap_or_default();
    let mut closed = Vec::new();
    for own in store::suppression::standing_about(db, Some(person_id), None).await? {
        let channels = match (own.deceased, own.reason.as_str()) {
            (true, _) => Channels::EVERY,
            (_, MOVED) => Channels::default(),
            _ => own.channels,
        };
        closed.extend(channels.iter().map(|channel| Closed {
            channel,
            by: me,
            since: own.since,
        }));
    }
    let points = store::reach::of_person(db, person_id, generation).await?;
    for channel in Channel::ALL {
        for key in crate::claims::universe::Known::of(&points).keys {
            closed.extend(says(state, key, channel));
        }
        let class = crate::claims::universe::class_of(channel);
        let mut all: Vec<Option<Closed>> = Vec::new();
        for point in points.iter().filter(|point| point.class == class) {
            let own = store::suppression::standing_about(db, None, Some(&point.point_id)).await?;
            let own = own.into_iter().find(|own| own.channels.has(channel));
            let own = own.map(|own| Closed {
                channel,
                by: me,
                since: own.since,
            });
            let told = || point.tokens().find_map(|token| says(state, token, channel));
            all.push(own.or_else(told));
        }
        if all.iter().all(Option::is_some) {
            closed.extend(all.into_iter().flatten());
        }
    }
    closed.sort_unstable();
    closed.dedup_by_key(|closed| (closed.channel, closed.by));
    Ok(closed)
}

/// Who says that a token must not be contacted on a channel, and since when.
fn says(state: &State, token: Token, channel: Channel) -> Option<Closed> {
    let by = state.suppressed(token, channel)?;
    let since = state.suppressions.get(&(token, by))?.since;
    Some(Closed { channel, by, since })
}
