//! A tunnel: a planned SSH session, and what it rides on.

use std::fmt;

use crate::topology::{Address, CarrierKind, FirewallId, Host, HostId, Listen};

/// Names a tunnel within one plan: `T1`, `T2` … in build order.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TunnelId(pub String);

impl fmt::Display for TunnelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A planned SSH session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tunnel {
    /// Identity within the plan.
    pub id: TunnelId,
    /// Where the SSH client runs: local for every nested tunnel.
    pub client: HostId,
    /// The host logged in to, with every setting that opening a session needs.
    pub server: Host,
    /// The tunnel it rides; `None` when the client dials the server itself.
    pub through: Option<TunnelId>,
    /// How it rides that tunnel; `None` exactly when `through` is.
    pub carrier: Option<Carrier>,
    /// What is dialled to reach the server: by the client itself, or by the server of `through`.
    pub target: Address,
    /// Which hop of the route this tunnel's server ends: 1 for the first.
    pub hop: usize,
    /// The firewalls that this hop crosses.
    pub firewalls: Vec<FirewallId>,
}

/// The forward of a lower tunnel through which the next tunnel's session connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// A channel inside hopper; no socket.
    Channel,
    /// A listener on the client's host.
    Port(Listen),
}

impl Carrier {
    /// Its kind, as the file names it.
    pub fn kind(self) -> CarrierKind {
        match self {
            Carrier::Channel => CarrierKind::Channel,
            Carrier::Port(_) => CarrierKind::Port,
        }
    }
}
