//! Against plain sets, with fixed randomness, and with lists that are none.

use super::*;
use proptest::prelude::*;
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::collections::BTreeSet;

const SETTING: Setting = Setting {
    coalition: CoalitionId([1; 16]),
    overlap: EntryId([2; 16]),
    generation: 3,
    kind: Kind::Phone,
};

fn point(n: u16) -> Point {
    Point(*blake3::hash(&n.to_be_bytes()).as_bytes())
}

fn exponents(count: usize, seed: u64) -> Vec<Exponent> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| Exponent::generate(&mut rng)).collect()
}

/// Passes every list through every party, from its owner on, and reads it at each.
fn pass(lists: &[BTreeSet<u16>], seed: u64) -> Vec<Raised> {
    let exponents = exponents(lists.len(), seed);
    let parties = exponents.len();
    let around = |(n, list): (usize, &BTreeSet<u16>)| {
        let own = list.iter().map(|value| point(*value)).collect();
        let mut raised = Raised::own(&SETTING, own, &exponents[n]);
        for step in 1..parties {
            let size = list.len() as u64;
            let exponent = &exponents[(n + step) % parties];
            raised = Raised::again(&raised.to_bytes(), size, exponent).unwrap();
        }
        Raised::read(&raised.to_bytes(), list.len() as u64).unwrap()
    };
    lists.iter().enumerate().map(around).collect()
}

fn plainly(lists: &[BTreeSet<u16>]) -> Vec<(Lists, u64)> {
    let sets = 1..1_u8 << lists.len();
    let several = sets.filter(|set| set.count_ones() >= 2);
    let count = |set: u8| {
        let mut members = (0..lists.len()).filter(|n| set & (1 << n) != 0);
        let first = lists[members.next().unwrap()].clone();
        let all = members.fold(first, |all, n| &all & &lists[n]);
        (set, all.len() as u64)
    };
    several.map(count).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn lists_that_passed_everybody_meet_as_plain_sets_do(
        lists in prop::collection::vec(prop::collection::btree_set(0_u16..40, 1..30), 2..=4),
        seed: u64,
    ) {
        prop_assert_eq!(common(&pass(&lists, seed)), plainly(&lists));
    }
}

#[test]
fn the_same_list_and_secret_give_these_very_bytes() {
    let raised = pass(&[(0..4).collect(), (2..6).collect()], 7);
    assert_eq!(common(&raised), [(0b11, 2)]);
    let hash = |list: &Raised| blake3::hash(&list.to_bytes()).to_hex().to_string();
    assert_eq!(hash(&raised[0])[..16], *"b860b352192316fd");
}

#[test]
fn nothing_of_two_counts_meets_even_under_one_secret() {
    let exponent = exponents(1, 1).remove(0);
    let raised = |setting: Setting| Raised::own(&setting, vec![point(1)], &exponent);
    let other = [
        Setting {
            overlap: EntryId([9; 16]),
            ..SETTING
        },
        Setting {
            coalition: CoalitionId([9; 16]),
            ..SETTING
        },
        Setting {
            generation: 4,
            ..SETTING
        },
        Setting {
            kind: Kind::Email,
            ..SETTING
        },
    ];
    for other in other {
        assert_ne!(raised(other), raised(SETTING));
    }
}

#[test]
fn what_a_list_holds_twice_counts_once() {
    let exponent = exponents(1, 1).remove(0);
    let twice = vec![point(1), point(2), point(1)];
    assert_eq!(Raised::own(&SETTING, twice, &exponent).len(), 2);
}

#[test]
fn a_list_says_nothing_about_its_order() {
    let exponent = exponents(1, 1).remove(0);
    let raised = |points: [u16; 3]| {
        let points = points.map(point).to_vec();
        Raised::own(&SETTING, points, &exponent)
    };
    assert_eq!(raised([1, 2, 3]), raised([3, 1, 2]));
}

#[test]
fn a_list_that_is_none_is_refused_by_who_raises_it_and_by_who_counts() {
    let exponent = exponents(1, 1).remove(0);
    let good = Raised::own(&SETTING, (0..3).map(point).collect(), &exponent).to_bytes();
    let swapped = [&good[32..64], &good[..32], &good[64..]].concat();
    let doubled = [&good[..32], &good[..32], &good[32..64]].concat();
    let mut no_element = good.clone();
    no_element[64..].fill(0xff);
    let mut identity = good.clone();
    identity[..32].fill(0);
    for (bytes, size, error) in [
        (&good[..], 4, ListError::Length),
        (&good[..], 2, ListError::Length),
        (&good[..95], 3, ListError::Length),
        (&[][..], 3, ListError::Length),
        (&swapped[..], 3, ListError::Order),
        (&doubled[..], 3, ListError::Order),
        (&no_element[..], 3, ListError::Element),
        (&identity[..], 3, ListError::Element),
    ] {
        assert_eq!(Raised::read(bytes, size), Err(error));
        let again = Raised::again(bytes, size, &exponent);
        assert_eq!(again, Err(error));
    }
    assert!(Raised::read(&good, 3).is_ok());
}

#[test]
fn a_secret_reads_back_and_nothing_else_is_one() {
    let exponent = exponents(1, 1).remove(0);
    let back = Exponent::from_bytes(&exponent.to_bytes()).unwrap();
    assert_eq!(back.0, exponent.0);
    assert!(Exponent::from_bytes(&[0; 32]).is_none());
    assert!(Exponent::from_bytes(&[0xff; 32]).is_none());
}
