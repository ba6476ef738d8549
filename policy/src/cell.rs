//! What may be told to others of a count about people: whole cells, never a part of one.
//!
//! A small count points at persons, and so does the small difference of two large ones. Counts that are
//! told are multiples of the least cell, so that both are nothing or at least the least cell. Spec:
//! `spec/policy.md`, section 10.

/// The most of a count that may be told: the greatest multiple of the least cell in it.
#[must_use]
pub fn told(count: u64, least: u64) -> u64 {
    count - count % least.max(1)
}

#[cfg(test)]
mod tests {
    use super::told;
    use proptest::prelude::*;

    #[test]
    fn less_than_a_cell_is_nothing() {
        assert_eq!(
            [0, 1, 9, 10, 19, 20].map(|n| told(n, 10)),
            [0, 0, 0, 10, 10, 20]
        );
        assert_eq!(told(7, 0), 7, "no cell, nothing to hide");
    }

    proptest! {
        #[test]
        fn no_count_and_no_difference_of_two_is_less_than_a_cell(
            a in 0_u64..5_000_000,
            b in 0_u64..5_000_000,
            least in 10_u64..1_000,
        ) {
            for shown in [told(a, least), told(b, least), told(a, least).abs_diff(told(b, least))] {
                prop_assert!(shown == 0 || shown >= least);
            }
            prop_assert!(told(a, least) <= a && a - told(a, least) < least);
        }
    }
}
