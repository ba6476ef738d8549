//! The memory that makes every signed request good for one use.
//!
//! It lives in memory alone. A keeper that started anew has forgotten, so it refuses whatever was
//! signed before its start and a little after; what is signed later it has not met yet. A clock that
//! is set back by more than a signature lives counts as such a start, since members would otherwise be
//! refused until it has caught up; what is still remembered stays so.

use super::VerifiedRequest;
use crate::{
    id::NodeId,
    limits::{CLOCK_AHEAD, NONCE_CALLERS, NONCE_LIFE, NONCES_MAX},
    problem::ProblemKind,
    time::Moment,
};
use rand_core::{CryptoRng, RngCore};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

/// Sixteen random bytes that are used once.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nonce(pub [u8; 16]);

impl Nonce {
    /// A fresh nonce from the caller's generator.
    pub fn random(rng: &mut (impl RngCore + CryptoRng)) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }
}

impl fmt::Debug for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Nonce({})", data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// Why a request with a good signature is still not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NonceError {
    /// Seen before.
    #[error("this very request was already answered; sign each request anew")]
    Replayed,
    /// From before the memory begins.
    #[error(
        "this was signed before this keeper started or by a clock behind; sign it again after {retry_at:?}"
    )]
    StaleSinceRestart {
        /// A signature made at this moment by the keeper's clock is accepted.
        retry_at: Moment,
    },
    /// The caller asks more often than is remembered.
    #[error("too many requests of this node are still remembered; wait until {retry_at:?}")]
    Full {
        /// When the first of them is forgotten.
        retry_at: Moment,
    },
}

impl NonceError {
    /// What the other side is told.
    #[must_use]
    pub fn problem(&self) -> ProblemKind {
        match self {
            Self::Replayed => ProblemKind::Replayed,
            Self::StaleSinceRestart { .. } => ProblemKind::StaleSinceRestart,
            Self::Full { .. } => ProblemKind::Rate,
        }
    }
}

/// The nonces of requests that could still be sent again.
#[derive(Debug)]
pub struct Nonces {
    not_before: Moment,
    latest: Moment,
    known: BTreeMap<NodeId, BTreeSet<Nonce>>,
    by_expiry: BTreeSet<(Moment, NodeId, Nonce)>,
}

impl Nonces {
    /// An empty memory that begins now: at the start of the process, or when it takes over.
    #[must_use]
    pub fn starting_at(now: Moment) -> Self {
        let not_before = now.plus(CLOCK_AHEAD);
        Self {
            not_before,
            latest: now,
            known: BTreeMap::new(),
            by_expiry: BTreeSet::new(),
        }
    }

    /// Takes note of a verified request. The clock may go back a little; the memory does not: a request
    /// that was forgotten as expired stays refused. A clock that is set back further begins anew.
    ///
    /// # Errors
    /// [`NonceError`]: this request must not be answered.
    pub fn remember(&mut self, request: &VerifiedRequest, now: Moment) -> Result<(), NonceError> {
        if self.latest.since(now) > NONCE_LIFE {
            self.not_before = now.plus(CLOCK_AHEAD);
            self.latest = now;
        }
        self.latest = self.latest.max(now);
        self.forget_expired();
        if request.created < self.not_before || request.expires < self.latest {
            let retry_at = self.not_before.max(self.latest).plus(1_000); // `created` is in whole seconds
            return Err(NonceError::StaleSinceRestart { retry_at });
        }
        let VerifiedRequest {
            caller,
            nonce,
            expires,
            ..
        } = *request;
        let of_caller = self.known.get(&caller);
        if of_caller.is_some_and(|nonces| nonces.contains(&nonce)) {
            return Err(NonceError::Replayed);
        }
        let caller_full = of_caller.is_some_and(|nonces| nonces.len() >= NONCES_MAX);
        let stranger_full = of_caller.is_none() && self.known.len() >= NONCE_CALLERS;
        if caller_full || stranger_full {
            let first = self
                .by_expiry
                .iter()
                .find(|(_, node, _)| stranger_full || *node == caller);
            let retry_at = first.map_or(now, |(expires, ..)| *expires).plus(1);
            return Err(NonceError::Full { retry_at });
        }
        self.known.entry(caller).or_default().insert(nonce);
        self.by_expiry.insert((expires, caller, nonce));
        Ok(())
    }

    /// How many nonces are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_expiry.len()
    }

    /// Whether none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_expiry.is_empty()
    }

    fn forget_expired(&mut self) {
        while let Some(&(expires, caller, nonce)) = self.by_expiry.first()
            && expires < self.latest
        {
            self.by_expiry.pop_first();
            if let Some(nonces) = self.known.get_mut(&caller) {
                nonces.remove(&nonce);
                if nonces.is_empty() {
                    self.known.remove(&caller);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{identity::KeyId, sign::Seen};

    const START: Moment = Moment(1_000_000);

    fn request(caller: u16, number: u32, created: Moment) -> VerifiedRequest {
        let mut node = [0; 32];
        node[..2].copy_from_slice(&caller.to_be_bytes());
        let mut nonce = [0; 16];
        nonce[..4].copy_from_slice(&number.to_be_bytes());
        VerifiedRequest {
            caller: NodeId(node),
            kid: KeyId([0; 8]),
            nonce: Nonce(nonce),
            created,
            expires: created.plus(300_000),
            seen: Seen {
                log: None,
                document: 1,
            },
        }
    }

    #[test]
    fn the_same_request_is_answered_once() {
        let (mut nonces, now) = (Nonces::starting_at(START), START.plus(10_000));
        let first = request(1, 1, now);
        assert_eq!(nonces.remember(&first, now), Ok(()));
        assert_eq!(
            nonces.remember(&first, first.expires),
            Err(NonceError::Replayed)
        );
        assert_eq!(
            nonces.remember(&request(2, 1, now), now),
            Ok(()),
            "another node may draw the same"
        );
    }

    #[test]
    fn what_was_signed_before_the_start_is_refused() {
        let mut nonces = Nonces::starting_at(START);
        for created in [START.plus(-1), START, START.plus(4_999)] {
            let result = nonces.remember(&request(1, 1, created), START.plus(6_000));
            assert!(
                matches!(result, Err(NonceError::StaleSinceRestart { .. })),
                "{created:?}"
            );
        }
        assert_eq!(
            nonces.remember(&request(1, 1, START.plus(5_000)), START.plus(6_000)),
            Ok(())
        );
    }

    #[test]
    fn a_clock_that_goes_back_does_not_bring_old_requests_back() {
        let (mut nonces, now) = (Nonces::starting_at(START), START.plus(10_000));
        let old = request(1, 1, now);
        nonces.remember(&old, now).unwrap();
        nonces
            .remember(&request(1, 2, old.expires), old.expires.plus(1))
            .unwrap();
        let result = nonces.remember(&old, now);
        assert!(
            matches!(result, Err(NonceError::StaleSinceRestart { .. })),
            "{result:?}"
        );
    }

    #[test]
    fn a_clock_that_is_set_back_far_answers_members_and_repeats_nothing_it_remembers() {
        let (mut nonces, wrong) = (Nonces::starting_at(START), START.plus(3_600_000));
        let ahead = request(1, 1, wrong);
        nonces.remember(&ahead, wrong).unwrap();
        let right = START.plus(600_000);
        let before = request(1, 2, right);
        let refused = nonces.remember(&before, right);
        let retry_at = right.plus(CLOCK_AHEAD + 1_000);
        assert_eq!(refused, Err(NonceError::StaleSinceRestart { retry_at }));
        let again = request(1, 3, right.plus(CLOCK_AHEAD));
        assert_eq!(nonces.remember(&again, right), Ok(()));
        assert_eq!(nonces.remember(&again, right), Err(NonceError::Replayed));
        assert_eq!(nonces.remember(&ahead, wrong), Err(NonceError::Replayed));
    }

    #[test]
    fn a_clock_that_goes_back_a_little_forgets_nothing() {
        let (mut nonces, now) = (Nonces::starting_at(START), START.plus(400_000));
        let old = request(1, 1, now.plus(-300_000));
        nonces.remember(&old, now).unwrap();
        nonces.remember(&request(1, 2, now), now.plus(1)).unwrap();
        let result = nonces.remember(&old, now.plus(-NONCE_LIFE + 1));
        assert!(
            matches!(result, Err(NonceError::StaleSinceRestart { .. })),
            "{result:?}"
        );
    }

    #[test]
    fn one_node_fills_its_own_memory_and_not_that_of_others() {
        let (mut nonces, now) = (Nonces::starting_at(START), START.plus(10_000));
        for number in 0..u32::try_from(NONCES_MAX).unwrap() {
            nonces.remember(&request(1, number, now), now).unwrap();
        }
        let retry_at = now.plus(300_001);
        let more = request(1, u32::MAX, now);
        assert_eq!(
            nonces.remember(&more, now),
            Err(NonceError::Full { retry_at })
        );
        assert_eq!(nonces.remember(&request(2, 1, now), now), Ok(()));
        assert_eq!(
            nonces.remember(&request(1, u32::MAX, retry_at), retry_at),
            Ok(())
        );
        assert_eq!(nonces.len(), 1, "the rest was forgotten when it expired");
    }

    #[test]
    fn strangers_cannot_fill_the_memory() {
        let (mut nonces, now) = (Nonces::starting_at(START), START.plus(10_000));
        let callers = u16::try_from(NONCE_CALLERS).unwrap();
        for caller in 0..callers {
            nonces.remember(&request(caller, 1, now), now).unwrap();
        }
        let result = nonces.remember(&request(callers, 1, now), now);
        assert!(matches!(result, Err(NonceError::Full { .. })));
        assert_eq!(
            nonces.remember(&request(0, 2, now), now),
            Ok(()),
            "a known caller goes on"
        );
    }
}
