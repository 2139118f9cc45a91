//! Telescoped placement: SSH clients on hosts in between, so that each tunnel gains a hop at both ends.
//!
//! The innermost tunnel's client sits somewhere in the middle of the route. Every further tunnel's client
//! is one host nearer to local, where it dials the listener of the tunnel before, and its server one host
//! farther on. So a route is a walk of *steps*, from local over links that let a listener's port through
//! to the innermost client, and a walk of *sessions* from there. With *k* steps it takes at least *k* + 1
//! tunnels, or *k* when local itself may connect to the outermost listener by plain TCP.
//!
//! Walks of sessions are found for all forwards at once, tunnel by tunnel: of all walks with as many
//! sessions to one host only the cheapest is kept.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use petgraph::graph::{EdgeIndex, NodeIndex};

use super::course::{Course, End, own_port};
use super::graph::Graph;
use super::reach::Reach;
use crate::topology::{Bind, HostClient, Target};

/// Finds telescoped courses in one topology.
pub(super) struct Telescope<'g, 't> {
    graph: &'g Graph<'t>,
    /// Where clients can sit, by the number of steps from local.
    rungs: Vec<Vec<Rung>>,
    fronts: RefCell<Fronts>,
}

/// A host where the innermost client can sit, and the cheapest walk of so many steps to it.
struct Rung {
    node: NodeIndex,
    cost: u64,
    /// The place of the rung before, and the link from there; `None` for local.
    by: Option<(usize, EdgeIndex)>,
}

/// A walk of sessions from a rung.
struct Walk {
    /// What it costs, the steps to the rung included.
    cost: u64,
    /// The rung it starts at: its steps, its place among those with as many.
    start: (usize, usize),
    /// Its last link, and the walk before that.
    last: Option<(EdgeIndex, Rc<Walk>)>,
}

/// The best of two walks is the lesser: cheaper, then with fewer steps, then by the links in the file.
type Rank = (u64, (usize, usize), Option<EdgeIndex>);

/// The best walk of as many sessions to each host.
type Front = HashMap<NodeIndex, Rc<Walk>>;

/// The fronts found so far, by number of sessions.
#[derive(Default)]
struct Fronts {
    /// Of walks with more sessions than steps.
    protected: Vec<Front>,
    /// Of walks with at least as many.
    plain: Vec<Front>,
    /// Hosts that later walks need not come by: all rungs are allowed, and a shorter walk got there.
    done: [HashSet<NodeIndex>; 2],
}

impl Walk {
    fn rank(&self) -> Rank {
        (self.cost, self.start, self.last.as_ref().map(|(edge, _)| *edge))
    }

    fn links(&self) -> Vec<EdgeIndex> {
        let mut links = Vec::new();
        let mut at = self;
        while let Some((edge, before)) = &at.last {
            links.push(*edge);
            at = before;
        }
        links.reverse();
        links
    }
}

impl<'g, 't> Telescope<'g, 't> {
    pub(super) fn new(graph: &'g Graph<'t>, reach: &Reach) -> Self {
        let mut rungs = vec![vec![Rung { node: Graph::local(), cost: 0, by: None }]];
        // More steps never help a host that fewer steps reach as cheaply.
        let mut cheapest: HashMap<NodeIndex, u64> = HashMap::from([(Graph::local(), 0)]);
        loop {
            let before = &rungs[rungs.len() - 1];
            let mut next: BTreeMap<(usize, EdgeIndex), (NodeIndex, u64)> = BTreeMap::new();
            let mut best: HashMap<NodeIndex, (u64, usize, EdgeIndex)> = HashMap::new();
            for (place, rung) in before.iter().enumerate() {
                for (to, edge, link) in graph.out_of(rung.node) {
                    let cost = rung.cost + u64::from(link.link.cost);
                    if cheapest.get(&to).is_some_and(|&known| known <= cost) {
                        continue;
                    }
                    let candidate = (cost, place, edge);
                    if best.get(&to).is_some_and(|&known| known <= candidate) {
                        continue;
                    }
                    if may_listen(graph, reach, to) && link.entry_port(&HashSet::new()).is_some() {
                        best.insert(to, candidate);
                    }
                }
            }
            for (node, (cost, place, edge)) in best {
                cheapest.insert(node, cost);
                next.insert((place, edge), (node, cost));
            }
            if next.is_empty() {
                return Telescope { graph, rungs, fronts: RefCell::default() };
            }
            // In the order of their links in the file, walk by walk.
            rungs
                .push(next.into_iter().map(|(by, (node, cost))| Rung { node, cost, by: Some(by) }).collect());
        }
    }

    /// The course with the fewest tunnels, the cheapest of those, and of those the one with the fewest
    /// clients away from local. `nested` is the best one with every client at local.
    pub(super) fn course(&self, target: &Target, plain: bool, nested: Option<Course>) -> Option<Course> {
        let fewest = self.fewest(target, plain, nested.as_ref());
        // When nobody can dial the port, the host may dial it for itself.
        let into = || own_port(self.graph, target).and_then(|own| self.fewest(&own, plain, nested.as_ref()));
        fewest.or_else(into).or(nested)
    }

    fn fewest(&self, target: &Target, plain: bool, nested: Option<&Course>) -> Option<Course> {
        let mut fronts = self.fronts.borrow_mut();
        for tunnels in 0.. {
            if fronts.protected.len() == tunnels {
                self.extend(&mut fronts);
            }
            let front = if plain { &fronts.plain[tunnels] } else { &fronts.protected[tunnels] };
            if let Some((cost, walk, end)) = self.best_end(front, target) {
                let as_good = nested.filter(|nested| {
                    nested.sessions.len() == tunnels && walk.start.0 == 0 && nested.cost(self.graph) <= cost
                });
                return Some(as_good.cloned().unwrap_or_else(|| self.assemble(walk, end, plain)));
            }
            // A walk of more steps may begin with more sessions, where one of fewer steps went nowhere.
            let begun = tunnels >= self.rungs.len();
            if begun && fronts.protected[tunnels].is_empty() && fronts.plain[tunnels].is_empty() {
                return None;
            }
        }
        None
    }

    /// The best way from a front to the target, and what it costs in all.
    fn best_end<'f>(&self, front: &'f Front, target: &Target) -> Option<(u64, &'f Rc<Walk>, End)> {
        let node = self.graph.node(target.host())?;
        match target {
            Target::Within { endpoint, .. } => {
                front.get(&node).map(|walk| (walk.cost, walk, End::Within(endpoint.clone())))
            }
            Target::Dialled { port, .. } => {
                let diallers = self.graph.into(node).filter_map(|(from, edge, link)| {
                    let walk = front.get(&from)?;
                    Some(((walk.cost + u64::from(link.link.cost), walk.start, edge), walk, link))
                });
                let open = diallers.filter(|(_, _, link)| link.passes(*port));
                let best = open.min_by_key(|(rank, ..)| *rank);
                best.map(|((cost, _, edge), walk, _)| (cost, walk, End::Link(edge, *port)))
            }
        }
    }

    /// Finds the walks with one session more.
    fn extend(&self, fronts: &mut Fronts) {
        let sessions = fronts.protected.len();
        let (protected, plain) = if sessions == 0 {
            (self.started(0), self.started(0))
        } else {
            let [done_protected, done_plain] = &fronts.done;
            let mut from = fronts.protected[sessions - 1].clone();
            merge(&mut from, self.walked(sessions - 1));
            let protected = self.advance(&from, done_protected);
            let mut plain = self.advance(&fronts.plain[sessions - 1], done_plain);
            merge(&mut plain, self.walked(sessions));
            (protected, plain)
        };
        if sessions >= self.rungs.len() {
            fronts.done[0].extend(protected.keys());
            fronts.done[1].extend(plain.keys());
        }
        fronts.protected.push(protected);
        fronts.plain.push(plain);
    }

    /// The hosts at the end of so many steps.
    fn started(&self, steps: usize) -> Front {
        let rungs = self.rungs.get(steps).map_or(&[][..], Vec::as_slice).iter().enumerate();
        rungs
            .map(|(place, rung)| {
                (rung.node, Rc::new(Walk { cost: rung.cost, start: (steps, place), last: None }))
            })
            .collect()
    }

    /// The walks of as many sessions as steps.
    fn walked(&self, steps: usize) -> Front {
        let nowhere = HashSet::new();
        (0..steps).fold(self.started(steps), |front, _| self.advance(&front, &nowhere))
    }

    /// Every walk one session longer, but not to hosts where that is of no use.
    fn advance(&self, front: &Front, done: &HashSet<NodeIndex>) -> Front {
        let mut next: HashMap<NodeIndex, (Rank, &Rc<Walk>)> = HashMap::new();
        for (&node, walk) in front {
            for (to, edge, link) in
                self.graph.out_of(node).filter(|(to, _, link)| link.ssh && !done.contains(to))
            {
                let rank = (walk.cost + u64::from(link.link.cost), walk.start, Some(edge));
                if next.get(&to).is_none_or(|(known, _)| rank < *known) {
                    next.insert(to, (rank, walk));
                }
            }
        }
        let longer = next.into_iter().map(|(to, ((cost, start, edge), before))| {
            let last = edge.map(|edge| (edge, before.clone()));
            (to, Rc::new(Walk { cost, start, last }))
        });
        longer.collect()
    }

    /// The course that takes this walk.
    fn assemble(&self, walk: &Walk, end: End, plain: bool) -> Course {
        let (steps, mut place) = walk.start;
        let sessions = walk.links();
        let mut links = Vec::with_capacity(steps);
        let mut layer = steps;
        while let Some((before, edge)) = self.rungs[layer][place].by {
            links.push(edge);
            (layer, place) = (layer - 1, before);
        }
        links.reverse();
        let plain = plain && steps == sessions.len() && steps > 0;
        Course { steps: links, sessions, plain, end }
    }
}

/// Keeps the better of two walks to each host.
fn merge(front: &mut Front, other: Front) {
    for (node, walk) in other {
        let known = front.entry(node).or_insert_with(|| walk.clone());
        if walk.rank() < known.rank() {
            *known = walk;
        }
    }
}

/// Whether a tunnel's client can run on this host and be connected to from the host before it.
fn may_listen(graph: &Graph<'_>, reach: &Reach, node: NodeIndex) -> bool {
    graph.net[node].is_some_and(|host| {
        host.bind == Bind::Any
            && match host.client {
                Some(HostClient::Hopper) => true,
                // It is started over a session to that host.
                Some(HostClient::Exec) => reach.host(node).is_some(),
                None => false,
            }
    })
}

#[cfg(test)]
#[path = "telescope_tests.rs"]
mod tests;
