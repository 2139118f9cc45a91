//! A place to dial: a name or IP with a port, or a unix path. Knows how they are written, never
//! resolves one.

use std::fmt;

/// A name or IP address with a TCP port, resolved by whoever dials it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Name, IPv4 or IPv6 address; IPv6 without brackets.
    pub host: String,
    /// TCP port, never 0.
    pub port: u16,
}

impl Address {
    /// Puts a name and a port together.
    pub fn new(host: impl Into<String>, port: u16) -> Self {
        Address { host: host.into(), port }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Something to connect to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// TCP.
    Tcp(Address),
    /// A unix domain socket, by absolute path.
    Unix(String),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::Tcp(address) => address.fmt(f),
            Endpoint::Unix(path) => f.write_str(path),
        }
    }
}
