//! Topologies for tests, built by hand.

use crate::topology::{
    Bind, Check, Dial, Endpoint, Firewall, FirewallId, Forward, ForwardId, Host, HostClient, HostId, Link,
    Listen, OnDown, Plain, Policy, PortSet, Target, Topology,
};

/// A topology with nothing in it but a name.
pub(super) fn empty(name: &str) -> Topology {
    Topology {
        name: name.to_owned(),
        description: None,
        firewalls: Vec::new(),
        hosts: Vec::new(),
        links: Vec::new(),
        forwards: Vec::new(),
        policy: Policy::default(),
    }
}

impl Topology {
    /// Adds a host with an SSH server.
    pub(super) fn with_host(mut self, id: &str) -> Self {
        self.hosts.push(Host::new(HostId::new(id)));
        self
    }

    /// Lets every host in between run SSH clients that its neighbours can reach.
    pub(super) fn with_clients_everywhere(mut self) -> Self {
        for host in self.hosts.iter_mut().filter(|host| host.ssh) {
            (host.client, host.bind) = (Some(HostClient::Exec), Bind::Any);
        }
        self
    }

    /// Adds a host that takes no logins.
    pub(super) fn with_target(mut self, id: &str) -> Self {
        self.hosts.push(Host { ssh: false, ..Host::new(HostId::new(id)) });
        self
    }

    /// Adds a firewall that stops these ports.
    pub(super) fn with_wall(mut self, id: &str, deny: std::ops::RangeInclusive<u16>) -> Self {
        let (id, deny) = (FirewallId(id.to_owned()), PortSet::new([deny]));
        self.firewalls.push(Firewall { id, label: None, allow: None, deny });
        self
    }

    /// Adds a link.
    pub(super) fn with_link(self, from: &str, to: &str) -> Self {
        self.with(from, to, |_| ())
    }

    /// Adds a link with settings of its own.
    pub(super) fn with(mut self, from: &str, to: &str, set: impl FnOnce(&mut Link)) -> Self {
        let mut link = Link::new(HostId::new(from), HostId::new(to));
        set(&mut link);
        self.links.push(link);
        self
    }

    /// Adds a forward to a port that the host before the target dials.
    pub(super) fn forward_to(self, id: &str, host: &str, port: u16) -> Self {
        self.with_forward(id, Target::Dialled { host: HostId::new(host), port })
    }

    /// Adds a forward to something that this host dials from within.
    pub(super) fn forward_within(self, id: &str, host: &str, endpoint: Endpoint) -> Self {
        self.with_forward(id, Target::Within { host: HostId::new(host), endpoint })
    }

    fn with_forward(mut self, id: &str, to: Target) -> Self {
        self.forwards.push(Forward {
            id: ForwardId(id.to_owned()),
            at: HostId::local(),
            on: None,
            listen: Listen::AUTO,
            to,
            check: Check::Tcp,
            required: true,
            expose: false,
            plain: Plain::Last,
            on_down: OnDown::default(),
            protocol: None,
        });
        self
    }
}

impl Link {
    /// Makes the link cross a firewall.
    pub(super) fn wall(&mut self, id: &str) {
        self.through.push(FirewallId(id.to_owned()));
    }

    /// Lets only one port through.
    pub(super) fn only(&mut self, port: u16) {
        self.ports = Some(PortSet::new([port..=port]));
    }

    /// Gives the address that `from` sees.
    pub(super) fn seen_as(&mut self, host: &str, port: Option<u16>) {
        self.dial = Some(Dial { host: host.to_owned(), port });
    }
}

/// The picture of the source document: A (local) to E, three firewalls that dislike VNC.
pub(super) fn vnc() -> Topology {
    let mut topology = ["fw1", "fw2", "fw3"]
        .into_iter()
        .fold(empty("vnc"), |topology, wall| topology.with_wall(wall, 5900..=5999))
        .with_host("gate-b")
        .with_host("gate-c")
        .with_host("gate-d")
        .with_target("screen")
        .with("local", "gate-b", |link| link.wall("fw1"))
        .with("gate-b", "gate-c", |link| link.wall("fw2"))
        .with("gate-c", "gate-d", |link| link.wall("fw3"))
        .with("gate-d", "screen", |link| link.only(5900))
        .forward_to("vnc", "screen", 5900);
    topology.forwards[0].listen.port = 5901;
    topology.forwards[0].check = Check::Banner("RFB ".to_owned());
    topology
}

/// A row of so many hosts, the last of which is the target: as many hops.
pub(super) fn line(hops: usize) -> Topology {
    let mut topology = empty("line");
    let mut before = HostId::LOCAL.to_owned();
    for hop in 1..=hops {
        let host = format!("h{hop}");
        topology = topology.with_host(&host).with_link(&before, &host);
        before = host;
    }
    topology.forward_to("far", &before, 80)
}
