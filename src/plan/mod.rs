//! What must be done: which tunnels, in which layers, and which forwards ride them.
//!
//! A function of the topology alone: same topology, same [`Plan`], byte for byte. Pure: no clock,
//! socket, name resolution, environment or file. The engine obeys the plan and nothing else.

mod diff;
mod draft;
mod error;
mod explain;
#[cfg(test)]
mod fixture;
mod graph;
mod no_route;
mod opening;
mod planner;
#[cfg(test)]
mod property;
mod reach;
mod said;
mod same_listen;
pub mod show;
mod single_point;
mod tunnel;

pub use diff::{Change, Diff, Part, Step, diff};
pub use error::PlanError;
pub use explain::{Explained, Explanation, Hop, Lost, Route, explain};
pub use no_route::{NoRoute, Obstacle};
pub use planner::{PlanOptions, plan};
pub use said::{Said, SaidForward, SaidTunnel};
pub use same_listen::{Listener, SameListen};
pub use tunnel::{Carrier, Tunnel, TunnelId};

use crate::topology::{Forward, HostId, Strategy};

/// What must be done to make every forward of a topology work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The topology's name.
    pub topology: String,
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

    /// The number of tunnels that one forward rides, at most.
    pub fn longest(&self) -> usize {
        self.forwards.iter().map(|forward| forward.tunnels.len()).max().unwrap_or(0)
    }

    /// How many hops as many tunnels as the longest route has can make: one more than tunnels, since
    /// the last server dials one hop further.
    pub fn reach(&self) -> usize {
        self.longest() + 1
    }
}

/// A forward with the tunnel that carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedForward {
    /// What the person asked for.
    pub forward: Forward,
    /// The tunnel whose server dials the target; `None` when local dials it directly.
    pub via: Option<TunnelId>,
    /// What that server dials.
    pub target: crate::topology::Endpoint,
    /// Hosts from local to the target's host, both included.
    pub route: Vec<HostId>,
    /// Every tunnel it rides, outermost first.
    pub tunnels: Vec<TunnelId>,
}

impl PlannedForward {
    /// The number of hops of its route.
    pub fn hops(&self) -> usize {
        self.route.len().saturating_sub(1)
    }
}
