//! The smallest opening: which closed ports would have to open for a route to exist.

use std::ops::Add;
use std::sync::Arc;

use petgraph::algo::dijkstra;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeFiltered;

use super::graph::{Edge, Graph};
use super::reach::Reach;
use super::{NoRoute, Obstacle};
use crate::topology::escape;
use crate::topology::{Endpoint, Forward, HostId, Target};

/// How many closed ports a route has; the fewest win, then the cheapest route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Effort {
    openings: usize,
    cost: u64,
    hops: usize,
}

impl Effort {
    fn of(edge: &Edge<'_>, open: bool) -> Self {
        Effort { openings: usize::from(!open), cost: edge.link.cost.into(), hops: 1 }
    }
}

impl Add for Effort {
    type Output = Effort;

    fn add(self, more: Effort) -> Effort {
        Effort {
            openings: self.openings + more.openings,
            cost: self.cost + more.cost,
            hops: self.hops + more.hops,
        }
    }
}

/// How many obstacles are told; the rest are counted.
const MOST: usize = 3;

/// What is in the way of one forward, and what to do.
struct Verdict {
    obstacles: Vec<Obstacle>,
    more: usize,
    help: Vec<String>,
}

impl Verdict {
    fn of(obstacles: Vec<Obstacle>) -> Self {
        Verdict { obstacles, more: 0, help: Vec::new() }
    }
}

/// What explaining one forward shares with explaining the next.
pub(super) struct Search<'g, 't> {
    pub(super) graph: &'g Graph<'t>,
    reach: &'g Reach,
    reached: Arc<[HostId]>,
    /// What it takes to get a session to each host, closed ports included.
    efforts: Vec<Option<Effort>>,
}

impl<'g, 't> Search<'g, 't> {
    /// Looks at every link that leads to a host with an SSH server, open or not.
    pub(super) fn new(graph: &'g Graph<'t>, reach: &'g Reach) -> Self {
        let mut reached: Vec<_> = graph
            .net
            .node_indices()
            .filter_map(|node| Some((reach.host(node).filter(|host| host.by.is_some())?.price.tunnels, node)))
            .collect();
        reached.sort_unstable();
        let logins = EdgeFiltered::from_fn(&graph.net, |edge| edge.weight().server.ssh);
        let efforts = dijkstra(&logins, Graph::local(), None, |edge| {
            let edge = edge.weight();
            Effort::of(edge, edge.ssh)
        });
        let efforts = graph.net.node_indices().map(|node| efforts.get(&node).copied()).collect();
        let reached = reached.into_iter().map(|(_, node)| graph.id(node)).collect();
        Search { graph, reach, reached, efforts }
    }

    /// Says why no route leads to the target of this forward.
    pub(super) fn explain(&self, forward: &Forward) -> NoRoute {
        let target = &forward.to;
        let verdict = match self.graph.node(target.host()) {
            None => Verdict::of(vec![Obstacle::NoLinks { to: target.host().clone(), from: Vec::new() }]),
            Some(node) => match target {
                Target::Within { host, endpoint } => self.login(node, host, endpoint),
                Target::Dialled { port, .. } => self.dial(node, *port),
            },
        };
        NoRoute {
            forward: forward.id.clone(),
            target: target.clone(),
            reached: Arc::clone(&self.reached),
            obstacles: verdict.obstacles,
            more: verdict.more,
            help: verdict.help.iter().map(|text| escape(text)).collect(),
        }
    }

    /// What keeps a session from this host.
    fn login(&self, node: NodeIndex, host: &HostId, endpoint: &Endpoint) -> Verdict {
        if self.graph.net[node].is_some_and(|server| !server.ssh) {
            let help = match endpoint {
                Endpoint::Tcp(address) => {
                    vec![format!("write \"{host}:{}\", and the host before it dials {host}", address.port)]
                }
                Endpoint::Unix(_) => Vec::new(),
            };
            return Verdict { help, ..Verdict::of(vec![Obstacle::NoServer(host.clone())]) };
        }
        let closed = self.closed_on_the_way(node);
        if closed.is_empty() {
            return Verdict::of(vec![self.no_links(node)]);
        }
        Verdict { help: vec![opening(&closed)], ..Verdict::of(closed) }
    }

    /// What keeps every host from dialling this port of the target.
    fn dial(&self, node: NodeIndex, port: u16) -> Verdict {
        let links = self.graph.into(node).filter_map(|(from, id, edge)| {
            let open = edge.passes(port);
            Some((self.efforts[from.index()]? + Effort::of(edge, open), id, from, (!open).then_some(edge)))
        });
        let Some((_, _, from, last)) = links.min_by_key(|&(effort, id, ..)| (effort, id)) else {
            return Verdict::of(vec![self.no_links(node)]);
        };
        let mut least = self.closed_on_the_way(from);
        least.extend(last.map(|edge| closed(edge, port)));
        let help = vec![opening(&least)];

        // Where sessions get next to the target, every link there is worth naming, not just the cheapest.
        let near = self.graph.into(node).filter(|&(from, ..)| self.reach.host(from).is_some());
        let mut near: Vec<_> = near.map(|(_, id, edge)| (id, edge)).collect();
        near.sort_unstable_by_key(|&(id, _)| id);
        let more = near.len().saturating_sub(MOST);
        let near: Vec<Obstacle> = near.into_iter().take(MOST).map(|(_, edge)| closed(edge, port)).collect();
        Verdict { obstacles: if near.is_empty() { least } else { near }, more, help }
    }

    /// The closed links of the route that needs the fewest openings to get a session to this host.
    fn closed_on_the_way(&self, node: NodeIndex) -> Vec<Obstacle> {
        let mut found = Vec::new();
        let mut at = node;
        while let Some(&effort) = self.efforts[at.index()].as_ref().filter(|effort| effort.hops > 0) {
            let before = self.graph.into(at).filter(|(from, _, edge)| {
                let step = Effort::of(edge, edge.ssh);
                self.efforts[from.index()].is_some_and(|from| from + step == effort)
            });
            let Some((from, _, edge)) = before.min_by_key(|&(_, id, _)| id) else { break };
            if !edge.ssh {
                found.push(closed(edge, edge.ssh_port));
            }
            at = from;
        }
        found.reverse();
        found
    }

    /// How many closed ports are between local and a session on this host, at least.
    pub(super) fn openings(&self, node: NodeIndex) -> Option<usize> {
        self.efforts[node.index()].map(|effort| effort.openings)
    }

    fn no_links(&self, node: NodeIndex) -> Obstacle {
        let mut from: Vec<NodeIndex> = self.graph.into(node).map(|(from, ..)| from).collect();
        from.sort_unstable();
        from.dedup();
        let from = from.into_iter().take(MOST).map(|from| self.graph.id(from)).collect();
        Obstacle::NoLinks { to: self.graph.id(node), from }
    }
}

/// The obstacle that a link is which does not let the port through.
pub(super) fn closed(edge: &Edge<'_>, port: u16) -> Obstacle {
    let walls = edge.walls.iter().filter(|wall| !wall.passes(port));
    Obstacle::Closed {
        from: edge.link.from.clone(),
        to: edge.link.to.clone(),
        port,
        ports: edge.link.ports.clone().filter(|ports| !ports.contains(port)),
        firewalls: walls.map(|wall| wall.id.clone()).collect(),
    }
}

/// The advice to open each of these.
pub(super) fn opening(obstacles: &[Obstacle]) -> String {
    let openings: Vec<String> = obstacles
        .iter()
        .filter_map(|obstacle| match obstacle {
            Obstacle::Closed { from, to, port, .. } => Some(format!("port {port} on {from} -> {to}")),
            _ => None,
        })
        .collect();
    format!("the smallest opening that would do: {}", openings.join(", "))
}

#[cfg(test)]
mod tests {
    use crate::plan::fixture::{empty, vnc};
    use crate::plan::{PlanError, PlanOptions, plan};
    use crate::topology::{Address, Endpoint, Topology};

    fn why(topology: &Topology) -> (String, Vec<String>) {
        let errors = plan(topology, &PlanOptions::default()).unwrap_err();
        let [error @ PlanError::NoRoute(_)] = errors.as_slice() else { panic!("{errors:?}") };
        (error.to_string(), error.help())
    }

    #[test]
    fn the_firewall_at_the_last_link_is_named() {
        let topology = empty("t")
            .with_wall("fw3", 5900..=5999)
            .with_host("gate-a")
            .with_host("gate-b")
            .with_target("screen")
            .with_link("local", "gate-a")
            .with_link("gate-a", "gate-b")
            .with("gate-b", "screen", |link| link.wall("fw3"))
            .forward_to("vnc", "screen", 5900);
        let (text, help) = why(&topology);
        assert_eq!(
            text,
            "no route to screen:5900 (forward vnc): local reaches gate-a, gate-b; fw3 stops port 5900 on gate-b -> screen"
        );
        assert_eq!(help, ["the smallest opening that would do: port 5900 on gate-b -> screen"]);
    }

    #[test]
    fn the_way_with_the_fewest_closed_ports_is_told_from_its_first_closed_one() {
        let mut topology = vnc();
        topology.links[1].only(443);
        topology.links[3].only(80);
        let (text, help) = why(&topology);
        assert_eq!(
            text,
            "no route to screen:5900 (forward vnc): local reaches gate-b; \
             the link gate-b -> gate-c lets only port 443 through, not 22, \
             the link gate-d -> screen lets only port 80 through, not 5900"
        );
        assert_eq!(
            help,
            [
                "the smallest opening that would do: port 22 on gate-b -> gate-c, port 5900 on gate-d -> screen"
            ]
        );
    }

    #[test]
    fn a_target_that_nothing_leads_to_is_said_to_be_one() {
        let topology = empty("t").with_host("a").with_target("b").forward_to("x", "b", 80);
        assert_eq!(
            why(&topology).0,
            "no route to b:80 (forward x): local reaches no host by SSH; no link leads to b"
        );
        assert_eq!(
            why(&topology.with_link("a", "b")).0,
            "no route to b:80 (forward x): local reaches no host by SSH; \
             links lead to b only from a, and none from local to there"
        );
    }

    #[test]
    fn a_host_without_logins_cannot_be_entered() {
        let own = Endpoint::Tcp(Address::new("127.0.0.1", 80));
        let topology = empty("t").with_target("a").with_link("local", "a").forward_within("x", "a", own);
        let (text, help) = why(&topology);
        assert!(text.ends_with("a takes no logins (\"ssh\": false)"), "{text}");
        assert_eq!(help, ["write \"a:80\", and the host before it dials a"]);
    }
}
