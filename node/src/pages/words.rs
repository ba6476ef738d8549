//! Words of the policy and the protocol, as people say them.

use crate::{claims::check::Standing, http::problem::Failure, store::packet::PacketState};
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
        RevokeKind::Restriction => "somebody asked that they rest",
        RevokeKind::Rectification => "they are to be corrected",
        RevokeKind::Lift => "they may be used again",
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

/// What is given in return for rows.
#[must_use]
pub fn consideration(word: &str) -> String {
    match word {
        "none" => "Nothing",
        "fmv_paid" => "Their usual price, paid",
        "in_kind_reported" => "Reported as a contribution in kind",
        "exchange" => "Rows of their own, in exchange",
        other => return spaced(other),
    }
    .to_owned()
}

/// How far a packet has come.
#[must_use]
pub fn packet(state: PacketState) -> &'static str {
    match state {
        PacketState::Unassigned => "nobody has it",
        PacketState::Assigned => "assigned",
        PacketState::InProgress => "under way",
        PacketState::Done => "done",
    }
}

/// How a contact point stands.
#[must_use]
pub fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Free => "free",
        Standing::Held => "held by an ally",
        Standing::Recent => "contacted lately",
        Standing::Capped => "contacted as often as agreed",
        Standing::Suppressed => "not to be contacted",
        Standing::NoToken => "not compared yet",
        Standing::Mine => "yours already",
    }
}

/// The same beside the ally's name.
#[must_use]
pub fn standing_by_ally(standing: Standing) -> &'static str {
    match standing {
        Standing::Held => "held",
        other => self::standing(other),
    }
}

/// The same as a class of the style sheet.
#[must_use]
pub fn standing_class(standing: Standing) -> &'static str {
    match standing {
        Standing::Free => "free",
        Standing::Held => "held",
        Standing::Recent | Standing::Capped => "recent",
        Standing::Suppressed => "suppressed",
        Standing::NoToken => "unknown",
        Standing::Mine => "mine",
    }
}

/// What a refusal says, for a line on a page.
#[must_use]
pub fn why(failure: &Failure) -> String {
    let problem = &failure.0;
    if problem.detail.is_empty() {
        problem.title.clone()
    } else {
        problem.detail.clone()
    }
}

/// A word of the policy vocabulary, such as `voter_registration`, with spaces.
#[must_use]
pub fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

/// Words of a JSON list, with spaces and commas.
#[must_use]
pub fn listed(list: &serde_json::Value) -> String {
    let names: Vec<String> = list
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|name| name.as_str().map(spaced))
        .collect();
    names.join(", ")
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

/// A count with its thousands set apart.
#[must_use]
pub fn natural(number: u64) -> String {
    count(i64::try_from(number).unwrap_or(i64::MAX))
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
