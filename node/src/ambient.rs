//! The only place that asks the machine for the time and for randomness.

use protocol::time::{Clock, Moment};
use rand_chacha::ChaCha20Rng;
use rand_core::{CryptoRng, RngCore, SeedableRng};
use std::{cell::RefCell, marker::PhantomData};

thread_local! {
    static REPEATABLE: RefCell<Option<ChaCha20Rng>> = const { RefCell::new(None) };
}

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
    Source
}

/// While this lives, what its own thread draws follows from a seed: a simulation can be repeated.
///
/// Whoever knows the seed knows every secret that is made meanwhile, so nothing of this program uses
/// it; a test asserts that.
#[derive(Debug)]
pub struct Repeatable(PhantomData<*const ()>);

impl Repeatable {
    /// From here on, for this thread.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        REPEATABLE.set(Some(ChaCha20Rng::seed_from_u64(seed)));
        Self(PhantomData)
    }
}

impl Drop for Repeatable {
    fn drop(&mut self) {
        REPEATABLE.set(None);
    }
}

/// The system's generator, but for [`Repeatable`].
struct Source;

impl RngCore for Source {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, dest: &mut [u8]) {
        REPEATABLE.with_borrow_mut(|repeatable| match repeatable {
            Some(repeatable) => repeatable.fill_bytes(dest),
            None => rand::rngs::OsRng.fill_bytes(dest),
        });
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(dest);
        Ok(())
    }
}

impl CryptoRng for Source {}

/// An environment variable, where it is set and readable.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place that may")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
