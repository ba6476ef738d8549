//! From a seed to faults, each with its moment.

use super::proxy::Weather;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde::Serialize;
use std::time::Duration;

/// The longest time between two faults, in milliseconds.
const BETWEEN: u64 = 2_500;
/// The longest that a killed node stays away, in milliseconds: longer than an election takes.
const AWAY: u64 = 4_000;

/// Something that goes wrong, or is well again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// What is on its way to a keeper, and back, meets other weather.
    Line {
        /// The keeper before which the proxy stands.
        keeper: usize,
        /// From now on.
        weather: Weather,
    },
    /// A process ends as by a power cut, and starts again.
    Kill {
        /// Whose.
        node: usize,
        /// Milliseconds until it starts again.
        away: u64,
    },
}

/// A fault and its moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Milliseconds after the work began.
    pub at: u64,
    /// What happens.
    pub fault: Fault,
}

/// The faults of a seed; the first `keepers` of the nodes have a proxy.
#[must_use]
pub fn events(seed: u64, span: Duration, nodes: usize, keepers: usize) -> Vec<Event> {
    let mut rng = StdRng::seed_from_u64(seed);
    let end = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let mut events = Vec::new();
    let mut at = 0;
    loop {
        at += rng.gen_range(200..BETWEEN);
        if at >= end {
            return events;
        }
        let fault = if rng.gen_bool(0.35) {
            Fault::Kill {
                node: rng.gen_range(0..nodes),
                away: rng.gen_range(0..AWAY),
            }
        } else {
            Fault::Line {
                keeper: rng.gen_range(0..keepers),
                weather: weather(&mut rng),
            }
        };
        events.push(Event { at, fault });
    }
}

fn weather(rng: &mut StdRng) -> Weather {
    match rng.gen_range(0..10) {
        0..4 => Weather::Clear,
        4 => Weather::Delay(rng.gen_range(20..900)),
        5 => Weather::Throttle(rng.gen_range(2_000..60_000)),
        6 | 7 => Weather::Cut(rng.gen_range(0..6_000)),
        8 => Weather::HalfClose(rng.gen_range(0..3_000)),
        _ => Weather::BlackHole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_the_same_faults_again_and_another_makes_others() {
        let of = |seed| events(seed, Duration::from_secs(60), 4, 3);
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn every_fault_is_in_time_and_at_a_node_that_has_it() {
        for seed in 0..50 {
            let mut before = 0;
            for event in events(seed, Duration::from_secs(60), 4, 3) {
                assert!(before < event.at && event.at < 60_000);
                before = event.at;
                match event.fault {
                    Fault::Kill { node, .. } => assert!(node < 4),
                    Fault::Line { keeper, .. } => assert!(keeper < 3),
                }
            }
        }
    }
}
