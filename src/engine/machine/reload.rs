//! Another plan in the middle of a run, in two steps: what does not go on is closed like everything that is doomed,
//! and once nothing is left of it, the rest takes its place in the new plan. What is new there is pending, and the
//! rule that builds a run builds it.

use std::time::Duration;

use super::part::{Doom, Forward, Tunnel};
use super::ways::Ways;
use super::{Action, Failure, ForwardState, Machine, TunnelState};
use crate::plan::{Plan, Succession};

impl Machine {
    /// Dooms what does not go on.
    pub(super) fn shed(&mut self, kept: &Succession) {
        if self.leaving {
            return;
        }
        self.shedding = true;
        for (t, tunnel) in self.tunnels.iter_mut().enumerate() {
            if !kept.tunnels.contains(&Some(t)) {
                (tunnel.doom, tunnel.doubted) = (Some(Doom::Gone), false);
            }
        }
        for (f, forward) in self.forwards.iter_mut().enumerate() {
            if !kept.forwards.contains(&Some(f)) {
                (forward.doom, forward.doubted) = (Some(Doom::Gone), false);
            }
        }
    }

    /// Asks for the new plan once nothing is left of what does not go on.
    pub(super) fn ask_for_the_new_plan(&mut self, actions: &mut Vec<Action>) {
        let tunnels = self.tunnels.iter().all(|tunnel| tunnel.doom != Some(Doom::Gone) || tunnel.is_gone());
        let forwards = self.forwards.iter().all(|it| it.doom != Some(Doom::Gone) || it.is_gone());
        if self.shedding && tunnels && forwards {
            self.shedding = false;
            actions.push(Action::TakeOver);
        }
    }

    /// Obeys another plan from now on, to be called after [`Action::TakeOver`]. What goes on is as it was; but what
    /// had been given up begins anew, like everything that is new. The seed is as for [`Machine::new`].
    pub fn take_over(&mut self, plan: &Plan, kept: &Succession, seed: u64, now: Duration) {
        let fresh = Machine::new(plan, seed);
        (self.parallel, self.failover) = (fresh.parallel, fresh.failover);
        (self.gate, self.ends_at) = (fresh.gate, fresh.ends_at);
        let mut tunnels: Vec<_> =
            std::mem::replace(&mut self.tunnels, fresh.tunnels).into_iter().map(Some).collect();
        for (tunnel, was) in self.tunnels.iter_mut().zip(&kept.tunnels) {
            let was = was.and_then(|place| tunnels[place].take());
            was.filter(|was| !was.is_gone()).into_iter().for_each(|was| tunnel.go_on_as(was));
        }
        let mut forwards: Vec<_> =
            std::mem::replace(&mut self.forwards, fresh.forwards).into_iter().map(Some).collect();
        for (forward, was) in self.forwards.iter_mut().zip(&kept.forwards) {
            match was.and_then(|place| forwards[place].take()).filter(|was| !was.is_gone()) {
                Some(was) => forward.go_on_as(was, now),
                None => forward.is_new = true,
            }
        }
        self.reloaded_since = Some(now);
    }

    /// The run goes on without what cannot listen.
    pub(super) fn taken_over(&mut self, unbound: Vec<(usize, Failure)>, actions: &mut Vec<Action>) {
        for (f, failure) in unbound {
            self.forwards[f].state = ForwardState::Failed;
            self.give_up(&[f], None, failure, actions);
        }
    }

    /// Notes what is not new any more, and tells when that is everything: it is up, was given up, or could not be
    /// brought up yet.
    pub(super) fn watch_the_new(&mut self, now: Duration, actions: &mut Vec<Action>) {
        for f in 0..self.forwards.len() {
            self.forwards[f].is_new &= self.is_on_its_way(f);
        }
        if !self.shedding && !(0..self.forwards.len()).any(|f| self.is_on_its_way(f)) {
            let since = self.reloaded_since.take();
            actions.extend(since.map(|since| Action::AnnounceReloaded(now.saturating_sub(since))));
        }
    }

    /// Whether a forward may come up yet, as far as is known.
    fn is_on_its_way(&self, f: usize) -> bool {
        let forward = &self.forwards[f];
        let settled = forward.given_up || self.is_well(f) || forward.cause.is_some() || self.is_absent(f);
        !settled && forward.needs.iter().all(|&under| self.cause_below(under).is_none())
    }

    /// Why a tunnel, or one that it stands on, is not up.
    fn cause_below(&self, t: usize) -> Option<&Failure> {
        let tunnel = &self.tunnels[t];
        let lower = tunnel.needs.iter().find_map(|&under| self.cause_below(under));
        lower.or(tunnel.cause.as_ref())
    }

    /// Why forwards are not up, each reason once, and whether such a forward is required and was given up.
    pub fn what_is_missing(&self) -> Vec<(Failure, bool)> {
        let mut missing: Vec<(Failure, bool)> = Vec::new();
        for forward in self.forwards.iter().filter(|forward| !forward.is_up()) {
            let below = || forward.needs.iter().find_map(|&under| self.cause_below(under));
            let Some(cause) = forward.cause.as_ref().or_else(below) else { continue };
            let lost = forward.required && forward.given_up;
            match missing.iter_mut().find(|(told, _)| told.message == cause.message) {
                Some((_, required)) => *required |= lost,
                None => missing.push((cause.clone(), lost)),
            }
        }
        missing
    }
}

impl Tunnel {
    /// Whether nothing of it is left.
    fn is_gone(&self) -> bool {
        matches!(self.state, TunnelState::Failed | TunnelState::Down)
    }

    /// Takes the place of this one in a newer plan.
    fn go_on_as(&mut self, was: Tunnel) {
        let (needs, backoff) = (std::mem::take(&mut self.needs), was.backoff.on_terms_of(&self.backoff));
        // Whoever is new on it may need it.
        *self = Tunnel { needs, wanted: self.wanted, may_rest: self.may_rest, rests: false, backoff, ..was };
    }
}

impl Forward {
    /// Takes the place of this one in a newer plan.
    fn go_on_as(&mut self, was: Forward, now: Duration) {
        let backoff = was.backoff.on_terms_of(&self.backoff);
        let due = match self.probe.every == was.probe.every || was.doubted || was.missed {
            true => was.due,
            false => self.probe.every.map(|every| now + every).filter(|_| was.state == ForwardState::Up),
        };
        let ways = self.ways.going_on_as(was.ways);
        let needs = ways.needs().to_vec();
        *self = Forward { needs, ways, backoff, due, required: self.required, probe: self.probe, ..was };
    }
}

impl Ways {
    /// The same ways in a newer plan, at the places that they have there. What was closed for good may be tried anew.
    fn going_on_as(&mut self, was: Ways) -> Ways {
        Ways { all: std::mem::take(&mut self.all), ..was }
    }
}

#[cfg(test)]
mod tests;
