//! From TOML to checked terms, with the place of whatever is wrong.

use super::{MAX_TERMS_BYTES, Params, PerChannel, PerClass, Terms, TermsError};
use crate::{
    jurisdiction::Jurisdiction,
    lint,
    rules::Layer,
    text::position,
};
use serde::Deserialize;
use std::{fmt::Display, ops::RangeInclusive};
use toml::Spanned;

type Number<T> = Spanned<T>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTerms {
    title: Spanned<String>,
    summary: Spanned<String>,
    review_by: Option<Spanned<String>>,
    params: RawParams,
    rules: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawParams {
    time_zone: Spanned<String>,
    default_region: Option<Spanned<String>>,
    recontact_days: RawPerChannel,
    attempts_open_window: bool,
    claim_days_max: RawPerChannel,
    min_cell: Option<Number<u32>>,
    ack_hours: Option<Number<u32>>,
    due_business_days_channels: Option<Number<u32>>,
    due_days_erasure: Option<Number<u32>>,
    renewal_hours: Option<Number<u32>>,
    grace_hours: Option<Number<u32>>,
    token_budget: RawPerClass,
    norm_version: Option<Number<u32>>,
    blob_ttl_days: Option<Number<u32>>,
    epochs: Option<Number<u32>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPerChannel {
    door: Number<u32>,
    phone: Number<u32>,
    text: Number<u32>,
    email: Number<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPerClass {
    door: Number<u64>,
    phone: Number<u64>,
    email: Number<u64>,
    person: Number<u64>,
}

/// Reads and checks a terms file.
pub(super) fn terms(text: &str) -> Result<Terms, TermsError> {
    let source = Source { text };
    if text.len() > MAX_TERMS_BYTES {
        return Err(source.error(0, "terms have at most 256 KiB; shorten the rules"));
    }
    let raw: RawTerms = toml::from_str(text).map_err(|error| {
        source.error(error.span().map_or(0, |span| span.start), error.message())
    })?;
    source.rules(&raw.rules)?;
    Ok(Terms {
        title: source.words("title", &raw.title, 200)?,
        summary: source.words("summary", &raw.summary, 10_000)?,
        review_by: raw.review_by.map_or(Ok(String::new()), |day| source.day(&day))?,
        params: source.params(&raw.params)?,
        rules: raw.rules.into_inner(),
    })
}

struct Source<'t> {
    text: &'t str,
}

impl Source<'_> {
    fn error(&self, offset: usize, message: impl Display) -> TermsError {
        let (line, column) = position(self.text, offset);
        TermsError { line, column, message: message.to_string() }
    }

    fn words(&self, name: &str, value: &Spanned<String>, limit: usize) -> Result<String, TermsError> {
        let text = value.get_ref();
        if text.trim().is_empty() || text.len() > limit {
            let message = format!("{name} has 1 to {limit} bytes; write what people should read");
            return Err(self.error(value.span().start, message));
        }
        Ok(text.clone())
    }

    fn number<T: PartialOrd + Display + Copy>(
        &self,
        name: &str,
        value: &Number<T>,
        range: RangeInclusive<T>,
    ) -> Result<T, TermsError> {
        if range.contains(value.get_ref()) {
            return Ok(*value.get_ref());
        }
        let message = format!("{name} is from {} to {}; choose a number between", range.start(), range.end());
        Err(self.error(value.span().start, message))
    }

    fn optional(
        &self,
        name: &str,
        value: Option<&Number<u32>>,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> Result<u32, TermsError> {
        value.map_or(Ok(default), |value| self.number(name, value, range))
    }

    fn per_channel(
        &self,
        name: &str,
        raw: &RawPerChannel,
        range: RangeInclusive<u32>,
    ) -> Result<PerChannel, TermsError> {
        Ok(PerChannel {
            door: self.number(&format!("{name}.door"), &raw.door, range.clone())?,
            phone: self.number(&format!("{name}.phone"), &raw.phone, range.clone())?,
            text: self.number(&format!("{name}.text"), &raw.text, range.clone())?,
            email: self.number(&format!("{name}.email"), &raw.email, range)?,
        })
    }

    fn per_class(&self, raw: &RawPerClass) -> Result<PerClass, TermsError> {
        let range = 0..=1_000_000_000;
        Ok(PerClass {
            door: self.number("token_budget.door", &raw.door, range.clone())?,
            phone: self.number("token_budget.phone", &raw.phone, range.clone())?,
            email: self.number("token_budget.email", &raw.email, range.clone())?,
            person: self.number("token_budget.person", &raw.person, range)?,
        })
    }

    fn params(&self, raw: &RawParams) -> Result<Params, TermsError> {
        let optional = |name, value: &Option<Number<u32>>, default, range| {
            self.optional(name, value.as_ref(), default, range)
        };
        let due = &raw.due_business_days_channels;
        Ok(Params {
            time_zone: self.time_zone(&raw.time_zone)?,
            default_region: self.region(raw.default_region.as_ref())?,
            recontact_days: self.per_channel("recontact_days", &raw.recontact_days, 0..=365)?,
            attempts_open_window: raw.attempts_open_window,
            claim_days_max: self.per_channel("claim_days_max", &raw.claim_days_max, 1..=60)?,
            min_cell: optional("min_cell", &raw.min_cell, 10, 10..=1_000)?,
            ack_hours: optional("ack_hours", &raw.ack_hours, 24, 1..=168)?,
            due_business_days_channels: optional("due_business_days_channels", due, 10, 1..=10)?,
            due_days_erasure: optional("due_days_erasure", &raw.due_days_erasure, 30, 1..=90)?,
            renewal_hours: optional("renewal_hours", &raw.renewal_hours, 72, 1..=720)?,
            grace_hours: optional("grace_hours", &raw.grace_hours, 24, 0..=168)?,
            token_budget: self.per_class(&raw.token_budget)?,
            norm_version: optional("norm_version", &raw.norm_version, 1, 1..=1)?,
            blob_ttl_days: optional("blob_ttl_days", &raw.blob_ttl_days, 30, 1..=365)?,
            epochs: optional("epochs", &raw.epochs, 5, 1..=20)?,
        })
    }

    /// The form of a name of the time zone database; whether it exists is for the node to say.
    fn time_zone(&self, value: &Spanned<String>) -> Result<String, TermsError> {
        let text = value.get_ref();
        let ok = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+');
        if text.is_empty() || text.len() > 64 || !text.bytes().all(ok) {
            let message = "time_zone is a name such as America/New_York or UTC";
            return Err(self.error(value.span().start, message));
        }
        Ok(text.clone())
    }

    fn region(&self, value: Option<&Spanned<String>>) -> Result<String, TermsError> {
        let Some(value) = value else { return Ok("US".to_owned()) };
        let text = value.get_ref();
        let two_capitals = text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
        if !two_capitals || text.parse::<Jurisdiction>().is_err() {
            let message = "default_region is a country of the table in two capital letters, such as US";
            return Err(self.error(value.span().start, message));
        }
        Ok(text.clone())
    }

    fn day(&self, value: &Spanned<String>) -> Result<String, TermsError> {
        let text = value.get_ref();
        let shape = text.len() == 10
            && text.bytes().enumerate().all(|(index, b)| match index {
                4 | 7 => b == b'-',
                _ => b.is_ascii_digit(),
            });
        if !shape {
            return Err(self.error(value.span().start, "review_by is a day such as 2027-06-30"));
        }
        Ok(text.clone())
    }

    /// The linter's first fault, with its line counted in the file instead of in the rules.
    fn rules(&self, rules: &Spanned<String>) -> Result<(), TermsError> {
        let Err(faults) = lint::load_layer(Layer::Agreement, rules.get_ref(), None) else {
            return Ok(());
        };
        let start = rules.span().start;
        let Some(fault) = faults.into_iter().min_by_key(|fault| fault.line) else { return Ok(()) };
        let (first, column) = position(self.text, start);
        let opening = self.text.get(start..).unwrap_or_default();
        // A multi-line string drops the line break after its opening quotes.
        let dropped = ["'''\n", "\"\"\"\n", "'''\r\n", "\"\"\"\r\n"];
        let skipped = usize::from(dropped.iter().any(|quotes| opening.starts_with(quotes)));
        let line = if fault.line == 0 { first } else { first + skipped + fault.line - 1 };
        let column = if line == first { column } else { 1 };
        Err(TermsError { line, column, message: fault.to_string() })
    }
}
