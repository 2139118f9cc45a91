//! Where a run's standing is posted, for `status`: states as the driver last saw them, traffic as of
//! now.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{RunState, Snapshot};
use crate::forward::Meter;
use crate::plan::Plan;

/// A run's standing, readable from anywhere at any time.
#[derive(Clone)]
pub struct Board {
    posted: Arc<Mutex<Posted>>,
}

struct Posted {
    snapshot: Snapshot,
    plan: Arc<Plan>,
    meters: Vec<Arc<Meter>>,
}

impl Board {
    pub(super) fn new(snapshot: Snapshot, plan: Arc<Plan>, meters: &[Arc<Meter>]) -> Self {
        Board { posted: Arc::new(Mutex::new(Posted { snapshot, plan, meters: meters.to_vec() })) }
    }

    /// How the run stands now.
    pub fn snapshot(&self) -> Snapshot {
        let posted = self.posted();
        let mut snapshot = posted.snapshot.clone();
        for (forward, meter) in snapshot.forwards.iter_mut().zip(&posted.meters) {
            let reading = meter.read();
            forward.clients = reading.open;
            forward.connections = reading.accepted;
            forward.bytes_up = reading.up;
            forward.bytes_down = reading.down;
            forward.lost = reading.lost;
        }
        snapshot
    }

    /// The plan that it obeys now.
    pub fn plan(&self) -> Arc<Plan> {
        self.posted().plan.clone()
    }

    /// Whether every required forward was proved.
    pub fn is_up(&self) -> bool {
        matches!(self.snapshot().state, RunState::Up | RunState::Degraded | RunState::Verifying)
    }

    pub(super) fn post(&self, change: impl FnOnce(&mut Snapshot)) {
        change(&mut self.posted().snapshot);
    }

    /// Another plan is obeyed from now on; what its parts count, and how they stand.
    pub(super) fn renew(
        &self,
        plan: Arc<Plan>,
        meters: &[Arc<Meter>],
        next: impl FnOnce(&Snapshot) -> Snapshot,
    ) {
        let mut posted = self.posted();
        let snapshot = next(&posted.snapshot);
        *posted = Posted { snapshot, plan, meters: meters.to_vec() };
    }

    fn posted(&self) -> MutexGuard<'_, Posted> {
        self.posted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
