//! What an import counted, while it runs and when it is over.

use crate::{
    import::{Field, Header},
    store::{
        StoreError,
        import_job::{Import, Reject},
        natural,
    },
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most rejected rows that a report shows; all are stored.
pub const REJECTS_SHOWN: i64 = 1_000;
/// The most different unknown results that are counted by name.
pub const RESULTS_NAMED: usize = 50;

/// Counts that are committed with each batch. A field that an older count does not have is zero.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    /// People who were on no list before.
    pub imported: u64,
    /// Known people of whom the file told something new.
    pub updated: u64,
    /// Known people of whom it told nothing new; known attempts.
    pub unchanged: u64,
    /// Rows about a person whom an earlier row of the same file described.
    pub duplicates_merged: u64,
    /// New suppressions.
    pub suppressions: u64,
    /// New consent records.
    pub consents: u64,
    /// Consent records that a mark took back.
    pub consents_withdrawn: u64,
    /// Rows that were left out.
    pub rejected: u64,
    /// New attempts.
    pub contacts: u64,
    /// Attempts that had led to nobody and now do.
    pub joined: u64,
    /// New attempts that lead to nobody on any list.
    pub unjoined: u64,
    /// New attempts of other committees.
    pub other_committee: u64,
    /// Rows per unknown result.
    pub unknown_results: BTreeMap<String, u64>,
    /// Rows per doubt, each a sentence without its subject.
    pub warnings: BTreeMap<String, u64>,
    /// Columns that mean nothing to us and were kept.
    pub unknown_columns: Vec<String>,
    /// Columns that were not taken.
    pub left_out_columns: Vec<String>,
    /// Why the file was refused, if it was.
    pub refused: String,
}

impl Counts {
    /// What an import has counted so far.
    pub(crate) fn of(import: &Import) -> Result<Self, StoreError> {
        serde_json::from_str(&import.counts).map_err(|error| StoreError::damaged("import", error))
    }

    /// Notes the columns that have no meaning here.
    pub(crate) fn note_columns(&mut self, header: &Header) {
        let names = |field: Field| {
            let columns = header.columns.iter().filter(|column| column.field == field);
            columns.map(|column| column.name.to_string()).collect()
        };
        self.unknown_columns = names(Field::Keep);
        self.left_out_columns = names(Field::LeaveOut);
    }

    /// Counts a doubt.
    pub(crate) fn warn(&mut self, message: &str) {
        self.warn_times(message, 1);
    }

    /// Counts a doubt of several rows.
    pub(crate) fn warn_times(&mut self, message: &str, times: u64) {
        if let Some(count) = self.warnings.get_mut(message) {
            *count += times;
        } else {
            self.warnings.insert(message.to_owned(), times);
        }
    }
}

/// The report of one import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The import; empty for a dry run.
    pub import_id: String,
    /// The list; empty for contact histories.
    pub list: String,
    /// As the person called the file.
    pub file_name: String,
    /// Recognized or chosen.
    pub format: String,
    /// `running`, `done` or `failed`.
    pub state: &'static str,
    /// Rows of the file that were dealt with.
    pub rows: u64,
    /// What became of them.
    #[serde(flatten)]
    pub counts: Counts,
    /// The first [`REJECTS_SHOWN`] rows that were left out.
    pub rejects: Vec<Reject>,
    /// The row behind which an interrupted import went on.
    pub resumed_at: Option<u64>,
    /// Nothing was written.
    pub dry_run: bool,
    /// Milliseconds since 1970.
    pub started_at: i64,
    /// Milliseconds since 1970.
    pub finished_at: Option<i64>,
}

impl Report {
    /// The report of a stored import, as far as it has come.
    ///
    /// # Errors
    /// When its counts cannot be read back.
    pub fn of(import: &Import, list: String, rejects: Vec<Reject>) -> Result<Self, StoreError> {
        Ok(Self {
            import_id: import.import_id.clone(),
            list,
            file_name: import.file_name.clone(),
            format: import.format.clone(),
            state: import.progress.name(),
            rows: natural(import.rows_done),
            counts: Counts::of(import)?,
            rejects,
            resumed_at: None,
            dry_run: false,
            started_at: import.started_at,
            finished_at: import.finished_at,
        })
    }
}
