//! A link: who may open TCP to whom.

use super::{FirewallId, ForwardId, HostId, PortSet};

/// "`from` may open TCP to `to` on these ports." Directed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Who dials.
    pub from: HostId,
    /// Who is dialled.
    pub to: HostId,
    /// The address of `to` as seen from `from`, where it differs from the host's own.
    pub dial: Option<Dial>,
    /// Ports the link itself lets through; `None` means any.
    pub ports: Option<PortSet>,
    /// Firewalls crossed, in order; each must let the port through too.
    pub through: Vec<FirewallId>,
    /// What using the link costs; the cheapest route wins.
    pub cost: u32,
    /// How a session over this link rides the tunnel below it; `None` leaves it to the run.
    pub carrier: Option<CarrierKind>,
    /// Where a `port` carrier listens on the local machine; `None` means `127.0.0.1:auto`.
    pub listen: Option<super::Listen>,
    /// For the reader of the file.
    pub note: Option<String>,
    /// Who keeps the listener that it leads to; `None` for links that are there by themselves.
    pub kept: Option<Kept>,
}

/// A forward of another machine's hopper, whose listener others may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The forward.
    pub forward: ForwardId,
    /// The machine whose hopper runs it.
    pub at: HostId,
}

impl Link {
    /// The cost of a link that names none.
    pub const DEFAULT_COST: u32 = 10;

    /// A link with every setting at its default.
    pub fn new(from: HostId, to: HostId) -> Self {
        Link {
            from,
            to,
            dial: None,
            ports: None,
            through: Vec::new(),
            cost: Self::DEFAULT_COST,
            carrier: None,
            listen: None,
            note: None,
            kept: None,
        }
    }
}

/// The address of a host as one neighbour sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dial {
    /// Name or IP; IPv6 without brackets.
    pub host: String,
    /// The port to dial instead of the host's SSH port; the target's port otherwise.
    pub port: Option<u16>,
}

/// How the next session rides the previous one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CarrierKind {
    /// A direct-tcpip channel handed to the next session; no socket, nobody else can reach it.
    Channel,
    /// A real listener that the next session connects to, usable by other programs.
    Port,
}

impl CarrierKind {
    /// The word the file and the plan use.
    pub fn as_str(self) -> &'static str {
        match self {
            CarrierKind::Channel => "channel",
            CarrierKind::Port => "port",
        }
    }
}
