//! Consent forms of the four organizations, who signed which, and a form as a TOML file.
//!
//! The keys of the TOML text live in this file only.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::draw::Draw;
use super::lists::Row;
use super::profiles::OrganizationKind;

/// One version of a form: what somebody who signs it agrees to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentForm {
    /// Version of the form.
    pub form_version: String,
    /// Language of the text.
    pub language: String,
    /// `paper`, `web_form`, `door`, `phone` or `sms`.
    pub collection_method: String,
    /// How to take the consent back.
    pub withdrawal_method: String,
    /// The text that was shown.
    pub notice: Notice,
    /// What was agreed to, purpose by purpose.
    pub purposes: Vec<Purpose>,
}

/// The privacy notice behind a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Where it is published.
    pub url: String,
    /// Its version.
    pub version: String,
    /// SHA-256 of its text, in hexadecimal.
    pub sha256: String,
}

/// One clause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purpose {
    /// What for.
    pub purpose: String,
    /// Classes of fields.
    pub pii_information: Vec<String>,
    /// Channels on which the person may be reached.
    pub channels: Vec<String>,
    /// Organizations that may have the fields, by the name that people read.
    pub recipients: Vec<String>,
    /// Whether a recipient may pass them on.
    pub onward: bool,
    /// For how many days after signing.
    pub expiry_days: u32,
}

impl ConsentForm {
    /// The form as a TOML file.
    ///
    /// # Panics
    ///
    /// Never: text, numbers and lists of them always have a TOML form.
    #[must_use]
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("text, numbers and lists of them have a TOML form")
    }

    /// The organizations to which some purpose lets data flow, each once.
    #[must_use]
    pub fn recipients(&self) -> BTreeSet<&str> {
        self.purposes
            .iter()
            .flat_map(|purpose| &purpose.recipients)
            .map(String::as_str)
            .collect()
    }
}

/// Version of the form that names recipients.
pub const NAMING_FORM: &str = "2026-1";
/// Version of the older form, which names none of the four: nothing moves among them on it.
pub const OLD_FORM: &str = "2024-1";
/// The only recipient in the older forms; not a member of any coalition here.
pub const OUTSIDER: &str = "Osier Reading Circle";

/// The text behind a form; its hash is in the form.
#[must_use]
pub fn notice_text(kind: OrganizationKind, form_version: &str) -> String {
    let name = kind.profile().name;
    let mut text = format!("{name}: how we use what you tell us (form {form_version})\n\n");
    text.push_str("With your signature we may give your name and contact details to:\n");
    for recipient in recipients(kind, form_version) {
        text.push_str(&format!(
            "- {recipient}, to reach you about housing and voting where you live\n"
        ));
    }
    text.push_str(
        "You can take this back at any time: write to privacy@example.org or tell any canvasser.\n",
    );
    text
}

/// Names of whom a form names.
fn recipients(kind: OrganizationKind, form_version: &str) -> Vec<String> {
    use OrganizationKind as K;
    if form_version != NAMING_FORM {
        return vec![OUTSIDER.to_owned()];
    }
    let named: &[K] = match kind {
        K::C3 => &[K::C4, K::Union],
        K::C4 => &[K::C3, K::Union, K::Pac],
        K::Union => &[K::C4],
        K::Pac => &[K::C4, K::Union],
    };
    named
        .iter()
        .map(|kind| kind.profile().name.to_owned())
        .collect()
}

/// The forms in use at an organization.
#[must_use]
pub fn forms(kind: OrganizationKind) -> Vec<ConsentForm> {
    [NAMING_FORM, OLD_FORM]
        .map(|version| form(kind, version))
        .into()
}

fn form(kind: OrganizationKind, version: &str) -> ConsentForm {
    let texts = |items: &[&str]| {
        items
            .iter()
            .map(|item| (*item).to_owned())
            .collect::<Vec<_>>()
    };
    ConsentForm {
        form_version: version.to_owned(),
        language: "en".to_owned(),
        collection_method: if kind == OrganizationKind::C3 {
            "web_form"
        } else {
            "paper"
        }
        .to_owned(),
        withdrawal_method: "Write to privacy@example.org or tell any canvasser.".to_owned(),
        notice: Notice {
            url: format!(
                "https://{}.example.org/notice/{version}",
                kind.profile().slug
            ),
            version: version.to_owned(),
            sha256: hex(&Sha256::digest(notice_text(kind, version))),
        },
        purposes: ["gotv", "issue_advocacy"]
            .map(|purpose| Purpose {
                purpose: purpose.to_owned(),
                pii_information: texts(&["identity", "postal", "phone", "email"]),
                channels: texts(&["door", "call_manual", "sms_p2p", "email"]),
                recipients: recipients(kind, version),
                onward: false,
                expiry_days: 365,
            })
            .into(),
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string cannot fail");
        text
    })
}

/// Decides who signed which form: many the new one, some the old one, the rest none.
pub(crate) fn sign(kind: OrganizationKind, rows: &mut [Row], draw: &mut Draw) {
    let naming = match kind {
        OrganizationKind::C3 => 580,
        OrganizationKind::C4 => 420,
        OrganizationKind::Union => 650,
        OrganizationKind::Pac => 310,
    };
    for row in rows {
        let place = draw.below(1_000);
        row.form = match place {
            _ if place < naming => Some(NAMING_FORM),
            _ if place < naming + 150 => Some(OLD_FORM),
            _ => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_survives_its_toml() {
        for kind in OrganizationKind::ALL {
            for form in forms(kind) {
                assert_eq!(
                    toml::from_str::<ConsentForm>(&form.to_toml()).expect("parses"),
                    form
                );
            }
        }
    }

    #[test]
    fn the_policy_room_reads_every_form() {
        for kind in OrganizationKind::ALL {
            for form in forms(kind) {
                let read = policy::consent::form::Form::parse(&form.to_toml()).expect("a form");
                assert_eq!(read.purposes().len(), form.purposes.len());
                assert_eq!(read.notice().sha256, form.notice.sha256);
                for clause in read.purposes() {
                    let named: BTreeSet<&str> = clause
                        .recipient_third_parties
                        .party_ids
                        .iter()
                        .map(String::as_str)
                        .collect();
                    assert_eq!(named, form.recipients());
                }
            }
        }
    }

    #[test]
    fn the_hash_in_a_form_is_that_of_its_notice() {
        for form in forms(OrganizationKind::C4) {
            let text = notice_text(OrganizationKind::C4, &form.form_version);
            assert_eq!(form.notice.sha256, hex(&Sha256::digest(text)));
        }
    }

    #[test]
    fn no_form_names_its_own_organization() {
        for kind in OrganizationKind::ALL {
            for form in forms(kind) {
                assert!(!form.recipients().contains(kind.profile().name));
            }
        }
    }
}
