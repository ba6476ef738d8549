//! What an import was asked to do, checked, and the fingerprint by which the same import is known again.

use crate::import::{Choice, EffectClass, Mapping, Options};
use jiff::civil::Date;
use policy::facts::{Basis, Source};
use protocol::id::Hash;
use std::fmt::Display;

/// The longest name of a list.
pub const LIST_NAME_BYTES: usize = 100;
/// The longest name of a file that is kept.
pub const FILE_NAME_BYTES: usize = 200;
/// The most columns or results that one import names by hand.
pub const MAPPINGS: usize = 500;

/// What becomes of the rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// People for a list.
    List(String),
    /// Attempts; the name of the organization's own committee, where it was given.
    Contacts(Option<String>),
}

/// An import as it was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Where the rows go.
    pub target: Target,
    /// As the person called the file.
    pub file_name: String,
    /// SHA-256 of the file as the client computed it; compared with what arrives.
    pub sha256: Option<Hash>,
    /// How to read it.
    pub options: Options,
    /// The ground on which the rows may move.
    pub basis: Option<Basis>,
    /// Where the rows come from.
    pub source: Option<Source>,
    /// The consent form that everybody in the file signed, by the hash of its text.
    pub consent_form: Option<Hash>,
    /// When they signed it; none for the day of the import.
    pub consent_date: Option<Date>,
    /// Read and count, write nothing.
    pub dry_run: bool,
}

/// What is wrong with a request, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadRequest(pub String);

impl Request {
    /// Reads the parameters of a list's import.
    ///
    /// # Errors
    /// [`BadRequest`] naming the first parameter that cannot be used.
    pub fn for_list(pairs: &[(String, String)]) -> Result<Self, BadRequest> {
        let mut list = None;
        let mut request = Self::new(pairs, |key, value| match key {
            "list" => {
                list = Some(value.trim().to_owned());
                true
            }
            _ => false,
        })?;
        let list = list.unwrap_or_default();
        if list.is_empty() || list.len() > LIST_NAME_BYTES || list.contains(char::is_control) {
            return Err(BadRequest(format!(
                "list: name the list, in at most {LIST_NAME_BYTES} bytes"
            )));
        }
        request.target = Target::List(list);
        request.check_basis()?;
        Ok(request)
    }

    /// Reads the parameters of a contact history's import.
    ///
    /// # Errors
    /// [`BadRequest`] naming the first parameter that cannot be used.
    pub fn for_contacts(pairs: &[(String, String)]) -> Result<Self, BadRequest> {
        let mut committee = None;
        let mut request = Self::new(pairs, |key, value| match key {
            "committee" => {
                committee = Some(value.trim().to_owned()).filter(|name| !name.is_empty());
                true
            }
            _ => false,
        })?;
        if request.basis.is_some() || request.source.is_some() || request.consent_form.is_some() {
            return Err(BadRequest(
                "basis, source and consent_form belong to the import of a list".to_owned(),
            ));
        }
        request.target = Target::Contacts(committee);
        Ok(request)
    }

    fn new(
        pairs: &[(String, String)],
        mut own: impl FnMut(&str, &str) -> bool,
    ) -> Result<Self, BadRequest> {
        let mut request = Self {
            target: Target::Contacts(None),
            file_name: String::new(),
            sha256: None,
            options: Options::default(),
            basis: None,
            source: None,
            consent_form: None,
            consent_date: None,
            dry_run: false,
        };
        for (key, value) in pairs {
            match key.as_str() {
                "format" => request.options.format = word::<Choice>(key, value)?.0,
                "map" => request.options.map.push(word::<Mapping>(key, value)?),
                "result" => request.options.results.push(result(value)?),
                "name" => request.file_name = beginning(value, FILE_NAME_BYTES),
                "sha256" => request.sha256 = Some(word(key, value)?),
                "basis" => request.basis = Some(word(key, value)?),
                "source" => request.source = Some(word(key, value)?),
                "consent_form" => request.consent_form = Some(word(key, value)?),
                "consent_date" => {
                    let date = value.parse().map_err(|_| {
                        BadRequest("consent_date: write the day as YYYY-MM-DD".to_owned())
                    })?;
                    request.consent_date = Some(date);
                }
                "dry_run" => request.dry_run = word(key, value)?,
                _ if own(key, value) => {}
                _ => {
                    return Err(BadRequest(format!(
                        "{}: there is no such parameter",
                        beginning(key, 40)
                    )));
                }
            }
        }
        if request.options.map.len() > MAPPINGS || request.options.results.len() > MAPPINGS {
            return Err(BadRequest(format!(
                "at most {MAPPINGS} columns and results can be named by hand"
            )));
        }
        Ok(request)
    }

    fn check_basis(&self) -> Result<(), BadRequest> {
        let signed = matches!(
            self.basis,
            None | Some(Basis::Consent | Basis::ExplicitConsent)
        );
        if self.consent_form.is_some() && !signed {
            return Err(BadRequest(
                "basis: people who signed a consent form are there by consent; leave the basis out"
                    .to_owned(),
            ));
        }
        if self.consent_date.is_some() && self.consent_form.is_none() {
            return Err(BadRequest(
                "consent_date: name the consent form that was signed on that day".to_owned(),
            ));
        }
        Ok(())
    }

    /// What this import is, whatever the file is called: equal for the same bytes with the same options.
    #[must_use]
    pub fn fingerprint(&self, file: Hash) -> String {
        let target = match &self.target {
            Target::List(name) => ["list", name],
            Target::Contacts(committee) => ["contacts", committee.as_deref().unwrap_or_default()],
        };
        let words = |word: Option<&dyn Display>| word.map(ToString::to_string);
        let map: Vec<String> = self
            .options
            .map
            .iter()
            .map(|mapping| format!("{}={}", mapping.column, mapping.field))
            .collect();
        let results: Vec<String> = self
            .options
            .results
            .iter()
            .map(|(name, class)| format!("{name}={class}"))
            .collect();
        let told = serde_json::json!([
            target,
            file.to_string(),
            words(
                self.options
                    .format
                    .as_ref()
                    .map(|format| format as &dyn Display)
            ),
            map,
            results,
            words(self.basis.as_ref().map(|basis| basis as &dyn Display)),
            words(self.source.as_ref().map(|source| source as &dyn Display)),
            words(self.consent_form.as_ref().map(|form| form as &dyn Display)),
            words(self.consent_date.as_ref().map(|date| date as &dyn Display)),
        ]);
        Hash::of(told.to_string().as_bytes()).to_string()
    }
}

fn word<T: std::str::FromStr<Err: Display>>(key: &str, value: &str) -> Result<T, BadRequest> {
    value
        .trim()
        .parse()
        .map_err(|error: T::Err| BadRequest(format!("{key}: {error}")))
}

fn result(value: &str) -> Result<(String, EffectClass), BadRequest> {
    let (name, class) = value
        .rsplit_once('=')
        .ok_or_else(|| BadRequest("result: write RESULT=CLASS".to_owned()))?;
    Ok((name.trim().to_owned(), word("result", class)?))
}

/// The beginning of a text, cut at a character.
pub(crate) fn beginning(text: &str, bytes: usize) -> String {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    fn refusal(given: &[(&str, &str)]) -> String {
        Request::for_list(&pairs(given)).unwrap_err().to_string()
    }

    #[test]
    fn a_list_needs_a_name() {
        assert!(refusal(&[]).starts_with("list:"));
        assert!(refusal(&[("list", " ")]).starts_with("list:"));
        assert!(refusal(&[("list", &"x".repeat(101))]).starts_with("list:"));
    }

    #[test]
    fn words_outside_their_lists_are_refused_with_what_would_do() {
        let said = refusal(&[("list", "a"), ("basis", "hearsay")]);
        assert!(said.contains("public_record"), "{said}");
        assert!(refusal(&[("list", "a"), ("format", "pdf")]).contains("nationbuilder"));
        assert!(refusal(&[("list", "a"), ("map", "Cell")]).contains("COLUMN=FIELD"));
        assert!(refusal(&[("list", "a"), ("consent_date", "9 March")]).contains("YYYY-MM-DD"));
        assert!(refusal(&[("list", "a"), ("colour", "red")]).contains("no such parameter"));
    }

    #[test]
    fn a_consent_form_goes_with_consent_only() {
        let form = Hash::of(b"form").to_string();
        let said = refusal(&[
            ("list", "a"),
            ("basis", "public_record"),
            ("consent_form", &form),
        ]);
        assert!(said.contains("by consent"), "{said}");
        assert!(refusal(&[("list", "a"), ("consent_date", "2026-03-09")]).contains("form"));
    }

    #[test]
    fn a_fingerprint_depends_on_everything_but_the_files_name() {
        let of = |given: &[(&str, &str)], file: &[u8]| {
            let request = Request::for_list(&pairs(given)).unwrap();
            request.fingerprint(Hash::of(file))
        };
        let plain = of(&[("list", "a"), ("name", "x.csv")], b"1");
        assert_eq!(plain, of(&[("list", "a"), ("name", "y.csv")], b"1"));
        assert_ne!(plain, of(&[("list", "a")], b"2"));
        assert_ne!(plain, of(&[("list", "b")], b"1"));
        assert_ne!(plain, of(&[("list", "a"), ("map", "X=zip")], b"1"));
        assert_ne!(
            plain,
            of(&[("list", "a"), ("basis", "public_record")], b"1")
        );
    }
}
