//! A node's disk in a simulation: it fails, or its node dies, in the transaction that the list of
//! operations names.

use super::{op::Place, time::Holds};
use commonturf::store::{Faults, Stage, Used};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What is planned.
#[derive(Debug, Clone, Copy, Default)]
enum Plan {
    #[default]
    Good,
    /// After so many good transactions the node dies at a place in the next one.
    Die(u32, Place),
    /// After so many good transactions so many fail at a place.
    Fail(u32, u32, Place),
    Dead,
}

/// One node's disk.
#[derive(Debug)]
pub struct Disk {
    plan: Mutex<(Plan, u64)>,
    holds: Holds,
}

impl Disk {
    /// A good one; time stands still while somebody uses it.
    #[must_use]
    pub fn new(holds: Holds) -> Self {
        Self {
            plan: Mutex::default(),
            holds,
        }
    }

    fn inner(&self) -> MutexGuard<'_, (Plan, u64)> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The node will die.
    pub fn die(&self, after: u32, place: Place) {
        self.inner().0 = Plan::Die(after, place);
    }

    /// Some transactions will fail.
    pub fn fail(&self, after: u32, failing: u32, place: Place) {
        self.inner().0 = Plan::Fail(after, failing, place);
    }

    /// Nothing fails any more.
    pub fn heal(&self) {
        self.inner().0 = Plan::Good;
    }

    /// Whether the node is dead.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        matches!(self.inner().0, Plan::Dead)
    }

    /// How many transactions met with a fault so far.
    #[must_use]
    pub fn injected(&self) -> u64 {
        self.inner().1
    }
}

fn stage_of(place: Place) -> Stage {
    match place {
        Place::Begin => Stage::Begin,
        Place::Commit => Stage::Commit,
        Place::Committed => Stage::Committed,
    }
}

impl Faults for Disk {
    fn used(&self) -> Used {
        Box::new(self.holds.hold())
    }

    fn strike(&self, stage: Stage, _: &'static str) -> Result<(), sqlx::Error> {
        let mut inner = self.inner();
        let (plan, injected) = &mut *inner;
        let failed = |what: &str| Err(sqlx::Error::Io(std::io::Error::other(what.to_owned())));
        match *plan {
            Plan::Good => Ok(()),
            Plan::Dead => failed("the node is dead"),
            // A transaction is counted where it would fail, so that one given up before is none.
            Plan::Die(_, place) | Plan::Fail(_, _, place) if stage_of(place) != stage => Ok(()),
            Plan::Die(0, _) => {
                *plan = Plan::Dead;
                *injected += 1;
                failed("the node dies")
            }
            Plan::Die(after, place) => {
                *plan = Plan::Die(after - 1, place);
                Ok(())
            }
            Plan::Fail(0, 0, _) => {
                *plan = Plan::Good;
                Ok(())
            }
            Plan::Fail(0, failing, place) => {
                *plan = Plan::Fail(0, failing - 1, place);
                *injected += 1;
                failed("the disk is full")
            }
            Plan::Fail(after, failing, place) => {
                *plan = Plan::Fail(after - 1, failing, place);
                Ok(())
            }
        }
    }
}
