//! Laws of telescoped plans, against trying every walk there is.

use proptest::prelude::*;

use super::property::{lets_through, topologies};
use super::{Carrier, Plan, PlanOptions, plan};
use crate::topology::{Bind, Endpoint, HostClient, HostId, Plain, Strategy as Placement, Target, Topology};

/// Walks longer than this are not tried; a topology that needs them proves nothing.
const LONGEST: usize = 5;

/// Random topologies in which some hosts may run clients, and some forwards may begin plainly.
pub(super) fn telescoped() -> impl Strategy<Value = Topology> {
    let client = prop::sample::select(vec![None, Some(HostClient::Exec), Some(HostClient::Hopper)]);
    let host = (client, prop::bool::weighted(0.8));
    (topologies(), prop::collection::vec(host, 8), prop::collection::vec(any::<bool>(), 4)).prop_map(
        |(mut topology, hosts, plain)| {
            for (host, (client, any)) in topology.hosts.iter_mut().zip(hosts) {
                host.client = client;
                host.bind = if any { Bind::Any } else { Bind::Loopback };
            }
            for (forward, plain) in topology.forwards.iter_mut().zip(plain) {
                forward.plain = if plain { Plain::Ends } else { Plain::Last };
            }
            topology.links.retain(|link| link.from != link.to);
            topology
        },
    )
}

fn planned(topology: &Topology) -> Option<Plan> {
    let options = PlanOptions { strategy: Some(Placement::Telescoped), ..PlanOptions::default() };
    plan(topology, &options).ok()
}

/// All walks from this host, over links that fit, by number of links: where each ends and what it costs.
fn walks(topology: &Topology, from: &HostId, fits: &dyn Fn(usize) -> bool) -> Vec<Vec<(HostId, u64)>> {
    let mut all = vec![vec![(from.clone(), 0)]];
    for links in 0..LONGEST {
        let mut longer = Vec::new();
        for (host, cost) in &all[links] {
            for (place, link) in topology.links.iter().enumerate() {
                if link.from == *host && fits(place) {
                    longer.push((link.to.clone(), cost + u64::from(link.cost)));
                }
            }
        }
        // Of the walks to one host with as many links, only the cheapest matters.
        longer.sort();
        longer.dedup_by(|later, first| later.0 == first.0);
        all.push(longer);
    }
    all
}

/// The fewest tunnels and their least cost, found by trying everything.
fn best(topology: &Topology, target: &Target, plain: bool) -> Option<(usize, u64)> {
    let session = |place: usize| {
        let link = &topology.links[place];
        let server = topology.host(&link.to).unwrap();
        server.ssh && lets_through(topology, link, server.address.port)
    };
    let mut reached = vec![HostId::local()];
    for _ in 0..topology.hosts.len() {
        for (place, link) in topology.links.iter().enumerate() {
            if session(place) && reached.contains(&link.from) && !reached.contains(&link.to) {
                reached.push(link.to.clone());
            }
        }
    }
    let step = |place: usize| {
        let link = &topology.links[place];
        let to = topology.host(&link.to).unwrap();
        let runs = match to.client {
            Some(HostClient::Hopper) => true,
            Some(HostClient::Exec) => reached.contains(&to.id),
            None => false,
        };
        let high = (1024..=u16::MAX).any(|port| lets_through(topology, link, port));
        runs && to.bind == Bind::Any && high
    };
    let mut found = Vec::new();
    for (steps, starts) in walks(topology, &HostId::local(), &step).into_iter().enumerate() {
        for (start, before) in starts {
            for (tunnels, ends) in walks(topology, &start, &session).into_iter().enumerate() {
                let enough = if plain { steps <= tunnels } else { steps == 0 || steps < tunnels };
                let ends = ends.into_iter().filter(|_| enough);
                found.extend(ends.flat_map(|(last, cost)| {
                    let last = dials(topology, &last, target).into_iter();
                    last.map(move |dial| (tunnels, before + cost + dial))
                }));
            }
        }
    }
    found.into_iter().min()
}

/// What it costs this host to dial the target, for each way in which it can.
fn dials(topology: &Topology, last: &HostId, target: &Target) -> Vec<u64> {
    match target {
        Target::Within { host, .. } => (last == host).then_some(0).into_iter().collect(),
        Target::Dialled { host, port } => {
            let links = topology.links.iter().filter(|link| link.from == *last && link.to == *host);
            let open = links.filter(|link| lets_through(topology, link, *port));
            open.map(|link| u64::from(link.cost)).collect()
        }
    }
}

/// The target dialled by its own host.
fn own(topology: &Topology, target: &Target) -> Option<Target> {
    let endpoint = Endpoint::Unix(String::new());
    match target {
        Target::Dialled { host, .. } if topology.host(host).unwrap().ssh => {
            Some(Target::Within { host: host.clone(), endpoint })
        }
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_planner_finds_the_fewest_tunnels_that_trying_everything_finds(topology in telescoped()) {
        for forward in &topology.forwards {
            let alone = Topology { forwards: vec![forward.clone()], ..topology.clone() };
            let plain = forward.plain == Plain::Ends;
            let wanted = best(&topology, &forward.to, plain)
                .or_else(|| own(&topology, &forward.to).and_then(|own| best(&topology, &own, plain)));
            let found = planned(&alone).map(|plan| {
                let planned = &plan.forwards[0];
                let costs = planned.links.iter().map(|&place| u64::from(topology.links[place].cost));
                (planned.tunnels.len(), costs.sum::<u64>())
            });
            match (found, wanted) {
                (Some((tunnels, _)), None) => prop_assert!(tunnels > LONGEST),
                (found, wanted) => prop_assert_eq!(found, wanted),
            }
        }
    }

    #[test]
    fn every_dial_is_allowed_and_everything_stands_on_something(topology in telescoped()) {
        let Some(plan) = planned(&topology) else { return Ok(()) };
        let allowed = |from: &str, place: usize, port: u16| {
            let link = &topology.links[place];
            link.from.as_str() == from && lets_through(&topology, link, port)
        };
        for (at, tunnel) in plan.tunnels.iter().enumerate() {
            let below = tunnel.through.as_ref().map(|id| plan.tunnel(id).unwrap());
            let dialler = below.map_or(tunnel.client.name(), |below| below.server.id.as_str());
            prop_assert!(tunnel.server.ssh && allowed(dialler, tunnel.link, tunnel.target.port));
            match &tunnel.carrier {
                Some(Carrier::Entry(entry)) => {
                    prop_assert_eq!(below.unwrap().client.host(), Some(&entry.host));
                    prop_assert!(allowed(tunnel.client.name(), entry.link, entry.port()));
                    prop_assert!(plan.kept_by(&below.unwrap().id).iter().any(|(kept, _)| *kept == entry));
                }
                Some(_) => prop_assert!(tunnel.client.is_local() && below.unwrap().client.is_local()),
                None => prop_assert!(below.is_none()),
            }
            if let Some(host) = tunnel.client.host() {
                let host = topology.host(host).unwrap();
                prop_assert!(host.bind == Bind::Any && host.client == tunnel.client.kind());
            }
            if let Some(control) = tunnel.client.control() {
                let control = plan.tunnel(control).unwrap();
                prop_assert!(control.client.is_local());
                prop_assert_eq!(Some(&control.server.id), tunnel.client.host());
            }
            for under in tunnel.needs() {
                prop_assert!(plan.place(under).unwrap() < at);
            }
            let stood_on = plan.tunnels.iter().any(|above| above.needs().any(|id| *id == tunnel.id))
                || plan.forwards.iter().any(|planned| planned.via.as_ref() == Some(&tunnel.id));
            prop_assert!(stood_on, "nothing needs {}", tunnel.id);
        }
        for planned in &plan.forwards {
            prop_assert_eq!(planned.via.as_ref(), planned.tunnels.last());
            let outermost = planned.via.as_ref().map(|id| &plan.tunnel(id).unwrap().client);
            match (&planned.entry, outermost) {
                (Some(entry), Some(client)) => {
                    prop_assert_eq!(client.host(), Some(&entry.host));
                    prop_assert!(allowed(HostId::LOCAL, entry.link, entry.port()));
                    prop_assert_eq!(planned.forward.plain, Plain::Ends);
                }
                (entry, client) => prop_assert!(entry.is_none() && client.is_none_or(|it| it.is_local())),
            }
        }
    }
}
