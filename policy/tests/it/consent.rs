//! What events and clauses amount to; the same table of refusals for every way of not agreeing.

use crate::fixture::{Case, DAY, NOW, form, record};
use policy::{consent::Days, *};

fn event(at: i64, state: EventState, validity: Option<&str>) -> Event {
    Event {
        event_time: at,
        validity_duration: validity.map(str::to_owned),
        entity_id: "person-1".to_owned(),
        event_type: "explicit".to_owned(),
        x_sig: None,
        event_state: state,
    }
}

fn state(events: &[(i64, EventState, Option<&str>)]) -> ConsentState {
    let mut record = empty();
    for (at, state, validity) in events {
        record.append(event(*at, *state, *validity)).unwrap();
    }
    record.standing(NOW).state
}

/// A record without events, made by way of JSON, since nothing takes events out.
fn empty() -> Record {
    let mut json = serde_json::to_value(record()).unwrap();
    json["events"] = serde_json::json!([]);
    Record::parse(&json.to_string()).unwrap()
}

#[test]
fn a_record_ends_with_its_shortest_purpose_or_its_event_unless_it_gives_nothing() {
    let with = |events: &[(i64, EventState, Option<&str>)], retention: &[Option<&str>]| {
        let mut record = empty();
        let clause = record.purposes[0].clone();
        record.purposes = retention
            .iter()
            .map(|days| {
                let mut clause = clause.clone();
                clause.retention_period = days.map(str::to_owned);
                clause
            })
            .collect();
        for (at, state, validity) in events {
            record.append(event(*at, *state, *validity)).unwrap();
        }
        record.first_end(NOW)
    };
    let since = NOW - 10 * DAY;
    let given = (since, EventState::Given, None);
    assert_eq!(with(&[given], &[None]), None);
    assert_eq!(
        with(&[given], &[Some("P90D"), Some("P30D"), None]),
        Some(since + 30 * DAY)
    );
    let short = (since, EventState::Given, Some("P20D"));
    assert_eq!(with(&[short], &[Some("P30D")]), Some(since + 20 * DAY));
    assert_eq!(
        with(&[given], &[Some("P5D")]),
        Some(since + 5 * DAY),
        "it is over"
    );
    let taken_back = (NOW - DAY, EventState::Withdrawn, None);
    assert_eq!(with(&[given, taken_back], &[Some("P30D")]), None);
    assert_eq!(with(&[], &[Some("P30D")]), None);
}

/// Events, and what they amount to now.
type Expectation<'e> = (&'e [(i64, EventState, Option<&'e str>)], ConsentState);

#[test]
#[expect(clippy::too_many_lines, reason = "a table, one case per line")]
fn the_last_valid_event_decides() {
    use ConsentState as S;
    use EventState as E;
    let cases: &[Expectation] = &[
        (&[], S::Unknown),
        (&[(NOW - DAY, E::Given, None)], S::Given),
        (&[(NOW, E::Given, None)], S::Given),
        (&[(NOW + 1, E::Given, None)], S::Unknown),
        (&[(NOW - 2 * DAY, E::Given, Some("P3D"))], S::Given),
        (&[(NOW - 2 * DAY, E::Given, Some("P2D"))], S::Expired),
        (&[(NOW - 2 * DAY, E::Given, Some("two years"))], S::Unknown),
        (&[(NOW - 2 * DAY, E::Given, Some("P-2D"))], S::Unknown),
        (
            &[
                (NOW - 2 * DAY, E::Given, None),
                (NOW - DAY, E::Withdrawn, None),
            ],
            S::Withdrawn,
        ),
        (
            &[
                (NOW - DAY, E::Withdrawn, None),
                (NOW - 2 * DAY, E::Given, None),
            ],
            S::Withdrawn,
        ),
        (
            &[(NOW - DAY, E::Withdrawn, None), (NOW - DAY, E::Given, None)],
            S::Withdrawn,
        ),
        (
            &[(NOW - DAY, E::Given, None), (NOW + DAY, E::Withdrawn, None)],
            S::Withdrawn,
        ),
        (
            &[
                (NOW - 2 * DAY, E::Withdrawn, None),
                (NOW - DAY, E::Given, None),
            ],
            S::Given,
        ),
        (&[(NOW - DAY, E::Refused, None)], S::Refused),
        (
            &[
                (NOW - 2 * DAY, E::Given, None),
                (NOW - DAY, E::Expired, None),
            ],
            S::Expired,
        ),
        (
            &[
                (NOW - 2 * DAY, E::Given, None),
                (NOW - DAY, E::Invalidated, None),
            ],
            S::Unknown,
        ),
        (&[(NOW - DAY, E::Confirmed, None)], S::Unknown),
        (
            &[
                (NOW - 9 * DAY, E::Given, Some("P5D")),
                (NOW - DAY, E::Confirmed, Some("P5D")),
            ],
            S::Given,
        ),
        (
            &[
                (NOW - 2 * DAY, E::Withdrawn, None),
                (NOW - DAY, E::Confirmed, None),
            ],
            S::Withdrawn,
        ),
    ];
    for (events, expected) in cases {
        assert_eq!(state(events), *expected, "{events:?}");
    }
}

#[test]
fn a_record_on_another_ground_gives_no_consent() {
    let mut record = record();
    record.lawful_basis = Basis::PublicRecord;
    assert_eq!(record.standing(NOW).state, ConsentState::Unknown);
}

#[test]
fn clauses_never_borrow_from_each_other() {
    let mut case = Case::base();
    let record = case.row.consent.as_mut().unwrap();
    let mut other = record.purposes[0].clone();
    other.purpose = Purpose::Petition;
    other.recipient_third_parties.party_ids = vec!["org-p".to_owned()];
    record.purposes[0].x_channels = vec![PolicyChannel::Door];
    record.purposes.push(other);
    // Petition by telephone was agreed to, for another recipient; turnout for this one, at the door.
    let to = case.parties[1].clone();
    let record = case.row.consent.as_ref().unwrap();
    let clause = record.clause_for(&case.flow, &to, FieldClass::Phone, NOW);
    assert!(clause.purpose && clause.recipient && !clause.channel);
    assert_eq!(case.explain(End::Send).decision, "withheld");
}

#[test]
fn recipients_are_named_by_id_name_kind_or_coalition() {
    let case = Case::base();
    let to = &case.parties[1];
    let covers = |ids: &[&str], classes: &[&str]| {
        let mut record = record();
        let named = &mut record.purposes[0].recipient_third_parties;
        named.party_ids = ids.iter().map(|id| (*id).to_owned()).collect();
        named.x_classes = classes.iter().map(|class| (*class).to_owned()).collect();
        record
            .clause_for(&case.flow, to, FieldClass::Phone, NOW)
            .recipient
    };
    assert!(covers(&["org-b"], &[]) && covers(&["OHIO NURSES"], &[]));
    assert!(covers(&[], &["union"]) && covers(&[], &["coalition"]));
    assert!(!covers(&[], &[]) && !covers(&["Ohio Nurses Local 3"], &[]));
    assert!(!covers(&[""], &[]) && !covers(&["union"], &["c4"]) && !covers(&[], &["everybody"]));
}

#[test]
fn a_recipient_outside_the_agreed_places_is_not_covered() {
    let mut case = Case::base();
    let record = case.row.consent.as_mut().unwrap();
    record.purposes[0].geographic_restrictions = vec!["eea".parse().unwrap()];
    assert_eq!(case.explain(End::Send).decision, "withheld");
    let record = case.row.consent.as_mut().unwrap();
    record.purposes[0]
        .geographic_restrictions
        .push(Jurisdiction::US);
    assert_eq!(case.explain(End::Send).decision, "flows");
}

#[test]
fn a_record_reads_back_and_refuses_what_it_does_not_know() {
    let record = record();
    let json = serde_json::to_string(&record).unwrap();
    assert_eq!(Record::parse(&json).unwrap(), record);
    let changed = |from: &str, to: &str| Record::parse(&json.replace(from, to)).unwrap_err();
    assert!(
        changed("\"record_id\"", "\"id\"")
            .to_string()
            .contains("unknown, missing or mistyped")
    );
    assert!(matches!(
        changed("27560-commonturf-1", "27560-x"),
        RecordError::Version
    ));
    assert!(
        changed("\"given\"", "\"perhaps\"")
            .to_string()
            .starts_with("line 1")
    );
    assert!(
        !changed("\"person-1\"", "17").to_string().contains("17,"),
        "no data in errors"
    );
    let long = format!("{json}{}", " ".repeat(consent_limit()));
    assert!(matches!(Record::parse(&long), Err(RecordError::Limit(_))));
}

fn consent_limit() -> usize {
    consent::MAX_RECORD_BYTES
}

#[test]
fn a_record_takes_no_more_events_than_its_limit() {
    let mut record = form().record("c", "p", 0, EventState::Given, None);
    for n in 1..consent::MAX_EVENTS {
        record
            .append(event(n as i64, EventState::Confirmed, None))
            .unwrap();
    }
    assert!(
        record
            .append(event(0, EventState::Confirmed, None))
            .is_err()
    );
    assert_eq!(record.events().len(), consent::MAX_EVENTS);
}

#[test]
fn durations_are_whole_days() {
    assert_eq!("P730D".parse(), Ok(Days(730)));
    assert_eq!(Days(1).after(5), 86_400_005);
    for bad in [
        "",
        "P",
        "PD",
        "P1",
        "1D",
        "P1M",
        "P 1D",
        "P+1D",
        "P99999999999D",
    ] {
        assert!(bad.parse::<Days>().is_err(), "{bad:?}");
    }
}
