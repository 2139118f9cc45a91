//! The two rules: close what is doomed once nothing stands on it, open what stands on firm ground.

use std::time::Duration;

use super::part::{Doom, Halt, Tunnel};
use super::{Action, ForwardState, Machine, TunnelState};

impl Machine {
    /// From the inside out: forwards first, then each tunnel once nothing stands on it.
    pub(super) fn close_what_is_doomed(&mut self, actions: &mut Vec<Action>) {
        for (f, forward) in self.forwards.iter_mut().enumerate() {
            let Some(doom) = forward.doom.filter(|_| forward.stopping.is_none()) else { continue };
            let alive = matches!(forward.state, ForwardState::Checking | ForwardState::Up);
            match doom {
                Doom::Rebuild | Doom::Unwanted if alive => {
                    forward.stopping = Some(Halt::Suspend);
                    actions.push(Action::Suspend(f));
                }
                Doom::Rebuild | Doom::Unwanted => forward.doom = None,
                Doom::Gone if alive || forward.serving => {
                    forward.stopping = Some(Halt::Stop);
                    actions.push(Action::Stop(f));
                }
                Doom::Gone if forward.state == ForwardState::Pending => forward.state = forward.end(),
                Doom::Gone => {}
            }
        }
        for t in (0..self.tunnels.len()).rev() {
            let Some(doom) = self.tunnels[t].doom.filter(|_| !self.is_stood_on(t)) else { continue };
            let tunnel = &mut self.tunnels[t];
            match tunnel.state {
                TunnelState::Pending if doom != Doom::Gone => tunnel.doom = None,
                TunnelState::Pending => {
                    tunnel.state =
                        if tunnel.cause.is_some() { TunnelState::Failed } else { TunnelState::Down };
                }
                TunnelState::Connecting | TunnelState::Up => {
                    tunnel.state = TunnelState::Closing;
                    actions.push(Action::Close(t));
                }
                TunnelState::Closing | TunnelState::Failed | TunnelState::Down => {}
                // These are only ever told.
                TunnelState::Standby | TunnelState::Resting | TunnelState::Waiting | TunnelState::Silent => {}
            }
        }
    }

    fn is_stood_on(&self, t: usize) -> bool {
        self.tunnels.iter().any(|above| above.needs.contains(&t) && above.stands())
            || self.forwards.iter().any(|forward| forward.needs.contains(&t) && forward.stands())
    }

    pub(super) fn open_what_is_ready(&mut self, now: Duration, actions: &mut Vec<Action>) {
        // Who waits for somebody else takes no turn from anybody.
        let takes_turn = |it: &&Tunnel| it.state == TunnelState::Connecting && !it.is_waiting();
        let mut opening = self.tunnels.iter().filter(takes_turn).count();
        for t in 0..self.tunnels.len() {
            let tunnel = &self.tunnels[t];
            let ready = tunnel.doom.is_none() && self.is_next(tunnel);
            if ready && now >= tunnel.not_before && opening < self.parallel {
                (self.tunnels[t].state, self.tunnels[t].waits) = (TunnelState::Connecting, false);
                opening += 1;
                actions.push(Action::Open(t));
            }
        }
        for f in 0..self.forwards.len() {
            let forward = &self.forwards[f];
            if forward.is_pending() && now >= forward.not_before && self.stands(&forward.needs) {
                (self.forwards[f].state, self.forwards[f].waits) = (ForwardState::Checking, false);
                actions.push(Action::Prove(f));
            }
        }
    }

    /// Whether a tunnel may be opened as soon as it is time to.
    pub(super) fn is_next(&self, tunnel: &Tunnel) -> bool {
        let may = tunnel.wanted && !tunnel.rests;
        tunnel.state == TunnelState::Pending && may && self.stands(&tunnel.needs)
    }

    /// Whether all of these are up, and stay so.
    pub(super) fn stands(&self, needs: &[usize]) -> bool {
        needs
            .iter()
            .all(|&under| self.tunnels[under].state == TunnelState::Up && self.tunnels[under].doom.is_none())
    }
}
