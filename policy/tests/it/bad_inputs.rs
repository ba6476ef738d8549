//! The table of bad inputs, as far as it concerns texts and agreements: one test per row.
//!
//! | row | input | where |
//! |---|---|---|
//! | 1 to 6 | rules that do not parse, name nothing known, or can fail | here; more in `refused_texts` |
//! | 9 | a word that is in no list | here |
//! | 11 | a recipient that no member is | here; more in `rules/consent.vectors.toml` |
//! | 12 | an agreement past its day | here; unsigned, wrongly signed, on another version: `protocol/tests/fold` |
//! | 20 | a payment without its invoice | here |
//! | 21 | both sides of a race | here |
//! | 22 | law past its day | here |
//! | 25 | too much of anything | here; more in `refused_texts` |

use crate::fixture::{Case, NOW, PERMIT_ALL, gate, race, terms};
use policy::*;

/// The only fault of agreement rules, which must say what to do.
fn fault(rules: &str) -> Fault {
    let faults = gate(rules, OWN_DEFAULT, &Case::base().parties).expect_err(rules);
    let [only] = faults.as_slice() else {
        panic!("{faults:#?}")
    };
    only.clone()
}

fn is(fault: &Fault, code: &str, line: usize, advice: &str) {
    assert_eq!((fault.code.name(), fault.line), (code, line), "{fault}");
    assert!(fault.message.contains(advice), "{fault}");
}

/// A sound rule in lines 1 to 3, then one with this head and condition in lines 4 to 6.
fn second(head: &str, condition: &str) -> String {
    format!(
        "{}\n\n{head}\nforbid (principal, action in Turf::Action::\"Flow\", resource is Turf::Person)\nwhen {{ {condition} }};",
        PERMIT_ALL
    )
}

const HEAD: &str = "@id(\"ag.x\") @reason(\"x\")";

#[test]
fn row_1_a_rule_that_does_not_parse_or_has_no_name() {
    is(
        &fault(&second(HEAD, "resource.minor &&")),
        "E_POLICY_PARSE",
        6,
        "expected",
    );
    is(
        &fault(&second("@reason(\"x\")", "resource.minor")),
        "E_POLICY_ID",
        4,
        "give the rule an @id",
    );
    is(
        &fault(&second("@id(\"ag.x\")", "resource.minor")),
        "E_POLICY_ID",
        4,
        "say in @reason",
    );
    is(
        &fault(&second("@id(\"ag.all\") @reason(\"x\")", "resource.minor")),
        "E_POLICY_ID",
        4,
        "choose another",
    );
    let misspelled = format!("{HEAD} @cyte(\"x\")");
    is(
        &fault(&second(&misspelled, "resource.minor")),
        "E_POLICY_ID",
        4,
        "use id, reason, cite",
    );
}

#[test]
fn rows_2_and_3_a_rule_that_does_not_fit_the_schema_or_never_applies() {
    is(
        &fault(&second(HEAD, "resource.shoeSize")),
        "E_POLICY_INVALID",
        6,
        "shoeSize",
    );
    let purpose = "context.purpose == Turf::Purpose::\"peace\"";
    is(
        &fault(&second(HEAD, purpose)),
        "E_POLICY_INVALID",
        6,
        "peace",
    );
    is(
        &fault(&second(HEAD, "resource.minor == \"no\"")),
        "E_POLICY_INVALID",
        6,
        "",
    );
    let never = "resource is Turf::Organization";
    is(&fault(&second(HEAD, never)), "E_POLICY_INVALID", 4, "");
}

#[test]
fn row_4_a_rule_that_names_nobody() {
    let stranger = "context.to == Turf::Organization::\"org-z\"";
    is(
        &fault(&second(HEAD, stranger)),
        "E_UNKNOWN_ID",
        4,
        "register it or correct it",
    );
    let look_alike = "context.to == Turf::Organization::\"\u{43e}rg-a\"";
    is(
        &fault(&second(HEAD, look_alike)),
        "E_ID_CHARSET",
        4,
        "a-z 0-9",
    );
}

#[test]
fn row_5_a_second_permit_in_own_rules() {
    let own = format!(
        "{OWN_DEFAULT}@id(\"own.x\") @reason(\"x\")\npermit (principal, action, resource);"
    );
    let faults = lint::own_rules(&own);
    is(&faults[0], "E_LAYER_PERMIT", 4, "write a forbid instead");
    assert_eq!(faults.len(), 1);
    assert!(lint::own_rules(OWN_DEFAULT).is_empty());
}

#[test]
fn row_6_there_is_no_arithmetic_by_construction() {
    for condition in ["1 + 1 == 2", "2 - 1 == 1", "2 * 2 == 4", "-(1) == 1"] {
        is(
            &fault(&second(HEAD, condition)),
            "E_POLICY_MAY_ERROR",
            4,
            "compare derived facts",
        );
    }
    let every_rule = templates()
        .iter()
        .map(|template| Terms::parse(template.text));
    assert!(
        every_rule.into_iter().all(|terms| terms.is_ok()),
        "what is built in has none"
    );
}

#[test]
fn row_9_a_word_that_is_in_no_list() {
    fn refused<T: std::str::FromStr<Err = UnknownName> + std::fmt::Debug>() {
        let error = "brick".parse::<T>().unwrap_err().to_string();
        assert!(
            error.contains("use one of") && !error.contains("brick"),
            "{error}"
        );
    }
    refused::<Source>();
    refused::<Purpose>();
    refused::<PolicyChannel>();
    refused::<ConsentState>();
    assert!(
        "brick"
            .parse::<Jurisdiction>()
            .unwrap_err()
            .to_string()
            .contains("use a state")
    );
    let mut case = Case::base();
    case.flow.to = "Org B".to_owned();
    let outcome = decide(&case, NOW);
    assert_eq!(
        outcome.errors.keys().collect::<Vec<_>>(),
        [&Alarm::UnknownValue]
    );
    assert_eq!(Alarm::UnknownValue.name(), "E_UNKNOWN_VALUE");
}

#[test]
fn row_11_a_recipient_that_no_member_is() {
    let mut case = Case::base();
    let consent = case.row.consent.as_mut().unwrap();
    consent.purposes[0]
        .recipient_third_parties
        .party_ids
        .clear();
    consent.purposes[0].recipient_third_parties.x_classes = vec!["super_pac".to_owned()];
    assert_eq!(withheld_by(&decide(&case, NOW)), ["con.recipient"]);
    case.row.consent.as_mut().unwrap().purposes[0]
        .recipient_third_parties
        .x_classes
        .clear();
    assert_eq!(withheld_by(&decide(&case, NOW)), ["con.recipient"]);
}

fn decide(case: &Case, now_ms: i64) -> Outcome {
    case.gate().decide(
        End::Send,
        &case.flow,
        std::slice::from_ref(&case.row),
        &[case.field],
        now_ms,
    )
}

fn withheld_by(outcome: &Outcome) -> Vec<&str> {
    outcome
        .rows_withheld_by_rule
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn row_12_an_agreement_past_its_day_lets_nothing_flow() {
    let case = Case::base();
    let mut terms = terms(PERMIT_ALL);
    terms.review_by_ms = NOW;
    let gate = Gate::load(&terms, OWN_DEFAULT, &case.parties).unwrap();
    let rows = std::slice::from_ref(&case.row);
    for end in [End::Send, End::Receive] {
        let before = gate.decide(end, &case.flow, rows, FieldClass::ALL, NOW - 1);
        assert_eq!(before.masks[0].iter().count(), 6);
        let after = gate.decide(end, &case.flow, rows, FieldClass::ALL, NOW);
        assert!(after.masks[0].is_empty());
        assert_eq!(withheld_by(&after), ["E_AGREEMENT_EXPIRED"]);
        let explanation = gate.explain(end, &case.flow, &case.row, case.field, NOW);
        assert_eq!(explanation.error, Some(Alarm::AgreementExpired));
    }
    assert!(
        gate.rule("E_AGREEMENT_EXPIRED")
            .unwrap()
            .reason
            .contains("sign a reviewed version")
    );
    let faults = lint::expiry(&terms, NOW);
    is(
        &faults[0],
        "E_AGREEMENT_EXPIRED",
        0,
        "have all members sign",
    );
    assert!(lint::expiry(&terms, NOW - 1).is_empty());
}

#[test]
fn row_20_a_payment_without_its_invoice() {
    let mut case = Case::base();
    case.flow.consideration = Consideration::FmvPaid;
    assert_eq!(withheld_by(&decide(&case, NOW)), ["law.evidence"]);
    let gate = case.gate();
    let rule = gate.rule("law.evidence").unwrap();
    assert_eq!(rule.code.as_deref(), Some("E_CONSIDERATION_EVIDENCE"));
    assert!(rule.fix.as_ref().unwrap().contains("invoice"));
    case.flow.evidence_on_file = true;
    assert!(withheld_by(&decide(&case, NOW)).is_empty());
}

#[test]
fn row_21_both_sides_of_a_race_in_one_organization_or_coalition() {
    let mut case = Case::base();
    case.party("org-a").coordinated_races = race("oh-sen");
    case.party("org-b").coordinated_races = race("oh-sen");
    assert!(opposite_sides(&case.parties).is_empty(), "one side");
    case.party("org-b").coordinated_races = race("oh-gov");
    case.party("org-b").ie_races = race("oh-sen");
    let faults = opposite_sides(&case.parties);
    is(&faults[0], "E_FIREWALL_CONFLICT", 0, "separate coalitions");
    assert_eq!((faults.len(), faults[0].id.as_deref()), (1, Some("org-a")));
    case.party("org-a").ie_races = race("oh-sen");
    let faults = gate(PERMIT_ALL, OWN_DEFAULT, &case.parties).unwrap_err();
    is(&faults[0], "E_FIREWALL_CONFLICT", 0, "cannot");
}

#[test]
fn row_22_law_past_its_day_lets_nothing_flow_whatever_the_flow_says() {
    let case = Case::base();
    let mut terms = terms(PERMIT_ALL);
    terms.review_by_ms = i64::MAX;
    let gate = Gate::load(&terms, OWN_DEFAULT, &case.parties).unwrap();
    assert!(case.flow.law_pack_fresh, "the sender says that it is fresh");
    let mut rows = [case.row.clone()];
    rows[0].facts.basis = Basis::PublicRecord;
    for (now_ms, flows) in [(LAW_REVIEW_BY_MS - 1, true), (LAW_REVIEW_BY_MS, false)] {
        let outcome = gate.decide(End::Send, &case.flow, &rows, &[case.field], now_ms);
        assert_eq!(outcome.masks[0].contains(case.field), flows);
        assert_eq!(outcome.errors.contains_key(&Alarm::LawpackStale), !flows);
    }
    assert_eq!(Alarm::LawpackStale.name(), "E_LAWPACK_STALE");
    let faults = lint::expiry(&terms, LAW_REVIEW_BY_MS);
    is(&faults[0], "E_LAWPACK_STALE", 0, "update the program");
    let told = gate.rule("law.pack-fresh").unwrap();
    assert_eq!(told.code.as_deref(), Some("E_LAWPACK_STALE"));
}

#[test]
fn row_25_too_much_of_anything() {
    let limit = |rules: &str| is(&fault(rules), "E_LIMIT", 0, "");
    limit(&" ".repeat(lint::MAX_RULE_BYTES + 1));
    limit(&";".repeat(lint::MAX_RULES + 1));
    let elements = vec!["Turf::Purpose::\"gotv\""; lint::MAX_SET + 1].join(",");
    let set = format!("[{elements}].contains(context.purpose)");
    is(&fault(&second(HEAD, &set)), "E_LIMIT", 4, "1,000");
    let long = " ".repeat(terms::MAX_TERMS_BYTES + 1);
    assert_eq!(Terms::parse(&long).unwrap_err().code, Code::Limit);
    let case = Case::base();
    let rows = vec![case.row.clone(); 3];
    let some = case
        .gate()
        .decide(End::Send, &case.flow, &rows, &[case.field], NOW);
    assert!(some.errors.is_empty());
    let alarm = case.gate().rule("E_LIMIT").unwrap().reason.clone();
    assert!(alarm.contains("share them in parts"));
}
