//! A host: a machine in the topology, and how one logs in there.

use std::fmt;
use std::time::Duration;

use super::{Address, Algorithms, Given, HostKeyPolicy, SecretPurpose, SecretRef, SshConfig};

/// The identity of a host: known_hosts, logs and messages use it, whatever address was dialled.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(String);

impl HostId {
    /// The reserved name of the machine hopper runs on.
    pub const LOCAL: &'static str = "local";

    /// The machine hopper runs on.
    pub fn local() -> Self {
        HostId(Self::LOCAL.to_owned())
    }

    /// An id as the file writes it.
    pub fn new(id: impl Into<String>) -> Self {
        HostId(id.into())
    }

    /// Whether this is the machine hopper runs on.
    pub fn is_local(&self) -> bool {
        self.0 == Self::LOCAL
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A machine in the topology.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Identity.
    pub id: HostId,
    /// Where to dial it, as seen by whoever dials; a link's `dial` overrides. Its port is the SSH port.
    pub address: Address,
    /// Whether it runs an SSH server that hopper may log in to.
    pub ssh: bool,
    /// Login name; `None` means the name of the person who runs hopper.
    pub user: Option<String>,
    /// Login methods in the order to try.
    pub auth: Vec<AuthMethod>,
    /// Private key files, `~/` allowed; empty means the usual ones of the person.
    pub identities: Vec<String>,
    /// Whether those come from the person's ssh configuration: then only local has them.
    pub identities_of_person: bool,
    /// Certificates of the person's ssh configuration, each for a key among those above, or in the agent: only
    /// local has them.
    pub certificates: Vec<String>,
    /// Whether only the keys named in `identities`, or the usual files, are offered, also from the agent;
    /// `None` means: if any is named. See [`Host::offers_named_keys_only`].
    pub identities_only: Option<bool>,
    /// Which agent is asked.
    pub agent: AgentUse,
    /// Whether commands that hopper runs there may use that agent.
    pub forward_agent: bool,
    /// Where the secrets are kept that it asks for; at most one for a purpose, unless they answer
    /// different questions. Empty means that the person is asked.
    pub secrets: Vec<SecretRef>,
    /// How its host key is judged.
    pub host_key: HostKeyPolicy,
    /// The known_hosts files to look in where `host_key` names none, `~/` allowed; `None` means the person's and
    /// the machine's.
    pub known_hosts: Option<Vec<String>>,
    /// Whether and how it is looked up in the person's ssh configuration.
    pub ssh_config: SshConfig,
    /// Which settings the file gives, so that nothing else changes them.
    pub given: Given,
    /// When a silent session counts as lost.
    pub keepalive: Keepalive,
    /// A deadline for each step of opening a session.
    pub timeout: Timeouts,
    /// Which algorithms its sessions may use.
    pub algorithms: Algorithms,
    /// How an SSH client may be run there; `None` means not at all.
    pub client: Option<HostClient>,
    /// Who may connect to what such a client listens on.
    pub bind: Bind,
    /// For pictures and messages.
    pub label: Option<String>,
    /// For the reader of the file.
    pub note: Option<String>,
}

impl Host {
    /// A host with every setting at its default: address is the id, port 22, SSH server present.
    pub fn new(id: HostId) -> Self {
        Host {
            address: Address::new(id.as_str(), 22),
            id,
            ssh: true,
            user: None,
            auth: vec![AuthMethod::Agent, AuthMethod::Key],
            identities: Vec::new(),
            identities_of_person: false,
            certificates: Vec::new(),
            identities_only: None,
            agent: AgentUse::Own,
            forward_agent: false,
            secrets: Vec::new(),
            host_key: HostKeyPolicy::default(),
            known_hosts: None,
            ssh_config: SshConfig::default(),
            given: Given::default(),
            keepalive: Keepalive::default(),
            timeout: Timeouts::default(),
            algorithms: Algorithms::default(),
            client: None,
            bind: Bind::Loopback,
            label: None,
            note: None,
        }
    }

    /// Whether no key but the named ones, or the usual files, is offered.
    pub fn offers_named_keys_only(&self) -> bool {
        self.identities_only.unwrap_or(!self.identities.is_empty())
    }

    /// The secrets kept for this purpose.
    pub fn secrets_for(&self, purpose: SecretPurpose) -> impl Iterator<Item = &SecretRef> {
        self.secrets.iter().filter(move |secret| secret.purpose == purpose)
    }

    /// The name that its key is recorded under in known_hosts: its alias, else its address as OpenSSH
    /// writes it.
    pub fn recorded_name(&self) -> String {
        let name = || self.address.host.to_ascii_lowercase();
        match (&self.host_key.alias, self.address.port) {
            (Some(alias), _) => alias.clone(),
            (None, 22) => name(),
            (None, port) => format!("[{}]:{port}", name()),
        }
    }
}

/// How an SSH client may be run on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostClient {
    /// hopper logs in there and runs that host's own `ssh`.
    Exec,
    /// Somebody runs hopper there, with `--at`.
    Hopper,
}

impl HostClient {
    /// The word the file and the plan use.
    pub fn as_str(self) -> &'static str {
        match self {
            HostClient::Exec => "exec",
            HostClient::Hopper => "hopper",
        }
    }
}

/// Who may connect to a listener on a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bind {
    /// The host itself.
    Loopback,
    /// Whoever its neighbours and firewalls let in.
    Any,
}

/// A way to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMethod {
    /// Keys and certificates held by an ssh-agent.
    Agent,
    /// Key files, each after the certificate beside it.
    Key,
    /// The certificates beside key files, and nothing else.
    Certificate,
    /// Whatever the server asks, as often as it asks (RFC 4256).
    KeyboardInteractive,
    /// A password (RFC 4252, section 8).
    Password,
    /// Nothing: some servers let in whoever reaches them (RFC 4252, section 5.2).
    None,
}

impl AuthMethod {
    /// Every method, and the word the file uses for it.
    pub const WORDS: [(&str, AuthMethod); 6] = [
        ("agent", AuthMethod::Agent),
        ("key", AuthMethod::Key),
        ("certificate", AuthMethod::Certificate),
        ("keyboard-interactive", AuthMethod::KeyboardInteractive),
        ("password", AuthMethod::Password),
        ("none", AuthMethod::None),
    ];

    /// The word the file uses.
    pub fn as_str(self) -> &'static str {
        match self {
            AuthMethod::Agent => "agent",
            AuthMethod::Key => "key",
            AuthMethod::Certificate => "certificate",
            AuthMethod::KeyboardInteractive => "keyboard-interactive",
            AuthMethod::Password => "password",
            AuthMethod::None => "none",
        }
    }

    /// The protocol's name for it, as servers list what they take.
    pub fn on_the_wire(self) -> &'static str {
        match self {
            AuthMethod::Agent | AuthMethod::Key | AuthMethod::Certificate => "publickey",
            other => other.as_str(),
        }
    }
}

/// Which agent is asked for keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentUse {
    /// The person's, by `SSH_AUTH_SOCK`.
    Own,
    /// None.
    Off,
    /// The one at this socket, `~/` allowed.
    Socket(String),
}

/// When a silent session counts as lost: after `interval` × (`max` + 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalive {
    /// Silence before a probe; zero turns probing off.
    pub interval: Duration,
    /// Unanswered probes that are tolerated.
    pub max: usize,
}

impl Default for Keepalive {
    fn default() -> Self {
        Keepalive { interval: Duration::from_secs(5), max: 3 }
    }
}

/// A deadline for each step of opening a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Until TCP (or the carrier's channel) is open.
    pub connect: Duration,
    /// From open until the server's version line and key exchange are done.
    pub banner: Duration,
    /// Machine time for login; a person who is asked may take longer.
    pub login: Duration,
    /// Until a forward's far end is open, and until it answers its check.
    pub forward: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let ten = Duration::from_secs(10);
        Timeouts { connect: ten, banner: ten, login: Duration::from_secs(20), forward: ten }
    }
}
