//! Small draws from one seeded generator.

use rand::seq::SliceRandom;
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// One independent stream per part of the world: a new draw in one part leaves the others unchanged.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    County = 1,
    C3 = 2,
    C4 = 3,
    Union = 4,
    Pac = 5,
    History = 6,
    Benchmark = 7,
}

/// A seeded source of choices. Ranges are `u32`, so a seed means the same on every machine.
pub(crate) struct Draw(ChaCha8Rng);

impl Draw {
    pub(crate) fn new(seed: u64, stream: Stream) -> Self {
        let mut generator = ChaCha8Rng::seed_from_u64(seed);
        generator.set_stream(stream as u64);
        Self(generator)
    }

    /// A number from 0 to `limit - 1`; `limit` is at least 1.
    pub(crate) fn below(&mut self, limit: u32) -> u32 {
        self.0.gen_range(0..limit)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: u32, high: u32) -> u32 {
        self.0.gen_range(low..=high)
    }

    /// True in so many of a thousand cases.
    pub(crate) fn per_mille(&mut self, rate: u32) -> bool {
        self.below(1_000) < rate
    }

    pub(crate) fn word(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// One item of a list that is never empty.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.index(from.len())]
    }

    /// A place in a list of this length.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        self.below(u32::try_from(length).expect("lists here are far below 2^32")) as usize
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        items.shuffle(&mut self.0);
    }
}
