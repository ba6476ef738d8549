//! Any other table: columns by common names, and whatever `--map` says.
//!
//! A voter id is never guessed from its name: only some files' ids are unique in a whole state. With a
//! contact date and a result the rows are attempts, else people.

use super::{
    field::{Field, Part},
    format::{Format, Key, Makes, Spec},
    parsed::{PhoneKind, System},
};
use protocol::channel::Channel;

pub(super) const SPEC: Spec = Spec {
    format: Format::Csv,
    name: "csv",
    makes: Makes::People,
    fits: |has, _| {
        COLUMNS
            .iter()
            .any(|(name, field)| WHO.contains(field) && has(name))
    },
    keys: &[Key {
        fields: WHO,
        called: "that names a person or a contact point (for example email, phone, street address, last name)",
        every_row: false,
    }],
    places: &[],
    columns: COLUMNS,
};

const COLUMNS: &[(&str, Field)] = &[
    ("VANID", Field::Id(System::Van)),
    ("Voter File VANID", Field::Id(System::Van)),
    ("DWID", Field::Id(System::Dwid)),
    ("External ID", Field::Id(System::External)),
    ("First Name", Field::GivenName),
    ("First", Field::GivenName),
    ("Given Name", Field::GivenName),
    ("Middle Name", Field::MiddleName),
    ("Last Name", Field::Surname),
    ("Last", Field::Surname),
    ("Surname", Field::Surname),
    ("Family Name", Field::Surname),
    ("Suffix", Field::NameSuffix),
    ("Full Name", Field::FullName),
    ("Name", Field::FullName),
    ("Birth Date", Field::BirthDate),
    ("Date of Birth", Field::BirthDate),
    ("DOB", Field::BirthDate),
    ("Birth Year", Field::BirthYear),
    ("Address", Field::Door(Part::Line1)),
    ("Address 1", Field::Door(Part::Line1)),
    ("Address Line 1", Field::Door(Part::Line1)),
    ("Street Address", Field::Door(Part::Line1)),
    ("Address 2", Field::Door(Part::Line2)),
    ("Address Line 2", Field::Door(Part::Line2)),
    ("Unit", Field::Door(Part::Line2)),
    ("City", Field::Door(Part::City)),
    ("County", Field::Door(Part::County)),
    ("State", Field::Door(Part::State)),
    ("Zip", Field::Door(Part::Zip)),
    ("Zip5", Field::Door(Part::Zip)),
    ("Zip Code", Field::Door(Part::Zip)),
    ("Postal Code", Field::Door(Part::Zip)),
    ("Zip Or Postal", Field::Door(Part::Zip)),
    ("Zip4", Field::Door(Part::Zip4)),
    ("Country", Field::Door(Part::Country)),
    ("Phone", Field::Phone(PhoneKind::Unknown)),
    ("Phone Number", Field::Phone(PhoneKind::Unknown)),
    ("Cell", Field::Phone(PhoneKind::Mobile)),
    ("Cell Phone", Field::Phone(PhoneKind::Mobile)),
    ("Mobile", Field::Phone(PhoneKind::Mobile)),
    ("Mobile Phone", Field::Phone(PhoneKind::Mobile)),
    ("Mobile Number", Field::Phone(PhoneKind::Mobile)),
    ("Home Phone", Field::Phone(PhoneKind::Home)),
    ("Work Phone", Field::Phone(PhoneKind::Work)),
    ("Email", Field::Email(1)),
    ("Email Address", Field::Email(1)),
    ("Do Not Knock", Field::DoNot(Channel::Door)),
    ("Do Not Walk", Field::DoNot(Channel::Door)),
    ("Do Not Call", Field::DoNot(Channel::Phone)),
    ("Do Not Text", Field::DoNot(Channel::Text)),
    ("Do Not Email", Field::DoNot(Channel::Email)),
    ("Do Not Mail", Field::DoNotMail),
    ("Do Not Contact", Field::DoNotContact),
    ("Do Not Share", Field::NeverShare),
    ("Never Share", Field::NeverShare),
    ("Deceased", Field::Deceased),
    ("Tags", Field::Tags),
    ("Result", Field::Result),
    ("Canvass Result", Field::Result),
    ("Date Canvassed", Field::ContactDate),
    ("Canvass Date", Field::ContactDate),
    ("Date Contacted", Field::ContactDate),
    ("Contact Type", Field::ContactType),
];

/// Fields that tell who a row is about.
const WHO: &[Field] = &[
    Field::Id(System::Van),
    Field::Id(System::Dwid),
    Field::Id(System::NationBuilder),
    Field::Id(System::ActionNetwork),
    Field::Id(System::CiviCrm),
    Field::Id(System::External),
    Field::VoterId,
    Field::Surname,
    Field::FullName,
    Field::Door(Part::Line1),
    Field::Door(Part::Street),
    Field::WholeAddress,
    Field::Phone(PhoneKind::Unknown),
    Field::Phone(PhoneKind::Mobile),
    Field::Phone(PhoneKind::Home),
    Field::Phone(PhoneKind::Work),
    Field::Email(1),
];
