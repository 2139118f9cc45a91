//! The telescoped courses that are left when links or hosts are not to be had.

use super::course::{Course, Courses};
use super::graph::Graph;
use super::reach::Reach;
use super::telescope::Telescope;
use crate::topology::{Forward, HostId, PortSet, Topology};

/// How many hosts and links are looked at for one forward, and for all together.
const LOOKS: usize = 500_000;
pub(super) const ALL_LOOKS: usize = 2_000_000;

/// What is not to be had.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Gone {
    /// Links that the forward must not take, by their place in the file; sessions that start clients may.
    Links(Vec<usize>),
    /// Hosts that nothing goes by.
    Hosts(Vec<HostId>),
}

/// Looks for other ways of one forward.
pub(super) struct Detours<'t> {
    topology: &'t Topology,
    forward: &'t Forward,
    looks: usize,
    most: usize,
}

impl<'t> Detours<'t> {
    /// `left` are the looks that all forwards together have left.
    pub(super) fn new(topology: &'t Topology, forward: &'t Forward, left: usize) -> Self {
        Detours { topology, forward, looks: 0, most: LOOKS.min(left) }
    }

    /// How many hosts and links were looked at.
    pub(super) fn looks(&self) -> usize {
        self.looks
    }

    /// Whether a search was left out because there were too many.
    pub(super) fn is_cut(&self) -> bool {
        self.looks > self.most
    }

    /// The best course that does without, told by `tell`; `None` when there is none, or the search was cut.
    pub(super) fn best<T>(&mut self, gone: &Gone, tell: impl FnOnce(&Graph<'_>, &Course) -> T) -> Option<T> {
        self.looks += self.topology.hosts.len() + self.topology.links.len() + 1;
        if self.is_cut() {
            return None;
        }
        let mut left = self.topology.clone();
        for (place, link) in left.links.iter_mut().enumerate() {
            let is_gone = match gone {
                Gone::Links(places) => places.contains(&place),
                Gone::Hosts(hosts) => hosts.contains(&link.to),
            };
            if is_gone {
                link.ports = Some(PortSet::default());
            }
        }
        let graph = Graph::new(&left);
        let reach = Reach::new(&graph);
        let whole = matches!(gone, Gone::Links(_)).then(|| Reach::new(&Graph::new(self.topology)));
        let telescope = Telescope::new(&graph, whole.as_ref().unwrap_or(&reach));
        let course = Courses::with(&graph, &reach, telescope).best(self.forward)?;
        Some(tell(&graph, &course))
    }

    /// The hosts of a route between local and the target that every route passes; `None` when the search was
    /// cut before all were tried.
    pub(super) fn single_points(&mut self, between: &[HostId]) -> Option<Vec<HostId>> {
        let mut points = Vec::new();
        for host in between {
            let other = self.best(&Gone::Hosts(vec![host.clone()]), |_, _| ());
            if self.is_cut() {
                return None;
            }
            if other.is_none() {
                points.push(host.clone());
            }
        }
        Some(points)
    }
}

/// The hosts of a route between local and the target, nearest first.
pub(super) fn between(route: impl IntoIterator<Item = HostId>, forward: &Forward) -> Vec<HostId> {
    route.into_iter().filter(|host| !host.is_local() && host != forward.to.host()).collect()
}

/// The single points of failure of a forward, as [`Detours::single_points`] finds them, within `left` looks.
pub(super) fn single_points(
    topology: &Topology,
    forward: &Forward,
    route: &[HostId],
    left: &mut usize,
) -> Option<Vec<HostId>> {
    let mut detours = Detours::new(topology, forward, *left);
    let points = detours.single_points(&between(route.iter().cloned(), forward));
    *left = left.saturating_sub(detours.looks());
    points
}
