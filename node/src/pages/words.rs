//! Words of the policy and the protocol, as people say them.

use protocol::{channel::Channel, entry::share::RevokeKind};

/// An organization's legal kind.
#[must_use]
pub fn kind(word: &str) -> String {
    match word {
        "c3" => "501(c)(3) charity",
        "c4" => "501(c)(4) social welfare",
        "union" => "Labor union",
        "pac" => "PAC",
        "super_pac" => "Super PAC",
        "candidate" => "Candidate committee",
        "party" => "Party committee",
        "vendor" => "Vendor",
        other => other,
    }
    .to_owned()
}

/// Why rows are taken back.
#[must_use]
pub fn revocation(kind: RevokeKind) -> &'static str {
    match kind {
        RevokeKind::Withdrawal => "consent was withdrawn",
        RevokeKind::Objection => "somebody objected",
        RevokeKind::Erasure => "somebody asked for erasure",
        RevokeKind::Recall => "they were recalled",
    }
}

/// What is contacted on a channel.
#[must_use]
pub fn points(channel: Channel) -> &'static str {
    match channel {
        Channel::Door => "doors",
        Channel::Phone | Channel::Text => "phone numbers",
        Channel::Email => "e-mail addresses",
    }
}

/// A channel as a heading says it.
#[must_use]
pub fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Door => "Doors",
        Channel::Phone => "Calls",
        Channel::Text => "Texts",
        Channel::Email => "E-mail",
    }
}

/// A word of the policy vocabulary, such as `voter_registration`, with spaces.
#[must_use]
pub fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

/// A count with its thousands set apart.
#[must_use]
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        let texts = [0, 999, 1_000, 1_234_567, -4_000].map(count);
        assert_eq!(texts, ["0", "999", "1,000", "1,234,567", "-4,000"]);
    }

    #[test]
    fn a_kind_that_nobody_knows_is_shown_as_it_is() {
        assert_eq!(kind("cooperative"), "cooperative");
    }
}
