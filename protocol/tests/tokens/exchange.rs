//! Honest exchanges: all quorums agree with the key itself, retries repeat, blinds never do.

use crate::ceremony::{COALITION, Ceremony, JOB, MEMBER, phones, rng};
use curve25519_dalek::Scalar;
use protocol::{
    codec,
    token::{
        Class, EvalReply, EvalRequest, KeyShare, Kind, Normalized, Point, PrepareError, Token,
        TokenKey,
        blind::prepare,
        hash_to_group::{DST, hash_to_group},
    },
};
use std::collections::BTreeSet;

/// `enc(k * H(x))`, computed with the whole key, spelled out once more from section 3.2.
fn direct(key: &Scalar, value: &Normalized) -> Point {
    let lp = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat();
    let class = value.kind().class().name();
    let x = [
        lp(&COALITION.0),
        lp(class.as_bytes()),
        lp(value.kind().name().as_bytes()),
        vec![1],
        lp(value.value().as_bytes()),
    ];
    Point((hash_to_group(&x.concat(), DST) * key).compress().0)
}

#[test]
fn every_quorum_gives_the_point_that_the_whole_key_gives() {
    for (t, n, quorums) in [(1, 1, 1), (2, 3, 3), (3, 5, 10)] {
        let ceremony = Ceremony::split(t, n);
        let values = phones(3);
        let batch = ceremony.batch(Class::Phone, 0, &values);
        let expected: Vec<Point> = values
            .iter()
            .map(|value| direct(&ceremony.keys[Class::Phone as usize], value))
            .collect();
        assert_eq!(ceremony.quorums().len(), quorums);
        for quorum in ceremony.quorums() {
            assert!(
                ceremony.points(&batch, &quorum) == expected,
                "quorum {quorum:?} of {t} of {n}"
            );
        }
    }
}

#[test]
fn a_founders_share_answers_alone_and_survives_storage() {
    let (share, keyset) = KeyShare::found(1, MEMBER, &mut rng(1));
    let share = KeyShare::from_bytes(&share.to_bytes()).ok().unwrap();
    let values = phones(2);
    let batch = prepare(&JOB, &COALITION, &keyset, Class::Phone, 5, &values).unwrap();
    let quorum = keyset.quorum(&[1]).unwrap();
    let checked = batch.request(&quorum);
    let reply = checked
        .check(&share, &keyset, &COALITION)
        .ok()
        .unwrap()
        .answer(&share, &MEMBER, &mut rng(2));
    let verified = batch
        .verify(&keyset, &MEMBER, &quorum, &reply)
        .ok()
        .unwrap();
    assert_eq!(
        batch.combine(vec![verified]).ok().unwrap().finalize().len(),
        2
    );
}

#[test]
fn points_come_in_the_order_of_the_values() {
    let ceremony = Ceremony::split(1, 1);
    let quorum = ceremony.quorum(&[1]);
    let values = phones(70);
    let forth = ceremony.points(&ceremony.batch(Class::Phone, 0, &values), &quorum);
    let reversed: Vec<Normalized> = values.into_iter().rev().collect();
    let mut back = ceremony.points(&ceremony.batch(Class::Phone, 1, &reversed), &quorum);
    back.reverse();
    assert!(forth == back);
}

#[test]
fn a_batch_is_filled_to_one_of_three_sizes() {
    let ceremony = Ceremony::split(1, 1);
    for (values, size) in [(1, 64), (64, 64), (65, 512), (513, 4096)] {
        assert_eq!(
            ceremony.batch(Class::Phone, 0, &phones(values)).cost(),
            size
        );
    }
}

#[test]
fn a_retry_is_byte_identical_even_when_the_values_come_in_another_order() {
    let ceremony = Ceremony::split(2, 3);
    let quorum = ceremony.quorum(&[1, 3]);
    let mut values = phones(5);
    let first = codec::encode(&ceremony.batch(Class::Phone, 8, &values).request(&quorum));
    let second = codec::encode(&ceremony.batch(Class::Phone, 8, &values).request(&quorum));
    values.rotate_left(2);
    let third = codec::encode(&ceremony.batch(Class::Phone, 8, &values).request(&quorum));
    assert_eq!(first, second);
    assert_eq!(first, third);
}

#[test]
fn another_quorum_is_asked_for_the_same_points() {
    let ceremony = Ceremony::split(2, 3);
    let batch = ceremony.batch(Class::Phone, 8, &phones(5));
    let (one, other) = (
        batch.request(&ceremony.quorum(&[1, 2])),
        batch.request(&ceremony.quorum(&[2, 3])),
    );
    assert_eq!(one.points.digest(), other.points.digest());
    assert_ne!(one.digest(), other.digest());
}

#[test]
fn no_point_is_shared_between_slots_classes_generations_or_jobs() {
    let (one, next) = (
        Ceremony::numbered(1, 1, 1, 0),
        Ceremony::numbered(1, 1, 2, 0),
    );
    let quorum = one.quorum(&[1]);
    let values = phones(64);
    let batches = [
        one.batch(Class::Phone, 0, &values),
        one.batch(Class::Phone, 1, &values),
        next.batch(Class::Phone, 0, &values),
        prepare(&[4; 32], &COALITION, &one.keyset, Class::Phone, 0, &values).unwrap(),
        one.batch(
            Class::Door,
            0,
            &[Normalized::stored(Kind::Door, "+12065550100".into()).unwrap()],
        ),
    ];
    let seen: BTreeSet<[u8; 32]> = batches
        .iter()
        .flat_map(|batch| batch.request(&quorum).points.as_slice().to_vec())
        .collect();
    assert_eq!(seen.len(), 5 * 64);
}

#[test]
fn values_of_another_class_repeated_missing_or_too_many_are_no_batch() {
    let ceremony = Ceremony::split(1, 1);
    let refusal = |class, values: &[Normalized]| {
        prepare(&JOB, &COALITION, &ceremony.keyset, class, 0, values)
            .err()
            .unwrap()
    };
    assert_eq!(refusal(Class::Door, &phones(1)), PrepareError::Class(0));
    assert_eq!(
        refusal(Class::Phone, &[phones(1), phones(1)].concat()),
        PrepareError::Duplicate
    );
    assert_eq!(refusal(Class::Phone, &[]), PrepareError::Count(0));
    assert_eq!(
        refusal(Class::Phone, &phones(4097)),
        PrepareError::Count(4097)
    );
}

#[test]
fn the_largest_request_and_reply_fit_their_limits_and_read_back() {
    let ceremony = Ceremony::split(1, 1);
    let batch = ceremony.batch(Class::Phone, u64::MAX, &phones(4096));
    let quorum = ceremony.quorum(&[1]);
    let request = batch.request(&quorum);
    let reply = ceremony.reply(&batch, &quorum, 1);
    assert_eq!(
        codec::decode::<EvalRequest>(&codec::encode(&request)),
        Ok(request)
    );
    assert_eq!(
        codec::decode::<EvalReply>(&codec::encode(&reply)),
        Ok(reply)
    );
}

#[test]
fn purposes_classes_generations_and_coalitions_have_their_own_tokens() {
    let point = Point([5; 32]);
    let tokens: BTreeSet<Token> = [
        TokenKey::ground(&COALITION, 1, Class::Phone),
        TokenKey::ground(&COALITION, 2, Class::Phone),
        TokenKey::ground(&COALITION, 1, Class::Door),
        TokenKey::ground(&protocol::id::CoalitionId([8; 16]), 1, Class::Phone),
        TokenKey::overlap(&COALITION, 1, Class::Phone, &[0; 32]),
        TokenKey::overlap(&COALITION, 1, Class::Phone, &[1; 32]),
    ]
    .iter()
    .map(|key| key.token(&point))
    .collect();
    assert_eq!(tokens.len(), 6);
    for token in tokens {
        assert_eq!(token.to_string().parse(), Ok(token));
    }
}
