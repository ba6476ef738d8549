//! Results of attempts: six effect classes, and what VAN's codes and contact types are among them.

use super::header::plain;
use protocol::channel::Channel;
use std::{fmt, str::FromStr};

/// What a result amounts to, whatever its vendor calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EffectClass {
    /// Something was tried and nobody answered.
    AttemptOnly,
    /// Somebody was spoken to.
    ContactMade,
    /// Somebody answered a question; implies contact made.
    Answer,
    /// The person wants no more of this; none stands for paper mail.
    PersonSuppression(Option<Channel>),
    /// The contact point is not what the list says.
    DataPointDefect(Defect),
    /// Reported dead.
    Deceased,
}

/// What is wrong with a contact point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defect {
    /// The person left this door; others may live there, so the door itself stays good.
    Moved,
    /// The number belongs to somebody else.
    WrongNumber,
    /// The number is dead.
    Disconnected,
    /// There is no such door.
    NoSuchAddress,
    /// The message could not be delivered to this number or address.
    Undeliverable,
}

/// Every class by the word that people type.
const CLASSES: &[(&str, EffectClass)] = &[
    ("attempt-only", EffectClass::AttemptOnly),
    ("contact-made", EffectClass::ContactMade),
    ("answer", EffectClass::Answer),
    (
        "do-not-knock",
        EffectClass::PersonSuppression(Some(Channel::Door)),
    ),
    (
        "do-not-call",
        EffectClass::PersonSuppression(Some(Channel::Phone)),
    ),
    (
        "do-not-text",
        EffectClass::PersonSuppression(Some(Channel::Text)),
    ),
    (
        "do-not-email",
        EffectClass::PersonSuppression(Some(Channel::Email)),
    ),
    ("do-not-mail", EffectClass::PersonSuppression(None)),
    ("moved", EffectClass::DataPointDefect(Defect::Moved)),
    (
        "wrong-number",
        EffectClass::DataPointDefect(Defect::WrongNumber),
    ),
    (
        "disconnected",
        EffectClass::DataPointDefect(Defect::Disconnected),
    ),
    (
        "no-such-address",
        EffectClass::DataPointDefect(Defect::NoSuchAddress),
    ),
    (
        "undeliverable",
        EffectClass::DataPointDefect(Defect::Undeliverable),
    ),
    ("deceased", EffectClass::Deceased),
];

impl fmt::Display for EffectClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = CLASSES.iter().find(|(_, class)| class == self);
        f.write_str(named.map_or("unnamed", |(name, _)| name))
    }
}

impl FromStr for EffectClass {
    type Err = UnknownClass;
    fn from_str(text: &str) -> Result<Self, UnknownClass> {
        let named = CLASSES.iter().find(|(name, _)| *name == text);
        named.map(|(_, class)| *class).ok_or(UnknownClass)
    }
}

/// A word that names no effect class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an effect class is one of: attempt-only, contact-made, answer, do-not-knock, do-not-call, do-not-text, \
     do-not-email, do-not-mail, moved, wrong-number, disconnected, no-such-address, undeliverable, deceased"
)]
pub struct UnknownClass;

/// VAN's results by name, medium name and short name, where confirmed; plain spelling. CB is both
/// Call Back and Come Back, and an attempt only in either case.
const RESULTS: &[(&[&str], EffectClass)] = &[
    (&["busy", "bz"], EffectClass::AttemptOnly),
    (&["callback", "comeback", "cb"], EffectClass::AttemptOnly),
    (
        &["nothome", "inaccessible", "leftmessage", "leftmessage/lit"],
        EffectClass::AttemptOnly,
    ),
    (
        &[
            "languagebarrier",
            "otherlanguage",
            "languagebarrier/otherlanguage",
        ],
        EffectClass::AttemptOnly,
    ),
    (&["texted", "textsent", "mailed"], EffectClass::AttemptOnly),
    (
        &["canvassed", "canv", "cv", "refused", "hostile"],
        EffectClass::ContactMade,
    ),
    (&["surveyresponse", "activistcode"], EffectClass::Answer),
    (&["deceased", "dec", "dc"], EffectClass::Deceased),
    (
        &["donotcall", "dnc", "xc"],
        EffectClass::PersonSuppression(Some(Channel::Phone)),
    ),
    (
        &["donotwalk", "dnw", "xw"],
        EffectClass::PersonSuppression(Some(Channel::Door)),
    ),
    (
        &["donottext", "dnt", "xt"],
        EffectClass::PersonSuppression(Some(Channel::Text)),
    ),
    (
        &["donotemail", "dne", "de"],
        EffectClass::PersonSuppression(Some(Channel::Email)),
    ),
    (&["donotmail"], EffectClass::PersonSuppression(None)),
    (
        &["disconnected", "disc", "wx"],
        EffectClass::DataPointDefect(Defect::Disconnected),
    ),
    (
        &["wrongnumber"],
        EffectClass::DataPointDefect(Defect::WrongNumber),
    ),
    (&["moved"], EffectClass::DataPointDefect(Defect::Moved)),
    (
        &["nosuchaddress"],
        EffectClass::DataPointDefect(Defect::NoSuchAddress),
    ),
    (
        &["deliverabilityerror"],
        EffectClass::DataPointDefect(Defect::Undeliverable),
    ),
];

/// The class of a result, if some table has it.
pub(super) fn classify(result: &str) -> Option<EffectClass> {
    let name = plain(result);
    let known = RESULTS
        .iter()
        .find(|(names, _)| names.contains(&name.as_str()));
    known.map(|(_, class)| *class)
}

/// VAN's contact types, and the plain words for channels; none for those that reach people in no way
/// that the coalition coordinates.
const CONTACT_TYPES: &[(&[&str], Option<Channel>)] = &[
    (&["walk", "door"], Some(Channel::Door)),
    (
        &["phone", "robocall", "autodial", "phonebank"],
        Some(Channel::Phone),
    ),
    (
        &["consumerphone", "leaderphone", "personalphone"],
        Some(Channel::Phone),
    ),
    (
        &[
            "smstext",
            "relationaltext",
            "distributedtext",
            "bulktext",
            "paidsms",
            "text",
        ],
        Some(Channel::Text),
    ),
    (&["email"], Some(Channel::Email)),
    (&["survey", "socialmedia", "postcard"], None),
];

/// The channel of a contact type; the outer none means that no table has it.
pub(super) fn channel(contact_type: &str) -> Option<Option<Channel>> {
    let name = plain(contact_type);
    let known = CONTACT_TYPES
        .iter()
        .find(|(names, _)| names.contains(&name.as_str()));
    known.map(|(_, channel)| *channel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_parses_from_what_it_prints() {
        for (_, class) in CLASSES {
            assert_eq!(class.to_string().parse(), Ok(*class));
        }
        assert_eq!("contacted".parse::<EffectClass>(), Err(UnknownClass));
    }

    #[test]
    fn no_result_and_no_contact_type_is_listed_twice() {
        let results: Vec<_> = RESULTS.iter().flat_map(|(names, _)| names.iter()).collect();
        let types: Vec<_> = CONTACT_TYPES
            .iter()
            .flat_map(|(names, _)| names.iter())
            .collect();
        for names in [results, types] {
            let mut once = names.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once.len(), names.len());
            assert!(
                names.iter().all(|name| plain(name) == ***name),
                "spelt as compared"
            );
        }
    }

    #[test]
    fn the_ambiguous_cb_is_an_attempt_only() {
        assert_eq!(classify("CB"), Some(EffectClass::AttemptOnly));
        assert_eq!(classify("Come Back"), Some(EffectClass::AttemptOnly));
    }

    #[test]
    fn short_and_long_names_agree_without_regard_to_spelling() {
        assert_eq!(classify("XW"), classify("do_not-walk"));
        assert_eq!(classify("Left Message/Lit"), Some(EffectClass::AttemptOnly));
        assert_eq!(channel("Paid SMS"), Some(Some(Channel::Text)));
        assert_eq!(channel("Social Media"), Some(None));
    }

    #[test]
    fn what_no_table_has_is_not_guessed() {
        assert_eq!(classify("Donated"), None);
        assert_eq!(classify(""), None);
        assert_eq!(channel("Carrier Pigeon"), None);
    }
}
