//! What a person's own ssh configuration says of hosts, and how it comes into a topology: below the file, above
//! what hopper has built in. Reads text that others fetched; asks nobody.

mod answer;
mod resolving;
mod tokens;
mod written;

pub use answer::{Person, Unusable};
pub use resolving::{JumpLoop, Lookup, Resolved, Resolving};
pub use written::{ConfigText, Include, NotUnderstood, Written};

use std::collections::BTreeMap;
use std::time::Duration;

use super::AlgorithmKind;

/// Whether, and under which name, a host is looked up in the person's ssh configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SshConfig {
    /// Not at all.
    Off,
    /// Under its address, as it would be by `ssh ADDRESS`.
    #[default]
    Address,
    /// Under this name.
    Alias(String),
}

/// Which settings the file gives, its defaults included: those no configuration changes. What can be missing in
/// a host tells so by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Given {
    /// `address`.
    pub address: bool,
    /// `port`, or the port in the short form.
    pub port: bool,
    /// `auth`.
    pub auth: bool,
    /// `keepalive.interval`.
    pub alive_interval: bool,
    /// `keepalive.max`.
    pub alive_max: bool,
    /// `algorithms`.
    pub algorithms: bool,
}

/// What a configuration says of one name, as far as it says anything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SshSettings {
    /// `HostName`.
    pub host_name: Option<String>,
    /// `User`.
    pub user: Option<String>,
    /// `Port`.
    pub port: Option<u16>,
    /// `IdentityFile`; `Some` of an empty list is `none`.
    pub identities: Option<Vec<String>>,
    /// `CertificateFile`.
    pub certificates: Vec<String>,
    /// `IdentitiesOnly`.
    pub identities_only: Option<bool>,
    /// `IdentityAgent none`.
    pub no_agent: bool,
    /// `IdentityAgent`, as the path of a socket.
    pub agent: Option<String>,
    /// `HostKeyAlias`.
    pub host_key_alias: Option<String>,
    /// `UserKnownHostsFile` and `GlobalKnownHostsFile` together.
    pub known_hosts: Option<Vec<String>>,
    /// `ServerAliveInterval`.
    pub alive_interval: Option<Duration>,
    /// `ServerAliveCountMax`.
    pub alive_max: Option<usize>,
    /// `KexAlgorithms`, `HostKeyAlgorithms`, `Ciphers` and `MACs`, as far as hopper has them.
    pub algorithms: BTreeMap<AlgorithmKind, Vec<&'static str>>,
    /// `ProxyJump`: the host that is dialled first comes first.
    pub jumps: Vec<Jump>,
    /// The program that `ProxyCommand` names; not escaped.
    pub proxy_command: Option<String>,
    /// What was left out, and why; not escaped.
    pub left_out: Vec<String>,
}

/// One host of a `ProxyJump`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jump {
    /// Whom to log in as; `None` leaves it to the configuration.
    pub user: Option<String>,
    /// Its name, to be looked up in turn.
    pub host: String,
    /// Its SSH port; `None` leaves it to the configuration.
    pub port: Option<u16>,
}

impl SshSettings {
    /// The settings it says anything of, by their names there.
    pub fn names(&self) -> Vec<&'static str> {
        let said = [
            ("HostName", self.host_name.is_some()),
            ("User", self.user.is_some()),
            ("Port", self.port.is_some()),
            ("IdentityFile", self.identities.is_some()),
            ("CertificateFile", !self.certificates.is_empty()),
            ("IdentitiesOnly", self.identities_only.is_some()),
            ("IdentityAgent", self.no_agent || self.agent.is_some()),
            ("HostKeyAlias", self.host_key_alias.is_some()),
            ("known_hosts files", self.known_hosts.is_some()),
            ("ServerAliveInterval", self.alive_interval.is_some()),
            ("ServerAliveCountMax", self.alive_max.is_some()),
            ("algorithms", !self.algorithms.is_empty()),
            ("ProxyJump", !self.jumps.is_empty()),
        ];
        said.into_iter().filter(|(_, is_said)| *is_said).map(|(name, _)| name).collect()
    }
}
