//! A forward: what the person wants to reach, and where they want it to appear.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::{Endpoint, HostId};

/// The id of a forward in the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ForwardId(pub String);

impl fmt::Display for ForwardId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Listen here, connect there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// Identity.
    pub id: ForwardId,
    /// The machine whose hopper runs it: local, or a host where somebody runs hopper with `--at`.
    pub at: HostId,
    /// The host whose SSH server listens for it (RFC 4254, section 7.1); `None` when `at` listens itself.
    pub on: Option<HostId>,
    /// Where programs connect, on that machine.
    pub listen: Listen,
    /// What they reach.
    pub to: Target,
    /// What proves that the far end is there.
    pub check: Check,
    /// Whether `up` fails without it.
    pub required: bool,
    /// Whether a listener other machines can reach was asked for on purpose.
    pub expose: bool,
    /// Which hops may be plain TCP.
    pub plain: Plain,
    /// What becomes of programs that connect while what carries it is rebuilt.
    pub on_down: OnDown,
    /// The protocol spoken, for the URL that `up` prints (`vnc`, `http`, `postgres` …).
    pub protocol: Option<String>,
}

/// What becomes of programs that connect to a forward while what carries it is rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDown {
    /// They wait up to this long, and are reset then.
    Hold(Duration),
    /// They are reset at once.
    Refuse,
}

impl OnDown {
    /// How long they may wait.
    pub fn patience(self) -> Duration {
        match self {
            OnDown::Hold(patience) => patience,
            OnDown::Refuse => Duration::ZERO,
        }
    }
}

impl Default for OnDown {
    fn default() -> Self {
        OnDown::Hold(Duration::from_secs(10))
    }
}

impl Forward {
    /// Where it listens, as the file writes it: `127.0.0.1:5901`, or `meet/127.0.0.1:2201` on another host.
    pub fn near(&self) -> String {
        match &self.on {
            None => self.listen.to_string(),
            Some(host) => format!("{host}/{}", self.listen),
        }
    }
}

/// A TCP listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listen {
    /// Interface address.
    pub address: IpAddr,
    /// TCP port; 0 is written `auto` and lets the system choose.
    pub port: u16,
}

impl Listen {
    /// `127.0.0.1:auto`.
    pub const AUTO: Listen = Listen { address: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 0 };

    /// What to bind.
    pub fn socket_addr(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.port, self.address) {
            (0, IpAddr::V6(address)) => write!(f, "[{address}]:auto"),
            (0, IpAddr::V4(address)) => write!(f, "{address}:auto"),
            _ => self.socket_addr().fmt(f),
        }
    }
}

/// The far end of a forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// `HOST:PORT`: the host before it on the route dials this port of HOST.
    Dialled {
        /// The host to reach.
        host: HostId,
        /// Its TCP port.
        port: u16,
    },
    /// `HOST/ADDR:PORT` or `HOST//unix/path`: log in to HOST and dial from there.
    Within {
        /// The host to go into.
        host: HostId,
        /// What it dials.
        endpoint: Endpoint,
    },
}

impl Target {
    /// The host the forward leads to or into.
    pub fn host(&self) -> &HostId {
        match self {
            Target::Dialled { host, .. } | Target::Within { host, .. } => host,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Dialled { host, port } => write!(f, "{host}:{port}"),
            Target::Within { host, endpoint } => write!(f, "{host}/{endpoint}"),
        }
    }
}

/// Which hops of a route may be plain TCP, where tunnels are telescoped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Plain {
    /// The last one, from the last server to the target.
    #[default]
    Last,
    /// The first one too: local connects to a listener on the next host.
    Ends,
}

/// What proves, through the whole chain, that the far end is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// The last host opened a connection to the target.
    Tcp,
    /// The target's first bytes begin with this text.
    Banner(String),
    /// `GET` of this path answers with a status below 400.
    Http(String),
    /// What is said to the target comes back: an echo service (RFC 862).
    Echo,
    /// The last host leads a connection to itself and back here; the target is not dialled.
    Loop,
    /// Nothing; the forward counts as up once it listens.
    None,
}
