//! A topology while the person's ssh configuration comes into it, host by host. A `ProxyJump` becomes links, and
//! hosts where the file has none of that name; those are looked up in turn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Jump, SshConfig, SshSettings};
use crate::topology::{AgentUse, Algorithms, AuthMethod, Host, HostId, Link, Topology};

/// A name to look up, and what the file has settled already.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lookup {
    /// The host it is for.
    pub host: HostId,
    /// The name.
    pub name: String,
    /// Whom to log in as.
    pub user: Option<String>,
    /// The SSH port.
    pub port: Option<u16>,
}

/// A topology that is being resolved.
pub struct Resolving {
    topology: Topology,
    /// Hosts that a link of the file leads to: how to get there is settled.
    led: BTreeSet<HostId>,
    /// Hosts by the names that they were looked up under.
    named: BTreeMap<String, HostId>,
    next: VecDeque<Lookup>,
    /// The first host on the way to each host that has a `ProxyJump`.
    first: BTreeMap<HostId, HostId>,
    /// Hosts that came in behind another one: their own `ProxyJump` says nothing there.
    behind: BTreeSet<HostId>,
    resolved: Resolved,
}

/// What became of a topology.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The topology with everything in it.
    pub topology: Topology,
    /// What was taken over: each host, and the names of its settings.
    pub taken: Vec<(HostId, Vec<&'static str>)>,
    /// What was not, for people; not escaped.
    pub notes: Vec<String>,
    /// Hosts that local reaches by running a program, and its name; not escaped.
    pub by_command: BTreeMap<HostId, String>,
}

impl Resolved {
    /// A topology that nothing is known of beyond its file.
    pub fn as_it_is(topology: Topology) -> Self {
        Resolved { topology, taken: Vec::new(), notes: Vec::new(), by_command: BTreeMap::new() }
    }

    /// Whether any link leads to this host.
    pub fn is_led_to(&self, host: &HostId) -> bool {
        self.topology.links.iter().any(|link| link.to == *host)
    }
}

/// Jumps that lead back to where they began: the hosts, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JumpLoop(pub Vec<HostId>);

impl Topology {
    /// The hosts that are looked up in the person's ssh configuration, by id.
    pub fn looked_up(&self) -> impl Iterator<Item = &Host> {
        self.hosts.iter().filter(|host| host.ssh && host.ssh_config != SshConfig::Off)
    }
}

impl Resolving {
    /// Nothing is looked up yet.
    pub fn new(topology: Topology) -> Self {
        let next: VecDeque<Lookup> = topology.looked_up().map(lookup).collect();
        let named = next.iter().map(|lookup| (lookup.name.clone(), lookup.host.clone()));
        Resolving {
            led: topology.links.iter().map(|link| link.to.clone()).collect(),
            named: topology
                .hosts
                .iter()
                .map(|host| (host.id.as_str().to_owned(), host.id.clone()))
                .chain(named)
                .collect(),
            next,
            first: BTreeMap::new(),
            behind: BTreeSet::new(),
            resolved: Resolved::as_it_is(topology.clone()),
            topology,
        }
    }

    /// What is to be looked up now; empty when nothing is left.
    pub fn lookups(&mut self) -> Vec<Lookup> {
        std::mem::take(&mut self.next).into()
    }

    /// Takes what the configuration says of a host.
    pub fn take(&mut self, host: &HostId, settings: &SshSettings) {
        let names = settings.names();
        if !names.is_empty() {
            self.resolved.taken.push((host.clone(), names));
        }
        let left_out = settings.left_out.iter().map(|what| format!("{host}: {what}"));
        self.resolved.notes.extend(left_out);
        if let Some(program) = &settings.proxy_command {
            self.resolved.by_command.insert(host.clone(), program.clone());
        }
        if let Some(known) = self.topology.hosts.iter_mut().find(|known| known.id == *host) {
            lay_under(known, settings);
        }
        if settings.jumps.is_empty() || self.behind.contains(host) {
            return;
        }
        if self.led.contains(host) {
            let dialled = |link: &Link| link.from.is_local() && link.to == *host;
            if self.topology.links.iter().any(dialled) {
                self.resolved.notes.push(format!(
                    "{host}: its ProxyJump is not used, since the file has a link from local to it"
                ));
            }
            return;
        }
        let stations: Vec<HostId> = settings.jumps.iter().map(|jump| self.station(jump)).collect();
        let to_come: BTreeSet<&HostId> = self.next.iter().map(|lookup| &lookup.host).collect();
        self.behind.extend(stations[1..].iter().filter(|host| to_come.contains(host)).cloned());
        self.first.insert(host.clone(), stations[0].clone());
        let to = stations.iter().skip(1).chain([host]);
        for (from, to) in stations.iter().zip(to) {
            self.lead(from, to);
        }
    }

    /// The host that a jump means: one of the file, or a new one.
    fn station(&mut self, jump: &Jump) -> HostId {
        let port = |host: &Host| jump.port.is_none_or(|port| host.address.port == port);
        let written = match (&jump.user, jump.port) {
            (None, None) => jump.host.clone(),
            (user, port) => format!("{}@{}:{}", user.as_deref().unwrap_or(""), jump.host, port.unwrap_or(0)),
        };
        let known = self.named.get(&written).or_else(|| self.named.get(&jump.host)).cloned();
        if let Some(host) = known.and_then(|id| self.topology.hosts.iter_mut().find(|host| host.id == id))
            && port(host)
            && (jump.user.is_none() || host.user.is_none() || host.user == jump.user)
        {
            host.user = host.user.take().or(jump.user.clone());
            return host.id.clone();
        }
        let id = self.free_id(&jump.host);
        let mut host = Host { user: jump.user.clone(), ..Host::new(id.clone()) };
        host.address.host.clone_from(&jump.host);
        if let Some(port) = jump.port {
            (host.address.port, host.given.port) = (port, true);
        }
        self.named.insert(written, id.clone());
        self.next.push_back(lookup(&host));
        let place = self.topology.hosts.partition_point(|other| other.id < id);
        self.topology.hosts.insert(place, host);
        id
    }

    /// An id for a host of this name.
    fn free_id(&self, name: &str) -> HostId {
        let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let plain: String = name.chars().take(56).map(|c| if fits(c) { c } else { '-' }).collect();
        let plain = plain.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        let plain = if plain.is_empty() { "jump" } else { plain };
        let is_free = |id: &HostId| !id.is_local() && self.topology.host(id).is_none();
        let first = HostId::new(plain);
        let numbered = (2..).map(|number: usize| HostId::new(format!("{plain}-{number}")));
        std::iter::once(first.clone()).chain(numbered).find(is_free).unwrap_or(first)
    }

    /// A link, unless the file says how to get there, or there is one.
    fn lead(&mut self, from: &HostId, to: &HostId) {
        let is_there = |link: &Link| link.from == *from && link.to == *to;
        if !self.led.contains(to) && !self.topology.links.iter().any(is_there) {
            self.topology.links.push(Link::new(from.clone(), to.clone()));
        }
    }

    /// The topology with all of it. A first jump that has no jumps of its own is dialled by local.
    ///
    /// # Errors
    /// When jumps go in a circle.
    pub fn finish(mut self) -> Result<Resolved, JumpLoop> {
        let begins: BTreeSet<HostId> = self.first.values().cloned().collect();
        for begin in &begins {
            let mut way = vec![begin.clone()];
            while let Some(before) = way.last().and_then(|host| self.first.get(host)) {
                let is_loop = way.contains(before);
                way.push(before.clone());
                if is_loop {
                    return Err(JumpLoop(way));
                }
            }
            let is_led = |link: &Link| link.to == *begin;
            if !self.topology.links.iter().any(is_led) {
                self.topology.links.push(Link::new(HostId::local(), begin.clone()));
            }
        }
        Ok(Resolved { topology: self.topology, ..self.resolved })
    }
}

fn lookup(host: &Host) -> Lookup {
    let name = match &host.ssh_config {
        SshConfig::Alias(name) => name.clone(),
        SshConfig::Off | SshConfig::Address => host.address.host.clone(),
    };
    let port = host.given.port.then_some(host.address.port);
    Lookup { host: host.id.clone(), name, user: host.user.clone(), port }
}

/// Puts the settings where the file says nothing.
fn lay_under(host: &mut Host, settings: &SshSettings) {
    let given = host.given;
    // An address is a name to look up; beside an alias, it is where the host is.
    if let Some(name) = &settings.host_name
        && !(given.address && matches!(host.ssh_config, SshConfig::Alias(_)))
    {
        host.address.host.clone_from(name);
    } else if let (SshConfig::Alias(name), false) = (&host.ssh_config, given.address) {
        host.address.host.clone_from(name);
    }
    if let Some(port) = settings.port.filter(|_| !given.port) {
        host.address.port = port;
    }
    host.user = host.user.take().or(settings.user.clone());
    if let Some(identities) = &settings.identities {
        if host.identities.is_empty() {
            host.identities.clone_from(identities);
            host.identities_of_person = true;
            // Such files are tried first there, and nothing else is held back.
            host.identities_only = host.identities_only.or(Some(settings.identities_only.unwrap_or(false)));
        }
        if identities.is_empty() && !given.auth {
            host.auth.retain(|method| *method != AuthMethod::Key);
        }
    }
    // Without keys of the configuration they go with the usual ones.
    if host.identities.is_empty() || host.identities_of_person {
        host.certificates.clone_from(&settings.certificates);
    }
    host.identities_only = host.identities_only.or(settings.identities_only);
    if let (AgentUse::Own, Some(socket)) = (&host.agent, &settings.agent) {
        host.agent = AgentUse::Socket(socket.clone());
    }
    if settings.no_agent && !given.auth {
        host.auth.retain(|method| *method != AuthMethod::Agent);
    }
    let policy = &mut host.host_key;
    policy.alias = policy.alias.take().or(settings.host_key_alias.clone());
    if let Some(files) = &settings.known_hosts {
        host.known_hosts = Some(files.clone());
    }
    if let Some(interval) = settings.alive_interval.filter(|_| !given.alive_interval) {
        host.keepalive.interval = interval;
    }
    if let Some(max) = settings.alive_max.filter(|_| !given.alive_max) {
        host.keepalive.max = max;
    }
    if !given.algorithms && !settings.algorithms.is_empty() {
        host.algorithms = Algorithms { named: settings.algorithms.clone(), legacy: false };
    }
}

#[cfg(test)]
#[path = "resolving_tests.rs"]
mod tests;
