//! Which hosts get a session, before any tunnel is written down.

use petgraph::graph::NodeIndex;

use super::graph::Graph;
use super::reach::{End, Reach, Way};
use super::{Carrier, PlanOptions, PlannedForward, Tunnel, TunnelId};
use crate::topology::{CarrierKind, Endpoint, Forward, HostId, Listen};

/// The hosts that get a session, in build order.
pub(super) struct Draft<'g, 't> {
    graph: &'g Graph<'t>,
    reach: &'g Reach,
    /// In build order.
    servers: Vec<NodeIndex>,
    /// By node, the place in `servers` counted from 1.
    number: Vec<Option<usize>>,
}

impl<'g, 't> Draft<'g, 't> {
    /// Takes the chains to these hosts; a host on several chains is taken once.
    pub(super) fn new(
        graph: &'g Graph<'t>,
        reach: &'g Reach,
        diallers: impl Iterator<Item = NodeIndex>,
    ) -> Self {
        let mut taken = vec![false; graph.net.node_count()];
        let mut servers = Vec::new();
        for mut node in diallers {
            while let Some((from, _)) = reach.host(node).and_then(|reached| reached.by)
                && !taken[node.index()]
            {
                taken[node.index()] = true;
                servers.push(node);
                node = from;
            }
        }
        servers.sort_unstable_by_key(|&node| (depth(reach, node), node));
        let mut number = vec![None; taken.len()];
        for (place, node) in servers.iter().enumerate() {
            number[node.index()] = Some(place + 1);
        }
        Draft { graph, reach, servers, number }
    }

    /// The tunnel to a host; `None` for local.
    fn tunnel_id(&self, node: NodeIndex) -> Option<TunnelId> {
        self.number[node.index()].map(|number| TunnelId(format!("T{number}")))
    }

    /// Every tunnel, in build order.
    pub(super) fn tunnels(&self, options: &PlanOptions) -> Vec<Tunnel> {
        let tunnels = self.servers.iter().filter_map(|&node| {
            let (from, edge) = self.reach.host(node)?.by?;
            let edge = &self.graph.net[edge];
            let through = self.tunnel_id(from);
            let kind = options.carrier.or(edge.link.carrier).unwrap_or(CarrierKind::Channel);
            Some(Tunnel {
                id: self.tunnel_id(node)?,
                client: HostId::local(),
                server: edge.server.clone(),
                carrier: through.as_ref().map(|_| match kind {
                    CarrierKind::Channel => Carrier::Channel,
                    CarrierKind::Port => Carrier::Port(edge.link.listen.unwrap_or(Listen::AUTO)),
                }),
                through,
                target: edge.address(edge.ssh_port),
                hop: depth(self.reach, node),
                firewalls: edge.link.through.clone(),
            })
        });
        tunnels.collect()
    }

    /// A forward with the tunnels it rides.
    pub(super) fn forward(&self, forward: &Forward, way: Way<'_>) -> PlannedForward {
        let chain = self.reach.chain(way.dialler);
        let mut route: Vec<HostId> = chain.iter().map(|&node| self.graph.id(node)).collect();
        let target = match way.end {
            End::Within(endpoint) => endpoint.clone(),
            End::Link(edge, port) => {
                let edge = &self.graph.net[edge];
                route.push(edge.server.id.clone());
                Endpoint::Tcp(edge.address(port))
            }
        };
        PlannedForward {
            forward: forward.clone(),
            via: self.tunnel_id(way.dialler),
            target,
            route,
            tunnels: chain.iter().filter_map(|&node| self.tunnel_id(node)).collect(),
        }
    }
}

/// How many tunnels lead to a host.
fn depth(reach: &Reach, node: NodeIndex) -> usize {
    reach.host(node).map_or(0, |reached| reached.price.tunnels)
}
