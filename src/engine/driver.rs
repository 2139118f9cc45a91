//! Drives a run: feeds the machine with what happened, and has its actions done. It holds what is
//! alive and decides nothing.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::act::{Opened, Proof, Scene, culprit};
use super::blame::{self, TunnelBlame};
use super::board::Board;
use super::machine::{Action, Input, Machine};
use super::{Controls, Event, Failure, ForwardState, Outcome, RunState, TunnelState};
use crate::forward::{Bound, Meter, Relay};
use crate::ssh::Session;

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
    RoundTrip(usize, Duration),
}

pub(super) struct Driver {
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

/// What is alive of a tunnel.
#[derive(Default)]
struct TunnelLife {
    opening: Option<Work>,
    session: Option<Arc<Session>>,
    carrier: Option<Relay>,
}

/// What is alive of a forward.
#[derive(Default)]
struct ForwardLife {
    meter: Arc<Meter>,
    bound: Option<Bound>,
    proving: Option<Work>,
    relay: Option<Relay>,
}

/// A task that can be called off.
struct Work {
    call_off: CancellationToken,
    task: JoinHandle<()>,
}

/// How long a session may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// The same once something broke: who does not answer now will not answer later.
const SHORT_GOODBYE: Duration = Duration::from_millis(300);
/// How often the round trip through each layer is measured.
const ROUND_TRIP_EVERY: Duration = Duration::from_secs(10);
const ROUND_TRIP_LIMIT: Duration = Duration::from_secs(5);

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
            self.scene.tell(Event::Down);
            return Outcome { failure: Some(failure), was_up: false };
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
        let was_up = self.machine.was_up();
        self.scene.tell(Event::Down);
        Outcome { failure: self.machine.into_failure(), was_up }
    }

    /// Takes every local port before anybody is contacted: a port that is taken costs no login.
    async fn bind_listeners(&mut self) -> Result<(), Failure> {
        for (f, planned) in self.scene.plan.forwards.iter().enumerate() {
            let (id, listen) = (planned.forward.id.clone(), planned.forward.listen);
            let bound = Bound::bind(listen)
                .await
                .map_err(|error| blame::listen(&format!("forward \"{id}\""), listen, &error))?;
            let local = bound.local();
            self.board.post(|snapshot| snapshot.forwards[f].listen = Some(local));
            self.scene.tell(Event::ForwardListening { forward: id, local });
            self.forwards[f].bound = Some(bound);
        }
        Ok(())
    }

    fn take(&mut self, report: Report) {
        let scene = self.scene.clone();
        match report {
            Report::Opened(t, Ok(opened)) => {
                let detail = opened.session.detail();
                self.watch(t, opened.session.ended());
                self.tunnels[t].session = Some(opened.session);
                self.tunnels[t].carrier = opened.carrier;
                if !self.machine.is_condemned(t) {
                    let tunnel = scene.plan.tunnels[t].id.clone();
                    scene.tell(Event::TunnelUp { tunnel, elapsed: opened.elapsed, detail });
                    self.measure_round_trip(t);
                }
                self.step(Input::Opened(t));
            }
            Report::Opened(t, Err(failure)) => self.step(Input::TunnelFailed(t, failure)),
            Report::Ended(t) if self.machine.is_condemned(t) => {}
            Report::Ended(t) => self.find_culprit(t),
            Report::Blamed(t, failure) => self.step(Input::TunnelFailed(t, failure)),
            Report::Closed(t) => {
                scene.tell(Event::TunnelClosed { tunnel: scene.plan.tunnels[t].id.clone() });
                self.step(Input::Closed(t));
            }
            Report::Proved(f, Ok(proof)) => {
                self.serve(f, proof);
                self.step(Input::Proved(f));
            }
            Report::Proved(f, Err(failure)) => {
                self.forwards[f].bound = None;
                self.step(Input::ForwardFailed(f, failure));
            }
            Report::Stopped(f) => {
                scene.tell(Event::ForwardClosed { forward: scene.plan.forwards[f].forward.id.clone() });
                self.step(Input::Stopped(f));
            }
            Report::RoundTrip(t, rtt) => self.board.post(|snapshot| snapshot.tunnels[t].rtt = Some(rtt)),
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

    fn open(&mut self, t: usize) {
        let below = self.below(t).and_then(|below| self.tunnels[below].session.clone());
        let (scene, reports) = (self.scene.clone(), self.reports.clone());
        self.tunnels[t].opening = Some(work(async move {
            let opened = scene.open(t, below).await;
            drop(reports.send(Report::Opened(t, opened)));
        }));
    }

    fn below(&self, t: usize) -> Option<usize> {
        let through = self.scene.plan.tunnels[t].through.as_ref()?;
        self.scene.plan.tunnels.iter().position(|tunnel| tunnel.id == *through)
    }

    fn watch(&self, t: usize, ended: CancellationToken) {
        let reports = self.reports.clone();
        tokio::spawn(async move {
            ended.cancelled().await;
            drop(reports.send(Report::Ended(t)));
        });
    }

    fn find_culprit(&self, t: usize) {
        let (scene, reports) = (self.scene.clone(), self.reports.clone());
        let sessions: Vec<_> = self.tunnels.iter().map(|tunnel| tunnel.session.clone()).collect();
        tokio::spawn(async move {
            let (to_blame, ending) = culprit(&scene.plan, t, &sessions).await;
            let tunnel = &scene.plan.tunnels[to_blame];
            let failure = TunnelBlame { plan: &scene.plan, tunnel }.lost(&ending);
            drop(reports.send(Report::Blamed(to_blame, failure)));
        });
    }

    fn close(&mut self, t: usize) {
        let life = std::mem::take(&mut self.tunnels[t]);
        let patience = if self.machine.has_failed() { SHORT_GOODBYE } else { GOODBYE };
        let (reports, hurry) = (self.reports.clone(), self.controls.hurry.clone());
        tokio::spawn(async move {
            if let Some(opening) = life.opening {
                opening.call_off().await;
            }
            if let Some(session) = life.session {
                tokio::select! {
                    () = session.close(patience) => {}
                    () = hurry.cancelled() => session.cut(),
                }
            }
            if let Some(carrier) = life.carrier {
                carrier.stop().await;
            }
            drop(reports.send(Report::Closed(t)));
        });
    }

    fn prove(&mut self, f: usize) {
        let planned = &self.scene.plan.forwards[f];
        self.scene.tell(Event::ForwardChecking { forward: planned.forward.id.clone() });
        let dialer = self.scene.dialer(planned, self.session_of(f));
        let (scene, reports) = (self.scene.clone(), self.reports.clone());
        self.forwards[f].proving = Some(work(async move {
            let proof = scene.prove(&scene.plan.forwards[f], &dialer).await;
            drop(reports.send(Report::Proved(f, proof)));
        }));
    }

    fn session_of(&self, f: usize) -> Option<Arc<Session>> {
        let via = self.scene.plan.forwards[f].via.as_ref()?;
        let t = self.scene.plan.tunnels.iter().position(|tunnel| tunnel.id == *via)?;
        self.tunnels[t].session.clone()
    }

    /// Serves a forward that was proved, unless it is being stopped by now.
    fn serve(&mut self, f: usize, proof: Proof) {
        let planned = &self.scene.plan.forwards[f];
        let dialer = self.scene.dialer(planned, self.session_of(f));
        let terms = self.scene.terms_of(planned);
        let life = &mut self.forwards[f];
        let Some(bound) = life.bound.take() else { return };
        let relay = bound.serve(dialer, life.meter.clone(), terms);
        let event = Event::ForwardUp {
            forward: planned.forward.id.clone(),
            local: relay.local(),
            answer: proof.answer,
            elapsed: proof.elapsed,
        };
        life.relay = Some(relay);
        self.scene.tell(event);
    }

    fn stop(&mut self, f: usize) {
        let life = &mut self.forwards[f];
        life.bound = None;
        let (proving, relay) = (life.proving.take(), life.relay.take());
        let reports = self.reports.clone();
        tokio::spawn(async move {
            if let Some(proving) = proving {
                proving.call_off().await;
            }
            if let Some(relay) = relay {
                relay.stop().await;
            }
            drop(reports.send(Report::Stopped(f)));
        });
    }

    fn measure_round_trips(&self) {
        for t in 0..self.tunnels.len() {
            self.measure_round_trip(t);
        }
    }

    fn measure_round_trip(&self, t: usize) {
        let Some(session) = self.tunnels[t].session.clone() else { return };
        let reports = self.reports.clone();
        tokio::spawn(async move {
            if let Some(rtt) = session.ping(ROUND_TRIP_LIMIT).await {
                drop(reports.send(Report::RoundTrip(t, rtt)));
            }
        });
    }
}

/// What tasks told the driver.
pub(super) struct Reports(UnboundedReceiver<Report>);

impl Work {
    /// Calls the task off and waits until nothing of it is left.
    async fn call_off(self) {
        self.call_off.cancel();
        // Fails only when the task panicked, which the panic hook has told already.
        let _ = self.task.await;
    }
}

fn work(task: impl Future<Output = ()> + Send + 'static) -> Work {
    let call_off = CancellationToken::new();
    let called_off = call_off.clone();
    let task = tokio::spawn(async move {
        tokio::select! {
            () = task => {}
            () = called_off.cancelled() => {}
        }
    });
    Work { call_off, task }
}
