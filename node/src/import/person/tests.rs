//! Persons out of fields and values.

use super::*;
use crate::import::parsed::System;

fn person(values: &[(Field, &str)]) -> (ParsedPerson, Warnings) {
    let (mut builder, mut warnings) = (PersonBuilder::default(), Warnings::new());
    for (field, value) in values {
        assert!(
            builder.set(*field, value, &mut warnings),
            "{field} is a person's"
        );
    }
    (builder.finish(&mut warnings).expect("a person"), warnings)
}

#[test]
fn an_unclear_mark_protects_and_never_consents() {
    let fields = [
        Field::DoNot(Channel::Phone),
        Field::NeverShare,
        Field::OptOut(Channel::Email),
        Field::OptIn(Channel::Text),
        Field::Deceased,
        Field::PhoneBad(PhoneKind::Mobile),
    ];
    let (person, warnings) = person(&fields.map(|field| (field, "maybe")));
    let expected = [
        Flag::OptOut {
            channel: Channel::Email,
            at: None,
        },
        Flag::DoNot {
            channel: Channel::Phone,
        },
        Flag::NeverShare,
    ];
    assert_eq!(person.flags, expected);
    assert_eq!(warnings.get(&Warning::YesNoUnclear), Some(&6));
}

#[test]
fn a_clear_no_sets_no_mark_and_withdraws_consent() {
    let (person, warnings) = person(&[
        (Field::DoNotContact, "No"),
        (Field::NeverShare, "0"),
        (Field::Deceased, "false"),
        (Field::OptIn(Channel::Text), "false"),
        (Field::Phone(PhoneKind::Mobile), "6145550102"),
    ]);
    assert_eq!(
        person.flags,
        [Flag::OptOut {
            channel: Channel::Text,
            at: None
        }]
    );
    assert!(warnings.is_empty());
}

#[test]
fn a_plain_no_withdraws_nothing_where_there_is_nothing_to_reach() {
    let (nobody, _) = person(&[
        (Field::OptIn(Channel::Text), "false"),
        (Field::OptIn(Channel::Email), "0"),
        (Field::Phone(PhoneKind::Home), "6145550101"),
    ]);
    assert!(nobody.flags.is_empty(), "a landline takes no texts");
    let (said, _) = person(&[(Field::OptIn(Channel::Email), "unsubscribed")]);
    let out = Flag::OptOut {
        channel: Channel::Email,
        at: None,
    };
    assert_eq!(said.flags, [out], "a word for it always counts");
}

#[test]
fn a_withdrawal_wins_over_consent_and_keeps_its_time() {
    let at = date::when("2024-03-01 08:00:00").ok();
    let (person, _) = person(&[
        (Field::OptIn(Channel::Email), "true"),
        (Field::OptIn(Channel::Text), "true"),
        (Field::UnsubscribedAt, "2024-03-01 08:00:00"),
    ]);
    let expected = [
        Flag::OptIn {
            channel: Channel::Text,
        },
        Flag::OptOut {
            channel: Channel::Email,
            at,
        },
    ];
    assert_eq!(person.flags, expected);
}

#[test]
fn a_withdrawal_at_an_unreadable_time_is_still_one() {
    let (person, warnings) = person(&[(Field::UnsubscribedAt, "last spring")]);
    assert_eq!(
        person.flags,
        [Flag::OptOut {
            channel: Channel::Email,
            at: None
        }]
    );
    assert_eq!(warnings.get(&Warning::DateUnreadable), Some(&1));
}

#[test]
fn do_not_contact_closes_every_channel_and_the_share() {
    let (person, _) = person(&[(Field::DoNotContact, "true")]);
    for channel in Channel::ALL {
        assert!(person.flags.contains(&Flag::DoNot { channel }), "{channel}");
    }
    assert!(person.flags.contains(&Flag::NeverShare));
}

#[test]
fn one_number_in_two_columns_is_one_phone_of_the_known_kind() {
    let (person, _) = person(&[
        (Field::Phone(PhoneKind::Unknown), "6145550101"),
        (Field::Phone(PhoneKind::Home), "(614) 555-0101"),
        (Field::PhoneIsMobile(PhoneKind::Home), "1"),
        (Field::OptInStatus, "Opt In"),
        (Field::OptInPhone, "614-555-0101"),
    ]);
    let phone = ParsedPhone {
        raw: "6145550101".to_owned(),
        kind: PhoneKind::Mobile,
        bad: false,
        opt_in: Some(true),
    };
    assert_eq!(person.phones, [phone]);
}

#[test]
fn a_bad_mark_stays_with_its_address_in_any_case() {
    let (person, _) = person(&[
        (Field::Email(0), "Ann@example.org"),
        (Field::Email(1), "ann@example.org"),
        (Field::Email(2), "ann@example.net"),
        (Field::EmailBad(1), "true"),
    ]);
    let bad: Vec<_> = person
        .emails
        .iter()
        .map(|email| (email.raw.as_str(), email.bad))
        .collect();
    assert_eq!(bad, [("Ann@example.org", true), ("ann@example.net", false)]);
}

#[test]
fn lines_are_put_together_from_parts() {
    let (person, _) = person(&[
        (Field::Door(Part::Zip4), "0001"),
        (Field::Door(Part::Number), "12"),
        (Field::Door(Part::NumberSuffix), "1/2"),
        (Field::Door(Part::StreetPrefix), "N"),
        (Field::Door(Part::Street), "Elm"),
        (Field::Door(Part::StreetKind), "St"),
        (Field::Door(Part::UnitKind), "Apt"),
        (Field::Door(Part::Unit), "3"),
        (Field::Door(Part::Zip), "04462"),
    ]);
    assert_eq!(person.address.line1, "12 1/2 N Elm St");
    assert_eq!(person.address.line2, "Apt 3");
    assert_eq!(person.address.postal_code, "04462-0001");
    assert_eq!(person.address.parts.number_suffix, "1/2");
}

#[test]
fn the_whole_address_fills_only_what_is_missing() {
    let whole = (Field::WholeAddress, "12 Elm St, Dover, OH 04462");
    let (alone, _) = person(&[whole]);
    assert_eq!(
        (
            alone.address.line1.as_str(),
            alone.address.postal_code.as_str()
        ),
        ("12 Elm St", "04462")
    );
    let (beside, _) = person(&[
        whole,
        (Field::Door(Part::Line1), "9 Oak St"),
        (Field::Door(Part::Zip), "43215"),
    ]);
    assert_eq!(
        (
            beside.address.line1.as_str(),
            beside.address.postal_code.as_str()
        ),
        ("9 Oak St", "43215")
    );
}

#[test]
fn a_second_address_is_taken_whole_or_not_at_all() {
    let (other, _) = person(&[
        (Field::Door(Part::City), "Dover"),
        (Field::OtherDoor(Part::Line1), "9 Oak St"),
        (Field::OtherDoor(Part::Zip), "43215"),
    ]);
    assert_eq!(
        (other.address.line1.as_str(), other.address.city.as_str()),
        ("9 Oak St", "")
    );
}

#[test]
fn birth_dates_that_stand_for_unknown_or_cannot_be_read_are_dropped() {
    for (text, warning) in [
        ("01/01/1900", Warning::BirthPlaceholder),
        ("31/12/1980", Warning::DateUnreadable),
        ("1980-05-17T00:00:00Z", Warning::DateUnreadable),
    ] {
        let (person, warnings) = person(&[(Field::BirthDate, text)]);
        assert_eq!(
            (person.birth_date, person.birth_year),
            (None, None),
            "{text}"
        );
        assert_eq!(warnings.get(&warning), Some(&1), "{text}");
    }
    let (year, _) = person(&[(Field::BirthYear, "1980")]);
    assert_eq!((year.birth_date, year.birth_year), (None, Some(1980)));
}

#[test]
fn a_voter_id_without_a_state_identifies_nobody() {
    let (stateless, warnings) = person(&[(Field::VoterId, "00123")]);
    assert_eq!(stateless.voter_id, None);
    assert_eq!(warnings.get(&Warning::VoterStateMissing), Some(&1));
    assert_eq!(stateless.extra.len(), 1, "kept for the owner");
    let (whole, _) = person(&[(Field::VoterId, "00123"), (Field::Door(Part::State), "OH")]);
    assert_eq!(
        whole.voter_id,
        Some(VoterId {
            state: "OH".to_owned(),
            id: "00123".to_owned()
        })
    );
}

#[test]
fn organizations_and_the_trash_are_no_persons() {
    for (field, value, reason) in [
        (Field::ContactKind, "Organization", Reason::NotAPerson),
        (Field::InTrash, "Yes", Reason::InTrash),
    ] {
        let (mut builder, mut warnings) = (PersonBuilder::default(), Warnings::new());
        builder.set(field, value, &mut warnings);
        assert_eq!(builder.finish(&mut warnings), Err(reason));
    }
}

#[test]
fn the_first_of_two_ids_of_one_system_counts() {
    let (person, _) = person(&[
        (Field::Id(System::Van), "007"),
        (Field::Id(System::Van), "8"),
    ]);
    assert_eq!(
        person.identifiers,
        [Identifier {
            system: System::Van,
            id: "007".to_owned()
        }]
    );
}

#[test]
fn coordinates_and_a_precinct_belong_to_the_door() {
    let (lives, warnings) = person(&[
        (Field::Door(Part::Line1), "12 Elm St"),
        (Field::Door(Part::Zip), "43215"),
        (Field::Door(Part::Latitude), "39.961"),
        (Field::Door(Part::Longitude), "-83.005"),
        (Field::Door(Part::Precinct), "5-1"),
    ]);
    let at = lives.address.position.expect("a point");
    assert_eq!((at.latitude, at.longitude), (39_961_000, -83_005_000));
    assert_eq!(lives.address.precinct, "5-1");
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn coordinates_that_name_no_point_are_a_warning_and_the_person_stays() {
    for (latitude, longitude) in [
        ("39.9", ""),
        ("", "-83"),
        ("0", "0"),
        ("north", "west"),
        ("139.9", "-83"),
        ("39,96", "-83,01"),
    ] {
        let mut values = vec![(Field::Door(Part::Line1), "12 Elm St")];
        values.push((Field::Door(Part::Zip), "43215"));
        for (part, value) in [(Part::Latitude, latitude), (Part::Longitude, longitude)] {
            if !value.is_empty() {
                values.push((Field::Door(part), value));
            }
        }
        let (lives, warnings) = person(&values);
        assert_eq!(lives.address.position, None);
        assert_eq!(
            warnings.get(&Warning::PositionUnreadable),
            Some(&1),
            "{latitude} {longitude}"
        );
    }
}
