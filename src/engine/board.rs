//! Where a run's standing is posted, for `status`: states as the driver last saw them, traffic and
//! silence as of now.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::{RunState, Snapshot};
use crate::forward::Meter;
use crate::ssh::Session;

/// A run's standing, readable from anywhere at any time.
#[derive(Clone)]
pub struct Board {
    posted: Arc<Mutex<Snapshot>>,
    meters: Arc<[Arc<Meter>]>,
    /// How many sessions each tunnel has beside its own.
    lanes: Arc<[Arc<AtomicUsize>]>,
    /// The session of each tunnel that has one, to see whether it is still heard of.
    sessions: Arc<Mutex<Vec<Weak<Session>>>>,
}

impl Board {
    pub(super) fn new(snapshot: Snapshot, meters: &[Arc<Meter>]) -> Self {
        let lanes = snapshot.tunnels.iter().map(|_| Arc::default()).collect();
        let sessions = snapshot.tunnels.iter().map(|_| Weak::new()).collect();
        let sessions = Arc::new(Mutex::new(sessions));
        Board { posted: Arc::new(Mutex::new(snapshot)), meters: meters.into(), lanes, sessions }
    }

    /// How the run stands now.
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = self.posted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        snapshot.doubt_silent(|t| sessions[t].upgrade().is_some_and(|session| session.is_overdue()));
        for (forward, meter) in snapshot.forwards.iter_mut().zip(self.meters.iter()) {
            let reading = meter.read();
            forward.clients = reading.open;
            forward.connections = reading.accepted;
            forward.bytes_up = reading.up;
            forward.bytes_down = reading.down;
            forward.lost = reading.lost;
        }
        for (tunnel, lanes) in snapshot.tunnels.iter_mut().zip(self.lanes.iter()) {
            tunnel.lanes = lanes.load(Ordering::Relaxed);
        }
        snapshot
    }

    /// Where the number of a tunnel's further sessions is kept.
    pub(super) fn lanes(&self, t: usize) -> Arc<AtomicUsize> {
        self.lanes[t].clone()
    }

    /// Whether every required forward was proved.
    pub fn is_up(&self) -> bool {
        matches!(self.snapshot().state, RunState::Up | RunState::Degraded | RunState::Verifying)
    }

    /// From now on this session is that of tunnel `t`.
    pub(super) fn watch(&self, t: usize, session: &Arc<Session>) {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)[t] = Arc::downgrade(session);
    }

    pub(super) fn post(&self, change: impl FnOnce(&mut Snapshot)) {
        change(&mut self.posted.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
