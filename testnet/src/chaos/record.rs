//! What was done, line by line, with its moment: what somebody reads who looks for the cause.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The most lines that are kept; the first ones go.
const LINES: usize = 20_000;

/// The lines of one run.
#[derive(Debug)]
pub struct Record {
    begun: Instant,
    lines: Mutex<Vec<String>>,
}

impl Default for Record {
    fn default() -> Self {
        Self {
            begun: crate::ambient::stopwatch(),
            lines: Mutex::default(),
        }
    }
}

impl Record {
    /// How long it has been kept.
    #[must_use]
    pub fn since(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Adds a line.
    pub fn note(&self, what: &str) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.drain(..LINES / 2);
        }
        lines.push(format!(
            "{:>7} ms  {what}",
            self.begun.elapsed().as_millis()
        ));
    }

    /// All lines.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
