//! Another plan for a run that lives: what goes on keeps what is alive of it, the rest is closed first, and what is
//! new is bound and built after that.

use std::sync::Arc;

use tokio::sync::oneshot;

use super::{Driver, waits};
use crate::engine::act::Scene;
use crate::engine::machine::Input;
use crate::engine::{Event, Failure, ForwardSnapshot, ForwardState, Snapshot, TunnelSnapshot, World, before};
use crate::forward::Meter;
use crate::plan::{Plan, Succession, succession};
use crate::topology::HostId;

/// Another plan is wanted.
pub struct Reload {
    /// The plan, of the same topology.
    pub plan: Plan,
    /// Where and as whom it is built. What was unlocked and typed so far is kept.
    pub world: World,
    /// Told when the plan is obeyed and what is new in it is up or not, or when the run closes before that.
    pub told: oneshot::Sender<Reloaded>,
}

/// What came of it.
#[derive(Debug)]
pub struct Reloaded {
    /// Why forwards are not up, each reason once, and whether one that is required was given up for it.
    pub missing: Vec<(Failure, bool)>,
    /// Whether the plan was obeyed at all.
    pub obeyed: bool,
    /// Whether all forwards are up.
    pub whole: bool,
    /// Whether the run is being closed, because nothing of the plan is left or somebody wants it.
    pub closing: bool,
}

/// A plan that takes over once nothing is left of what it does not have.
pub(super) struct Next {
    plan: Plan,
    world: World,
    kept: Succession,
}

impl Driver {
    pub(super) fn reload(&mut self, wanted: Reload) {
        let Reload { plan, world, told } = wanted;
        let kept = succession(&self.scene.plan, &plan);
        self.waiting.push(told);
        self.next = Some(Next { plan, world, kept: kept.clone() });
        self.step(Input::Shed(kept));
    }

    /// Once the machine asked for it.
    pub(super) async fn take_over(&mut self) {
        let Some(Next { plan, world, kept }) = self.next.take_if(|_| self.shed) else { return };
        self.shed = false;
        let old = self.scene.clone();
        self.release(|f| !kept.forwards.contains(&Some(f)));
        let World { network, trust, login } = world;
        // A password is for somebody at some machine, not for a name in a file.
        let who = |plan: &Plan, id: &HostId| {
            let tunnel = plan.tunnels.iter().find(|tunnel| tunnel.server.id == *id);
            tunnel.map(|tunnel| (tunnel.server.user.clone(), tunnel.server.address.clone()))
        };
        let login = login.with_memory_of(&old.world.login, |id| who(&old.plan, id) == who(&plan, id)).await;
        let world = World { network, trust, login };
        let plan = Arc::new(plan);
        self.reports = self.inbox.take_over(&kept);
        let (events, budget) = (old.events.clone(), old.budget.clone());
        let waits = waits(plan.clone(), self.reports.clone());
        self.scene = Arc::new(Scene { plan: plan.clone(), world, events, waits, budget });
        let mut tunnels = std::mem::take(&mut self.tunnels);
        let mut forwards = std::mem::take(&mut self.forwards);
        self.tunnels = kept.tunnels.iter().map(|was| taken(&mut tunnels, *was)).collect();
        self.forwards = kept.forwards.iter().map(|was| taken(&mut forwards, *was)).collect();
        let seed = self.controls.seed.unwrap_or_else(rand::random);
        self.machine.take_over(&plan, &kept, seed, self.started.elapsed());
        let meters: Vec<Arc<Meter>> = self.forwards.iter().map(|life| life.meter.clone()).collect();
        self.board.renew(plan.clone(), &kept, &meters, |was| goes_on(&plan, &kept, was));
        self.tell_lanes_who_rides();
        self.scene.tell(Event::Replanned { plan });
        let unbound = self.bind_listeners().await;
        self.step(Input::TakenOver(unbound));
    }

    /// Tells whoever waits for a new plan that it is settled.
    pub(super) fn tell_reloaded(&mut self, closing: bool) {
        let (missing, obeyed) = (self.machine.what_is_missing(), self.next.is_none());
        let whole = (0..self.forwards.len()).all(|f| {
            let state = self.machine.forward(f);
            matches!(state, ForwardState::Up | ForwardState::Resting)
        });
        for told in self.waiting.drain(..) {
            // Whoever asked may have left.
            drop(told.send(Reloaded { missing: missing.clone(), obeyed, whole, closing }));
        }
    }
}

fn taken<L: Default>(lives: &mut [L], place: Option<usize>) -> L {
    place.and_then(|place| lives.get_mut(place)).map(std::mem::take).unwrap_or_default()
}

/// The standing of a run under a new plan, before anything of that happened.
fn goes_on(plan: &Plan, kept: &Succession, was: &Snapshot) -> Snapshot {
    let fresh = before(plan);
    let tunnels = fresh.tunnels.into_iter().zip(&kept.tunnels).map(|(new, place)| match place {
        Some(place) => TunnelSnapshot {
            id: new.id,
            through: new.through,
            server: new.server,
            ..was.tunnels[*place].clone()
        },
        None => new,
    });
    let forwards = fresh.forwards.into_iter().zip(&kept.forwards).map(|(new, place)| match place {
        Some(place) => {
            ForwardSnapshot { via: new.via, protocol: new.protocol, ..was.forwards[*place].clone() }
        }
        None => new,
    });
    Snapshot { state: was.state, since: was.since, tunnels: tunnels.collect(), forwards: forwards.collect() }
}
