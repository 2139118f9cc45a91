//! Fail-over: a forward leaves a way that stays down for its next one, and goes back to the first when asked.
//!
//! A way is what must be up before the forward can be proved. A forward takes one at a time; what no way that is taken
//! needs is not wanted, so the rules do not open it, and close it. Ways are tried in turn; which one works is found
//! out by building it.

use std::time::Duration;

use super::part::{Doom, Forward};
use super::{Action, Failure, Machine, TunnelState};

impl Machine {
    /// Which way a forward takes; 0 is the one that it prefers.
    pub fn way(&self, f: usize) -> usize {
        self.forwards[f].ways.now
    }

    /// Why a forward does not take the way that it prefers.
    pub fn left_for(&self, f: usize) -> Option<&Failure> {
        self.forwards[f].ways.left_for.as_ref().filter(|_| self.way(f) != 0)
    }

    /// Whether a forward waits for a moment without clients to go back to the way that it prefers.
    pub fn would_go_back(&self, f: usize, now: Duration) -> bool {
        let forward = &self.forwards[f];
        let back = self.failover.and_then(|terms| terms.back);
        let due = back.zip(self.whole_since(forward, 0)).is_some_and(|(back, since)| now >= since + back);
        due && forward.ways.now != 0 && self.is_well(f) && !self.leaving
    }

    /// Nobody is connected to a forward: now is the time to go back, if it waits for that.
    pub(super) fn go_back(&mut self, f: usize, now: Duration) {
        if self.would_go_back(f, now) {
            let forward = &mut self.forwards[f];
            forward.ways.from = Some(forward.ways.now);
            forward.ways.next = Some(0);
            forward.doom = Some(Doom::Rebuild);
        }
    }

    pub(super) fn proved(&mut self, f: usize, now: Duration, actions: &mut Vec<Action>) {
        let forward = &mut self.forwards[f];
        forward.proved(now);
        if forward.is_up() && forward.ways.now == 0 {
            forward.ways.from = None;
            actions.extend(forward.ways.left_for.take().map(|_| Action::AnnounceWentBack(f)));
        }
    }

    /// Before the rules: has forwards leave ways that stay down, and says which tunnels are wanted.
    pub(super) fn choose_ways(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.leaving || self.failover.is_none() {
            return;
        }
        for f in 0..self.forwards.len() {
            self.note_break(f, now);
            if let Some(other) = self.way_to_leave_for(f, now) {
                let failure = self.why_broken(f).or_else(|| self.forwards[f].ways.left_for.clone());
                if let Some(failure) = failure {
                    self.move_on(f, other, failure, actions);
                }
            }
            self.take_next(f, now, actions);
        }
        self.mark_wanted();
    }

    /// When a forward leaves its way, if nothing happens before.
    pub(super) fn fails_over_at(&self, f: usize) -> Option<Duration> {
        let since = self.forwards[f].ways.broken_since.filter(|_| self.rebuilds() && self.may_leave(f))?;
        let after = self.failover?.after;
        self.way_after(f, None).map(|_| since + after)
    }

    /// The forwards that stand on this tunnel and have no other way.
    pub(super) fn stranded(&self, t: usize) -> Vec<usize> {
        self.riders(t).into_iter().filter(|&f| self.way_after(f, Some(t)).is_none()).collect()
    }

    /// Has whoever stands on this tunnel and has another way take that. Whether anybody here has several.
    pub(super) fn move_off(&mut self, t: usize, failure: &Failure, actions: &mut Vec<Action>) -> bool {
        for f in self.riders(t) {
            if let Some(other) = self.way_after(f, Some(t)) {
                self.move_on(f, other, failure.clone(), actions);
            }
        }
        self.forwards.iter().any(|forward| forward.ways.all.len() > 1)
    }

    /// Has a forward take another way as soon as nothing stands on this one.
    pub(super) fn move_on(&mut self, f: usize, other: usize, failure: Failure, actions: &mut Vec<Action>) {
        let once = !self.rebuilds();
        let forward = &mut self.forwards[f];
        let ways = &mut forward.ways;
        ways.all[ways.now].tried |= once;
        if ways.now == 0 {
            ways.left_for = Some(failure.clone());
        }
        (ways.next, ways.from) = (Some(other), None);
        actions.push(Action::AnnounceFailedOver(f, ways.now, other, failure));
        forward.doom.get_or_insert(Doom::Rebuild);
    }

    fn take_next(&mut self, f: usize, now: Duration, actions: &mut Vec<Action>) {
        let forward = &self.forwards[f];
        let Some(next) = forward.ways.next.filter(|_| !forward.stands() && forward.doom != Some(Doom::Gone))
        else {
            return;
        };
        // It may have been closed for good while this one was being left.
        let next = if self.is_open(forward, next) { Some(next) } else { self.way_after(f, None) };
        let Some(next) = next.or_else(|| self.is_open(forward, forward.ways.now).then_some(forward.ways.now))
        else {
            let failure = self.why_broken(f).or_else(|| forward.ways.left_for.clone());
            self.forwards[f].ways.next = None;
            if let Some(failure) = failure {
                self.give_up(&[f], None, failure, actions);
            }
            return;
        };
        // Who rests on the way that is left, or on the one that is taken, has nobody else to wake it.
        self.wake(f);
        let forward = &mut self.forwards[f];
        let ways = &mut forward.ways;
        (ways.now, ways.next, ways.since, ways.broken_since) = (next, None, now, None);
        forward.needs = ways.needs().to_vec();
        (forward.doom, forward.not_before, forward.cause, forward.failed) =
            (None, Duration::ZERO, None, None);
        self.wake(f);
    }

    /// A way is broken from the first failure on it since it was taken. One that waits for another machine's hopper
    /// is as good as broken where there is another.
    fn note_break(&mut self, f: usize, now: Duration) {
        let forward = &self.forwards[f];
        let failed = forward.ways.all[forward.ways.now].under.iter().filter_map(|&t| self.tunnels[t].failed);
        let waits = forward.ways.all.len() > 1 && self.waits_on_its_way(f);
        let broken = waits || failed.chain(forward.failed).any(|at| at >= forward.ways.since);
        let ways = &mut self.forwards[f].ways;
        ways.broken_since = if broken { ways.broken_since.or(Some(now)) } else { None };
        if broken && ways.from.is_some() {
            ways.missed = now;
        }
    }

    /// The way that a forward has to leave its own for now.
    fn way_to_leave_for(&self, f: usize, now: Duration) -> Option<usize> {
        let forward = &self.forwards[f];
        let since = forward.ways.broken_since.filter(|_| self.rebuilds() && self.may_leave(f))?;
        if let Some(from) = forward.ways.from.filter(|&from| self.is_open(forward, from)) {
            // It worked there a moment ago.
            return Some(from);
        }
        if forward.ways.now != 0 && self.whole_since(forward, 0).is_some() {
            return Some(0);
        }
        let due = now >= since + self.failover?.after;
        self.way_after(f, None).filter(|_| due)
    }

    fn may_leave(&self, f: usize) -> bool {
        let forward = &self.forwards[f];
        !forward.ways.is_leaving() && !forward.given_up && forward.doom != Some(Doom::Gone)
    }

    /// The next way of a forward, in turn, that is not closed for good and does not stand on what is broken on this
    /// one; one on which nothing is broken, if there is such. Before the run is up each is tried once.
    pub(super) fn way_after(&self, f: usize, broken: Option<usize>) -> Option<usize> {
        let forward = &self.forwards[f];
        let ways = &forward.ways;
        let (here, count) = (&ways.all[ways.now], ways.all.len());
        let is_broken = |t: usize| {
            let tunnel = &self.tunnels[t];
            broken == Some(t) || tunnel.failed.is_some() || tunnel.is_waiting()
        };
        let may_be = |way: usize| {
            let shared = |&t: &usize| here.under.contains(&t) && is_broken(t);
            self.is_open(forward, way) && !ways.all[way].under.iter().any(shared)
        };
        let whole = |way: usize| {
            !ways.all[way].under.iter().any(|&t| is_broken(t)) && (self.rebuilds() || !ways.all[way].tried)
        };
        let others = (1..count).map(|step| (ways.now + step) % count).filter(|&way| may_be(way));
        let others: Vec<usize> = others.collect();
        others
            .iter()
            .copied()
            .find(|&way| whole(way))
            .or_else(|| others.first().copied().filter(|_| self.rebuilds()))
    }

    /// Whether a way may still come to work.
    fn is_open(&self, forward: &Forward, way: usize) -> bool {
        let way = &forward.ways.all[way];
        let gone = |&t: &usize| {
            self.tunnels[t].doom == Some(Doom::Gone) || self.tunnels[t].state == TunnelState::Failed
        };
        !way.shut && !way.under.iter().any(gone)
    }

    /// Since when every tunnel of a way is up, if they are; nor was it tried since and did not work.
    fn whole_since(&self, forward: &Forward, way: usize) -> Option<Duration> {
        let under = &forward.ways.all[way].under;
        let whole = self.is_open(forward, way) && self.stands(under);
        whole
            .then(|| under.iter().map(|&t| self.tunnels[t].up_since).fold(forward.ways.missed, Duration::max))
    }

    /// What broke the way of a forward: the lowest tunnel that did, or its far end.
    fn why_broken(&self, f: usize) -> Option<Failure> {
        let forward = &self.forwards[f];
        let under = forward.ways.all[forward.ways.now].under.iter().map(|&t| &self.tunnels[t]);
        let mut broken = under.filter(|tunnel| tunnel.failed.is_some());
        broken.find_map(|tunnel| tunnel.cause.clone()).or_else(|| forward.cause.clone())
    }

    /// The forwards whose ways stand on this tunnel, and which are not leaving them.
    pub(super) fn riders(&self, t: usize) -> Vec<usize> {
        let rides = |f: &usize| {
            let forward = &self.forwards[*f];
            self.may_leave(*f) && forward.ways.all[forward.ways.now].under.contains(&t)
        };
        (0..self.forwards.len()).filter(rides).collect()
    }

    /// Wanted is what a way that is taken stands on, and the preferred one where a forward shall go back to it.
    fn mark_wanted(&mut self) {
        let back = self.failover.is_some_and(|terms| terms.back.is_some());
        let mut wanted = vec![true; self.tunnels.len()];
        let ways = || self.forwards.iter().flat_map(|forward| forward.ways.all.iter());
        ways().flat_map(|way| &way.under).for_each(|&t| wanted[t] = false);
        for forward in &self.forwards {
            let preferred = (back && self.is_open(forward, 0)).then_some(0);
            for way in preferred.into_iter().chain([forward.ways.now]) {
                forward.ways.all[way].under.iter().for_each(|&t| wanted[t] = true);
            }
        }
        for (tunnel, wanted) in self.tunnels.iter_mut().zip(wanted) {
            if tunnel.wanted && !wanted {
                tunnel.backoff.rest();
            }
            tunnel.wanted = wanted;
            let alive = matches!(tunnel.state, TunnelState::Connecting | TunnelState::Up);
            if !wanted && alive && tunnel.doom.is_none() {
                (tunnel.doom, tunnel.doubted) = (Some(Doom::Unwanted), false);
            }
        }
    }
}
