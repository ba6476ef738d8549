//! Decisions of the gate per second of processor time: a large list toward many recipients.
//!
//! The rows are synthetic and coded as an import codes them. The rules are the built-in law and
//! the template of an issue table. In the same run a sample is decided by Cedar row by row, which
//! gives the figure to compare with and must give the same answers.

use super::measure::{Took, rounded, time};
use anyhow::{Context, Result, ensure};
use policy::{
    Basis, CodedRow, Columns, Consideration, End, EventState, FieldClass, Flow, Form, Gate,
    Jurisdiction, Marks, OWN_DEFAULT, OrgKind, Party, PolicyChannel, Purpose, Record, Row,
    RowFacts, Source, Terms, columns::ConsentCode,
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Organizations that receive.
const RECIPIENTS: usize = 10;
/// Consent forms in use.
const FORMS: usize = 40;
/// Rows of the sample that Cedar decides one by one, toward one recipient.
const SAMPLE: usize = 300;
/// When all of it happens: 25 November 2026.
const NOW: i64 = 1_795_564_800_000;
const DAY: i64 = 86_400_000;

/// Decides about so many rows toward ten recipients in all classes of fields.
///
/// # Errors
/// When the synthetic coalition is refused, or columns and Cedar disagree on the sample.
pub fn run(rows: u64) -> Result<Map<String, Value>> {
    let parties = parties()?;
    let terms = policy::template("us-issue-table").context("the template is built in")?;
    let gate = Gate::load(&Terms::parse(terms.text)?, OWN_DEFAULT, &parties)
        .map_err(|faults| anyhow::anyhow!("the gate refuses the coalition: {faults:?}"))?;
    let world = People::new()?;
    let mut rng = StdRng::seed_from_u64(1);
    let people: Vec<Draw> = (0..rows).map(|_| world.draw(&mut rng)).collect();
    let (columns, coding) = time(|| world.columns(&people));
    let columns = columns?;
    let flows: Vec<Flow> = parties.iter().skip(1).map(flow).collect();
    let (decided, deciding) =
        time(|| gate.decide_measured(End::Send, &flows, &columns, FieldClass::ALL));
    let (outcomes, effort) = decided;
    let flow = flows.first().context("there are recipients")?;
    let sample: Vec<Row> = people
        .iter()
        .take(SAMPLE)
        .map(|draw| world.row(draw))
        .collect();
    let (masks, plain) = time(|| gate.reference(End::Send, flow, &sample, FieldClass::ALL, NOW));
    let outcome = outcomes.first().context("there is an outcome")?;
    ensure!(
        outcome.masks.iter().take(masks.len()).eq(&masks),
        "columns and Cedar disagree about the sample"
    );
    let classes = FieldClass::ALL.len() as u64;
    let decisions = rows * flows.len() as u64 * classes;
    let flowing: usize = outcomes
        .iter()
        .flat_map(|outcome| &outcome.masks)
        .map(|mask| mask.iter().count())
        .sum();
    let mut figures = Map::new();
    let mut put = |name: &str, value: Value| figures.insert(name.to_owned(), value);
    put("rows", json!(rows));
    put("recipients", json!(flows.len()));
    put("consent_forms", json!(FORMS));
    put("rules", json!(gate.rules().count()));
    put("decisions", json!(decisions));
    put("decisions_that_flow", json!(flowing));
    put("classes", json!(effort.kinds));
    put("tuples", json!(effort.tuples));
    put("cedar_calls", json!(effort.cedar_calls));
    put("decisions_per_cpu_second", per_second(decisions, deciding));
    let plain_decisions = masks.len() as u64 * classes;
    put("plain_decisions", json!(plain_decisions));
    put(
        "plain_decisions_per_cpu_second",
        per_second(plain_decisions, plain),
    );
    put("coding_seconds", rounded(coding.cpu));
    put("deciding_seconds", rounded(deciding.cpu));
    put("preview_seconds", rounded(coding.cpu + deciding.cpu));
    Ok(figures)
}

fn per_second(decisions: u64, took: Took) -> Value {
    rounded(decisions as f64 / took.cpu)
}

/// The sender and ten recipients of the kinds that the template knows.
fn parties() -> Result<Vec<Party>> {
    let kinds = [OrgKind::C4, OrgKind::Union, OrgKind::C3, OrgKind::Pac];
    let place: Jurisdiction = "us-oh".parse()?;
    let party = |n: usize| {
        let kind = kinds.get(n % kinds.len()).copied().unwrap_or(OrgKind::C4);
        let mut party = Party::new(
            &format!("org-{n}"),
            &format!("Organization {n}"),
            kind,
            place,
        );
        if n == 3 {
            party.ie_races = BTreeSet::from(["oh-sen".to_owned()]);
        }
        party
    };
    Ok((0..=RECIPIENTS).map(party).collect())
}

fn flow(to: &Party) -> Flow {
    Flow {
        from: "org-0".to_owned(),
        to: to.id.clone(),
        coalition: "c".to_owned(),
        purpose: Purpose::Gotv,
        channel: PolicyChannel::CallManual,
        consideration: Consideration::None,
        evidence_on_file: false,
        equal_terms: false,
        agreement_current: true,
        law_pack_fresh: true,
        suspended: false,
    }
}

/// One synthetic person: places in the lists of [`People`], and marks.
#[derive(Clone, Copy)]
struct Draw {
    originator: usize,
    source: Source,
    basis: Basis,
    place: usize,
    coordinated: bool,
    facts: [bool; 6],
    form: Option<usize>,
}

/// What synthetic people are drawn from.
struct People {
    places: Vec<Jurisdiction>,
    records: Vec<Record>,
    race: BTreeSet<String>,
}

impl People {
    fn new() -> Result<Self> {
        let places = [
            "us-oh", "us-pa", "us-mi", "us-wi", "us-in", "us-ky", "us", "de", "unknown",
        ];
        Ok(Self {
            places: places
                .map(str::parse)
                .into_iter()
                .collect::<Result<_, _>>()?,
            records: (0..FORMS).map(form).collect::<Result<_>>()?,
            race: BTreeSet::from(["oh-sen".to_owned()]),
        })
    }

    fn draw(&self, rng: &mut StdRng) -> Draw {
        let rare = [0.02, 0.01, 0.3, 0.05, 0.03, 0.1];
        let bases = [Basis::Consent, Basis::ExplicitConsent, Basis::PublicRecord];
        Draw {
            originator: if rng.gen_bool(0.8) {
                0
            } else {
                rng.gen_range(0..=RECIPIENTS)
            },
            source: *Source::ALL.choose(rng).unwrap_or(&Source::OwnSignup),
            basis: *bases.choose(rng).unwrap_or(&Basis::Consent),
            place: if rng.gen_bool(0.7) {
                0
            } else {
                rng.gen_range(0..self.places.len())
            },
            coordinated: rng.gen_bool(0.02),
            facts: rare.map(|share| rng.gen_bool(share)),
            form: rng.gen_bool(0.85).then(|| rng.gen_range(0..FORMS)),
        }
    }

    fn row(&self, draw: &Draw) -> Row {
        let place = self
            .places
            .get(draw.place)
            .copied()
            .unwrap_or(Jurisdiction::UNKNOWN);
        let originator = format!("org-{}", draw.originator);
        let [
            minor,
            confidential,
            partisan,
            suppressed,
            tombstoned,
            recent_contact,
        ] = draw.facts;
        Row {
            facts: RowFacts {
                minor,
                confidential,
                partisan,
                suppressed,
                tombstoned,
                recent_contact,
                terms_allow: draw.source != Source::Purchased,
                taint_coordinated: if draw.coordinated {
                    self.race.clone()
                } else {
                    BTreeSet::new()
                },
                ..RowFacts::new(&originator, draw.source, draw.basis, place)
            },
            consent: draw.form.and_then(|form| self.records.get(form)).cloned(),
        }
    }

    /// The rows in codes: each organization, place and form once, as an import knows them.
    fn columns(&self, people: &[Draw]) -> Result<Columns> {
        let mut columns = Columns::new(NOW);
        let originators: Vec<_> = (0..=RECIPIENTS)
            .map(|n| columns.originator(&format!("org-{n}")))
            .collect();
        let places: Vec<_> = self
            .places
            .iter()
            .map(|place| columns.place(*place))
            .collect();
        let nothing = columns.consent(None);
        let forms: Vec<ConsentCode> = self
            .records
            .iter()
            .map(|record| columns.consent(Some(record)))
            .collect();
        let untainted = columns.races(&BTreeSet::new());
        let tainted = columns.races(&self.race);
        let marks = [
            Marks::MINOR,
            Marks::CONFIDENTIAL,
            Marks::PARTISAN,
            Marks::SUPPRESSED,
            Marks::TOMBSTONED,
            Marks::RECENT_CONTACT,
        ];
        for draw in people {
            let held = marks
                .into_iter()
                .zip(draw.facts)
                .filter(|(_, holds)| *holds);
            let terms = match draw.source {
                Source::Purchased => Marks::NONE,
                _ => Marks::TERMS_ALLOW,
            };
            columns.push(CodedRow {
                originator: *originators
                    .get(draw.originator)
                    .context("an organization")?,
                source: draw.source,
                basis: draw.basis,
                jurisdiction: *places.get(draw.place).context("a place")?,
                marks: held.fold(terms, |all, (mark, _)| all.with(mark)),
                taint_coordinated: if draw.coordinated { tainted } else { untainted },
                taint_ie: untainted,
                consent: draw
                    .form
                    .and_then(|form| forms.get(form))
                    .copied()
                    .unwrap_or(nothing),
            })?;
        }
        Ok(columns)
    }
}

/// What somebody signed: forms differ in fields, channels, recipients and how long they hold.
fn form(n: usize) -> Result<Record> {
    let classes = FieldClass::NAMES.iter().enumerate();
    let fields: Vec<&str> = classes
        .filter(|(at, _)| at % 3 != n % 5)
        .map(|(_, name)| *name)
        .collect();
    let recipients = match n % 4 {
        0 => vec!["coalition".to_owned()],
        1 => vec!["c4".to_owned(), "union".to_owned()],
        _ => (0..4)
            .map(|at| format!("org-{}", (n + at * 3) % (RECIPIENTS + 1)))
            .collect(),
    };
    let channels = if n.is_multiple_of(7) {
        "[\"door\"]"
    } else {
        "[\"door\", \"call_manual\"]"
    };
    let text = format!(
        "language = \"en\"\ncollection_method = \"paper\"\nwithdrawal_method = \"Write\"\n\
         explicit_special = {}\n[notice]\nurl = \"https://form{n}.example\"\nversion = \"{n}\"\n\
         sha256 = \"{n:064x}\"\n[[purposes]]\npurpose = \"{}\"\npii_information = {fields:?}\n\
         channels = {channels}\nrecipients = {recipients:?}\nonward = {}\nexpiry_days = {}\n",
        n.is_multiple_of(2),
        if n.is_multiple_of(9) {
            "petition"
        } else {
            "gotv"
        },
        n.is_multiple_of(3),
        if n.is_multiple_of(11) { 30 } else { 730 },
    );
    let form = Form::parse(&text)?;
    Ok(form.record(
        &format!("r-{n}"),
        "p",
        NOW - 60 * DAY,
        EventState::Given,
        None,
    ))
}
