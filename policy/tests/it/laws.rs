//! Laws over random facts: a restriction never widens, and judging once is judging each.

use crate::fixture::{Case, DAY, NOW, PERMIT_ALL, gate, place, race, record};
use policy::*;
use proptest::{collection::vec, prelude::*, sample::select};
use std::sync::LazyLock;

pub(crate) static TABLE: LazyLock<Gate> = LazyLock::new(|| {
    let rules = Terms::parse(template("us-issue-table").unwrap().text)
        .unwrap()
        .rules;
    gate(&rules, OWN_DEFAULT, &parties()).unwrap()
});
pub(crate) static ALL: LazyLock<Gate> =
    LazyLock::new(|| gate(PERMIT_ALL, OWN_DEFAULT, &parties()).unwrap());
static STRICTER: LazyLock<Gate> = LazyLock::new(|| {
    let own = format!(
        "{OWN_DEFAULT}@id(\"own.no-calls\") @reason(\"Nobody is to be called.\")
        forbid (principal, action in Turf::Action::\"Flow\", resource)
        when {{ context.channel == Turf::Channel::\"call_manual\" }};"
    );
    gate(PERMIT_ALL, &own, &parties()).unwrap()
});

fn parties() -> Vec<Party> {
    let mut case = Case::base();
    case.party("org-b").ie_races = race("oh-sen");
    case.party("org-p").coordinated_races = race("oh-gov");
    case.parties
}

pub(crate) fn flows() -> impl Strategy<Value = Flow> {
    const IDS: &[&str] = &["org-a", "org-b", "org-c", "org-p", "org-cand"];
    (
        (select(IDS), select(IDS)),
        select(Purpose::ALL),
        select(PolicyChannel::ALL),
        select(Consideration::ALL),
        any::<[bool; 2]>(),
        prop::bool::weighted(0.95),
    )
        .prop_map(
            |((from, to), purpose, channel, consideration, [evidence, equal], current)| Flow {
                from: from.to_owned(),
                to: to.to_owned(),
                purpose,
                channel,
                consideration,
                evidence_on_file: evidence,
                equal_terms: equal,
                agreement_current: current,
                ..Case::base().flow
            },
        )
}

prop_compose! {
    fn facts()(
        originator in select(&["org-a", "org-b", "org-c"][..]),
        source in select(Source::ALL),
        basis in select(&[Basis::Consent, Basis::ExplicitConsent, Basis::PublicRecord, Basis::Membership][..]),
        code in select(&["us-oh", "de", "unknown", "us"][..]),
        rare in vec(prop::bool::weighted(0.05), 6),
        [partisan, terms_allow, recent] in any::<[bool; 3]>(),
        taints in vec(prop::bool::weighted(0.2), 2),
    ) -> RowFacts {
        let set = |on: bool| if on { race("oh-sen") } else { Default::default() };
        RowFacts {
            originator: originator.to_owned(), source, basis, jurisdiction: place(code),
            minor: rare[0], confidential: rare[1], never_share: rare[2], nonpublic: rare[3],
            suppressed: rare[4], tombstoned: rare[5], partisan, terms_allow,
            recent_contact: recent, taint_coordinated: set(taints[0]), taint_ie: set(taints[1]),
        }
    }
}

prop_compose! {
    pub(crate) fn rows()(
        facts in facts(),
        has_consent in prop::bool::weighted(0.8),
        state in select(&[EventState::Given, EventState::Given, EventState::Refused][..]),
        fields in vec(select(FieldClass::ALL), 1..6),
        channels in vec(select(PolicyChannel::ALL), 1..5),
        purpose in select(Purpose::ALL),
        class in select(&["coalition", "c3", "union"][..]),
        age in 0..800_i64,
    ) -> Row {
        let form = crate::fixture::form();
        let mut record = form.record("c", "p", NOW - age * DAY, state, None);
        let mut second = record.purposes[0].clone();
        second.purpose = purpose;
        second.pii_information = fields;
        second.x_channels = channels;
        second.recipient_third_parties.x_classes = vec![class.to_owned()];
        record.purposes.push(second);
        Row { facts, consent: has_consent.then_some(record) }
    }
}

fn masks(gate: &Gate, end: End, flow: &Flow, rows: &[Row]) -> Vec<FieldMask> {
    gate.decide(end, flow, rows, FieldClass::ALL, NOW).masks
}

fn never_wider(after: &[FieldMask], before: &[FieldMask]) -> bool {
    after
        .iter()
        .zip(before)
        .all(|(after, before)| after.is_subset_of(*before))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_suppression_or_tombstone_stops_everything(flow in flows(), rows in vec(rows(), 1..12)) {
        for mark in [0, 1] {
            let mut marked = rows.clone();
            for row in &mut marked {
                if mark == 0 { row.facts.suppressed = true } else { row.facts.tombstoned = true }
            }
            prop_assert!(masks(&ALL, End::Send, &flow, &marked).iter().all(|mask| mask.is_empty()));
        }
    }

    #[test]
    fn withdrawing_consent_never_widens(flow in flows(), rows in vec(rows(), 1..12)) {
        let before = masks(&ALL, End::Send, &flow, &rows);
        let mut withdrawn = rows;
        for row in &mut withdrawn {
            let Some(consent) = &mut row.consent else { continue };
            let mut event = consent.events()[0].clone();
            event.event_time = NOW;
            event.event_state = EventState::Withdrawn;
            consent.append(event).unwrap();
        }
        let after = masks(&ALL, End::Send, &flow, &withdrawn);
        prop_assert!(never_wider(&after, &before));
        for (row, mask) in withdrawn.iter().zip(&after) {
            let on_consent = matches!(row.facts.basis, Basis::Consent | Basis::ExplicitConsent);
            prop_assert!(!on_consent || mask.is_empty());
        }
    }

    #[test]
    fn time_passing_never_widens(flow in flows(), rows in vec(rows(), 1..12), days in 0..900_i64) {
        let before = masks(&ALL, End::Send, &flow, &rows);
        let later = ALL.decide(End::Send, &flow, &rows, FieldClass::ALL, NOW + days * DAY).masks;
        prop_assert!(never_wider(&later, &before));
    }

    #[test]
    fn another_forbid_or_fewer_permits_never_widen(flow in flows(), rows in vec(rows(), 1..12)) {
        let before = masks(&ALL, End::Send, &flow, &rows);
        prop_assert!(never_wider(&masks(&STRICTER, End::Send, &flow, &rows), &before));
        prop_assert!(never_wider(&masks(&TABLE, End::Send, &flow, &rows), &before));
    }

    #[test]
    fn both_ends_decide_alike_when_their_own_policies_do(flow in flows(), rows in vec(rows(), 1..12)) {
        prop_assert_eq!(masks(&TABLE, End::Send, &flow, &rows), masks(&TABLE, End::Receive, &flow, &rows));
    }

    #[test]
    fn judging_each_distinct_row_once_is_judging_each(flow in flows(), distinct in vec(rows(), 1..6), picks in vec(0..6_usize, 1..40)) {
        let rows: Vec<Row> = picks.iter().map(|pick| distinct[pick % distinct.len()].clone()).collect();
        let together = TABLE.decide(End::Send, &flow, &rows, FieldClass::ALL, NOW);
        let mut withheld = std::collections::BTreeMap::new();
        let mut nothing = std::collections::BTreeMap::new();
        for (row, mask) in rows.iter().zip(&together.masks) {
            let alone = TABLE.decide(End::Send, &flow, std::slice::from_ref(row), FieldClass::ALL, NOW);
            prop_assert_eq!(alone.masks[0], *mask);
            for (key, count) in alone.withheld {
                *withheld.entry(key).or_insert(0) += count;
            }
            for (rule, count) in alone.rows_withheld_by_rule {
                *nothing.entry(rule).or_insert(0) += count;
            }
        }
        prop_assert_eq!(together.withheld, withheld);
        prop_assert_eq!(together.rows_withheld_by_rule, nothing);
    }

    #[test]
    fn an_explanation_tells_what_the_decision_is(flow in flows(), row in rows(), field in select(FieldClass::ALL)) {
        let mask = masks(&TABLE, End::Send, &flow, std::slice::from_ref(&row))[0];
        let explanation = TABLE.explain(End::Send, &flow, &row, field, NOW);
        prop_assert_eq!(explanation.decision == "flows", mask.contains(field));
    }

    #[test]
    fn what_is_not_asked_for_does_not_flow(flow in flows(), rows in vec(rows(), 1..12), fields in vec(select(FieldClass::ALL), 0..3)) {
        let asked: FieldMask = fields.iter().copied().collect();
        let outcome = ALL.decide(End::Send, &flow, &rows, &fields, NOW);
        prop_assert!(outcome.masks.iter().all(|mask| mask.is_subset_of(asked)));
        let all = masks(&ALL, End::Send, &flow, &rows);
        for (mask, all) in outcome.masks.iter().zip(&all) {
            prop_assert!(fields.iter().all(|field| mask.contains(*field) == all.contains(*field)));
        }
    }
}

#[test]
fn one_restriction_after_the_other_closes_an_open_row() {
    let case = Case::base();
    let open = case.gate().decide(
        End::Send,
        &case.flow,
        std::slice::from_ref(&case.row),
        FieldClass::ALL,
        NOW,
    );
    assert_eq!(
        open.masks[0].iter().count(),
        6,
        "the base case is open, or the laws prove nothing"
    );
    assert!(open.withheld.is_empty() && open.errors.is_empty());
    assert_eq!(record().standing(NOW).state, ConsentState::Given);
}
