//! Laws that hold for every explanation, against looking at every route there is.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Crossing, Explained, RUNNERS_UP, Route, explain};
use crate::plan::property::{chains, lets_through, routes, topologies};
use crate::plan::property_telescope::telescoped;
use crate::plan::show::{Glyphs, Style, why};
use crate::plan::{PlanError, PlanOptions, plan};
use crate::topology::{HostId, PortSet, Strategy as Placement, Target, Topology};

/// A route as trying everything gives it: cost, tunnels, links in order, hosts.
type Found = (u64, usize, Vec<usize>, Vec<HostId>);

fn found(route: &Route) -> Found {
    let links = route.hops.iter().map(|hop| hop.place).collect();
    (route.cost, route.tunnels, links, route.hosts().collect())
}

/// Every forward alone.
fn each(topology: &Topology) -> impl Iterator<Item = (Topology, Option<Explained>)> {
    topology.forwards.iter().map(|forward| {
        let alone = Topology { forwards: vec![forward.clone()], ..topology.clone() };
        let explained = explain(topology, Some(&forward.id), &PlanOptions::default()).forwards.pop();
        (alone, explained)
    })
}

fn between(hosts: &[HostId], target: &Target) -> BTreeSet<HostId> {
    hosts.iter().filter(|host| !host.is_local() && *host != target.host()).cloned().collect()
}

proptest! {
    #[test]
    fn the_best_four_routes_are_the_best_of_all(topology in topologies()) {
        let chains = chains(&topology);
        for (alone, explained) in each(&topology) {
            let target = &alone.forwards[0].to;
            let mut all = routes(&topology, &chains, target);
            all.sort();
            let Some(explained) = explained else {
                prop_assert!(all.is_empty());
                continue;
            };
            prop_assert!(!explained.cut);
            let told = std::iter::once(&explained.chosen).chain(&explained.runners_up).map(found);
            prop_assert_eq!(told.collect::<Vec<_>>(), all[..all.len().min(RUNNERS_UP + 1)].to_vec());
            let taken = between(&all[0].3, target);
            let apart = all[1..].iter().find(|route| between(&route.3, target).is_disjoint(&taken));
            prop_assert_eq!(explained.apart.as_ref().map(found), apart.cloned());
        }
    }

    #[test]
    fn an_explanation_keeps_to_the_plan_and_to_the_rules(topology in topologies()) {
        for (alone, explained) in each(&topology) {
            let plan = plan(&alone, &PlanOptions::default());
            let Some(explained) = explained else {
                let errors = explain(&alone, None, &PlanOptions::default()).errors;
                let told = plan.unwrap_err();
                prop_assert!(matches!(told.as_slice(), [PlanError::NoRoute(_)]) && errors.len() == 1);
                prop_assert!(errors[0].help().starts_with(&told[0].help()));
                prop_assert_eq!(errors[0].to_string(), told[0].to_string());
                continue;
            };
            let planned = &plan.unwrap().forwards[0];
            prop_assert_eq!(&planned.route, &explained.chosen.hosts().collect::<Vec<_>>());
            prop_assert_eq!(planned.tunnels.len(), explained.chosen.tunnels);
            let others = || explained.runners_up.iter().chain(&explained.apart);
            for route in others().chain([&explained.chosen]) {
                prop_assert_eq!(route.cost, route.hops.iter().map(|hop| u64::from(hop.link.cost)).sum::<u64>());
                prop_assert_eq!(route.tunnels, route.hops.iter().filter(|hop| hop.crossing == Crossing::Session).count());
                for hop in &route.hops {
                    prop_assert!(lets_through(&topology, &topology.links[hop.place], hop.target.port));
                }
            }
            for route in others() {
                prop_assert!((route.cost, route.tunnels) >= (explained.chosen.cost, explained.chosen.tunnels));
                prop_assert!(!route.is(&explained.chosen));
            }
        }
    }

    #[test]
    fn every_explanation_can_be_told_at_any_width(topology in topologies(), width in 0..100_usize) {
        let all = explain(&topology, None, &PlanOptions::default());
        let ascii = why(&all, Style { glyphs: Glyphs::Ascii, width });
        prop_assert!(ascii.is_ascii());
        let wide = why(&all, Style { glyphs: Glyphs::Unicode, width: 80 });
        prop_assert!(wide.lines().all(|line| line.chars().count() <= 80), "{}", wide);
    }
}

/// The plan without these links; every session may take them, where a client is started.
fn without(topology: &Topology, gone: impl Fn(usize, &HostId) -> bool) -> Option<(usize, u64, bool)> {
    let mut topology = topology.clone();
    for (place, link) in topology.links.iter_mut().enumerate() {
        if gone(place, &link.to) {
            link.ports = Some(PortSet::default());
        }
    }
    let plan = plan(&topology, &TELESCOPED).ok()?;
    let costs = plan.forwards[0].links.iter().map(|&place| u64::from(topology.links[place].cost));
    Some((plan.forwards[0].tunnels.len(), costs.sum(), plan.forwards[0].within))
}

const TELESCOPED: PlanOptions =
    PlanOptions { carrier: None, strategy: Some(Placement::Telescoped), at: None };

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn a_telescoped_explanation_keeps_to_the_plan(topology in telescoped()) {
        for forward in &topology.forwards {
            let alone = Topology { forwards: vec![forward.clone()], ..topology.clone() };
            let explained = explain(&alone, None, &TELESCOPED).forwards.pop();
            let Some(explained) = explained else {
                prop_assert!(plan(&alone, &TELESCOPED).is_err());
                continue;
            };
            let plan = plan(&alone, &TELESCOPED).unwrap();
            let (planned, chosen) = (&plan.forwards[0], &explained.chosen);
            prop_assert_eq!(&planned.links, &chosen.hops.iter().map(|hop| hop.place).collect::<Vec<_>>());
            prop_assert_eq!(&planned.route, &chosen.hosts().collect::<Vec<_>>());
            prop_assert_eq!(planned.tunnels.len(), chosen.tunnels);
            let keeps: BTreeSet<(usize, u16)> = plan.tunnels.iter().flat_map(|tunnel| plan.kept_by(&tunnel.id))
                .map(|(entry, _)| (entry.link, entry.port())).collect();
            let listeners = chosen.hops.iter().filter(|hop| hop.crossing == Crossing::Listener);
            prop_assert_eq!(listeners.map(|hop| (hop.place, hop.target.port)).collect::<BTreeSet<_>>(), keeps);
            prop_assert!(!explained.cut);
            let mut last = (chosen.tunnels, chosen.cost);
            for route in &explained.runners_up {
                let next = (route.tunnels, route.cost);
                prop_assert!(next >= last && !route.is(chosen));
                last = next;
                for hop in &route.hops {
                    prop_assert!(lets_through(&topology, &topology.links[hop.place], hop.target.port));
                }
            }
            // No route without one of the links is better than the first that is told.
            for hop in &chosen.hops {
                // One that goes into the target is no other where the target can be dialled.
                let other = without(&alone, |place, _| place == hop.place);
                if let Some((tunnels, cost, _)) = other.filter(|(_, _, within)| *within == planned.within) {
                    let other = (tunnels, cost);
                    let first = explained.runners_up.first().map(|route| (route.tunnels, route.cost));
                    prop_assert!(first.is_some_and(|first| first <= other), "{:?} {:?}", first, other);
                }
            }
            let hosts = between(&planned.route, &forward.to);
            for host in &hosts {
                let needed = without(&alone, |_, to| to == host).is_none();
                prop_assert_eq!(needed, explained.single_points.contains(host));
            }
            if !hosts.is_empty() {
                let apart = explained.apart.as_ref().map(|route| (route.tunnels, route.cost));
                let other = without(&alone, |_, to| hosts.contains(to));
                prop_assert_eq!(apart, other.map(|(tunnels, cost, _)| (tunnels, cost)));
            }
        }
    }
}

/// A graph with more routes than anyone could count, and one that is a dead end full of loops.
#[test]
fn large_graphs_are_explained_in_no_time() {
    let id = |n: usize| format!("h{n}");
    let hosts = |count| (0..count).fold(super::super::fixture::empty("big"), |all, n| all.with_host(&id(n)));
    let mut topology = hosts(10_000).with_link(HostId::LOCAL, &id(0));
    for n in 0..100_000 {
        topology = topology.with_link(&id(n % 10_000), &id((n * 7919 + n / 10_000 + 1) % 10_000));
    }
    topology = topology.forward_to("far", &id(5), 80);
    let all = explain(&topology, None, &PlanOptions::default());
    assert_eq!(all.forwards[0].runners_up.len(), RUNNERS_UP);

    let mut topology = hosts(60).with_link(HostId::LOCAL, &id(0)).with_target("web").with_link(&id(0), "web");
    for (from, to) in (0..60).flat_map(|from| (0..60).map(move |to| (from, to))) {
        topology = topology.with_link(&id(from), &id(to));
    }
    let all = explain(&topology.forward_to("web", "web", 80), None, &PlanOptions::default());
    assert_eq!((all.forwards[0].runners_up.len(), all.forwards[0].cut), (0, false));
}
