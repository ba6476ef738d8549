//! The terms of an agreement: one TOML file that people edit and members sign byte for byte.
//!
//! The file holds the numbers that the coalition agreed on and, as Cedar text, the rules of the
//! agreement layer. Reading is strict: an unknown field, a number out of its range or a rule that
//! the linter refuses is an error with its line. Spec: `spec/policy.md`, section 7.

mod read;

use crate::jurisdiction::Jurisdiction;

/// The most bytes of a terms file.
pub const MAX_TERMS_BYTES: usize = 256 * 1024;

/// A checked terms file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Title, for people.
    pub title: String,
    /// What the coalition is for, for people.
    pub summary: String,
    /// The day, as `YYYY-MM-DD`, by which somebody must read it again; empty when none is set.
    pub review_by: String,
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
    /// The longest claim in days.
    pub claim_days_max: PerChannel,
    /// Counts below this are not shown.
    pub min_cell: u32,
    /// Hours in which a revocation must be confirmed as stopped.
    pub ack_hours: u32,
    /// Business days in which a channel must be closed.
    pub due_business_days_channels: u32,
    /// Days in which an erasure must be done.
    pub due_days_erasure: u32,
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
#[error("terms, line {line}, column {column}: {message}")]
pub struct TermsError {
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
    /// The first thing that is wrong: syntax, an unknown or missing field, a number out of range,
    /// or a rule that the linter refuses.
    pub fn parse(text: &str) -> Result<Self, TermsError> {
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
}

/// Every template that is built in.
#[must_use]
pub fn templates() -> &'static [Template] {
    &[
        Template {
            name: "us-claims-only",
            text: include_str!("../templates/us-claims-only.toml"),
        },
        Template {
            name: "us-issue-table",
            text: include_str!("../templates/us-issue-table.toml"),
        },
    ]
}

/// The template of a name.
#[must_use]
pub fn template(name: &str) -> Option<Template> {
    templates().iter().copied().find(|template| template.name == name)
}

#[cfg(test)]
mod tests;
