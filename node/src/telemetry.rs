//! Logs on standard error. Never in them: names, addresses, phones, e-mails, tokens, keys.

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

/// What is logged unless `COMMONTURF_LOG` says otherwise.
const DEFAULT: &str = "commonturf=info,warn";

/// Starts logging; as JSON lines when standard error is not a terminal.
pub fn start() {
    let filter = crate::ambient::variable("COMMONTURF_LOG")
        .and_then(|text| EnvFilter::try_new(text).ok())
        .unwrap_or_else(|| EnvFilter::new(DEFAULT));
    let terminal = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let registry = tracing_subscriber::registry().with(filter);
    if terminal {
        registry
            .with(fmt::layer().with_writer(std::io::stderr).with_target(false))
            .init();
    } else {
        registry
            .with(fmt::layer().json().with_writer(std::io::stderr))
            .init();
    }
}
