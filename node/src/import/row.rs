//! One row: which values it has, whether it can be taken, and the person or attempt that it is.

use super::{
    Options,
    attempt::AttemptBuilder,
    error::{Reason, Rejected, Warning, Warnings, warn},
    field::Field,
    format::Makes,
    header::Layout,
    parsed::{Extra, ParsedAttempt, ParsedPerson},
    person::PersonBuilder,
    record::Records,
};
use crate::shares::pass_on;
use std::sync::Arc;

/// What became of a row.
pub(super) enum Row {
    Person(Box<ParsedPerson>),
    Attempt(Box<ParsedAttempt>),
    /// Nothing but blanks, as spreadsheets leave below a list.
    Blank,
    /// The header once more.
    RepeatedHeader,
}

/// Reads the present row.
pub(super) fn read(
    records: &Records,
    layout: &Layout,
    options: &Options,
    warnings: &mut Warnings,
) -> Result<Row, Rejected> {
    let blank = |index| records.raw(index).iter().all(u8::is_ascii_whitespace);
    if (0..records.len()).all(blank) {
        return Ok(Row::Blank);
    }
    let columns = &layout.header.columns;
    let (found, expected) = (records.len(), columns.len());
    if found > expected || (found < expected && !records.may_be_short()) {
        let reason = Reason::Ragged {
            found,
            expected,
            last_line: records.last_line(),
        };
        return Err(Rejected {
            line: records.line(),
            column: None,
            reason,
        });
    }
    if layout.is_repeated(records) {
        return Ok(Row::RepeatedHeader);
    }
    // A row that is rejected in the end leaves no warnings behind: its rejection says it all.
    let mut noticed = Warnings::new();
    let row = Values::gather(records, layout, &mut noticed)?.finish(
        records,
        layout,
        options,
        &mut noticed,
    )?;
    for (warning, count) in noticed {
        *warnings.entry(warning).or_default() += count;
    }
    Ok(row)
}

/// The values of a row, sorted by what they mean.
struct Values {
    person: PersonBuilder,
    attempt: AttemptBuilder,
    extra: Vec<Extra>,
}

impl Values {
    fn gather(
        records: &Records,
        layout: &Layout,
        warnings: &mut Warnings,
    ) -> Result<Self, Rejected> {
        let mut values = Self {
            person: PersonBuilder::default(),
            attempt: AttemptBuilder::default(),
            extra: Vec::new(),
        };
        let mut keys = vec![false; layout.spec.keys.len()];
        for (index, column) in layout.header.columns.iter().enumerate() {
            let rejected = |reason| Rejected {
                line: records.line(),
                column: Some(Arc::clone(&column.name)),
                reason,
            };
            // As an own row it would lose whose it is, what was agreed to and which firewalls it is under.
            if names_a_received_row(records.raw(index)) {
                return Err(rejected(Reason::Received));
            }
            if column.field == Field::LeaveOut {
                continue;
            }
            let value = records.text(index).map_err(rejected)?;
            if value.is_empty() {
                continue;
            }
            if value.contains('\u{FFFD}') {
                warn(warnings, Warning::CharacterLost);
            }
            for (key, seen) in layout.spec.keys.iter().zip(&mut keys) {
                *seen |= key.holds(column.field);
            }
            let attempts = layout.makes == Makes::Attempts;
            let taken = column.field != Field::Keep
                && ((attempts && values.attempt.set(column.field, &value))
                    || values.person.set(column.field, &value, warnings));
            if !taken {
                values
                    .extra
                    .push((Arc::clone(&column.name), value.into_owned()));
            }
        }
        for (key, seen) in layout.spec.keys.iter().zip(keys) {
            if key.every_row && !seen {
                return Err(missing(records, layout, |field| key.holds(field)));
            }
        }
        Ok(values)
    }

    fn finish(
        self,
        records: &Records,
        layout: &Layout,
        options: &Options,
        warnings: &mut Warnings,
    ) -> Result<Row, Rejected> {
        let rejected = |column, reason| Rejected {
            line: records.line(),
            column,
            reason,
        };
        let mut person = self
            .person
            .finish(warnings)
            .map_err(|reason| rejected(None, reason))?;
        person.extra.extend(self.extra);
        if names_nobody(&person) {
            return Err(rejected(None, Reason::NobodyNamed));
        }
        match layout.makes {
            Makes::People => Ok(Row::Person(Box::new(person))),
            Makes::Attempts => {
                let attempt = self.attempt.finish(person, &options.results, warnings);
                let attempt = attempt.map_err(|(field, reason)| {
                    rejected(name_of(layout, |known| known == field), reason)
                })?;
                Ok(Row::Attempt(Box::new(attempt)))
            }
        }
    }
}

fn missing(records: &Records, layout: &Layout, is_key: impl Fn(Field) -> bool) -> Rejected {
    Rejected {
        line: records.line(),
        column: name_of(layout, is_key),
        reason: Reason::KeyMissing,
    }
}

/// The name of the first column with such a field.
fn name_of(layout: &Layout, wanted: impl Fn(Field) -> bool) -> Option<Arc<str>> {
    let column = layout
        .header
        .columns
        .iter()
        .find(|column| wanted(column.field));
    column.map(|column| Arc::clone(&column.name))
}

fn names_a_received_row(value: &[u8]) -> bool {
    let value = std::str::from_utf8(value);
    value.is_ok_and(|value| pass_on::named(value).is_some())
}

fn names_nobody(person: &ParsedPerson) -> bool {
    person.identifiers.is_empty()
        && person.voter_id.is_none()
        && person.name.is_empty()
        && !person.address.has_street()
        && person.phones.is_empty()
        && person.emails.is_empty()
}
