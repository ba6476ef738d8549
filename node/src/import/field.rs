//! What a column can mean: one list, which the formats' tables and `--map` share.

use super::parsed::{PhoneKind, System};
use protocol::channel::Channel;
use std::{fmt, str::FromStr};

/// The meaning of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// An id that another system gave.
    Id(System),
    /// State voter id.
    VoterId,
    /// State of the voter id, where it is not that of the address.
    VoterState,
    /// Given name.
    GivenName,
    /// Middle name.
    MiddleName,
    /// Surname.
    Surname,
    /// Suffix of the name.
    NameSuffix,
    /// The whole name.
    FullName,
    /// Birth date, or a year alone.
    BirthDate,
    /// Birth year.
    BirthYear,
    /// Part of the address.
    Door(Part),
    /// Part of a second address, taken where the first has no street.
    OtherDoor(Part),
    /// The whole address in one; its ZIP code and street are taken where their columns are empty.
    WholeAddress,
    /// Phone number.
    Phone(PhoneKind),
    /// Yes: the numbers of this kind are bad.
    PhoneBad(PhoneKind),
    /// Yes: the numbers of this kind are mobile phones.
    PhoneIsMobile(PhoneKind),
    /// The phone number to which the opt-in status belongs.
    OptInPhone,
    /// Consent of that number.
    OptInStatus,
    /// E-mail address; the number joins it to its mark.
    Email(u8),
    /// Yes: the e-mail address with this number is bad.
    EmailBad(u8),
    /// Yes or subscribed: consent to the owner; no or unsubscribed: withdrawn.
    OptIn(Channel),
    /// Yes: consent withdrawn.
    OptOut(Channel),
    /// When e-mail consent was withdrawn.
    UnsubscribedAt,
    /// Yes: person suppression on the channel.
    DoNot(Channel),
    /// Yes: no paper mail.
    DoNotMail,
    /// Yes: person suppression on all channels, and never share.
    DoNotContact,
    /// Yes: never share.
    NeverShare,
    /// Yes: deceased.
    Deceased,
    /// Yes: on the federal do-not-call registry.
    FccRegistry,
    /// Tags, separated by commas.
    Tags,
    /// An answer: level of support.
    SupportLevel,
    /// Kind of contact; rows other than persons are left out.
    ContactKind,
    /// Yes: deleted in its own system.
    InTrash,
    /// When a contact was attempted.
    ContactDate,
    /// Result of the attempt.
    Result,
    /// Contact type, which gives the channel.
    ContactType,
    /// Whose attempt it was.
    Committee,
    /// No meaning; kept for the owner.
    Keep,
    /// Not taken.
    LeaveOut,
}

/// Part of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// House number and street.
    Line1,
    /// Unit.
    Line2,
    /// City.
    City,
    /// County.
    County,
    /// State.
    State,
    /// Postal code.
    Zip,
    /// The four further digits of a ZIP code.
    Zip4,
    /// Country.
    Country,
    /// House number.
    Number,
    /// Half or letter of the number.
    NumberSuffix,
    /// Direction before the street.
    StreetPrefix,
    /// Name of the street.
    Street,
    /// Street, Avenue and the like.
    StreetKind,
    /// Direction after the street.
    StreetSuffix,
    /// Apartment, unit and the like.
    UnitKind,
    /// Number of the unit.
    Unit,
    /// Degrees north of the equator.
    Latitude,
    /// Degrees east of Greenwich.
    Longitude,
    /// The precinct in which the door lies.
    Precinct,
}

/// Every field by the word that people type after `--map COLUMN=`.
pub const FIELDS: &[(&str, Field)] = &[
    ("van-id", Field::Id(System::Van)),
    ("dwid", Field::Id(System::Dwid)),
    ("nationbuilder-id", Field::Id(System::NationBuilder)),
    ("action-network-id", Field::Id(System::ActionNetwork)),
    ("civicrm-id", Field::Id(System::CiviCrm)),
    ("county-file-id", Field::Id(System::CountyFile)),
    ("external-id", Field::Id(System::External)),
    ("voter-id", Field::VoterId),
    ("voter-state", Field::VoterState),
    ("given-name", Field::GivenName),
    ("middle-name", Field::MiddleName),
    ("surname", Field::Surname),
    ("name-suffix", Field::NameSuffix),
    ("full-name", Field::FullName),
    ("birth-date", Field::BirthDate),
    ("birth-year", Field::BirthYear),
    ("address-line-1", Field::Door(Part::Line1)),
    ("address-line-2", Field::Door(Part::Line2)),
    ("city", Field::Door(Part::City)),
    ("county", Field::Door(Part::County)),
    ("state", Field::Door(Part::State)),
    ("zip", Field::Door(Part::Zip)),
    ("zip-4", Field::Door(Part::Zip4)),
    ("country", Field::Door(Part::Country)),
    ("house-number", Field::Door(Part::Number)),
    ("house-number-suffix", Field::Door(Part::NumberSuffix)),
    ("street-prefix", Field::Door(Part::StreetPrefix)),
    ("street", Field::Door(Part::Street)),
    ("street-type", Field::Door(Part::StreetKind)),
    ("street-suffix", Field::Door(Part::StreetSuffix)),
    ("unit-type", Field::Door(Part::UnitKind)),
    ("unit", Field::Door(Part::Unit)),
    ("latitude", Field::Door(Part::Latitude)),
    ("longitude", Field::Door(Part::Longitude)),
    ("precinct", Field::Door(Part::Precinct)),
    ("whole-address", Field::WholeAddress),
    ("phone", Field::Phone(PhoneKind::Unknown)),
    ("mobile-phone", Field::Phone(PhoneKind::Mobile)),
    ("home-phone", Field::Phone(PhoneKind::Home)),
    ("work-phone", Field::Phone(PhoneKind::Work)),
    ("mobile-phone-bad", Field::PhoneBad(PhoneKind::Mobile)),
    (
        "home-phone-is-mobile",
        Field::PhoneIsMobile(PhoneKind::Home),
    ),
    (
        "work-phone-is-mobile",
        Field::PhoneIsMobile(PhoneKind::Work),
    ),
    ("opt-in-phone", Field::OptInPhone),
    ("opt-in-phone-status", Field::OptInStatus),
    ("email", Field::Email(1)),
    ("email-2", Field::Email(2)),
    ("email-3", Field::Email(3)),
    ("email-4", Field::Email(4)),
    ("email-bad", Field::EmailBad(1)),
    ("email-2-bad", Field::EmailBad(2)),
    ("email-3-bad", Field::EmailBad(3)),
    ("email-4-bad", Field::EmailBad(4)),
    ("phone-opt-in", Field::OptIn(Channel::Phone)),
    ("text-opt-in", Field::OptIn(Channel::Text)),
    ("email-opt-in", Field::OptIn(Channel::Email)),
    ("phone-opt-out", Field::OptOut(Channel::Phone)),
    ("text-opt-out", Field::OptOut(Channel::Text)),
    ("email-opt-out", Field::OptOut(Channel::Email)),
    ("email-unsubscribed-at", Field::UnsubscribedAt),
    ("do-not-knock", Field::DoNot(Channel::Door)),
    ("do-not-call", Field::DoNot(Channel::Phone)),
    ("do-not-text", Field::DoNot(Channel::Text)),
    ("do-not-email", Field::DoNot(Channel::Email)),
    ("do-not-mail", Field::DoNotMail),
    ("do-not-contact", Field::DoNotContact),
    ("never-share", Field::NeverShare),
    ("deceased", Field::Deceased),
    ("fcc-registry", Field::FccRegistry),
    ("tags", Field::Tags),
    ("support-level", Field::SupportLevel),
    ("contact-kind", Field::ContactKind),
    ("in-trash", Field::InTrash),
    ("contact-date", Field::ContactDate),
    ("result", Field::Result),
    ("contact-type", Field::ContactType),
    ("committee", Field::Committee),
    ("keep", Field::Keep),
    ("leave-out", Field::LeaveOut),
];

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = match self {
            Self::OtherDoor(part) => Self::Door(*part),
            field => *field,
        };
        let named = FIELDS.iter().find(|(_, known)| *known == field);
        f.write_str(named.map_or("unnamed", |(name, _)| name))
    }
}

impl FromStr for Field {
    type Err = UnknownField;
    fn from_str(text: &str) -> Result<Self, UnknownField> {
        let named = FIELDS.iter().find(|(name, _)| *name == text);
        named.map(|(_, field)| *field).ok_or(UnknownField)
    }
}

/// A word that names no field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownField;

impl std::error::Error for UnknownField {}

impl fmt::Display for UnknownField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field is one of: ")?;
        for (index, (name, _)) in FIELDS.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{name}")?;
        }
        Ok(())
    }
}

/// One `--map COLUMN=FIELD`: what a column means, whatever the format says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Name of the column; compared without case, spaces and underscores.
    pub column: String,
    /// What it means.
    pub field: Field,
}

impl FromStr for Mapping {
    type Err = BadMapping;
    fn from_str(text: &str) -> Result<Self, BadMapping> {
        let (column, field) = text.rsplit_once('=').ok_or(BadMapping::Shape)?;
        if column.trim().is_empty() {
            return Err(BadMapping::Shape);
        }
        Ok(Self {
            column: column.trim().to_owned(),
            field: field.trim().parse()?,
        })
    }
}

/// Why a text is no mapping.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadMapping {
    /// No column, no field or no equals sign.
    #[error("a mapping is written COLUMN=FIELD, for example \"Cell No=mobile-phone\"")]
    Shape,
    /// No such field.
    #[error(transparent)]
    Field(#[from] UnknownField),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_parses_from_what_it_prints() {
        for (_, field) in FIELDS {
            assert_eq!(field.to_string().parse(), Ok(*field));
        }
    }

    #[test]
    fn a_mapping_splits_at_the_last_equals_sign() {
        let mapping: Mapping = "a=b = zip".parse().expect("a mapping");
        assert_eq!(
            mapping,
            Mapping {
                column: "a=b".to_owned(),
                field: Field::Door(Part::Zip)
            }
        );
    }

    #[test]
    fn an_unknown_field_is_refused_with_the_list() {
        let error = "Cell=fax".parse::<Mapping>().expect_err("no field");
        assert!(error.to_string().contains("mobile-phone"), "{error}");
        assert_eq!("Cell".parse::<Mapping>(), Err(BadMapping::Shape));
        assert_eq!("=zip".parse::<Mapping>(), Err(BadMapping::Shape));
    }
}
