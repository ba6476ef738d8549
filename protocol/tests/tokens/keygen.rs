//! The key ceremony, refresh, enrolment and rotation, and every way in which each must fail.

use crate::ceremony::{COALITION, MEMBER, node, phones, public, rng};
use curve25519_dalek::Scalar;
use protocol::{
    id::NodeId,
    token::{
        Class, KeyShare, Keyset, KeysetError, Point, Rotation,
        blind::prepare,
        ceremony::{
            CeremonyKind, CheckedCommitments, CommitmentError, Commitments, Dealt, EnrolError,
            FinishError, Participant, Plan, expected_share, gather, help, join, keyset,
        },
        evaluate,
    },
};
use std::collections::BTreeMap;

fn nodes(n: u16) -> Vec<NodeId> {
    (1..=n).map(node).collect()
}

fn plan(n: u16) -> Plan {
    Plan::fresh(None, 0, &nodes(n)).unwrap()
}

/// One ceremony with all its secrets.
struct Run {
    plan: Plan,
    participants: BTreeMap<u16, Participant>,
    said: BTreeMap<u16, Commitments>,
    checked: BTreeMap<u16, CheckedCommitments>,
}

impl Run {
    fn of(plan: Plan, seed: u64) -> Self {
        let mut rng = rng(seed);
        let (mut participants, mut said, mut checked) =
            (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for keeper in &plan.keepers {
            let (participant, commitments) =
                Participant::commit(&plan, keeper.id, &mut rng).unwrap();
            // As after a crash: from the bytes that were stored.
            let stored = participant.to_bytes();
            participants.insert(keeper.id, Participant::from_bytes(&stored).unwrap());
            checked.insert(keeper.id, commitments.check(&plan, keeper.id).unwrap());
            said.insert(keeper.id, commitments);
        }
        Self {
            plan,
            participants,
            said,
            checked,
        }
    }

    fn dealt_to(&self, to: u16) -> BTreeMap<u16, Dealt> {
        let others = self.participants.iter().filter(|(id, _)| **id != to);
        others
            .map(|(from, participant)| {
                let mut dealt = participant.deal(&self.plan, &self.checked).unwrap();
                (*from, dealt.remove(&to).unwrap())
            })
            .collect()
    }

    fn finish(
        &self,
        id: u16,
        dealt: &BTreeMap<u16, Dealt>,
        before: Option<(&KeyShare, &Keyset)>,
    ) -> Result<KeyShare, FinishError> {
        self.participants[&id].finish(&self.plan, &self.checked, dealt, before)
    }

    fn keys(&self, before: Option<&Keys>) -> Keys {
        let keyset = keyset(&self.plan, &self.checked, before.map(|keys| &keys.keyset)).unwrap();
        let share = |id: u16| {
            let old = before.map(|keys| (keys.share(id), &keys.keyset));
            self.finish(id, &self.dealt_to(id), old).unwrap()
        };
        let shares = self.plan.keepers.iter().map(|keeper| share(keeper.id));
        Keys {
            shares: shares.collect(),
            keyset,
        }
    }
}

/// A keyset with its shares.
struct Keys {
    keyset: Keyset,
    shares: Vec<KeyShare>,
}

impl Keys {
    fn made(n: u16) -> Self {
        Run::of(plan(n), 5).keys(None)
    }

    fn share(&self, id: u16) -> &KeyShare {
        self.shares
            .iter()
            .find(|share| share.keeper() == id)
            .unwrap()
    }

    /// The points of some phones by a quorum.
    fn points(&self, quorum: &[u16]) -> Vec<Point> {
        let quorum = self.keyset.quorum(quorum).unwrap();
        let batch = prepare(
            &[3; 32],
            &COALITION,
            &self.keyset,
            Class::Phone,
            1,
            &phones(3),
        );
        let batch = batch.unwrap();
        let request = batch.request(&quorum);
        let verified = quorum.ids().iter().map(|&id| {
            let share = self.share(id);
            let mut rng = rng(id.into());
            let reply = evaluate(share, &self.keyset, &COALITION, &MEMBER, &request, &mut rng);
            match batch.verify(&self.keyset, &MEMBER, &quorum, &reply.unwrap()) {
                Ok(share) => share,
                Err(error) => panic!("an honest answer was refused: {error}"),
            }
        });
        match batch.combine(verified.collect()) {
            Ok(batch) => batch.finalize(),
            Err(error) => panic!("a whole quorum was refused: {error}"),
        }
    }
}

/// The secret of a class at 0, from the bytes of t shares.
fn key_of(shares: &[&KeyShare], class: Class) -> Scalar {
    let ids: Vec<u16> = shares.iter().map(|share| share.keeper()).collect();
    let mut key = Scalar::ZERO;
    for share in shares {
        let bytes = share.to_bytes();
        let at = bytes.len() - 4 * 32 + 32 * class as usize;
        let secret: [u8; 32] = bytes[at..at + 32].try_into().unwrap();
        let own = Scalar::from(share.keeper());
        let mut weight = Scalar::ONE;
        for &other in ids.iter().filter(|&&id| id != share.keeper()) {
            let other = Scalar::from(other);
            weight *= other * (other - own).invert();
        }
        key += weight * Scalar::from_canonical_bytes(secret).unwrap();
    }
    key
}

fn group(keyset: &Keyset, class: Class) -> protocol::token::PublicKey {
    keyset.parts().classes[class as usize].group
}

#[test]
fn three_and_five_keepers_make_keys_that_every_quorum_computes_alike() {
    for (n, threshold, quorums) in [
        (3, 2, vec![vec![1, 2], vec![1, 3], vec![2, 3]]),
        (5, 3, vec![vec![1, 2, 3], vec![2, 4, 5], vec![1, 3, 5]]),
    ] {
        let keys = Keys::made(n);
        assert_eq!(keys.keyset.threshold(), threshold);
        let first = keys.points(&quorums[0]);
        for quorum in &quorums[1..] {
            assert_eq!(keys.points(quorum), first);
        }
    }
}

#[test]
fn every_share_fits_the_keyset_that_a_bystander_computes_and_each_class_has_its_own_key() {
    let keys = Keys::made(3);
    for class in Class::ALL {
        for (place, share) in keys.shares.iter().enumerate() {
            let shown = keys.keyset.parts().classes[class as usize].shares[place];
            assert_eq!(share.public(class), shown);
        }
        let key = key_of(&[&keys.shares[0], &keys.shares[2]], class);
        assert_eq!(public(&key), group(&keys.keyset, class));
        assert_ne!(
            public(&key_of(&[&keys.shares[0]], class)),
            group(&keys.keyset, class),
            "one share alone is not the key"
        );
    }
    let groups = Class::ALL.map(|class| group(&keys.keyset, class));
    assert!((1..4).all(|n| !groups[..n].contains(&groups[n])));
}

#[test]
fn a_keeper_that_was_one_before_keeps_its_id_and_no_id_is_given_twice() {
    let before = Keys::made(3).keyset;
    let plan = Plan::fresh(Some(&before), 7, &[node(2), node(9), node(1)]).unwrap();
    let ids: Vec<(u16, NodeId)> = plan.keepers.iter().map(|k| (k.id, k.node)).collect();
    assert_eq!(ids, [(1, node(1)), (2, node(2)), (8, node(9))]);
    assert_eq!((plan.generation, plan.threshold), (2, 2));
    assert_eq!(Plan::fresh(None, 0, &nodes(1)), None);
    assert_eq!(Plan::fresh(None, 0, &nodes(6)), None);
}

/// What the check says to keeper 1's commitments, spoiled.
fn refusal(spoil: impl FnOnce(&mut Commitments)) -> CommitmentError {
    let mut run = Run::of(plan(3), 5);
    let mut said = run.said.remove(&1).unwrap();
    spoil(&mut said);
    said.check(&run.plan, 1)
        .expect_err("a cheat must be refused")
}

#[test]
fn commitments_of_another_shape_or_without_knowledge_of_the_secret_are_refused() {
    let class = Class::ALL[1];
    assert_eq!(refusal(|c| drop(c.classes.pop())), CommitmentError::Shape);
    assert_eq!(
        refusal(|c| c.classes[1].points.truncate(32)),
        CommitmentError::Shape
    );
    assert_eq!(
        refusal(|c| c.classes[1].points.push(0)),
        CommitmentError::Shape
    );
    assert_eq!(
        refusal(|c| c.classes[1].points[..32].fill(0)),
        CommitmentError::Point(class),
        "the identity"
    );
    assert_eq!(
        refusal(|c| c.classes[1].points[..32].fill(0xff)),
        CommitmentError::Point(class)
    );
    assert_eq!(
        refusal(|c| c.classes[1].proof[40] ^= 1),
        CommitmentError::Proof(class)
    );
    // Another keeper's commitments, said as one's own.
    let run = Run::of(plan(3), 5);
    assert_eq!(
        run.said[&2].check(&run.plan, 1).err(),
        Some(CommitmentError::Proof(Class::ALL[0]))
    );
    assert_eq!(
        run.said[&2].check(&run.plan, 4).err(),
        Some(CommitmentError::Keeper(4))
    );
}

#[test]
fn no_keyset_comes_of_commitments_of_which_one_is_missing() {
    let mut run = Run::of(plan(3), 5);
    run.checked.remove(&2);
    assert_eq!(
        keyset(&run.plan, &run.checked, None),
        Err(KeysetError::Shape)
    );
    assert!(run.participants[&1].deal(&run.plan, &run.checked).is_err());
}

#[test]
fn a_part_that_does_not_fit_its_keepers_commitments_names_that_keeper() {
    let run = Run::of(plan(5), 5);
    let mut dealt = run.dealt_to(2);
    dealt.get_mut(&4).unwrap()[0] ^= 1;
    assert_eq!(
        run.finish(2, &dealt, None).err(),
        Some(FinishError::Dealt(4))
    );
    let mut dealt = run.dealt_to(2);
    dealt.get_mut(&4).unwrap().fill(0xff);
    assert_eq!(
        run.finish(2, &dealt, None).err(),
        Some(FinishError::Dealt(4))
    );
    // What was meant for another keeper.
    let mut dealt = run.dealt_to(2);
    let swapped = run.dealt_to(3).remove(&4).unwrap();
    dealt.insert(4, swapped);
    assert_eq!(
        run.finish(2, &dealt, None).err(),
        Some(FinishError::Dealt(4))
    );
    let mut dealt = run.dealt_to(2);
    dealt.remove(&4);
    assert_eq!(
        run.finish(2, &dealt, None).err(),
        Some(FinishError::Mismatch)
    );
}

#[test]
fn a_refresh_keeps_every_token_and_shares_of_two_times_do_not_make_the_key() {
    let before = Keys::made(3);
    let refreshed = Run::of(Plan::refresh(&before.keyset).unwrap(), 6).keys(Some(&before));
    assert_eq!(refreshed.keyset.reshare(), 1);
    assert_eq!(refreshed.points(&[1, 3]), before.points(&[1, 2]));
    let class = Class::Phone;
    let group = group(&before.keyset, class);
    let mixed = key_of(&[before.share(1), refreshed.share(2)], class);
    assert_ne!(public(&mixed), group);
    let old = key_of(&[before.share(1), before.share(2)], class);
    assert_eq!(public(&old), group, "t old shares still make it");
    let new = key_of(&[refreshed.share(2), refreshed.share(3)], class);
    assert_eq!(public(&new), group);
}

#[test]
fn a_refresh_that_builds_on_another_keyset_is_refused() {
    let before = Keys::made(3);
    let run = Run::of(Plan::refresh(&before.keyset).unwrap(), 6);
    let other = Run::of(plan(5), 9).keys(None);
    assert_eq!(
        keyset(&run.plan, &run.checked, Some(&other.keyset)),
        Err(KeysetError::Shape)
    );
    assert_eq!(
        keyset(&run.plan, &run.checked, None),
        Err(KeysetError::Shape)
    );
    assert_eq!(
        run.finish(1, &run.dealt_to(1), None).err(),
        Some(FinishError::Mismatch)
    );
    assert_eq!(run.plan.kind, CeremonyKind::Refresh);
}

/// The sums of keepers 1 and 2 for a newcomer.
fn sums(keys: &Keys, newcomer: u16) -> Vec<Dealt> {
    let mut rng = rng(8);
    let helpers = [1, 2];
    let parts = helpers.map(|id| {
        let share = keys.share(id);
        help(share, &keys.keyset, &helpers, newcomer, &mut rng).unwrap()
    });
    let to = |id: u16| {
        parts
            .iter()
            .map(|part| part[&id].clone())
            .collect::<Vec<_>>()
    };
    helpers.iter().map(|&id| gather(&to(id)).unwrap()).collect()
}

#[test]
fn an_enrolled_keeper_gets_the_share_that_the_keyset_calls_for() {
    let keys = Keys::made(3);
    let share = join(&keys.keyset, 4, &sums(&keys, 4)).unwrap();
    for class in Class::ALL {
        assert_eq!(share.public(class), expected_share(&keys.keyset, class, 4));
        let key = key_of(&[&share, keys.share(3)], class);
        assert_eq!(public(&key), group(&keys.keyset, class));
    }
}

#[test]
fn an_enrolment_with_a_false_sum_or_the_wrong_helpers_is_refused() {
    let keys = Keys::made(3);
    let mut false_sums = sums(&keys, 4);
    false_sums[0][0] ^= 1;
    assert_eq!(
        join(&keys.keyset, 4, &false_sums).err(),
        Some(EnrolError::Share)
    );
    assert_eq!(
        join(&keys.keyset, 5, &sums(&keys, 4)).err(),
        Some(EnrolError::Share),
        "made for another id"
    );
    let mut rng = rng(8);
    let share = keys.share(1);
    for (helpers, newcomer) in [
        (vec![1], 4),
        (vec![1, 2, 3], 4),
        (vec![2, 3], 4),
        (vec![1, 2], 3),
        (vec![1, 2], 0),
    ] {
        assert_eq!(
            help(share, &keys.keyset, &helpers, newcomer, &mut rng).err(),
            Some(EnrolError::Helpers)
        );
    }
}

#[test]
fn a_rotation_gives_members_the_tokens_that_keepers_would_compute() {
    let keys = Keys::made(3);
    let rotation = Rotation::new(&[7; 64]).unwrap();
    let rotated = Keys {
        keyset: rotation.keyset(&keys.keyset).unwrap(),
        shares: keys
            .shares
            .iter()
            .map(|share| rotation.share(share).unwrap())
            .collect(),
    };
    assert_eq!(rotated.keyset.generation(), 2);
    // The blinds follow from the generation, so this batch is another one than before.
    let evaluated = rotated.points(&[2, 3]);
    let local = rotation.points(&keys.points(&[1, 2])).unwrap();
    assert_eq!(local, evaluated);
    assert_ne!(local, keys.points(&[1, 2]));
    let other = Rotation::new(&[8; 64]).unwrap();
    assert_ne!(other.points(&keys.points(&[1, 2])).unwrap(), evaluated);
    assert!(Rotation::new(&[0; 64]).is_none());
    assert!(rotation.points(&[Point([0xff; 32])]).is_none());
}
