//! CiviCRM's contact export (F8 of the format notes): the headings are titles, often with a place
//! before them. A site in another language translates them: then the columns are mapped by hand.

use super::{
    field::{Field, Part},
    format::{Format, Key, Makes, Spec},
    parsed::{PhoneKind, System},
};
use protocol::channel::Channel;

pub(super) const SPEC: Spec = Spec {
    format: Format::CiviCrm,
    name: "civicrm",
    makes: Makes::People,
    fits: |has, _| {
        let of_its_own = [
            "Do Not Trade",
            "Contact Subtype",
            "No Bulk Emails (User Opt Out)",
            "Contact is in Trash",
        ];
        (has("Contact ID") && (has("Contact Type") || has("Display Name")))
            || (has("External Identifier") && has("Opt Out"))
            || of_its_own.iter().any(|name| has(name))
    },
    keys: &[Key {
        fields: &[
            Field::Id(System::CiviCrm),
            Field::Id(System::External),
            Field::Email(1),
        ],
        called: "Contact ID (or External Identifier or Email)",
        every_row: true,
    }],
    places: &["home", "primary", "main"],
    columns: &[
        ("Contact ID", Field::Id(System::CiviCrm)),
        ("External Identifier", Field::Id(System::External)),
        ("Contact Type", Field::ContactKind),
        ("Contact is in Trash", Field::InTrash),
        ("First Name", Field::GivenName),
        ("Middle Name", Field::MiddleName),
        ("Last Name", Field::Surname),
        ("Individual Suffix", Field::NameSuffix),
        ("Display Name", Field::FullName),
        ("Birth Date", Field::BirthDate),
        ("Street Address", Field::Door(Part::Line1)),
        ("Supplemental Address 1", Field::Door(Part::Line2)),
        ("City", Field::Door(Part::City)),
        ("County", Field::Door(Part::County)),
        ("State", Field::Door(Part::State)),
        ("Postal Code", Field::Door(Part::Zip)),
        ("Country", Field::Door(Part::Country)),
        ("Phone", Field::Phone(PhoneKind::Unknown)),
        ("Email", Field::Email(1)),
        ("Do Not Phone", Field::DoNot(Channel::Phone)),
        ("Do Not Email", Field::DoNot(Channel::Email)),
        ("Do Not Sms", Field::DoNot(Channel::Text)),
        ("Do Not Mail", Field::DoNotMail),
        ("Do Not Trade", Field::NeverShare),
        (
            "No Bulk Emails (User Opt Out)",
            Field::OptOut(Channel::Email),
        ),
        ("Opt Out", Field::OptOut(Channel::Email)),
        ("Deceased", Field::Deceased),
        ("Deceased / Closed", Field::Deceased),
    ],
};
