//! Where a run's standing is posted, for `status`: states as the driver last saw them, traffic and
//! silence as of now.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::{RunState, Snapshot};
use crate::forward::Meter;
use crate::plan::{Plan, Succession};
use crate::ssh::Session;

/// A run's standing, readable from anywhere at any time.
#[derive(Clone)]
pub struct Board {
    posted: Arc<Mutex<Posted>>,
}

struct Posted {
    snapshot: Snapshot,
    plan: Arc<Plan>,
    meters: Vec<Arc<Meter>>,
    /// How many sessions each tunnel has beside its own.
    lanes: Vec<Arc<AtomicUsize>>,
    /// The session of each tunnel that has one, to see whether it is still heard of.
    sessions: Vec<Weak<Session>>,
}

impl Board {
    pub(super) fn new(snapshot: Snapshot, plan: Arc<Plan>, meters: &[Arc<Meter>]) -> Self {
        let lanes = snapshot.tunnels.iter().map(|_| Arc::default()).collect();
        let sessions = snapshot.tunnels.iter().map(|_| Weak::new()).collect();
        let posted = Posted { snapshot, plan, meters: meters.to_vec(), lanes, sessions };
        Board { posted: Arc::new(Mutex::new(posted)) }
    }

    /// How the run stands now.
    pub fn snapshot(&self) -> Snapshot {
        let posted = self.posted();
        let mut snapshot = posted.snapshot.clone();
        let silent = |session: &Weak<Session>| session.upgrade().is_some_and(|session| session.is_overdue());
        snapshot.doubt_silent(|t| silent(&posted.sessions[t]));
        for (forward, meter) in snapshot.forwards.iter_mut().zip(&posted.meters) {
            let reading = meter.read();
            forward.clients = reading.open;
            forward.connections = reading.accepted;
            forward.bytes_up = reading.up;
            forward.bytes_down = reading.down;
            forward.lost = reading.lost;
        }
        for (tunnel, lanes) in snapshot.tunnels.iter_mut().zip(&posted.lanes) {
            tunnel.lanes = lanes.load(Ordering::Relaxed);
        }
        snapshot
    }

    /// Where the number of a tunnel's further sessions is kept.
    pub(super) fn lanes(&self, t: usize) -> Arc<AtomicUsize> {
        self.posted().lanes[t].clone()
    }

    /// The plan that it obeys now.
    pub fn plan(&self) -> Arc<Plan> {
        self.posted().plan.clone()
    }

    /// Whether every required forward was proved.
    pub fn is_up(&self) -> bool {
        use RunState::{Degraded, Resting, Up, Verifying};
        matches!(self.snapshot().state, Up | Degraded | Verifying | Resting)
    }

    /// From now on this session is that of tunnel `t`.
    pub(super) fn watch(&self, t: usize, session: &Arc<Session>) {
        self.posted().sessions[t] = Arc::downgrade(session);
    }

    pub(super) fn post(&self, change: impl FnOnce(&mut Snapshot)) {
        change(&mut self.posted().snapshot);
    }

    /// Another plan is obeyed from now on; what its parts count, and how they stand.
    pub(super) fn renew(
        &self,
        plan: Arc<Plan>,
        kept: &Succession,
        meters: &[Arc<Meter>],
        next: impl FnOnce(&Snapshot) -> Snapshot,
    ) {
        let mut posted = self.posted();
        let snapshot = next(&posted.snapshot);
        let lanes = kept.tunnels.iter().map(|was| was.map(|was| posted.lanes[was].clone()));
        let lanes = lanes.map(Option::unwrap_or_default).collect();
        let sessions = kept.tunnels.iter().map(|was| was.map(|was| posted.sessions[was].clone()));
        let sessions = sessions.map(Option::unwrap_or_default).collect();
        *posted = Posted { snapshot, plan, meters: meters.to_vec(), lanes, sessions };
    }

    fn posted(&self) -> MutexGuard<'_, Posted> {
        self.posted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
