//! What is no keyset, no quorum, no share and no batch, each for one reason.

use crate::ceremony::{Ceremony, node, public, rng};
use curve25519_dalek::Scalar;
use protocol::{
    codec::{self, CodecError},
    token::{
        Class, EvalRequest, KeyShare, Keyset, KeysetError, KeysetParts, Points, Quorum,
        QuorumError, ShareError,
    },
};

fn refusal(spoil: impl FnOnce(&mut KeysetParts)) -> KeysetError {
    let mut parts = Ceremony::split(2, 3).keyset.parts().clone();
    spoil(&mut parts);
    Keyset::new(parts).expect_err("must be refused")
}

#[test]
fn a_keyset_reads_back_and_a_spoiled_one_does_not() {
    let mut parts = Ceremony::split(3, 5).keyset.parts().clone();
    let bytes = codec::encode(&parts);
    assert_eq!(codec::decode::<Keyset>(&bytes).unwrap().parts(), &parts);
    parts.classes[2].shares.swap(0, 1);
    assert!(matches!(
        codec::decode::<Keyset>(&codec::encode(&parts)),
        Err(CodecError::Shape { .. })
    ));
}

#[test]
fn a_threshold_of_half_or_less_or_more_than_all_is_refused() {
    for threshold in [0, 1, 4] {
        let error = refusal(|parts| parts.threshold = threshold);
        assert_eq!(
            error,
            KeysetError::Threshold {
                keepers: 3,
                threshold
            }
        );
    }
}

#[test]
fn keepers_out_of_order_from_zero_or_twice_are_refused() {
    assert_eq!(
        refusal(|parts| parts.keepers.swap(0, 1)),
        KeysetError::Order
    );
    assert_eq!(refusal(|parts| parts.keepers[0].id = 0), KeysetError::Order);
    assert_eq!(
        refusal(|parts| parts.keepers[1].node = node(1)),
        KeysetError::Order
    );
}

#[test]
fn no_keeper_and_too_many_are_refused() {
    assert_eq!(
        refusal(|parts| parts.keepers.clear()),
        KeysetError::Keepers(0)
    );
    let seven = |parts: &mut KeysetParts| {
        parts.keepers = [parts.keepers.clone(), parts.keepers.clone()].concat()
    };
    assert_eq!(refusal(seven), KeysetError::Keepers(6));
}

#[test]
fn a_missing_class_or_share_is_refused() {
    assert_eq!(
        refusal(|parts| parts.classes.truncate(3)),
        KeysetError::Shape
    );
    assert_eq!(
        refusal(|parts| parts.classes[0].shares.truncate(2)),
        KeysetError::Shape
    );
}

#[test]
fn a_key_that_is_no_point_or_the_identity_is_refused() {
    assert_eq!(
        refusal(|parts| parts.classes[1].group.0 = [0; 32]),
        KeysetError::Point(Class::Phone)
    );
    assert_eq!(
        refusal(|parts| parts.classes[3].shares[2].0 = [0xff; 32]),
        KeysetError::Point(Class::Person)
    );
}

#[test]
fn a_group_key_or_share_off_the_polynomial_is_refused() {
    let foreign = public(&Scalar::from(5_u8));
    assert_eq!(
        refusal(|parts| parts.classes[0].group = foreign),
        KeysetError::Inconsistent(Class::Door)
    );
    for keeper in 0..3 {
        let error = refusal(|parts| parts.classes[0].shares[keeper] = foreign);
        assert_eq!(error, KeysetError::Inconsistent(Class::Door));
    }
}

#[test]
fn a_quorum_takes_its_keepers_in_any_order_but_each_once() {
    let keyset = Ceremony::split(2, 3).keyset;
    assert_eq!(keyset.quorum(&[3, 1]).unwrap().ids(), [1, 3]);
    assert_eq!(keyset.quorum(&[1, 1]), Err(QuorumError::Order));
    assert_eq!(Quorum::new(vec![2, 1]), Err(QuorumError::Order));
    assert_eq!(Quorum::new(vec![0, 1]), Err(QuorumError::Order));
    assert_eq!(Quorum::new(vec![]), Err(QuorumError::Order));
}

#[test]
fn a_share_at_rest_of_another_length_version_keeper_or_with_a_bad_scalar_is_refused() {
    let (share, _) = KeyShare::found(1, node(1), &mut rng(1));
    let bytes = share.to_bytes().to_vec();
    let refusal = |place: usize, value: u8| {
        let mut spoiled = bytes.clone();
        spoiled[place] = value;
        KeyShare::from_bytes(&spoiled).err()
    };
    assert_eq!(KeyShare::from_bytes(&[]).err(), Some(ShareError::Shape));
    assert_eq!(
        KeyShare::from_bytes(&bytes[..138]).err(),
        Some(ShareError::Shape)
    );
    assert_eq!(refusal(0, 2), Some(ShareError::Shape));
    assert_eq!(refusal(10, 0), Some(ShareError::Keeper));
    assert_eq!(refusal(11 + 31, 0xff), Some(ShareError::Scalar));
    assert_eq!(
        KeyShare::new(1, 0, 1, &[[0; 32]; 4]).err(),
        Some(ShareError::Scalar)
    );
}

#[test]
fn a_request_without_points_with_too_many_or_half_of_one_is_not_read() {
    assert!(Points::new(vec![]).is_none());
    assert!(Points::new(vec![[1; 32]; 4097]).is_none());
    // array(8): version, coalition, generation, reshare, class, quorum [1], slot, points
    let request = |points: &[u8]| {
        let head = [
            &[0x88, 0x01, 0x50][..],
            &[7; 16],
            &[0x01, 0x00, 0x01, 0x81, 0x01, 0x04],
        ]
        .concat();
        codec::decode::<EvalRequest>(&[&head, points].concat())
    };
    assert!(request(&[&[0x58, 32][..], &[1; 32]].concat()).is_ok());
    assert!(matches!(request(&[0x40]), Err(CodecError::Shape { .. })));
    assert!(matches!(
        request(&[&[0x58, 33][..], &[1; 33]].concat()),
        Err(CodecError::Shape { .. })
    ));
}
