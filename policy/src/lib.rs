//! The gate: what may flow from whom to whom, and why not.
//!
//! # The model on one page
//!
//! A **flow** is one organization giving rows to another: from, to, purpose, channel and what is
//! given in return ([`Flow`]). A **row** is what is known about one person's record: where it came
//! from, on which ground it may move, what marks it has, and the person's consent ([`Row`]). A row
//! flows in six **classes of fields** ([`FieldClass`]); each is decided alone, so a phone number
//! may go where an opinion may not.
//!
//! The [`Gate`] asks three layers and needs three times yes:
//!
//! | layer | written by | form |
//! |---|---|---|
//! | agreement | all members; they sign it ([`Terms`]) | permits; what none permits does not flow |
//! | law | built in, with consent (`rules/`) | one permit, else only forbids |
//! | own | the organization ([`OWN_DEFAULT`]) | one permit, else only forbids |
//!
//! Rules are Cedar. Cedar skips a rule that fails and stays silent about an entity that is absent,
//! and either turns a forbid into Allow. So nothing here trusts a bare answer: texts are linted
//! before they are loaded ([`lint`]), every id is looked up in the store with its parents, a canary
//! must be denied, and any error refuses.
//!
//! Many rows have few distinct facts, so rows are coded into [`Columns`] and each distinct tuple of
//! what a rule reads is judged once: a million rows toward ten recipients take about a second.
//!
//! The sender and the recipient ask the same gate ([`End`]); preview, explanation, simulation and
//! sending are one path. Plans, claims and reports pass it, too ([`Gate::publish`]). Suppression, revocation and erasure are not shares and never come here.
//!
//! This crate knows no network, database, clock or randomness: time is an argument.
//!
//! # Example
//!
//! ```
//! use policy::*;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let terms = Terms::parse(template("us-issue-table").ok_or("built in")?.text)?;
//! let us: Jurisdiction = "US-OH".parse()?;
//! let parties = [
//!     Party::new("org-a", "Ohio Clean Water", OrgKind::C4, us),
//!     Party::new("org-b", "Ohio Nurses", OrgKind::Union, us),
//! ];
//! let gate = Gate::load(&terms, OWN_DEFAULT, &parties).map_err(|faults| format!("{faults:?}"))?;
//!
//! let form = Form::parse(r#"
//!     language = "en"
//!     collection_method = "paper"
//!     withdrawal_method = "Write to privacy@water.example"
//!     notice = { url = "https://water.example/notice", version = "3",
//!                sha256 = "0000000000000000000000000000000000000000000000000000000000000000" }
//!     [[purposes]]
//!     purpose = "gotv"
//!     pii_information = ["identity", "phone"]
//!     channels = ["call_manual"]
//!     recipients = ["Ohio Nurses"]
//! "#)?;
//! let signed = form.record("c-1", "person-1", 1_000, EventState::Given, None);
//! let facts = RowFacts::new("org-a", Source::OwnSignup, Basis::Consent, us);
//! let flow = Flow {
//!     from: "org-a".into(), to: "org-b".into(), coalition: "c-1".into(),
//!     purpose: Purpose::Gotv, channel: PolicyChannel::CallManual,
//!     consideration: Consideration::None, evidence_on_file: false, equal_terms: false,
//!     agreement_current: true, law_pack_fresh: true, suspended: false,
//! };
//! let rows = [
//!     Row { facts: facts.clone(), consent: Some(signed) },
//!     Row { facts, consent: None },
//! ];
//! let outcome = gate.decide(End::Send, &flow, &rows, FieldClass::ALL, 2_000);
//! assert!(outcome.masks[0].contains(FieldClass::Phone)); // agreed to
//! assert!(!outcome.masks[0].contains(FieldClass::Email)); // not agreed to
//! assert!(outcome.masks[1].is_empty()); // nothing is known: nothing flows
//! assert_eq!(outcome.rows_withheld_by_rule["con.state"], 1);
//! # Ok(()) }
//! ```

#![cfg_attr(not(test), warn(clippy::indexing_slicing, clippy::float_arithmetic))]

pub mod cell;
pub mod columns;
pub mod consent;
mod day;
mod entities;
pub mod explain;
pub mod facts;
pub mod flow;
pub mod gate;
pub mod jurisdiction;
pub mod lint;
mod rules;
mod schema;
pub mod terms;
mod text;
pub mod vectors;

pub use columns::{CodedRow, Columns, ColumnsError, Marks};
pub use consent::{
    Event, EventState, Evidence, EvidenceKind, Record, RecordError,
    clause::Clause,
    form::{Form, FormError},
};
pub use day::is_day;
pub use explain::Explanation;
pub use facts::{
    Basis, ConsentState, Consideration, FieldClass, FieldMask, OrgKind, PolicyChannel, Purpose,
    Source, UnknownName,
};
pub use flow::{End, Flow, Party, Row, RowFacts};
pub use gate::{
    Alarm, Change, Effort, Gate, Kind, Matrix, MatrixRow, NO_PERMIT, Outcome, Publication,
    PublicationKind, Readers, ResultFacts, Sieve, SimulatedCell, Verdict, opposite_sides,
};
pub use jurisdiction::Jurisdiction;
pub use lint::{Code, Fault};
pub use rules::{
    LAW_REVIEW_BY, LAW_REVIEW_BY_MS, LawRule, Layer, OWN_DEFAULT, RuleText, law, law_pack_fresh,
};
pub use schema::{SCHEMA, is_id};
pub use terms::{
    ContactCap, Params, PerChannel, PerClass, Quorum, Template, Terms, TermsError, template,
    templates,
};
