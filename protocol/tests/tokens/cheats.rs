//! Every way to cheat, alone: by a keeper in its answer, by a member in its request.

use crate::ceremony::{COALITION, Ceremony, MEMBER, phones, rng};
use protocol::{
    id::{CoalitionId, NodeId},
    token::{
        Class, CombineError, EvalError, EvalReply, EvalRequest, KeyShare, Points, QuorumError,
        VerifyError, evaluate,
    },
};

/// The order of the group, little-endian: added to a scalar it spells the same scalar again.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// Keeper 1's honest answer to a batch of three, spoiled; what the node says to it.
fn refusal(spoil: impl FnOnce(&mut EvalReply)) -> VerifyError {
    let ceremony = Ceremony::split(2, 3);
    let batch = ceremony.batch(Class::Phone, 4, &phones(3));
    let quorum = ceremony.quorum(&[1, 2]);
    let mut reply = ceremony.reply(&batch, &quorum, 1);
    assert!(
        batch
            .verify(&ceremony.keyset, &MEMBER, &quorum, &reply)
            .is_ok()
    );
    spoil(&mut reply);
    batch
        .verify(&ceremony.keyset, &MEMBER, &quorum, &reply)
        .err()
        .expect("a cheat must be refused")
}

/// Keeper 1 answers an altered request as if it were the one that was sent.
fn relabelled(class: Class, member: NodeId, alter: impl FnOnce(&mut EvalRequest)) -> VerifyError {
    let ceremony = Ceremony::split(2, 3);
    let batch = ceremony.batch(Class::Phone, 4, &phones(3));
    let quorum = ceremony.quorum(&[1, 2]);
    let mut altered = batch.request(&quorum);
    altered.class = class;
    alter(&mut altered);
    let forger = Ceremony::numbered(2, 3, altered.generation, altered.reshare);
    let share = forger.share(1);
    let mut reply = evaluate(
        share,
        &forger.keyset,
        &altered.coalition,
        &member,
        &altered,
        &mut rng(0),
    )
    .expect("a valid request");
    reply.request = batch.request(&quorum).digest();
    batch
        .verify(&ceremony.keyset, &MEMBER, &quorum, &reply)
        .err()
        .expect("a cheat must be refused")
}

fn alter_points(reply: &mut EvalReply, alter: impl FnOnce(&mut Vec<[u8; 32]>)) {
    let mut points = reply.points.as_slice().to_vec();
    alter(&mut points);
    reply.points = Points::new(points).unwrap();
}

fn add_order(scalar: &mut [u8]) {
    let mut carry = 0;
    for (byte, order) in scalar.iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(order) + carry;
        *byte = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
}

#[test]
fn an_answer_with_the_wrong_key_is_refused() {
    let ceremony = Ceremony::split(2, 3);
    let batch = ceremony.batch(Class::Phone, 4, &phones(3));
    let quorum = ceremony.quorum(&[1, 2]);
    let wrong = KeyShare::new(1, 0, 1, &[[1; 32]; 4]).ok().unwrap();
    let request = batch.request(&quorum);
    let checked = request
        .check(ceremony.share(1), &ceremony.keyset, &COALITION)
        .ok()
        .unwrap();
    let reply = checked.answer(&wrong, &MEMBER, &mut rng(0));
    let refusal = batch
        .verify(&ceremony.keyset, &MEMBER, &quorum, &reply)
        .err();
    assert_eq!(refusal, Some(VerifyError::Proof(1)));
}

#[test]
fn swapped_outputs_are_refused() {
    assert_eq!(
        refusal(|reply| alter_points(reply, |points| points.swap(0, 1))),
        VerifyError::Proof(1)
    );
}

#[test]
fn one_output_in_place_of_another_is_refused() {
    assert_eq!(
        refusal(|reply| alter_points(reply, |points| points[0] = points[1])),
        VerifyError::Proof(1)
    );
}

#[test]
fn the_identity_among_the_outputs_is_refused() {
    let identity = |points: &mut Vec<[u8; 32]>| points[5] = [0; 32];
    assert_eq!(
        refusal(|reply| alter_points(reply, identity)),
        VerifyError::Point {
            keeper: 1,
            place: 5
        }
    );
}

#[test]
fn a_non_canonical_output_is_refused() {
    let respelled = |points: &mut Vec<[u8; 32]>| points[5] = [0xff; 32];
    assert_eq!(
        refusal(|reply| alter_points(reply, respelled)),
        VerifyError::Point {
            keeper: 1,
            place: 5
        }
    );
}

#[test]
fn a_missing_output_is_refused() {
    let error = refusal(|reply| alter_points(reply, |points| points.truncate(63)));
    assert_eq!(
        error,
        VerifyError::Count {
            keeper: 1,
            found: 63,
            sent: 64
        }
    );
}

#[test]
fn a_proof_of_another_batch_is_refused() {
    let ceremony = Ceremony::split(2, 3);
    let other = ceremony.batch(Class::Phone, 5, &phones(3));
    let replayed = ceremony.reply(&other, &ceremony.quorum(&[1, 2]), 1).proof;
    assert_eq!(
        refusal(|reply| reply.proof = replayed),
        VerifyError::Proof(1)
    );
}

#[test]
fn an_answer_to_another_batch_is_refused() {
    let ceremony = Ceremony::split(2, 3);
    let other = ceremony.batch(Class::Phone, 5, &phones(3));
    let replayed = ceremony.reply(&other, &ceremony.quorum(&[1, 2]), 1);
    assert_eq!(refusal(|reply| *reply = replayed), VerifyError::Request(1));
}

#[test]
fn a_non_canonical_scalar_in_either_half_of_the_proof_is_refused() {
    assert_eq!(
        refusal(|reply| add_order(&mut reply.proof[..32])),
        VerifyError::Proof(1)
    );
    assert_eq!(
        refusal(|reply| add_order(&mut reply.proof[32..])),
        VerifyError::Proof(1)
    );
}

#[test]
fn an_empty_proof_is_refused() {
    assert_eq!(
        refusal(|reply| reply.proof = [0; 64]),
        VerifyError::Proof(1)
    );
}

#[test]
fn an_answer_in_another_keepers_name_is_refused() {
    assert_eq!(refusal(|reply| reply.keeper = 2), VerifyError::Proof(2));
    assert_eq!(refusal(|reply| reply.keeper = 3), VerifyError::NotAsked(3));
}

#[test]
fn an_answer_as_for_another_quorum_is_refused() {
    let other = Ceremony::split(2, 3).quorum(&[1, 3]);
    assert_eq!(
        relabelled(Class::Phone, MEMBER, |request| request.quorum = other),
        VerifyError::Proof(1)
    );
}

#[test]
fn an_answer_with_another_classs_key_is_refused() {
    assert_eq!(
        relabelled(Class::Person, MEMBER, |_| {}),
        VerifyError::Proof(1)
    );
}

#[test]
fn an_answer_made_for_another_member_is_refused() {
    assert_eq!(
        relabelled(Class::Phone, NodeId([8; 32]), |_| {}),
        VerifyError::Proof(1)
    );
}

#[test]
fn an_answer_bound_to_another_slot_is_refused() {
    assert_eq!(
        relabelled(Class::Phone, MEMBER, |request| request.slot += 1),
        VerifyError::Proof(1)
    );
}

#[test]
fn an_answer_bound_to_another_coalition_is_refused() {
    let other = CoalitionId([8; 16]);
    assert_eq!(
        relabelled(Class::Phone, MEMBER, |request| request.coalition = other),
        VerifyError::Proof(1)
    );
}

#[test]
fn an_answer_bound_to_another_generation_or_reshare_is_refused() {
    assert_eq!(
        relabelled(Class::Phone, MEMBER, |request| request.generation += 1),
        VerifyError::Proof(1)
    );
    assert_eq!(
        relabelled(Class::Phone, MEMBER, |request| request.reshare += 1),
        VerifyError::Proof(1)
    );
}

#[test]
fn a_batch_prepared_for_another_keyset_cannot_be_verified() {
    let (ceremony, next) = (Ceremony::split(2, 3), Ceremony::numbered(2, 3, 1, 1));
    let batch = ceremony.batch(Class::Phone, 4, &phones(3));
    let quorum = ceremony.quorum(&[1, 2]);
    let reply = ceremony.reply(&batch, &quorum, 1);
    assert_eq!(
        batch.verify(&next.keyset, &MEMBER, &quorum, &reply).err(),
        Some(VerifyError::Keyset)
    );
}

#[test]
fn answers_of_less_than_a_quorum_twice_one_or_mixed_are_not_combined() {
    let ceremony = Ceremony::split(2, 3);
    let (batch, other) = (
        ceremony.batch(Class::Phone, 4, &phones(3)),
        ceremony.batch(Class::Phone, 5, &phones(3)),
    );
    let (one, two) = (ceremony.quorum(&[1, 2]), ceremony.quorum(&[2, 3]));
    let share = |batch, quorum, keeper| ceremony.verified(batch, quorum, keeper);
    let refusal = |shares| batch.combine(shares).err();
    assert_eq!(refusal(vec![]), Some(CombineError::Quorum));
    assert_eq!(
        refusal(vec![share(&batch, &one, 1)]),
        Some(CombineError::Quorum)
    );
    assert_eq!(
        refusal(vec![share(&batch, &one, 1), share(&batch, &one, 1)]),
        Some(CombineError::Quorum)
    );
    assert_eq!(
        refusal(vec![share(&batch, &one, 1), share(&batch, &two, 3)]),
        Some(CombineError::Mixed)
    );
    assert_eq!(
        refusal(vec![share(&other, &one, 1), share(&other, &one, 2)]),
        Some(CombineError::Mixed)
    );
}

/// An honest request to keeper 1 of 2-of-3, spoiled; what the keeper says to it.
fn request_refusal(spoil: impl FnOnce(&mut EvalRequest)) -> EvalError {
    let ceremony = Ceremony::split(2, 3);
    let mut request = ceremony
        .batch(Class::Phone, 4, &phones(3))
        .request(&ceremony.quorum(&[1, 2]));
    spoil(&mut request);
    request
        .check(ceremony.share(1), &ceremony.keyset, &COALITION)
        .err()
        .expect("must be refused")
}

fn with_points(request: &mut EvalRequest, alter: impl FnOnce(&mut Vec<[u8; 32]>)) {
    let mut points = request.points.as_slice().to_vec();
    alter(&mut points);
    request.points = Points::new(points).unwrap();
}

#[test]
fn a_keeper_refuses_points_that_are_none_repeated_or_out_of_order() {
    let identity = |points: &mut Vec<[u8; 32]>| points[0] = [0; 32];
    let no_point = |points: &mut Vec<[u8; 32]>| points[63] = [0xff; 32];
    let twice = |points: &mut Vec<[u8; 32]>| points[1] = points[0];
    let unsorted = |points: &mut Vec<[u8; 32]>| points.swap(7, 8);
    assert_eq!(
        request_refusal(|request| with_points(request, identity)),
        EvalError::Point(0)
    );
    assert_eq!(
        request_refusal(|request| with_points(request, no_point)),
        EvalError::Point(63)
    );
    assert_eq!(
        request_refusal(|request| with_points(request, twice)),
        EvalError::Order(1)
    );
    assert_eq!(
        request_refusal(|request| with_points(request, unsorted)),
        EvalError::Order(8)
    );
}

#[test]
fn a_keeper_refuses_another_version_coalition_or_keyset() {
    assert_eq!(
        request_refusal(|request| request.version = 2),
        EvalError::Version(2)
    );
    assert_eq!(
        request_refusal(|request| request.coalition.0[0] ^= 1),
        EvalError::Coalition
    );
    let keyset = EvalError::Keyset {
        asked_generation: 2,
        asked_reshare: 0,
        generation: 1,
        reshare: 0,
    };
    assert_eq!(request_refusal(|request| request.generation = 2), keyset);
}

#[test]
fn a_keeper_refuses_a_quorum_that_is_none_or_does_not_name_it() {
    let quorum = |ids: &[u16]| protocol::token::Quorum::new(ids.to_vec()).unwrap();
    let size = QuorumError::Size {
        threshold: 2,
        found: 3,
    };
    assert_eq!(
        request_refusal(|request| request.quorum = quorum(&[1, 2, 3])),
        EvalError::Quorum(size)
    );
    let unknown = QuorumError::Unknown(4);
    assert_eq!(
        request_refusal(|request| request.quorum = quorum(&[1, 4])),
        EvalError::Quorum(unknown)
    );
    assert_eq!(
        request_refusal(|request| request.quorum = quorum(&[2, 3])),
        EvalError::NotAsked(1)
    );
}

#[test]
fn a_keeper_with_a_share_of_another_keyset_refuses_to_answer() {
    let ceremony = Ceremony::split(2, 3);
    let request = ceremony
        .batch(Class::Phone, 4, &phones(3))
        .request(&ceremony.quorum(&[1, 2]));
    let foreign = KeyShare::new(1, 0, 1, &[[1; 32]; 4]).ok().unwrap();
    let stale = Ceremony::numbered(2, 3, 1, 1);
    for share in [&foreign, stale.share(1)] {
        assert_eq!(
            request.check(share, &ceremony.keyset, &COALITION).err(),
            Some(EvalError::Share)
        );
    }
}
