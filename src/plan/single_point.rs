//! Single points of failure: the hosts that every way to a target passes.

use petgraph::algo::dominators::{Dominators, simple_fast};
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeFiltered;

use super::graph::Graph;
use crate::topology::{HostId, Target};

/// Answers, for any target of one topology, which hosts have no stand-in.
pub(super) struct SinglePoints<'g, 't> {
    graph: &'g Graph<'t>,
    dominators: Dominators<NodeIndex>,
}

impl<'g, 't> SinglePoints<'g, 't> {
    /// Looks at every link that a session can go over.
    pub(super) fn new(graph: &'g Graph<'t>) -> Self {
        let sessions = EdgeFiltered::from_fn(&graph.net, |edge| edge.weight().ssh);
        let dominators = simple_fast(&sessions, Graph::local());
        SinglePoints { graph, dominators }
    }

    /// The hosts that every way to this target passes, nearest first; neither local nor the target.
    pub(super) fn on_the_way_to(&self, target: &Target) -> Vec<HostId> {
        let Some(node) = self.graph.node(target.host()) else { return Vec::new() };
        let mut common: Option<Vec<NodeIndex>> = None;
        match target {
            Target::Within { .. } => common = self.chain(node),
            Target::Dialled { port, .. } => {
                for (from, _, edge) in self.graph.into(node) {
                    let Some(chain) = self.chain(from).filter(|_| edge.passes(*port)) else { continue };
                    let both = match common {
                        None => chain,
                        Some(before) => shared(&before, &chain),
                    };
                    let only_local = both.len() == 1;
                    common = Some(both);
                    if only_local {
                        break;
                    }
                }
            }
        }
        let inner = common.into_iter().flatten().filter(|&at| at != Graph::local() && at != node);
        inner.map(|at| self.graph.id(at)).collect()
    }

    /// What dominates a host, from local to itself; `None` when no session gets there.
    fn chain(&self, node: NodeIndex) -> Option<Vec<NodeIndex>> {
        let mut chain: Vec<NodeIndex> = self.dominators.dominators(node)?.collect();
        chain.reverse();
        Some(chain)
    }
}

/// The beginning that two chains of one dominator tree share.
fn shared(a: &[NodeIndex], b: &[NodeIndex]) -> Vec<NodeIndex> {
    a.iter().zip(b).take_while(|(a, b)| a == b).map(|(&a, _)| a).collect()
}
