//! A tunnel: a planned SSH session, where its client runs, and what it rides on.

use std::fmt;

use crate::topology::{Address, CarrierKind, FirewallId, Host, HostClient, HostId, Kept, Listen};

/// The id of a tunnel within its plan: `T1`, `T2`, … in build order.
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
    /// Where the SSH client runs, and who runs it.
    pub client: Client,
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
    /// The link that this hop goes over, by its place in the file.
    pub link: usize,
    /// The firewalls that this hop crosses.
    pub firewalls: Vec<FirewallId>,
    /// Who keeps what is dialled listening, where that is another machine's hopper.
    pub kept: Option<Kept>,
    /// Whether only standby ways need it, so that it is not opened before one of them is taken.
    pub standby: bool,
}

impl Tunnel {
    /// The tunnels that must be up before this one can be: the one it rides, and the one that starts its
    /// client.
    pub fn needs(&self) -> impl Iterator<Item = &TunnelId> {
        self.through.iter().chain(self.client.control())
    }
}

/// Where a tunnel's SSH client runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Client {
    /// On local; hopper itself is the client.
    Local,
    /// On a host in between: its own `ssh`, which hopper starts over another tunnel's session.
    Exec {
        /// The host.
        host: HostId,
        /// The tunnel to that host, over whose session the client is started.
        control: TunnelId,
    },
    /// On a host in between, where somebody runs hopper.
    Hopper {
        /// The host.
        host: HostId,
    },
}

impl Client {
    /// The host it runs on; `None` is local.
    pub fn host(&self) -> Option<&HostId> {
        match self {
            Client::Local => None,
            Client::Exec { host, .. } | Client::Hopper { host } => Some(host),
        }
    }

    /// The name of the host it runs on, `local` included.
    pub fn name(&self) -> &str {
        self.host().map_or(HostId::LOCAL, HostId::as_str)
    }

    /// Whether hopper itself is the client, here.
    pub fn is_local(&self) -> bool {
        *self == Client::Local
    }

    /// The tunnel over whose session it is started.
    pub fn control(&self) -> Option<&TunnelId> {
        match self {
            Client::Exec { control, .. } => Some(control),
            Client::Local | Client::Hopper { .. } => None,
        }
    }

    /// How it is run where it is not local.
    pub fn kind(&self) -> Option<HostClient> {
        match self {
            Client::Local => None,
            Client::Exec { .. } => Some(HostClient::Exec),
            Client::Hopper { .. } => Some(HostClient::Hopper),
        }
    }
}

/// The forward of a lower tunnel through which the next tunnel's session connects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carrier {
    /// A channel inside hopper; no socket.
    Channel,
    /// A listener of hopper's own, on local.
    Port(Listen),
    /// A listener that the client of the lower tunnel keeps, on the next host.
    Entry(Entry),
}

impl Carrier {
    /// Its kind, as the file names it.
    pub fn kind(&self) -> CarrierKind {
        match self {
            Carrier::Channel => CarrierKind::Channel,
            Carrier::Port(_) | Carrier::Entry(_) => CarrierKind::Port,
        }
    }
}

/// A listener that a tunnel's client keeps on a host in between, for the host before it. It listens on
/// every interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The host it is on.
    pub host: HostId,
    /// What the host before it dials.
    pub dial: Address,
    /// The link between the two, by its place in the file.
    pub link: usize,
    /// The firewalls between the two.
    pub firewalls: Vec<FirewallId>,
}

impl Entry {
    /// Its TCP port.
    pub fn port(&self) -> u16 {
        self.dial.port
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port())
    }
}
