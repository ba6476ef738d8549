//! Rows as columns of codes: what many rows have in common is stored, and judged, once.
//!
//! Every fact of a row is a code of its column's dictionary. A consent form with the standing of
//! the people who signed it alike is one code, so that a million records of forty forms are forty
//! codes. [`Columns::from_rows`] codes rows that are at hand; an import that knows its forms codes
//! them directly ([`Columns::push`]). Spec: `spec/policy.md`, section 14.

pub(crate) mod distinct;
mod marks;

use crate::{
    consent::{
        Minor, Record,
        clause::{Assent, Clause},
    },
    entities::Person,
    facts::{Basis, FieldClass, Source},
    flow::{Flow, Party, Row, RowFacts},
    jurisdiction::Jurisdiction,
};
pub use marks::Marks;
use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
};

/// The most rows of one decision.
pub const MAX_ROWS: usize = 2_000_000;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident,)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u32);
    )*};
}

codes! {
    /// Code of an organization that collected rows.
    OriginatorCode,
    /// Code of a place whose law protects people.
    PlaceCode,
    /// Code of a set of races.
    RacesCode,
    /// Code of a consent.
    ConsentCode,
}

/// One row in codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CodedRow {
    /// Who collected it.
    pub originator: OriginatorCode,
    /// Where it came from.
    pub source: Source,
    /// The ground on which it may move.
    pub basis: Basis,
    /// Whose law protects the person.
    pub jurisdiction: PlaceCode,
    /// What holds of it.
    pub marks: Marks,
    /// Races on whose coordinated side it was derived.
    pub taint_coordinated: RacesCode,
    /// Races on whose independent side it was derived.
    pub taint_ie: RacesCode,
    /// What the person agreed to.
    pub consent: ConsentCode,
}

impl CodedRow {
    /// In the order of the columns.
    pub(crate) fn codes(self) -> [u32; WIDTH] {
        [
            self.originator.0,
            self.source as u32,
            self.basis as u32,
            self.jurisdiction.0,
            self.marks.code(),
            self.taint_coordinated.0,
            self.taint_ie.0,
            self.consent.0,
        ]
    }
}

/// Why a row was not added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ColumnsError {
    /// The code is not of these columns.
    #[error("a code of the row is not in these columns; code its facts here first")]
    UnknownCode,
    /// Too many rows.
    #[error("there are more than 2,000,000 rows; decide in parts")]
    Limit,
}

/// What is known of a person's consent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Consent<'r> {
    /// Nothing; never treated as given.
    Unknown,
    /// What the record amounts to, and whether it says that the person is a minor.
    Recorded(Assent<'r>, bool),
    /// Agreement to everything; only for asking what would be if.
    Everything,
}

impl<'r> Consent<'r> {
    fn of(record: &'r Record, now_ms: i64) -> Self {
        Self::Recorded(record.assent(now_ms), record.x_minor == Minor::Yes)
    }

    fn into_owned(self) -> Consent<'static> {
        match self {
            Self::Unknown => Consent::Unknown,
            Self::Recorded(assent, minor) => Consent::Recorded(assent.into_owned(), minor),
            Self::Everything => Consent::Everything,
        }
    }

    fn marks(&self) -> Marks {
        match self {
            Self::Recorded(_, true) => Marks::MINOR,
            _ => Marks::NONE,
        }
    }

    /// The clause that a cell rests on.
    pub(crate) fn clause(&self, flow: &Flow, to: &Party, field: FieldClass) -> Clause {
        match self {
            Self::Unknown => Clause::UNKNOWN,
            Self::Recorded(assent, _) => assent.clause(flow, to, field),
            Self::Everything => Clause::FULL,
        }
    }
}

/// How many attributes a row has: originator, source, basis, place, marks, races on either side,
/// consent; codes are in this order.
pub(crate) const WIDTH: usize = 8;

/// Rows in codes, at one moment.
#[derive(Clone, Debug)]
pub struct Columns {
    now_ms: i64,
    originators: Vec<String>,
    places: Vec<Jurisdiction>,
    races: Vec<BTreeSet<String>>,
    consents: Vec<Consent<'static>>,
    codes: [Vec<u32>; WIDTH],
}

impl Columns {
    /// No row yet; consents are judged as of the given time.
    #[must_use]
    pub fn new(now_ms: i64) -> Self {
        Self {
            now_ms,
            originators: Vec::new(),
            places: Vec::new(),
            races: vec![BTreeSet::new()],
            consents: vec![Consent::Unknown],
            codes: Default::default(),
        }
    }

    /// The moment as of which everything is judged.
    pub(crate) fn now_ms(&self) -> i64 {
        self.now_ms
    }

    /// Codes rows, in their order.
    #[must_use]
    pub fn from_rows(rows: &[Row], now_ms: i64) -> Self {
        let mut coder = Coder::new(now_ms);
        for row in rows {
            let coded = coder.code(&row.facts, row.consent.as_ref());
            coder.columns.add(coded);
        }
        coder.columns
    }

    /// Codes an organization that collected rows.
    pub fn originator(&mut self, id: &str) -> OriginatorCode {
        OriginatorCode(code_of(
            &mut self.originators,
            |known| known == id,
            || id.to_owned(),
        ))
    }

    /// Codes a place whose law protects people.
    pub fn place(&mut self, place: Jurisdiction) -> PlaceCode {
        PlaceCode(code_of(&mut self.places, |known| *known == place, || place))
    }

    /// Codes a set of races.
    pub fn races(&mut self, races: &BTreeSet<String>) -> RacesCode {
        RacesCode(code_of(
            &mut self.races,
            |known| known == races,
            || races.clone(),
        ))
    }

    /// Codes what a person agreed to; none means that nothing is known. Records of one form that
    /// stand alike at this moment have one code.
    pub fn consent(&mut self, record: Option<&Record>) -> ConsentCode {
        let consent = record.map_or(Consent::Unknown, |record| Consent::of(record, self.now_ms));
        ConsentCode(code_of(
            &mut self.consents,
            |known| *known == consent,
            || consent.clone().into_owned(),
        ))
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When a code is not of these columns, or there are [`MAX_ROWS`] rows already.
    pub fn push(&mut self, row: CodedRow) -> Result<(), ColumnsError> {
        let knows = |code: u32, dictionary: usize| (code as usize) < dictionary;
        let consent = self.consents.get(row.consent.0 as usize);
        let (Some(consent), true) = (
            consent,
            knows(row.originator.0, self.originators.len())
                && knows(row.jurisdiction.0, self.places.len())
                && knows(row.taint_coordinated.0, self.races.len())
                && knows(row.taint_ie.0, self.races.len()),
        ) else {
            return Err(ColumnsError::UnknownCode);
        };
        if self.len() >= MAX_ROWS {
            return Err(ColumnsError::Limit);
        }
        let marks = row.marks.with(consent.marks());
        self.add(CodedRow { marks, ..row });
        Ok(())
    }

    /// How many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        let [first, ..] = &self.codes;
        first.len()
    }

    /// Whether there is no row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One row whose person would have agreed to everything.
    pub(crate) fn agreeing(row: &Row, now_ms: i64) -> Self {
        let mut columns = Self::from_rows(std::slice::from_ref(row), now_ms);
        columns.consents.fill(Consent::Everything);
        columns
    }

    pub(crate) fn add(&mut self, row: CodedRow) {
        for (column, code) in self.codes.iter_mut().zip(row.codes()) {
            column.push(code);
        }
    }

    pub(crate) fn codes(&self) -> &[Vec<u32>; WIDTH] {
        &self.codes
    }

    /// Above every code of each attribute.
    pub(crate) fn radices(&self) -> [u32; WIDTH] {
        let races = self.races.len() as u32;
        [
            self.originators.len() as u32,
            Source::ALL.len() as u32,
            Basis::ALL.len() as u32,
            self.places.len() as u32,
            1 << u8::BITS,
            races,
            races,
            self.consents.len() as u32,
        ]
    }

    pub(crate) fn originators(&self) -> &[String] {
        &self.originators
    }

    pub(crate) fn places(&self) -> &[Jurisdiction] {
        &self.places
    }

    pub(crate) fn race_sets(&self) -> &[BTreeSet<String>] {
        &self.races
    }

    pub(crate) fn consents(&self) -> &[Consent<'static>] {
        &self.consents
    }

    /// The person of a row's codes in a cell; none when a code is of other columns.
    pub(crate) fn person(&self, codes: [u32; WIDTH], clause: Clause) -> Option<Person<'_>> {
        let [originator, source, basis, place, marks, coordinated, ie, _] = codes;
        Some(Person {
            originator: self.originators.get(originator as usize)?,
            source: *Source::ALL.get(source as usize)?,
            basis: *Basis::ALL.get(basis as usize)?,
            jurisdiction: *self.places.get(place as usize)?,
            marks: Marks::from_code(marks),
            taint_coordinated: self.races.get(coordinated as usize)?,
            taint_ie: self.races.get(ie as usize)?,
            clause,
        })
    }
}

/// Columns that grow row by row, with what finds a value that has its code already.
#[derive(Clone, Debug)]
pub(crate) struct Coder {
    pub(crate) columns: Columns,
    originators: HashMap<String, u32>,
    places: HashMap<Jurisdiction, u32>,
    races: HashMap<BTreeSet<String>, u32>,
    consents: HashMap<Consent<'static>, u32>,
}

impl Coder {
    pub(crate) fn new(now_ms: i64) -> Self {
        Self {
            columns: Columns::new(now_ms),
            originators: HashMap::new(),
            places: HashMap::new(),
            races: HashMap::from([(BTreeSet::new(), 0)]),
            consents: HashMap::from([(Consent::Unknown, 0)]),
        }
    }

    /// A row in codes of these columns; it is not added.
    pub(crate) fn code(&mut self, facts: &RowFacts, consent: Option<&Record>) -> CodedRow {
        let now_ms = self.columns.now_ms;
        let consent = consent.map_or(Consent::Unknown, |record| Consent::of(record, now_ms));
        let marks = Marks::of(facts).with(consent.marks());
        CodedRow {
            originator: OriginatorCode(known_or_new(
                self.originators.get(&facts.originator).copied(),
                || facts.originator.clone(),
                &mut self.originators,
                &mut self.columns.originators,
            )),
            source: facts.source,
            basis: facts.basis,
            jurisdiction: PlaceCode(known_or_new(
                self.places.get(&facts.jurisdiction).copied(),
                || facts.jurisdiction,
                &mut self.places,
                &mut self.columns.places,
            )),
            marks,
            taint_coordinated: self.race_set(&facts.taint_coordinated),
            taint_ie: self.race_set(&facts.taint_ie),
            consent: self.consent(consent),
        }
    }

    fn race_set(&mut self, races: &BTreeSet<String>) -> RacesCode {
        RacesCode(known_or_new(
            self.races.get(races).copied(),
            || races.clone(),
            &mut self.races,
            &mut self.columns.races,
        ))
    }

    fn consent(&mut self, consent: Consent<'_>) -> ConsentCode {
        // A record is looked up as it stands; only a new one is copied.
        let known: &HashMap<Consent<'_>, u32> = &self.consents;
        ConsentCode(known_or_new(
            known.get(&consent).copied(),
            || consent.into_owned(),
            &mut self.consents,
            &mut self.columns.consents,
        ))
    }
}

fn known_or_new<K: Hash + Eq + Clone>(
    known: Option<u32>,
    value: impl FnOnce() -> K,
    codes: &mut HashMap<K, u32>,
    values: &mut Vec<K>,
) -> u32 {
    known.unwrap_or_else(|| {
        let value = value();
        let next = values.len() as u32;
        values.push(value.clone());
        codes.insert(value, next);
        next
    })
}

fn code_of<T>(values: &mut Vec<T>, is: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> u32 {
    match values.iter().position(is) {
        Some(code) => code as u32,
        None => {
            values.push(new());
            (values.len() - 1) as u32
        }
    }
}
