//! The smallest opening: which closed ports would have to open for a route to exist.

use std::ops::Add;
use std::sync::Arc;

use petgraph::algo::dijkstra;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeFiltered;

use super::graph::{Edge, Graph};
use super::opening_telescoped::{Closed, Openings};
use super::reach::Reach;
use super::{NoRoute, Obstacle};
use crate::topology::escape;
use crate::topology::{Endpoint, Forward, HostId, Strategy, Target};

/// How many closed ports a route has; the fewest win, then the cheapest route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Effort {
    pub(super) openings: usize,
    cost: u64,
    pub(super) hops: usize,
}

impl Effort {
    pub(super) fn of(edge: &Edge<'_>, open: bool) -> Self {
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

/// How advice begins.
pub(super) const SMALLEST: &str = "the smallest opening that would do";

/// How many obstacles are told; the rest are counted.
const MOST: usize = 3;

/// What is in the way of one forward, and what to do.
struct Verdict {
    obstacles: Vec<Obstacle>,
    more: usize,
    /// How many ports would have to open; `None` when none would do.
    openings: Option<usize>,
    help: Vec<String>,
}

impl Verdict {
    fn of(obstacles: Vec<Obstacle>) -> Self {
        Verdict { obstacles, more: 0, openings: None, help: Vec::new() }
    }
}

/// What explaining one forward shares with explaining the next.
pub(super) struct Search<'g, 't> {
    pub(super) graph: &'g Graph<'t>,
    reach: &'g Reach,
    reached: Arc<[HostId]>,
    strategy: Strategy,
    telescoped: Openings<'g, 't>,
    /// What it takes to get a session to each host, closed ports included.
    efforts: Vec<Option<Effort>>,
}

impl<'g, 't> Search<'g, 't> {
    /// Looks at every link that leads to a host with an SSH server, open or not.
    pub(super) fn new(graph: &'g Graph<'t>, reach: &'g Reach, strategy: Strategy) -> Self {
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
        let efforts: Vec<_> = graph.net.node_indices().map(|node| efforts.get(&node).copied()).collect();
        let telescoped = Openings::new(graph, efforts.clone());
        let reached = match strategy {
            Strategy::Telescoped if telescoped.matter() => telescoped.reached().into(),
            _ => reached.into_iter().map(|(_, node)| graph.id(node)).collect(),
        };
        Search { graph, reach, reached, strategy, telescoped, efforts }
    }

    /// Says why no route leads to the target of this forward.
    pub(super) fn explain(&self, forward: &Forward) -> NoRoute {
        let target = &forward.to;
        let mut verdict = match self.graph.node(target.host()) {
            None => Verdict::of(vec![Obstacle::NoLinks { to: target.host().clone(), from: Vec::new() }]),
            Some(node) => match target {
                Target::Within { host, endpoint } => self.login(node, host, endpoint),
                Target::Dialled { port, .. } => self.dial(node, *port),
            },
        };
        if self.telescoped.matter()
            && let Some(shut) = self.telescoped.smallest(forward)
        {
            self.compare(&mut verdict, &shut);
        }
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
        Verdict { help: vec![opening(&closed)], openings: Some(closed.len()), ..Verdict::of(closed) }
    }

    /// What keeps every host from dialling this port of the target.
    fn dial(&self, node: NodeIndex, port: u16) -> Verdict {
        let links = self.graph.into(node).filter_map(|(from, id, edge)| {
            let open = edge.passes(port);
            Some((self.efforts[from.index()]? + Effort::of(edge, open), id, from, (!open).then_some(edge)))
        });
        let Some((effort, _, from, last)) = links.min_by_key(|&(effort, id, ..)| (effort, id)) else {
            return Verdict::of(vec![self.no_links(node)]);
        };
        let mut least = self.closed_on_the_way(from);
        least.extend(last.map(|edge| closed(edge, port)));
        // A session on the target's own host may take less than the port of the target.
        if self.efforts[node.index()].is_some_and(|own| own.openings < effort.openings) {
            least = self.closed_on_the_way(node);
        }
        let (help, openings) = (vec![opening(&least)], Some(least.len()));

        // Where sessions get next to the target, every link there is worth naming, not just the cheapest.
        let near = self.graph.into(node).filter(|&(from, ..)| self.reach.host(from).is_some());
        let mut near: Vec<_> = near.map(|(_, id, edge)| (id, edge)).collect();
        near.sort_unstable_by_key(|&(id, _)| id);
        let more = near.len().saturating_sub(MOST);
        let near: Vec<Obstacle> = near.into_iter().take(MOST).map(|(_, edge)| closed(edge, port)).collect();
        Verdict { obstacles: if near.is_empty() { least } else { near }, more, openings, help }
    }

    /// Says what the other strategy would take, and what its own takes where that is telescoped.
    fn compare(&self, verdict: &mut Verdict, telescoped: &[Closed]) {
        let told: Vec<Obstacle> =
            telescoped.iter().map(|&(id, port)| closed(&self.graph.net[id], port)).collect();
        let nested = verdict.help.pop();
        let less = verdict.openings.is_none_or(|nested| telescoped.len() < nested);
        let other = match self.strategy {
            Strategy::Nested => {
                verdict.help.extend(nested);
                match telescoped {
                    [] => "there is a route with --strategy telescoped".to_owned(),
                    _ if less => opening(&told).replacen(
                        "the smallest opening that would do",
                        "less would do with --strategy telescoped",
                        1,
                    ),
                    _ => "with --strategy telescoped as much would have to open".to_owned(),
                }
            }
            Strategy::Telescoped if less => {
                verdict.help.push(opening(&told));
                verdict.openings = Some(told.len());
                (verdict.obstacles, verdict.more) = (told, 0);
                match nested {
                    Some(nested) => nested.replacen(SMALLEST, "more would do with --strategy nested", 1),
                    None => "no opening would do with --strategy nested".to_owned(),
                }
            }
            Strategy::Telescoped => {
                verdict.help.extend(nested);
                "with --strategy nested as much would have to open".to_owned()
            }
        };
        verdict.help.push(other);
    }

    /// The closed links of the route that needs the fewest openings to get a session to this host.
    fn closed_on_the_way(&self, node: NodeIndex) -> Vec<Obstacle> {
        let shut = closed_on_the_way(self.graph, &self.efforts, node).into_iter();
        shut.map(|(id, port)| closed(&self.graph.net[id], port)).collect()
    }

    /// Whether no client on a host in between would save an opening of this many ports.
    pub(super) fn is_least(&self, forward: &Forward, openings: usize) -> bool {
        let other = (self.strategy == Strategy::Telescoped && self.telescoped.matter())
            .then(|| self.telescoped.smallest(forward));
        other.flatten().is_none_or(|shut| shut.len() >= openings)
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

/// The closed links of the route that needs the fewest openings to get a session to this host, nearest
/// first. `efforts` is what it takes for each host.
pub(super) fn closed_on_the_way(
    graph: &Graph<'_>,
    efforts: &[Option<Effort>],
    node: NodeIndex,
) -> Vec<Closed> {
    let mut found = Vec::new();
    let mut at = node;
    while let Some(&effort) = efforts[at.index()].as_ref().filter(|effort| effort.hops > 0) {
        let before = graph.into(at).filter(|(from, _, edge)| {
            let step = Effort::of(edge, edge.ssh);
            efforts[from.index()].is_some_and(|from| from + step == effort)
        });
        let Some((from, id, edge)) = before.min_by_key(|&(_, id, _)| id) else { break };
        if !edge.ssh {
            found.push((id, edge.ssh_port));
        }
        at = from;
    }
    found.reverse();
    found
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
    format!("{SMALLEST}: {}", openings.join(", "))
}

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;
