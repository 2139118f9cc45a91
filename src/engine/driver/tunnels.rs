//! What the driver does for tunnels: open, watch, blame, measure, close.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Driver, Report};
use crate::engine::Failure;
use crate::engine::blame::{self, TunnelBlame};
use crate::engine::ground::{Ground, Live, broken_ground};
use crate::engine::life::{Promise, TunnelLife, Work};

/// How long a session may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// The same once something broke: who does not answer now will not answer later.
const SHORT_GOODBYE: Duration = Duration::from_millis(300);
const ROUND_TRIP_LIMIT: Duration = Duration::from_secs(5);

impl Driver {
    pub(super) fn open(&mut self, t: usize) {
        let session = |place: Option<usize>| place.and_then(|place| self.tunnels[place].session.clone());
        let control = self.scene.plan.tunnels[t].client.control();
        let control = control.and_then(|id| self.scene.plan.place(id));
        let ground = Ground { below: session(self.below(t)), control: session(control) };
        let scene = self.scene.clone();
        let promise = Promise::new(&self.reports, Report::Opened(t, Err(blame::own_fault())));
        self.tunnels[t].opening = Some(Work::start(async move {
            promise.keep(Report::Opened(t, scene.open(t, ground).await));
        }));
    }

    fn below(&self, t: usize) -> Option<usize> {
        self.scene.plan.place(self.scene.plan.tunnels[t].through.as_ref()?)
    }

    pub(super) fn watch(&self, t: usize, ended: CancellationToken) {
        let reports = self.reports.clone();
        tokio::spawn(async move {
            ended.cancelled().await;
            drop(reports.send(Report::Ended(t)));
        });
    }

    /// A tunnel ended by itself: finds out whether it, or something under it, is to blame.
    pub(super) fn blame_for_end(&self, t: usize) {
        let scene = self.scene.clone();
        let live = self.tunnels[t].live();
        let alive: Vec<_> = self.tunnels.iter().map(TunnelLife::live).collect();
        let promise = Promise::new(&self.reports, Report::Blamed(t, blame::own_fault()));
        tokio::spawn(async move {
            let own = match live {
                Some(Live::Session(session)) => session.ending(),
                Some(Live::Client(client)) => client.ending().await,
                None => String::new(),
            };
            // It is over itself, so what is found at the latest is itself.
            let found = broken_ground(&scene.plan, &[t], &alive).await;
            let (t, ending) = found.unwrap_or((t, own));
            let tunnel = &scene.plan.tunnels[t];
            let failure = TunnelBlame { plan: &scene.plan, tunnel }.lost(&ending);
            promise.keep(Report::Blamed(t, failure));
        });
    }

    /// Opening a tunnel failed: what it stands on may be the reason.
    pub(super) fn blame_for_opening(&self, t: usize, failure: Failure) {
        self.blame_ground(vec![t], Report::Blamed(t, failure));
    }

    /// Proving a forward failed: what it stands on may be the reason.
    pub(super) fn blame_for_proof(&self, f: usize, failure: Failure) {
        let needs = self.scene.plan.forwards[f].needs();
        let tops = needs.filter_map(|id| self.scene.plan.place(id)).collect();
        self.blame_ground(tops, Report::Unproved(f, failure));
    }

    /// Reports the lowest broken tunnel of these and those under them, or `otherwise` when all answer.
    fn blame_ground(&self, tops: Vec<usize>, otherwise: Report) {
        let scene = self.scene.clone();
        let promise = Promise::new(&self.reports, otherwise);
        let sessions: Vec<_> = self.tunnels.iter().map(TunnelLife::live).collect();
        tokio::spawn(async move {
            if let Some((t, ending)) = broken_ground(&scene.plan, &tops, &sessions).await {
                let tunnel = &scene.plan.tunnels[t];
                let failure = TunnelBlame { plan: &scene.plan, tunnel }.lost(&ending);
                promise.keep(Report::Blamed(t, failure));
            }
        });
    }

    pub(super) fn close(&mut self, t: usize) {
        let life = std::mem::take(&mut self.tunnels[t]);
        let patience = self.patience();
        let (promise, hurry) = (Promise::new(&self.reports, Report::Closed(t)), self.controls.hurry.clone());
        tokio::spawn(async move {
            let _kept_at_the_end = promise;
            let session = life.session.clone();
            let in_order = async {
                if let Some(opening) = life.opening {
                    opening.call_off().await;
                }
                if let Some(session) = life.session {
                    session.close(patience).await;
                }
                if let Some(client) = life.client {
                    client.close(patience).await;
                }
                if let Some(carrier) = life.carrier {
                    carrier.stop().await;
                }
            };
            tokio::select! {
                () = in_order => {}
                () = hurry.cancelled() => {
                    if let Some(session) = session {
                        session.cut();
                    }
                }
            }
        });
    }

    /// How long others may take to say goodbye.
    pub(super) fn patience(&self) -> Duration {
        if self.machine.has_failed() { SHORT_GOODBYE } else { GOODBYE }
    }

    pub(super) fn measure_round_trips(&self) {
        for t in 0..self.tunnels.len() {
            self.measure_round_trip(t);
        }
    }

    pub(super) fn measure_round_trip(&self, t: usize) {
        let Some(session) = self.tunnels[t].session.clone() else { return };
        let reports = self.reports.clone();
        tokio::spawn(async move {
            let rtt = session.ping(ROUND_TRIP_LIMIT).await;
            drop(reports.send(Report::RoundTrip(t, rtt)));
        });
    }
}
