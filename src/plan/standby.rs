//! Standby ways: the next best routes of each forward, one of which avoids whichever host fails. Only where the
//! policy asks for them; they are written into the plan beforehand, and taken in turn.

use std::collections::BTreeMap;

use petgraph::graph::EdgeIndex;

use super::course::{Course, End, own_port};
use super::graph::Graph;
use super::planner::to_its_listener;
use super::reach::Reach;
use super::routes::{ALL_LOOKS, Path, Routes};
use super::{Plan, PlannedForward};
use crate::topology::{Forward, HostId, Target};

/// More ways than this are not kept for one forward.
const MOST: usize = 16;

/// A way to a target, and the links to the host that listens for it in place of local.
type Way = (Course, Option<Vec<EdgeIndex>>);

/// Looks for standby ways, forward by forward, until it has looked at too many links.
pub(super) struct Standbys<'g, 't> {
    graph: &'g Graph<'t>,
    reach: &'g Reach,
    left: usize,
}

impl<'g, 't> Standbys<'g, 't> {
    pub(super) fn new(graph: &'g Graph<'t>, reach: &'g Reach) -> Self {
        Standbys { graph, reach, left: ALL_LOOKS }
    }

    /// For each host that the chosen way passes the best one without it, and the best one without any of them;
    /// cheapest first. Every client is at local. Where another host listens, its way in changes as well, and both.
    pub(super) fn of(&mut self, forward: &Forward, chosen: &Course) -> Vec<Way> {
        let target = self.reach.reachable(self.graph, &forward.to);
        let hosts: Vec<HostId> =
            chosen.nodes(self.graph).into_iter().map(|node| self.graph.id(node)).collect();
        let mut courses = vec![chosen.clone()];
        courses.extend(self.others(&target, &hosts, &chosen.links().collect::<Vec<_>>()));
        let near = forward.on.as_ref().and_then(|on| Some((on, self.reach.links(self.graph.node(on)?))));
        let mut nears = vec![None];
        if let Some((on, links)) = near {
            let heads = links.iter().map(|&link| self.graph.id(self.graph.head(link)));
            let hosts: Vec<HostId> = std::iter::once(HostId::local()).chain(heads).collect();
            let others = self.others(&to_its_listener(forward, on).to, &hosts, &links);
            nears =
                std::iter::once(links).chain(others.into_iter().map(|way| way.sessions)).map(Some).collect();
        }
        let ways = nears.iter().flat_map(|near| courses.iter().map(move |way| (way.clone(), near.clone())));
        // The first of each is the way that is chosen.
        ways.skip(1).take(MOST).collect()
    }

    /// The best ways to this target without the hosts of the chosen one, cheapest first.
    fn others(&mut self, target: &Target, hosts: &[HostId], links: &[EdgeIndex]) -> Vec<Course> {
        let between: Vec<&HostId> =
            hosts.iter().filter(|host| !host.is_local() && *host != target.host()).collect();
        let places: Vec<usize> = links.iter().map(|&link| self.graph.net[link].place).collect();
        let mut found: BTreeMap<Path, Target> = BTreeMap::new();
        found.extend(self.without(&between, &places, target));
        for host in &between {
            found.extend(self.without(&[*host], &places, target));
        }
        found.iter().filter_map(|(path, target)| course(path, target)).collect()
    }

    /// The best route without these hosts. Where nobody else is left who can dial the target, its own host does.
    fn without(&mut self, hosts: &[&HostId], places: &[usize], target: &Target) -> Option<(Path, Target)> {
        [Some(target.clone()), own_port(self.graph, target)].into_iter().flatten().find_map(|target| {
            let mut routes = Routes::new(self.graph, &target, self.left)?;
            let found = routes.without(hosts, places);
            self.left = self.left.saturating_sub(routes.looks());
            Some((found?, target))
        })
    }
}

/// A route with every client at local. `None` is never: a port that is dialled is dialled from somewhere.
fn course(path: &Path, target: &Target) -> Option<Course> {
    let sessions = path.steps.iter().filter(|step| step.session).map(|step| step.edge).collect();
    let end = match target {
        Target::Within { endpoint, .. } => End::Within(endpoint.clone()),
        Target::Dialled { port, .. } => End::Link(path.steps.iter().find(|step| !step.session)?.edge, *port),
    };
    Some(Course { steps: Vec::new(), sessions, plain: false, end })
}

impl PlannedForward {
    /// Its ways in the order in which they are taken: the planned one, then those that stand by.
    pub fn ways(&self) -> impl Iterator<Item = &PlannedForward> {
        std::iter::once(self).chain(&self.standby)
    }

    /// The way with this number; 0 is the planned one, and so is every number that no way has.
    pub fn way(&self, number: usize) -> &PlannedForward {
        number.checked_sub(1).and_then(|standby| self.standby.get(standby)).unwrap_or(self)
    }

    /// The hosts that this way passes and the other one does not, at either end, nearest first.
    pub fn hosts_beside(&self, other: &PlannedForward) -> Vec<&HostId> {
        let theirs: Vec<&HostId> = other.hosts().collect();
        let mut own: Vec<&HostId> = Vec::new();
        for host in self.hosts().filter(|host| !theirs.contains(host)) {
            if !own.contains(&host) {
                own.push(host);
            }
        }
        own
    }

    fn hosts(&self) -> impl Iterator<Item = &HostId> {
        self.listener.iter().flat_map(|near| &near.route).chain(&self.route)
    }
}

impl Plan {
    /// This plan as it is built at first: without what stands by.
    #[must_use]
    pub fn preferred(&self) -> Plan {
        let mut plan = self.clone();
        plan.tunnels.retain(|tunnel| !tunnel.standby);
        for layer in &mut plan.layers {
            layer.retain(|id| self.tunnel(id).is_some_and(|tunnel| !tunnel.standby));
        }
        plan.layers.retain(|layer| !layer.is_empty());
        plan.forwards.iter_mut().for_each(|planned| planned.standby.clear());
        plan
    }
}

#[cfg(test)]
#[path = "standby_tests.rs"]
mod tests;
