//! The smallest opening where SSH clients may run on hosts in between: a listener's port may have to open
//! as well as a server's.

use std::cell::OnceCell;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashSet};

use petgraph::graph::{EdgeIndex, NodeIndex};

use super::course::own_port;
use super::graph::{Edge, Graph};
use super::opening::{Effort, closed_on_the_way};
use crate::topology::{Bind, Forward, HostClient, HostId, Plain, Target};

/// Routes that begin with more listeners than this are not looked at.
const STEPS: usize = 16;

/// A closed link, and the port that would have to open on it.
pub(super) type Closed = (EdgeIndex, u16);

/// A host on a walk from local: whether sessions have begun, and how many more it takes until as many
/// tunnels stand as the listeners before need.
type State = (NodeIndex, bool, usize);

/// The walk with the fewest openings to each state: what it takes, and its last link, with the ports
/// that are closed there.
type Walks = BTreeMap<State, (Effort, Option<(State, Vec<Closed>)>)>;

/// Searches one topology.
pub(super) struct Openings<'g, 't> {
    graph: &'g Graph<'t>,
    /// What it takes to get a session of local to each host.
    logins: Vec<Option<Effort>>,
    /// With the first hop protected, and plain.
    walks: [OnceCell<Walks>; 2],
}

impl<'g, 't> Openings<'g, 't> {
    pub(super) fn new(graph: &'g Graph<'t>, logins: Vec<Option<Effort>>) -> Self {
        Openings { graph, logins, walks: [OnceCell::new(), OnceCell::new()] }
    }

    /// Whether any host may run a client: both strategies are one otherwise.
    pub(super) fn matter(&self) -> bool {
        self.graph.net.node_weights().flatten().any(|host| host.client.is_some() && host.bind == Bind::Any)
    }

    /// The fewest closed ports that keep this forward from having a route, nearest first; `None` when no
    /// opening gives it one.
    pub(super) fn smallest(&self, forward: &Forward) -> Option<Vec<Closed>> {
        let walks = self.walks(forward.plain == Plain::Ends);
        let node = self.graph.node(forward.to.host())?;
        let inside =
            |at: NodeIndex| walks.get(&(at, true, 0)).map(|(effort, _)| (*effort, (at, true, 0), None));
        let ends = match &forward.to {
            Target::Within { .. } => inside(node).into_iter().collect(),
            Target::Dialled { port, .. } => {
                let own = own_port(self.graph, &forward.to).and_then(|_| inside(node));
                let dialled = self.graph.into(node).flat_map(|(from, id, edge)| {
                    let open = edge.passes(*port);
                    let ready = [(from, true, 0), (from, false, 0)].into_iter();
                    ready.filter_map(move |state| {
                        let (effort, _) = walks.get(&state)?;
                        Some((*effort + Effort::of(edge, open), state, (!open).then_some((id, *port))))
                    })
                });
                dialled.chain(own).collect::<Vec<_>>()
            }
        };
        let (_, mut at, last) = ends.into_iter().min()?;
        let mut closed: Vec<Closed> = last.into_iter().collect();
        while let Some((_, Some((before, shut)))) = walks.get(&at) {
            closed.extend(shut);
            at = *before;
        }
        closed.reverse();
        let mut known = HashSet::new();
        closed.retain(|one| known.insert(*one));
        Some(closed)
    }

    /// The hosts that tunnels get to as things are, nearest first.
    pub(super) fn reached(&self) -> Vec<HostId> {
        let mut found: Vec<(Effort, NodeIndex)> = Vec::new();
        for ((node, sessions, missing), (effort, _)) in self.walks(true) {
            if *sessions && *missing == 0 && effort.openings == 0 {
                found.push((*effort, *node));
            }
        }
        found.sort_unstable_by_key(|(effort, node)| (effort.hops, *node));
        found.into_iter().map(|(_, node)| self.graph.id(node)).collect()
    }

    fn walks(&self, plain: bool) -> &Walks {
        self.walks[usize::from(plain)].get_or_init(|| self.walk(plain))
    }

    /// What is closed on the way of the session that starts a client on this host; `None` when it can have
    /// none that its neighbours reach.
    fn started(&self, node: NodeIndex) -> Option<Vec<Closed>> {
        let host = self.graph.net[node].filter(|host| host.bind == Bind::Any)?;
        match host.client? {
            HostClient::Hopper => Some(Vec::new()),
            HostClient::Exec => {
                self.logins[node.index()].map(|_| closed_on_the_way(self.graph, &self.logins, node))
            }
        }
    }

    fn walk(&self, plain: bool) -> Walks {
        let mut walks = Walks::new();
        let mut heap = BinaryHeap::from([Reverse((Effort::default(), (Graph::local(), false, 0), None))]);
        while let Some(Reverse((effort, state, by))) = heap.pop() {
            if walks.contains_key(&state) {
                continue;
            }
            walks.insert(state, (effort, by));
            let (node, sessions, missing) = state;
            for (to, id, edge) in self.graph.out_of(node) {
                if !sessions
                    && missing < STEPS
                    && let Some(mut shut) = self.started(to)
                {
                    let open = edge.entry_port(&HashSet::new()).is_some();
                    let mut effort = effort + Effort::of(edge, open);
                    effort.openings += shut.len();
                    if !open {
                        shut.push((id, would_listen(edge)));
                    }
                    heap.push(Reverse((effort, (to, false, missing + 1), Some((state, shut)))));
                }
                if edge.server.ssh {
                    // The first session begins at the innermost client; one more protects the first hop.
                    let needed = missing + usize::from(!sessions && !plain && missing > 0);
                    let next = (to, true, needed.saturating_sub(1));
                    let shut = (!edge.ssh).then_some((id, edge.ssh_port)).into_iter().collect();
                    heap.push(Reverse((effort + Effort::of(edge, edge.ssh), next, Some((state, shut)))));
                }
            }
        }
        walks
    }
}

/// The port that a listener would have if it could.
fn would_listen(edge: &Edge<'_>) -> u16 {
    const PORTS: [u16; 2] = [2201, 2202];
    if edge.server.address.port == PORTS[0] { PORTS[1] } else { PORTS[0] }
}
