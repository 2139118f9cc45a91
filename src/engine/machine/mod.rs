//! The pure part of the engine: what happened goes in, what to do now comes out.
//!
//! Building and rebuilding are one rule, breaking and tearing down another, both applied after every input:
//! open what stands on firm ground and is wanted, close what nothing stands on any more or nobody wants. It knows no socket, no clock and
//! no task; time comes in with each input, as what has passed since the run began.

mod doubt;
mod failing;
mod failover;
mod part;
mod reload;
mod rest;
mod rules;
mod standing;
mod waiting;
mod ways;

use std::time::Duration;

use super::{Failure, ForwardState, RunState, TunnelState};
use crate::plan::{Plan, Succession, TunnelId};
use crate::topology::Failover;
use part::{Doom, Forward, Tunnel};
use ways::Ways;

/// What happened. Numbers are places in the plan's lists.
#[derive(Debug, Clone)]
pub enum Input {
    /// The run begins.
    Start,
    /// Time has passed; see [`Machine::wakes_at`].
    Tick,
    /// A tunnel's session is logged in.
    Opened(usize),
    /// A tunnel that is being opened waits for a listener that another machine's hopper keeps.
    TunnelWaits(usize),
    /// A forward that is being proved waits for such a listener.
    ForwardWaits(usize),
    /// A tunnel could not be opened, or its session was lost.
    TunnelFailed(usize, Failure),
    /// A tunnel's session was ended by its server after nobody had used it for so long.
    EndedUnused(usize, Duration, Failure),
    /// A tunnel's session is gone after [`Action::Close`].
    Closed(usize),
    /// A forward's far end answered.
    Proved(usize),
    /// A tunnel answered after [`Action::Probe`].
    Answered(usize),
    /// A forward's far end answered again after [`Action::Verify`].
    Verified(usize),
    /// What was up may not be so any more: this machine slept, or somebody wants to know.
    Doubt,
    /// A forward could not be proved.
    ForwardFailed(usize, Failure),
    /// A forward is gone after [`Action::Stop`], or serves nobody after [`Action::Suspend`].
    Stopped(usize),
    /// Somebody waits to be served by a forward that rests; see [`Machine::rests`].
    Wanted(usize),
    /// Nobody is connected to a forward that waits for that; see [`Machine::would_go_back`].
    Idle(usize),
    /// Another plan is wanted: what does not go on in it is to go. See [`Machine::take_over`].
    Shed(Succession),
    /// A new plan is obeyed, and these forwards of it cannot listen.
    TakenOver(Vec<(usize, Failure)>),
    /// Somebody wants the run to end.
    Leave,
}

/// What to do now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Open this tunnel's session.
    Open(usize),
    /// End this tunnel's session, or stop opening it.
    Close(usize),
    /// Prove this forward's far end, then serve.
    Prove(usize),
    /// Ask whether this tunnel still answers.
    Probe(usize),
    /// Prove this forward's far end again while it is served.
    Verify(usize),
    /// Stop serving or proving this forward, but keep its listener: it will be proved again.
    Suspend(usize),
    /// Stop serving or proving this forward, and let go of its listener.
    Stop(usize),
    /// Every required forward is up and the others are settled.
    AnnounceUp,
    /// A tunnel was lost and is rebuilt, with so many others that stand on it.
    AnnounceLost(usize, Failure, usize),
    /// A tunnel's server ends what nobody used for so long: it is left closed until somebody comes.
    AnnounceRests(usize, Duration),
    /// A tunnel could not be rebuilt, for a reason not told yet; the next try is made after so long.
    AnnounceTunnelRetry(usize, Failure, Duration),
    /// A forward could not be proved again, for a reason not told yet; the next try is made after so long.
    AnnounceForwardRetry(usize, Failure, Duration),
    /// A tunnel is given up, the run goes on.
    AnnounceTunnelFailed(usize, Failure),
    /// A forward is given up, the run goes on.
    AnnounceForwardFailed(usize, Failure),
    /// A forward leaves the way with the first number for that with the second.
    AnnounceFailedOver(usize, usize, usize, Failure),
    /// A forward is back on the way that it prefers.
    AnnounceWentBack(usize),
    /// All that was not given up works again, after so long.
    AnnounceRestored(Duration),
    /// Everything that was doubted has answered, after so long.
    AnnounceVerified(Duration),
    /// The run has lasted as long as it may.
    AnnounceExpired,
    /// Nothing is left of what another plan does not have: it can take over.
    TakeOver,
    /// What another plan brought is up, or is known not to be, after so long.
    AnnounceReloaded(Duration),
    /// Teardown of everything began.
    AnnounceClosing,
    /// Nothing is left.
    Finish,
}

/// The state of one run.
pub struct Machine {
    tunnels: Vec<Tunnel>,
    forwards: Vec<Forward>,
    failover: Option<Failover>,
    parallel: usize,
    /// Since when the run is up, once it was.
    up_since: Option<Duration>,
    /// See [`crate::topology::Reconnect`].
    gate: Option<Duration>,
    /// When the run ends by itself.
    ends_at: Option<Duration>,
    /// Since when something that was not given up does not work, once the run was up.
    broken_since: Option<Duration>,
    /// Since when something is doubted.
    doubted_since: Option<Duration>,
    /// Whether another plan waits until what it does not have is gone.
    shedding: bool,
    /// Since when another plan is obeyed of which not everything is known yet.
    reloaded_since: Option<Duration>,
    leaving: bool,
    finished: bool,
    /// The first failure that ends the run: what comes after it follows from it.
    failure: Option<Failure>,
}

impl Machine {
    /// The machine of a plan, before anything has happened. The seed is where its waits take their
    /// chance from.
    pub fn new(plan: &Plan, seed: u64) -> Self {
        let place = |id: &TunnelId| plan.place(id);
        let seeds = (1..).map(|n: u64| seed.wrapping_mul(n));
        let tunnels: Vec<Tunnel> = (plan.tunnels.iter().zip(rest::may_rest(plan)).zip(seeds.clone()))
            .map(|((tunnel, may_rest), seed)| Tunnel {
                may_rest,
                ..Tunnel::new(tunnel.needs().filter_map(place).collect(), plan.reconnect, seed)
            })
            .collect();
        let forwards = plan.forwards.iter().zip(seeds).map(|(forward, seed)| {
            let needs = forward.ways().map(|way| way.needs().filter_map(place).collect());
            let ways = Ways::new(needs, &tunnels);
            Forward::new(ways, forward.forward.required, plan.reconnect, plan.probe, seed)
        });
        let forwards: Vec<Forward> = forwards.collect();
        Machine {
            tunnels,
            forwards,
            failover: plan.failover,
            parallel: plan.parallel.max(1),
            up_since: None,
            gate: plan.reconnect.gate,
            ends_at: plan.lifetime,
            broken_since: None,
            doubted_since: None,
            shedding: false,
            reloaded_since: None,
            leaving: false,
            finished: false,
            failure: None,
        }
    }

    /// Takes in what happened and says what to do now. `now` is the time since the run began; it never
    /// goes back.
    pub fn handle(&mut self, input: Input, now: Duration) -> Vec<Action> {
        let mut actions = Vec::new();
        match input {
            Input::Start | Input::Tick => {}
            Input::Opened(t) => self.tunnels[t].opened(now),
            Input::TunnelWaits(t) => self.tunnel_waits(t),
            Input::ForwardWaits(f) => self.forward_waits(f),
            Input::TunnelFailed(t, failure) => {
                self.tunnels[t].ends_otherwise();
                self.tunnel_failed(t, failure, now, &mut actions);
            }
            Input::EndedUnused(t, unused, failure) => {
                self.ended_unused(t, unused, failure, now, &mut actions)
            }
            Input::Closed(t) => self.tunnels[t].closed(),
            Input::Answered(t) => self.tunnels[t].doubted = false,
            Input::Proved(f) => self.proved(f, now, &mut actions),
            Input::Verified(f) => self.forwards[f].verified(now),
            Input::Doubt => self.doubt(now, &mut actions),
            Input::ForwardFailed(f, failure) => self.forward_failed(f, failure, now, &mut actions),
            Input::Stopped(f) => self.forwards[f].stopped(),
            Input::Wanted(f) => self.wake(f),
            Input::Idle(f) => self.go_back(f, now),
            Input::Shed(kept) => self.shed(&kept),
            Input::TakenOver(unbound) => self.taken_over(unbound, &mut actions),
            Input::Leave => self.leave(&mut actions),
        }
        self.end_in_time(now, &mut actions);
        self.choose_ways(now, &mut actions);
        self.close_what_is_doomed(&mut actions);
        self.open_what_is_ready(now, &mut actions);
        self.ask_what_is_due(now, &mut actions);
        self.note_resting();
        self.settle(now, &mut actions);
        actions
    }

    /// When it wants [`Input::Tick`] next, if nothing else happens before.
    pub fn wakes_at(&self, now: Duration) -> Option<Duration> {
        let tunnels = self.tunnels.iter().filter(|tunnel| self.is_next(tunnel));
        let forwards = self.forwards.iter().filter(|it| it.is_pending() && self.stands(&it.needs));
        let times = tunnels.map(|it| it.not_before).chain(forwards.map(|it| it.not_before));
        let due = self.forwards.iter().filter(|it| it.may_be_asked() && self.stands(&it.needs));
        let times = times.chain(due.filter_map(|it| it.due)).chain(self.ends_at);
        let times = times.chain((0..self.forwards.len()).filter_map(|f| self.fails_over_at(f)));
        times.filter(|&time| !self.leaving && time > now).min()
    }

    /// Why the run ended badly, once it has.
    pub fn into_failure(self) -> Option<Failure> {
        self.failure
    }

    fn fail(&mut self, failure: Failure, actions: &mut Vec<Action>) {
        self.failure.get_or_insert(failure);
        self.leave(actions);
    }

    fn end_in_time(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.ends_at.is_some_and(|end| now >= end) && !self.leaving {
            actions.push(Action::AnnounceExpired);
            self.leave(actions);
        }
    }

    fn leave(&mut self, actions: &mut Vec<Action>) {
        if !self.leaving {
            self.leaving = true;
            actions.push(Action::AnnounceClosing);
        }
        self.tunnels.iter_mut().for_each(|tunnel| tunnel.doom = Some(Doom::Gone));
        self.forwards.iter_mut().for_each(|forward| forward.doom = Some(Doom::Gone));
    }

    fn settle(&mut self, now: Duration, actions: &mut Vec<Action>) {
        if self.leaving {
            if self.all_gone() && !self.finished {
                self.finished = true;
                actions.push(Action::Finish);
            }
            return;
        }
        self.watch_the_new(now, actions);
        let apart = |it: &Forward| it.given_up || it.is_shed() || (it.is_new && self.was_up());
        let settled = |(f, it): (usize, &Forward)| self.is_well(f) || apart(it) || self.is_absent(f);
        let whole = self.forwards.iter().enumerate().all(settled);
        match (self.was_up(), whole) {
            (false, true) if self.shedding => {}
            (false, true) => {
                self.up_since = Some(now);
                actions.push(Action::AnnounceUp);
            }
            (true, false) => drop(self.broken_since.get_or_insert(now)),
            (true, true) => {
                let since = self.broken_since.take();
                actions.extend(since.map(|since| Action::AnnounceRestored(now.saturating_sub(since))));
            }
            (false, false) => {}
        }
        if whole && !self.has_doubts() {
            let since = self.doubted_since.take();
            actions.extend(since.map(|since| Action::AnnounceVerified(now.saturating_sub(since))));
        }
        self.ask_for_the_new_plan(actions);
    }

    fn all_gone(&self) -> bool {
        self.tunnels.iter().all(|tunnel| matches!(tunnel.state, TunnelState::Failed | TunnelState::Down))
            && self.forwards.iter().all(Forward::is_gone)
    }
}

#[cfg(test)]
mod answer;
#[cfg(test)]
mod tests;
