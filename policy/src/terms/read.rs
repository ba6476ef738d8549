//! From TOML to checked terms, with the place of whatever is wrong.

use super::{ContactCap, MAX_TERMS_BYTES, Params, PerChannel, PerClass, Quorum, Terms, TermsError};
use crate::{
    day,
    jurisdiction::Jurisdiction,
    lint::{self, Code},
    rules::Layer,
    text::position,
};
use serde::Deserialize;
use std::{fmt::Display, ops::RangeInclusive};
use toml::Spanned;

type Number = Spanned<u32>;

/// How late a message may come: the group keeps the secrets of so many epochs and no more.
const EPOCHS: u32 = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTerms {
    title: Spanned<String>,
    summary: Spanned<String>,
    review_by: Spanned<String>,
    params: RawParams,
    rules: Spanned<String>,
}

/// Nothing has a default: what was signed says every number.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawParams {
    time_zone: Spanned<String>,
    default_region: Spanned<String>,
    recontact_days: RawPerChannel,
    attempts_open_window: bool,
    contact_cap: RawContactCap,
    claim_days_max: RawPerChannel,
    renewal_hours: Number,
    grace_hours: Number,
    use_limit: Number,
    notice_hours: Number,
    min_cell: Number,
    ack_hours: Number,
    due_business_days_channels: Number,
    due_days_erasure: Number,
    backup_days: Number,
    quorum: RawQuorum,
    token_budget: RawPerClass,
    norm_version: Number,
    blob_ttl_days: Number,
    epochs: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPerChannel {
    door: Number,
    phone: Number,
    text: Number,
    email: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawContactCap {
    contacts: Number,
    days: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawQuorum {
    change_percent: Number,
    removal_percent: Number,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPerClass {
    door: Spanned<u64>,
    phone: Spanned<u64>,
    email: Spanned<u64>,
    person: Spanned<u64>,
}

/// Reads and checks a terms file; the faults are in the order of the lines.
pub(super) fn terms(text: &str) -> Result<Terms, Vec<TermsError>> {
    let mut reader = Reader {
        text,
        faults: Vec::new(),
    };
    if text.len() > MAX_TERMS_BYTES {
        reader.fault(
            Code::Limit,
            0,
            "terms have at most 40 KiB; shorten the rules",
        );
        return Err(reader.faults);
    }
    let raw: RawTerms = match toml::from_str(text) {
        Ok(raw) => raw,
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start);
            reader.fault(Code::TermsInvalid, offset, error.message());
            return Err(reader.faults);
        }
    };
    reader.rules(&raw.rules);
    let terms = Terms {
        title: reader.words("title", &raw.title, 200),
        summary: reader.words("summary", &raw.summary, 10_000),
        review_by_ms: reader.day(&raw.review_by),
        review_by: raw.review_by.into_inner(),
        params: reader.params(&raw.params),
        rules: raw.rules.into_inner(),
    };
    if reader.faults.is_empty() {
        return Ok(terms);
    }
    reader
        .faults
        .sort_by_key(|fault| (fault.line, fault.column));
    Err(reader.faults)
}

/// Collects faults; what it gives back is of use only if there are none.
struct Reader<'t> {
    text: &'t str,
    faults: Vec<TermsError>,
}

impl Reader<'_> {
    fn fault(&mut self, code: Code, offset: usize, message: impl Display) {
        let (line, column) = position(self.text, offset);
        self.faults.push(TermsError {
            code,
            line,
            column,
            message: message.to_string(),
        });
    }

    fn invalid<T>(&mut self, value: &Spanned<T>, message: impl Display) {
        self.fault(Code::TermsInvalid, value.span().start, message);
    }

    fn words(&mut self, name: &str, value: &Spanned<String>, limit: usize) -> String {
        let text = value.get_ref();
        if text.trim().is_empty() || text.len() > limit {
            let message = format!("{name} has 1 to {limit} bytes; write what people should read");
            self.invalid(value, message);
        }
        text.clone()
    }

    fn number<T: PartialOrd + Display + Copy>(
        &mut self,
        name: &str,
        value: &Spanned<T>,
        range: RangeInclusive<T>,
    ) -> T {
        if !range.contains(value.get_ref()) {
            let (least, most) = (range.start(), range.end());
            let message = if least == most {
                format!("{name} is {least}; this version knows no other")
            } else {
                format!("{name} is from {least} to {most}; choose a number between")
            };
            self.invalid(value, message);
        }
        *value.get_ref()
    }

    fn per_channel(
        &mut self,
        name: &str,
        raw: &RawPerChannel,
        range: RangeInclusive<u32>,
    ) -> PerChannel {
        PerChannel {
            door: self.number(&format!("{name}.door"), &raw.door, range.clone()),
            phone: self.number(&format!("{name}.phone"), &raw.phone, range.clone()),
            text: self.number(&format!("{name}.text"), &raw.text, range.clone()),
            email: self.number(&format!("{name}.email"), &raw.email, range),
        }
    }

    fn per_class(&mut self, raw: &RawPerClass) -> PerClass {
        let range = 0..=1_000_000_000;
        PerClass {
            door: self.number("token_budget.door", &raw.door, range.clone()),
            phone: self.number("token_budget.phone", &raw.phone, range.clone()),
            email: self.number("token_budget.email", &raw.email, range.clone()),
            person: self.number("token_budget.person", &raw.person, range),
        }
    }

    fn contact_cap(&mut self, raw: &RawContactCap) -> ContactCap {
        ContactCap {
            contacts: self.number("contact_cap.contacts", &raw.contacts, 1..=100),
            days: self.number("contact_cap.days", &raw.days, 1..=365),
        }
    }

    fn quorum(&mut self, raw: &RawQuorum) -> Quorum {
        let (change, removal) = (&raw.change_percent, &raw.removal_percent);
        Quorum {
            // The log puts a version in force when all its parties have signed, and no earlier.
            change_percent: self.number("quorum.change_percent", change, 100..=100),
            removal_percent: self.number("quorum.removal_percent", removal, 67..=100),
        }
    }

    fn params(&mut self, raw: &RawParams) -> Params {
        let due = &raw.due_business_days_channels;
        Params {
            time_zone: self.time_zone(&raw.time_zone),
            default_region: self.region(&raw.default_region),
            recontact_days: self.per_channel("recontact_days", &raw.recontact_days, 0..=365),
            attempts_open_window: raw.attempts_open_window,
            contact_cap: self.contact_cap(&raw.contact_cap),
            claim_days_max: self.per_channel("claim_days_max", &raw.claim_days_max, 1..=60),
            renewal_hours: self.number("renewal_hours", &raw.renewal_hours, 1..=720),
            grace_hours: self.number("grace_hours", &raw.grace_hours, 0..=168),
            use_limit: self.number("use_limit", &raw.use_limit, 1..=1_000),
            notice_hours: self.number("notice_hours", &raw.notice_hours, 0..=720),
            min_cell: self.number("min_cell", &raw.min_cell, 10..=1_000),
            ack_hours: self.number("ack_hours", &raw.ack_hours, 1..=168),
            due_business_days_channels: self.number("due_business_days_channels", due, 1..=10),
            due_days_erasure: self.number("due_days_erasure", &raw.due_days_erasure, 1..=90),
            backup_days: self.number("backup_days", &raw.backup_days, 1..=365),
            quorum: self.quorum(&raw.quorum),
            token_budget: self.per_class(&raw.token_budget),
            norm_version: self.number("norm_version", &raw.norm_version, 1..=1),
            blob_ttl_days: self.number("blob_ttl_days", &raw.blob_ttl_days, 1..=365),
            epochs: self.number("epochs", &raw.epochs, EPOCHS..=EPOCHS),
        }
    }

    /// The form of a name of the time zone database; whether it exists is for the node to say.
    fn time_zone(&mut self, value: &Spanned<String>) -> String {
        let text = value.get_ref();
        let ok = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'_' | b'-' | b'+');
        if text.is_empty() || text.len() > 64 || !text.bytes().all(ok) {
            self.invalid(value, "time_zone is a name such as America/New_York or UTC");
        }
        text.clone()
    }

    fn region(&mut self, value: &Spanned<String>) -> String {
        let text = value.get_ref();
        let two_capitals = text.len() == 2 && text.bytes().all(|b| b.is_ascii_uppercase());
        if !two_capitals || text.parse::<Jurisdiction>().is_err() {
            let message =
                "default_region is a country of the table in two capital letters, such as US";
            self.invalid(value, message);
        }
        text.clone()
    }

    fn day(&mut self, value: &Spanned<String>) -> i64 {
        let start = day::start_ms(value.get_ref());
        if start.is_none() {
            self.invalid(value, "review_by is a day such as 2027-06-30");
        }
        start.unwrap_or_default()
    }

    /// The linter's faults, with their lines counted in the file instead of in the rules.
    fn rules(&mut self, rules: &Spanned<String>) {
        let Err(faults) = lint::load_layer(Layer::Agreement, rules.get_ref(), None) else {
            return;
        };
        let start = rules.span().start;
        let (first, column) = position(self.text, start);
        let opening = self.text.get(start..).unwrap_or_default();
        // A multi-line string drops the line break after its opening quotes.
        let dropped = ["'''\n", "\"\"\"\n", "'''\r\n", "\"\"\"\r\n"];
        let skipped = usize::from(dropped.iter().any(|quotes| opening.starts_with(quotes)));
        for fault in faults {
            let line = match fault.line {
                0 => first,
                line => first + skipped + line - 1,
            };
            let message = match &fault.id {
                Some(id) => format!("{id}: {}", fault.message),
                None => fault.message,
            };
            self.faults.push(TermsError {
                code: fault.code,
                line,
                column: if line == first { column } else { 1 },
                message,
            });
        }
    }
}
