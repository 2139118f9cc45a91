//! The topology as a graph of integers: hosts are nodes, links are edges, names are looked up once.

use std::collections::{HashMap, HashSet};

use petgraph::Direction;
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::topology::{Address, Firewall, FirewallId, Host, HostId, Link, Topology};

/// Who can dial whom. Node 0 is local, then the hosts by id; edges keep the order of the
/// links, so comparing two indices compares two places in the file.
pub(super) struct Graph<'t> {
    /// The graph itself; `None` is local, which has no entry of its own.
    pub(super) net: DiGraph<Option<&'t Host>, Edge<'t>>,
    nodes: HashMap<&'t str, NodeIndex>,
}

/// A link with what it takes to judge a port.
pub(super) struct Edge<'t> {
    /// Its place among the links of the file.
    pub(super) place: usize,
    /// The link as written.
    pub(super) link: &'t Link,
    /// The host it leads to.
    pub(super) server: &'t Host,
    /// The firewalls it crosses, in order.
    pub(super) walls: Vec<&'t Firewall>,
    /// The port an SSH session over this link dials: that of the link's `dial`, else the host's.
    pub(super) ssh_port: u16,
    /// Whether a session can go over it: the server takes logins and the port is let through.
    pub(super) ssh: bool,
}

impl<'t> Graph<'t> {
    /// Looks every name of the topology up, once.
    pub(super) fn new(topology: &'t Topology) -> Self {
        let walls: HashMap<&FirewallId, &Firewall> =
            topology.firewalls.iter().map(|wall| (&wall.id, wall)).collect();
        let mut net = DiGraph::with_capacity(topology.hosts.len() + 1, topology.links.len());
        let mut nodes = HashMap::with_capacity(topology.hosts.len() + 1);
        nodes.insert(HostId::LOCAL, net.add_node(None));
        for host in &topology.hosts {
            nodes.insert(host.id.as_str(), net.add_node(Some(host)));
        }
        for (place, link) in topology.links.iter().enumerate() {
            let ends = (nodes.get(link.from.as_str()), nodes.get(link.to.as_str()));
            let (Some(&from), Some(&to)) = ends else { continue };
            // Nothing is gained by a way back to local, nor by a host that dials itself: the latter
            // is written HOST/ADDR:PORT.
            let Some(server) = net[to].filter(|_| from != to) else { continue };
            let walls = link.through.iter().filter_map(|id| walls.get(id).copied()).collect();
            net.add_edge(from, to, Edge::new(place, link, server, walls));
        }
        Graph { net, nodes }
    }

    /// Where every route starts.
    pub(super) fn local() -> NodeIndex {
        NodeIndex::new(0)
    }

    /// The node of a host; `None` when the topology has no such host.
    pub(super) fn node(&self, id: &HostId) -> Option<NodeIndex> {
        self.nodes.get(id.as_str()).copied()
    }

    /// The host that a link leads to.
    pub(super) fn head(&self, edge: EdgeIndex) -> NodeIndex {
        self.net.raw_edges()[edge.index()].target()
    }

    /// The host that dials over a link.
    pub(super) fn tail(&self, edge: EdgeIndex) -> NodeIndex {
        self.net.raw_edges()[edge.index()].source()
    }

    /// The id of a node's host.
    pub(super) fn id(&self, node: NodeIndex) -> HostId {
        self.net[node].map_or_else(HostId::local, |host| host.id.clone())
    }

    /// The links of a host, with whom it dials.
    pub(super) fn out_of(&self, node: NodeIndex) -> impl Iterator<Item = (NodeIndex, EdgeIndex, &Edge<'t>)> {
        let edges = self.net.edges_directed(node, Direction::Outgoing);
        edges.map(|edge| (edge.target(), edge.id(), edge.weight()))
    }

    /// The links that lead to a host, with who dials.
    pub(super) fn into(&self, node: NodeIndex) -> impl Iterator<Item = (NodeIndex, EdgeIndex, &Edge<'t>)> {
        let edges = self.net.edges_directed(node, Direction::Incoming);
        edges.map(|edge| (edge.source(), edge.id(), edge.weight()))
    }
}

impl<'t> Edge<'t> {
    fn new(place: usize, link: &'t Link, server: &'t Host, walls: Vec<&'t Firewall>) -> Self {
        let own = link.dial.as_ref().and_then(|dial| dial.port);
        let ssh_port = own.unwrap_or(server.address.port);
        let mut edge = Edge { place, link, server, walls, ssh_port, ssh: false };
        edge.ssh = server.ssh && edge.passes(ssh_port);
        edge
    }

    /// Whether the link and every firewall on it let TCP to this port through.
    pub(super) fn passes(&self, port: u16) -> bool {
        self.link.ports.as_ref().is_none_or(|ports| ports.contains(port))
            && self.walls.iter().all(|wall| wall.passes(port))
    }

    /// A port that a listener on the host can have, so that it can be dialled over this link: the lowest
    /// from 2201 that is let through and not taken.
    pub(super) fn entry_port(&self, taken: &HashSet<u16>) -> Option<u16> {
        const FIRST: u16 = 2201;
        // The first port of a stretch that is let through comes after one that is not.
        let allowed = self.link.ports.iter().chain(self.walls.iter().filter_map(|wall| wall.allow.as_ref()));
        let starts = allowed.flat_map(|ports| ports.ranges()).map(|range| *range.start());
        let denied = self.walls.iter().flat_map(|wall| wall.deny.ranges()).map(|range| *range.end());
        let own = self.server.address.port;
        let after = denied.chain(taken.iter().copied()).chain([own]).filter_map(|port| port.checked_add(1));
        // Ports below 1024 are not for users.
        let mut ports: Vec<u16> =
            starts.chain(after).chain([1024, FIRST]).filter(|port| *port >= 1024).collect();
        ports.sort_unstable_by_key(|port| (*port < FIRST, *port));
        ports.into_iter().find(|port| self.passes(*port) && !taken.contains(port) && *port != own)
    }

    /// What is dialled over this link to reach that port of the host. A link's `dial` gives the
    /// name; its port stands for the SSH port only, so a forward's port is never replaced.
    pub(super) fn address(&self, port: u16) -> Address {
        let name = self.link.dial.as_ref().map_or(&self.server.address.host, |dial| &dial.host);
        Address::new(name, port)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::fixture::empty;
    use crate::topology::PortSet;

    fn ports() -> impl Strategy<Value = PortSet> {
        let port = || prop::sample::select(vec![0, 22, 1023, 1024, 2200, 2201, 2202, 2204, 9000, u16::MAX]);
        let range = (port(), port()).prop_map(|(a, b)| a.min(b)..=a.max(b));
        prop::collection::vec(range, 0..3).prop_map(PortSet::new)
    }

    proptest! {
        #[test]
        fn a_listener_has_the_first_port_that_is_free(
            own in prop::option::of(ports()),
            allow in prop::option::of(ports()),
            deny in ports(),
            taken in prop::collection::hash_set(2200..2206_u16, 0..4),
            ssh in prop::sample::select(vec![22, 2201, 2203]),
        ) {
            let mut topology = empty("t").with_wall("w", 1..=1).with_host("a");
            (topology.firewalls[0].allow, topology.firewalls[0].deny) = (allow, deny);
            topology.hosts[0].address.port = ssh;
            let topology = topology.with("local", "a", |link| {
                link.wall("w");
                link.ports = own;
            });
            let graph = Graph::new(&topology);
            let (_, _, edge) = graph.out_of(Graph::local()).next().unwrap();
            let free = |port: &u16| edge.passes(*port) && !taken.contains(port) && *port != ssh;
            prop_assert_eq!(edge.entry_port(&taken), (2201..=u16::MAX).chain(1024..2201).find(free));
        }
    }
}
