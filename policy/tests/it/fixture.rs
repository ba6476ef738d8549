//! A coalition, a row that flows, and ways to ask the gate about them.

use policy::*;
use std::collections::BTreeSet;

pub(crate) const NOW: i64 = 1_800_000_000_000;
pub(crate) const DAY: i64 = 86_400_000;

/// One question to the gate; the base case flows.
#[derive(Clone)]
pub(crate) struct Case {
    pub(crate) rules: String,
    pub(crate) own: String,
    pub(crate) parties: Vec<Party>,
    pub(crate) flow: Flow,
    pub(crate) row: Row,
    pub(crate) field: FieldClass,
}

pub(crate) fn form() -> Form {
    Form::parse(FORM).expect("the form of the tests is sound")
}

pub(crate) const FORM: &str = r#"
language = "en"
collection_method = "paper"
withdrawal_method = "Write to privacy@water.example"
explicit_special = true

[notice]
url = "https://water.example/notice"
version = "3"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"

[[purposes]]
purpose = "gotv"
pii_information = ["identity", "postal", "email", "phone", "political", "engagement"]
channels = ["call_manual", "door", "sms_auto"]
written = ["sms_auto"]
recipients = ["org-b", "Ohio Voters PAC", "c3", "org-cand"]
onward = true
expiry_days = 730
"#;

pub(crate) fn race(name: &str) -> BTreeSet<String> {
    BTreeSet::from([name.to_owned()])
}

pub(crate) fn place(code: &str) -> Jurisdiction {
    code.parse().expect("a place of the table")
}

fn parties() -> Vec<Party> {
    let ohio = place("us-oh");
    let mut candidate = Party::new("org-cand", "Smith for Senate", OrgKind::Candidate, ohio);
    candidate.federal = true;
    vec![
        Party::new("org-a", "Ohio Clean Water", OrgKind::C4, ohio),
        Party::new("org-b", "Ohio Nurses", OrgKind::Union, ohio),
        Party::new("org-c", "Ohio Civic Fund", OrgKind::C3, ohio),
        Party::new("org-p", "ohio voters pac", OrgKind::Pac, ohio),
        candidate,
    ]
}

/// A permit for everything, so that law alone decides.
pub(crate) const PERMIT_ALL: &str =
    "@id(\"ag.all\") @reason(\"Everything is permitted in this test.\")
permit (principal, action, resource);";

pub(crate) fn record() -> Record {
    form().record("c-1", "person-1", NOW - 10 * DAY, EventState::Given, None)
}

impl Case {
    pub(crate) fn base() -> Self {
        let mut facts = RowFacts::new(
            "org-a",
            Source::OwnSignup,
            Basis::ExplicitConsent,
            place("us-oh"),
        );
        facts.terms_allow = true;
        Self {
            rules: PERMIT_ALL.to_owned(),
            own: OWN_DEFAULT.to_owned(),
            parties: parties(),
            flow: Flow {
                from: "org-a".to_owned(),
                to: "org-b".to_owned(),
                coalition: "c-1".to_owned(),
                purpose: Purpose::Gotv,
                channel: PolicyChannel::CallManual,
                consideration: Consideration::None,
                evidence_on_file: false,
                equal_terms: false,
                agreement_current: true,
                law_pack_fresh: true,
                suspended: false,
            },
            row: Row {
                facts,
                consent: Some(record()),
            },
            field: FieldClass::Phone,
        }
    }

    pub(crate) fn party(&mut self, id: &str) -> &mut Party {
        self.parties
            .iter_mut()
            .find(|party| party.id == id)
            .expect("a party of the fixture")
    }

    pub(crate) fn gate(&self) -> Gate {
        gate(&self.rules, &self.own, &self.parties).unwrap_or_else(|faults| panic!("{faults:#?}"))
    }

    pub(crate) fn explain(&self, end: End) -> Explanation {
        self.gate()
            .explain(end, &self.flow, &self.row, self.field, NOW)
    }
}

pub(crate) fn terms(rules: &str) -> Terms {
    let text = template("us-claims-only").expect("built in").text;
    let mut terms = Terms::parse(text).expect("the template is sound");
    rules.clone_into(&mut terms.rules);
    terms
}

pub(crate) fn gate(rules: &str, own: &str, parties: &[Party]) -> Result<Gate, Vec<Fault>> {
    Gate::load(&terms(rules), own, parties)
}
