//! A keyset by Shamir splitting, as a key ceremony would leave it, and whole exchanges under it.

use curve25519_dalek::{RistrettoPoint, Scalar};
use protocol::{
    id::{CoalitionId, NodeId},
    token::{
        BlindedBatch, Class, ClassKey, EvalReply, Keeper, KeyShare, Keyset, KeysetParts, Kind,
        Normalized, Point, PublicKey, Quorum, VerifiedShare, blind::prepare, evaluate,
    },
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

pub(crate) const COALITION: CoalitionId = CoalitionId([7; 16]);
pub(crate) const MEMBER: NodeId = NodeId([9; 32]);
pub(crate) const JOB: [u8; 32] = [3; 32];

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(seed)
}

/// A keyset with all its secrets.
pub(crate) struct Ceremony {
    pub(crate) keyset: Keyset,
    pub(crate) shares: Vec<KeyShare>,
    /// k of each class.
    pub(crate) keys: [Scalar; 4],
}

impl Ceremony {
    /// t of n, with the ids 1 to n.
    pub(crate) fn split(t: u8, n: u16) -> Self {
        Self::numbered(t, n, 1, 0)
    }

    /// The same keys under other numbers.
    pub(crate) fn numbered(t: u8, n: u16, generation: u32, reshare: u32) -> Self {
        let mut rng = rng(11);
        let polynomials: [Vec<Scalar>; 4] =
            [(); 4].map(|()| (0..t).map(|_| Scalar::random(&mut rng)).collect());
        let ids: Vec<u16> = (1..=n).collect();
        let secrets = |id: u16| polynomials.each_ref().map(|of| value_at(of, id).to_bytes());
        let shares: Vec<KeyShare> = ids
            .iter()
            .map(|&id| KeyShare::new(generation, reshare, id, &secrets(id)).unwrap())
            .collect();
        let classes = Class::ALL
            .iter()
            .zip(&polynomials)
            .map(|(&class, polynomial)| ClassKey {
                group: public(&polynomial[0]),
                shares: shares.iter().map(|share| share.public(class)).collect(),
            });
        let parts = KeysetParts {
            generation,
            reshare,
            threshold: t,
            keepers: ids
                .iter()
                .map(|&id| Keeper { id, node: node(id) })
                .collect(),
            classes: classes.collect(),
        };
        let keyset = Keyset::new(parts).expect("Shamir shares make up the key");
        Self {
            keyset,
            shares,
            keys: polynomials.map(|of| of[0]),
        }
    }

    pub(crate) fn share(&self, keeper: u16) -> &KeyShare {
        self.shares
            .iter()
            .find(|share| share.keeper() == keeper)
            .unwrap()
    }

    pub(crate) fn quorum(&self, ids: &[u16]) -> Quorum {
        self.keyset.quorum(ids).unwrap()
    }

    /// Every quorum of t keepers.
    pub(crate) fn quorums(&self) -> Vec<Quorum> {
        let ids: Vec<u16> = self
            .keyset
            .keepers()
            .iter()
            .map(|keeper| keeper.id)
            .collect();
        let sets = (0_u32..1 << ids.len()).map(|mask| {
            ids.iter()
                .enumerate()
                .filter(|(bit, _)| mask >> bit & 1 == 1)
                .map(|(_, &id)| id)
                .collect::<Vec<_>>()
        });
        sets.filter_map(|ids| self.keyset.quorum(&ids).ok())
            .collect()
    }

    pub(crate) fn batch(&self, class: Class, slot: u64, values: &[Normalized]) -> BlindedBatch {
        prepare(&JOB, &COALITION, &self.keyset, class, slot, values).unwrap()
    }

    pub(crate) fn reply(&self, batch: &BlindedBatch, quorum: &Quorum, keeper: u16) -> EvalReply {
        let request = batch.request(quorum);
        evaluate(
            self.share(keeper),
            &self.keyset,
            &COALITION,
            &MEMBER,
            &request,
            &mut rng(keeper.into()),
        )
        .unwrap()
    }

    /// What an honest keeper's answer is worth.
    pub(crate) fn verified(
        &self,
        batch: &BlindedBatch,
        quorum: &Quorum,
        keeper: u16,
    ) -> VerifiedShare {
        let reply = self.reply(batch, quorum, keeper);
        match batch.verify(&self.keyset, &MEMBER, quorum, &reply) {
            Ok(share) => share,
            Err(error) => panic!("an honest answer was refused: {error}"),
        }
    }

    /// The points of a batch, from one quorum.
    pub(crate) fn points(&self, batch: &BlindedBatch, quorum: &Quorum) -> Vec<Point> {
        let shares = quorum
            .ids()
            .iter()
            .map(|&keeper| self.verified(batch, quorum, keeper))
            .collect();
        match batch.combine(shares) {
            Ok(batch) => batch.finalize(),
            Err(error) => panic!("a whole quorum was refused: {error}"),
        }
    }
}

pub(crate) fn node(id: u16) -> NodeId {
    NodeId([u8::try_from(id).unwrap(); 32])
}

pub(crate) fn public(secret: &Scalar) -> PublicKey {
    PublicKey(RistrettoPoint::mul_base(secret).compress().0)
}

/// The phone numbers from +1 206 555 0100 on.
pub(crate) fn phones(count: usize) -> Vec<Normalized> {
    (0..count)
        .map(|i| Normalized::stored(Kind::Phone, format!("+1206{:07}", 5_550_100 + i)).unwrap())
        .collect()
}

fn value_at(polynomial: &[Scalar], at: u16) -> Scalar {
    polynomial
        .iter()
        .rev()
        .fold(Scalar::ZERO, |sum, coefficient| {
            sum * Scalar::from(at) + coefficient
        })
}
