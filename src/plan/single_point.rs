//! Single points of failure: the hosts that every way to a target passes.

use std::collections::HashSet;

use petgraph::algo::dominators::simple_fast;
use petgraph::graph::NodeIndex;
use petgraph::visit::{Dfs, EdgeFiltered, Walker};

use super::graph::Graph;
use super::planner::to_its_listener;
use crate::topology::{Forward, HostId, Target};

/// Answers, for any target of one topology, which hosts have no stand-in.
pub(super) struct SinglePoints<'g, 't> {
    graph: &'g Graph<'t>,
    /// By node: whether a session gets there, and the nearest host that every chain to it passes.
    gates: Vec<Option<NodeIndex>>,
}

impl<'g, 't> SinglePoints<'g, 't> {
    /// Looks at every link that a session can go over.
    pub(super) fn new(graph: &'g Graph<'t>) -> Self {
        let sessions = EdgeFiltered::from_fn(&graph.net, |edge| edge.weight().ssh);
        let dominators = simple_fast(&sessions, Graph::local());
        let mut gates = vec![None; graph.net.node_count()];
        for node in Dfs::new(&sessions, Graph::local()).iter(&sessions) {
            gates[node.index()] = Some(dominators.immediate_dominator(node).unwrap_or(node));
        }
        SinglePoints { graph, gates }
    }

    /// The hosts that a forward cannot do without: on every way to its target, then to where it listens.
    pub(super) fn of(&self, forward: &Forward) -> Vec<HostId> {
        let mut all = self.on_the_way_to(&forward.to);
        if let Some(on) = &forward.on {
            let within = to_its_listener(forward, on).to;
            let near = self.on_the_way_to(&within).into_iter().chain([on.clone()]);
            all.extend(near.filter(|host| host != forward.to.host()));
        }
        let mut seen = HashSet::new();
        all.retain(|host| seen.insert(host.clone()));
        all
    }

    /// The hosts that every way to this target passes, nearest first; neither local nor the target.
    pub(super) fn on_the_way_to(&self, target: &Target) -> Vec<HostId> {
        let Some(node) = self.graph.node(target.host()) else { return Vec::new() };
        let common = match target {
            Target::Within { .. } => self.chain(node),
            Target::Dialled { port, .. } => self.shared_by_diallers(node, *port),
        };
        let mut inner: Vec<_> = common.into_iter().filter(|&at| at != Graph::local() && at != node).collect();
        inner.reverse();
        inner.into_iter().map(|at| self.graph.id(at)).collect()
    }

    /// What every host that can dial this port of the target needs, the farthest first.
    fn shared_by_diallers(&self, node: NodeIndex, port: u16) -> Vec<NodeIndex> {
        let mut common: Option<Vec<NodeIndex>> = None;
        // A gate seen once is not climbed again: what lies below it is shared already.
        let mut climbed = HashSet::new();
        let diallers = self.graph.into(node).filter(|(_, _, edge)| edge.passes(port)).map(|(from, ..)| from);
        // Were none of them left, the host would dial its port for itself.
        for from in diallers.chain([node]).filter(|from| self.gates[from.index()].is_some()) {
            let Some(shared) = &mut common else {
                let chain = self.chain(from);
                climbed.extend(chain.iter().copied());
                common = Some(chain);
                continue;
            };
            let mut at = from;
            while climbed.insert(at) {
                at = self.gates[at.index()].unwrap_or(at);
            }
            // Only what the first chain has from here down to local is shared with this one too.
            if let Some(place) = shared.iter().position(|&gate| gate == at) {
                shared.drain(..place);
            }
            if shared.len() == 1 {
                break;
            }
        }
        common.unwrap_or_default()
    }

    /// What every chain to a host passes, from itself back to local; empty when no session gets there.
    fn chain(&self, node: NodeIndex) -> Vec<NodeIndex> {
        let mut chain = Vec::new();
        let mut at = node;
        while let Some(gate) = self.gates[at.index()] {
            chain.push(at);
            if gate == at {
                break;
            }
            at = gate;
        }
        chain
    }
}
