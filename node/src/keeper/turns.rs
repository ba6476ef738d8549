//! Whose append is worked on next: members take turns, and a part of the places is for `control`
//! alone. Spec: section 8.2.
//!
//! One member with much to say waits behind itself, not in front of the others; revocations and
//! suppressions never wait for claims and announcements to be through.

use crate::http::problem::Failure;
use protocol::{
    id::NodeId,
    limits::{APPEND_TURN, APPENDS_AT_WORK, APPENDS_FOR_CONTROL, APPENDS_WAITING, KEEPER_QUEUE},
    problem::{Problem, ProblemKind},
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;

/// After how many milliseconds a member may ask again that found the queue full.
const ASK_AGAIN: u64 = 1_000;
/// How long an append waits for its turn.
const TURN: Duration = Duration::from_millis(APPEND_TURN.unsigned_abs());

/// The places and who waits for one.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<Mutex<Places>>);

#[derive(Debug, Default)]
struct Places {
    taken: usize,
    taken_by_others: usize,
    control: Ring,
    others: Ring,
    control_was_last: bool,
}

/// Members that wait, each with its own queue, in the order in which they are served.
#[derive(Debug, Default)]
struct Ring {
    members: VecDeque<(NodeId, VecDeque<Waiting>)>,
    entries: usize,
}

#[derive(Debug)]
struct Waiting {
    entries: usize,
    call: oneshot::Sender<Turn>,
}

/// A place; it is free again when this is dropped.
#[derive(Debug)]
pub struct Turn {
    turns: Turns,
    control: bool,
}

impl Drop for Turn {
    fn drop(&mut self) {
        {
            let mut places = self.turns.places();
            places.taken -= 1;
            places.taken_by_others -= usize::from(!self.control);
        }
        self.turns.call();
    }
}

impl Ring {
    /// Puts somebody at the end of its own queue; `false` when the queue is full.
    fn push(&mut self, member: NodeId, waiting: Waiting) -> bool {
        if self.entries.saturating_add(waiting.entries) > KEEPER_QUEUE {
            return false;
        }
        let entries = waiting.entries;
        match self.members.iter_mut().find(|(known, _)| *known == member) {
            Some((_, own)) if own.len() >= APPENDS_WAITING => return false,
            Some((_, own)) => own.push_back(waiting),
            None => self.members.push_back((member, [waiting].into())),
        }
        self.entries += entries;
        true
    }

    /// The next one who still waits; its member goes to the end of the row.
    fn pop(&mut self) -> Option<oneshot::Sender<Turn>> {
        while let Some((member, mut own)) = self.members.pop_front() {
            let next = own.pop_front();
            if !own.is_empty() {
                self.members.push_back((member, own));
            }
            let Some(next) = next else { continue };
            self.entries -= next.entries;
            if !next.call.is_closed() {
                return Some(next.call);
            }
        }
        None
    }
}

impl Places {
    /// Who comes next and whether it is `control`; takes the place.
    fn next(&mut self) -> Option<(oneshot::Sender<Turn>, bool)> {
        if self.taken >= APPENDS_AT_WORK {
            return None;
        }
        let room = self.taken_by_others < APPENDS_AT_WORK - APPENDS_FOR_CONTROL;
        // Both in turn where both may, so that neither waits for ever.
        let first = if self.control_was_last && room {
            self.others.pop().map(|call| (call, false))
        } else {
            None
        };
        let next = first
            .or_else(|| self.control.pop().map(|call| (call, true)))
            .or_else(|| {
                let others = room.then(|| self.others.pop()).flatten();
                others.map(|call| (call, false))
            })?;
        self.taken += 1;
        self.taken_by_others += usize::from(!next.1);
        self.control_was_last = next.1;
        Some(next)
    }
}

impl Turns {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls those for whom there is a place now.
    fn call(&self) {
        loop {
            let next = self.places().next();
            let Some((call, control)) = next else { return };
            let turn = Turn {
                turns: self.clone(),
                control,
            };
            // Who went away meanwhile gives its place back at once, and the next one is called.
            let _ = call.send(turn);
        }
    }

    /// Waits for a place. `control` says that every entry is of that class.
    ///
    /// # Errors
    /// `rate` when too much waits already, or no turn comes in time.
    pub async fn take(
        &self,
        member: NodeId,
        control: bool,
        entries: usize,
    ) -> Result<Turn, Failure> {
        let (call, called) = oneshot::channel();
        let queued = {
            let mut places = self.places();
            let ring = if control {
                &mut places.control
            } else {
                &mut places.others
            };
            ring.push(member, Waiting { entries, call })
        };
        if !queued {
            return Err(ask_again("too much waits at this keeper already"));
        }
        self.call();
        // Who stops waiting leaves the queue when its turn comes.
        match tokio::time::timeout(TURN, called).await {
            Ok(turn) => turn.map_err(|_| Failure::internal("a place among appends was lost")),
            Err(_) => Err(ask_again("no turn came in time; nothing was ordered")),
        }
    }
}

fn ask_again(detail: &str) -> Failure {
    let mut problem = Problem::new(ProblemKind::Rate, detail, "");
    problem.retry_after_ms = Some(ASK_AGAIN);
    Failure(Box::new(problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::Future, pin::Pin, task::Poll};

    type Taking<'a> = Pin<Box<dyn Future<Output = Result<Turn, Failure>> + 'a>>;

    fn taking(turns: &Turns, member: u8, control: bool) -> Taking<'_> {
        Box::pin(turns.take(NodeId([member; 32]), control, 1))
    }

    async fn try_now(taking: &mut Taking<'_>) -> Option<Result<Turn, Failure>> {
        std::future::poll_fn(|cx| {
            Poll::Ready(match taking.as_mut().poll(cx) {
                Poll::Ready(done) => Some(done),
                Poll::Pending => None,
            })
        })
        .await
    }

    async fn filled(turns: &Turns) -> Vec<Turn> {
        let mut taken = Vec::new();
        for _ in 0..APPENDS_AT_WORK - APPENDS_FOR_CONTROL {
            taken.push(turns.take(NodeId([1; 32]), false, 1).await.unwrap());
        }
        taken
    }

    #[tokio::test]
    async fn a_quarter_of_the_places_is_for_control_alone() {
        let turns = Turns::default();
        let _taken = filled(&turns).await;
        let mut data = taking(&turns, 2, false);
        assert!(try_now(&mut data).await.is_none());
        for _ in 0..APPENDS_FOR_CONTROL {
            let control = try_now(&mut taking(&turns, 2, true)).await.unwrap();
            drop(control.unwrap());
        }
        assert!(try_now(&mut data).await.is_none());
    }

    #[tokio::test]
    async fn a_member_with_much_to_say_waits_behind_itself() {
        let turns = Turns::default();
        let mut taken = filled(&turns).await;
        let mut noisy: Vec<Taking<'_>> = (0..4).map(|_| taking(&turns, 1, false)).collect();
        for one in &mut noisy {
            assert!(try_now(one).await.is_none());
        }
        let mut quiet = taking(&turns, 2, false);
        assert!(try_now(&mut quiet).await.is_none());
        taken.pop();
        let first = try_now(&mut noisy[0]).await.unwrap().unwrap();
        assert!(try_now(&mut quiet).await.is_none());
        taken.pop();
        assert!(try_now(&mut noisy[1]).await.is_none(), "the other's turn");
        assert!(try_now(&mut quiet).await.unwrap().is_ok());
        drop(first);
        assert!(try_now(&mut noisy[1]).await.is_some());
    }

    #[tokio::test]
    async fn who_waits_too_often_is_told_when_to_ask_again_and_who_goes_away_costs_no_place() {
        let turns = Turns::default();
        let mut taken = filled(&turns).await;
        let mut waiting: Vec<Taking<'_>> = Vec::new();
        for _ in 0..APPENDS_WAITING {
            let mut one = taking(&turns, 2, false);
            assert!(try_now(&mut one).await.is_none());
            waiting.push(one);
        }
        let refused = try_now(&mut taking(&turns, 2, false)).await.unwrap();
        let problem = refused.unwrap_err().0;
        assert_eq!(problem.code, "rate");
        assert_eq!(problem.retry_after_ms, Some(ASK_AGAIN));
        drop(waiting);
        let mut other = taking(&turns, 3, false);
        assert!(try_now(&mut other).await.is_none());
        taken.clear();
        assert!(try_now(&mut other).await.unwrap().is_ok());
        assert_eq!(turns.places().taken, 0, "every place is free again");
    }

    #[tokio::test]
    async fn control_that_keeps_coming_does_not_keep_the_rest_out() {
        let turns = Turns::default();
        let mut taken = Vec::new();
        for _ in 0..APPENDS_AT_WORK {
            taken.push(turns.take(NodeId([1; 32]), true, 1).await.unwrap());
        }
        let mut control: Vec<Taking<'_>> = (2..6).map(|n| taking(&turns, n, true)).collect();
        for one in &mut control {
            assert!(try_now(one).await.is_none());
        }
        let mut data = taking(&turns, 9, false);
        assert!(try_now(&mut data).await.is_none());
        taken.pop();
        assert!(try_now(&mut data).await.unwrap().is_ok());
    }
}
