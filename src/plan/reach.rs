//! How far sessions get from local, and the cheapest way to each host.

use std::collections::BTreeMap;
use std::ops::Add;

use petgraph::algo::dijkstra;
use petgraph::graph::{EdgeIndex, NodeIndex};
use petgraph::visit::EdgeFiltered;

use super::course::{End, own_port};
use super::graph::{Edge, Graph};
use crate::topology::Target;

/// What a route costs; compared by cost, then by tunnels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Price {
    /// The sum of the links' costs.
    pub(super) cost: u64,
    /// How many sessions it takes.
    pub(super) tunnels: usize,
}

impl Price {
    /// What a session over this link adds.
    pub(super) fn session(edge: &Edge<'_>) -> Self {
        Price { cost: edge.link.cost.into(), tunnels: 1 }
    }

    /// What dialling a forward's target over this link adds.
    pub(super) fn dial(edge: &Edge<'_>) -> Self {
        Price { cost: edge.link.cost.into(), tunnels: 0 }
    }
}

impl Add for Price {
    type Output = Price;

    fn add(self, more: Price) -> Price {
        Price { cost: self.cost + more.cost, tunnels: self.tunnels + more.tunnels }
    }
}

/// The cheapest chain of sessions from local to every host that one leads to.
pub(super) struct Reach {
    hosts: Vec<Option<Reached>>,
}

/// How one host is reached.
#[derive(Clone, Copy)]
pub(super) struct Reached {
    /// What the chain costs.
    pub(super) price: Price,
    /// Its last link and who dials it; `None` for local.
    pub(super) by: Option<(NodeIndex, EdgeIndex)>,
    /// Its place among the chains with as many tunnels, by the order of their links in the file.
    rank: usize,
}

/// Who dials a forward's target, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Way {
    /// The host whose session dials; local when no tunnel is needed.
    pub(super) dialler: NodeIndex,
    /// What it dials.
    pub(super) end: End,
}

impl Reach {
    /// Walks the links that sessions can go over.
    ///
    /// Prices come from Dijkstra. Among equally good chains the one whose links come first in the
    /// file wins; hosts are settled tunnel by tunnel so that comparing two chains is comparing the
    /// ranks of their last but one hosts.
    pub(super) fn new(graph: &Graph<'_>) -> Self {
        let sessions = EdgeFiltered::from_fn(&graph.net, |edge| edge.weight().ssh);
        let prices = dijkstra(&sessions, Graph::local(), None, |edge| Price::session(edge.weight()));

        let mut layers: BTreeMap<usize, Vec<NodeIndex>> = BTreeMap::new();
        for node in graph.net.node_indices() {
            if let Some(price) = prices.get(&node) {
                layers.entry(price.tunnels).or_default().push(node);
            }
        }
        let mut reach = Reach { hosts: vec![None; graph.net.node_count()] };
        for layer in layers.into_values() {
            let mut settled: Vec<_> = layer
                .into_iter()
                .map(|node| (reach.best_last_link(graph, node, prices[&node]), node))
                .collect();
            settled.sort_unstable_by_key(|(last, _)| last.map(|(rank, edge, _)| (rank, edge)));
            for (rank, (last, node)) in settled.into_iter().enumerate() {
                let by = last.map(|(_, edge, from)| (from, edge));
                reach.hosts[node.index()] = Some(Reached { price: prices[&node], by, rank });
            }
        }
        reach
    }

    /// Of the links that give a host its price, the one on the chain that the file names first.
    fn best_last_link(
        &self,
        graph: &Graph<'_>,
        node: NodeIndex,
        price: Price,
    ) -> Option<(usize, EdgeIndex, NodeIndex)> {
        let fits = graph.into(node).filter(|(_, _, edge)| edge.ssh);
        let ranked = fits.filter_map(|(from, id, edge)| {
            let before = self.host(from)?;
            (before.price + Price::session(edge) == price).then_some((before.rank, id, from))
        });
        ranked.min()
    }

    /// How a host is reached; `None` when no chain of sessions leads there.
    pub(super) fn host(&self, node: NodeIndex) -> Option<Reached> {
        self.hosts[node.index()]
    }

    /// The links of the chain of sessions from local to a reached host, outermost first.
    pub(super) fn links(&self, node: NodeIndex) -> Vec<EdgeIndex> {
        let mut links = Vec::new();
        let mut at = node;
        while let Some((from, link)) = self.host(at).and_then(|reached| reached.by) {
            links.push(link);
            at = from;
        }
        links.reverse();
        links
    }

    /// The target, or what stands for it when no host that sessions reach can dial its port, but a
    /// session on its host can be had: the same port, dialled there.
    pub(super) fn reachable(&self, graph: &Graph<'_>, target: &Target) -> Target {
        match own_port(graph, target) {
            Some(own) if self.way(graph, target).is_none() && self.way(graph, &own).is_some() => own,
            _ => target.clone(),
        }
    }

    /// The cheapest way to a forward's target; `None` when there is none.
    pub(super) fn way(&self, graph: &Graph<'_>, target: &Target) -> Option<Way> {
        let node = graph.node(target.host())?;
        match target {
            Target::Within { endpoint, .. } => {
                self.host(node).map(|_| Way { dialler: node, end: End::Within(endpoint.clone()) })
            }
            Target::Dialled { port, .. } => {
                let mut best = None;
                for (from, id, edge) in graph.into(node) {
                    let Some(reached) = self.host(from) else { continue };
                    let Price { cost, tunnels } = reached.price;
                    let key = (cost + u64::from(edge.link.cost), tunnels, reached.rank, id, from);
                    // Rules are judged last: most candidates lose on price alone.
                    if best.is_none_or(|best| key < best) && edge.passes(*port) {
                        best = Some(key);
                    }
                }
                best.map(|(_, _, _, id, from)| Way { dialler: from, end: End::Link(id, *port) })
            }
        }
    }
}
