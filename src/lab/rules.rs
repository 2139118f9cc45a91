//! Who may dial what in the lab, and what answers there: the links, firewalls, hosts and forwards of
//! one topology. Decides only; opens nothing.

use std::collections::HashMap;
use std::net::IpAddr;

use crate::topology::{
    Address, Endpoint, Firewall, FirewallId, Forward, Host, HostId, Link, Target, Topology,
};

use super::listeners::Listeners;
use super::refusal::Refusal;
use super::stand_in::StandIn;

/// The rules of one topology, indexed for dialling.
pub(super) struct Rules {
    hosts: HashMap<HostId, Host>,
    links: HashMap<HostId, Vec<Link>>,
    firewalls: HashMap<FirewallId, Firewall>,
    stand_ins: HashMap<(HostId, Endpoint), StandIn>,
    /// What clients have hosts listen on.
    pub(super) listeners: Listeners,
}

/// What a permitted dial meets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// The SSH server of a host.
    Ssh(HostId),
    /// A program that a forward wants to reach.
    StandIn {
        /// Where it stands.
        host: HostId,
        /// What it plays.
        stand_in: StandIn,
    },
    /// What a client of a host had it listen for on this port, or a client that runs there.
    Listener(HostId, u16),
}

impl Answer {
    /// Where it is met.
    pub(super) fn host(&self) -> &HostId {
        let (Answer::Ssh(host) | Answer::StandIn { host, .. } | Answer::Listener(host, _)) = self;
        host
    }
}

impl Rules {
    /// Indexes a topology.
    pub(super) fn new(topology: &Topology) -> Self {
        let mut rules = Rules {
            hosts: topology.hosts.iter().map(|host| (host.id.clone(), host.clone())).collect(),
            links: HashMap::new(),
            firewalls: topology.firewalls.iter().map(|wall| (wall.id.clone(), wall.clone())).collect(),
            stand_ins: HashMap::new(),
            listeners: Listeners::default(),
        };
        for link in &topology.links {
            rules.links.entry(link.from.clone()).or_default().push(link.clone());
        }
        // Where a forward has a host listen, nothing else of the file stands.
        let listens: Vec<(&HostId, Endpoint)> = topology
            .forwards
            .iter()
            .filter_map(|forward| Some((forward.on.as_ref()?, Endpoint::Tcp(own(forward.listen.port)))))
            .collect();
        for forward in &topology.forwards {
            let places = rules.places(forward).into_iter();
            for place in
                places.filter(|(host, at)| !listens.iter().any(|(on, port)| *on == host && port == at))
            {
                rules.stand_ins.entry(place).or_insert_with(|| StandIn::of(forward));
            }
        }
        rules
    }

    /// Whether a program or the SSH server of a host has this port.
    pub(super) fn is_taken(&self, host: &HostId, port: u16) -> bool {
        self.own_listener(host, port, None).is_some()
    }

    /// What `from` meets on `port` of the host `to`.
    pub(super) fn reach(&self, from: &HostId, to: &HostId, port: u16) -> Result<Answer, Refusal> {
        let links = self.links_from(from).filter(|link| link.to == *to);
        self.first_open(links, port)
            .unwrap_or_else(|| Err(Refusal::NoRoute { from: from.clone(), to: to.as_str().to_owned() }))
    }

    /// What a program on `from` meets when it dials `address`: a neighbour as the links name it, else
    /// `from` itself, else a machine outside the file that a forward says stands behind `from`.
    pub(super) fn dial(&self, from: &HostId, address: &Address) -> Result<Answer, Refusal> {
        let links = self.links_from(from).filter(|link| self.names(link, &address.host));
        let neighbour = self.first_open(links, address.port);
        if let Some(Ok(answer)) = neighbour {
            return Ok(answer);
        }
        if self.is_itself(from, &address.host) {
            return self
                .listener(from, address.port, None, false)
                .ok_or_else(|| Refusal::Closed { at: format!("{from}:{}", address.port) });
        }
        if let Some(refused) = neighbour {
            return refused;
        }
        self.stand_in(from, Endpoint::Tcp(behind(address)))
            .ok_or_else(|| Refusal::NoRoute { from: from.clone(), to: address.to_string() })
    }

    /// What a program on `from` meets at a unix socket there.
    pub(super) fn dial_unix(&self, from: &HostId, path: &str) -> Result<Answer, Refusal> {
        self.stand_in(from, Endpoint::Unix(path.to_owned()))
            .ok_or_else(|| Refusal::Closed { at: format!("{from}/{path}") })
    }

    /// What a program on `from` meets at an endpoint of either kind.
    pub(super) fn dial_endpoint(&self, from: &HostId, endpoint: &Endpoint) -> Result<Answer, Refusal> {
        match endpoint {
            Endpoint::Tcp(address) => self.dial(from, address),
            Endpoint::Unix(path) => self.dial_unix(from, path),
        }
    }

    fn links_from(&self, from: &HostId) -> impl Iterator<Item = &Link> {
        self.links.get(from).into_iter().flatten()
    }

    /// The first of these links that leads to an answer, else the first refusal. Two links may share
    /// an address, such as two hosts behind one address translation, and only one has the port.
    fn first_open<'a>(
        &self,
        links: impl Iterator<Item = &'a Link>,
        port: u16,
    ) -> Option<Result<Answer, Refusal>> {
        let mut refused = None;
        for link in links {
            match self.over(link, port) {
                Ok(answer) => return Some(Ok(answer)),
                Err(refusal) => refused = refused.or(Some(Err(refusal))),
            }
        }
        refused
    }

    fn over(&self, link: &Link, port: u16) -> Result<Answer, Refusal> {
        if let Some(by) = self.blocks(link, port) {
            return Err(Refusal::Blocked { from: link.from.clone(), to: link.to.clone(), port, by });
        }
        let ssh = link.dial.as_ref().and_then(|dial| dial.port);
        self.listener(&link.to, port, ssh, true)
            .ok_or_else(|| Refusal::Closed { at: format!("{}:{port}", link.to) })
    }

    /// What blocks this port on this link. The port that counts is the dialled one, as it would be
    /// for a packet filter in front of an address translation.
    fn blocks(&self, link: &Link, port: u16) -> Option<String> {
        if link.ports.as_ref().is_some_and(|ports| !ports.contains(port)) {
            return Some("the link's own ports".to_owned());
        }
        let walls = link.through.iter().filter_map(|id| self.firewalls.get(id));
        walls.into_iter().find(|wall| !wall.passes(port)).map(|wall| match &wall.label {
            Some(label) => format!("firewall {} ({label})", wall.id),
            None => format!("firewall {}", wall.id),
        })
    }

    fn listener(&self, host: &HostId, port: u16, ssh: Option<u16>, from_elsewhere: bool) -> Option<Answer> {
        self.own_listener(host, port, ssh).or_else(|| {
            let answers = self.listeners.answers(host, port, from_elsewhere);
            answers.then(|| Answer::Listener(host.clone(), port))
        })
    }

    fn own_listener(&self, host: &HostId, port: u16, redirected_ssh: Option<u16>) -> Option<Answer> {
        let ssh = self.hosts.get(host).filter(|host| host.ssh);
        if ssh.is_some_and(|host| host.address.port == port || redirected_ssh == Some(port)) {
            return Some(Answer::Ssh(host.clone()));
        }
        self.stand_in(host, Endpoint::Tcp(own(port)))
    }

    fn stand_in(&self, host: &HostId, endpoint: Endpoint) -> Option<Answer> {
        let key = (host.clone(), endpoint);
        let stand_in = self.stand_ins.get(&key)?.clone();
        Some(Answer::StandIn { host: key.0, stand_in })
    }

    fn names(&self, link: &Link, name: &str) -> bool {
        link.dial.as_ref().is_some_and(|dial| same_name(&dial.host, name)) || self.is_called(&link.to, name)
    }

    fn is_called(&self, host: &HostId, name: &str) -> bool {
        same_name(host.as_str(), name)
            || self.hosts.get(host).is_some_and(|host| same_name(&host.address.host, name))
    }

    fn is_itself(&self, host: &HostId, name: &str) -> bool {
        let loopback = name.parse().map(|ip: IpAddr| ip.is_loopback());
        loopback.unwrap_or(name.eq_ignore_ascii_case("localhost")) || self.is_called(host, name)
    }

    /// Where the far end of a forward stands. More than one place when neighbours share an address.
    fn places(&self, forward: &Forward) -> Vec<(HostId, Endpoint)> {
        let (host, address) = match &forward.to {
            Target::Dialled { host, port } => return vec![(host.clone(), Endpoint::Tcp(own(*port)))],
            Target::Within { host, endpoint: Endpoint::Tcp(address) } => (host, address),
            Target::Within { host, endpoint } => return vec![(host.clone(), endpoint.clone())],
        };
        let mut on: Vec<HostId> = self
            .links_from(host)
            .filter(|link| self.names(link, &address.host))
            .map(|link| link.to.clone())
            .collect();
        if self.is_itself(host, &address.host) {
            on.push(host.clone());
        }
        if on.is_empty() && !self.hosts.keys().any(|known| self.is_called(known, &address.host)) {
            return vec![(host.clone(), Endpoint::Tcp(behind(address)))];
        }
        on.into_iter().map(|host| (host, Endpoint::Tcp(own(address.port)))).collect()
    }
}

/// The one spelling under which a host's own ports are kept.
fn own(port: u16) -> Address {
    Address::new("localhost", port)
}

/// The one spelling under which a machine outside the file is kept.
fn behind(address: &Address) -> Address {
    let ip: Result<IpAddr, _> = address.host.parse();
    let host = ip.map_or_else(|_| address.host.to_ascii_lowercase(), |ip| ip.to_string());
    Address::new(host, address.port)
}

/// Whether two spellings mean the same machine: `::1` is `0:0::1`, `Gate` is `gate`.
fn same_name(a: &str, b: &str) -> bool {
    match (a.parse::<IpAddr>(), b.parse::<IpAddr>()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a.eq_ignore_ascii_case(b),
    }
}
