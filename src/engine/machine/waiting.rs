//! Waiting for other machines' hoppers: it takes no turn from anybody, keeps nobody from being up who does not need
//! it, and is no reason to end when something breaks meanwhile.

use super::{ForwardState, Machine, TunnelState};

impl Machine {
    pub(super) fn tunnel_waits(&mut self, t: usize) {
        if self.tunnels[t].state == TunnelState::Connecting {
            self.tunnels[t].waits = true;
            self.is_waited_for(self.tunnels[t].needs.clone());
        }
    }

    pub(super) fn forward_waits(&mut self, f: usize) {
        if self.forwards[f].state == ForwardState::Checking {
            self.forwards[f].waits = true;
            self.is_waited_for(self.forwards[f].needs.clone());
        }
    }

    /// What waits stands on these, and on what they stand on.
    fn is_waited_for(&mut self, mut ground: Vec<usize>) {
        while let Some(under) = ground.pop() {
            self.tunnels[under].waited_for = true;
            ground.extend(&self.tunnels[under].needs);
        }
    }

    /// Whether a forward was never served, since it leads through a machine whose hopper is not there yet; and
    /// nobody requires it.
    pub(super) fn is_absent(&self, f: usize) -> bool {
        let forward = &self.forwards[f];
        !forward.required && !forward.serving && self.waits_on_its_way(f)
    }

    /// Whether a forward waits for another machine's hopper, by itself or because of something that it stands on.
    pub(super) fn waits_on_its_way(&self, f: usize) -> bool {
        let forward = &self.forwards[f];
        let waits = forward.state == ForwardState::Checking && forward.waits;
        waits || self.any_waits(&forward.needs)
    }

    fn any_waits(&self, tunnels: &[usize]) -> bool {
        tunnels.iter().any(|&t| self.tunnels[t].is_waiting() || self.any_waits(&self.tunnels[t].needs))
    }
}
