//! What a failure means: for what failed, for what stands on it, and for the run.

use std::time::Duration;

use super::part::Doom;
use super::{Action, Failure, ForwardState, Machine, TunnelState};

impl Machine {
    /// Before the run is up, whatever fails is final: a mistake in the file is not cured by trying again. After
    /// that what broke is rebuilt, with all that stands on it and nothing else. The gate moves that border.
    pub(super) fn tunnel_failed(
        &mut self,
        t: usize,
        failure: Failure,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let tunnel = &mut self.tunnels[t];
        let was_up = tunnel.state == TunnelState::Up;
        if tunnel.doom.is_some() || !(was_up || tunnel.state == TunnelState::Connecting) {
            return;
        }
        let told = tunnel.cause.replace(failure.clone()).is_some_and(|told| told.message == failure.message);
        if !was_up {
            // Nothing of it is left, so there is nothing to close.
            tunnel.state = TunnelState::Failed;
        }
        tunnel.failed = Some(now);
        let rebuilds = self.tunnels[t].waited_for || self.rebuilds();
        if let Some(early) = self.lost_early(now).filter(|_| was_up)
            && self.stranded(t).iter().any(|&f| self.forwards[f].required)
        {
            return self.fail(with_fact(failure, early), actions);
        }
        let again = rebuilds || {
            let stranded = self.stranded(t);
            if let Some(&f) = stranded.iter().find(|&&f| self.forwards[f].required) {
                let first = self.forwards[f].ways.left_for().cloned().unwrap_or(failure);
                return self.fail(first, actions);
            }
            stranded.is_empty() && self.move_off(t, &failure, actions)
        };
        let tunnel = &mut self.tunnels[t];
        let wait = if again && !failure.is_final() { tunnel.backoff.broke(now) } else { None };
        let Some(wait) = wait else {
            let failure = match tunnel.backoff.is_spent() {
                true => with_fact(failure, ("given up", "it was opened max_starts times".to_owned())),
                false => failure,
            };
            return self.give_up_tunnel(t, failure, actions);
        };
        tunnel.not_before = now + wait;
        if was_up {
            let above = self.doom_subtree(t, Doom::Rebuild);
            actions.push(Action::AnnounceLost(t, failure, above));
        } else {
            tunnel.state = TunnelState::Pending;
            if !told {
                actions.push(Action::AnnounceTunnelRetry(t, failure, wait));
            }
        }
    }

    pub(super) fn forward_failed(
        &mut self,
        f: usize,
        failure: Failure,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let from_the_start = self.rebuilds() && !self.was_up();
        let early = self.lost_early(now).filter(|_| self.way_after(f, None).is_none());
        let forward = &mut self.forwards[f];
        let verifying = forward.state == ForwardState::Up && forward.asking;
        if forward.doom.is_some() || !(verifying || forward.state == ForwardState::Checking) {
            return;
        }
        if let Some(early) = early.filter(|_| verifying && forward.required) {
            return self.fail(with_fact(failure, early), actions);
        }
        forward.unask();
        let told = forward.cause.replace(failure.clone()).is_some_and(|told| told.message == failure.message);
        // What was never served has nothing to come back to.
        let again = forward.serving || from_the_start;
        let wait = if again && !failure.is_final() { forward.backoff.broke(now) } else { None };
        forward.failed = Some(now);
        if let Some(wait) = wait {
            if verifying {
                // Who is connected stays so: everything on the way to there works.
                forward.missed = true;
                forward.due = Some(now + wait);
            } else {
                forward.state = ForwardState::Pending;
                forward.not_before = now + wait;
            }
            if !told {
                actions.push(Action::AnnounceForwardRetry(f, failure, wait));
            }
        } else if let Some(other) = self.way_after(f, None) {
            if self.was_up() || failure.is_final() {
                self.forwards[f].ways.shut();
            }
            if !verifying {
                self.forwards[f].state = ForwardState::Pending;
            }
            self.move_on(f, other, failure, actions);
        } else {
            let was_up = self.was_up();
            let forward = &mut self.forwards[f];
            let failure = forward.ways.left_for().filter(|_| !was_up).cloned().unwrap_or(failure);
            if !verifying {
                forward.state = ForwardState::Failed;
            }
            self.give_up(&[f], None, failure, actions);
        }
    }

    /// Whether what fails is tried again: once the run was up; before that, where the gate is wide open.
    pub(super) fn rebuilds(&self) -> bool {
        self.was_up() || self.gate == Some(Duration::ZERO)
    }

    /// What to tell of a loss that comes too soon after the run was up.
    fn lost_early(&self, now: Duration) -> Option<(&'static str, String)> {
        let (gate, stood) = (self.gate?, now.saturating_sub(self.up_since?));
        let told = format!("it had been up for {} s, and gate is {} s", stood.as_secs(), gate.as_secs_f32());
        (stood < gate).then_some(("too soon", told))
    }

    /// Gives up a tunnel and everything that stands on it, but for what has another way.
    fn give_up_tunnel(&mut self, t: usize, failure: Failure, actions: &mut Vec<Action>) {
        self.move_off(t, &failure, actions);
        self.doom_subtree(t, Doom::Gone);
        let doomed = |f: &usize| self.forwards[*f].doom == Some(Doom::Gone) && !self.forwards[*f].given_up;
        let riding: Vec<usize> = (0..self.forwards.len()).filter(doomed).collect();
        self.give_up(&riding, Some(t), failure, actions);
    }

    /// Gives up these forwards, because of a tunnel or by themselves. Before the run is up one that is
    /// required takes all down with it; after that it goes on with whatever is left, and ends when that is
    /// nothing.
    pub(super) fn give_up(
        &mut self,
        lost: &[usize],
        tunnel: Option<usize>,
        failure: Failure,
        actions: &mut Vec<Action>,
    ) {
        for &f in lost {
            let forward = &mut self.forwards[f];
            forward.doom = Some(Doom::Gone);
            forward.given_up = true;
            forward.cause = Some(failure.clone());
        }
        let ends = match self.was_up() {
            true => self.forwards.iter().all(|forward| forward.given_up),
            false => lost.iter().any(|&f| self.forwards[f].required),
        };
        if ends {
            return self.fail(failure, actions);
        }
        if !lost.is_empty() {
            // What is given up is not away any more, and does not come back.
            self.broken_since = None;
        }
        if let Some(t) = tunnel.filter(|_| self.was_up()) {
            actions.push(Action::AnnounceTunnelFailed(t, failure.clone()));
        }
        actions.extend(lost.iter().map(|&f| Action::AnnounceForwardFailed(f, failure.clone())));
    }

    /// Dooms a tunnel and everything that stands on it; what is doomed for good stays so. Gives the number
    /// of tunnels above it.
    pub(super) fn doom_subtree(&mut self, root: usize, doom: Doom) -> usize {
        let mut under = vec![false; self.tunnels.len()];
        under[root] = true;
        // Build order puts a tunnel after the one it rides, so one pass reaches all.
        for t in root..self.tunnels.len() {
            let tunnel = &mut self.tunnels[t];
            under[t] = under[t] || tunnel.needs.iter().any(|&ground| under[ground]);
            if under[t] && tunnel.doom != Some(Doom::Gone) {
                if t != root {
                    tunnel.ends_otherwise();
                }
                tunnel.doom = Some(doom);
                tunnel.doubted = false;
            }
        }
        for forward in &mut self.forwards {
            let rides = forward.needs.iter().any(|&ground| under[ground]);
            if rides && forward.doom != Some(Doom::Gone) {
                forward.doom = Some(if forward.ways.is_leaving() { Doom::Rebuild } else { doom });
                forward.doubted = false;
            }
        }
        under.iter().filter(|&&under| under).count() - 1
    }
}

fn with_fact(mut failure: Failure, fact: (&'static str, String)) -> Failure {
    failure.facts.push(fact);
    failure
}
