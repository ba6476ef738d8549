//! The vectors of `spec/vectors/tokens`, computed independently of this code.

use crate::ceremony::{node, rng};
use curve25519_dalek::Scalar;
use protocol::{
    codec,
    id::{CoalitionId, NodeId},
    token::{
        Class, ClassKey, EvalReply, EvalRequest, Keeper, KeyShare, Keyset, KeysetParts, Kind,
        Normalized, PublicKey, TokenKey, blind::prepare, evaluate, hash_to_group::hash_to_group,
    },
};
use serde::{Deserialize, de::DeserializeOwned};

pub(crate) fn read<T: DeserializeOwned>(name: &str) -> T {
    let path = format!(
        "{}/../spec/vectors/tokens/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn hex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
}

fn hex32(text: &str) -> [u8; 32] {
    hex(text).try_into().unwrap()
}

#[derive(Deserialize)]
struct Map {
    dst: String,
    cases: Vec<MapCase>,
}

#[derive(Deserialize)]
struct MapCase {
    input: String,
    blind: String,
    blinded: String,
}

#[test]
fn the_map_to_the_group_agrees_with_rfc_9497() {
    let map: Map = read("accept_map_rfc9497");
    assert_eq!(map.cases.len(), 2);
    for case in map.cases {
        let blind = Scalar::from_canonical_bytes(hex32(&case.blind)).unwrap();
        let blinded = hash_to_group(&hex(&case.input), &hex(&map.dst)) * blind;
        assert_eq!(blinded.compress().0, hex32(&case.blinded));
    }
}

#[derive(Deserialize)]
struct Golden {
    coalition: String,
    generation: u32,
    reshare: u32,
    threshold: u8,
    keepers: Vec<u16>,
    classes: Vec<GoldenClass>,
    values: Vec<GoldenValue>,
}

#[derive(Deserialize)]
struct GoldenClass {
    class: Class,
    group: String,
    secrets: Vec<String>,
}

#[derive(Deserialize)]
struct GoldenValue {
    kind: String,
    value: String,
    point: String,
    token: String,
    overlap: String,
}

impl Golden {
    fn coalition(&self) -> CoalitionId {
        CoalitionId(hex(&self.coalition).try_into().unwrap())
    }

    fn shares(&self) -> Vec<KeyShare> {
        let of = |place: usize| -> [[u8; 32]; 4] {
            let secrets: Vec<_> = self
                .classes
                .iter()
                .map(|class| hex32(&class.secrets[place]))
                .collect();
            secrets.try_into().unwrap()
        };
        let share =
            |(place, &id)| KeyShare::new(self.generation, self.reshare, id, &of(place)).unwrap();
        self.keepers.iter().enumerate().map(share).collect()
    }

    fn keyset(&self, shares: &[KeyShare]) -> Keyset {
        let classes = self.classes.iter().map(|class| ClassKey {
            group: PublicKey(hex32(&class.group)),
            shares: shares
                .iter()
                .map(|share| share.public(class.class))
                .collect(),
        });
        Keyset::new(KeysetParts {
            generation: self.generation,
            reshare: self.reshare,
            threshold: self.threshold,
            keepers: self
                .keepers
                .iter()
                .map(|&id| Keeper { id, node: node(id) })
                .collect(),
            classes: classes.collect(),
        })
        .unwrap()
    }
}

#[test]
fn golden_points_and_tokens_hold_for_one_two_and_three_keepers() {
    for name in [
        "accept_golden_1_of_1",
        "accept_golden_2_of_3",
        "accept_golden_3_of_5",
    ] {
        let golden: Golden = read(name);
        let (coalition, shares) = (golden.coalition(), golden.shares());
        let keyset = golden.keyset(&shares);
        // The highest ids, so that no weight is trivial.
        let ids: Vec<u16> = golden
            .keepers
            .iter()
            .rev()
            .take(golden.threshold.into())
            .copied()
            .collect();
        let quorum = keyset.quorum(&ids).unwrap();
        let member = NodeId([1; 32]);
        assert_eq!(golden.values.len(), 7);
        for expected in &golden.values {
            let kind: Kind = expected.kind.parse().unwrap();
            let class = kind.class();
            let value = Normalized::stored(kind, expected.value.clone()).unwrap();
            let batch = prepare(&[2; 32], &coalition, &keyset, class, 0, &[value]).unwrap();
            let request = batch.request(&quorum);
            let verified = shares
                .iter()
                .filter(|share| quorum.contains(share.keeper()))
                .map(|share| {
                    let reply =
                        evaluate(share, &keyset, &coalition, &member, &request, &mut rng(0))
                            .unwrap();
                    batch
                        .verify(&keyset, &member, &quorum, &reply)
                        .ok()
                        .unwrap()
                });
            let points = batch.combine(verified.collect()).ok().unwrap().finalize();
            assert_eq!(
                points[0].0,
                hex32(&expected.point),
                "{name}: {}",
                expected.value
            );
            let token = points[0].ground_token(&coalition, golden.generation, class);
            assert_eq!(token.0.to_vec(), hex(&expected.token));
            let overlap =
                TokenKey::overlap(&coalition, golden.generation, class, &[7; 32]).token(&points[0]);
            assert_eq!(overlap.0.to_vec(), hex(&expected.overlap));
        }
    }
}

#[derive(Deserialize)]
struct Exchange {
    job_secret: String,
    member: String,
    slot: u64,
    quorum: Vec<u16>,
    class: Class,
    values: Vec<ExchangeValue>,
    request: String,
    replies: Vec<String>,
}

#[derive(Deserialize)]
struct ExchangeValue {
    kind: String,
    value: String,
}

#[test]
fn a_whole_exchange_of_another_implementation_is_reproduced_and_accepted() {
    let golden: Golden = read("accept_golden_2_of_3");
    let exchange: Exchange = read("accept_exchange_2_of_3");
    let keyset = golden.keyset(&golden.shares());
    let values: Vec<Normalized> = exchange
        .values
        .iter()
        .map(|value| Normalized::stored(value.kind.parse().unwrap(), value.value.clone()).unwrap())
        .collect();
    let secret = hex32(&exchange.job_secret);
    let batch = prepare(
        &secret,
        &golden.coalition(),
        &keyset,
        exchange.class,
        exchange.slot,
        &values,
    )
    .unwrap();
    let quorum = keyset.quorum(&exchange.quorum).unwrap();
    let request = codec::decode::<EvalRequest>(&hex(&exchange.request)).unwrap();
    assert!(batch.request(&quorum) == request);

    let member = NodeId(hex32(&exchange.member));
    let replies = exchange
        .replies
        .iter()
        .map(|reply| codec::decode::<EvalReply>(&hex(reply)).unwrap());
    let shares = replies.map(|reply| {
        batch
            .verify(&keyset, &member, &quorum, &reply)
            .ok()
            .unwrap()
    });
    let points = batch.combine(shares.collect()).ok().unwrap().finalize();
    let expected = golden
        .values
        .iter()
        .filter(|value| exchange.values.iter().any(|own| own.value == value.value));
    assert_eq!(
        points.iter().map(|point| point.0).collect::<Vec<_>>(),
        expected
            .map(|value| hex32(&value.point))
            .collect::<Vec<_>>()
    );
}
