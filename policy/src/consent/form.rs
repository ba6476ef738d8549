//! A consent form: what everybody who signed it agreed to, as a file beside a list.
//!
//! TOML, or JSON when the first character is `{`. Both have the same fields; an example of each
//! stands in the tests. An import turns one form and each row's event into records.

use super::{
    Days, Event, EventState, Evidence, MAX_PURPOSES, MAX_RECIPIENTS, Minor, Notice, PurposeClause,
    Recipients, Record, SCHEMA_VERSION,
};
use crate::{
    facts::{Basis, FieldClass, PolicyChannel, Purpose},
    jurisdiction::Jurisdiction,
    text,
};
use serde::Deserialize;
use std::{collections::BTreeSet, fmt::Display, str::FromStr};

/// The most bytes of a form.
pub const MAX_FORM_BYTES: usize = 256 * 1024;
/// The longest time in days for which a form may hold.
pub const MAX_EXPIRY_DAYS: u32 = 36_525;

/// A checked form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    blank: Record,
}

/// Why a file is not a consent form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("consent form, line {line}, column {column}, {field}: {message}")]
pub struct FormError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// Which field.
    pub field: String,
    /// What is wrong and what to do.
    pub message: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawForm {
    notice: RawNotice,
    language: String,
    collection_method: String,
    withdrawal_method: String,
    form_version: Option<String>,
    jurisdiction: Option<String>,
    lawful_basis: Option<String>,
    #[serde(default)]
    explicit_special: bool,
    #[serde(default)]
    controllers: Vec<String>,
    purposes: Vec<RawPurpose>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNotice {
    url: String,
    version: String,
    sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPurpose {
    purpose: String,
    pii_information: Vec<String>,
    channels: Vec<String>,
    #[serde(default)]
    written: Vec<String>,
    recipients: Vec<String>,
    #[serde(default)]
    onward: bool,
    expiry_days: Option<u32>,
    #[serde(default)]
    geographic_restrictions: Vec<String>,
}

impl Form {
    /// Reads a form.
    ///
    /// # Errors
    /// The first thing that is wrong, with its line and column: a syntax error, an unknown or
    /// missing field, a word outside its list, a purpose that names no field, channel or recipient.
    pub fn parse(text: &str) -> Result<Self, FormError> {
        let source = Reader { text };
        if text.len() > MAX_FORM_BYTES {
            return Err(source.error("the file", "", "a form has at most 256 KiB; is it a form?"));
        }
        let raw = source.raw()?;
        let purposes = source.purposes(&raw.purposes)?;
        let basis = match &raw.lawful_basis {
            None if raw.explicit_special => Basis::ExplicitConsent,
            None => Basis::Consent,
            Some(word) => source.word("lawful_basis", word)?,
        };
        if !matches!(basis, Basis::Consent | Basis::ExplicitConsent) {
            let message =
                "a form is signed for `consent` or `explicit_consent`; other grounds need no form";
            return Err(source.error("lawful_basis", basis.name(), message));
        }
        let jurisdiction = match &raw.jurisdiction {
            None => Jurisdiction::UNKNOWN,
            Some(word) => source.word("jurisdiction", word)?,
        };
        let pii_type: BTreeSet<FieldClass> = purposes
            .iter()
            .flat_map(|purpose| purpose.pii_information.iter().copied())
            .collect();
        let special = raw.explicit_special || pii_type.contains(&FieldClass::Political);
        Ok(Self {
            blank: Record {
                schema_version: SCHEMA_VERSION.to_owned(),
                record_id: String::new(),
                pii_principal_id: String::new(),
                language: source.short("language", raw.language, 35)?,
                jurisdiction,
                lawful_basis: basis,
                x_form_version: raw
                    .form_version
                    .unwrap_or_else(|| raw.notice.version.clone()),
                privacy_notice: source.notice(raw.notice)?,
                pii_type: pii_type.into_iter().collect(),
                x_evidence: None,
                collection_method: source.word("collection_method", &raw.collection_method)?,
                withdrawal_method: source.short(
                    "withdrawal_method",
                    raw.withdrawal_method,
                    2_000,
                )?,
                pii_controllers: raw.controllers,
                storage_locations: Vec::new(),
                special_pii_category: special
                    .then(|| "political_opinion".to_owned())
                    .into_iter()
                    .collect(),
                x_explicit_special: raw.explicit_special,
                x_minor: Minor::Unknown,
                purposes,
                parties: Vec::new(),
                events: Vec::new(),
            },
        })
    }

    /// The record of one person who signed, refused or took back this form.
    #[must_use]
    pub fn record(
        &self,
        record_id: &str,
        person: &str,
        event_time: i64,
        state: EventState,
        evidence: Option<Evidence>,
    ) -> Record {
        let mut record = self.blank.clone();
        record.record_id = record_id.to_owned();
        record.pii_principal_id = person.to_owned();
        record.x_evidence = evidence;
        record.events.push(Event {
            event_time,
            validity_duration: None,
            entity_id: person.to_owned(),
            event_type: "explicit".to_owned(),
            x_sig: None,
            event_state: state,
        });
        record
    }

    /// What the form covers, per purpose.
    #[must_use]
    pub fn purposes(&self) -> &[PurposeClause] {
        &self.blank.purposes
    }

    /// The notice that people saw.
    #[must_use]
    pub fn notice(&self) -> &Notice {
        &self.blank.privacy_notice
    }
}

/// The text of a form, for errors that say where.
struct Reader<'t> {
    text: &'t str,
}

impl Reader<'_> {
    fn raw(&self) -> Result<RawForm, FormError> {
        if self.text.trim_start().starts_with('{') {
            return serde_json::from_str(self.text).map_err(|error| FormError {
                line: error.line().max(1),
                column: error.column().max(1),
                field: field_of(&error.to_string(), self.text, error.line().max(1)),
                message: error.to_string(),
            });
        }
        toml::from_str(self.text).map_err(|error| {
            let (line, column) =
                text::position(self.text, error.span().map_or(0, |span| span.start));
            let message = error.message().to_owned();
            FormError {
                line,
                column,
                field: field_of(&message, self.text, line),
                message,
            }
        })
    }

    /// An error at the place of a value, or of its field when the value is empty.
    fn error(&self, field: &str, value: &str, message: impl Display) -> FormError {
        let start = self.text.find(field).unwrap_or(0);
        let rest = self.text.get(start..).unwrap_or_default();
        let quoted = format!("\"{value}\"");
        let within = if value.is_empty() {
            None
        } else {
            rest.find(&quoted)
        };
        let (line, column) = text::position(self.text, start + within.unwrap_or(0));
        FormError {
            line,
            column,
            field: field.to_owned(),
            message: message.to_string(),
        }
    }

    fn word<T: FromStr<Err: Display>>(&self, field: &str, word: &str) -> Result<T, FormError> {
        word.parse()
            .map_err(|error: T::Err| self.error(field, word, error))
    }

    fn words<T: FromStr<Err: Display>>(
        &self,
        field: &str,
        words: &[String],
    ) -> Result<Vec<T>, FormError> {
        words.iter().map(|word| self.word(field, word)).collect()
    }

    fn short(&self, field: &str, value: String, limit: usize) -> Result<String, FormError> {
        if value.trim().is_empty() || value.len() > limit {
            return Err(self.error(field, &value, format!("write 1 to {limit} bytes here")));
        }
        Ok(value)
    }

    fn notice(&self, raw: RawNotice) -> Result<Notice, FormError> {
        let hex = raw
            .sha256
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if raw.sha256.len() != 64 || !hex {
            let message = "write the SHA-256 of the notice as 64 hexadecimal digits, small letters";
            return Err(self.error("sha256", &raw.sha256, message));
        }
        Ok(Notice {
            url: self.short("url", raw.url, 2_000)?,
            version: self.short("version", raw.version, 100)?,
            sha256: raw.sha256,
        })
    }

    fn purposes(&self, raw: &[RawPurpose]) -> Result<Vec<PurposeClause>, FormError> {
        if raw.is_empty() || raw.len() > MAX_PURPOSES {
            let message = format!("a form names 1 to {MAX_PURPOSES} purposes");
            return Err(self.error("purposes", "", message));
        }
        raw.iter().map(|purpose| self.purpose(purpose)).collect()
    }

    fn purpose(&self, raw: &RawPurpose) -> Result<PurposeClause, FormError> {
        let purpose: Purpose = self.word("purpose", &raw.purpose)?;
        let pii_information: Vec<FieldClass> =
            self.words("pii_information", &raw.pii_information)?;
        let x_channels: Vec<PolicyChannel> = self.words("channels", &raw.channels)?;
        let x_written: Vec<PolicyChannel> = self.words("written", &raw.written)?;
        if pii_information.is_empty() {
            return Err(self.error("pii_information", "", "name at least one class of fields"));
        }
        if x_channels.is_empty() {
            return Err(self.error("channels", "", "name at least one channel"));
        }
        if let Some(channel) = x_written
            .iter()
            .find(|channel| !x_channels.contains(channel))
        {
            let message = "a channel agreed to in writing must also be among the channels";
            return Err(self.error("written", channel.name(), message));
        }
        Ok(PurposeClause {
            purpose,
            pii_information,
            x_channels,
            x_written,
            x_onward_allowed: raw.onward,
            recipient_third_parties: self.recipients(&raw.recipients)?,
            retention_period: self.expiry(raw.expiry_days)?.map(|days| days.to_string()),
            geographic_restrictions: self
                .words("geographic_restrictions", &raw.geographic_restrictions)?,
        })
    }

    fn expiry(&self, days: Option<u32>) -> Result<Option<Days>, FormError> {
        match days {
            Some(days) if days == 0 || days > MAX_EXPIRY_DAYS => {
                let message = format!("write 1 to {MAX_EXPIRY_DAYS} days, or leave it out");
                Err(self.error("expiry_days", "", message))
            }
            days => Ok(days.map(Days)),
        }
    }

    /// A kind of organization or `coalition` is a class; anything else is a name or a node id.
    fn recipients(&self, raw: &[String]) -> Result<Recipients, FormError> {
        if raw.is_empty() || raw.len() > MAX_RECIPIENTS {
            let message =
                format!("name 1 to {MAX_RECIPIENTS} recipients; a form without covers nobody");
            return Err(self.error("recipients", "", message));
        }
        let mut named = Recipients::default();
        for recipient in raw {
            let word = self.short("recipients", recipient.trim().to_owned(), 200)?;
            named.add(word);
        }
        Ok(named)
    }
}

/// The field that a parser's message names, or else the one whose line it points at.
fn field_of(message: &str, text: &str, line: usize) -> String {
    let named = message
        .split_once("field `")
        .and_then(|(_, rest)| rest.split('`').next());
    let on_line = || text.lines().nth(line - 1)?.split(['=', ':']).next();
    let field = named.or_else(on_line).unwrap_or_default();
    let field = field.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    if field.is_empty() {
        "the file".to_owned()
    } else {
        field.to_owned()
    }
}
