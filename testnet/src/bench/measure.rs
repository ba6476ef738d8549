//! Time, processor time and memory, as the machine counts them.
#![expect(clippy::disallowed_methods, reason = "measuring is what this is for")]

use serde_json::{Map, Value, json};
use std::time::Instant;

/// What a piece of work took.
#[derive(Debug, Clone, Copy)]
pub struct Took {
    /// Seconds on the wall.
    pub wall: f64,
    /// Seconds of this thread on a processor.
    pub cpu: f64,
}

/// Runs a piece of work and measures it.
pub fn time<T>(work: impl FnOnce() -> T) -> (T, Took) {
    let (began, cpu) = (Instant::now(), thread_cpu());
    let result = work();
    (
        result,
        Took {
            wall: began.elapsed().as_secs_f64(),
            cpu: thread_cpu() - cpu,
        },
    )
}

/// A stopwatch on the wall.
#[derive(Debug, Clone, Copy)]
pub struct Watch(Instant);

impl Watch {
    /// Starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Seconds since it was started.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0.elapsed().as_secs_f64()
    }
}

/// Seconds that this thread has spent on a processor, from the scheduler's own count.
fn thread_cpu() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds: u64 = text
        .split_whitespace()
        .next()
        .and_then(|field| field.parse().ok())
        .unwrap_or(0);
    nanoseconds as f64 / 1e9
}

/// Resident memory of a process in megabytes, by its id.
#[must_use]
pub fn resident_mb(process: u32) -> Option<f64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes / 1024.0)
}

/// The processor's name and the number of cores that this process may use.
#[must_use]
pub fn machine() -> Map<String, Value> {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .and_then(|rest| rest.split_once(':'))
        .map_or("unknown", |(_, name)| name.trim());
    let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let mut machine = Map::new();
    machine.insert("processor".to_owned(), json!(name));
    machine.insert("cores".to_owned(), json!(cores));
    machine
}

/// The value below which a share of sorted values lies.
#[must_use]
pub fn percentile(sorted: &[f64], share: f64) -> f64 {
    let place = (share * (sorted.len().saturating_sub(1)) as f64).round() as usize;
    sorted.get(place).copied().unwrap_or(0.0)
}

/// A figure that means something: three significant digits or whole numbers.
#[must_use]
pub fn rounded(value: f64) -> Value {
    if value >= 100.0 {
        json!(value.round())
    } else {
        json!((value * 1000.0).round() / 1000.0)
    }
}
