//! Telescoped placement: SSH clients on hosts in between, so that each tunnel gains a hop at both ends.
//!
//! The innermost tunnel's client sits somewhere in the middle of the route. Every further tunnel's client
//! is one host nearer to local, where it dials the listener of the tunnel before, and its server one host
//! farther on. So a route is a walk of *steps*, from local over links that let a listener's port through
//! to the innermost client, and a walk of *sessions* from there. With *k* steps it takes at least *k* + 1
//! tunnels, or *k* when local itself may connect to the outermost listener by plain TCP.

use std::collections::{BTreeMap, HashMap, HashSet};

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
}

/// A host where the innermost client can sit, and the cheapest walk of so many steps to it.
struct Rung {
    node: NodeIndex,
    cost: u64,
    /// The place of the rung before, and the link from there; `None` for local.
    by: Option<(usize, EdgeIndex)>,
}

/// The cheapest walk of sessions from a host to the end of a forward.
#[derive(Clone)]
struct Rest {
    cost: u64,
    /// The link of its first session and where that leads; the last server has none.
    next: Option<(EdgeIndex, NodeIndex)>,
    /// What the last server dials.
    end: End,
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
                return Telescope { graph, rungs };
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
        let mut rests = self.ends(target)?;
        // Walks of sessions, the shortest first; by number of sessions, then by host.
        let mut walks: Vec<HashMap<NodeIndex, Rest>> = Vec::new();
        let mut done: HashSet<NodeIndex> = HashSet::new();
        loop {
            let tunnels = walks.len();
            if let Some((steps, cost, rung)) = self.best_start(&rests, tunnels, plain) {
                walks.push(rests);
                let course = self.assemble(&walks, steps, rung, plain);
                // A walk with local clients only that is as good needs nobody else's help.
                let as_good = nested.filter(|nested| {
                    nested.sessions.len() == tunnels && steps == 0 && nested.cost(self.graph) <= cost
                });
                return Some(as_good.cloned().unwrap_or(course));
            }
            // From here on every client is allowed already: a longer walk from the same host is no use.
            if tunnels > self.rungs.len() {
                done.extend(rests.keys().copied());
            }
            let mut longer: HashMap<NodeIndex, Rest> = HashMap::new();
            for (&node, rest) in &rests {
                for (from, edge, link) in self.graph.into(node).filter(|(_, _, link)| link.ssh) {
                    let cost = rest.cost + u64::from(link.link.cost);
                    let better = longer.get(&from).is_none_or(|known| {
                        (cost, Some(edge)) < (known.cost, known.next.map(|(edge, _)| edge))
                    });
                    if better && !done.contains(&from) {
                        let end = rest.end.clone();
                        longer.insert(from, Rest { cost, next: Some((edge, node)), end });
                    }
                }
            }
            if longer.is_empty() {
                return None;
            }
            walks.push(rests);
            rests = longer;
        }
    }

    /// The hosts that can dial the target, with what that costs.
    fn ends(&self, target: &Target) -> Option<HashMap<NodeIndex, Rest>> {
        let node = self.graph.node(target.host())?;
        let mut ends: HashMap<NodeIndex, Rest> = HashMap::new();
        match target {
            Target::Within { endpoint, .. } => {
                ends.insert(node, Rest { cost: 0, next: None, end: End::Within(endpoint.clone()) });
            }
            Target::Dialled { port, .. } => {
                for (from, edge, link) in self.graph.into(node).filter(|(_, _, link)| link.passes(*port)) {
                    let rest = Rest { cost: link.link.cost.into(), next: None, end: End::Link(edge, *port) };
                    let dearer = |known: &Rest| match known.end {
                        End::Link(other, _) => (rest.cost, edge) < (known.cost, other),
                        End::Within(_) => true,
                    };
                    if ends.get(&from).is_none_or(dearer) {
                        ends.insert(from, rest);
                    }
                }
            }
        }
        Some(ends)
    }

    /// The best rung to start as many tunnels from: its steps, the cost of all, its place.
    fn best_start(
        &self,
        rests: &HashMap<NodeIndex, Rest>,
        tunnels: usize,
        plain: bool,
    ) -> Option<(usize, u64, usize)> {
        let most = if plain { tunnels } else { tunnels.saturating_sub(1) };
        let mut best: Option<(u64, usize, usize)> = None;
        for (steps, layer) in self.rungs.iter().enumerate().take(most + 1) {
            for (place, rung) in layer.iter().enumerate() {
                let Some(rest) = rests.get(&rung.node) else { continue };
                let candidate = (rung.cost + rest.cost, steps, place);
                if best.is_none_or(|best| candidate < best) {
                    best = Some(candidate);
                }
            }
        }
        best.map(|(cost, steps, place)| (steps, cost, place))
    }

    /// The course that starts at this rung and takes the last of these walks.
    fn assemble(&self, walks: &[HashMap<NodeIndex, Rest>], steps: usize, rung: usize, plain: bool) -> Course {
        let start = &self.rungs[steps][rung];
        let mut sessions = Vec::new();
        let mut at = start.node;
        let end = walks[walks.len() - 1][&at].end.clone();
        for walk in walks.iter().rev() {
            if let Some((edge, to)) = walk[&at].next {
                sessions.push(edge);
                at = to;
            }
        }
        let mut links = Vec::new();
        let (mut layer, mut place) = (steps, rung);
        while let Some((before, edge)) = self.rungs[layer][place].by {
            links.push(edge);
            (layer, place) = (layer - 1, before);
        }
        links.reverse();
        let plain = plain && steps == sessions.len() && steps > 0;
        Course { steps: links, sessions, plain, end }
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
mod tests {
    use crate::plan::fixture::{line, vnc};
    use crate::plan::{Carrier, Plan, PlanOptions, plan};
    use crate::topology::{Endpoint, Plain, Strategy, Topology};

    fn telescoped(topology: &Topology) -> Plan {
        let options = PlanOptions { strategy: Some(Strategy::Telescoped), ..PlanOptions::default() };
        plan(topology, &options).unwrap()
    }

    #[test]
    fn the_picture_of_the_source_document_takes_two_tunnels() {
        let plan = telescoped(&vnc().with_clients_everywhere());
        // T1 is the session to gate-b, over which its ssh is started.
        let tunnel = |n: usize| &plan.tunnels[n];
        assert!(plan.is_control(&tunnel(0).id) && tunnel(0).client.is_local());
        let (inner, outer) = (tunnel(1), tunnel(2));
        assert_eq!((inner.client.name(), inner.server.id.as_str()), ("gate-b", "gate-c"));
        assert_eq!((inner.client.control(), inner.through.as_ref()), (Some(&tunnel(0).id), None));
        assert_eq!((outer.client.name(), outer.server.id.as_str()), ("local", "gate-d"));
        assert_eq!(outer.through.as_ref(), Some(&inner.id));
        assert!(
            matches!(&outer.carrier, Some(Carrier::Entry(entry)) if entry.dial.to_string() == "gate-b:2201")
        );
        assert_eq!(plan.kept_by(&inner.id)[0].1.to_string(), "gate-d:22");
        assert_eq!(plan.forwards[0].tunnels, [inner.id.clone(), outer.id.clone()]);
        assert_eq!((plan.hops(), plan.longest(), plan.reach()), (4, 2, 5));
    }

    #[test]
    fn each_telescoped_tunnel_gains_a_hop_at_both_ends() {
        for hops in 1..=12_usize {
            let mut topology = line(hops).with_clients_everywhere();
            let protected = if hops == 1 { 0 } else { hops.div_ceil(2) };
            assert_eq!((telescoped(&topology).longest(), telescoped(&topology).hops()), (protected, hops));
            topology.forwards[0].plain = Plain::Ends;
            let plan = telescoped(&topology);
            assert_eq!((plan.longest(), plan.hops()), ((hops - 1).div_ceil(2), hops));
            assert!(plan.reach() >= hops);
        }
    }

    #[test]
    fn without_hosts_that_may_run_clients_both_strategies_are_one() {
        for hops in 1..=6 {
            let nested = plan(&line(hops), &PlanOptions::default()).unwrap();
            let mut plan = telescoped(&line(hops));
            plan.strategy = Strategy::Nested;
            assert_eq!(plan, nested);
        }
    }

    #[test]
    fn listeners_on_one_host_have_ports_of_their_own() {
        let topology = vnc().forward_to("other", "screen", 5900).with_clients_everywhere();
        let mut topology = topology.forward_within("own", "gate-c", Endpoint::Unix("/run/x".to_owned()));
        topology.forwards.iter_mut().for_each(|forward| forward.plain = Plain::Ends);
        let plan = telescoped(&topology);
        let carriers = plan.tunnels.iter().filter_map(|tunnel| match &tunnel.carrier {
            Some(Carrier::Entry(entry)) => Some(entry.to_string()),
            _ => None,
        });
        let entries = plan.forwards.iter().filter_map(|planned| Some(planned.entry.as_ref()?.to_string()));
        let all: Vec<_> = carriers.chain(entries).collect();
        let apart: std::collections::BTreeSet<_> = all.iter().collect();
        assert!(all.len() > 1 && all.len() == apart.len(), "{all:?}");
    }
}
