//! Action Network's activist export (F7 of the format notes): comma, UTF-8; any other heading is the
//! group's own field.

use super::{
    field::{Field, Part},
    format::{Format, Key, Makes, Spec},
    parsed::{PhoneKind, System},
};
use protocol::channel::Channel;

pub(super) const SPEC: Spec = Spec {
    format: Format::ActionNetwork,
    name: "action-network",
    makes: Makes::People,
    fits: |_, names| names.iter().any(|name| name.starts_with("can2")),
    keys: &[Key {
        fields: &[Field::Id(System::ActionNetwork), Field::Email(1)],
        called: "uuid (or email)",
        every_row: true,
    }],
    places: &[],
    columns: &[
        ("uuid", Field::Id(System::ActionNetwork)),
        ("first_name", Field::GivenName),
        ("last_name", Field::Surname),
        ("email", Field::Email(1)),
        ("Phone Number", Field::Phone(PhoneKind::Unknown)),
        ("can2_phone", Field::Phone(PhoneKind::Unknown)),
        ("can2_user_address", Field::Door(Part::Line1)),
        ("can2_user_city", Field::Door(Part::City)),
        ("can2_user_state", Field::Door(Part::State)),
        ("can2_state_abbreviated", Field::Door(Part::State)),
        ("zip_code", Field::Door(Part::Zip)),
        ("County", Field::Door(Part::County)),
        ("can2_county", Field::Door(Part::County)),
        ("country", Field::Door(Part::Country)),
        ("can2_user_tags", Field::Tags),
        ("can2_subscription_status", Field::OptIn(Channel::Email)),
        ("can2_sms_status", Field::OptIn(Channel::Text)),
    ],
};
