//! Each component and each parameter, altered, removed, doubled, moved; each bit flipped.

use super::*;

const WITH_CONTENT: [&str; 8] = [
    "\"@method\"",
    "\"@authority\"",
    "\"@path\"",
    "\"@query\"",
    "\"content-digest\"",
    "\"content-type\"",
    "\"commonturf-to\"",
    "\"commonturf-seen\"",
];
const PARAMETERS: [&str; 5] = ["created", "expires", "nonce", "keyid", "tag"];

/// Both kinds of request with the components that each covers.
fn messages() -> [(Message, Vec<&'static str>); 2] {
    let without = WITH_CONTENT
        .into_iter()
        .filter(|one| !one.contains("content"))
        .collect();
    [
        (Message::append().signed(), WITH_CONTENT.into()),
        (Message::read().signed(), without),
    ]
}

fn parameter_of(input: &str, name: &str) -> String {
    let found = input
        .split(';')
        .find(|piece| piece.starts_with(&format!("{name}=")));
    format!(";{}", found.unwrap())
}

#[test]
fn the_lists_of_this_test_are_the_lists_of_the_profile() {
    for (mut message, components) in messages() {
        let input = message.header(SIGNATURE_INPUT).clone();
        assert!(
            input.starts_with(&format!("ct=({});", components.join(" "))),
            "{input}"
        );
        let names: Vec<_> = input
            .split(';')
            .skip(1)
            .map(|piece| piece.split('=').next().unwrap())
            .collect();
        assert_eq!(names, PARAMETERS);
    }
}

#[test]
fn each_covered_component_that_is_altered_breaks_the_signature() {
    for (message, components) in messages() {
        for component in components {
            let mut changed = message.clone();
            match component.trim_matches('"') {
                "@method" => {
                    changed.method = if changed.method == "GET" {
                        "HEAD"
                    } else {
                        "PUT"
                    }
                    .into()
                }
                "@authority" => {
                    changed.authority = "other.example".into();
                    changed = changed.resigned(ToOwned::to_owned); // signed for a host that is not ours
                }
                "@path" => changed.path.push('x'),
                "@query" => changed.query = Some("after=42".into()),
                "content-digest" => *changed.header(CONTENT_DIGEST) = content_digest(b"others"),
                "content-type" => *changed.header(CONTENT_TYPE) = "application/json".into(),
                "commonturf-to" => *changed.header(TO) = fields::print_to(signer(1).name().node),
                "commonturf-seen" => {
                    *changed.header(SEEN) = Seen {
                        document: 4,
                        ..seen()
                    }
                    .to_string()
                }
                other => panic!("no alteration for {other}"),
            }
            assert!(
                changed.verify().is_err(),
                "{component} was altered unnoticed"
            );
        }
    }
}

#[test]
fn each_header_that_is_removed_or_doubled_is_noticed() {
    for (message, components) in messages() {
        let covered = components
            .iter()
            .map(|one| one.trim_matches('"'))
            .filter(|one| !one.starts_with('@'));
        for name in covered.chain([SIGNATURE, SIGNATURE_INPUT]) {
            let error = message.clone().without(name).verify().unwrap_err();
            assert!(
                matches!(error, SignatureError::Missing { name: found } if found == name),
                "{name}: {error:?}"
            );
            let mut doubled = message.clone();
            let value = doubled.header(name).clone();
            doubled.headers.push((name.to_uppercase(), value));
            let error = doubled.verify().unwrap_err();
            assert!(
                matches!(error, SignatureError::Repeated { name: found } if found == name),
                "{name}: {error:?}"
            );
        }
    }
}

#[test]
fn each_component_that_is_no_longer_covered_is_noticed_though_the_signature_fits() {
    for (message, components) in messages() {
        for component in &components {
            let fewer = components
                .iter()
                .filter(|one| one != &component)
                .copied()
                .collect::<Vec<_>>()
                .join(" ");
            let all = components.join(" ");
            let changed = message
                .clone()
                .resigned(|input| input.replace(&all, &fewer));
            assert_eq!(
                changed.verify(),
                Err(SignatureError::Components),
                "without {component}"
            );
            let twice = format!("{all} {component}");
            let changed = message
                .clone()
                .resigned(|input| input.replace(&all, &twice));
            assert_eq!(
                changed.verify(),
                Err(SignatureError::Components),
                "twice {component}"
            );
        }
        let (all, turned) = (
            components.join(" "),
            components
                .iter()
                .rev()
                .copied()
                .collect::<Vec<_>>()
                .join(" "),
        );
        let changed = message
            .clone()
            .resigned(|input| input.replace(&all, &turned));
        assert_eq!(
            changed.verify(),
            Err(SignatureError::Components),
            "in another order"
        );
    }
}

#[test]
fn each_parameter_that_is_removed_doubled_or_moved_is_noticed_though_the_signature_fits() {
    for (message, _) in messages() {
        for name in PARAMETERS {
            let removed = message
                .clone()
                .resigned(|input| input.replace(&parameter_of(input, name), ""));
            assert_eq!(
                removed.verify(),
                Err(SignatureError::MissingParameter { name })
            );
            let doubled = message
                .clone()
                .resigned(|input| input.to_owned() + &parameter_of(input, name));
            assert!(
                matches!(doubled.verify(), Err(SignatureError::Syntax { .. })),
                "twice {name}"
            );
            if name != "tag" {
                let last = |input: &str| {
                    input.replace(&parameter_of(input, name), "") + &parameter_of(input, name)
                };
                let moved = message.clone().resigned(last);
                assert!(
                    matches!(moved.verify(), Err(SignatureError::Syntax { .. })),
                    "{name} last"
                );
            }
        }
    }
}

#[test]
fn each_parameter_that_is_altered_without_signing_again_is_noticed() {
    for (message, _) in messages() {
        for (from, to) in [
            ("created=1700000000", "created=1700000001"),
            ("expires=1700000300", "expires=1700000299"),
            ("nonce=\"Bw", "nonce=\"Cw"),
            ("tag=\"commonturf-req-1\"", "tag=\"commonturf-res-1\""),
        ] {
            let mut changed = message.clone();
            let input = changed.header(SIGNATURE_INPUT);
            assert!(input.contains(from), "{from}");
            *input = input.replace(from, to);
            assert!(changed.verify().is_err(), "{to}");
        }
        let mut changed = message.clone();
        let (mine, other) = (signer(1).name().to_string(), signer(9).name().to_string());
        *changed.header(SIGNATURE_INPUT) = message
            .clone()
            .header(SIGNATURE_INPUT)
            .replace(&mine, &other);
        assert_eq!(
            changed.verify(),
            Err(SignatureError::Signature),
            "another node's key"
        );
    }
}

#[test]
fn no_bit_can_be_flipped() {
    for (message, _) in messages() {
        let mut flips = 0;
        for (at, (name, _)) in message.headers.iter().enumerate() {
            flips += each_flip(&message, |changed| &mut changed.headers[at].1, name);
        }
        flips += each_flip(&message, |changed| &mut changed.method, "the method");
        flips += each_flip(&message, |changed| &mut changed.path, "the path");
        flips += each_flip(
            &message,
            |changed| changed.query.as_mut().unwrap(),
            "the query",
        );
        assert!(flips > 3_000, "only {flips}");
        for bit in 0..message.body.as_ref().map_or(0, |body| body.len() * 8) {
            let mut changed = message.clone();
            changed.body.as_mut().unwrap()[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(
                changed.verify(),
                Err(SignatureError::Digest),
                "bit {bit} of the content"
            );
        }
    }
}

/// Flips every bit of one text, but for those that leave no text, and counts them.
fn each_flip(message: &Message, part: impl Fn(&mut Message) -> &mut String, what: &str) -> usize {
    let text = part(&mut message.clone()).clone();
    let mut flips = 0;
    for bit in 0..text.len() * 8 {
        let mut bytes = text.clone().into_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let Ok(flipped) = String::from_utf8(bytes) else {
            continue;
        };
        let mut changed = message.clone();
        *part(&mut changed) = flipped;
        assert!(
            changed.verify().is_err(),
            "bit {bit} of {what} was flipped unnoticed"
        );
        flips += 1;
    }
    flips
}
