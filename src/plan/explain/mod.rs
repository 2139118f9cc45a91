//! Why each forward takes the route it takes: what it costs, what lets it through, what else there is.

mod openings;
#[cfg(test)]
mod property;
mod telescoped;

use super::course::Courses;
use super::detour;
use super::graph::Graph;
use super::opening::Search;
use super::planner::to_its_listener;
use super::reach::Reach;
use super::routes::{ALL_LOOKS, Path, Routes};
use super::single_point::SinglePoints;
use super::{PlanError, PlanOptions, plan};
use crate::topology::{Address, Firewall, Forward, ForwardId, HostId, Link, Strategy, Target, Topology};

/// How many runners-up are told.
const RUNNERS_UP: usize = 3;

/// Why the forwards of a topology take their routes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The topology's name.
    pub topology: String,
    /// Every forward asked for that has a route, by id.
    pub forwards: Vec<Explained>,
    /// Why there is none for the others, and whatever else keeps the whole file from having a plan.
    pub errors: Vec<PlanError>,
}

/// Why one forward takes its route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// What the person asked for.
    pub forward: Forward,
    /// Where SSH clients may run: telescoped, fewer tunnels count before cost.
    pub strategy: Strategy,
    /// The route it takes.
    pub chosen: Route,
    /// The links of the sessions over which its clients on hosts in between are started.
    pub control: Vec<Hop>,
    /// The next best ones, best first.
    pub runners_up: Vec<Route>,
    /// The best route that shares no host between local and the target.
    pub apart: Option<Route>,
    /// Hosts that every route passes, nearest first. Telescoped, none are told when the search was cut.
    pub single_points: Vec<HostId>,
    /// Whether the search for other routes became too long: there may be better ones, or more.
    pub cut: bool,
    /// The route to the host that listens for it, where that is another one.
    pub listener: Option<Route>,
}

/// A way from local to a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Its links, in order; none when local is the target.
    pub hops: Vec<Hop>,
    /// The sum of the links' costs.
    pub cost: u64,
    /// How many sessions it takes.
    pub tunnels: usize,
}

/// A link that a route takes, and what lets it through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Its place among the links of the file, counted from 0.
    pub place: usize,
    /// The link.
    pub link: Link,
    /// What is dialled.
    pub target: Address,
    /// What goes over it.
    pub crossing: Crossing,
    /// The firewalls it crosses, in order; each lets the port through.
    pub firewalls: Vec<Firewall>,
}

/// What goes over a link of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crossing {
    /// An SSH session, on the server's own port.
    Session,
    /// What connects to a listener that an SSH client keeps on the host it leads to.
    Listener,
    /// The forward's own connection to its target.
    Target,
}

impl Crossing {
    /// The word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Crossing::Session => "session",
            Crossing::Listener => "listener",
            Crossing::Target => "target",
        }
    }
}

/// Why a route was not chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// It costs so much more.
    Dearer(u64),
    /// It takes so many more tunnels: nested, at the same cost; telescoped, whatever it costs.
    MoreTunnels(usize),
    /// It is as good; where the two part, its link comes later in the file.
    Later,
}

impl Route {
    /// Hosts from local to the target's host, both included.
    pub fn hosts(&self) -> impl Iterator<Item = HostId> {
        std::iter::once(HostId::local()).chain(self.hops.iter().map(|hop| hop.link.to.clone()))
    }

    /// Why it was not chosen.
    pub fn lost_to(&self, chosen: &Route, strategy: Strategy) -> Lost {
        match (self.cost.saturating_sub(chosen.cost), self.tunnels.saturating_sub(chosen.tunnels)) {
            (0, 0) => Lost::Later,
            (_, more @ 1..) if strategy == Strategy::Telescoped => Lost::MoreTunnels(more),
            (0, more) => Lost::MoreTunnels(more),
            (more, _) => Lost::Dearer(more),
        }
    }

    /// Whether both take the same links.
    pub fn is(&self, other: &Route) -> bool {
        let links = |route: &Route| route.hops.iter().map(|hop| hop.place).collect::<Vec<_>>();
        links(self) == links(other)
    }
}

/// Explains the route of one forward, or of all.
pub fn explain(topology: &Topology, only: Option<&ForwardId>, options: &PlanOptions) -> Explanation {
    let local = HostId::local();
    let topology = &*topology.seen_from(options.at.as_ref().unwrap_or(&local));
    let options = &PlanOptions { at: None, ..options.clone() };
    let graph = Graph::new(topology);
    let reach = Reach::new(&graph);
    let points = SinglePoints::new(&graph);
    let (mut forwards, mut errors, mut search) = (Vec::new(), Vec::new(), None);
    let strategy = options.strategy.unwrap_or(topology.policy.strategy);
    let telescoped = strategy == Strategy::Telescoped;
    let courses = telescoped.then(|| Courses::new(&graph, &reach, Strategy::Telescoped));
    // Its listeners have ports; another forward without a route leaves none, and then the usual ones are told.
    let whole = courses.as_ref().and_then(|_| plan(topology, options).ok());
    let mut left = if telescoped { detour::ALL_LOOKS } else { ALL_LOOKS };
    for forward in topology.forwards.iter().filter(|forward| only.is_none_or(|only| forward.id == *only)) {
        let explained = match courses.as_ref().filter(|_| forward.on.is_none()) {
            None => explained(&graph, &reach, &points, forward, &mut left),
            Some(courses) => {
                telescoped::explained(topology, courses, &reach, &graph, forward, whole.as_ref(), &mut left)
            }
        };
        let near = forward.on.as_ref().map(|on| to_its_listener(forward, on));
        let listener = near.as_ref().and_then(|near| nested(&graph, &reach, &near.to));
        if let Some(explained) = explained.filter(|_| near.is_none() || listener.is_some()) {
            forwards.push(Explained { listener, ..explained });
            continue;
        }
        let search = search.get_or_insert_with(|| Search::new(&graph, &reach, strategy));
        let forward = near.as_ref().filter(|_| listener.is_none()).unwrap_or(forward);
        let mut error = search.explain(forward);
        error.help.extend(search.as_small(forward));
        errors.push(PlanError::NoRoute(error));
    }
    if only.is_none() {
        let others = plan(topology, options).err().unwrap_or_default();
        errors.extend(others.into_iter().filter(|error| !matches!(error, PlanError::NoRoute(_))));
    }
    Explanation { topology: topology.name.clone(), forwards, errors }
}

/// The cheapest route to a target with every client at local; `None` when there is none.
fn nested(graph: &Graph<'_>, reach: &Reach, target: &Target) -> Option<Route> {
    let path = Routes::new(graph, target, 0)?.chosen(reach, target)?;
    Some(route(graph, &path, 0))
}

/// `None` when no route leads to what the forward wants.
fn explained(
    graph: &Graph<'_>,
    reach: &Reach,
    points: &SinglePoints<'_, '_>,
    forward: &Forward,
    left: &mut usize,
) -> Option<Explained> {
    let target = reach.reachable(graph, &forward.to);
    let mut routes = Routes::new(graph, &target, *left)?;
    let chosen = routes.chosen(reach, &target)?;
    let apart = routes.apart(&chosen);
    let runners_up = routes.after(&chosen, RUNNERS_UP);
    *left = left.saturating_sub(routes.looks());
    let port = match &target {
        Target::Dialled { port, .. } => *port,
        Target::Within { .. } => 0,
    };
    let route = |path: &Path| route(graph, path, port);
    Some(Explained {
        forward: forward.clone(),
        strategy: Strategy::Nested,
        chosen: route(&chosen),
        control: Vec::new(),
        runners_up: runners_up.iter().map(route).collect(),
        apart: apart.as_ref().map(route),
        single_points: points.of(forward),
        cut: routes.is_cut(),
        listener: None,
    })
}

/// The route with everything that a person may want to know of it.
fn route(graph: &Graph<'_>, path: &Path, port: u16) -> Route {
    let hops = path.steps.iter().map(|step| {
        let edge = &graph.net[step.edge];
        Hop {
            place: edge.place,
            link: edge.link.clone(),
            target: edge.address(if step.session { edge.ssh_port } else { port }),
            crossing: if step.session { Crossing::Session } else { Crossing::Target },
            firewalls: edge.walls.iter().map(|wall| (*wall).clone()).collect(),
        }
    });
    Route { hops: hops.collect(), cost: path.price.cost, tunnels: path.price.tunnels }
}
