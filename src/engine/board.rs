//! Where a run's standing is posted, for `status`: states as the driver last saw them, traffic as of
//! now.

use std::sync::{Arc, Mutex, PoisonError};

use super::{RunState, Snapshot};
use crate::forward::Meter;

/// A run's standing, readable from anywhere at any time.
#[derive(Clone)]
pub struct Board {
    posted: Arc<Mutex<Snapshot>>,
    meters: Arc<[Arc<Meter>]>,
}

impl Board {
    pub(super) fn new(snapshot: Snapshot, meters: &[Arc<Meter>]) -> Self {
        Board { posted: Arc::new(Mutex::new(snapshot)), meters: meters.into() }
    }

    /// How the run stands now.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = self.posted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (forward, meter) in snapshot.forwards.iter_mut().zip(self.meters.iter()) {
            let reading = meter.read();
            forward.clients = reading.open;
            forward.connections = reading.accepted;
            forward.bytes_up = reading.up;
            forward.bytes_down = reading.down;
            forward.lost = reading.lost;
        }
        snapshot
    }

    /// Whether every required forward was proved.
    pub fn is_up(&self) -> bool {
        matches!(self.snapshot().state, RunState::Up | RunState::Degraded | RunState::Verifying)
    }

    pub(super) fn post(&self, change: impl FnOnce(&mut Snapshot)) {
        change(&mut self.posted.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
