//! Telling equal tuples of codes apart from different ones, exactly.
//!
//! A tuple becomes one number in mixed radix. When the next column would not fit into 64 bits any
//! more, the tuples so far are numbered densely first, so that no two tuples ever share a number.

use std::collections::{HashMap, hash_map::Entry};

/// Numbers are looked up in a table while it has at most so many places per item.
const PLACES: u64 = 4;

/// Codes of one column, each below the radix.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coded<'c> {
    pub(crate) codes: &'c [u32],
    pub(crate) radix: u32,
}

/// Items sorted into kinds.
#[derive(Clone, Debug)]
pub(crate) struct Distinct {
    /// The kind of each item.
    pub(crate) of: Vec<u32>,
    /// The first item of each kind.
    pub(crate) first: Vec<u32>,
}

impl Distinct {
    /// How many items each kind has.
    pub(crate) fn counts(&self) -> Vec<u64> {
        let mut counts = vec![0; self.first.len()];
        for kind in &self.of {
            if let Some(count) = counts.get_mut(*kind as usize) {
                *count += 1;
            }
        }
        counts
    }
}

/// Sorts `len` items into kinds: two are of one kind if and only if all their codes are equal.
///
/// There are fewer than 2^32 items.
pub(crate) fn distinct(len: usize, columns: &[Coded<'_>]) -> Distinct {
    let mut keys = vec![0_u64; len];
    let mut span = 1_u64;
    for column in columns {
        let radix = u64::from(column.radix.max(1));
        if span.checked_mul(radix).is_none() {
            let numbered = number(&keys, span);
            span = numbered.first.len().max(1) as u64;
            keys = numbered.of.into_iter().map(u64::from).collect();
        }
        // Two numbers below 2^32 multiplied fit.
        span = span.saturating_mul(radix);
        for (key, code) in keys.iter_mut().zip(column.codes) {
            debug_assert!(*code < column.radix, "codes are below their radix");
            *key = *key * radix + u64::from(*code);
        }
    }
    number(&keys, span)
}

/// Numbers keys below `span` in the order in which they first appear.
fn number(keys: &[u64], span: u64) -> Distinct {
    let mut first = Vec::new();
    let mut fresh = |item: usize| {
        first.push(item as u32);
        (first.len() - 1) as u32
    };
    let of = if span <= PLACES.saturating_mul(keys.len() as u64) {
        let mut table = vec![u32::MAX; span as usize];
        let mut kind = |(item, key): (usize, &u64)| match table.get_mut(*key as usize) {
            Some(kind) if *kind == u32::MAX => {
                *kind = fresh(item);
                *kind
            }
            Some(kind) => *kind,
            // A key outside of its range would be a defect of this file; it stays alone.
            None => fresh(item),
        };
        keys.iter().enumerate().map(&mut kind).collect()
    } else {
        let mut known: HashMap<u64, u32> = HashMap::new();
        let mut kind = |(item, key): (usize, &u64)| match known.entry(*key) {
            Entry::Occupied(kind) => *kind.get(),
            Entry::Vacant(new) => *new.insert(fresh(item)),
        };
        keys.iter().enumerate().map(&mut kind).collect()
    };
    Distinct { of, first }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::{collection::vec, prelude::*};

    fn sorted(rows: &[Vec<u32>], radices: &[u32]) -> Distinct {
        let columns: Vec<Vec<u32>> = (0..radices.len())
            .map(|at| rows.iter().map(|row| row[at]).collect())
            .collect();
        let coded: Vec<Coded<'_>> = columns
            .iter()
            .zip(radices)
            .map(|(codes, radix)| Coded {
                codes,
                radix: *radix,
            })
            .collect();
        distinct(rows.len(), &coded)
    }

    #[test]
    fn wide_columns_past_64_bits_do_not_collide() {
        // In plain mixed radix modulo 2^64 the first column would be worth nothing.
        let radices = [u32::MAX; 6];
        let rows = [
            vec![1, 0, 0, 0, 0, 7],
            vec![2, 0, 0, 0, 0, 7],
            vec![1, 0, 0, 0, 0, 7],
            vec![0, 0, 0, 0, 0, 7],
        ];
        let kinds = sorted(&rows, &radices);
        assert_eq!(kinds.of, [0, 1, 0, 2]);
        assert_eq!(kinds.first, [0, 1, 3]);
        assert_eq!(kinds.counts(), [2, 1, 1]);
    }

    #[test]
    fn without_columns_everything_is_alike() {
        assert_eq!(distinct(3, &[]).of, [0, 0, 0]);
        assert!(distinct(0, &[]).first.is_empty());
    }

    proptest! {
        #[test]
        fn two_items_are_of_one_kind_exactly_when_all_codes_are_equal(
            rows in vec(vec(0..3_u32, 9), 1..40),
            radices in vec(prop::sample::select(&[3_u32, 70_000, u32::MAX][..]), 9),
        ) {
            let kinds = sorted(&rows, &radices);
            for (a, left) in rows.iter().enumerate() {
                for (b, right) in rows.iter().enumerate() {
                    prop_assert_eq!(left == right, kinds.of[a] == kinds.of[b]);
                }
            }
        }
    }
}
