//! What was proved once and may not hold any more: after sleep, when somebody asks, and every so often.
//! It is asked again while it goes on serving.

use std::time::Duration;

use super::{Action, ForwardState, Machine, TunnelState};

impl Machine {
    /// Nothing is known for certain any more: asks everything that is up, and tries at once what is away.
    pub(super) fn doubt(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.leaving || !self.was_up() {
            return;
        }
        for (t, tunnel) in self.tunnels.iter_mut().enumerate() {
            (tunnel.not_before, tunnel.rests) = (Duration::ZERO, false);
            if tunnel.state == TunnelState::Up && tunnel.doom.is_none() && !tunnel.doubted {
                tunnel.doubted = true;
                actions.push(Action::Probe(t));
            }
        }
        for forward in &mut self.forwards {
            forward.not_before = Duration::ZERO;
            if forward.state == ForwardState::Up && forward.doom.is_none() {
                forward.doubted = true;
                forward.due = Some(now);
            }
        }
        self.doubted_since.get_or_insert(now);
    }

    /// Proves again what was proved too long ago.
    pub(super) fn ask_what_is_due(&mut self, now: Duration, actions: &mut Vec<Action>) {
        for f in 0..self.forwards.len() {
            let forward = &self.forwards[f];
            if forward.may_be_asked()
                && forward.due.is_some_and(|due| now >= due)
                && self.stands(&forward.needs)
            {
                self.forwards[f].asking = true;
                actions.push(Action::Verify(f));
            }
        }
    }

    /// Whether something is up that was not asked yet since it was doubted.
    pub(super) fn has_doubts(&self) -> bool {
        self.tunnels.iter().any(|tunnel| tunnel.doubted) || self.forwards.iter().any(|it| it.doubted)
    }
}
