//! What the driver does for forwards: bind, prove, serve, stop.

use std::sync::Arc;

use super::{Driver, Report};
use crate::engine::act::Proof;
use crate::engine::life::{Promise, Work};
use crate::engine::{Event, Failure, blame};
use crate::forward::Bound;
use crate::ssh::Session;

impl Driver {
    /// Takes every local port before anybody is contacted: a port that is taken costs no login.
    pub(super) async fn bind_listeners(&mut self) -> Result<(), Failure> {
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
        let dialer = self.scene.dialer(planned, self.session_of(f));
        let scene = self.scene.clone();
        let promise = Promise::new(&self.reports, Report::Proved(f, Err(blame::own_fault())));
        self.forwards[f].proving = Some(Work::start(async move {
            let planned = &scene.plan.forwards[f];
            if let Some(dialer) = dialer {
                promise.keep(Report::Proved(f, scene.prove(planned, &dialer).await));
            }
        }));
    }

    fn session_of(&self, f: usize) -> Option<Arc<Session>> {
        let via = self.scene.plan.forwards[f].via.as_ref()?;
        let t = self.scene.plan.place(via)?;
        self.tunnels[t].session.clone()
    }

    /// Serves a forward that was proved, unless it is being stopped by now.
    pub(super) fn serve(&mut self, f: usize, proof: Proof) {
        let planned = &self.scene.plan.forwards[f];
        let Some(dialer) = self.scene.dialer(planned, self.session_of(f)) else { return };
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

    pub(super) fn stop(&mut self, f: usize) {
        let life = &mut self.forwards[f];
        life.bound = None;
        let (proving, relay) = (life.proving.take(), life.relay.take());
        let promise = Promise::new(&self.reports, Report::Stopped(f));
        tokio::spawn(async move {
            let _kept_at_the_end = promise;
            if let Some(proving) = proving {
                proving.call_off().await;
            }
            if let Some(relay) = relay {
                relay.stop().await;
            }
        });
    }
}
