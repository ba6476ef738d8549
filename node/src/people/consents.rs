//! Consent records: given by a form that everybody in the file signed, taken back by opt-outs.

use super::person::{Context, fresh_id};
use crate::store::{
    Result,
    consent::{self, Consent},
    person::Person,
};
use jiff::civil::Date;
use policy::{
    consent::{Event, EventState, Evidence, EvidenceKind, Minor, Record, form::Form},
    facts::{Basis, ConsentState, PolicyChannel},
};
use protocol::{channel::Channel, id::Hash};
use sqlx::AnyConnection;

/// A form and the file of those who signed it.
pub(super) struct Signed {
    form: Form,
    /// The file, as evidence.
    evidence: Evidence,
    /// When they signed.
    at: i64,
    sample: Record,
}

impl Signed {
    /// A form signed by everybody in a file: on a day, or else at the time of the import.
    pub(super) fn new(form: Form, file: Hash, day: Option<Date>, now: i64) -> Self {
        let at = day.map_or(now, |day| {
            super::marks::moment(crate::import::When::Day(day)).min(now)
        });
        let sample = form.record("", "", at, EventState::Given, None);
        Self {
            form,
            evidence: Evidence {
                sha256: file.to_string(),
                kind: EvidenceKind::Log,
            },
            at,
            sample,
        }
    }

    /// The ground that the form establishes.
    pub(super) fn basis(&self) -> Basis {
        self.sample.lawful_basis
    }
}

/// Writes the record of a person who signed; false when this file's signature is known, or the same
/// form is in force already.
pub(super) async fn give(
    db: &mut AnyConnection,
    context: &Context,
    signed: &Signed,
    person: &Person,
    is_new: bool,
) -> Result<bool> {
    let version = &signed.sample.x_form_version;
    let before = if is_new {
        Vec::new()
    } else {
        consent::of_person(db, &person.person_id).await?
    };
    for known in before {
        let same_form = known.form == *version && known.record.purposes == signed.sample.purposes;
        let same_file = known.record.x_evidence.as_ref() == Some(&signed.evidence);
        let in_force = known.record.standing(context.now).state == ConsentState::Given;
        if same_form && (same_file || in_force) {
            return Ok(false);
        }
    }
    let record_id = fresh_id();
    let mut record = signed.form.record(
        &record_id,
        &person.person_id,
        signed.at,
        EventState::Given,
        Some(signed.evidence.clone()),
    );
    record.x_minor = match (&person.birth_date, person.minor) {
        (None, _) => Minor::Unknown,
        (Some(_), true) => Minor::Yes,
        (Some(_), false) => Minor::No,
    };
    let consent = Consent {
        record_id,
        person_id: person.person_id.clone(),
        form: version.clone(),
        record,
        updated_at: context.now,
    };
    consent::put(db, &consent).await?;
    Ok(true)
}

/// Takes back what the person's opt-outs take back; how many records that were.
///
/// Whoever unsubscribes from an organization's e-mail takes back all consent given to it. An opt-out of
/// another channel takes back a record that covers nothing else; beside other channels the suppression
/// of this one is enough.
pub(super) async fn withdraw(
    db: &mut AnyConnection,
    context: &Context,
    person_id: &str,
    opted_out: Vec<(Channel, i64)>,
) -> Result<u64> {
    if opted_out.is_empty() {
        return Ok(0);
    }
    let mut count = 0;
    for mut known in consent::of_person(db, person_id).await? {
        if known.record.standing(context.now).state != ConsentState::Given {
            continue;
        }
        let concerned = opted_out.iter().find(|(channel, _)| {
            *channel == Channel::Email || covers_only(&known.record, *channel)
        });
        let Some((_, since)) = concerned else {
            continue;
        };
        // The mark stands in the latest file, so it is later than whatever was given before.
        let last = known.record.events().iter().map(|event| event.event_time);
        let event = Event {
            event_time: last.max().unwrap_or_default().max(*since),
            validity_duration: None,
            entity_id: person_id.to_owned(),
            event_type: "opt_out".to_owned(),
            x_sig: None,
            event_state: EventState::Withdrawn,
        };
        if let Err(error) = known.record.append(event) {
            tracing::warn!(record = known.record_id, %error, "a withdrawal could not be added");
            continue;
        }
        known.updated_at = context.now;
        consent::put(db, &known).await?;
        count += 1;
    }
    Ok(count)
}

/// Whether a record names no channel but this one.
fn covers_only(record: &Record, channel: Channel) -> bool {
    let of = |channel: &PolicyChannel| match channel {
        PolicyChannel::Door => Some(Channel::Door),
        PolicyChannel::Mail => None,
        PolicyChannel::Email => Some(Channel::Email),
        PolicyChannel::CallManual | PolicyChannel::CallAuto => Some(Channel::Phone),
        PolicyChannel::SmsP2p | PolicyChannel::SmsAuto => Some(Channel::Text),
    };
    let mut channels = record.purposes.iter().flat_map(|clause| &clause.x_channels);
    channels.all(|named| of(named) == Some(channel))
}
