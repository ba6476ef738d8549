//! What a person agreed to: a profile of ISO/IEC TS 27560:2023, per purpose, append-only.
//!
//! Names follow the profile; `x_` marks our own. Moments are milliseconds since 1970 instead of
//! date texts, and durations are whole days (`P730D`), because this crate has no calendar.
//! Spec: `spec/policy.md`, section 5.

pub mod clause;
pub mod form;

use crate::{
    facts::{Basis, FieldClass, OrgKind, PolicyChannel, Purpose, names},
    jurisdiction::Jurisdiction,
};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// The version of the profile that this program writes and reads.
pub const SCHEMA_VERSION: &str = "27560-commonturf-1";
/// The most events that one record may hold.
pub const MAX_EVENTS: usize = 1_000;
/// The most purposes of one record or form.
pub const MAX_PURPOSES: usize = 32;
/// The most recipients of one purpose.
pub const MAX_RECIPIENTS: usize = 256;
/// The most bytes of one record as JSON.
pub const MAX_RECORD_BYTES: usize = 256 * 1024;

names! {
    /// How consent was collected.
    CollectionMethod: "way of collecting consent" {
        /// A form on a website.
        WebForm = "web_form",
        /// A form on paper.
        Paper = "paper",
        /// At the door.
        Door = "door",
        /// On the phone.
        Phone = "phone",
        /// By text message.
        Sms = "sms",
        /// Taken over from another system.
        Import = "import",
    }
}

names! {
    /// What an event did to the consent.
    EventState: "state of a consent event" {
        /// The person agreed.
        Given = "given",
        /// The person said no.
        Refused = "refused",
        /// The person took it back.
        Withdrawn = "withdrawn",
        /// Its time is over.
        Expired = "expired",
        /// It turned out not to be valid.
        Invalidated = "invalidated",
        /// The person said again what was given before.
        Confirmed = "confirmed",
    }
}

names! {
    /// Whether the person is a minor.
    Minor: "answer whether the person is a minor" {
        /// No.
        No = "no",
        /// Yes.
        Yes = "yes",
        /// Not known.
        Unknown = "unknown",
    }
}

names! {
    /// What proves the consent.
    EvidenceKind: "kind of evidence" {
        /// A scanned form.
        Scan = "scan",
        /// A line of a log.
        Log = "log",
        /// A recording.
        Audio = "audio",
    }
}

/// The notice that the person saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// Where it can be read.
    pub url: String,
    /// SHA-256 of its text, 64 hexadecimal digits.
    pub sha256: String,
    /// Which version of it.
    pub version: String,
}

/// What proves the consent; the proof itself stays with the organization.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    /// SHA-256 of the evidence, 64 hexadecimal digits.
    pub sha256: String,
    /// What it is.
    pub kind: EvidenceKind,
}

/// Whom the person agreed to as recipients.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipients {
    /// Organizations, by node id or by the name on the form.
    pub party_ids: Vec<String>,
    /// Kinds of organizations, or `coalition` for every member.
    #[serde(default)]
    pub x_classes: Vec<String>,
}

impl Recipients {
    /// Adds one recipient: a kind of organization or `coalition` is a class, anything else a name
    /// or a node id.
    pub(crate) fn add(&mut self, word: String) {
        if word == "coalition" || OrgKind::NAMES.contains(&word.as_str()) {
            self.x_classes.push(word);
        } else {
            self.party_ids.push(word);
        }
    }
}

/// What the person agreed to for one purpose.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PurposeClause {
    /// What for.
    pub purpose: Purpose,
    /// Which classes of fields.
    pub pii_information: Vec<FieldClass>,
    /// On which channels the person may be contacted.
    pub x_channels: Vec<PolicyChannel>,
    /// On which of them the agreement is in writing.
    #[serde(default)]
    pub x_written: Vec<PolicyChannel>,
    /// Whether a recipient may pass the row on.
    #[serde(default)]
    pub x_onward_allowed: bool,
    /// To whom.
    pub recipient_third_parties: Recipients,
    /// How long it holds from the giving event on; none: until it is taken back.
    #[serde(default)]
    pub retention_period: Option<String>,
    /// Where recipients must be; empty: anywhere.
    #[serde(default)]
    pub geographic_restrictions: Vec<Jurisdiction>,
}

/// An organization that the record names, for people to read; the gate does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyEntry {
    /// Id within the record.
    pub party_id: String,
    /// Name.
    pub party_name: String,
    /// Postal address.
    #[serde(default)]
    pub party_address: String,
    /// Phone or e-mail address.
    #[serde(default)]
    pub party_contact: String,
    /// Its role: controller, recipient.
    #[serde(default)]
    pub party_type: String,
}

/// One thing that happened to a consent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// When, in milliseconds since 1970.
    pub event_time: i64,
    /// How long it holds, as `P<days>D`; none: until something else happens.
    #[serde(default)]
    pub validity_duration: Option<String>,
    /// Who caused it; a local id.
    pub entity_id: String,
    /// `explicit`, `implicit` or a word of the organization's own.
    pub event_type: String,
    /// Ed25519 signature in hexadecimal, if the event was signed.
    #[serde(default)]
    pub x_sig: Option<String>,
    /// What it did.
    pub event_state: EventState,
}

/// One person's consent. Private to the organization; a recipient gets the clause relied on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// [`SCHEMA_VERSION`].
    pub schema_version: String,
    /// Id of the record.
    pub record_id: String,
    /// Local id of the person; never leaves.
    pub pii_principal_id: String,
    /// Language of the notice (BCP 47).
    pub language: String,
    /// Whose law protects the person.
    pub jurisdiction: Jurisdiction,
    /// The ground that the record establishes: consent or explicit consent.
    pub lawful_basis: Basis,
    /// What the person saw.
    pub privacy_notice: Notice,
    /// Every class of fields that any purpose names.
    pub pii_type: Vec<FieldClass>,
    /// Version of the form.
    pub x_form_version: String,
    /// What proves it.
    #[serde(default)]
    pub x_evidence: Option<Evidence>,
    /// How it was collected.
    pub collection_method: CollectionMethod,
    /// How the person can take it back.
    pub withdrawal_method: String,
    /// Who is responsible for the data.
    #[serde(default)]
    pub pii_controllers: Vec<String>,
    /// Where the data are kept.
    #[serde(default)]
    pub storage_locations: Vec<String>,
    /// Special categories of GDPR art. 9: `political_opinion`.
    #[serde(default)]
    pub special_pii_category: Vec<String>,
    /// Whether the person agreed to those categories explicitly.
    #[serde(default)]
    pub x_explicit_special: bool,
    /// Whether the person is a minor.
    pub x_minor: Minor,
    /// What the person agreed to, per purpose.
    pub purposes: Vec<PurposeClause>,
    /// Organizations that the record names.
    #[serde(default)]
    pub parties: Vec<PartyEntry>,
    events: Vec<Event>,
}

/// Why a record was not read or not extended.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// Not the JSON of a record.
    #[error("line {line}, column {column}: this is no consent record of the profile; {message}")]
    Shape {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What kind of fault; never what the record says.
        message: &'static str,
    },
    /// Another version of the profile.
    #[error(
        "this consent record has another schema_version than {SCHEMA_VERSION}; convert it first"
    )]
    Version,
    /// Too large in one way or another.
    #[error("this consent record is too large; {0}")]
    Limit(&'static str),
}

impl Record {
    /// Reads a record from JSON.
    ///
    /// # Errors
    /// When a field is unknown, missing or mistyped, the version differs, or a limit is passed.
    pub fn parse(json: &str) -> Result<Self, RecordError> {
        if json.len() > MAX_RECORD_BYTES {
            return Err(RecordError::Limit("a record has at most 256 KiB"));
        }
        let record: Self = serde_json::from_str(json).map_err(|error| RecordError::Shape {
            line: error.line().max(1),
            column: error.column().max(1),
            message: match error.classify() {
                serde_json::error::Category::Data => "a field is unknown, missing or mistyped",
                _ => "the JSON is broken",
            },
        })?;
        if record.schema_version != SCHEMA_VERSION {
            return Err(RecordError::Version);
        }
        if record.events.len() > MAX_EVENTS {
            return Err(RecordError::Limit("a record has at most 1,000 events"));
        }
        if record.purposes.len() > MAX_PURPOSES {
            return Err(RecordError::Limit("a record has at most 32 purposes"));
        }
        Ok(record)
    }

    /// What happened, oldest entry first.
    #[must_use]
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Adds what happened. Nothing is ever taken out.
    ///
    /// # Errors
    /// When the record already has [`MAX_EVENTS`] events.
    pub fn append(&mut self, event: Event) -> Result<(), RecordError> {
        if self.events.len() >= MAX_EVENTS {
            return Err(RecordError::Limit("a record has at most 1,000 events"));
        }
        self.events.push(event);
        Ok(())
    }
}

/// A whole number of days, printed as `P730D` (ISO 8601).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Days(pub u32);

/// A text that is no duration in whole days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a duration is written as P, a number of days and D, for example P730D")]
pub struct BadDays;

impl Days {
    /// The moment so many days after another; stays at the end of time.
    #[must_use]
    pub fn after(self, moment_ms: i64) -> i64 {
        moment_ms.saturating_add(i64::from(self.0).saturating_mul(86_400_000))
    }
}

impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "P{}D", self.0)
    }
}

impl FromStr for Days {
    type Err = BadDays;
    fn from_str(text: &str) -> Result<Self, BadDays> {
        let digits = text
            .strip_prefix('P')
            .and_then(|rest| rest.strip_suffix('D'));
        let digits = digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
        digits
            .and_then(|digits| digits.parse().ok())
            .map(Self)
            .ok_or(BadDays)
    }
}
