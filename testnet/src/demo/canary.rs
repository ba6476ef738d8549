//! Looks for e-mail addresses and telephone numbers in every byte below a node's directory.
//!
//! What must not be at a node must not be in its files either: not in its database, not in the log of
//! the database, not in what it writes about itself.

use anyhow::{Context, Result};
use regex::bytes::Regex;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Digits of a national number, by which numbers are compared.
const NATIONAL: usize = 10;
/// The longest run of digits that is a telephone number (E.164).
const LONGEST: usize = 15;

/// What the files of a directory show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Traces {
    /// E-mail addresses in lower case, perhaps with other letters stuck to them.
    emails: BTreeSet<String>,
    /// The last ten digits of everything that may be a telephone number.
    pub(super) phones: BTreeSet<String>,
}

/// The last ten digits of a telephone number.
pub(super) fn national(phone: &str) -> String {
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    digits[digits.len().saturating_sub(NATIONAL)..].to_owned()
}

/// Reads everything below a directory.
///
/// # Errors
/// When a file cannot be read.
pub(super) fn scan(dir: &Path) -> Result<Traces> {
    let mut traces = Traces::default();
    let patterns = Patterns::new()?;
    let mut left = vec![dir.to_owned()];
    while let Some(path) = left.pop() {
        if path.is_dir() {
            for entry in fs::read_dir(&path)? {
                left.push(entry?.path());
            }
        } else {
            let bytes =
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            traces.add(&bytes, &patterns);
        }
    }
    Ok(traces)
}

impl Traces {
    fn add(&mut self, bytes: &[u8], patterns: &Patterns) {
        // From each sign to the next: two addresses may stand without a gap between them.
        let mut start = 0;
        while let Some(domain) = patterns.domain.find_at(bytes, start) {
            start = domain.start() + 1;
            let before = &bytes[..domain.start()];
            let local = before
                .iter()
                .rev()
                .take_while(|byte| is_of_local(**byte))
                .count();
            if local > 0 {
                let email = &bytes[before.len() - local..domain.end()];
                let text = String::from_utf8_lossy(email).to_ascii_lowercase();
                self.emails.insert(text);
            }
        }
        for found in patterns.digits.find_iter(bytes) {
            if found.len() <= LONGEST {
                let text = String::from_utf8_lossy(found.as_bytes());
                self.phones.insert(national(&text));
            }
        }
    }

    /// Which of these addresses are in the files, be it with other letters stuck to them: a database
    /// stores cells without a gap between them.
    pub(super) fn emails_among(&self, wanted: &BTreeSet<String>) -> BTreeSet<String> {
        let domains: BTreeSet<&str> = wanted
            .iter()
            .filter_map(|email| Some(email.split_once('@')?.1))
            .collect();
        let mut found = BTreeSet::new();
        for (local, domain) in self.emails.iter().filter_map(|email| email.split_once('@')) {
            for domain in domains.iter().filter(|wanted| domain.starts_with(**wanted)) {
                let beginnings =
                    (0..local.len()).map(|start| format!("{}@{domain}", &local[start..]));
                found.extend(beginnings.filter(|email| wanted.contains(email)));
            }
        }
        found
    }
}

fn is_of_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'+')
}

/// What is looked for, in bytes of any kind.
struct Patterns {
    domain: Regex,
    digits: Regex,
}

impl Patterns {
    fn new() -> Result<Self> {
        Ok(Self {
            domain: Regex::new(r"(?-u)@[A-Za-z0-9-]+\.[A-Za-z0-9.-]+")?,
            digits: Regex::new(r"(?-u)[0-9]{10,}")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_between_bytes_of_any_kind_and_with_letters_stuck_to_it() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("deep")).unwrap();
        let bytes = b"\0\x07e@example.comRowemailada.lum7@example.orgada\xff+19065550123\0";
        fs::write(dir.path().join("deep/node.db"), bytes).unwrap();
        let traces = scan(dir.path()).unwrap();
        let wanted = ["ada.lum7@example.org", "ida.lum7@example.org"].map(str::to_owned);
        let found = traces.emails_among(&BTreeSet::from(wanted.clone()));
        assert_eq!(found.iter().collect::<Vec<_>>(), [&wanted[0]]);
        assert!(traces.phones.contains(&national("(906) 555-0123")));
    }

    #[test]
    fn what_is_no_address_and_no_number_is_not_taken_for_one() {
        let mut traces = Traces::default();
        let bytes = b"@example.org a@b 12345 1234567890123456";
        traces.add(bytes, &Patterns::new().unwrap());
        assert_eq!(traces, Traces::default());
    }
}
