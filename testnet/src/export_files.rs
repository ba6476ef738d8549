//! Writers for the lists of the synthetic organizations, in the exact formats that real systems export.
//!
//! [`write_all`] makes one folder per organization. The files are made to be difficult in the ways that the
//! [`Truth`] records; see [`crate::people::Trap`].

mod action_network;
mod benchmark;
mod civicrm;
mod contact_history;
pub(crate) mod door;
pub mod headers;
mod nationbuilder;
mod table;
mod van;

#[cfg(test)]
mod recount;
#[cfg(test)]
mod tests;

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::people::{
    Birth, EXTRA_CELLS_KEY, List, OrganizationKind, OrganizationTruth, Organizations, PhoneCell,
    RAGGED_KEY, Row, Truth, World, consent,
};
use table::Table;

pub use benchmark::van_rows;
pub use contact_history::write_contact_history;

/// Writes everything below a folder: for each organization its list, one file per consent form with only the rows
/// that it covers, canvass history, forms, notices, and `truth.json`; beside the folders the whole `truth.json`.
///
/// Existing files of the same name are replaced.
///
/// # Errors
///
/// What the file system says.
pub fn write_all(dir: &Path, world: &World, organizations: &Organizations) -> io::Result<Truth> {
    let truth = Truth::of(world, organizations);
    fs::create_dir_all(dir)?;
    for (list, known) in organizations.lists.iter().zip(&truth.organizations) {
        write_organization(&dir.join(list.profile.slug), world, list, known)?;
    }
    write_json(&dir.join("truth.json"), &truth)?;
    Ok(truth)
}

fn write_organization(
    folder: &Path,
    world: &World,
    list: &List,
    known: &OrganizationTruth,
) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let rows: Vec<&Row> = list.rows.iter().collect();
    write_file(&folder.join(&known.list_file), |out| {
        write_list(out, world, list, &rows, true)
    })?;
    for (form, about) in consent::forms(list.profile.kind).iter().zip(&known.consent) {
        let covered: Vec<&Row> = rows
            .iter()
            .copied()
            .filter(|row| row.form == Some(form.form_version.as_str()))
            .collect();
        write_file(&folder.join(&about.covered_file), |out| {
            write_list(out, world, list, &covered, false)
        })?;
        fs::write(folder.join(&about.form_file), form.to_toml())?;
        fs::write(
            folder.join(&about.notice_file),
            consent::notice_text(list.profile.kind, &form.form_version),
        )?;
    }
    if let (Some(history), Some(file)) = (&list.history, &known.history_file) {
        write_file(&folder.join(file), |out| {
            write_contact_history(out, history)
        })?;
    }
    write_json(&folder.join("truth.json"), known)
}

fn write_file(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(fs::File::create(path)?);
    write(&mut out)?;
    out.flush()
}

fn write_json(path: &Path, value: &impl serde::Serialize) -> io::Result<()> {
    write_file(path, |out| {
        serde_json::to_writer_pretty(&mut *out, value)?;
        out.write_all(b"\n")
    })
}

/// Writes rows of a list in the export format of its organization.
///
/// With `malformed`, one line after a third of the rows breaks off, and one after two thirds is too long.
///
/// # Errors
///
/// What the writer says.
pub fn write_list(
    out: &mut dyn Write,
    world: &World,
    list: &List,
    rows: &[&Row],
    malformed: bool,
) -> io::Result<()> {
    match list.profile.kind {
        OrganizationKind::C3 => action_network::write(out, rows, malformed),
        OrganizationKind::C4 => van::write(out, rows, malformed),
        OrganizationKind::Union => civicrm::write(out, rows, malformed),
        OrganizationKind::Pac => nationbuilder::write(out, world, rows, malformed),
    }
}

/// Cells of one line: column and text.
type Cells = Vec<(&'static str, String)>;

/// Columns that a malformed line fills.
struct NameColumns {
    key: &'static str,
    given: &'static str,
    surname: &'static str,
}

/// Writes the rows with the two malformed lines between them.
fn write_rows<W: Write>(
    table: &mut Table<W>,
    rows: &[&Row],
    malformed: Option<NameColumns>,
    cells: impl Fn(&Row) -> Cells,
) -> io::Result<()> {
    for (place, row) in rows.iter().enumerate() {
        if let Some(names) = &malformed {
            if place == rows.len() / 3 {
                table.ragged(&[RAGGED_KEY, "Torn"])?;
            }
            if place == rows.len() * 2 / 3 {
                table.overlong(&[
                    (names.key, EXTRA_CELLS_KEY.to_owned()),
                    (names.given, "Much".to_owned()),
                    (names.surname, "Toolong".to_owned()),
                ])?;
            }
        }
        table.line(&cells(row))?;
    }
    Ok(())
}

fn phone_text(cell: Option<PhoneCell>) -> String {
    cell.map(|cell| cell.phone.written(cell.form))
        .unwrap_or_default()
}

fn birth_text(birth: Option<Birth>) -> String {
    match birth {
        None => String::new(),
        Some(Birth::Date(date)) => date.to_string(),
        Some(Birth::Placeholder) => "1900-01-01".to_owned(),
        Some(Birth::Impossible) => "1980-02-31".to_owned(),
    }
}

/// The row's own labels, and one for the consent form that the person signed.
fn tag_text(row: &Row) -> String {
    let form = row.form.map(|version| format!("consent:{version}"));
    row.tags
        .iter()
        .cloned()
        .chain(form)
        .collect::<Vec<_>>()
        .join(", ")
}
