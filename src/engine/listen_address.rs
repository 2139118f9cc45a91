//! Where programs connect to a forward that is being served.

use std::fmt;
use std::net::SocketAddr;

use crate::topology::{HostId, escape};

/// An address of this machine, or of a host whose server listens for a forward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    /// The host; `None` is this machine.
    pub on: Option<HostId>,
    /// The address there, with the port that was chosen for `auto`. Of another host it is the one that its
    /// server was asked for.
    pub address: SocketAddr,
}

impl ListenAddress {
    /// On this machine.
    pub fn here(address: SocketAddr) -> Self {
        ListenAddress { on: None, address }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.on {
            None => self.address.fmt(f),
            Some(host) => write!(f, "{}/{}", escape(host.as_str()), self.address),
        }
    }
}
