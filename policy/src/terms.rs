//! The terms of an agreement: one TOML file that people edit and members sign byte for byte.
//!
//! The file holds the numbers that the coalition agreed on and, as Cedar text, the rules of the
//! agreement layer. Reading is strict: an unknown field, a number out of its range or a rule that
//! the linter refuses is an error with its line. Spec: `spec/policy.md`, section 7.

mod read;

use crate::{jurisdiction::Jurisdiction, lint::Code};

/// The most bytes of a terms file: an agreement fits into one entry of the coalition log.
pub const MAX_TERMS_BYTES: usize = 40 * 1024;

/// A checked terms file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Title, for people.
    pub title: String,
    /// What the coalition is for, for people.
    pub summary: String,
    /// The day, as `YYYY-MM-DD`, by which the members must have signed a reviewed version.
    pub review_by: String,
    /// The beginning of that day in UTC, in milliseconds since 1970; from then on nothing flows.
    pub review_by_ms: i64,
    /// The numbers.
    pub params: Params,
    /// The rules of the agreement layer, as Cedar text.
    pub rules: String,
}

/// One number per channel of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerChannel {
    /// Doors.
    pub door: u32,
    /// Calls.
    pub phone: u32,
    /// Texts.
    pub text: u32,
    /// E-mails.
    pub email: u32,
}

/// One number per class of match tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerClass {
    /// Doors.
    pub door: u64,
    /// Phone numbers.
    pub phone: u64,
    /// E-mail addresses.
    pub email: u64,
    /// Person keys.
    pub person: u64,
}

/// How often one person may be contacted, over all members and channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContactCap {
    /// The most contacts.
    pub contacts: u32,
    /// In so many days.
    pub days: u32,
}

/// How many members must agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// Percent of the members of a new version that must sign it.
    pub change_percent: u32,
    /// Percent of the members that stay that must sign the removal of another.
    pub removal_percent: u32,
}

/// The numbers of an agreement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Params {
    /// Name of the time zone in which days begin, such as `America/New_York`.
    pub time_zone: String,
    /// Region of phone numbers and addresses that name none: a country in two capital letters.
    pub default_region: String,
    /// Days after a contact in which nobody contacts again.
    pub recontact_days: PerChannel,
    /// Whether an attempt without an answer also opens that window.
    pub attempts_open_window: bool,
    /// How often one person may be contacted.
    pub contact_cap: ContactCap,
    /// The longest claim in days.
    pub claim_days_max: PerChannel,
    /// How often a recipient may use the rows of one share in 365 days.
    pub use_limit: u32,
    /// Hours between the announcement of a use and its beginning.
    pub notice_hours: u32,
    /// Counts below this are not shown.
    pub min_cell: u32,
    /// Hours in which a revocation must be confirmed as stopped.
    pub ack_hours: u32,
    /// Business days in which a channel must be closed.
    pub due_business_days_channels: u32,
    /// Days in which an erasure must be done.
    pub due_days_erasure: u32,
    /// Days after an erasure in which the row may still lie in a backup.
    pub backup_days: u32,
    /// How many members must agree to a change.
    pub quorum: Quorum,
    /// Hours after which a claim must be renewed.
    pub renewal_hours: u32,
    /// Hours that a claim survives without renewal.
    pub grace_hours: u32,
    /// Match tokens that one member may ask for, per class and key generation.
    pub token_budget: PerClass,
    /// Version of the normalization of values before they become tokens.
    pub norm_version: u32,
    /// Days that a keeper stores a blob.
    pub blob_ttl_days: u32,
    /// How many epochs old a message may be when it is ordered.
    pub epochs: u32,
}

/// Why a file is not the terms of an agreement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("terms, line {line}, column {column}: {code}: {message}")]
pub struct TermsError {
    /// What kind of fault.
    pub code: Code,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl Terms {
    /// Reads a terms file.
    ///
    /// # Errors
    /// The first thing that is wrong, by line: syntax, an unknown or missing field, a number out of
    /// range, or a rule that the linter refuses.
    pub fn parse(text: &str) -> Result<Self, TermsError> {
        Self::check(text).map_err(|faults| {
            let first = faults.into_iter().next();
            first.expect("a file is refused for at least one fault")
        })
    }

    /// Reads a terms file for somebody who writes one.
    ///
    /// # Errors
    /// Everything that is wrong, in the order of the lines; of a file that is no TOML or lacks a
    /// field, that alone.
    pub fn check(text: &str) -> Result<Self, Vec<TermsError>> {
        read::terms(text)
    }
}

impl Params {
    /// The place whose law protects people of whom no other is known.
    #[must_use]
    pub fn default_jurisdiction(&self) -> Jurisdiction {
        self.default_region.parse().unwrap_or(Jurisdiction::UNKNOWN)
    }
}

/// A terms file to start from: a template, not legal advice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Template {
    /// Name by which people choose it.
    pub name: &'static str,
    /// The text, to be edited.
    pub text: &'static str,
    /// What its rules permit and withhold, as vectors that [`crate::vectors`] runs.
    pub vectors: &'static str,
}

macro_rules! embedded {
    ($name:literal) => {
        Template {
            name: $name,
            text: include_str!(concat!("../templates/", $name, ".toml")),
            vectors: include_str!(concat!("../templates/", $name, ".vectors.toml")),
        }
    };
}

/// Every template that is built in.
#[must_use]
pub fn templates() -> &'static [Template] {
    const TEMPLATES: &[Template] = &[
        embedded!("council-constituent-service"),
        embedded!("uk-eu-coalition"),
        embedded!("us-claims-only"),
        embedded!("us-electoral-table"),
        embedded!("us-issue-table"),
    ];
    TEMPLATES
}

/// The template of a name.
#[must_use]
pub fn template(name: &str) -> Option<Template> {
    templates()
        .iter()
        .copied()
        .find(|template| template.name == name)
}

#[cfg(test)]
mod tests;
