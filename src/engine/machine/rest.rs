//! Tunnels that rest. Some servers end a connection that nobody uses, and no keepalive counts as use (OpenSSH's
//! `UnusedConnectionTimeout`): built again it would be ended again, for ever. Where a server shows that habit, its
//! tunnel is left closed until somebody comes. What rests is not broken, and not called up either.

use std::time::Duration;

use super::part::Doom;
use super::{Action, Failure, Machine, TunnelState};
use crate::plan::{Client, Plan};

/// So many ends in a row, each after nobody had used the session for the same time, are no accident.
const HABIT: u32 = 3;
/// What ends sooner than this ends for another reason.
const SHORTEST: Duration = Duration::from_secs(2);
/// Times that differ by less are the same: OpenSSH counts in whole seconds, and who is busy is late.
const SAME: Duration = Duration::from_secs(2);

/// How the sessions of one tunnel ended while nobody used them.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Habit {
    /// For how long nobody had used the last one.
    after: Duration,
    /// How many in a row ended after that time.
    times: u32,
}

impl Habit {
    fn note(&mut self, unused: Duration) {
        let again = self.times > 0 && unused.abs_diff(self.after) < SAME;
        let times = if again { self.times.saturating_add(1) } else { 1 };
        *self = if unused < SHORTEST { Habit::default() } else { Habit { after: unused, times } };
    }

    fn shows(self) -> bool {
        self.times >= HABIT
    }
}

/// Which tunnels of a plan may rest: those that somebody at local wakes. A listener on another host goes with the
/// session that asked for it, who comes to a forward that refuses would be refused, and who wants to be told at once
/// when something is wrong wants no rest.
pub(super) fn may_rest(plan: &Plan) -> Vec<bool> {
    let mut may: Vec<bool> = plan
        .tunnels
        .iter()
        .map(|tunnel| matches!(tunnel.client, Client::Local) && plan.probe.every.is_none())
        .collect();
    for planned in &plan.forwards {
        if planned.listener.is_some() || planned.forward.on_down.patience().is_zero() {
            let needs = planned.ways().flat_map(|way| way.needs());
            needs.filter_map(|id| plan.place(id)).for_each(|t| may[t] = false);
        }
    }
    // Build order puts a tunnel after what it needs.
    for t in (0..may.len()).rev().filter(|&t| !may[t]).collect::<Vec<_>>() {
        for under in plan.tunnels[t].needs().filter_map(|id| plan.place(id)) {
            may[under] = false;
        }
    }
    may
}

impl Machine {
    /// A tunnel's session ended after nobody had used it for so long: it rests, if its server has that habit. Not one that
    /// no forward takes, which is kept for going back, and not one on which a forward is yet to be proved: nobody would
    /// wake it.
    pub(super) fn ended_unused(
        &mut self,
        t: usize,
        unused: Duration,
        failure: Failure,
        now: Duration,
        actions: &mut Vec<Action>,
    ) {
        let riders = self.riders(t);
        let all_well = riders.iter().all(|&f| self.is_well(f));
        let all_well = all_well && !riders.is_empty() && self.was_up();
        let tunnel = &mut self.tunnels[t];
        if tunnel.state != TunnelState::Up || tunnel.doom.is_some() {
            return;
        }
        tunnel.habit.note(unused);
        if tunnel.may_rest && tunnel.habit.shows() && all_well {
            // No break: it does not count, and whoever comes waits for nothing but the opening.
            (tunnel.rests, tunnel.not_before) = (true, Duration::ZERO);
            tunnel.backoff.forget();
            actions.push(Action::AnnounceRests(t, unused));
            self.doom_subtree(t, Doom::Rebuild);
        } else {
            self.tunnel_failed(t, failure, now, actions);
        }
    }

    /// Whether a tunnel itself is left closed, so that it does not ride what is under it.
    pub fn tunnel_rests(&self, t: usize) -> bool {
        self.tunnels[t].rests
    }

    /// Somebody came to a forward: what it stands on rests no longer.
    pub(super) fn wake(&mut self, f: usize) {
        let ways = &self.forwards[f].ways;
        for &t in &ways.all[ways.now].under {
            self.tunnels[t].rests = false;
        }
    }

    /// After the rules: notes what rests, and what waits for nothing but something that rests; also while it is still
    /// being closed for that.
    pub(super) fn note_resting(&mut self) {
        if !self.tunnels.iter().any(|tunnel| tunnel.rests || tunnel.resting) {
            return;
        }
        // Build order puts a tunnel after what it needs.
        for t in 0..self.tunnels.len() {
            let tunnel = &self.tunnels[t];
            let may = matches!(tunnel.doom, None | Some(Doom::Rebuild)) && tunnel.cause.is_none();
            let waits = tunnel.rests || tunnel.state == TunnelState::Pending || tunnel.doom.is_some();
            let resting = may && waits && tunnel.wanted && self.is_sound(&tunnel.needs);
            self.tunnels[t].resting = resting && (tunnel.rests || self.any_rests(&tunnel.needs));
        }
    }

    /// Whether a forward is not served for no other reason than that something under it rests.
    pub fn rests(&self, f: usize) -> bool {
        let forward = &self.forwards[f];
        let waits = forward.is_pending() || forward.doom == Some(Doom::Rebuild);
        let may = waits && forward.serving && forward.cause.is_none();
        may && self.any_rests(&forward.needs) && self.is_sound(&forward.needs)
    }

    /// Whether nothing is wrong with a forward: it is up, or rests.
    pub(super) fn is_well(&self, f: usize) -> bool {
        self.forwards[f].is_up() || self.rests(f)
    }

    fn any_rests(&self, needs: &[usize]) -> bool {
        needs.iter().any(|&under| self.tunnels[under].resting)
    }

    /// Whether each of these is up or rests.
    fn is_sound(&self, needs: &[usize]) -> bool {
        needs.iter().all(|&under| self.tunnels[under].resting || self.stands(&[under]))
    }
}
