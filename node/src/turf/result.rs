//! Results of a packet, one by one: what came of a try at somebody, as a canvasser or a coordinator with
//! the paper sheet notes it. Late paper is taken with its own day, also when the packet is done.

use super::packet;
use crate::{
    app::App,
    claims,
    http::problem::Failure,
    people::noted::{self, Noted},
    store::{
        self,
        packet::{Packet, PacketState},
        point,
    },
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use protocol::channel::Channel;

/// Short codes of results at doors, with the words that an import of results knows.
const AT_DOORS: [(&str, &str); 7] = [
    ("CV", "Canvassed"),
    ("NH", "Not Home"),
    ("RF", "Refused"),
    ("IN", "Inaccessible"),
    ("MV", "Moved"),
    ("DE", "Deceased"),
    ("DW", "Do Not Walk"),
];
/// Short codes of results of calls and messages.
const BY_PHONE: [(&str, &str); 8] = [
    ("CV", "Canvassed"),
    ("NH", "Not Home"),
    ("BZ", "Busy"),
    ("LM", "Left Message"),
    ("RF", "Refused"),
    ("WN", "Wrong Number"),
    ("DE", "Deceased"),
    ("DC", "Do Not Call"),
];

/// The results of a channel: short code and word.
#[must_use]
pub fn codes(channel: Channel) -> &'static [(&'static str, &'static str)] {
    match channel {
        Channel::Door => &AT_DOORS,
        Channel::Phone | Channel::Text | Channel::Email => &BY_PHONE,
    }
}

/// A result to be noted.
#[derive(Debug)]
pub struct Entry {
    /// The person: id, another system's id or whole name.
    pub person: String,
    /// The result by its short code or word.
    pub result: String,
    /// The day on which it was; now, where none is named.
    pub day: Option<Date>,
}

/// What was noted.
#[derive(Debug)]
pub struct Recorded {
    /// The person's id.
    pub person_id: String,
    /// The stop within the packet.
    pub stop: u64,
    /// The result in words.
    pub result: &'static str,
    /// Whether it was noted before already.
    pub known: bool,
}

/// Notes what came of a try at somebody of a packet.
///
/// # Errors
/// [`Failure`] when there is no such packet, the person is not in it, the result has no such code, or the day
/// lies ahead or before the claim.
pub async fn record(app: &App, code: &str, entry: &Entry) -> Result<Recorded, Failure> {
    let packet = packet::find(app, code).await?;
    let claim = claims::show::find(app, &packet.claim_id).await?;
    let result = word(claim.channel, &entry.result)?;
    let zone = zone(app).await?;
    let today = Timestamp::from_millisecond(app.now().0)
        .map_err(Failure::internal)?
        .to_zoned(zone.clone())
        .date();
    if let Some(day) = entry.day.filter(|day| *day > today) {
        return Err(Failure::input(format!(
            "{day} lies ahead; a result is of today or before"
        )));
    }
    let mut tx = app.store.write("noting a result").await?;
    let person_id = crate::people::refer::one(&mut tx, &entry.person).await?;
    let stops = store::packet::stops(&mut tx, &packet.packet_id).await?;
    let points = point::of_person(&mut tx, &person_id).await?;
    let tried = points
        .iter()
        .find_map(|point| Some((point, *stops.get(&point.point.point_id)?)));
    let Some((tried, stop)) = tried else {
        return Err(Failure::input(format!(
            "this person is at no stop of packet {}",
            packet::code(&packet)
        )));
    };
    let what = Noted {
        person_id: &person_id,
        tried,
        points: &points,
        channel: claim.channel,
        result,
        day: entry.day.filter(|day| *day < today),
    };
    let new = noted::note(app, &mut tx, &zone, &what).await?;
    set_out(app, &mut tx, &packet).await?;
    tx.commit().await?;
    app.wake.jobs.notify_one();
    Ok(Recorded {
        person_id,
        stop: u64::try_from(stop).unwrap_or_default(),
        result,
        known: !new,
    })
}

pub(crate) fn word(channel: Channel, result: &str) -> Result<&'static str, Failure> {
    let known = codes(channel);
    let named = known.iter().find(|(code, word)| {
        code.eq_ignore_ascii_case(result.trim()) || word.eq_ignore_ascii_case(result.trim())
    });
    named.map(|(_, word)| *word).ok_or_else(|| {
        let words: Vec<String> = known
            .iter()
            .map(|(code, word)| format!("{code} ({word})"))
            .collect();
        Failure::input(format!("a result is one of: {}", words.join(", ")))
    })
}

async fn zone(app: &App) -> Result<TimeZone, Failure> {
    let name = claims::ground(app).await?.params.time_zone;
    TimeZone::get(&name).map_err(Failure::internal)
}

/// Whoever has results has set out.
async fn set_out(app: &App, tx: &mut store::Write, packet: &Packet) -> Result<(), Failure> {
    if packet.state == PacketState::Assigned {
        let moved = Packet {
            state: PacketState::InProgress,
            ..packet.clone()
        };
        store::packet::change(tx, &moved, packet.state, app.now().0).await?;
    }
    Ok(())
}
