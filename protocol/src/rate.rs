//! A bucket of tokens: so many calls at once, so many a second in the long run. Spec: section 9.

use crate::time::Moment;

/// What is counted, in thousandths, so that a slow rate fills evenly.
const WHOLE: i64 = 1_000;

/// How fast something may come, and how much of it at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Per second, in the long run.
    pub per_second: u32,
    /// At once, after a quiet time.
    pub burst: u32,
}

impl Rate {
    /// A rate with room for so many seconds' worth at once.
    #[must_use]
    pub const fn with_seconds(per_second: u32, seconds: u32) -> Self {
        Self {
            per_second,
            burst: per_second * seconds,
        }
    }

    fn brim(self) -> i64 {
        i64::from(self.burst).saturating_mul(WHOLE)
    }
}

/// What is left of a [`Rate`] for one caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    left: i64,
    at: Moment,
}

impl Bucket {
    /// A full one.
    #[must_use]
    pub fn full(rate: Rate, now: Moment) -> Self {
        Self {
            left: rate.brim(),
            at: now,
        }
    }

    /// What has come in since it was last looked at. A clock that goes back fills nothing.
    fn fill(&mut self, rate: Rate, now: Moment) {
        let passed = now.since(self.at).max(0);
        let gained = passed.saturating_mul(i64::from(rate.per_second));
        self.left = self.left.saturating_add(gained).min(rate.brim());
        self.at = now;
    }

    /// Whether one more may come now, without taking anything.
    ///
    /// # Errors
    /// After how many milliseconds one may.
    pub fn check(&mut self, rate: Rate, now: Moment) -> Result<(), i64> {
        self.fill(rate, now);
        if self.left >= WHOLE {
            return Ok(());
        }
        let per_second = i64::from(rate.per_second).max(1);
        Err((WHOLE - self.left).div_euclid(per_second) + 1)
    }

    /// Takes one.
    ///
    /// # Errors
    /// After how many milliseconds one may be taken; nothing was.
    pub fn take(&mut self, rate: Rate, now: Moment) -> Result<(), i64> {
        self.check(rate, now)?;
        self.left -= WHOLE;
        Ok(())
    }

    /// Whether nothing is missing, so that it need not be remembered.
    #[must_use]
    pub fn is_full(&mut self, rate: Rate, now: Moment) -> bool {
        self.fill(rate, now);
        self.left == rate.brim()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate::with_seconds(5, 2);

    #[test]
    fn a_burst_goes_through_and_then_as_many_a_second_as_the_rate_says() {
        let mut bucket = Bucket::full(RATE, Moment(0));
        for _ in 0..10 {
            bucket.take(RATE, Moment(0)).unwrap();
        }
        let wait = bucket.take(RATE, Moment(0)).unwrap_err();
        assert!((200..=201).contains(&wait), "{wait}");
        assert!(bucket.take(RATE, Moment(wait - 2)).is_err());
        bucket.take(RATE, Moment(wait)).unwrap();
        let later = (0..1_000).filter(|n| bucket.take(RATE, Moment(wait + n)).is_ok());
        assert!((4..=5).contains(&later.count()));
    }

    #[test]
    fn looking_takes_nothing_and_a_clock_that_goes_back_gives_nothing() {
        let mut bucket = Bucket::full(RATE, Moment(60_000));
        for _ in 0..100 {
            bucket.check(RATE, Moment(60_000)).unwrap();
        }
        for _ in 0..10 {
            bucket.take(RATE, Moment(60_000)).unwrap();
        }
        assert!(bucket.take(RATE, Moment(0)).is_err());
        assert!(!bucket.is_full(RATE, Moment(0)));
        assert!(bucket.is_full(RATE, Moment(3_600_000)));
    }
}
