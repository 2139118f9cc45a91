//! What the driver does for forwards: bind, prove, serve, stop.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;

use super::{Driver, Report};
use crate::engine::life::{Promise, Served, Work};
use crate::engine::proof::Proof;
use crate::engine::{Event, Failure, ListenAddress, blame};
use crate::forward::{Bound, Dialer, Lanes, RemoteRelay};
use crate::plan::{PlannedForward, TunnelId};
use crate::ssh::Session;

impl Driver {
    /// Takes every local port that is not held yet, before anybody is contacted for it: a port that is taken costs
    /// no login. Gives the forwards that cannot listen.
    pub(super) async fn bind_listeners(&mut self) -> Vec<(usize, Failure)> {
        let mut failed = Vec::new();
        for (f, planned) in self.scene.plan.forwards.iter().enumerate() {
            let life = &self.forwards[f];
            if planned.listener.is_some() || life.bound.is_some() || life.served.is_some() {
                continue;
            }
            let (id, listen) = (planned.forward.id.clone(), planned.forward.listen);
            let bound = match Bound::bind(listen).await {
                Ok(bound) => bound,
                Err(error) => {
                    failed.push((f, blame::listen(&format!("forward \"{id}\""), listen, &error)));
                    continue;
                }
            };
            let at = ListenAddress::here(bound.local());
            self.board.post(|snapshot| snapshot.forwards[f].listen = Some(at.clone()));
            self.scene.tell(Event::ForwardListening { forward: id, at });
            self.forwards[f].bound = Some(bound);
        }
        failed
    }

    /// Lets go of listeners of these forwards that never came to be served.
    pub(super) fn release(&mut self, which: impl Fn(usize) -> bool) {
        for (f, (life, planned)) in self.forwards.iter_mut().zip(&self.scene.plan.forwards).enumerate() {
            if which(f) && life.bound.take().is_some() {
                self.scene.tell(Event::ForwardClosed { forward: planned.forward.id.clone() });
            }
        }
    }

    pub(super) fn prove(&mut self, f: usize) {
        let (planned, way) = (self.planned(f), self.machine.way(f));
        self.scene.tell(Event::ForwardChecking { forward: planned.forward.id.clone() });
        let dialer = self.prover(planned);
        let listens = self.session_of(planned.listener.as_ref().map(|listener| &listener.via));
        let scene = self.scene.clone();
        let port = self.forwards[f].port;
        self.forwards[f].generation += 1;
        let promise = Promise::new(&self.reports, Report::Proved(f, Err(blame::own_fault())));
        self.forwards[f].proving = Some(Work::start(async move {
            let planned = scene.plan.forwards[f].way(way);
            if let Some(dialer) = dialer {
                promise.keep(Report::Proved(f, scene.prove(planned, &dialer, listens, port).await));
            }
        }));
    }

    /// Proves a forward again while it is served.
    pub(super) fn verify(&mut self, f: usize) {
        let (planned, way) = (self.planned(f), self.machine.way(f));
        let dialer = self.prover(planned);
        let scene = self.scene.clone();
        let promise = Promise::new(&self.reports, Report::Verified(f, Err(blame::own_fault())));
        self.forwards[f].proving = Some(Work::start(async move {
            if let Some(dialer) = dialer {
                promise
                    .keep(Report::Verified(f, scene.verify(scene.plan.forwards[f].way(way), &dialer).await));
            }
        }));
    }

    /// Who dials for a proof: the tunnel's own session, since that is what is proved.
    fn prover(&self, planned: &PlannedForward) -> Option<Dialer> {
        self.scene.dialer(planned, self.session_of(planned.via.as_ref()).map(Lanes::only))
    }

    fn session_of(&self, tunnel: Option<&TunnelId>) -> Option<Arc<Session>> {
        self.tunnels[self.scene.plan.place(tunnel?)?].session.clone()
    }

    /// Serves a forward that was proved: for the first time, or again.
    pub(super) fn serve(&mut self, f: usize, proof: Proof) {
        let scene = self.scene.clone();
        let planned = scene.plan.forwards[f].way(self.machine.way(f));
        let via = planned.via.as_ref().and_then(|id| self.scene.plan.place(id));
        let lanes = via.and_then(|t| self.tunnels[t].lanes.clone());
        let Some(dialer) = self.scene.dialer(planned, lanes) else { return };
        let listens = self.session_of(planned.listener.as_ref().map(|listener| &listener.via));
        let terms = scene.terms_of(&scene.plan.forwards[f]);
        let life = &mut self.forwards[f];
        let meter = life.meter.clone();
        let (served, at) = match (proof.listener, listens, life.served.take(), life.bound.take()) {
            (Some(listener), Some(session), ..) => {
                let at = self.scene.listening(planned, &listener);
                life.port = Some(listener.port());
                (Served::There(RemoteRelay::serve(listener, &session, dialer, meter, terms)), at)
            }
            (None, _, Some(Served::Here(relay)), _) => {
                relay.resume(dialer);
                let at = ListenAddress::here(relay.local());
                (Served::Here(relay), at)
            }
            (None, _, _, Some(bound)) => {
                let relay = bound.serve(dialer, meter, terms, planned.forward.on_down.patience());
                let at = ListenAddress::here(relay.local());
                (Served::Here(Arc::new(relay)), at)
            }
            // Its session is gone again, and with it what it was asked for.
            _ => return,
        };
        life.served = Some(served);
        self.board.post(|snapshot| snapshot.forwards[f].listen = Some(at.clone()));
        let forward = planned.forward.id.clone();
        self.scene.tell(Event::ForwardUp { forward, at, answer: proof.answer, elapsed: proof.elapsed });
    }

    /// Stops serving a forward for as long as what it dials through is rebuilt. A listener on this machine
    /// stays; one on another host is asked for again.
    pub(super) fn suspend(&mut self, f: usize) {
        let life = &mut self.forwards[f];
        let proving = life.proving.take();
        let here = match &life.served {
            Some(Served::Here(relay)) => Some(relay.clone()),
            _ => None,
        };
        let there = if here.is_none() { life.served.take() } else { None };
        if there.is_some() {
            self.board.post(|snapshot| snapshot.forwards[f].listen = None);
        }
        self.halt(f, proving, move |patience| async move {
            if let Some(relay) = here {
                relay.suspend().await;
            }
            if let Some(there) = there {
                there.stop(patience, Duration::ZERO).await;
            }
        });
    }

    pub(super) fn stop(&mut self, f: usize) {
        let life = &mut self.forwards[f];
        life.bound = None;
        let (proving, served) = (life.proving.take(), life.served.take());
        // What broke carries nobody to the end.
        let drain = if self.machine.has_broken() { Duration::ZERO } else { self.scene.plan.drain };
        self.halt(f, proving, move |patience| async move {
            if let Some(served) = served {
                served.stop(patience, drain).await;
            }
        });
    }

    /// Waits for somebody to come to whatever rests, for as long as it does.
    pub(super) fn watch_for_clients(&mut self) {
        for (f, life) in self.forwards.iter_mut().enumerate() {
            if !self.machine.rests(f) {
                life.resting = None;
            } else if life.resting.is_none()
                && let Some(Served::Here(relay)) = &life.served
            {
                let (wanted, reports) = (relay.wanted(), self.reports.clone());
                life.resting = Some(AbortOnDropHandle::new(tokio::spawn(async move {
                    if wanted.await {
                        drop(reports.send(Report::Wanted(f)));
                    }
                })));
            }
        }
    }

    /// Calls off the proof, then does this and reports that the forward is stopped.
    fn halt<F>(&self, f: usize, proving: Option<Work>, ending: impl FnOnce(Duration) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (patience, hurry) = (self.patience(), self.controls.hurry.clone());
        let promise = Promise::new(&self.reports, Report::Stopped(f));
        tokio::spawn(async move {
            let _kept_at_the_end = promise;
            if let Some(proving) = proving {
                proving.call_off().await;
            }
            tokio::select! {
                () = ending(patience) => {}
                () = hurry.cancelled() => {}
            }
        });
    }

    /// Lets go of the listener of a forward that is given up and was never served.
    pub(super) fn let_go_unserved(&mut self, f: usize) {
        if self.forwards[f].bound.take().is_some() {
            self.board.post(|snapshot| snapshot.forwards[f].listen = None);
        }
    }

    /// Tells that a forward serves nobody for now, and how many of its streams that cost.
    pub(super) fn tell_held(&mut self, f: usize) {
        let life = &mut self.forwards[f];
        let lost = life.meter.read().lost;
        let streams = lost - std::mem::replace(&mut life.told_lost, lost);
        let forward = self.scene.plan.forwards[f].forward.id.clone();
        self.scene.tell(Event::ForwardHeld { forward, streams });
    }
}
