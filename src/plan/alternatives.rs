//! The next best routes of a forward, for when a host of the chosen one fails.

use std::collections::BTreeSet;

use super::graph::Graph;
use super::reach::Reach;
use super::routes::{Path, Routes};
use super::{Alternative, PlannedForward};
use crate::topology::HostId;

/// How many links may be looked at for all forwards of a plan together: planning must stay quick.
const LOOKS: usize = 200_000;

/// Looks for other routes, forward by forward, until it has looked at too many links.
pub(super) struct Alternatives<'g, 't> {
    graph: &'g Graph<'t>,
    reach: &'g Reach,
    left: usize,
}

impl<'g, 't> Alternatives<'g, 't> {
    pub(super) fn new(graph: &'g Graph<'t>, reach: &'g Reach) -> Self {
        Alternatives { graph, reach, left: LOOKS }
    }

    /// The best route that has no host between local and the target in common with the planned one;
    /// when there is none, for each of those hosts the best route without it. Every client is at local.
    ///
    /// `None` when that was not looked for to the end.
    pub(super) fn of(&mut self, planned: &PlannedForward) -> Option<Vec<Alternative>> {
        let target = self.reach.reachable(self.graph, &planned.forward.to);
        let mut routes = Routes::new(self.graph, &target, self.left)?;
        let between: Vec<&HostId> =
            planned.route.iter().filter(|host| !host.is_local() && *host != target.host()).collect();
        let mut found: Vec<Path> = routes.without(&between, &planned.links).into_iter().collect();
        if found.is_empty() {
            let mut others = BTreeSet::new();
            for host in &between {
                others.extend(routes.without(&[*host], &planned.links));
            }
            found = others.into_iter().collect();
        }
        self.left = self.left.saturating_sub(routes.looks());
        let told = |path: &Path| {
            let steps = || path.steps.iter().map(|step| step.edge);
            let hosts = steps().map(|edge| self.graph.id(self.graph.head(edge)));
            Alternative {
                route: std::iter::once(HostId::local()).chain(hosts).collect(),
                links: steps().map(|edge| self.graph.net[edge].place).collect(),
                cost: path.price.cost,
                tunnels: path.price.tunnels,
            }
        };
        (!routes.is_cut()).then(|| found.iter().map(told).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::plan::fixture::{empty, line};
    use crate::plan::{PlanOptions, plan};
    use crate::topology::Topology;

    /// `a in`: the hosts between local and the target, route by route.
    fn told(topology: &Topology) -> Vec<String> {
        let plan = plan(topology, &PlanOptions::default()).unwrap();
        let routes = plan.forwards[0].alternatives.as_ref().unwrap().iter();
        let between = |route: &[crate::topology::HostId]| {
            route[1..route.len() - 1].iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        routes.map(|other| between(&other.route)).collect()
    }

    fn two_gates() -> Topology {
        empty("two")
            .with_host("a")
            .with_host("b")
            .with_host("in")
            .with_target("web")
            .with_link("local", "a")
            .with("local", "b", |link| link.cost = 20)
            .with_link("a", "in")
            .with_link("b", "in")
            .with_link("in", "web")
            .forward_to("web", "web", 80)
    }

    #[test]
    fn a_route_that_shares_nothing_stands_in_for_every_host() {
        let topology = two_gates().with("b", "web", |link| link.cost = 90);
        assert_eq!(told(&topology), ["b"]);
    }

    #[test]
    fn where_no_route_shares_nothing_each_host_has_a_stand_in_of_its_own() {
        assert_eq!(told(&two_gates()), ["b in"]);
        assert_eq!(told(&line(3)), Vec::<String>::new());
    }

    #[test]
    fn a_route_without_hosts_in_between_has_another_link_to_stand_in() {
        let topology = empty("near")
            .with_target("web")
            .with_link("local", "web")
            .with("local", "web", |link| link.cost = 30)
            .forward_to("web", "web", 80);
        assert_eq!(told(&topology), [""]);
    }
}
