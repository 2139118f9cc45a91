//! What is there: hosts, firewalls, links, and the forwards a person wants.
//!
//! Turns the text of a topology file into a [`Topology`], or into every [`Problem`] in it, each with
//! its place. Pure: it never opens a file, asks the clock, resolves a name or prints.

mod address;
mod algorithms;
pub mod code;
mod escape;
mod firewall;
mod forward;
mod host;
mod host_key;
mod link;
mod policy;
mod ports;
mod problem;
mod quoted;
mod read;
mod secret;
mod secret_ref;
mod seen;
mod ssh_config;

pub use address::{Address, Endpoint};
pub use algorithms::{AlgorithmKind, Algorithms};
pub use escape::{escape, is_unsafe};
pub use firewall::{Firewall, FirewallId};
pub use forward::{Check, Forward, ForwardId, Listen, OnDown, Plain, Target};
pub use host::{AgentUse, AuthMethod, Bind, Host, HostClient, HostId, Keepalive, Timeouts};
pub use host_key::{Authority, HostKeyChecking, HostKeyPolicy};
pub use link::{CarrierKind, Dial, Kept, Link};
pub use policy::{Failover, Policy, Probe, Ratio, Reconnect, Strategy};
pub use ports::PortSet;
pub use problem::{Label, Problem};
pub use quoted::quoted;
pub use read::{nearest, parse};
pub use secret::mask_secrets;
pub use secret_ref::{SecretPurpose, SecretRef, SecretSource};
pub use ssh_config::{
    Given, Jump, JumpLoop, Lookup, Person, Resolved, Resolving, SshConfig, SshSettings, Unusable,
};

/// The hop graph as given. Links keep the order of the file; what has an id is sorted by it. Every id
/// in a [`Link`] or [`Forward`] is known to exist (the parser saw to it).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topology {
    /// Names the run: control socket, logs, messages. `^[a-z0-9][a-z0-9._-]{0,62}$`.
    pub name: String,
    /// One line for people.
    pub description: Option<String>,
    /// Firewalls that links may cross.
    pub firewalls: Vec<Firewall>,
    /// Every host except `local`, which is implied.
    pub hosts: Vec<Host>,
    /// Who can open TCP to whom.
    pub links: Vec<Link>,
    /// What the person wants to reach.
    pub forwards: Vec<Forward>,
    /// How the chain lives.
    pub policy: Policy,
}

impl Topology {
    /// The host with this id; `None` for `local`, which has no entry of its own.
    pub fn host(&self, id: &HostId) -> Option<&Host> {
        self.hosts.iter().find(|host| host.id == *id)
    }

    /// The firewall with this id.
    pub fn firewall(&self, id: &FirewallId) -> Option<&Firewall> {
        self.firewalls.iter().find(|firewall| firewall.id == *id)
    }
}
