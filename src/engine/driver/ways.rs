//! What the driver does for forwards with several ways: says which one is taken and why, and looks whether anybody
//! would be cut by going back.

use super::Driver;
use crate::engine::machine::Input;
use crate::engine::{Event, Failure, Standby};
use crate::plan::PlannedForward;
use crate::topology::HostId;

impl Driver {
    /// A forward on the way that it takes.
    pub(super) fn planned(&self, f: usize) -> &PlannedForward {
        self.scene.plan.forwards[f].way(self.machine.way(f))
    }

    /// The way that a forward takes, where that is not the one that it prefers.
    pub(super) fn standby(&self, f: usize) -> Option<Standby> {
        let failure = self.machine.left_for(f)?;
        let (preferred, taken) = (&self.scene.plan.forwards[f], self.planned(f));
        Some(Standby {
            way: self.machine.way(f),
            by: owned(taken.hosts_beside(preferred)),
            instead_of: owned(preferred.hosts_beside(taken)),
            cause: failure.message.clone(),
            code: failure.code,
        })
    }

    /// Has forwards go back that only wait until nobody is connected: a move would cut whoever is.
    pub(super) fn look_for_idle(&mut self) {
        for f in 0..self.forwards.len() {
            let now = self.started.elapsed();
            if self.machine.would_go_back(f, now) && self.forwards[f].meter.read().open == 0 {
                self.step(Input::Idle(f));
            }
        }
    }

    pub(super) fn tell_failed_over(&self, f: usize, from: usize, to: usize, failure: Failure) {
        let planned = &self.scene.plan.forwards[f];
        let (from, to) = (planned.way(from), planned.way(to));
        self.scene.tell(Event::FailedOver {
            forward: planned.forward.id.clone(),
            by: owned(to.hosts_beside(from)),
            instead_of: owned(from.hosts_beside(to)),
            failure,
        });
    }

    pub(super) fn tell_went_back(&self, f: usize) {
        let planned = &self.scene.plan.forwards[f];
        self.scene
            .tell(Event::WentBack { forward: planned.forward.id.clone(), route: planned.route.clone() });
    }
}

fn owned(hosts: Vec<&HostId>) -> Vec<HostId> {
    hosts.into_iter().cloned().collect()
}
