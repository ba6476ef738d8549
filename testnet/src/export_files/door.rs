//! Reads an address back to the door that it names, with a small reader of its own.
//!
//! It shares no code with the writers and none with the node: what is judged by it is judged apart.

const SHORT: &[(&str, &str)] = &[
    ("north", "n"),
    ("south", "s"),
    ("east", "e"),
    ("west", "w"),
    ("street", "st"),
    ("avenue", "ave"),
    ("road", "rd"),
    ("drive", "dr"),
    ("lane", "ln"),
    ("court", "ct"),
    ("boulevard", "blvd"),
    ("place", "pl"),
    ("terrace", "ter"),
    ("circle", "cir"),
];

/// `postal|number|street|unit`
pub(crate) fn door(address: &str, zip: &str) -> Option<String> {
    let postal: String = zip.chars().take(5).collect();
    if postal.len() < 5 || !postal.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let text = address.to_lowercase().replace(',', " ").replace('#', " # ");
    let words: Vec<&str> = text.split_whitespace().collect();
    if !words.first()?.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let number_words = if words.get(1)?.contains('/') { 2 } else { 1 };
    let label = words
        .iter()
        .position(|word| matches!(*word, "apt" | "unit" | "#"));
    let street_end = label.unwrap_or(words.len());
    let street: Vec<&str> = words[number_words..street_end]
        .iter()
        .map(|word| {
            SHORT
                .iter()
                .find(|(long, _)| long == word)
                .map_or(*word, |(_, short)| *short)
        })
        .collect();
    let unit = label.map(|at| words[at + 1..].concat()).unwrap_or_default();
    Some(format!(
        "{postal}|{}|{}|{unit}",
        words[..number_words].join(" "),
        street.join(" ")
    ))
}
