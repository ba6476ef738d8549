//! Rules that a well-made signature can still break.

use super::*;
use crate::problem::ProblemKind;

#[test]
fn a_signature_that_names_its_algorithm_is_refused() {
    for name in [";alg=\"ed25519\"", ";alg=\"hmac-sha256\"", ";alg"] {
        let message = Message::append()
            .signed()
            .resigned(|input| input.to_owned() + name);
        assert_eq!(
            message.verify(),
            Err(SignatureError::AlgorithmNamed),
            "{name}"
        );
    }
}

#[test]
fn another_label_or_a_second_signature_is_refused() {
    let message = Message::append().signed();
    for (from, to) in [("ct=(", "sig1=("), ("ct=(", "sig1=(), ct=(")] {
        let mut changed = message.clone();
        *changed.header(SIGNATURE_INPUT) = changed.header(SIGNATURE_INPUT).replacen(from, to, 1);
        assert_eq!(changed.verify(), Err(SignatureError::Components), "{to}");
    }
    let mut changed = message.clone();
    changed.header(SIGNATURE_INPUT).push_str(", b=()");
    assert!(changed.verify().is_err());
    let mut changed = message;
    changed.header(SIGNATURE).push_str(", b=:AA==:");
    assert_eq!(
        changed.verify(),
        Err(SignatureError::Syntax { what: SIGNATURE })
    );
}

#[test]
fn a_clock_may_be_five_seconds_ahead_and_nothing_behind() {
    let message = Message::append().signed(); // created in the second 1,700,000,000
    let created = Moment(1_700_000_000_000);
    assert!(message.verify_at(created.plus(-5_000)).is_ok());
    assert_eq!(
        message.verify_at(created.plus(-5_001)),
        Err(SignatureError::Ahead { created })
    );
    let expires = created.plus(300_000);
    assert!(message.verify_at(expires).is_ok());
    let error = message.verify_at(expires.plus(1)).unwrap_err();
    assert_eq!(error, SignatureError::Expired { expires });
    assert_eq!(error.problem(), ProblemKind::ClockSkew);
}

#[test]
fn a_signature_lives_at_most_five_minutes_and_longer_than_nothing() {
    for expires in ["1700000301", "1700000000", "1699999999"] {
        let message = Message::append()
            .signed()
            .resigned(|input| input.replace("expires=1700000300", &format!("expires={expires}")));
        assert_eq!(message.verify(), Err(SignatureError::Lifetime), "{expires}");
    }
    let shorter = Message::append()
        .signed()
        .resigned(|input| input.replace("expires=1700000300", "expires=1700000001"));
    assert!(shorter.verify().is_ok());
}

#[test]
fn odd_spellings_of_values_are_refused_though_the_signature_fits() {
    for (from, to) in [
        ("created=1700000000", "created=01700000000"),
        ("created=1700000000", "created=+1700000000"),
        ("created=1700000000", "created=-1"),
        ("created=1700000000", "created=1700000000.0"),
        ("expires=1700000300", "expires=9999999999999"),
        ("BwcHBw==", "BwcHBw"),
        ("BwcHBw==", "BwcHBx=="),
        ("nonce=\"BwcH", "nonce=\""),
        ("nonce=\"", "nonce=:"),
        (";tag", "; tag"),
        ("commonturf-req-1", "commonturf-req-2"),
        ("commonturf-req-1", "commonturf-res-1"),
    ] {
        let message = Message::append().signed().resigned(|input| {
            assert!(input.contains(from), "{from} in {input}");
            input.replacen(from, to, 1)
        });
        assert!(message.verify().is_err(), "{to}");
    }
    let name = signer(1).name().to_string();
    for odd in [
        name.to_uppercase(),
        name.replace('.', ":"),
        format!("{name}.x"),
        name[1..].to_owned(),
    ] {
        let message = Message::append()
            .signed()
            .resigned(|input| input.replace(&name, &odd));
        assert_eq!(
            message.verify(),
            Err(SignatureError::Syntax { what: "keyid" }),
            "{odd}"
        );
    }
}

#[test]
fn a_key_that_the_roster_does_not_know_is_refused_as_no_member() {
    let mut message = Message::append();
    let added = message
        .with_view(|view| sign_request(&signer(5), view, keeper(), &seen(), NOW, Nonce([7; 16])));
    message.headers.extend(
        added
            .unwrap()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value)),
    );
    let error = message.verify().unwrap_err();
    assert_eq!(
        (error, error.problem()),
        (SignatureError::UnknownKey, ProblemKind::NotMember)
    );
}

#[test]
fn a_joiner_signs_by_the_key_of_the_document_that_it_sends() {
    let (joiner, nothing_yet) = (
        signer(5),
        Seen {
            log: None,
            document: 1,
        },
    );
    let mut message = Message::append();
    let added = message
        .with_view(|view| sign_request(&joiner, view, keeper(), &nothing_yet, NOW, Nonce([7; 16])));
    message.headers.extend(
        added
            .unwrap()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value)),
    );
    let sent = |node, kid: &KeyId| {
        (joiner.name() == KeyName { node, kid: *kid }).then(|| joiner.key.public())
    };
    let verified = message
        .with_view(|view| verify_request(view, keeper(), &AUTHORITIES, sent, NOW))
        .unwrap();
    assert_eq!(
        (verified.caller, verified.seen),
        (joiner.name().node, nothing_yet)
    );
}

#[test]
fn a_request_to_another_keeper_is_refused() {
    let message = Message::append().signed();
    let other = signer(1).name().node;
    let result = message.with_view(|view| verify_request(view, other, &AUTHORITIES, roster, NOW));
    assert_eq!(result, Err(SignatureError::OtherRecipient));
    let result = message.with_view(|view| verify_request(view, keeper(), &[], roster, NOW));
    assert_eq!(
        result,
        Err(SignatureError::Signature),
        "a keeper without an address has none to be called by"
    );
}

#[test]
fn content_where_none_may_be_or_without_type_is_refused_on_both_sides() {
    for method in ["GET", "HEAD", "DELETE"] {
        let mut message = Message::append();
        message.method = method.into();
        let sign = |view: &RequestView<'_>| {
            sign_request(&signer(1), view, keeper(), &seen(), NOW, Nonce([7; 16]))
        };
        let error = SignatureError::ContentNotAllowed { method };
        assert_eq!(message.with_view(sign), Err(error));
        let mut message = Message::append().signed();
        message.method = method.into();
        assert_eq!(message.verify(), Err(error));
    }
    let message = Message::append().without(CONTENT_TYPE);
    let result = message
        .with_view(|view| sign_request(&signer(1), view, keeper(), &seen(), NOW, Nonce([7; 16])));
    assert_eq!(result, Err(SignatureError::Missing { name: CONTENT_TYPE }));
}

#[test]
fn content_that_was_added_or_taken_away_is_noticed() {
    let mut emptied = Message::append().signed();
    emptied.body = None;
    assert_eq!(emptied.verify(), Err(SignatureError::Components));
    let mut filled = Message::append();
    filled.body = Some(Vec::new());
    let mut filled = filled.signed();
    assert!(filled.verify().is_ok(), "no bytes are no content");
    filled.body = Some(b"x".to_vec());
    assert_eq!(
        filled.verify(),
        Err(SignatureError::Missing {
            name: CONTENT_DIGEST
        })
    );
    filled
        .headers
        .push((CONTENT_DIGEST.into(), content_digest(b"x")));
    assert_eq!(filled.verify(), Err(SignatureError::Components));
}

#[test]
fn what_is_too_long_is_refused_before_any_of_it_is_read() {
    let mut message = Message::append().signed();
    message.header(SEEN).push_str(&"x".repeat(2_000));
    let error = message.verify().unwrap_err();
    assert_eq!(
        (error, error.problem()),
        (
            SignatureError::TooLong { what: SEEN },
            ProblemKind::TooLarge
        )
    );
    let mut message = Message::append();
    message.query = Some("x".repeat(5_000));
    let result = message
        .with_view(|view| sign_request(&signer(1), view, keeper(), &seen(), NOW, Nonce([7; 16])));
    assert_eq!(
        result,
        Err(SignatureError::TooLong {
            what: "the request target"
        })
    );
}
