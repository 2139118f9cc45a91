//! A firewall: named rules that links cross.

use std::fmt;

use super::PortSet;

/// The id of a firewall in the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FirewallId(pub String);

impl fmt::Display for FirewallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Named rules that links cross.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Firewall {
    /// Identity in the file.
    pub id: FirewallId,
    /// For pictures and messages.
    pub label: Option<String>,
    /// Ports that pass; `None` means any.
    pub allow: Option<PortSet>,
    /// Ports that do not pass, even when `allow` names them.
    pub deny: PortSet,
}

impl Firewall {
    /// Whether TCP to this port passes.
    pub fn passes(&self, port: u16) -> bool {
        self.allow.as_ref().is_none_or(|allow| allow.contains(port)) && !self.deny.contains(port)
    }
}
