//! What must be done: which tunnels, in which layers, and which forwards ride them.
//!
//! A function of the topology alone: same topology, same [`Plan`], byte for byte. Pure: no clock,
//! socket, name resolution, environment or file. The engine obeys the plan and nothing else.

mod alternatives;
mod client_command;
mod course;
mod detour;
mod diff;
mod draft;
mod error;
mod explain;
mod far_listener;
#[cfg(test)]
mod fixture;
mod grants;
mod graph;
mod no_route;
mod opening;
mod opening_telescoped;
mod part;
mod planner;
#[cfg(test)]
mod property;
#[cfg(test)]
mod property_both;
#[cfg(test)]
mod property_telescope;
mod reach;
mod routes;
mod said;
mod same_listen;
pub mod show;
mod single_point;
mod standby;
mod succession;
mod telescope;
mod tunnel;

pub use client_command::{BEAT, LISTENS, PROBE, Tool, Unfit, client_command};
pub use diff::{Change, Diff, Part, Step, diff, diff_between};
pub use error::{NoPart, NoPort, PlanError, UnfitClient};
pub use explain::{Crossing, Explained, Explanation, Hop, Lost, Route, explain};
pub use far_listener::FarListener;
pub use grants::{Asked, Grant, Grants, KeyGrant, Open, PortGrant, Rider, grants};
pub use no_route::{NoRoute, Obstacle};
pub use planner::{PlanOptions, plan, plan_everywhere};
pub use said::{Said, SaidForward, SaidListener, SaidTunnel, SaidWay};
pub use same_listen::{Listener, SameListen};
pub use succession::{Succession, succession};
pub use tunnel::{Carrier, Client, Entry, Tunnel, TunnelId};

use std::time::Duration;

use crate::topology::{Endpoint, Failover, FirewallId, Forward, HostId, Probe, Reconnect, Strategy, Target};

/// What must be done to make every forward of a topology work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The topology's name.
    pub topology: String,
    /// The machine whose hopper builds it, as the file names it.
    pub at: HostId,
    /// Where SSH clients run.
    pub strategy: Strategy,
    /// Every tunnel, in build order: a tunnel comes after the one it rides.
    pub tunnels: Vec<Tunnel>,
    /// Tunnel ids by depth: those of one layer can be built at the same time.
    pub layers: Vec<Vec<TunnelId>>,
    /// Every forward, by id.
    pub forwards: Vec<PlannedForward>,
    /// How many tunnels of one layer may be opened at a time.
    pub parallel: usize,
    /// How what broke is tried again.
    pub reconnect: Reconnect,
    /// How often far ends are asked again.
    pub probe: Probe,
    /// How long clients that are connected may go on once the run is to end.
    pub drain: Duration,
    /// How long after its start the run ends by itself.
    pub lifetime: Option<Duration>,
    /// When a forward takes its next way; `None` is never.
    pub failover: Option<Failover>,
}

impl Plan {
    /// Where the tunnel with this id stands in [`Plan::tunnels`].
    pub fn place(&self, id: &TunnelId) -> Option<usize> {
        self.tunnels.iter().position(|tunnel| tunnel.id == *id)
    }

    /// The tunnel with this id.
    pub fn tunnel(&self, id: &TunnelId) -> Option<&Tunnel> {
        self.tunnels.iter().find(|tunnel| tunnel.id == *id)
    }

    /// The number of hops of the longest route.
    pub fn hops(&self) -> usize {
        self.forwards.iter().map(PlannedForward::hops).max().unwrap_or(0)
    }

    /// The number of tunnels on the way to one end of a forward, at most.
    pub fn longest(&self) -> usize {
        self.forwards.iter().map(PlannedForward::depth).max().unwrap_or(0)
    }

    /// How many hops as many tunnels as the longest route has can make. Nested: one more than tunnels,
    /// since the last server dials one hop further. Telescoped: each tunnel gains two.
    pub fn reach(&self) -> usize {
        match self.strategy {
            Strategy::Nested => self.longest() + 1,
            Strategy::Telescoped => 2 * self.longest() + 1,
        }
    }

    /// Whether no forward rides this tunnel: it is there to start other tunnels' clients.
    pub fn is_control(&self, id: &TunnelId) -> bool {
        !self.forwards.iter().flat_map(PlannedForward::ways).any(|way| way.rides().any(|ridden| ridden == id))
    }

    /// What the client of this tunnel listens for on its own host: the port, and what its server dials
    /// for whoever connects. Only clients away from local have any.
    pub fn kept_by(&self, id: &TunnelId) -> Vec<(&Entry, Endpoint)> {
        let carriers = self.tunnels.iter().filter(|tunnel| tunnel.through.as_ref() == Some(id));
        let carriers = carriers.filter_map(|tunnel| match &tunnel.carrier {
            Some(Carrier::Entry(entry)) => Some((entry, Endpoint::Tcp(tunnel.target.clone()))),
            _ => None,
        });
        let forwards = self.forwards.iter().filter(|planned| planned.via.as_ref() == Some(id));
        let forwards = forwards.filter_map(|planned| Some((planned.entry.as_ref()?, planned.target.clone())));
        carriers.chain(forwards).collect()
    }
}

/// A route that a forward could take instead, with every client at local.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alternative {
    /// Hosts from local to the target's host, both included.
    pub route: Vec<HostId>,
    /// The link of each hop, by its place in the file.
    pub links: Vec<usize>,
    /// The sum of the links' costs.
    pub cost: u64,
    /// How many sessions it takes.
    pub tunnels: usize,
}

/// A forward with the tunnel that carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedForward {
    /// What the person asked for.
    pub forward: Forward,
    /// The listener on another host; `None` when it listens here.
    pub listener: Option<FarListener>,
    /// The listener on the first host that local connects to by plain TCP; `None` when local's own
    /// session is the first hop.
    pub entry: Option<Entry>,
    /// The tunnel whose server dials the target; `None` when local dials it directly.
    pub via: Option<TunnelId>,
    /// What that server dials.
    pub target: Endpoint,
    /// Hosts from local to the target's host, both included.
    pub route: Vec<HostId>,
    /// Whether the last host of the route dials for itself; the host before it does otherwise.
    pub within: bool,
    /// The link of each hop, by its place in the file.
    pub links: Vec<usize>,
    /// The firewalls of each hop.
    pub walls: Vec<Vec<FirewallId>>,
    /// Every tunnel it rides, in build order.
    pub tunnels: Vec<TunnelId>,
    /// The next best routes, best first, one of which is there for every host between local and the
    /// target that has a stand-in. `None` where the topology is too large to look for them.
    pub alternatives: Option<Vec<Alternative>>,
    /// The ways it takes when this one stays down, best first. Each is a forward of the same id.
    pub standby: Vec<PlannedForward>,
}

impl PlannedForward {
    /// The number of hops of its route; where it listens on another host, of the longer of both routes.
    pub fn hops(&self) -> usize {
        let near = self.listener.as_ref().map_or(0, |listener| listener.route.len());
        self.route.len().max(near).saturating_sub(1)
    }

    /// The number of tunnels on that route.
    pub fn depth(&self) -> usize {
        self.tunnels.len().max(self.listener.as_ref().map_or(0, |listener| listener.tunnels.len()))
    }

    /// Every tunnel that it rides, for either end; each once, the near end's first.
    pub fn rides(&self) -> impl Iterator<Item = &TunnelId> {
        let near = self.listener.iter().flat_map(|listener| &listener.tunnels);
        let shared = |id: &&TunnelId| self.listener.as_ref().is_none_or(|near| !near.tunnels.contains(id));
        near.chain(self.tunnels.iter().filter(shared))
    }

    /// The tunnels that must be up before it can be: the one to each end.
    pub fn needs(&self) -> impl Iterator<Item = &TunnelId> {
        self.listener.iter().map(|listener| &listener.via).chain(&self.via)
    }

    /// Whether nobody could dial the target's port, so that its own host does.
    pub fn goes_in(&self) -> bool {
        self.within && matches!(self.forward.to, Target::Dialled { .. })
    }
}
