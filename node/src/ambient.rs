//! The only place that asks the machine for the time and for randomness.

use protocol::time::{Clock, Moment};
use rand_core::{CryptoRng, RngCore};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the place that may")]
    fn now(&self) -> Moment {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Moment(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// The machine's generator of secrets.
#[must_use]
pub fn rng() -> impl RngCore + CryptoRng {
    rand::rngs::OsRng
}

/// An environment variable, where it is set and readable.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place that may")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
