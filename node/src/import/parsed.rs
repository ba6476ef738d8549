//! What a row says, in our words but not yet normalized: numbers, addresses and names stay as written.

use super::{date::When, effect::EffectClass};
use crate::turf::position::Position;
use jiff::civil::Date;
use protocol::channel::Channel;
use std::sync::Arc;

/// A person as one row of a list describes it. Absent values are empty or none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParsedPerson {
    /// Ids that other systems gave.
    pub identifiers: Vec<Identifier>,
    /// The name.
    pub name: ParsedName,
    /// Birth date, if the whole date is known.
    pub birth_date: Option<Date>,
    /// Birth year, also where the whole date is known.
    pub birth_year: Option<i16>,
    /// State voter id with its state.
    pub voter_id: Option<VoterId>,
    /// The door.
    pub address: ParsedAddress,
    /// Phone numbers, each once.
    pub phones: Vec<ParsedPhone>,
    /// E-mail addresses, each once.
    pub emails: Vec<ParsedEmail>,
    /// Consent, suppression and other marks, each once, in order.
    pub flags: Vec<Flag>,
    /// Tags of the list's owner.
    pub tags: Vec<String>,
    /// What the person answered; never leaves without a share whose purpose covers answers.
    pub answers: Vec<Answer>,
    /// Columns that mean nothing to us, kept for the owner; empty values are not.
    pub extra: Vec<Extra>,
}

/// A column's name and its value.
pub type Extra = (Arc<str>, String);

/// Another system's id of a person; joins files of one system and is never a match token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identifier {
    /// Who gave the id.
    pub system: System,
    /// The id as written, leading zeros included.
    pub id: String,
}

/// Systems that give people ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum System {
    /// VAN: unique per state and instance.
    Van,
    /// Catalist.
    Dwid,
    /// NationBuilder.
    NationBuilder,
    /// Action Network.
    ActionNetwork,
    /// CiviCRM.
    CiviCrm,
    /// A county's voter file; unique in its county.
    CountyFile,
    /// Whatever the owner uses besides.
    External,
}

impl System {
    /// The word that is stored and shown.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Van => "van",
            Self::Dwid => "dwid",
            Self::NationBuilder => "nationbuilder",
            Self::ActionNetwork => "action-network",
            Self::CiviCrm => "civicrm",
            Self::CountyFile => "county-file",
            Self::External => "external",
        }
    }
}

/// A name in its parts, or whole where the file has only that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParsedName {
    /// Given name.
    pub given: String,
    /// Middle name or initial.
    pub middle: String,
    /// Surname.
    pub surname: String,
    /// Jr, III and the like.
    pub suffix: String,
    /// The whole name, if the file has such a column.
    pub full: String,
}

impl ParsedName {
    /// Whether no part is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        [&self.given, &self.middle, &self.surname, &self.full]
            .into_iter()
            .all(String::is_empty)
    }
}

/// A voter id, unique only together with its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoterId {
    /// The state as written.
    pub state: String,
    /// The id as issued, leading zeros included.
    pub id: String,
}

/// An address as written; `line1` and `line2` are put together from the parts where a file has only those.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParsedAddress {
    /// House number and street.
    pub line1: String,
    /// Unit.
    pub line2: String,
    /// City.
    pub city: String,
    /// County.
    pub county: String,
    /// State.
    pub state: String,
    /// Postal code, leading zeros included; with the four further digits where the file has them.
    pub postal_code: String,
    /// Country.
    pub country: String,
    /// The street in its parts, where the file has them.
    pub parts: StreetParts,
    /// Where it lies, if the file says so.
    pub position: Option<Position>,
    /// The precinct in which it lies.
    pub precinct: String,
}

impl ParsedAddress {
    /// Whether a door is named: a street, not just a town.
    #[must_use]
    pub fn has_street(&self) -> bool {
        !self.line1.is_empty()
    }
}

/// A street address in the parts that voter files and walk lists have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StreetParts {
    /// House number.
    pub number: String,
    /// Half or letter of the number.
    pub number_suffix: String,
    /// Direction before the street.
    pub prefix: String,
    /// Name of the street.
    pub street: String,
    /// Street, Avenue and the like.
    pub kind: String,
    /// Direction after the street.
    pub suffix: String,
    /// Apartment, unit and the like.
    pub unit_kind: String,
    /// Number of the unit.
    pub unit: String,
}

/// What kind of line a phone number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PhoneKind {
    /// A mobile phone.
    Mobile,
    /// At home.
    Home,
    /// At work.
    Work,
    /// The file does not say.
    Unknown,
}

/// A phone number as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedPhone {
    /// As written.
    pub raw: String,
    /// Kind of line.
    pub kind: PhoneKind,
    /// The owner marked the number as bad: a data-point defect.
    pub bad: bool,
    /// Consent of this one number to be called by the owner, or its withdrawal.
    pub opt_in: Option<bool>,
}

/// An e-mail address as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedEmail {
    /// As written.
    pub raw: String,
    /// The owner marked the address as bad: a data-point defect.
    pub bad: bool,
}

/// A mark on a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flag {
    /// Agreed to hear from the list's owner. Names no other recipient: never a consent to a share.
    OptIn {
        /// How.
        channel: Channel,
    },
    /// Withdrew that consent, or said no. Not a suppression for the coalition.
    OptOut {
        /// How.
        channel: Channel,
        /// When, where the file says.
        at: Option<When>,
    },
    /// Person suppression on a channel.
    DoNot {
        /// Which channel.
        channel: Channel,
    },
    /// Wants no paper mail; no channel of ours, kept for the owner's exports.
    DoNotMail,
    /// No share may hold this person, whatever an agreement says.
    NeverShare,
    /// Reported dead by this one source.
    Deceased,
    /// On the federal do-not-call registry: a fact for the policy gate.
    FccRegistry,
}

/// What a person answered to something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// To what.
    pub question: &'static str,
    /// As written.
    pub value: String,
}

/// One attempt to reach a person. Who tried by name is never read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedAttempt {
    /// Ids of the person.
    pub identifiers: Vec<Identifier>,
    /// Name of the person as the file has it.
    pub voter_name: Option<String>,
    /// When; a day without a time counts whole.
    pub when: When,
    /// How; none where the contact type is unknown or no channel of ours.
    pub channel: Option<Channel>,
    /// What came of it.
    pub result: ParsedResult,
    /// Whose attempt it is.
    pub committee: Option<String>,
    /// The contact type as written.
    pub contact_type: Option<String>,
    /// The door, where the file names it.
    pub address: ParsedAddress,
    /// Phone numbers that the file names.
    pub phones: Vec<ParsedPhone>,
    /// E-mail addresses that the file names.
    pub emails: Vec<ParsedEmail>,
    /// Marks on the person, where the file has such columns; what else it says of the person is not kept.
    pub flags: Vec<Flag>,
    /// Columns that mean nothing to us.
    pub extra: Vec<Extra>,
}

impl ParsedAttempt {
    /// An attempt that somebody typed in. A result that no table has is flagged, as in a file.
    #[must_use]
    pub fn noted(when: When, channel: Channel, result: &str) -> Self {
        let class = super::effect::classify(result);
        Self {
            identifiers: Vec::new(),
            voter_name: None,
            when,
            channel: Some(channel),
            result: ParsedResult {
                raw: result.to_owned(),
                class: class.unwrap_or(EffectClass::AttemptOnly),
                flagged: class.is_none(),
            },
            committee: None,
            contact_type: None,
            address: ParsedAddress::default(),
            phones: Vec::new(),
            emails: Vec::new(),
            flags: Vec::new(),
            extra: Vec::new(),
        }
    }
}

/// A result as written and what it amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParsedResult {
    /// As written.
    pub raw: String,
    /// Its class.
    pub class: EffectClass,
    /// In no table: an admin looks at it before the coalition is told anything.
    pub flagged: bool,
}
