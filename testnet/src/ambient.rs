//! The only place here that asks the machine for the day, for the time passed, and for a connection.

use anyhow::{Context, Result};
use std::time::{Duration, Instant};

/// How long a node on this machine may take to answer a small question.
const ANSWER: Duration = Duration::from_secs(10);

/// The hour of the day in a time zone.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place that may")]
pub fn hour_in(zone: jiff::tz::TimeZone) -> i8 {
    jiff::Timestamp::now().to_zoned(zone).hour()
}

/// Today, where this machine stands: synthetic lists are as if exported today.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place that may")]
pub fn today() -> jiff::civil::Date {
    jiff::Zoned::now().date()
}

/// The present, for measuring how long something takes.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the place that may")]
pub fn stopwatch() -> Instant {
    Instant::now()
}

/// What asks nodes on this machine; it passes no proxy.
///
/// # Errors
/// When TLS cannot be set up, which a plain address does not need but the client does.
pub fn http_client() -> Result<reqwest::Client> {
    patient_client(ANSWER)
}

/// What asks nodes and waits longer for their answers; it passes no proxy and follows nobody elsewhere.
///
/// # Errors
/// As [`http_client`].
#[expect(clippy::disallowed_methods, reason = "this is the place that may")]
pub fn patient_client(answer: Duration) -> Result<reqwest::Client> {
    // It was installed before, or is now: either way there is one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder().no_proxy().timeout(answer);
    let builder = builder.redirect(reqwest::redirect::Policy::none());
    builder.build().context("cannot ask over HTTP")
}
