//! The planner: from a topology to the one plan that is cheapest.

use super::alternatives::Alternatives;
use super::course::Courses;
use super::draft::{Draft, Planned};
use super::graph::Graph;
use super::opening::Search;
use super::reach::Reach;
use super::standby::Standbys;
use super::{NoPart, Plan, PlanError, UnfitClient, client_command, same_listen};
use crate::topology::{
    Address, CarrierKind, Endpoint, Forward, HostClient, HostId, Strategy, Target, Topology,
};

/// What a run asks of the planner beyond the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanOptions {
    /// How every session rides the one below it, whatever its link says.
    pub carrier: Option<CarrierKind>,
    /// Where SSH clients run, whatever the policy of the file says.
    pub strategy: Option<Strategy>,
    /// The host of the file whose part is wanted; `None` is the whole plan.
    pub at: Option<HostId>,
}

/// Finds the tunnels that every forward of the topology needs, and their order.
///
/// A link lets a port through when its own `ports` and every firewall on it do; the port that counts
/// is the one dialled. A session dials the link's `dial`, else the host's address. A forward's target
/// is dialled on the port that the forward names: a link's `dial` then replaces the name only.
///
/// Nested: sessions take the cheapest chain of links; a forward takes the cheapest sum of chain and last
/// link. Ties go to fewer tunnels, then to the route whose links come first in the file. Telescoped: the
/// fewest tunnels, of those the cheapest route, of those the one with the fewest clients away from local.
///
/// A target that no host reached can dial on its port is dialled by its own host, where that takes
/// logins.
///
/// # Errors
/// Every forward that no route leads to, and every two fixed listeners that cannot coexist.
pub fn plan(topology: &Topology, options: &PlanOptions) -> Result<Plan, Vec<PlanError>> {
    let whole = || whole(&topology.seen_from(&HostId::local()), options);
    let here = options.at.as_ref().is_none_or(HostId::is_local);
    if here && !has_local_plan(topology) {
        let others = topology.vantages().into_iter().cloned().collect();
        return Err(vec![PlanError::NoPart(NoPart { at: HostId::local(), others })]);
    }
    match &options.at {
        None => whole(),
        Some(at) if at.is_local() => Ok(whole()?.part(at)),
        Some(at) => elsewhere(topology, at, options),
    }
}

/// The plan of each machine whose hopper runs a forward of the file; of one only, if the options name it.
///
/// # Errors
/// As for [`plan`], of all of them.
pub fn plan_everywhere(topology: &Topology, options: &PlanOptions) -> Result<Vec<Plan>, Vec<PlanError>> {
    let elsewhere = topology.vantages().into_iter().filter(|at| !at.is_local() && options.at.is_none());
    let elsewhere = elsewhere.map(|at| PlanOptions { at: Some(at.clone()), ..options.clone() });
    let (mut plans, mut errors) = (Vec::new(), Vec::new());
    let here = options.at.is_some() || has_local_plan(topology);
    for options in here.then(|| options.clone()).into_iter().chain(elsewhere) {
        match plan(topology, &options) {
            Ok(plan) => plans.push(plan),
            Err(found) => errors.extend(found),
        }
    }
    if errors.is_empty() { Ok(plans) } else { Err(errors) }
}

/// Whether local has something to plan: a forward of its own, or a file without any.
fn has_local_plan(topology: &Topology) -> bool {
    topology.forwards.is_empty() || topology.vantages().contains(&&HostId::local())
}

/// What the hopper on this host builds: its part of the others' tunnels, and its own forwards.
fn elsewhere(topology: &Topology, at: &HostId, options: &PlanOptions) -> Result<Plan, Vec<PlanError>> {
    let whole = whole(&topology.seen_from(&HostId::local()), options);
    let has_part = whole.as_ref().is_ok_and(|plan| plan.others().contains(&at));
    let runs_forwards = topology.vantages().contains(&at);
    if !has_part && !runs_forwards {
        let mut others: Vec<HostId> = whole?.others().into_iter().cloned().collect();
        others.extend(topology.vantages().into_iter().filter(|at| !at.is_local()).cloned());
        others.sort_unstable();
        others.dedup();
        return Err(vec![PlanError::NoPart(NoPart { at: at.clone(), others })]);
    }
    // Whether it has a part can be told only where there is a plan.
    if topology.host(at).is_some_and(|host| host.client == Some(HostClient::Hopper))
        && let Err(errors) = whole
    {
        return Err(errors);
    }
    let seen = topology.seen_from(at);
    let own = self::whole(&seen, options)?;
    if !has_part {
        return Ok(Plan { at: at.clone(), ..own });
    }
    let plan = own.with(whole?.part(at).moved_into(topology, at));
    let forwards: Vec<_> = plan.forwards.iter().map(|planned| planned.forward.clone()).collect();
    let same = same_listen::find(&plan.tunnels, &forwards);
    if same.is_empty() { Ok(plan) } else { Err(same.into_iter().map(PlanError::SameListen).collect()) }
}

/// The plan of a topology as local sees it.
fn whole(topology: &Topology, options: &PlanOptions) -> Result<Plan, Vec<PlanError>> {
    let graph = Graph::new(topology);
    let reach = Reach::new(&graph);
    let strategy = options.strategy.unwrap_or(topology.policy.strategy);
    let courses = Courses::new(&graph, &reach, strategy);
    let mut draft = Draft::new(&graph, &reach);
    let mut ways = Vec::with_capacity(topology.forwards.len());
    let mut errors = Vec::new();
    let mut search = None;
    for forward in &topology.forwards {
        let near =
            forward.on.as_ref().and_then(|on| graph.node(on)).filter(|node| reach.host(*node).is_some());
        let course = courses.best(forward);
        // Searched only when needed, and then once for all.
        let mut explain = |forward: &Forward| {
            let search = search.get_or_insert_with(|| Search::new(&graph, &reach, strategy));
            errors.push(PlanError::NoRoute(search.explain(forward)));
        };
        if course.is_none() {
            explain(forward);
        }
        if let Some(on) = forward.on.as_ref().filter(|_| near.is_none()) {
            explain(&to_its_listener(forward, on));
        }
        if let Some(course) = course {
            let ride = draft.add(&course, near.map(|node| reach.links(node)));
            ways.push(Planned { forward, way: (course, ride), standby: Vec::new() });
        }
    }
    if topology.policy.failover.is_some() {
        draft.stand_by();
        let mut standbys = Standbys::new(&graph, &reach);
        for planned in &mut ways {
            let ways = standbys.of(planned.forward, &planned.way.0);
            let rides = ways.into_iter().map(|(course, near)| {
                let ride = draft.add(&course, near);
                (course, ride)
            });
            planned.standby = rides.collect();
        }
    }
    let drawn = match draft.draw(ways, options) {
        Ok(drawn) => drawn,
        Err(missing) => {
            errors.extend(missing.into_iter().map(PlanError::NoPort));
            return Err(errors);
        }
    };
    let same = same_listen::find(&drawn.tunnels, &topology.forwards);
    errors.extend(same.into_iter().map(PlanError::SameListen));
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut others = Alternatives::new(&graph, &reach);
    let mut forwards = drawn.forwards;
    for planned in &mut forwards {
        planned.alternatives = others.of(planned);
    }
    let plan = Plan {
        topology: topology.name.clone(),
        at: HostId::local(),
        strategy,
        tunnels: drawn.tunnels,
        layers: drawn.layers,
        forwards,
        parallel: topology.policy.parallel,
        reconnect: topology.policy.reconnect,
        probe: topology.policy.probe,
        drain: topology.policy.drain,
        failover: topology.policy.failover,
    };
    if let Err((tunnel, why)) = client_command::all_fit(&plan) {
        let (on, to) = (HostId::new(tunnel.client.name()), tunnel.server.id.clone());
        return Err(vec![PlanError::UnfitClient(UnfitClient { on, to, why })]);
    }
    Ok(plan)
}

/// The way to the host where a forward listens, as a forward of its own.
pub(super) fn to_its_listener(forward: &Forward, on: &HostId) -> Forward {
    let address = Address::new(forward.listen.address.to_string(), forward.listen.port);
    let to = Target::Within { host: on.clone(), endpoint: Endpoint::Tcp(address) };
    Forward { to, on: None, ..forward.clone() }
}

#[cfg(test)]
#[path = "planner_tests.rs"]
mod tests;
