//! Why forwards take their routes where SSH clients may run on hosts in between: fewer tunnels win, then
//! the cheaper route.
//!
//! Runners-up are found link by link: the best route that is not the chosen one does without at least one
//! of its links, and so on from each route that was found.

use std::collections::{HashMap, HashSet};

use petgraph::graph::{EdgeIndex, NodeIndex};

use super::{Crossing, Explained, Hop, RUNNERS_UP, Route};
use crate::plan::course::{Course, Courses, End};
use crate::plan::detour::{Detours, Gone, between};
use crate::plan::graph::{Edge, Graph};
use crate::plan::reach::Reach;
use crate::plan::{Carrier, Plan};
use crate::topology::{Forward, HostClient, HostId, Strategy, Topology};

/// The port of each listener that a forward uses, by the place of the link that leads to it.
type Ports = HashMap<usize, u16>;

/// `None` when no route leads to what the forward wants. `plan` is that of the whole topology, where it has
/// one; `left` are the looks that all forwards together have left.
pub(super) fn explained(
    topology: &Topology,
    courses: &Courses<'_, '_>,
    reach: &Reach,
    graph: &Graph<'_>,
    forward: &Forward,
    plan: Option<&Plan>,
    left: &mut usize,
) -> Option<Explained> {
    let course = courses.best(forward)?;
    let chosen = route(graph, &course, &plan.map(|plan| ports(plan, forward)).unwrap_or_default());
    let mut detours = Detours::new(topology, forward, *left);
    let between: Vec<HostId> = between(chosen.hosts(), forward);
    let single_points = detours.single_points(&between).unwrap_or_default();
    let usual = |graph: &Graph<'_>, course: &Course| route(graph, course, &Ports::new());
    let apart = if between.is_empty() {
        let first = chosen.hops.iter().take(1).map(|hop| hop.place).collect();
        detours.best(&Gone::Links(first), usual)
    } else {
        detours.best(&Gone::Hosts(between), usual)
    };
    let runners_up = after(&mut detours, &chosen, usual);
    *left = left.saturating_sub(detours.looks());
    Some(Explained {
        forward: forward.clone(),
        strategy: Strategy::Telescoped,
        chosen,
        control: control(graph, reach, &course),
        runners_up,
        apart,
        single_points,
        cut: detours.is_cut(),
        listener: None,
    })
}

/// The links that sessions of local take to the hosts where clients are started, each once.
fn control(graph: &Graph<'_>, reach: &Reach, course: &Course) -> Vec<Hop> {
    let nodes = course.nodes(graph);
    let clients = (0..course.sessions.len()).map(|session| nodes[course.client(session)]);
    let starts =
        |node: &NodeIndex| graph.net[*node].is_some_and(|host| host.client == Some(HostClient::Exec));
    let mut links: Vec<EdgeIndex> = Vec::new();
    for link in clients.filter(starts).flat_map(|node| reach.links(node)) {
        if !links.contains(&link) {
            links.push(link);
        }
    }
    let edges = links.into_iter().map(|link| &graph.net[link]);
    edges.map(|edge| hop(edge, edge.ssh_port, Crossing::Session)).collect()
}

/// The best routes after this one, best first.
fn after(
    detours: &mut Detours<'_>,
    chosen: &Route,
    tell: impl Fn(&Graph<'_>, &Course) -> Route,
) -> Vec<Route> {
    // A target that can be dialled is not gone into, however few tunnels that takes.
    let dials = |route: &Route| route.hops.last().is_some_and(|hop| hop.crossing == Crossing::Target);
    let mut found = vec![chosen.clone()];
    let mut tried: HashSet<Vec<usize>> = HashSet::new();
    let mut candidates: Vec<(Route, Vec<usize>)> = vec![(chosen.clone(), Vec::new())];
    while found.len() <= RUNNERS_UP && !candidates.is_empty() {
        let least = (0..candidates.len()).min_by_key(|&place| rank(&candidates[place].0)).unwrap_or_default();
        let (route, without) = candidates.swap_remove(least);
        for hop in &route.hops {
            let mut without = without.clone();
            without.push(hop.place);
            without.sort_unstable();
            if !tried.insert(without.clone()) {
                continue;
            }
            if let Some(other) = detours.best(&Gone::Links(without.clone()), &tell)
                && dials(&other) == dials(chosen)
            {
                candidates.push((other, without));
            }
            if detours.is_cut() {
                break;
            }
        }
        // What two routes lead to is found twice.
        if !found.iter().any(|known| known.is(&route)) {
            found.push(route);
        }
        if detours.is_cut() {
            break;
        }
    }
    found.remove(0);
    found
}

/// The better of two routes has the lesser one.
fn rank(route: &Route) -> (usize, u64, Vec<usize>) {
    (route.tunnels, route.cost, route.hops.iter().map(|hop| hop.place).collect())
}

fn ports(plan: &Plan, forward: &Forward) -> Ports {
    let planned = plan.forwards.iter().filter(|planned| planned.forward.id == forward.id);
    let entries = planned.flat_map(|planned| {
        let tunnels = planned.tunnels.iter().filter_map(|id| plan.tunnel(id));
        let carriers = tunnels.filter_map(|tunnel| match &tunnel.carrier {
            Some(Carrier::Entry(entry)) => Some(entry),
            _ => None,
        });
        carriers.chain(&planned.entry)
    });
    entries.map(|entry| (entry.link, entry.port())).collect()
}

/// The route with everything that a person may want to know of it.
fn route(graph: &Graph<'_>, course: &Course, ports: &Ports) -> Route {
    let steps = course.steps.iter().map(|&step| {
        let edge = &graph.net[step];
        let port = ports.get(&edge.place).copied().or_else(|| edge.entry_port(&HashSet::new()));
        hop(edge, port.unwrap_or_default(), Crossing::Listener)
    });
    let sessions = course.sessions.iter().map(|&link| {
        let edge = &graph.net[link];
        hop(edge, edge.ssh_port, Crossing::Session)
    });
    let end = match &course.end {
        End::Link(link, port) => Some(hop(&graph.net[*link], *port, Crossing::Target)),
        End::Within(_) => None,
    };
    Route {
        hops: steps.chain(sessions).chain(end).collect(),
        cost: course.cost(graph),
        tunnels: course.sessions.len(),
    }
}

fn hop(edge: &Edge<'_>, port: u16, crossing: Crossing) -> Hop {
    Hop {
        place: edge.place,
        link: edge.link.clone(),
        target: edge.address(port),
        crossing,
        firewalls: edge.walls.iter().map(|wall| (*wall).clone()).collect(),
    }
}
