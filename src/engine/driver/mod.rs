//! Drives a run: feeds the machine with what happened, and has its actions done. It holds what is
//! alive and decides nothing.

mod forwards;
mod tunnels;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::act::{Opened, Scene};
use super::board::Board;
use super::life::{ForwardLife, TunnelLife};
use super::machine::{Action, Input, Machine};
use super::proof::Proof;
use super::{Controls, Event, Failure, ForwardState, Outcome, RunState, TunnelState};
use crate::forward::Meter;

/// What tasks tell the driver.
enum Report {
    Opened(usize, Result<Opened, Failure>),
    /// A session ended, asked or not.
    Ended(usize),
    /// Who is to blame for the end of a session.
    Blamed(usize, Failure),
    Closed(usize),
    Proved(usize, Result<Proof, Failure>),
    Stopped(usize),
    /// A forward could not be proved, and nothing under it is to blame.
    Unproved(usize, Failure),
    /// The time a probe took; `None` when it was not answered.
    RoundTrip(usize, Option<Duration>),
}

pub(in crate::engine) struct Driver {
    scene: Arc<Scene>,
    machine: Machine,
    board: Board,
    controls: Controls,
    reports: UnboundedSender<Report>,
    tunnels: Vec<TunnelLife>,
    forwards: Vec<ForwardLife>,
    started: Instant,
    finished: bool,
}

/// How often the round trip through each layer is measured.
const ROUND_TRIP_EVERY: Duration = Duration::from_secs(10);

impl Driver {
    pub fn new(scene: Scene, board: Board, meters: Vec<Arc<Meter>>, controls: Controls) -> (Self, Reports) {
        let (reports, inbox) = unbounded_channel();
        let forwards = meters.into_iter().map(|meter| ForwardLife { meter, ..ForwardLife::default() });
        let driver = Driver {
            machine: Machine::new(&scene.plan),
            tunnels: scene.plan.tunnels.iter().map(|_| TunnelLife::default()).collect(),
            forwards: forwards.collect(),
            scene: Arc::new(scene),
            board,
            controls,
            reports,
            started: Instant::now(),
            finished: false,
        };
        (driver, Reports(inbox))
    }

    /// Runs until nothing is left.
    pub async fn run(mut self, mut reports: Reports) -> Outcome {
        if let Err(failure) = self.bind_listeners().await {
            self.scene.tell(Event::Failed(failure.clone()));
            self.board.post(|snapshot| snapshot.state = RunState::Down);
            return Outcome { failure: Some(failure), was_up: false };
        }
        for tunnel in &self.scene.plan.tunnels {
            tracing::info!(tunnel = %tunnel.id, server = %tunnel.server.id, target = %tunnel.target, hop = tunnel.hop, "planned");
        }
        self.step(Input::Start);
        let mut round_trips = tokio::time::interval(ROUND_TRIP_EVERY);
        let mut leaving = false;
        while !self.finished {
            tokio::select! {
                Some(report) = reports.0.recv() => self.take(report),
                () = self.controls.leave.cancelled(), if !leaving => {
                    leaving = true;
                    self.step(Input::Leave);
                }
                _ = round_trips.tick() => self.measure_round_trips(),
            }
        }
        self.release_listeners();
        let was_up = self.machine.was_up();
        self.scene.tell(Event::Down);
        Outcome { failure: self.machine.into_failure(), was_up }
    }

    fn take(&mut self, report: Report) {
        let scene = self.scene.clone();
        match report {
            // Opened in the very moment it was called off.
            Report::Opened(t, Ok(opened)) if self.machine.is_condemned(t) => opened.live.cut(),
            Report::Opened(t, Ok(opened)) => {
                let tunnel = scene.plan.tunnels[t].id.clone();
                self.watch(t, opened.live.ended());
                self.tunnels[t].take(opened.live);
                self.tunnels[t].carrier = opened.carrier;
                scene.tell(Event::TunnelUp { tunnel, elapsed: opened.elapsed, detail: opened.detail });
                self.measure_round_trip(t);
                self.step(Input::Opened(t));
            }
            Report::Opened(t, Err(_)) if self.machine.is_condemned(t) => {}
            Report::Opened(t, Err(failure)) => self.blame_for_opening(t, failure),
            Report::Ended(t) if self.machine.is_condemned(t) => {}
            Report::Ended(t) => self.blame_for_end(t),
            Report::Blamed(t, failure) => self.step(Input::TunnelFailed(t, failure)),
            Report::Closed(t) => {
                scene.tell(Event::TunnelClosed { tunnel: scene.plan.tunnels[t].id.clone() });
                self.step(Input::Closed(t));
            }
            Report::Proved(f, Ok(proof)) => {
                self.serve(f, proof);
                self.step(Input::Proved(f));
            }
            Report::Proved(f, Err(failure)) => self.blame_for_proof(f, failure),
            Report::Unproved(f, failure) => {
                self.forwards[f].bound = None;
                self.board.post(|snapshot| snapshot.forwards[f].listen = None);
                self.step(Input::ForwardFailed(f, failure));
            }
            Report::Stopped(f) => {
                self.board.post(|snapshot| snapshot.forwards[f].listen = None);
                scene.tell(Event::ForwardClosed { forward: scene.plan.forwards[f].forward.id.clone() });
                self.step(Input::Stopped(f));
            }
            Report::RoundTrip(t, rtt) => self.board.post(|snapshot| snapshot.tunnels[t].rtt = rtt),
        }
    }

    fn step(&mut self, input: Input) {
        let failure = match &input {
            Input::TunnelFailed(_, failure) | Input::ForwardFailed(_, failure) => Some(failure.clone()),
            _ => None,
        };
        let actions = self.machine.handle(input);
        // Before anybody is told: who hears that it is up must find it up.
        self.post();
        for action in actions {
            match action {
                Action::Open(t) => self.open(t),
                Action::Close(t) => self.close(t),
                Action::Prove(f) => self.prove(f),
                Action::Stop(f) => self.stop(f),
                Action::AnnounceUp => self.scene.tell(Event::Up { elapsed: self.started.elapsed() }),
                Action::AnnounceClosing => {
                    if let Some(failure) = &failure {
                        self.scene.tell(Event::Failed(failure.clone()));
                    }
                    self.scene.tell(Event::Closing);
                }
                Action::AnnounceForwardFailed(f, failure) => {
                    self.board.post(|snapshot| snapshot.forwards[f].cause = Some(failure.message.clone()));
                    let forward = self.scene.plan.forwards[f].forward.id.clone();
                    self.scene.tell(Event::ForwardFailed { forward, failure });
                }
                Action::Finish => self.finished = true,
            }
        }
    }

    fn post(&self) {
        self.board.post(|snapshot| {
            snapshot.state = self.machine.state();
            for (t, tunnel) in snapshot.tunnels.iter_mut().enumerate() {
                let (state, cause) = self.machine.tunnel(t);
                tunnel.state = state;
                tunnel.cause = cause.map(str::to_owned);
                if state != TunnelState::Up {
                    tunnel.rtt = None;
                }
            }
            for (f, forward) in snapshot.forwards.iter_mut().enumerate() {
                let state = self.machine.forward(f);
                if state == ForwardState::Up && forward.state != ForwardState::Up {
                    forward.proved_at = Some(SystemTime::now());
                }
                forward.state = state;
            }
        });
    }
}

/// What tasks told the driver.
pub(in crate::engine) struct Reports(UnboundedReceiver<Report>);
