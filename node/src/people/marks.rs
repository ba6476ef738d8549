//! What a row says about being contacted, as suppressions.
//!
//! A mark that stands already is not written again. One that was taken back at the desk is written
//! again only by something later: the same file twice adds nothing.

use super::{
    incoming::Contactable,
    merge::Mode,
    person::{Context, fresh_id},
};
use crate::{
    import::{Flag, When},
    store::{
        Result,
        person_suppression::{self as store, Cause, Suppression},
        point::{self, Point},
    },
};
use protocol::{channel::Channel, entry::payload::Channels};
use sqlx::AnyConnection;

/// Writes the marks of one person.
pub(super) struct Marker {
    person_id: String,
    import_id: String,
    now: i64,
    mode: Mode,
    /// Everything that was ever marked about the person, in the order of its time.
    pub(super) standing: Vec<Suppression>,
    /// How many marks are new.
    pub(super) written: u64,
}

impl Marker {
    /// The marks of a person; a new person has none yet.
    pub(super) async fn of(
        db: &mut AnyConnection,
        person_id: &str,
        is_new: bool,
        mode: Mode,
        context: &Context,
    ) -> Result<Self> {
        let standing = if is_new {
            Vec::new()
        } else {
            store::of_person(db, person_id).await?
        };
        Ok(Self {
            person_id: person_id.to_owned(),
            import_id: context.import_id.clone(),
            now: context.now,
            mode,
            standing,
            written: 0,
        })
    }

    /// Writes what a mark on the person amounts to.
    pub(super) async fn flag(&mut self, db: &mut AnyConnection, flag: &Flag) -> Result<()> {
        match flag {
            Flag::DoNot { channel } => {
                let only = Channels::only(*channel);
                self.assert(db, Cause::DoNotContact, None, only, self.now)
                    .await
            }
            Flag::OptOut { channel, at } => {
                let since = at.map_or(self.now, |at| moment(at).min(self.now));
                self.assert(db, Cause::OptOut, None, Channels::only(*channel), since)
                    .await
            }
            Flag::Deceased => {
                self.assert(db, Cause::Deceased, None, Channels::default(), self.now)
                    .await
            }
            Flag::OptIn { .. } | Flag::DoNotMail | Flag::NeverShare | Flag::FccRegistry => Ok(()),
        }
    }

    /// Writes what the row says about one contact point.
    pub(super) async fn contactable(
        &mut self,
        db: &mut AnyConnection,
        point: &Point,
        contactable: &Contactable,
    ) -> Result<()> {
        let channels = of_class(point.class);
        if contactable.bad {
            self.assert(db, Cause::Defect, Some(&point.point_id), channels, self.now)
                .await?;
        }
        if contactable.opt_in == Some(false) {
            self.assert(db, Cause::OptOut, Some(&point.point_id), channels, self.now)
                .await?;
        }
        Ok(())
    }

    /// Writes a mark, as far as it does not stand already.
    pub(super) async fn assert(
        &mut self,
        db: &mut AnyConnection,
        cause: Cause,
        point_id: Option<&str>,
        channels: Channels,
        since: i64,
    ) -> Result<()> {
        let same = |row: &&Suppression| {
            row.cause == cause
                && row.point_id.as_deref() == point_id
                && (self.mode == Mode::Keep || row.withdrawn_at.is_none_or(|at| at >= since))
        };
        let known: Vec<&Suppression> = self.standing.iter().filter(same).collect();
        let covered = known.iter().fold(0, |bits, row| bits | row.channels);
        let missing = i64::from(channels.0) & !covered;
        let deceased = cause == Cause::Deceased;
        if missing == 0 && !(deceased && known.is_empty()) {
            return Ok(());
        }
        let row = Suppression {
            suppression_id: fresh_id(),
            person_id: Some(self.person_id.clone()),
            point_id: point_id.map(str::to_owned),
            channels: missing,
            deceased,
            cause,
            source: self.import_id.clone(),
            since,
            withdrawn_at: None,
            told: None,
        };
        store::insert(db, &row).await?;
        self.standing.push(row);
        self.written += 1;
        Ok(())
    }
}

/// On which channels a person has said no to this organization, and since when.
pub(super) fn opted_out(standing: &[Suppression]) -> Vec<(Channel, i64)> {
    let mut out = Vec::new();
    for row in standing {
        if row.cause != Cause::OptOut || row.withdrawn_at.is_some() || row.point_id.is_some() {
            continue;
        }
        for channel in Channel::ALL {
            if row.channels & i64::from(Channels::only(channel).0) != 0 {
                out.push((channel, row.since));
            }
        }
    }
    out
}

/// The channels on which a contact point is used.
pub(super) fn of_class(class: i64) -> Channels {
    match class {
        point::DOOR => Channels::only(Channel::Door),
        point::PHONE => Channels::only(Channel::Phone).with(Channels::only(Channel::Text)),
        point::EMAIL => Channels::only(Channel::Email),
        _ => Channels::default(),
    }
}

/// A moment of the day that a file names, in UTC: good enough to order marks.
pub(super) fn moment(when: When) -> i64 {
    let zone = jiff::tz::TimeZone::UTC;
    let instant = match when {
        When::Day(day) => day.to_zoned(zone).map(|zoned| zoned.timestamp()),
        When::Local(time) => zone.to_timestamp(time),
        When::Instant(instant) => Ok(instant),
    };
    instant.map_or(0, |instant| instant.as_millisecond())
}
