//! What each sample says, value by value.

use crate::tables::{Outcome, SAMPLES, auto, import};
use commonturf::import::{
    Defect, EffectClass, Encoding, Field, Flag, Format, Identifier, Item, Mapping, Options,
    PhoneKind, Reason, System, Warning, When,
};
use jiff::civil::{date, datetime};
use protocol::channel::Channel;

fn sample(format: Format) -> Outcome {
    let sample = SAMPLES
        .iter()
        .find(|sample| sample.format == format)
        .expect("a sample");
    import(sample.bytes, &auto()).expect("it can be read")
}

fn id(system: System, id: &str) -> Identifier {
    Identifier {
        system,
        id: id.to_owned(),
    }
}

#[test]
fn van_saved_list() {
    let outcome = sample(Format::VanSavedList);
    let [ada, bea, chidi] = outcome.people()[..] else {
        panic!("three people")
    };
    assert_eq!(ada.identifiers, [id(System::Van, "100001")]);
    assert_eq!(ada.address.line1, "12 Elm St");
    assert_eq!(
        ada.address.postal_code, "04462",
        "from the end of the whole address"
    );
    let kinds: Vec<_> = ada
        .phones
        .iter()
        .map(|phone| (phone.kind, phone.opt_in))
        .collect();
    assert_eq!(
        kinds,
        [(PhoneKind::Home, None), (PhoneKind::Mobile, Some(true))],
        "three columns, two numbers"
    );
    assert!(ada.flags.is_empty(), "the consent is the number's");
    assert!(
        ada.extra
            .iter()
            .any(|(name, value)| &**name == "CongressionalDistrict" && value == "006")
    );
    assert_eq!(
        bea.phones[0].kind,
        PhoneKind::Mobile,
        "a home number on a cell exchange"
    );
    assert!(chidi.phones.is_empty());
    assert_eq!(
        outcome.summary.warnings.get(&Warning::PhoneUnreadable),
        Some(&1)
    );
    assert_eq!(outcome.summary.warnings.get(&Warning::ZipMissing), Some(&1));
}

#[test]
fn van_contact_history() {
    let outcome = sample(Format::VanContactHistory);
    assert_eq!(outcome.summary.encoding, Encoding::Utf16Le);
    assert_eq!(outcome.summary.separator, '\t');
    let day = When::Day(date(2026, 10, 2));
    let evening = When::Local(datetime(2026, 10, 2, 18, 45, 0, 0));
    let suppression = EffectClass::PersonSuppression(Some(Channel::Door));
    let dead = EffectClass::DataPointDefect(Defect::Disconnected);
    let expected = [
        (day, Some(Channel::Door), EffectClass::ContactMade, false),
        (
            evening,
            Some(Channel::Phone),
            EffectClass::AttemptOnly,
            false,
        ),
        (day, Some(Channel::Door), suppression, false),
        (day, None, EffectClass::AttemptOnly, true),
        (day, Some(Channel::Text), dead, false),
    ];
    let attempts = outcome.attempts();
    let found: Vec<_> = attempts
        .iter()
        .map(|attempt| {
            (
                attempt.when,
                attempt.channel,
                attempt.result.class,
                attempt.result.flagged,
            )
        })
        .collect();
    assert_eq!(found, expected);
    assert_eq!(
        attempts[0].identifiers,
        [id(System::Van, "100001"), id(System::Dwid, "700000001")]
    );
    assert_eq!(attempts[0].committee.as_deref(), Some("Dover Neighbors"));
    assert_eq!(attempts[3].voter_name.as_deref(), Some("Ñandú, Zoë"));
    assert_eq!(attempts[3].result.raw, "ZQ");
    assert_eq!(
        outcome.summary.warnings.get(&Warning::ContactTypeUnknown),
        Some(&1)
    );
    assert!(
        outcome
            .extras()
            .iter()
            .all(|(_, value)| !value.contains("Pat")),
        "names of canvassers are not read"
    );
}

#[test]
fn nationbuilder() {
    let outcome = sample(Format::NationBuilder);
    let [ada, ..] = outcome.people()[..] else {
        panic!("three people")
    };
    assert_eq!(
        ada.address.line1, "12 Elm St",
        "the registered address goes first"
    );
    let voter_id = ada.voter_id.as_ref().expect("a voter id");
    assert_eq!(
        (voter_id.state.as_str(), voter_id.id.as_str()),
        ("OH", "OH0012345")
    );
    assert_eq!(ada.birth_date, Some(date(1980, 5, 17)));
    assert_eq!(ada.tags, ["steward", "Elm Street", "walks"]);
    assert_eq!(ada.answers[0].value, "1");
    let expected = [
        Flag::OptIn {
            channel: Channel::Email,
        },
        Flag::OptOut {
            channel: Channel::Text,
            at: None,
        },
        Flag::FccRegistry,
    ];
    assert_eq!(ada.flags, expected);
    assert_eq!(
        ada.emails.iter().map(|email| email.bad).collect::<Vec<_>>(),
        [false, true]
    );
    let bad: Vec<_> = ada
        .phones
        .iter()
        .map(|phone| (phone.kind, phone.bad))
        .collect();
    assert_eq!(bad, [(PhoneKind::Home, false), (PhoneKind::Mobile, true)]);
    assert!(
        outcome
            .extras()
            .iter()
            .all(|(_, value)| value != "not to be read")
    );
}

#[test]
fn nationbuilder_marks_and_lines() {
    let outcome = sample(Format::NationBuilder);
    let [_, bea, chidi] = outcome.people()[..] else {
        panic!("three people")
    };
    assert_eq!(
        bea.address.line1, "9 Oak Ave, Apt 3",
        "else the primary one"
    );
    let at = Some(When::Instant(
        "2026-03-01T14:30:00Z".parse().expect("a moment"),
    ));
    assert_eq!(
        bea.flags,
        [
            Flag::OptOut {
                channel: Channel::Email,
                at
            },
            Flag::DoNot {
                channel: Channel::Phone
            }
        ]
    );
    assert!(chidi.flags.contains(&Flag::NeverShare) && !chidi.flags.contains(&Flag::Deceased));
    assert_eq!(chidi.name.full, "Chidi Brown");
    let lines: Vec<u64> = outcome
        .items
        .iter()
        .filter_map(|item| {
            if let Item::Person { line, .. } = item {
                Some(*line)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(lines, [2, 3, 5], "a note has a line break");
}

#[test]
fn action_network() {
    let outcome = sample(Format::ActionNetwork);
    let [ada, bea, zoe] = outcome.people()[..] else {
        panic!("three people")
    };
    assert_eq!(ada.identifiers, [id(System::ActionNetwork, "0b6f-1")]);
    assert_eq!(ada.tags, ["steward", "walks"]);
    let expected = [
        Flag::OptIn {
            channel: Channel::Email,
        },
        Flag::OptOut {
            channel: Channel::Text,
            at: None,
        },
    ];
    assert_eq!(ada.flags, expected);
    assert!(
        ada.extra
            .iter()
            .any(|(name, value)| &**name == "Favorite Color" && value == "green")
    );
    assert_eq!(
        bea.flags,
        [Flag::OptOut {
            channel: Channel::Email,
            at: None
        }]
    );
    assert_eq!(zoe.name.given, "Zoë");
    assert_eq!(
        zoe.flags,
        [Flag::OptIn {
            channel: Channel::Text
        }],
        "bouncing is neither yes nor no"
    );
    assert_eq!(
        outcome.summary.warnings.get(&Warning::YesNoUnclear),
        Some(&1)
    );
}

#[test]
fn civicrm() {
    let outcome = sample(Format::CiviCrm);
    let [ada, bea] = outcome.people()[..] else {
        panic!("two people")
    };
    assert_eq!(
        ada.identifiers,
        [id(System::CiviCrm, "41"), id(System::External, "E-7")]
    );
    assert_eq!(ada.flags, [Flag::NeverShare]);
    let address = &ada.address;
    let door = (
        address.line1.as_str(),
        address.city.as_str(),
        address.postal_code.as_str(),
    );
    assert_eq!(door, ("12 Elm St", "Dover", "04462"), "of one place alone");
    let expected = [
        Flag::OptOut {
            channel: Channel::Email,
            at: None,
        },
        Flag::DoNot {
            channel: Channel::Text,
        },
        Flag::DoNotMail,
        Flag::Deceased,
    ];
    assert_eq!(bea.flags, expected);
    let reasons: Vec<_> = outcome
        .rejected()
        .iter()
        .map(|rejected| rejected.reason)
        .collect();
    assert_eq!(reasons, [Reason::NotAPerson, Reason::InTrash]);
    assert!(
        outcome
            .extras()
            .iter()
            .all(|(_, value)| value != "not to be read")
    );
}

#[test]
fn csv() {
    let outcome = sample(Format::Csv);
    let [ada, bea] = outcome.people()[..] else {
        panic!("two people")
    };
    assert_eq!(
        ada.name.given, "Ada",
        "the byte order mark is no part of the first name"
    );
    assert_eq!(ada.address.postal_code, "04462");
    assert_eq!(ada.phones[0].kind, PhoneKind::Mobile);
    assert!(ada.flags.is_empty());
    assert_eq!(bea.flags, [Flag::NeverShare]);
}

#[test]
fn csv_with_dates_and_results_holds_attempts_at_doors() {
    let text = "Door,Where,When,Outcome,Never Share\n7,12 Elm St,2026-10-02,Refused,yes\n8,9 Oak Ave,02/30/2026,Busy,\n";
    let map = [
        "Door=external-id",
        "Where=address-line-1",
        "When=contact-date",
        "Outcome=result",
    ];
    let map: Vec<Mapping> = map
        .iter()
        .map(|mapping| mapping.parse().expect("a mapping"))
        .collect();
    let outcome = import(text, &Options { map, ..auto() }).expect("mapped");
    let [attempt] = outcome.attempts()[..] else {
        panic!("one attempt")
    };
    assert_eq!(attempt.address.line1, "12 Elm St");
    assert_eq!(attempt.flags, [Flag::NeverShare]);
    assert_eq!(attempt.result.class, EffectClass::ContactMade);
    let rejected = outcome.rejected()[0];
    assert_eq!(
        (rejected.line, rejected.column.as_deref(), rejected.reason),
        (3, Some("When"), Reason::DateImpossible)
    );
}

#[test]
fn a_mapping_wins_over_the_formats_own_table() {
    let sample = SAMPLES
        .iter()
        .find(|sample| sample.format == Format::ActionNetwork)
        .expect("a sample");
    let map = vec![Mapping {
        column: "phone number".to_owned(),
        field: Field::LeaveOut,
    }];
    let outcome = import(sample.bytes, &Options { map, ..auto() }).expect("a sample");
    assert!(
        outcome
            .people()
            .iter()
            .all(|person| person.phones.is_empty())
    );
}

#[test]
fn a_file_without_a_header_is_refused() {
    for text in [
        "Ada,Okafor,ada@example.org\n",
        "100001,6145550101\n",
        "Ada,Okafor\nBea,Lindqvist\n",
    ] {
        let error = import(text, &auto())
            .map(|outcome| outcome.summary)
            .expect_err("no header");
        assert!(
            ["import/no-header", "import/unknown-layout"].contains(&error.code()),
            "{error}"
        );
    }
}
