//! How everything stands: what the machine tells whoever asks. Changes nothing.

use super::part::{Doom, Forward, Halt};
use super::{Failure, ForwardState, Machine, RunState, TunnelState};

impl Machine {
    /// The whole run.
    pub fn state(&self) -> RunState {
        match () {
            () if self.finished => RunState::Down,
            () if self.leaving => RunState::Closing,
            () if !self.was_up() => RunState::Connecting,
            () if !(0..self.forwards.len()).all(|f| self.is_well(f)) => RunState::Degraded,
            () if self.has_doubts() => RunState::Verifying,
            () if !self.forwards.iter().all(Forward::is_up) => RunState::Resting,
            () => RunState::Up,
        }
    }

    /// A tunnel's state.
    pub fn tunnel(&self, t: usize) -> TunnelState {
        let tunnel = &self.tunnels[t];
        match tunnel.state {
            TunnelState::Connecting if tunnel.waits => TunnelState::Waiting,
            TunnelState::Pending if !tunnel.wanted && tunnel.doom.is_none() => TunnelState::Standby,
            TunnelState::Pending if tunnel.resting => TunnelState::Resting,
            state => state,
        }
    }

    /// Why a tunnel is not up, or was not when it was last tried.
    pub fn tunnel_cause(&self, t: usize) -> Option<&Failure> {
        self.tunnels[t].cause.as_ref()
    }

    /// How often a tunnel was rebuilt.
    pub fn reconnects(&self, t: usize) -> u64 {
        self.tunnels[t].reconnects
    }

    /// A forward's state. One that is being suspended serves nobody any more; one that did not answer when it
    /// was asked again is not proved any more, but serves on.
    pub fn forward(&self, f: usize) -> ForwardState {
        let forward = &self.forwards[f];
        match forward.state {
            _ if self.rests(f) => ForwardState::Resting,
            _ if forward.doom == Some(Doom::Rebuild) => ForwardState::Pending,
            ForwardState::Up if forward.missed => ForwardState::Checking,
            state => state,
        }
    }

    /// Why a forward is not up, or was not when it was last tried.
    pub fn forward_cause(&self, f: usize) -> Option<&Failure> {
        self.forwards[f].cause.as_ref()
    }

    /// Whether the run was ever up.
    pub fn was_up(&self) -> bool {
        self.up_since.is_some()
    }

    /// Why the run ends badly, once it does.
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Whether something that the run wants does not work any more: then nobody is worth waiting for.
    pub fn has_broken(&self) -> bool {
        self.failure.is_some() || self.broken_since.is_some()
    }

    /// Whether a tunnel is being closed, so that its end is expected.
    pub fn is_doomed(&self, t: usize) -> bool {
        self.tunnels[t].doom.is_some()
    }

    /// Whether a tunnel that is being closed will be opened again.
    pub fn returns(&self, t: usize) -> bool {
        self.tunnels[t].doom == Some(Doom::Rebuild)
    }

    /// Whether a forward that is being stopped only waits until it can be proved again.
    pub fn is_suspended(&self, f: usize) -> bool {
        self.forwards[f].stopping == Some(Halt::Suspend)
    }

    /// Whether a forward's proof is waited for.
    pub fn is_being_proved(&self, f: usize) -> bool {
        self.forwards[f].state == ForwardState::Checking && self.forwards[f].doom.is_none()
    }

    /// Whether it is waited for what a forward says that is served.
    pub fn is_being_verified(&self, f: usize) -> bool {
        self.forwards[f].asking && self.forwards[f].doom.is_none()
    }
}
