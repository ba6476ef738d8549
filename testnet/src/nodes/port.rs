//! A port of this machine that nobody else takes while it is held.

use anyhow::{Context, Result};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that the system gives to outgoing connections: one of those could take the port
/// of a node that is down for a moment.
const FIRST: u16 = 20_000;
const COUNT: u16 = 11_000;

/// Where this process looks next; processes start at different places.
static NEXT: AtomicU16 = AtomicU16::new(0);

/// A free port, held until its user is about to listen on it.
#[derive(Debug)]
pub(super) struct Port {
    number: u16,
    held: Option<TcpListener>,
}

impl Port {
    pub(super) fn free() -> Result<Self> {
        let start = u16::try_from(std::process::id().wrapping_mul(97) % u32::from(COUNT))
            .context("a remainder below the count")?;
        for _ in 0..COUNT {
            let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
            let number = FIRST + (start + step) % COUNT;
            if let Ok(held) = TcpListener::bind((Ipv4Addr::LOCALHOST, number)) {
                return Ok(Self {
                    number,
                    held: Some(held),
                });
            }
        }
        anyhow::bail!("no port from {FIRST} on is free")
    }

    pub(super) fn address(&self) -> String {
        format!("{}:{}", Ipv4Addr::LOCALHOST, self.number)
    }

    /// Lets the port go to whoever listens next.
    pub(super) fn leave(&mut self) {
        self.held = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_held_ports_differ_and_cannot_be_taken() {
        let (one, two) = (Port::free().unwrap(), Port::free().unwrap());
        assert_ne!(one.number, two.number);
        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, one.number)).is_err());
    }

    #[test]
    fn a_port_that_was_left_can_be_taken() {
        let mut port = Port::free().unwrap();
        port.leave();
        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, port.number)).is_ok());
    }
}
