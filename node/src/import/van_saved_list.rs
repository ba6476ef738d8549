//! VAN's saved lists and walk lists (F1, F4 of the format notes): people with doors and phones.
//!
//! A saved list is comma-separated UTF-8 with fixed columns; a walk list has the columns that its
//! maker chose, as tab-separated text named `.xls` or as a workbook with a row about the export above
//! the header. The ZIP code may be missing from its column and stand at the end of `Address`.

use super::{
    field::{Field, Part},
    format::{Format, Key, Makes, Spec},
    parsed::{PhoneKind, System},
};

pub(super) const SPEC: Spec = Spec {
    format: Format::VanSavedList,
    name: "van-saved-list",
    makes: Makes::People,
    fits: |has, _| VAN_IDS.iter().any(|name| has(name)) && has("FirstName") && has("LastName"),
    keys: &[Key {
        fields: &[Field::Id(System::Van)],
        called: "VanID (or Voter File VANID)",
        every_row: true,
    }],
    places: &[],
    columns: &[
        ("VanID", Field::Id(System::Van)),
        ("Voter File VANID", Field::Id(System::Van)),
        ("VoterVANID", Field::Id(System::Van)),
        ("FirstName", Field::GivenName),
        ("MiddleName", Field::MiddleName),
        ("LastName", Field::Surname),
        ("Suffix", Field::NameSuffix),
        ("Fullname", Field::FullName),
        ("DOB", Field::BirthDate),
        ("StreetAddress", Field::Door(Part::Line1)),
        ("vAddress", Field::Door(Part::Line1)),
        ("Adress2", Field::Door(Part::Line2)),
        ("Address", Field::WholeAddress),
        ("City", Field::Door(Part::City)),
        ("State", Field::Door(Part::State)),
        ("ZipOrPostal", Field::Door(Part::Zip)),
        ("Zip", Field::Door(Part::Zip)),
        ("Zip5", Field::Door(Part::Zip)),
        ("Zip4", Field::Door(Part::Zip4)),
        ("County", Field::Door(Part::County)),
        ("StreetNo", Field::Door(Part::Number)),
        ("StreetNoHalf", Field::Door(Part::NumberSuffix)),
        ("StreetPrefix", Field::Door(Part::StreetPrefix)),
        ("StreetName", Field::Door(Part::Street)),
        ("StreetType", Field::Door(Part::StreetKind)),
        ("StreetSuffix", Field::Door(Part::StreetSuffix)),
        ("AptType", Field::Door(Part::UnitKind)),
        ("AptNo", Field::Door(Part::Unit)),
        ("Latitude", Field::Door(Part::Latitude)),
        ("Longitude", Field::Door(Part::Longitude)),
        ("Precinct", Field::Door(Part::Precinct)),
        ("PrecinctName", Field::Door(Part::Precinct)),
        ("Email", Field::Email(1)),
        ("PreferredEmail", Field::Email(1)),
        ("CellPhone", Field::Phone(PhoneKind::Mobile)),
        ("HomePhone", Field::Phone(PhoneKind::Home)),
        ("WorkPhone", Field::Phone(PhoneKind::Work)),
        ("Phone", Field::Phone(PhoneKind::Unknown)),
        ("PreferredPhone", Field::Phone(PhoneKind::Unknown)),
        ("Pref Phone", Field::Phone(PhoneKind::Unknown)),
        ("Phone1", Field::Phone(PhoneKind::Unknown)),
        ("Phone2", Field::Phone(PhoneKind::Unknown)),
        (
            "IsHomePhoneACellExchange",
            Field::PhoneIsMobile(PhoneKind::Home),
        ),
        (
            "IsWorkPhoneACellExchange",
            Field::PhoneIsMobile(PhoneKind::Work),
        ),
        ("OptInPhone", Field::OptInPhone),
        ("OptInStatus", Field::OptInStatus),
    ],
};

/// Spellings of VAN's id.
const VAN_IDS: [&str; 3] = ["VanID", "Voter File VANID", "VoterVANID"];
