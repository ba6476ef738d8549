//! The header: which line it is, which format it has and what each column means.
//!
//! Columns are found by name, never by position. A column that no table knows is kept for the owner,
//! unless it is of a kind that nobody should import by accident: see [`left_out`].

use super::{
    Options,
    error::{ImportError, Warning, Warnings, warn},
    field::Field,
    format::{Format, Makes, SPECS, Spec},
    record::Records,
    value::{digits, is_email},
};
use std::{collections::BTreeMap, sync::Arc};

/// What will be done with the file, told before its first row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The format that was asked for or recognized.
    pub format: Format,
    /// Line of the header.
    pub line: u64,
    /// Every column in the file's order.
    pub columns: Vec<Column>,
}

/// A column and its meaning; [`Field::Keep`] and [`Field::LeaveOut`] are what becomes of the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name in the file; numbered if the name was there already.
    pub name: Arc<str>,
    /// What it means.
    pub field: Field,
}

/// A header that rows can be read by.
pub(super) struct Layout {
    pub(super) header: Header,
    pub(super) spec: &'static Spec,
    pub(super) makes: Makes,
    /// The header's own bytes, to know it when it comes again.
    raw: Vec<Vec<u8>>,
}

impl Layout {
    /// Whether the present row is the header once more, as in files that were joined.
    pub(super) fn is_repeated(&self, records: &Records) -> bool {
        records.len() == self.raw.len()
            && self
                .raw
                .iter()
                .enumerate()
                .all(|(index, name)| records.raw(index) == name)
    }
}

/// A name without case, spaces, underscores, hyphens and byte order mark: how names are compared.
pub(super) fn plain(name: &str) -> String {
    let compared = |c: &char| !c.is_whitespace() && !matches!(c, '_' | '-' | '\u{FEFF}');
    name.chars()
        .filter(compared)
        .flat_map(char::to_lowercase)
        .collect()
}

/// Finds the header and what it means.
pub(super) fn read(
    records: &mut Records,
    options: &Options,
    warnings: &mut Warnings,
) -> Result<Layout, ImportError> {
    let mut names = next_names(records)?.ok_or(ImportError::Empty)?;
    let mapped: Vec<String> = options
        .map
        .iter()
        .map(|mapping| plain(&mapping.column))
        .collect();
    if count_known(&names, &mapped) == 0 {
        refuse_values(&names)?;
        // Workbooks of VAN begin with a row about the export; the header comes next.
        match next_names(records)? {
            Some(second) if count_known(&second, &mapped) > 0 => names = second,
            _ if options.format.is_none() || names.len() > 1 => {
                return Err(ImportError::UnknownLayout);
            }
            _ => {}
        }
    }
    for (mapping, name) in options.map.iter().zip(&mapped) {
        if !names.iter().any(|known| plain(known) == *name) {
            return Err(ImportError::MapColumn(mapping.column.clone()));
        }
    }
    let spec = choose(&names, options)?;
    let columns = columns(&names, spec, options, warnings);
    require_keys(spec, &columns)?;
    let has = |field| columns.iter().any(|column| column.field == field);
    let attempts = has(Field::ContactDate) && has(Field::Result);
    let makes = if spec.format == Format::Csv && attempts {
        Makes::Attempts
    } else {
        spec.makes
    };
    let raw = (0..records.len())
        .map(|index| records.raw(index).to_vec())
        .collect();
    let header = Header {
        format: spec.format,
        line: records.line(),
        columns,
    };
    Ok(Layout {
        header,
        spec,
        makes,
        raw,
    })
}

/// The next row as names; none at the end of the file.
fn next_names(records: &mut Records) -> Result<Option<Vec<String>>, ImportError> {
    use super::error::Reason;
    let Some(row) = records.advance()? else {
        return Ok(None);
    };
    let line = records.line();
    match row {
        Err(Reason::TooManyValues) => return Err(ImportError::TooManyColumns { line }),
        Err(reason) => return Err(ImportError::BadHeader { line, reason }),
        Ok(()) => {}
    }
    let name = |index| match records.text(index) {
        Ok(text) => Ok(text.trim_matches('\u{FEFF}').trim().to_owned()),
        Err(reason) => Err(ImportError::BadHeader { line, reason }),
    };
    (0..records.len())
        .map(name)
        .collect::<Result<_, _>>()
        .map(Some)
}

/// How many of these names some format or the command line knows.
fn count_known(names: &[String], mapped: &[String]) -> usize {
    let known: Vec<BTreeMap<String, Field>> = SPECS.iter().map(|spec| table(spec)).collect();
    let is_known = |name: &&String| {
        let name = plain(name);
        mapped.contains(&name) || known.iter().any(|table| table.contains_key(&name))
    };
    names.iter().filter(is_known).count()
}

/// Refuses a first line that holds an e-mail address, a phone number or an id: a row, not names.
fn refuse_values(names: &[String]) -> Result<(), ImportError> {
    let is_value = |name: &String| {
        is_email(name) || (digits(name).len() >= 5 && !name.contains(char::is_alphabetic))
    };
    if names.iter().any(is_value) {
        Err(ImportError::NoHeader)
    } else {
        Ok(())
    }
}

/// The format that was asked for, else the first that the header fits.
fn choose(names: &[String], options: &Options) -> Result<&'static Spec, ImportError> {
    if let Some(format) = options.format {
        return Ok(format.spec());
    }
    let plain_names: Vec<String> = names.iter().map(|name| plain(name)).collect();
    let has = |name: &str| plain_names.iter().any(|known| *known == plain(name));
    let fitting = SPECS
        .iter()
        .copied()
        .find(|spec| (spec.fits)(&has, &plain_names));
    let mapped = !options.map.is_empty();
    fitting
        .or(mapped.then(|| Format::Csv.spec()))
        .ok_or(ImportError::UnknownLayout)
}

/// A format's columns by plain name.
fn table(spec: &Spec) -> BTreeMap<String, Field> {
    spec.columns
        .iter()
        .map(|(name, field)| (plain(name), *field))
        .collect()
}

/// What each column means: the command line first, then the format, then the rules for the others.
fn columns(
    names: &[String],
    spec: &'static Spec,
    options: &Options,
    warnings: &mut Warnings,
) -> Vec<Column> {
    let mut place = Place {
        table: table(spec),
        places: spec.places,
        chosen: None,
    };
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let column = |(index, name): (usize, &String)| {
        let key = plain(name);
        let times = seen.entry(key.clone()).or_default();
        *times += 1;
        let mapping = options
            .map
            .iter()
            .find(|mapping| plain(&mapping.column) == key);
        let field = match mapping {
            Some(mapping) => mapping.field,
            None if left_out(&key) => Field::LeaveOut,
            None if *times > 1 => Field::Keep,
            None => place.field(&key).unwrap_or(Field::Keep),
        };
        let name = match (name.is_empty(), *times) {
            (true, _) => format!("column {}", index + 1),
            (false, 1) => name.clone(),
            (false, times) => {
                warn(warnings, Warning::RepeatedColumn);
                format!("{name} ({times})")
            }
        };
        Column {
            name: name.into(),
            field,
        }
    };
    names.iter().enumerate().map(column).collect()
}

/// Finds a format's columns, also behind the name of a place ("Home-Street Address"). Only one place
/// gives the door: a street of one and a city of another would be nobody's address.
struct Place {
    table: BTreeMap<String, Field>,
    places: &'static [&'static str],
    chosen: Option<&'static str>,
}

impl Place {
    fn field(&mut self, key: &str) -> Option<Field> {
        if let Some(field) = self.table.get(key) {
            return Some(*field);
        }
        let (place, field) = self.places.iter().find_map(|place| {
            let rest = key.strip_prefix(place)?;
            self.table.get(rest).map(|field| (*place, *field))
        })?;
        let of_a_place = matches!(field, Field::Door(_) | Field::Phone(_) | Field::Email(_));
        let same_place =
            !matches!(field, Field::Door(_)) || *self.chosen.get_or_insert(place) == place;
        (of_a_place && same_place).then_some(field)
    }
}

fn require_keys(spec: &'static Spec, columns: &[Column]) -> Result<(), ImportError> {
    for key in spec.keys {
        if !columns.iter().any(|column| key.holds(column.field)) {
            let (format, missing) = (spec.format, key.called);
            return Err(match columns.len() {
                1 => ImportError::OneColumn { format, missing },
                _ => ImportError::MissingColumn { format, missing },
            });
        }
    }
    Ok(())
}

/// Columns that are left out unless somebody maps them, by plain name: special categories, documents,
/// free text, and the names of canvassers and staff.
const LEFT_OUT: &[&str] = &[
    "race",
    "racecode",
    "ethnicity",
    "ethniccode",
    "ethnic",
    "religion",
    "church",
    "maritalstatus",
    "driverslic",
    "hasssn",
    "hasstatelicense",
    "legalidentifier",
    "donoruspassportnumber",
    "ssn",
    "passportnumber",
    "driverslicense",
    "canvassedby",
    "createdby",
    "username",
    "pointpersonnameoremail",
    "recruiternameoremail",
    "canvassername",
    "note",
    "notes",
    "notetext",
    "comments",
    "comment",
    "canvassnotes",
    "supportprobabilityscore",
    "turnoutprobabilityscore",
    "capitalamount",
    "capitalamountincents",
    "spentcapitalamount",
    "spentcapitalamountincents",
    "receivedcapitalamount",
    "receivedcapitalamountincents",
    "amount",
];

/// Beginnings and parts of such names.
const LEFT_OUT_BEGINNINGS: &[&str] = &["ethnicgroups", "commercialdata"];

/// Whether a column is left out: also amounts of money given, whatever they are called.
fn left_out(name: &str) -> bool {
    LEFT_OUT.contains(&name)
        || LEFT_OUT_BEGINNINGS
            .iter()
            .any(|beginning| name.starts_with(beginning))
        || name.contains("donation")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_spaces_and_underscores() {
        assert_eq!(plain("\u{FEFF}Voter File_VANID "), plain("voterfilevanid"));
        assert_eq!(plain(" WorkPhoneExt"), "workphoneext");
    }

    #[test]
    fn sensitive_columns_are_known_by_their_names() {
        for name in [
            "Ethnicity",
            "drivers_lic",
            "Has SSN",
            "donations_amount_in_cents",
            "CommercialData_Education",
            "NoteText",
            "CanvassedBy",
        ] {
            assert!(left_out(&plain(name)), "{name}");
        }
        for name in ["Precinct", "party", "IsCanvasser", "language"] {
            assert!(!left_out(&plain(name)), "{name}");
        }
        assert!(
            LEFT_OUT.iter().all(|name| plain(name) == **name),
            "spelt as compared"
        );
    }
}
