//! Laws that hold for every topology, against a planner that tries everything.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::fixture::empty;
use super::graph::Graph;
use super::show::{Glyphs, Style, text};
use super::single_point::SinglePoints;
use super::{Plan, PlanOptions, plan};
use crate::topology::{Address, Bind, Endpoint, HostId, Link, Plain, Target, Topology};

/// Ports that rules are made of: SSH, and two that a forward may want.
const PORTS: [u16; 3] = [22, 80, 5900];

/// A link before its hosts have names: from, to, cost, only this port, crosses the firewall.
type Draft = (usize, usize, u32, Option<usize>, bool);

pub(super) fn topologies() -> impl Strategy<Value = Topology> {
    (1..=8_usize).prop_flat_map(|hosts| {
        let link = (0..=hosts, 1..=hosts, 0..4_u32, prop::option::weighted(0.3, 0..3_usize), any::<bool>());
        let forward = (1..=hosts, 0..3_usize, any::<bool>());
        (
            prop::collection::vec(prop::bool::weighted(0.8), hosts),
            prop::collection::vec(link, 0..18),
            prop::collection::vec(forward, 1..4),
            0..3_usize,
        )
            .prop_map(build)
    })
}

/// Which hosts take logins, the links, the forwards as host, port and whether within, the port denied.
type Drafts = (Vec<bool>, Vec<Draft>, Vec<(usize, usize, bool)>, usize);

fn build((hosts, links, forwards, denied): Drafts) -> Topology {
    let mut topology = empty("random").with_wall("wall", PORTS[denied]..=PORTS[denied]);
    for (n, ssh) in hosts.into_iter().enumerate() {
        let host = name(n + 1);
        topology = if ssh { topology.with_host(&host) } else { topology.with_target(&host) };
    }
    for (from, to, cost, only, walled) in links {
        topology = topology.with(&name(from), &name(to), |link| {
            link.cost = cost;
            if let Some(port) = only {
                link.only(PORTS[port]);
            }
            if walled {
                link.wall("wall");
            }
        });
    }
    for (n, (host, port, within)) in forwards.into_iter().enumerate() {
        let (id, host, port) = (format!("f{n}"), name(host), PORTS[port]);
        topology = if within {
            topology.forward_within(&id, &host, Endpoint::Tcp(Address::new("127.0.0.1", port)))
        } else {
            topology.forward_to(&id, &host, port)
        };
    }
    topology
}

fn name(n: usize) -> String {
    if n == 0 { HostId::LOCAL.to_owned() } else { format!("h{n}") }
}

/// Whether TCP to this port crosses the link, read straight from the rules.
pub(super) fn lets_through(topology: &Topology, link: &Link, port: u16) -> bool {
    link.ports.as_ref().is_none_or(|ports| ports.contains(port))
        && link.through.iter().all(|id| topology.firewall(id).unwrap().passes(port))
}

/// What decides between two routes, and the route: cost, tunnels, links in order, hosts.
pub(super) type Route = (u64, usize, Vec<usize>, Vec<HostId>);

/// Every chain of sessions without a loop.
pub(super) fn chains(topology: &Topology) -> Vec<Route> {
    let mut all: Vec<Route> = vec![(0, 0, Vec::new(), vec![HostId::local()])];
    let mut next = 0;
    while let Some((cost, tunnels, links, hosts)) = all.get(next).cloned() {
        next += 1;
        for (n, link) in topology.links.iter().enumerate() {
            let server = topology.host(&link.to).unwrap();
            let leads_on = link.from == hosts[hosts.len() - 1] && !hosts.contains(&link.to);
            if leads_on && server.ssh && lets_through(topology, link, server.address.port) {
                let (mut links, mut hosts) = (links.clone(), hosts.clone());
                links.push(n);
                hosts.push(link.to.clone());
                all.push((cost + u64::from(link.cost), tunnels + 1, links, hosts));
            }
        }
    }
    all
}

/// The best route to a target, found by looking at all of them.
fn best(topology: &Topology, chains: &[Route], target: &Target) -> Option<Route> {
    routes(topology, chains, target).into_iter().min()
}

/// Every route to a target. What nobody can dial is dialled by its own host.
pub(super) fn routes(topology: &Topology, chains: &[Route], target: &Target) -> Vec<Route> {
    let all = dialled(topology, chains, target);
    if all.is_empty() {
        chains.iter().filter(|chain| chain.3.last() == Some(target.host())).cloned().collect()
    } else {
        all
    }
}

fn dialled(topology: &Topology, chains: &[Route], target: &Target) -> Vec<Route> {
    let ends = |chain: &&Route| chain.3.last() == Some(target.host());
    match target {
        Target::Within { .. } => chains.iter().filter(ends).cloned().collect(),
        Target::Dialled { host, port } => {
            let mut all = Vec::new();
            for (cost, tunnels, links, hosts) in chains {
                for (n, link) in topology.links.iter().enumerate() {
                    let leads = hosts.last() == Some(&link.from) && link.to == *host && link.from != link.to;
                    if leads && lets_through(topology, link, *port) {
                        let (mut links, mut hosts) = (links.clone(), hosts.clone());
                        links.push(n);
                        hosts.push(host.clone());
                        all.push((cost + u64::from(link.cost), *tunnels, links, hosts));
                    }
                }
            }
            all
        }
    }
}

/// The topology as a file, the keys of its objects in the order that `turn` gives them.
pub(super) fn written(topology: &Topology, turn: fn(&mut [String])) -> String {
    let object = |mut entries: Vec<String>| {
        turn(&mut entries);
        format!("{{ {} }}", entries.join(", "))
    };
    let ports = |ports: Vec<u16>| format!("{ports:?}");
    let passing =
        |passes: &dyn Fn(u16) -> bool| ports(PORTS.into_iter().filter(|&port| passes(port)).collect());
    let walls = topology
        .firewalls
        .iter()
        .map(|wall| format!(r#""{}": {{ "deny": {} }}"#, wall.id, passing(&|port| !wall.passes(port))));
    let hosts = topology.hosts.iter().map(|host| {
        let mut keys = vec![format!(r#""ssh": {}"#, host.ssh)];
        keys.extend(host.client.map(|client| format!(r#""client": "{}""#, client.as_str())));
        keys.extend((host.bind == Bind::Any).then(|| r#""bind": "any""#.to_owned()));
        format!(r#""{}": {}"#, host.id, object(keys))
    });
    let links = topology.links.iter().filter(|link| link.from != link.to).map(|link| {
        let only = link.ports.as_ref().map_or_else(String::new, |only| {
            format!(r#""ports": {}, "#, passing(&|port| only.contains(port)))
        });
        let through = link.through.iter().map(|id| format!("{:?}", id.0)).collect::<Vec<_>>().join(", ");
        let (from, to, cost) = (&link.from, &link.to, link.cost);
        format!(r#"{{ "from": "{from}", "to": "{to}", {only}"through": [{through}], "cost": {cost} }}"#)
    });
    let forwards = topology.forwards.iter().map(|forward| {
        let plain = if forward.plain == Plain::Ends { "ends" } else { "last" };
        let (id, to) = (&forward.id, &forward.to);
        format!(r#""{id}": {{ "listen": "auto", "to": "{to}", "plain": "{plain}" }}"#)
    });
    object(vec![
        r#""hopper": 1"#.to_owned(),
        format!(r#""firewalls": {}"#, object(walls.collect())),
        format!(r#""hosts": {}"#, object(hosts.collect())),
        format!(r#""links": [{}]"#, links.collect::<Vec<_>>().join(", ")),
        format!(r#""forwards": {}"#, object(forwards.collect())),
    ])
}

fn planned(topology: &Topology) -> Option<Plan> {
    plan(topology, &PlanOptions::default()).ok()
}

/// Keeps only the forwards that have a route, so that there is always a plan to judge.
fn reachable(mut topology: Topology) -> Topology {
    let chains = chains(&topology);
    let forwards = std::mem::take(&mut topology.forwards);
    topology.forwards =
        forwards.into_iter().filter(|forward| best(&topology, &chains, &forward.to).is_some()).collect();
    topology
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_planner_finds_what_trying_everything_finds(topology in topologies()) {
        let chains = chains(&topology);
        for forward in &topology.forwards {
            let alone = Topology { forwards: vec![forward.clone()], ..topology.clone() };
            let found = planned(&alone).map(|plan| (plan.tunnels.len(), plan.forwards[0].route.clone()));
            let wanted = best(&topology, &chains, &forward.to).map(|(_, tunnels, _, hosts)| (tunnels, hosts));
            prop_assert_eq!(found, wanted);
        }
    }

    #[test]
    fn every_dial_is_allowed_and_every_tunnel_needed(topology in topologies().prop_map(reachable)) {
        let plan = planned(&topology).unwrap();
        let allowed = |from: &HostId, to: &HostId, port: u16| {
            let mut links = topology.links.iter().filter(|link| link.from == *from && link.to == *to);
            links.any(|link| lets_through(&topology, link, port))
        };
        for tunnel in &plan.tunnels {
            let below = tunnel.through.as_ref().map(|id| plan.tunnel(id).unwrap());
            let from = below.map_or(HostId::local(), |below| below.server.id.clone());
            prop_assert!(tunnel.server.ssh && allowed(&from, &tunnel.server.id, tunnel.target.port));
            prop_assert_eq!(tunnel.hop, below.map_or(1, |below| below.hop + 1));
            prop_assert_eq!(tunnel.carrier.is_some(), below.is_some());
            prop_assert!(plan.layers[tunnel.hop - 1].contains(&tunnel.id));
        }
        for planned in &plan.forwards {
            prop_assert_eq!(planned.via.as_ref(), planned.tunnels.last());
            if planned.goes_in() {
                prop_assert_eq!(planned.via.as_ref().map(|id| &plan.tunnel(id).unwrap().server.id), planned.route.last());
            } else if let Target::Dialled { host, port } = &planned.forward.to {
                let dialler = &planned.route[planned.route.len() - 2];
                prop_assert!(allowed(dialler, host, *port));
            }
        }
        let ridden: BTreeSet<_> = plan.forwards.iter().flat_map(|planned| &planned.tunnels).collect();
        prop_assert_eq!(ridden.len(), plan.tunnels.len());
        let layered: Vec<_> = plan.layers.iter().flatten().collect();
        prop_assert_eq!(layered, plan.tunnels.iter().map(|tunnel| &tunnel.id).collect::<Vec<_>>());
    }

    #[test]
    fn without_ties_the_order_of_links_does_not_matter(topology in topologies().prop_map(reachable)) {
        // Powers of two make every two sets of links cost differently.
        let mut topology = topology;
        for (n, link) in topology.links.iter_mut().enumerate() {
            link.cost = 1 << n;
        }
        let unplaced = |topology: &Topology| {
            let mut plan = planned(topology).unwrap();
            plan.tunnels.iter_mut().for_each(|tunnel| tunnel.link = 0);
            plan.forwards.iter_mut().for_each(|planned| {
                planned.links.clear();
                planned.alternatives.iter_mut().flatten().for_each(|other| other.links.clear());
            });
            plan
        };
        let forwards = unplaced(&topology);
        topology.links.reverse();
        prop_assert_eq!(unplaced(&topology), forwards);
    }

    #[test]
    fn every_plan_can_be_drawn_at_any_width(topology in topologies().prop_map(reachable), width in 0..100_usize) {
        let plan = planned(&topology).unwrap();
        let ascii = text(&plan, &topology, Style { glyphs: Glyphs::Ascii, width });
        let unicode = text(&plan, &topology, Style { glyphs: Glyphs::Unicode, width });
        prop_assert!(ascii.is_ascii());
        // One glyph for one: both pictures have the same shape.
        let shape = |text: &str| text.lines().map(|line| line.chars().count()).collect::<Vec<_>>();
        prop_assert_eq!(shape(&ascii), shape(&unicode));
        let listed = plan.tunnels.iter().all(|tunnel| ascii.contains(&format!("  {} ", tunnel.id)));
        prop_assert!(listed, "{}", ascii);
    }

    #[test]
    fn a_single_point_of_failure_is_a_host_that_no_route_does_without(topology in topologies().prop_map(reachable)) {
        let graph = Graph::new(&topology);
        let points = SinglePoints::new(&graph);
        for forward in &topology.forwards {
            let found: BTreeSet<HostId> = points.on_the_way_to(&forward.to).into_iter().collect();
            let needed = |host: &HostId| {
                let mut without = topology.clone();
                without.links.retain(|link| link.from != *host && link.to != *host);
                best(&without, &chains(&without), &forward.to).is_none()
            };
            let others = topology.hosts.iter().map(|host| &host.id).filter(|id| *id != forward.to.host());
            prop_assert_eq!(found, others.filter(|id| needed(id)).cloned().collect::<BTreeSet<_>>());
        }
    }
}
