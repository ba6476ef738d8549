//! How fast a member's evaluations may grow. Spec: `spec/matching.md`, section 4.2.

use protocol::{
    limits::{GROWTH_LEAST, GROWTH_PERCENT, GROWTH_TIME, LIST_PER_BUDGET},
    time::Moment,
};

/// How many points of a class a member may have evaluated within [`GROWTH_TIME`], under a budget.
pub(super) fn allowed(budget: u64) -> u64 {
    let (list, whole) = LIST_PER_BUDGET;
    let list = u128::from(budget) * u128::from(list) / u128::from(whole);
    let share = list * u128::from(GROWTH_PERCENT) / 100;
    u64::try_from(share).unwrap_or(u64::MAX).max(GROWTH_LEAST)
}

/// When a member may have so many more points evaluated; none where it may now. `lately` are the points
/// of the time that counts, by the moment at which they were evaluated, the earliest first.
pub(super) fn goes_on(lately: &[(i64, u64)], points: u64, allowed: u64) -> Option<Moment> {
    let mut spent: u64 = lately.iter().map(|(_, points)| points).sum();
    let mut again = None;
    for (at, earlier) in lately {
        if spent.saturating_add(points) <= allowed {
            break;
        }
        // It counts until the whole time has passed since.
        again = Some(Moment(*at).plus(GROWTH_TIME));
        spent = spent.saturating_sub(*earlier);
    }
    again
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::time::HOUR;

    #[test]
    fn a_fifth_of_the_declared_list_a_day_and_one_batch_in_any_case() {
        assert_eq!(allowed(1_100_000), 200_000);
        assert_eq!(allowed(110_000), 20_000);
        for small in [0, 64, 100, 22_527] {
            assert_eq!(allowed(small), GROWTH_LEAST, "{small}");
        }
        assert!(allowed(u64::MAX) > 1 << 60);
    }

    #[test]
    fn it_goes_on_once_enough_of_the_earliest_points_are_a_day_old() {
        let lately = [(0, 40), (HOUR, 40), (2 * HOUR, 20)];
        let day = |hours: i64| Some(Moment(hours * HOUR).plus(GROWTH_TIME));
        assert_eq!(goes_on(&lately, 0, 100), None);
        assert_eq!(goes_on(&lately, 1, 100), day(0));
        assert_eq!(goes_on(&lately, 40, 100), day(0));
        assert_eq!(goes_on(&lately, 41, 100), day(1));
        assert_eq!(goes_on(&lately, 100, 100), day(2));
        assert_eq!(goes_on(&[], 100, 100), None);
    }
}
