//! Counts as stretches of one bar, drawn by the server: no style, no script.

use super::words;
use crate::claims::check::Standing;
use std::collections::BTreeMap;

/// The bar's length in its own units.
pub const WHOLE: u64 = 1_000;

/// One stretch of a bar, and its line in the table beside it.
#[derive(Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Class of the style sheet; the words say the same.
    pub class: &'static str,
    /// In words.
    pub label: &'static str,
    /// How many.
    pub count: String,
    /// Where it begins.
    pub start: u64,
    /// How long it is.
    pub length: u64,
    /// Its part in percent, rounded.
    pub percent: u64,
}

impl Stretch {
    /// The stretches of some counts; those that are zero are left out, and nothing makes none.
    #[must_use]
    pub fn of(counts: &BTreeMap<Standing, u64>) -> Vec<Self> {
        let total: u64 = counts.values().sum();
        let part = |count: u64, whole: u64| {
            let part = u128::from(count) * u128::from(whole) / u128::from(total.max(1));
            u64::try_from(part).unwrap_or(whole)
        };
        let mut before = 0;
        let mut stretches = Vec::new();
        for (standing, count) in counts.iter().filter(|(_, count)| **count > 0) {
            let start = part(before, WHOLE);
            before += count;
            stretches.push(Self {
                class: words::standing_class(*standing),
                label: words::standing(*standing),
                count: words::natural(*count),
                start,
                length: part(before, WHOLE).saturating_sub(start).max(1),
                percent: (part(*count, 1_000) + 5) / 10,
            });
        }
        stretches
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_fill_the_bar_without_a_gap() {
        let counts = BTreeMap::from([
            (Standing::Free, 2),
            (Standing::Held, 1),
            (Standing::Recent, 0),
        ]);
        let stretches = Stretch::of(&counts);
        assert_eq!(stretches.len(), 2);
        let ends: Vec<_> = stretches
            .iter()
            .map(|s| (s.start, s.start + s.length))
            .collect();
        assert_eq!(ends, [(0, 666), (666, 1_000)]);
        assert_eq!(stretches[0].percent, 67);
    }

    #[test]
    fn nothing_is_no_bar_and_little_is_still_seen() {
        assert!(Stretch::of(&BTreeMap::from([(Standing::Free, 0)])).is_empty());
        let counts = BTreeMap::from([(Standing::Free, 1_000_000), (Standing::Held, 1)]);
        assert_eq!(Stretch::of(&counts)[1].length, 1);
    }
}
