//! VAN's contact history (F2 of the format notes, and the walk-list results of F4): one attempt per row.
//!
//! Tab-separated, often UTF-16, often named `.xls`. Its rows name a person and no contact point: they
//! are joined by VANID to a list that has the door or the phone.

use super::{
    field::Field,
    format::{Format, Key, Makes, Spec},
    parsed::System,
};

pub(super) const SPEC: Spec = Spec {
    format: Format::VanContactHistory,
    name: "van-contact-history",
    makes: Makes::Attempts,
    fits: |has, _| {
        [IDS, DATES, RESULTS]
            .iter()
            .all(|names| names.iter().any(|name| has(name)))
    },
    keys: &[
        Key {
            fields: &[Field::Id(System::Van), Field::Id(System::Dwid)],
            called: "VANID (or DWID)",
            every_row: true,
        },
        Key {
            fields: &[Field::ContactDate],
            called: "DateCanvassed",
            every_row: true,
        },
        Key {
            fields: &[Field::Result],
            called: "ResultShortName (or Result)",
            every_row: false,
        },
    ],
    places: &[],
    columns: &[
        ("VANID", Field::Id(System::Van)),
        ("Voter File VANID", Field::Id(System::Van)),
        ("VoterVANID", Field::Id(System::Van)),
        ("DWID", Field::Id(System::Dwid)),
        ("VoterName", Field::FullName),
        ("ResultShortName", Field::Result),
        ("Result", Field::Result),
        ("Contact Result", Field::Result),
        ("Canvass Result", Field::Result),
        ("DateCanvassed", Field::ContactDate),
        ("Date Contacted", Field::ContactDate),
        ("ContactTypeName", Field::ContactType),
        ("Contact Type", Field::ContactType),
        ("CommitteeName", Field::Committee),
    ],
};

const IDS: &[&str] = &["VANID", "Voter File VANID", "VoterVANID", "DWID"];
const DATES: &[&str] = &["DateCanvassed", "Date Contacted"];
const RESULTS: &[&str] = &[
    "ResultShortName",
    "Result",
    "Contact Result",
    "Canvass Result",
];
