//! From a person's consent records to the one a flow rests on, and to what the recipient is shown.

use policy::{Basis, ConsentState, Event, EventState, FieldClass, FieldMask, Flow, Party, Record};
use serde_json::{Value, json};

/// The record that a flow rests on: one that fits, or else one that explains.
///
/// A refusal or withdrawal for this purpose that is later than another record's consent overrules
/// that consent: the last word counts, on whichever form it was said.
#[must_use]
pub fn choose<'r>(
    records: &[&'r Record],
    flow: &Flow,
    to: &Party,
    fields: &[FieldClass],
    now: i64,
) -> Option<&'r Record> {
    let last_no = records
        .iter()
        .copied()
        .filter(|record| is_ended(record, now))
        .filter(|record| {
            record
                .purposes
                .iter()
                .any(|clause| clause.purpose == flow.purpose)
        })
        .max_by_key(|record| latest(record, false));
    let said_no_at = last_no.map_or(i64::MIN, |record| latest(record, false));
    let fits = |record: &Record| {
        let covers = |field: &&FieldClass| fits(&record.clause_for(flow, to, **field, now));
        fields.iter().filter(covers).count()
    };
    let best = records
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, record)| last_no.is_none() || latest(record, true) > said_no_at)
        // Of equal ones the one with the latest word is taken.
        .max_by_key(|(n, record)| (fits(record), latest(record, true), *n))
        .map(|(_, record)| record);
    best.or(last_no)
}

fn fits(clause: &policy::Clause) -> bool {
    clause.in_force && clause.purpose && clause.recipient && clause.channel && clause.field
}

fn is_ended(record: &Record, now: i64) -> bool {
    matches!(
        record.standing(now).state,
        ConsentState::Withdrawn | ConsentState::Refused
    )
}

/// The latest giving or ending event of a record.
fn latest(record: &Record, giving: bool) -> i64 {
    record
        .events()
        .iter()
        .filter(|event| gives(event) == giving)
        .map(|event| event.event_time)
        .max()
        .unwrap_or(i64::MIN)
}

fn gives(event: &Event) -> bool {
    matches!(event.event_state, EventState::Given | EventState::Confirmed)
}

/// Whether a record holds consent given after a moment.
#[must_use]
pub fn given_after(record: &Record, moment: i64, now: i64) -> bool {
    record.standing(now).state == ConsentState::Given
        && record.events().iter().any(|event| {
            event.event_state == EventState::Given
                && event.event_time > moment
                && event.event_time <= now
        })
}

/// The record as the recipient sees it: only the clauses that this flow rests on, narrowed to the
/// recipient, the channel and the classes that flow, and only the giving event.
///
/// Where the person agreed that recipients pass the row on, the clause keeps all whom it names, so that it
/// can be judged again. The local id of the person is replaced by the row's random name; it never leaves.
#[must_use]
pub fn narrowed(
    record: &Record,
    originator: &str,
    flow: &Flow,
    to: &Party,
    mask: FieldMask,
    row: &str,
    now: i64,
) -> Option<Record> {
    let mut clauses = Vec::new();
    for clause in &record.purposes {
        let mut alone = record.clone();
        alone.purposes = vec![clause.clone()];
        let covered: Vec<FieldClass> = mask
            .iter()
            .filter(|field| fits(&alone.clause_for(flow, to, *field, now)))
            .collect();
        if covered.is_empty() {
            continue;
        }
        let mut clause = clause.clone();
        clause.pii_information = covered;
        clause.x_channels = vec![flow.channel];
        clause.x_written.retain(|channel| *channel == flow.channel);
        if !clause.x_onward_allowed {
            clause.recipient_third_parties.party_ids = vec![flow.to.clone()];
            clause.recipient_third_parties.x_classes.clear();
        }
        clauses.push(clause);
    }
    if clauses.is_empty() {
        return None;
    }
    let given = record
        .events()
        .iter()
        .filter(|event| event.event_state == EventState::Given && event.event_time <= now)
        .max_by_key(|event| event.event_time)?;
    let confirmed = record.events().iter().filter(|event| {
        event.event_state == EventState::Confirmed
            && event.event_time >= given.event_time
            && event.event_time <= now
    });
    let events: Vec<Value> = std::iter::once(given)
        .chain(confirmed)
        .map(|event| {
            json!({
                "event_time": event.event_time,
                "validity_duration": event.validity_duration,
                "entity_id": originator,
                "event_type": event.event_type,
                "event_state": event.event_state,
            })
        })
        .collect();
    let pii: Vec<FieldClass> = mask.iter().collect();
    let shown = json!({
        "schema_version": record.schema_version,
        "record_id": record.record_id,
        "pii_principal_id": row,
        "language": record.language,
        "jurisdiction": record.jurisdiction,
        "lawful_basis": record.lawful_basis,
        "privacy_notice": record.privacy_notice,
        "pii_type": pii,
        "x_form_version": record.x_form_version,
        "x_evidence": record.x_evidence,
        "collection_method": record.collection_method,
        "withdrawal_method": record.withdrawal_method,
        "special_pii_category": record.special_pii_category,
        "x_explicit_special": record.x_explicit_special,
        "x_minor": record.x_minor,
        "purposes": clauses,
        "events": events,
    });
    Record::parse(&shown.to_string()).ok()
}

/// Adds the person's word that consent is taken back.
///
/// # Errors
/// When the record is full.
pub fn withdraw(record: &mut Record, at: i64) -> Result<(), policy::RecordError> {
    record.append(Event {
        event_time: at,
        validity_duration: None,
        entity_id: "desk".to_owned(),
        event_type: "explicit".to_owned(),
        x_sig: None,
        event_state: EventState::Withdrawn,
    })
}

/// Whether a ground is the person's own word.
#[must_use]
pub fn is_consent(basis: Basis) -> bool {
    matches!(basis, Basis::Consent | Basis::ExplicitConsent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::{Consideration, Form, Jurisdiction, OrgKind, PolicyChannel, Purpose};

    const NOW: i64 = 1_000_000;

    fn record(id: &str, fields: &str, recipients: &str, at: i64, state: EventState) -> Record {
        let form = format!(
            r#"
            language = "en"
            collection_method = "paper"
            withdrawal_method = "Write to us"
            notice = {{ url = "https://a.example", version = "1", sha256 = "{}" }}
            [[purposes]]
            purpose = "gotv"
            pii_information = [{fields}]
            channels = ["door", "call_manual"]
            recipients = [{recipients}]
            [[purposes]]
            purpose = "event"
            pii_information = ["email"]
            channels = ["email"]
            recipients = ["coalition"]
            "#,
            "0".repeat(64)
        );
        let form = Form::parse(&form).unwrap();
        form.record(id, "local-person", at, state, None)
    }

    fn to() -> Party {
        Party::new("org-b", "Green Table", OrgKind::C3, Jurisdiction::US)
    }

    fn flow() -> Flow {
        Flow {
            from: "org-a".to_owned(),
            to: "org-b".to_owned(),
            coalition: "c".to_owned(),
            purpose: Purpose::Gotv,
            channel: PolicyChannel::Door,
            consideration: Consideration::None,
            evidence_on_file: false,
            equal_terms: false,
            agreement_current: true,
            law_pack_fresh: true,
            suspended: false,
        }
    }

    fn chosen(records: &[Record]) -> Option<&str> {
        let fields = [FieldClass::Postal, FieldClass::Phone];
        let records: Vec<&Record> = records.iter().collect();
        choose(&records, &flow(), &to(), &fields, NOW).map(|record| record.record_id.as_str())
    }

    #[test]
    fn the_record_that_covers_the_flow_is_taken_and_the_latest_of_equal_ones() {
        let given = EventState::Given;
        let other = record("other", r#""postal", "phone""#, r#""Nobody""#, 900, given);
        let part = record("part", r#""postal""#, r#""Green Table""#, 500, given);
        let full = record(
            "full",
            r#""postal", "phone""#,
            r#""Green Table""#,
            100,
            given,
        );
        let later = record(
            "later",
            r#""postal", "phone""#,
            r#""Green Table""#,
            200,
            given,
        );
        assert_eq!(chosen(&[other.clone(), part.clone()]), Some("part"));
        assert_eq!(chosen(&[other, full, part, later]), Some("later"));
        assert_eq!(chosen(&[]), None);
    }

    #[test]
    fn a_later_no_on_another_form_overrules_an_earlier_yes() {
        let yes = |at| {
            record(
                "yes",
                r#""postal""#,
                r#""Green Table""#,
                at,
                EventState::Given,
            )
        };
        let no = record(
            "no",
            r#""postal""#,
            r#""coalition""#,
            500,
            EventState::Refused,
        );
        assert_eq!(chosen(&[yes(400), no.clone()]), Some("no"));
        assert_eq!(chosen(&[yes(600), no]), Some("yes"));
    }

    #[test]
    fn the_recipient_sees_only_the_clause_that_the_flow_rests_on() {
        let given = EventState::Given;
        let names = r#""Green Table", "Nurses Local", "c4""#;
        let full = record("full", r#""postal", "phone""#, names, 100, given);
        let mask = FieldMask::from_iter([FieldClass::Postal]);
        let shown = narrowed(&full, "org-a", &flow(), &to(), mask, "row", NOW).unwrap();
        let [clause] = shown.purposes.as_slice() else {
            panic!("one clause");
        };
        assert_eq!(clause.pii_information, [FieldClass::Postal]);
        assert_eq!(clause.x_channels, [PolicyChannel::Door]);
        assert_eq!(clause.recipient_third_parties.party_ids, ["org-b"]);
        assert!(clause.recipient_third_parties.x_classes.is_empty());
        let text = serde_json::to_string(&shown).unwrap();
        assert!(!text.contains("local-person") && !text.contains("Nurses"));
        // It says for this flow what the whole record says.
        let cell = |record: &Record| record.clause_for(&flow(), &to(), FieldClass::Postal, NOW);
        assert!(fits(&cell(&shown)));
        assert_eq!(cell(&shown), cell(&full));
    }

    #[test]
    fn a_clause_that_lets_recipients_pass_on_keeps_whom_it_names() {
        let names = r#""Green Table", "Nurses Local""#;
        let mut full = record("full", r#""postal""#, names, 100, EventState::Given);
        full.purposes[0].x_onward_allowed = true;
        let mask = FieldMask::from_iter([FieldClass::Postal]);
        let shown = narrowed(&full, "org-a", &flow(), &to(), mask, "row", NOW).unwrap();
        let onward = Flow {
            from: "org-b".to_owned(),
            to: "org-c".to_owned(),
            ..flow()
        };
        let fits_at = |name: &str, record: &Record| {
            let to = Party::new("org-c", name, OrgKind::Union, Jurisdiction::US);
            let clause = record.clause_for(&onward, &to, FieldClass::Postal, NOW);
            clause.onward && fits(&clause)
        };
        assert!(fits_at("Nurses Local", &shown));
        assert!(!fits_at("River PAC", &shown), "whom it does not name");
        full.purposes[0].x_onward_allowed = false;
        let shown = narrowed(&full, "org-a", &flow(), &to(), mask, "row", NOW).unwrap();
        assert!(!fits_at("Nurses Local", &shown));
    }

    #[test]
    fn a_withdrawal_ends_the_consent_and_a_later_yes_gives_it_again() {
        let mut once = record("r", r#""postal""#, r#""coalition""#, 100, EventState::Given);
        withdraw(&mut once, 300).unwrap();
        assert!(is_ended(&once, NOW) && !given_after(&once, 50, NOW));
        let again = record("r", r#""postal""#, r#""coalition""#, 400, EventState::Given);
        assert!(given_after(&again, 300, NOW) && !given_after(&again, 400, NOW));
    }
}
