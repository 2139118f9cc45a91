//! What the driver does for forwards: bind, prove, serve, stop.

use std::sync::Arc;

use super::{Driver, Report};
use crate::engine::life::{Promise, Served, Work};
use crate::engine::proof::Proof;
use crate::engine::{Event, Failure, ListenAddress, blame};
use crate::forward::{Bound, RemoteRelay};
use crate::plan::TunnelId;
use crate::ssh::Session;

impl Driver {
    /// Takes every local port before anybody is contacted: a port that is taken costs no login.
    pub(super) async fn bind_listeners(&mut self) -> Result<(), Failure> {
        for (f, planned) in self.scene.plan.forwards.iter().enumerate() {
            if planned.listener.is_some() {
                continue;
            }
            let (id, listen) = (planned.forward.id.clone(), planned.forward.listen);
            let bound = Bound::bind(listen)
                .await
                .map_err(|error| blame::listen(&format!("forward \"{id}\""), listen, &error))?;
            let at = ListenAddress::here(bound.local());
            self.board.post(|snapshot| snapshot.forwards[f].listen = Some(at.clone()));
            self.scene.tell(Event::ForwardListening { forward: id, at });
            self.forwards[f].bound = Some(bound);
        }
        Ok(())
    }

    /// Lets go of listeners that never came to be served.
    pub(super) fn release_listeners(&mut self) {
        for (life, planned) in self.forwards.iter_mut().zip(&self.scene.plan.forwards) {
            if life.bound.take().is_some() {
                self.scene.tell(Event::ForwardClosed { forward: planned.forward.id.clone() });
            }
        }
    }

    pub(super) fn prove(&mut self, f: usize) {
        let planned = &self.scene.plan.forwards[f];
        self.scene.tell(Event::ForwardChecking { forward: planned.forward.id.clone() });
        let dialer = self.scene.dialer(planned, self.session_of(planned.via.as_ref()));
        let listens = self.session_of(planned.listener.as_ref().map(|listener| &listener.via));
        let scene = self.scene.clone();
        let promise = Promise::new(&self.reports, Report::Proved(f, Err(blame::own_fault())));
        self.forwards[f].proving = Some(Work::start(async move {
            let planned = &scene.plan.forwards[f];
            if let Some(dialer) = dialer {
                promise.keep(Report::Proved(f, scene.prove(planned, &dialer, listens).await));
            }
        }));
    }

    fn session_of(&self, tunnel: Option<&TunnelId>) -> Option<Arc<Session>> {
        self.tunnels[self.scene.plan.place(tunnel?)?].session.clone()
    }

    /// Serves a forward that was proved, unless it is being stopped by now.
    pub(super) fn serve(&mut self, f: usize, proof: Proof) {
        let planned = &self.scene.plan.forwards[f];
        let Some(dialer) = self.scene.dialer(planned, self.session_of(planned.via.as_ref())) else { return };
        let listens = self.session_of(planned.listener.as_ref().map(|listener| &listener.via));
        let terms = self.scene.terms_of(planned);
        let life = &mut self.forwards[f];
        let meter = life.meter.clone();
        let (served, at) = match (proof.listener, listens, life.bound.take()) {
            (Some(listener), Some(session), _) => {
                let at = self.scene.listening(planned, &listener);
                (Served::There(RemoteRelay::serve(listener, &session, dialer, meter, terms)), at)
            }
            (None, _, Some(bound)) => {
                let relay = bound.serve(dialer, meter, terms);
                let at = ListenAddress::here(relay.local());
                (Served::Here(relay), at)
            }
            // Its session is gone again, and with it what it was asked for.
            _ => return,
        };
        life.served = Some(served);
        self.board.post(|snapshot| snapshot.forwards[f].listen = Some(at.clone()));
        let forward = planned.forward.id.clone();
        self.scene.tell(Event::ForwardUp { forward, at, answer: proof.answer, elapsed: proof.elapsed });
    }

    pub(super) fn stop(&mut self, f: usize) {
        let life = &mut self.forwards[f];
        life.bound = None;
        let (proving, served) = (life.proving.take(), life.served.take());
        let (patience, hurry) = (self.patience(), self.controls.hurry.clone());
        let promise = Promise::new(&self.reports, Report::Stopped(f));
        tokio::spawn(async move {
            let _kept_at_the_end = promise;
            if let Some(proving) = proving {
                proving.call_off().await;
            }
            if let Some(served) = served {
                tokio::select! {
                    () = served.stop(patience) => {}
                    () = hurry.cancelled() => {}
                }
            }
        });
    }
}
