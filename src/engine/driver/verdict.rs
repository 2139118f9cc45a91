//! Who is to blame: what broke, or something under it. Found out by asking, which takes a while; what was
//! rebuilt meanwhile is not blamed for what the one before it did.

use std::time::Duration;

use super::tunnels::ROUND_TRIP_LIMIT;
use super::{Driver, Report};
use crate::engine::act;
use crate::engine::blame::{self, TunnelBlame};
use crate::engine::ground::{Live, broken_ground};
use crate::engine::life::{Promise, TunnelLife};
use crate::engine::machine::Input;
use crate::engine::{Failure, TunnelState};

/// How long a session is given to answer whose way to its host has changed.
const MOVED: Duration = Duration::from_secs(2);

/// A tunnel or a forward as it was at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Nth {
    /// Its place in the plan's list.
    pub place: usize,
    generation: u64,
}

impl Nth {
    /// The same one, where it stands now.
    pub fn at(self, place: usize) -> Nth {
        Nth { place, ..self }
    }
}

/// What failed by itself or for something under it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Suspect {
    Tunnel(Nth),
    Forward(Nth),
}

/// What was found out.
pub(super) struct Verdict {
    pub suspect: Suspect,
    /// What is wrong with the suspect, if nothing under it is to blame.
    pub failure: Failure,
    /// The lowest tunnel that is broken, and how.
    pub found: Option<(Nth, Failure)>,
}

impl Driver {
    pub(super) fn tunnel_now(&self, t: usize) -> Nth {
        Nth { place: t, generation: self.tunnels[t].generation }
    }

    /// A tunnel ended by itself: finds out whether it, or something under it, is to blame.
    pub(super) fn blame_for_end(&self, t: usize) {
        let live = self.tunnels[t].live();
        let scene = self.scene.clone();
        self.find_out(Suspect::Tunnel(self.tunnel_now(t)), vec![t], move || async move {
            let own = match live {
                Some(Live::Session(session)) => session.ending(),
                Some(Live::Client(client)) => client.ending().await,
                None => String::new(),
            };
            TunnelBlame { plan: &scene.plan, tunnel: &scene.plan.tunnels[t] }.lost(&own)
        });
    }

    /// Asks a tunnel whether it is still there. One whose client is elsewhere tells by itself when it is not.
    pub(super) fn probe(&self, t: usize) {
        let Some(Live::Session(session)) = self.tunnels[t].live() else {
            drop(self.reports.send(Report::Probed(self.tunnel_now(t), true)));
            return;
        };
        let (which, tunnel) = (self.tunnel_now(t), &self.scene.plan.tunnels[t]);
        // A network that comes back after sleep takes a while; its silence counts as long as any other.
        let patience = act::patience(tunnel).unwrap_or(ROUND_TRIP_LIMIT);
        // One whose way is another now mostly stands on an address that is gone, and would be silent for ever.
        let moved = self.tunnels[t].way.as_ref().is_some_and(|way| way.moved);
        let patience = if moved { patience.min(MOVED) } else { patience };
        let promise = Promise::new(&self.reports, Report::Probed(which, false));
        tokio::spawn(async move {
            let answered = session.is_alive(patience).await;
            promise.keep(Report::Probed(which, answered));
        });
    }

    pub(super) fn probed(&mut self, nth: Nth, answered: bool) {
        match (self.is_now(nth), answered) {
            (true, true) => self.step(Input::Answered(nth.place)),
            (true, false) => self.blame_for_end(nth.place),
            (false, _) => {}
        }
    }

    /// Opening a tunnel failed: what it stands on may be the reason.
    pub(super) fn blame_for_opening(&self, t: usize, failure: Failure) {
        self.find_out(Suspect::Tunnel(self.tunnel_now(t)), vec![t], move || async move { failure });
    }

    /// Proving a forward failed: what it stands on may be the reason.
    pub(super) fn blame_for_proof(&self, f: usize, failure: Failure) {
        let needs = self.planned(f).needs();
        let tops = needs.filter_map(|id| self.scene.plan.place(id)).collect();
        let suspect = Suspect::Forward(Nth { place: f, generation: self.forwards[f].generation });
        self.find_out(suspect, tops, move || async move { failure });
    }

    /// Looks for the lowest broken tunnel of these and those under them.
    fn find_out<F>(&self, suspect: Suspect, tops: Vec<usize>, own: impl FnOnce() -> F + Send + 'static)
    where
        F: Future<Output = Failure> + Send + 'static,
    {
        let scene = self.scene.clone();
        let alive: Vec<_> = self.tunnels.iter().map(TunnelLife::live).collect();
        let now: Vec<_> = (0..alive.len()).map(|t| self.tunnel_now(t)).collect();
        let nobody = Verdict { suspect, failure: blame::own_fault(), found: None };
        let promise = Promise::new(&self.reports, Report::Verdict(nobody));
        tokio::spawn(async move {
            let failure = own().await;
            let found = broken_ground(&scene.plan, &tops, &alive).await.map(|(t, ending)| {
                let tunnel = &scene.plan.tunnels[t];
                (now[t], TunnelBlame { plan: &scene.plan, tunnel }.lost(&ending))
            });
            promise.keep(Report::Verdict(Verdict { suspect, failure, found }));
        });
    }

    pub(super) fn judge(&mut self, verdict: Verdict) {
        let Verdict { suspect, failure, found } = verdict;
        if let Some((nth, failure)) = found
            && self.is_now(nth)
            && self.machine.tunnel(nth.place) == TunnelState::Up
        {
            return self.lost(nth.place, failure);
        }
        match suspect {
            Suspect::Tunnel(nth) if self.is_now(nth) => self.lost(nth.place, failure),
            Suspect::Forward(nth) if self.forwards[nth.place].generation == nth.generation => {
                self.step(Input::ForwardFailed(nth.place, failure));
            }
            _ => {}
        }
    }

    fn lost(&mut self, t: usize, failure: Failure) {
        self.step(match self.tunnels[t].unused {
            Some(unused) => Input::EndedUnused(t, unused, failure),
            None => Input::TunnelFailed(t, failure),
        });
    }

    /// Whether a tunnel is still the one it was, and wanted.
    pub(super) fn is_now(&self, nth: Nth) -> bool {
        self.tunnels[nth.place].generation == nth.generation && !self.machine.is_doomed(nth.place)
    }
}
