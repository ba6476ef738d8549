//! One question to the gate, put together from a base case and what a vector changes of it.

use crate::{
    consent::{Days, Minor, Recipients, Record, SCHEMA_VERSION},
    day::{self, DAY_MS},
    facts::{Basis, ConsentState, FieldClass, PolicyChannel, Purpose, Source},
    flow::{Flow, Party, Row, RowFacts},
    gate::{Gate, Publication, PublicationKind, ResultFacts, Verdict},
    jurisdiction::Jurisdiction,
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use std::collections::BTreeSet;
use toml::{Table, Value};

/// Everything that a gate is asked, and the coalition of which it is asked.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) now_ms: i64,
    pub(super) parties: Vec<Party>,
    pub(super) flow: Flow,
    pub(super) field: FieldClass,
    pub(super) row: Row,
    /// What `from` would let `to` read, when it is no row of a person.
    pub(super) shown: Option<Shown>,
}

/// A publication or result of `from`.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Shown {
    Plan {
        races: BTreeSet<String>,
    },
    Claim {
        races: BTreeSet<String>,
    },
    ContactReport {
        races: BTreeSet<String>,
    },
    Result {
        races: BTreeSet<String>,
        aggregated: bool,
        min_cell_met: bool,
    },
}

impl Shown {
    /// What the gate says about it.
    pub(super) fn verdict(&self, gate: &Gate, flow: &Flow, now_ms: i64) -> Option<Verdict> {
        let publish = |kind, races: &BTreeSet<String>| {
            let publication = Publication {
                author: flow.from.clone(),
                kind,
                races: races.clone(),
                purpose: flow.purpose,
                channel: flow.channel,
            };
            let mut readers = gate.publish(&publication, now_ms).verdicts.into_iter();
            readers.find(|verdict| verdict.to == flow.to)
        };
        match self {
            Self::Plan { races } => publish(PublicationKind::Plan, races),
            Self::Claim { races } => publish(PublicationKind::Claim, races),
            Self::ContactReport { races } => publish(PublicationKind::ContactReport, races),
            Self::Result {
                races,
                aggregated,
                min_cell_met,
            } => {
                let result = ResultFacts {
                    author: flow.from.clone(),
                    races: races.clone(),
                    purpose: flow.purpose,
                    channel: flow.channel,
                    aggregated: *aggregated,
                    min_cell_met: *min_cell_met,
                };
                Some(gate.view_result(&result, &flow.to, now_ms))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Agreed {
    #[serde(default = "given")]
    state: ConsentState,
    #[serde(default)]
    days_ago: u32,
    purposes: Vec<Purpose>,
    fields: Vec<FieldClass>,
    channels: Vec<PolicyChannel>,
    #[serde(default)]
    written: Vec<PolicyChannel>,
    recipients: Vec<String>,
    #[serde(default)]
    onward: bool,
    #[serde(default)]
    explicit: bool,
    expiry_days: Option<u32>,
    #[serde(default = "adult")]
    minor: Minor,
}

fn given() -> ConsentState {
    ConsentState::Given
}

fn adult() -> Minor {
    Minor::No
}

impl Question {
    /// The question of a table that says everything; the error says which part is wrong.
    pub(super) fn read(mut table: Table) -> Result<Self, String> {
        let now_ms = match table.remove("day") {
            Some(Value::String(day)) => day::start_ms(&day),
            _ => None,
        };
        let now_ms = now_ms.ok_or("day: write the day of the question, such as \"2027-01-15\"")?;
        let field = part(&mut table, "field")?;
        let shown = match table.remove("shown") {
            None => None,
            Some(shown) => Some(read("shown", shown)?),
        };
        let parties = parties(section(&mut table, "parties")?)?;
        let facts = section(&mut table, "row")?;
        let facts: RowFacts = read("row", merged(no_marks(), facts))?;
        let consent = match table.remove("consent") {
            None => None,
            Some(agreed) => record(&read("consent", agreed)?, &facts, now_ms)?,
        };
        Ok(Self {
            now_ms,
            parties,
            flow: read("the flow", merged(plain_flow(), table))?,
            field,
            row: Row { facts, consent },
            shown,
        })
    }
}

/// The first table with the second laid over it, table by table; a list is replaced whole.
pub(super) fn merged(mut below: Table, above: Table) -> Table {
    for (key, value) in above {
        let value = match (below.remove(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => Value::Table(merged(below, above)),
            (_, value) => value,
        };
        below.insert(key, value);
    }
    below
}

/// What a flow is unless a file says otherwise: nothing is on file, and everything is in force.
fn plain_flow() -> Table {
    let flags = [
        ("evidence_on_file", false),
        ("equal_terms", false),
        ("agreement_current", true),
        ("law_pack_fresh", true),
        ("suspended", false),
    ];
    let flags = flags.map(|(name, value)| (name.to_owned(), Value::Boolean(value)));
    let coalition = ("coalition".to_owned(), Value::String("this".to_owned()));
    flags.into_iter().chain([coalition]).collect()
}

/// A row without marks; what has no safe default is left for the file to say.
fn no_marks() -> Table {
    let row = RowFacts::new("", Source::OwnSignup, Basis::Consent, Jurisdiction::UNKNOWN);
    let mut table = Table::try_from(row).expect("facts of a row are a table");
    for required in ["originator", "source", "basis", "jurisdiction"] {
        table.remove(required);
    }
    table
}

fn parties(table: Table) -> Result<Vec<Party>, String> {
    let party = |(id, value): (String, Value)| {
        let Value::Table(table) = value else {
            return Err(format!("parties.{id}: write the facts of an organization"));
        };
        let flags =
            ["federal", "incorporated"].map(|name| (name.to_owned(), Value::Boolean(false)));
        let words = ["id", "name"].map(|name| (name.to_owned(), Value::String(id.clone())));
        let plain: Table = flags.into_iter().chain(words).collect();
        read(&format!("parties.{id}"), merged(plain, table))
    };
    table.into_iter().map(party).collect()
}

/// The consent record of a person who agreed so; none when nothing is known of any consent.
fn record(agreed: &Agreed, facts: &RowFacts, now_ms: i64) -> Result<Option<Record>, String> {
    let mut recipients = Recipients::default();
    for recipient in &agreed.recipients {
        recipients.add(recipient.clone());
    }
    let at = now_ms.saturating_sub(i64::from(agreed.days_ago).saturating_mul(DAY_MS));
    let event = |time: i64, state: &str| json!({ "event_time": time, "entity_id": "person", "event_type": "explicit", "event_state": state });
    let events = match agreed.state {
        ConsentState::Given => vec![event(at, "given")],
        ConsentState::Withdrawn => vec![event(at - DAY_MS, "given"), event(at, "withdrawn")],
        ConsentState::Expired => vec![event(at, "expired")],
        ConsentState::Refused => vec![event(at, "refused")],
        ConsentState::Unknown => return Ok(None),
    };
    let clause = |purpose: &Purpose| {
        json!({
            "purpose": purpose,
            "pii_information": agreed.fields,
            "x_channels": agreed.channels,
            "x_written": agreed.written,
            "x_onward_allowed": agreed.onward,
            "recipient_third_parties": recipients,
            "retention_period": agreed.expiry_days.map(|days| Days(days).to_string()),
        })
    };
    let basis = if agreed.explicit {
        Basis::ExplicitConsent
    } else {
        Basis::Consent
    };
    let record = json!({
        "schema_version": SCHEMA_VERSION,
        "record_id": "record",
        "pii_principal_id": "person",
        "language": "en",
        "jurisdiction": facts.jurisdiction,
        "lawful_basis": basis,
        "privacy_notice": { "url": "", "sha256": "", "version": "" },
        "pii_type": agreed.fields,
        "x_form_version": "",
        "collection_method": "paper",
        "withdrawal_method": "",
        "x_explicit_special": agreed.explicit,
        "x_minor": agreed.minor,
        "purposes": agreed.purposes.iter().map(clause).collect::<Vec<_>>(),
        "events": events,
    });
    serde_json::from_value(record)
        .map(Some)
        .map_err(|error| format!("consent: {error}"))
}

fn section(table: &mut Table, name: &str) -> Result<Table, String> {
    part(table, name)
}

fn part<T: DeserializeOwned>(table: &mut Table, name: &str) -> Result<T, String> {
    let value = table
        .remove(name)
        .ok_or_else(|| format!("{name}: it is missing; write it into the base"))?;
    read(name, value)
}

fn read<T: DeserializeOwned>(name: &str, value: impl Into<Value>) -> Result<T, String> {
    value
        .into()
        .try_into()
        .map_err(|error: toml::de::Error| format!("{name}: {}", error.message()))
}
