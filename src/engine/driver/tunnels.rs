//! What the driver does for tunnels: open, watch, blame, measure, close.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Driver, Report};
use crate::engine::blame;
use crate::engine::ground::Ground;
use crate::engine::lane;
use crate::engine::life::{Promise, Work};
use crate::forward::Lanes;

/// How long a session may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// The same once something broke: who does not answer now will not answer later.
const SHORT_GOODBYE: Duration = Duration::from_millis(300);
pub(super) const ROUND_TRIP_LIMIT: Duration = Duration::from_secs(5);

impl Driver {
    pub(super) fn open(&mut self, t: usize) {
        let session = |place: Option<usize>| place.and_then(|place| self.tunnels[place].session.clone());
        let control = self.scene.plan.tunnels[t].client.control();
        let control = control.and_then(|id| self.scene.plan.place(id));
        let ground = Ground { below: session(self.below(t)), control: session(control) };
        let scene = self.scene.clone();
        let promise = Promise::new(&self.reports, Report::Opened(t, Err(blame::own_fault())));
        // What it needs may have had no rider while it rested.
        for under in self.scene.plan.tunnels[t].needs().filter_map(|id| self.scene.plan.place(id)) {
            self.tunnels[under].lanes.iter().for_each(|lanes| lanes.set_ridden(true));
        }
        self.tunnels[t].generation += 1;
        self.tunnels[t].opening = Some(Work::start(async move {
            promise.keep(Report::Opened(t, scene.open(t, ground).await));
        }));
    }

    fn below(&self, t: usize) -> Option<usize> {
        self.scene.plan.place(self.scene.plan.tunnels[t].through.as_ref()?)
    }

    /// Lets a tunnel that was just opened have more sessions, where that takes no person.
    pub(super) fn lay_lanes(&mut self, t: usize) {
        let Some(session) = self.tunnels[t].session.clone() else { return };
        let below = self.below(t).and_then(|below| self.tunnels[below].session.clone());
        let opener = session.again().map(|again| lane::opener(self.scene.clone(), t, below, again));
        let lanes = Lanes::new(session, self.is_ridden(t), opener, self.board.lanes(t));
        self.tunnels[t].lanes = Some(lanes);
    }

    /// With another plan, other tunnels may ride a session that goes on; and what rests rides none. A session that nothing
    /// rides is used by clients, or else its server might end it while they are beside it.
    pub(super) fn tell_lanes_who_rides(&self) {
        for (t, life) in self.tunnels.iter().enumerate() {
            life.lanes.iter().for_each(|lanes| lanes.set_ridden(self.is_ridden(t)));
        }
    }

    fn is_ridden(&self, t: usize) -> bool {
        let plan = &self.scene.plan;
        let rides = |other: usize| plan.tunnels[other].needs().any(|id| *id == plan.tunnels[t].id);
        (0..plan.tunnels.len()).any(|other| rides(other) && !self.machine.tunnel_rests(other))
    }

    /// Notes how a tunnel ended. One over whose ground clients go beside its session is not left closed: it keeps that
    /// session in use for them.
    pub(super) fn note_end(&mut self, t: usize) {
        let beside = self.below(t).is_some_and(|below| self.tunnels[below].has_used_lanes());
        self.tunnels[t].note_end();
        self.tunnels[t].unused = self.tunnels[t].unused.filter(|_| !beside);
    }

    pub(super) fn watch(&self, t: usize, ended: CancellationToken) {
        let (reports, which) = (self.reports.clone(), self.tunnel_now(t));
        tokio::spawn(async move {
            ended.cancelled().await;
            drop(reports.send(Report::Ended(which)));
        });
    }

    pub(super) fn close(&mut self, t: usize) {
        let life = self.tunnels[t].end();
        let patience = self.patience();
        let (promise, hurry) = (Promise::new(&self.reports, Report::Closed(t)), self.controls.hurry.clone());
        tokio::spawn(async move {
            let _kept_at_the_end = promise;
            let (session, lanes) = (life.session.clone(), life.lanes.clone());
            let in_order = async {
                if let Some(opening) = life.opening {
                    opening.call_off().await;
                }
                if let Some(lanes) = life.lanes {
                    lanes.close(patience).await;
                }
                if let Some(session) = life.session {
                    session.close(patience).await;
                }
                if let Some(client) = life.client {
                    // Cut short it would still have its port when the next one wants it.
                    client.close(GOODBYE).await;
                }
                if let Some(carrier) = life.carrier {
                    carrier.stop(Duration::ZERO).await;
                }
            };
            tokio::select! {
                () = in_order => {}
                () = hurry.cancelled() => {
                    lanes.inspect(Lanes::cut);
                    if let Some(session) = session {
                        session.cut();
                    }
                }
            }
        });
    }

    /// How long others may take to say goodbye.
    pub(super) fn patience(&self) -> Duration {
        if self.machine.has_broken() { SHORT_GOODBYE } else { GOODBYE }
    }

    /// Whether this machine would go another way now to a host that it dialled.
    pub(super) fn ways_changed(&mut self) -> bool {
        let ways = self.tunnels.iter_mut().filter_map(|life| life.way.as_mut());
        // All of them are asked.
        ways.filter_map(|way| way.changed().then_some(())).count() > 0
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
