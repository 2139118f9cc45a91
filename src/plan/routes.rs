//! The next best routes to one target, and the best one that avoids given hosts.
//!
//! Yen's way: every runner-up leaves a better route at one of its hosts, takes another link there, and goes
//! on as cheaply as it can without coming back. So it takes a few searches for each host of a route, however
//! many routes there are. What that may cost is bounded; a search that was cut says so.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

use petgraph::graph::{EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::plan::course::End;
use crate::plan::graph::Graph;
use crate::plan::reach::{Price, Reach};
use crate::topology::{HostId, Target};

/// How many links are looked at for one target, and for all together.
const LOOKS: usize = 500_000;
pub(super) const ALL_LOOKS: usize = 4_000_000;

/// One link of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Step {
    /// The link.
    pub(super) edge: EdgeIndex,
    /// Whether a session goes over it; the target's own port is dialled otherwise.
    pub(super) session: bool,
}

/// A route; the better of two is the lesser: by price, then by the order of links in the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Path {
    pub(super) price: Price,
    pub(super) steps: Vec<Step>,
}

/// Looks for routes to one target.
pub(super) struct Routes<'g, 't> {
    graph: &'g Graph<'t>,
    node: NodeIndex,
    /// The port that is dialled from the host before; `None` when a session goes into the target.
    port: Option<u16>,
    /// A link that no route may take.
    shut: Option<EdgeIndex>,
    looks: usize,
    /// How many links may be looked at.
    most: usize,
}

impl<'g, 't> Routes<'g, 't> {
    /// `left` are the looks that all targets together have left. `None` when the topology does not have the
    /// target's host.
    pub(super) fn new(graph: &'g Graph<'t>, target: &Target, left: usize) -> Option<Self> {
        let port = match target {
            Target::Dialled { port, .. } => Some(*port),
            Target::Within { .. } => None,
        };
        Some(Routes {
            graph,
            node: graph.node(target.host())?,
            port,
            shut: None,
            looks: 0,
            most: LOOKS.min(left),
        })
    }

    /// How many links were looked at.
    pub(super) fn looks(&self) -> usize {
        self.looks
    }

    /// Whether the search became too long: better routes than those found may exist.
    pub(super) fn is_cut(&self) -> bool {
        self.looks > self.most
    }

    /// The route that the planner takes.
    pub(super) fn chosen(&self, reach: &Reach, target: &Target) -> Option<Path> {
        let way = reach.way(self.graph, target)?;
        let sessions = reach.links(way.dialler).into_iter().map(|edge| Step { edge, session: true });
        let mut steps: Vec<Step> = sessions.collect();
        if let End::Link(edge, _) = way.end {
            steps.push(Step { edge, session: false });
        }
        Some(self.path(steps))
    }

    /// The best routes after this one, best first.
    pub(super) fn after(&mut self, chosen: &Path, most: usize) -> Vec<Path> {
        let mut found = vec![chosen.clone()];
        let mut candidates = BTreeSet::new();
        while found.len() <= most {
            self.leave(&found, &mut candidates);
            // What two routes lead to is found twice.
            let Some(next) = candidates.pop_first() else { break };
            found.push(next);
        }
        found.remove(0);
        found
    }

    /// The best route that passes none of the hosts between local and the target that this one passes.
    pub(super) fn apart(&mut self, chosen: &Path) -> Option<Path> {
        let mut banned = vec![false; self.graph.net.node_count()];
        for step in &chosen.steps {
            banned[self.head(*step).index()] = true;
        }
        banned[self.node.index()] = false;
        // A route without hosts in between still has to be another one.
        let direct = chosen.steps.iter().all(|step| self.head(*step) == self.node);
        let not = if direct { &chosen.steps[..chosen.steps.len().min(1)] } else { &[] };
        self.best(Graph::local(), &banned, not).map(|steps| self.path(steps))
    }

    /// The best route that passes none of these hosts and does not begin with any of these links when it
    /// passes no host at all.
    pub(super) fn without(&mut self, hosts: &[&HostId], links: &[usize]) -> Option<Path> {
        let mut banned = vec![false; self.graph.net.node_count()];
        for node in hosts.iter().filter_map(|host| self.graph.node(host)) {
            banned[node.index()] = true;
        }
        let first: Vec<Step> = if hosts.is_empty() {
            let steps = self.steps_from(Graph::local());
            steps.filter(|step| links.contains(&self.graph.net[step.edge].place)).collect()
        } else {
            Vec::new()
        };
        self.best(Graph::local(), &banned, &first).map(|steps| self.path(steps))
    }

    /// The best route that does not take this link.
    pub(super) fn without_link(&mut self, link: EdgeIndex) -> Option<Path> {
        self.shut = Some(link);
        let found = self.best(Graph::local(), &vec![false; self.graph.net.node_count()], &[]);
        let found = found.map(|steps| self.path(steps));
        self.shut = None;
        found
    }

    /// Every best way to leave the last route found that no earlier one has taken.
    fn leave(&mut self, found: &[Path], candidates: &mut BTreeSet<Path>) {
        let Some(last) = found.last() else { return };
        let mut banned = vec![false; self.graph.net.node_count()];
        let mut alike: Vec<&Path> = found.iter().collect();
        let mut start = Graph::local();
        for (place, step) in last.steps.iter().enumerate() {
            let mut taken: Vec<Step> =
                alike.iter().filter_map(|path| path.steps.get(place).copied()).collect();
            taken.sort_unstable();
            taken.dedup();
            if self.steps_from(start).any(|step| !taken.contains(&step))
                && let Some(rest) = self.best(start, &banned, &taken)
            {
                let steps = last.steps[..place].iter().copied().chain(rest).collect();
                candidates.insert(self.path(steps));
            }
            if self.is_cut() {
                return;
            }
            alike.retain(|path| path.steps.get(place) == Some(step));
            banned[start.index()] = true;
            start = self.head(*step);
        }
    }

    /// The best way on from a host, without the banned hosts, and with none of these as its first step.
    fn best(&mut self, start: NodeIndex, banned: &[bool], not: &[Step]) -> Option<Vec<Step>> {
        if self.port.is_none() && start == self.node {
            return None;
        }
        let shut = self.shut;
        let open = |from: NodeIndex, step: Step| {
            !banned[from.index()] && (from != start || !not.contains(&step)) && Some(step.edge) != shut
        };
        let mut heap = BinaryHeap::new();
        match self.port {
            None if !banned[self.node.index()] => heap.push(Reverse((Price::default(), self.node))),
            None => return None,
            Some(port) => {
                self.looks += self.graph.into(self.node).count();
                let dials = self.graph.into(self.node).filter(|(_, _, edge)| edge.passes(port));
                let dials = dials.filter(|&(from, edge, _)| open(from, Step { edge, session: false }));
                heap.extend(dials.map(|(from, _, edge)| Reverse((Price::dial(edge), from))));
            }
        }
        // From the target backwards, until the start has its price: then so has everything cheaper.
        let mut prices: HashMap<NodeIndex, Price> = HashMap::new();
        while let Some(Reverse((price, node))) = heap.pop() {
            if prices.contains_key(&node) {
                continue;
            }
            prices.insert(node, price);
            if node == start {
                return Some(self.walk(start, &prices, not));
            }
            for (from, id, edge) in self.graph.into(node) {
                self.looks += 1;
                let step = Step { edge: id, session: true };
                if edge.ssh && !prices.contains_key(&from) && open(from, step) {
                    heap.push(Reverse((price + Price::session(edge), from)));
                }
            }
            if self.is_cut() {
                return None;
            }
        }
        None
    }

    /// The steps that keep to the prices. Of equally good ones the link that the file names first.
    fn walk(&self, start: NodeIndex, prices: &HashMap<NodeIndex, Price>, not: &[Step]) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        let mut at = start;
        while self.port.is_some() || at != self.node {
            let fits = self.steps_from(at).filter(|step| {
                let rest = prices.get(&self.head(*step)).filter(|_| step.session);
                let rest = if step.session { rest.copied() } else { Some(Price::default()) };
                (at != start || !not.contains(step))
                    && rest.is_some_and(|rest| self.price(*step) + rest == prices[&at])
            });
            let Some(step) = fits.min() else { break };
            steps.push(step);
            at = self.head(step);
            if !step.session {
                break;
            }
        }
        steps
    }

    /// Every step that can be taken from a host.
    fn steps_from(&self, node: NodeIndex) -> impl Iterator<Item = Step> {
        let edges = self.graph.net.edges(node).filter(|edge| Some(edge.id()) != self.shut);
        edges.flat_map(move |edge| {
            let dials =
                edge.target() == self.node && self.port.is_some_and(|port| edge.weight().passes(port));
            let session = edge.weight().ssh.then_some(Step { edge: edge.id(), session: true });
            session.into_iter().chain(dials.then_some(Step { edge: edge.id(), session: false }))
        })
    }

    /// The host that a step leads to.
    fn head(&self, step: Step) -> NodeIndex {
        self.graph.net.edge_endpoints(step.edge).map_or(self.node, |(_, to)| to)
    }

    fn price(&self, step: Step) -> Price {
        let edge = &self.graph.net[step.edge];
        if step.session { Price::session(edge) } else { Price::dial(edge) }
    }

    fn path(&self, steps: Vec<Step>) -> Path {
        let price = steps.iter().fold(Price::default(), |price, step| price + self.price(*step));
        Path { price, steps }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::fixture::empty;

    #[test]
    fn a_search_that_is_too_long_is_cut_and_says_so() {
        let mut topology = empty("cut").with_target("web").forward_to("web", "web", 80);
        for host in ["a", "b"] {
            topology = topology.with_host(host).with_link("local", host).with_link(host, "web");
        }
        let (graph, target) = (Graph::new(&topology), &topology.forwards[0].to);
        let mut routes = Routes::new(&graph, target, LOOKS).unwrap();
        let chosen = routes.chosen(&Reach::new(&graph), target).unwrap();
        assert_eq!((routes.after(&chosen, 3).len(), routes.is_cut()), (1, false));
        routes.most = 0;
        assert_eq!((routes.after(&chosen, 3).len(), routes.is_cut()), (0, true));
    }
}
