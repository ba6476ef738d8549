//! Words in cells: yes and no, dates, ZIP codes at the end of an address, digits.

/// What a yes-or-no column says; blank is unset, not no, and never comes here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answered {
    Yes,
    No,
    /// Another word, `unknown` among them.
    Unclear,
}

const YES: &[&str] = &[
    "true",
    "yes",
    "y",
    "t",
    "1",
    "subscribed",
    "optin",
    "optedin",
    "in",
];
const NO: &[&str] = &[
    "false",
    "no",
    "n",
    "f",
    "0",
    "unsubscribed",
    "optout",
    "optedout",
    "out",
];

const PLAIN_NO: &[&str] = &["false", "no", "n", "f", "0"];

/// Reads a yes-or-no word in any of the spellings seen.
pub(super) fn answered(text: &str) -> Answered {
    let word = super::header::plain(text);
    if YES.contains(&word.as_str()) {
        Answered::Yes
    } else if NO.contains(&word.as_str()) {
        Answered::No
    } else {
        Answered::Unclear
    }
}

/// Whether a no says no more than that, as against `unsubscribed` or `opt out`.
pub(super) fn is_plain_no(text: &str) -> bool {
    PLAIN_NO.contains(&super::header::plain(text).as_str())
}

/// Whether a text could be a phone number: seven digits where the area code is missing, fifteen at
/// most by E.164, and some more for an extension.
pub(super) fn is_phone(text: &str) -> bool {
    (7..=20).contains(&digits(text).len())
}

/// Whether a text could be an e-mail address.
pub(super) fn is_email(text: &str) -> bool {
    text.split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && host.contains('.'))
        && !text.contains(char::is_whitespace)
}

/// The digits of a text.
pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// The ZIP code at the end of a whole address, `12345` or `12345-6789`, and what stands before it.
pub(super) fn zip_at_end(address: &str) -> Option<(&str, &str)> {
    let at = address.rfind([' ', ','])?;
    let (rest, zip) = address.split_at(at);
    let zip = zip.trim_start_matches([' ', ',']);
    let (five, four) = zip.split_once('-').unwrap_or((zip, "0000"));
    let is_zip = [(five, 5), (four, 4)]
        .into_iter()
        .all(|(part, len)| part.len() == len && part.bytes().all(|byte| byte.is_ascii_digit()));
    is_zip.then_some((rest.trim_end_matches([' ', ',']), zip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_is_not_yes() {
        for word in ["unknown", "maybe", "2", "-", "spam complaints"] {
            assert_eq!(answered(word), Answered::Unclear, "{word}");
        }
        for word in [
            "TRUE",
            "Yes",
            "y",
            "t",
            "1",
            "Subscribed",
            "Opt-In",
            "opted in",
        ] {
            assert_eq!(answered(word), Answered::Yes, "{word}");
        }
        for word in ["FALSE", "No", "n", "f", "0", "unsubscribed", "Opt Out"] {
            assert_eq!(answered(word), Answered::No, "{word}");
        }
    }

    #[test]
    fn only_a_zip_at_the_end_is_taken_from_an_address() {
        assert_eq!(
            zip_at_end("12 Elm St, Dover OH 04462"),
            Some(("12 Elm St, Dover OH", "04462"))
        );
        assert_eq!(
            zip_at_end("12 Elm St, 04462-0001"),
            Some(("12 Elm St", "04462-0001"))
        );
        for none in [
            "12345",
            "Elm St 123",
            "Elm St 123456",
            "Elm St 12345-67",
            "Elm St １２３４５",
            "",
        ] {
            assert_eq!(zip_at_end(none), None, "{none}");
        }
    }

    #[test]
    fn what_is_no_phone_and_no_address_is_told() {
        assert!(is_phone("(614) 555-0101 x12") && is_phone("5550101"));
        assert!(!is_phone("none") && !is_phone("911") && !is_phone("123456789012345678901"));
        assert!(is_email("ann@example.org"));
        assert!(
            !is_email("ann")
                && !is_email("@example.org")
                && !is_email("a b@example.org")
                && !is_email("ann@home")
        );
    }
}
