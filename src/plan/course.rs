//! A course: the way of one forward with every decision made, before any tunnel is written down.

use petgraph::graph::{EdgeIndex, NodeIndex};

use super::graph::Graph;
use super::reach::{Reach, Way};
use super::telescope::Telescope;
use crate::topology::{Address, Endpoint, Forward, Plain, Strategy, Target};

/// The way of one forward: which links SSH clients are reached over, and which links sessions take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Course {
    /// The links from local to the innermost client, outermost first; none when every client is local.
    pub(super) steps: Vec<EdgeIndex>,
    /// The links that sessions are opened over, from the innermost client to the last server.
    pub(super) sessions: Vec<EdgeIndex>,
    /// Whether local only connects to a listener on the first host, by plain TCP.
    pub(super) plain: bool,
    /// What the last server dials, and over which link.
    pub(super) end: End,
}

/// The last piece of a forward's way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// Something that the last server itself can name.
    Within(Endpoint),
    /// A port of the host that this link leads to.
    Link(EdgeIndex, u16),
}

/// Finds courses in one topology.
pub(super) struct Courses<'g, 't> {
    graph: &'g Graph<'t>,
    reach: &'g Reach,
    telescope: Option<Telescope<'g, 't>>,
}

impl<'g, 't> Courses<'g, 't> {
    pub(super) fn new(graph: &'g Graph<'t>, reach: &'g Reach, strategy: Strategy) -> Self {
        let telescope = (strategy == Strategy::Telescoped).then(|| Telescope::new(graph, reach));
        Courses { graph, reach, telescope }
    }

    /// The same with clients on hosts in between where this one puts them.
    pub(super) fn with(graph: &'g Graph<'t>, reach: &'g Reach, telescope: Telescope<'g, 't>) -> Self {
        Courses { graph, reach, telescope: Some(telescope) }
    }

    /// The best course for a forward; `None` when there is none.
    pub(super) fn best(&self, forward: &Forward) -> Option<Course> {
        let target = self.reach.reachable(self.graph, &forward.to);
        let nested = self.reach.way(self.graph, &target).map(|way| self.nested(way));
        match &self.telescope {
            // What comes in at another host is spliced at local, so both ways to there end at local.
            Some(_) if forward.on.is_some() => nested,
            None => nested,
            Some(telescope) => telescope.course(&forward.to, forward.plain == Plain::Ends, nested),
        }
    }

    fn nested(&self, way: Way) -> Course {
        let sessions = self.reach.links(way.dialler);
        Course { steps: Vec::new(), sessions, plain: false, end: way.end }
    }
}

impl Course {
    /// The host where the client of each session runs, by place in the route counted from local; a client
    /// sits as near to local as it can.
    pub(super) fn client(&self, session: usize) -> usize {
        let nearest = usize::from(self.plain);
        self.steps.len().saturating_sub(session).max(nearest)
    }

    /// The nodes of the route, from local to the target's host.
    pub(super) fn nodes(&self, graph: &Graph<'_>) -> Vec<NodeIndex> {
        std::iter::once(Graph::local()).chain(self.links().map(|edge| graph.head(edge))).collect()
    }

    /// Its links, from local to the target's host.
    pub(super) fn links(&self) -> impl Iterator<Item = EdgeIndex> {
        let last = match self.end {
            End::Link(edge, _) => Some(edge),
            End::Within(_) => None,
        };
        self.steps.iter().chain(&self.sessions).copied().chain(last)
    }

    /// The sum of what its links cost.
    pub(super) fn cost(&self, graph: &Graph<'_>) -> u64 {
        self.links().map(|edge| u64::from(graph.net[edge].link.cost)).sum()
    }
}

/// The same target dialled by its own host, for when nobody else can dial that port; `None` when the
/// host takes no logins.
pub(super) fn own_port(graph: &Graph<'_>, target: &Target) -> Option<Target> {
    let Target::Dialled { host, port } = target else { return None };
    graph.node(host).and_then(|node| graph.net[node]).filter(|host| host.ssh)?;
    let endpoint = Endpoint::Tcp(Address::new("localhost", *port));
    Some(Target::Within { host: host.clone(), endpoint })
}
