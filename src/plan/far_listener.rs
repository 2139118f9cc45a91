//! The near end of a forward that listens on another host: whose server listens, and over which tunnels it is
//! asked to.

use super::TunnelId;
use crate::topology::{FirewallId, HostId};

/// A listener that a host's SSH server keeps for a forward (RFC 4254, section 7.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FarListener {
    /// The host.
    pub host: HostId,
    /// The tunnel to that host, over whose session the server is asked.
    pub via: TunnelId,
    /// Hosts from local to that one, both included.
    pub route: Vec<HostId>,
    /// The link of each hop, by its place in the file.
    pub links: Vec<usize>,
    /// The firewalls of each hop.
    pub walls: Vec<Vec<FirewallId>>,
    /// Every tunnel it rides, in build order.
    pub tunnels: Vec<TunnelId>,
}
