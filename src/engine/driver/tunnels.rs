//! What the driver does for tunnels: open, watch, blame, measure, close.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Driver, Report};
use crate::engine::act::culprit;
use crate::engine::blame::{self, TunnelBlame};
use crate::engine::life::{Promise, Work};

/// How long a session may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// The same once something broke: who does not answer now will not answer later.
const SHORT_GOODBYE: Duration = Duration::from_millis(300);
const ROUND_TRIP_LIMIT: Duration = Duration::from_secs(5);

impl Driver {
    pub(super) fn open(&mut self, t: usize) {
        let below = self.below(t).and_then(|below| self.tunnels[below].session.clone());
        let scene = self.scene.clone();
        let promise = Promise::new(&self.reports, Report::Opened(t, Err(blame::own_fault())));
        self.tunnels[t].opening = Some(Work::start(async move {
            promise.keep(Report::Opened(t, scene.open(t, below).await));
        }));
    }

    fn below(&self, t: usize) -> Option<usize> {
        let through = self.scene.plan.tunnels[t].through.as_ref()?;
        self.scene.plan.tunnels.iter().position(|tunnel| tunnel.id == *through)
    }

    pub(super) fn watch(&self, t: usize, ended: CancellationToken) {
        let reports = self.reports.clone();
        tokio::spawn(async move {
            ended.cancelled().await;
            drop(reports.send(Report::Ended(t)));
        });
    }

    pub(super) fn find_culprit(&self, t: usize) {
        let scene = self.scene.clone();
        let promise = Promise::new(&self.reports, Report::Blamed(t, blame::own_fault()));
        let sessions: Vec<_> = self.tunnels.iter().map(|tunnel| tunnel.session.clone()).collect();
        tokio::spawn(async move {
            let (to_blame, ending) = culprit(&scene.plan, t, &sessions).await;
            let tunnel = &scene.plan.tunnels[to_blame];
            let failure = TunnelBlame { plan: &scene.plan, tunnel }.lost(&ending);
            promise.keep(Report::Blamed(to_blame, failure));
        });
    }

    pub(super) fn close(&mut self, t: usize) {
        let life = std::mem::take(&mut self.tunnels[t]);
        let patience = if self.machine.has_failed() { SHORT_GOODBYE } else { GOODBYE };
        let (promise, hurry) = (Promise::new(&self.reports, Report::Closed(t)), self.controls.hurry.clone());
        tokio::spawn(async move {
            let _kept_at_the_end = promise;
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
        });
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
            if let Some(rtt) = session.ping(ROUND_TRIP_LIMIT).await {
                drop(reports.send(Report::RoundTrip(t, rtt)));
            }
        });
    }
}
