//! Drives a run: feeds the machine with what happened, and has its actions done. It holds what is
//! alive and decides nothing.

mod forwards;
mod reload;
mod reports;
mod tunnels;
mod verdict;
mod ways;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior};

use super::act::Scene;
use super::board::Board;
use super::ground::Live;
use super::life::{ForwardLife, TunnelLife};
use super::machine::{Action, Input, Machine};
use super::sleep::{Clocks, LOOK_EVERY};
use super::wait::Waiter;
use super::{Controls, Doubt, Event, ForwardState, Outcome, RunState, TunnelState, World};
use crate::forward::{Budget, Meter};
use crate::plan::Plan;
use reload::Next;
pub use reload::{Reload, Reloaded};
use reports::{Report, Reports, waits};

pub(in crate::engine) struct Driver {
    scene: Arc<Scene>,
    machine: Machine,
    board: Board,
    controls: Controls,
    reports: UnboundedSender<Report>,
    inbox: Reports,
    reloads: UnboundedReceiver<Reload>,
    /// The plan that takes over next.
    next: Option<Next>,
    /// Whether nothing is left of what that does not have.
    shed: bool,
    /// Who waits for the newest plan to be settled.
    waiting: Vec<oneshot::Sender<Reloaded>>,
    tunnels: Vec<TunnelLife>,
    forwards: Vec<ForwardLife>,
    started: Instant,
    /// When the machine wants to be asked next, as it said last.
    wakes_at: Option<Duration>,
    finished: bool,
    expired: bool,
}

/// How often the round trip through each layer is measured.
const ROUND_TRIP_EVERY: Duration = Duration::from_secs(10);

impl Driver {
    pub fn new(
        plan: Arc<Plan>,
        world: World,
        events: UnboundedSender<Event>,
        board: Board,
        meters: Vec<Arc<Meter>>,
        controls: Controls,
        reloads: UnboundedReceiver<Reload>,
    ) -> Self {
        let (reports, inbox) = Reports::new();
        let waits = waits(plan.clone(), reports.clone());
        let scene = Scene { plan, world, events, waits, budget: Budget::default() };
        let forwards = meters.into_iter().map(|meter| ForwardLife { meter, ..ForwardLife::default() });
        Driver {
            machine: Machine::new(&scene.plan, controls.seed.unwrap_or_else(rand::random)),
            tunnels: scene.plan.tunnels.iter().map(|_| TunnelLife::default()).collect(),
            forwards: forwards.collect(),
            scene: Arc::new(scene),
            board,
            controls,
            reports,
            inbox,
            reloads,
            next: None,
            shed: false,
            waiting: Vec::new(),
            started: Instant::now(),
            wakes_at: None,
            finished: false,
            expired: false,
        }
    }

    /// Runs until nothing is left.
    pub async fn run(mut self) -> Outcome {
        if let Some((_, failure)) = self.bind_listeners().await.into_iter().next() {
            self.scene.tell(Event::Failed(failure.clone()));
            self.board.post(|snapshot| snapshot.state = RunState::Down);
            return Outcome { failure: Some(failure), was_up: false, expired: false };
        }
        for tunnel in &self.scene.plan.tunnels {
            tracing::info!(tunnel = %tunnel.id, server = %tunnel.server.id, target = %tunnel.target, hop = tunnel.hop, "planned");
        }
        self.step(Input::Start);
        let mut round_trips = tokio::time::interval(ROUND_TRIP_EVERY);
        let mut leaving = false;
        let (mut clocks, mut looks) = (Clocks::new(), tokio::time::interval(LOOK_EVERY));
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.finished {
            let wake = self.started + self.wakes_at.unwrap_or_default();
            tokio::select! {
                report = self.inbox.next() => self.take(report),
                Some(wanted) = self.reloads.recv(), if !leaving => self.reload(wanted),
                () = self.controls.leave.cancelled(), if !leaving => {
                    leaving = true;
                    self.step(Input::Leave);
                }
                _ = looks.tick() => {
                    let lost = clocks.lost().map(Doubt::Slept);
                    let moved = self.ways_changed().then_some(Doubt::NetworkChanged);
                    lost.or(moved).into_iter().for_each(|doubt| self.doubt(doubt));
                    self.look_for_idle();
                }
                () = self.controls.verify.notified() => self.doubt(Doubt::Asked),
                _ = round_trips.tick() => self.measure_round_trips(),
                () = tokio::time::sleep_until(wake), if self.wakes_at.is_some() => self.step(Input::Tick),
            }
            self.take_over().await;
        }
        self.release(|_| true);
        let was_up = self.machine.was_up();
        self.scene.tell(Event::Down);
        Outcome { failure: self.machine.into_failure(), was_up, expired: self.expired }
    }

    fn take(&mut self, report: Report) {
        let scene = self.scene.clone();
        match report {
            // Opened in the very moment it was called off.
            Report::Opened(t, Ok(opened)) if self.machine.is_doomed(t) => opened.live.cut(),
            Report::Opened(t, Ok(opened)) => {
                let tunnel = scene.plan.tunnels[t].id.clone();
                self.watch(t, opened.live.ended());
                if let Live::Session(session) = &opened.live {
                    self.board.watch(t, session);
                }
                self.tunnels[t].take(opened.live);
                self.tunnels[t].carrier = opened.carrier;
                self.lay_lanes(t);
                scene.tell(Event::TunnelUp { tunnel, elapsed: opened.elapsed, detail: opened.detail });
                self.measure_round_trip(t);
                self.step(Input::Opened(t));
            }
            Report::Opened(t, Err(_)) if self.machine.is_doomed(t) => {}
            Report::Opened(t, Err(failure)) => self.blame_for_opening(t, failure),
            Report::Ended(nth) if self.is_now(nth) => {
                self.note_end(nth.place);
                self.blame_for_end(nth.place);
            }
            Report::Ended(_) => {}
            Report::Verdict(verdict) => self.judge(verdict),
            Report::Closed(t) => {
                if !self.machine.returns(t) {
                    scene.tell(Event::TunnelClosed { tunnel: scene.plan.tunnels[t].id.clone() });
                }
                self.step(Input::Closed(t));
            }
            Report::Probed(nth, answered) => self.probed(nth, answered),
            Report::Verified(f, _) if !self.machine.is_being_verified(f) => {}
            Report::Verified(f, Ok(())) => {
                self.board.post(|snapshot| snapshot.forwards[f].proved_at = Some(SystemTime::now()));
                self.step(Input::Verified(f));
            }
            Report::Verified(f, Err(failure)) => self.blame_for_proof(f, failure),
            // Proved, or not, in the very moment it was called off.
            Report::Proved(f, _) if !self.machine.is_being_proved(f) => {}
            Report::Proved(f, Ok(proof)) => {
                self.serve(f, proof);
                self.step(Input::Proved(f));
            }
            Report::Proved(f, Err(failure)) => self.blame_for_proof(f, failure),
            Report::Stopped(f) if self.machine.is_suspended(f) => {
                self.tell_held(f);
                self.step(Input::Stopped(f));
            }
            Report::Stopped(f) => {
                self.board.post(|snapshot| snapshot.forwards[f].listen = None);
                scene.tell(Event::ForwardClosed { forward: scene.plan.forwards[f].forward.id.clone() });
                self.step(Input::Stopped(f));
            }
            Report::TunnelWaits(t) => self.step(Input::TunnelWaits(t)),
            Report::ForwardWaits(f) => self.step(Input::ForwardWaits(f)),
            Report::Wanted(f) => self.step(Input::Wanted(f)),
            Report::RoundTrip(t, rtt) => self.board.post(|snapshot| snapshot.tunnels[t].rtt = rtt),
        }
    }

    /// Asks everything whether it is still there.
    fn doubt(&mut self, doubt: Doubt) {
        if self.board.is_up() {
            self.scene.tell(Event::Verifying { doubt });
            self.step(Input::Doubt);
        }
    }

    fn step(&mut self, input: Input) {
        let now = self.started.elapsed();
        let actions = self.machine.handle(input, now);
        // For the same moment, and not anew before it is asked again: a time between two looks would be lost.
        self.wakes_at = self.machine.wakes_at(now);
        // Before anybody is told: who hears that it is up must find it up.
        self.post();
        let scene = self.scene.clone();
        let tunnel = |t: usize| scene.plan.tunnels[t].id.clone();
        let forward = |f: usize| scene.plan.forwards[f].forward.id.clone();
        for action in actions {
            match action {
                Action::Open(t) => self.open(t),
                Action::Close(t) => self.close(t),
                Action::Prove(f) => self.prove(f),
                Action::Probe(t) => self.probe(t),
                Action::Verify(f) => self.verify(f),
                Action::Suspend(f) => self.suspend(f),
                Action::Stop(f) => self.stop(f),
                Action::AnnounceUp => self.scene.tell(Event::Up { elapsed: self.started.elapsed() }),
                Action::AnnounceLost(t, failure, above) => {
                    self.scene.tell(Event::TunnelLost { tunnel: tunnel(t), failure, above });
                }
                Action::AnnounceRests(t, unused) => {
                    self.tell_lanes_who_rides();
                    self.scene.tell(Event::TunnelRests { tunnel: tunnel(t), unused });
                }
                Action::AnnounceTunnelRetry(t, failure, wait) => {
                    self.scene.tell(Event::Retry { who: Waiter::Tunnel(tunnel(t)), failure, wait });
                }
                Action::AnnounceForwardRetry(f, failure, wait) => {
                    self.scene.tell(Event::Retry { who: Waiter::Forward(forward(f)), failure, wait });
                }
                Action::AnnounceTunnelFailed(t, failure) => {
                    self.scene.tell(Event::TunnelFailed { tunnel: tunnel(t), failure });
                }
                Action::AnnounceForwardFailed(f, failure) => {
                    self.let_go_unserved(f);
                    self.scene.tell(Event::ForwardFailed { forward: forward(f), failure });
                }
                Action::AnnounceFailedOver(f, from, to, failure) => {
                    self.tell_failed_over(f, from, to, failure)
                }
                Action::AnnounceWentBack(f) => self.tell_went_back(f),
                Action::AnnounceRestored(elapsed) => self.scene.tell(Event::Restored { elapsed }),
                Action::TakeOver => self.shed = true,
                Action::AnnounceReloaded(elapsed) => {
                    self.scene.tell(Event::Reloaded { elapsed });
                    self.tell_reloaded(false);
                }
                Action::AnnounceVerified(elapsed) => self.scene.tell(Event::Verified { elapsed }),
                Action::AnnounceExpired => {
                    self.expired = true;
                    self.scene.tell(Event::Expired { elapsed: self.started.elapsed() });
                }
                Action::AnnounceClosing => {
                    if let Some(failure) = self.machine.failure() {
                        self.scene.tell(Event::Failed(failure.clone()));
                    }
                    self.scene.tell(Event::Closing);
                    self.tell_reloaded(true);
                }
                Action::Finish => self.finished = true,
            }
        }
        self.watch_for_clients();
    }

    fn post(&self) {
        self.board.post(|snapshot| {
            snapshot.state = self.machine.state();
            for (t, tunnel) in snapshot.tunnels.iter_mut().enumerate() {
                tunnel.state = self.machine.tunnel(t);
                tunnel.reconnects = self.machine.reconnects(t);
                let cause = self.machine.tunnel_cause(t);
                tunnel.cause = cause.map(|failure| failure.message.clone());
                tunnel.code = cause.map(|failure| failure.code);
                if tunnel.state != TunnelState::Up {
                    tunnel.rtt = None;
                }
            }
            for (f, forward) in snapshot.forwards.iter_mut().enumerate() {
                let state = self.machine.forward(f);
                if state == ForwardState::Up && forward.state != ForwardState::Up {
                    forward.proved_at = Some(SystemTime::now());
                }
                forward.state = state;
                let cause = self.machine.forward_cause(f);
                forward.cause = cause.map(|failure| failure.message.clone());
                forward.code = cause.map(|failure| failure.code);
                forward.via = self.planned(f).needs().last().cloned();
                forward.standby = self.standby(f);
            }
        });
    }
}
