//! One entry of each kind as bytes, and three ways in which bytes are not that entry.

use super::{cases::good, file::hex};
use protocol::{codec, state::State};
use serde_json::{Value, json};

pub(crate) fn all(working: &State) -> Vec<(String, Value)> {
    let mut vectors = Vec::new();
    for (section, _, entry, _) in good(working) {
        let kind = entry.kind();
        let bytes = codec::encode(&entry);
        let class = format!("{:?}", entry.class()).to_lowercase();
        let vector = |why: &str, bytes: &[u8], field: &str, value: &str| {
            json!({
                "section": format!("protocol.md {section}"),
                "kind": kind,
                "why": why,
                "entry": hex(bytes),
                field: value,
            })
        };
        vectors.push((
            format!("accept_{kind}"),
            vector(
                "the one spelling of such an entry",
                &bytes,
                "expect",
                &format!("{kind} {class}"),
            ),
        ));
        let cut = bytes.get(..bytes.len() - 1).unwrap();
        let after = [bytes.as_slice(), &[0]].concat();
        for (name, why, bytes, error) in [
            ("cut_off", "its last byte is missing", cut, "Shape"),
            (
                "bytes_after",
                "a byte follows its end",
                &after,
                "NotCanonical",
            ),
            (
                "long_form",
                "its kind is a number with a byte more than it needs",
                &long_form(&bytes),
                "NotCanonical",
            ),
        ] {
            vectors.push((
                format!("refuse_{kind}_{name}"),
                vector(why, bytes, "error", error),
            ));
        }
    }
    vectors
}

/// The same entry with the number of its kind spelled longer: `82 NN` becomes `82 18 NN`, and `82 18 NN`
/// becomes `82 19 00 NN`.
fn long_form(bytes: &[u8]) -> Vec<u8> {
    match bytes {
        [array, kind, rest @ ..] if *kind < 24 => [&[*array, 0x18, *kind], rest].concat(),
        [array, 0x18, kind, rest @ ..] => [&[*array, 0x19, 0, *kind], rest].concat(),
        _ => panic!("an entry is an array that begins with a small number"),
    }
}
