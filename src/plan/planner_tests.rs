//! What a plan is made of, for topologies that show one thing each.

use super::*;
use crate::plan::fixture::{empty, line, vnc};
use crate::plan::{Carrier, TunnelId};
use crate::topology::{Address, Endpoint, ForwardId};

fn planned(topology: &Topology) -> Plan {
    plan(topology, &PlanOptions::default()).unwrap()
}

fn route(plan: &Plan, forward: usize) -> Vec<&str> {
    plan.forwards[forward].route.iter().map(|id| id.as_str()).collect()
}

#[test]
fn vnc_takes_three_tunnels_each_riding_the_one_before() {
    let plan = planned(&vnc());
    let through: Vec<_> = plan.tunnels.iter().map(|t| t.through.as_ref().map(|id| id.0.as_str())).collect();
    assert_eq!(through, [None, Some("T1"), Some("T2")]);
    assert!(plan.tunnels.iter().all(|tunnel| tunnel.client.is_local()));
    let carriers: Vec<_> = plan.tunnels.iter().map(|tunnel| tunnel.carrier.clone()).collect();
    assert_eq!(carriers, [None, Some(Carrier::Channel), Some(Carrier::Channel)]);
    assert_eq!(plan.forwards[0].via, Some(TunnelId("T3".to_owned())));
    assert_eq!(plan.forwards[0].target.to_string(), "screen:5900");
    assert_eq!(route(&plan, 0), ["local", "gate-b", "gate-c", "gate-d", "screen"]);
    assert_eq!((plan.hops(), plan.reach(), plan.layers.len()), (4, 4, 3));
}

#[test]
fn as_many_tunnels_reach_one_hop_more() {
    for hops in 1..=12 {
        let plan = planned(&line(hops));
        assert_eq!((plan.tunnels.len(), plan.hops(), plan.reach()), (hops - 1, hops, hops));
        assert_eq!(plan.layers.len(), hops - 1);
    }
}

#[test]
fn what_local_can_dial_needs_no_tunnel() {
    let plan =
        planned(&empty("near").with_target("web").with_link("local", "web").forward_to("w", "web", 80));
    assert_eq!((plan.tunnels.len(), plan.forwards[0].via.as_ref()), (0, None));
    assert_eq!(plan.forwards[0].tunnels, []);
}

#[test]
fn within_takes_a_session_on_the_host_itself() {
    let own = Endpoint::Tcp(Address::new("127.0.0.1", 5432));
    let topology = empty("db")
        .with_host("gate")
        .with_host("db")
        .with_link("local", "gate")
        .with("gate", "db", |link| link.only(22))
        .forward_within("db", "db", own.clone())
        .forward_within("here", HostId::LOCAL, own.clone());
    let plan = planned(&topology);
    assert_eq!(plan.forwards[0].via, Some(TunnelId("T2".to_owned())));
    assert_eq!((plan.forwards[0].hops(), &plan.forwards[0].target), (2, &own));
    assert_eq!((route(&plan, 1), &plan.forwards[1].via), (vec!["local"], &None));
}

#[test]
fn shared_beginnings_share_tunnels_and_unneeded_hosts_get_none() {
    let topology = empty("two")
        .with_host("gate")
        .with_host("idle")
        .with_target("a")
        .with_target("b")
        .with_link("local", "gate")
        .with_link("local", "idle")
        .with_link("gate", "a")
        .with_link("gate", "b")
        .forward_to("a", "a", 80)
        .forward_to("b", "b", 80);
    let plan = planned(&topology);
    assert_eq!(plan.tunnels.len(), 1);
    assert_eq!(plan.forwards[0].via, plan.forwards[1].via);
}

#[test]
fn ties_go_to_fewer_tunnels_then_to_the_link_declared_first() {
    let ends = |first: &str, second: &str| {
        empty("tie")
            .with_host("x")
            .with_host("y")
            .with_host("mid")
            .with_host("in")
            .with_link("local", first)
            .with_link("local", second)
            .with_link("y", "in")
            .with_link("x", "in")
            .with("local", "mid", |link| link.cost = 0)
            .with("mid", "x", |link| link.cost = 10)
            .with_link("in", "mid")
            .forward_to("far", "in", 80)
    };
    assert_eq!(route(&planned(&ends("x", "y")), 0), ["local", "x", "in"]);
    assert_eq!(route(&planned(&ends("y", "x")), 0), ["local", "y", "in"]);
}

#[test]
fn the_best_usable_of_parallel_links_counts() {
    let topology = empty("parallel")
        .with_wall("w", 22..=22)
        .with_host("gate")
        .with_target("web")
        .with("local", "gate", |link| {
            (link.cost, link.through) = (1, vec![crate::topology::FirewallId("w".into())])
        })
        .with("local", "gate", |link| link.seen_as("gate.example.net", Some(2222)))
        .with("gate", "web", |link| link.only(22))
        .with("gate", "web", |link| link.seen_as("10.0.0.9", Some(8080)))
        .forward_to("web", "web", 80);
    let plan = planned(&topology);
    assert_eq!(plan.tunnels[0].target, Address::new("gate.example.net", 2222));
    assert_eq!(plan.forwards[0].target, Endpoint::Tcp(Address::new("10.0.0.9", 80)));
}

#[test]
fn the_run_overrides_how_sessions_ride() {
    let topology = empty("ride")
        .with_host("a")
        .with_host("b")
        .with_host("c")
        .with_link("local", "a")
        .with("a", "b", |link| link.carrier = Some(CarrierKind::Port))
        .with_link("b", "c")
        .forward_within("x", "c", Endpoint::Unix("/run/x".to_owned()));
    let carriers = |carrier| {
        let plan = plan(&topology, &PlanOptions { carrier, ..PlanOptions::default() }).unwrap();
        plan.tunnels.iter().map(|tunnel| tunnel.carrier.as_ref().map(Carrier::kind)).collect::<Vec<_>>()
    };
    let (channel, port) = (Some(CarrierKind::Channel), Some(CarrierKind::Port));
    assert_eq!(carriers(None), [None, port, channel]);
    assert_eq!(carriers(port), [None, port, port]);
    assert_eq!(carriers(channel), [None, channel, channel]);
}

#[test]
fn a_fixed_port_can_be_taken_once() {
    let mut topology = vnc();
    topology.links[1].carrier = Some(CarrierKind::Port);
    topology.links[1].listen = Some(topology.forwards[0].listen);
    let errors = plan(&topology, &PlanOptions::default()).unwrap_err();
    assert_eq!(errors[0].code(), "H0202");
    assert_eq!(
        errors[0].to_string(),
        "the carrier to gate-c listens on 127.0.0.1:5901, which forward vnc takes already"
    );
}

#[test]
fn every_forward_without_a_route_is_named() {
    let topology = vnc().forward_to("other", "screen", 80).forward_to("more", "screen", 443);
    let errors = plan(&topology, &PlanOptions::default()).unwrap_err();
    let named: Vec<_> = errors
        .iter()
        .filter_map(|error| match error {
            PlanError::NoRoute(error) => Some(&error.forward),
            _ => None,
        })
        .collect();
    assert_eq!(named, [&ForwardId("other".to_owned()), &ForwardId("more".to_owned())]);
}

/// A wide graph, a deep one, and one full of ties: none may take time that grows with links × hosts.
#[test]
fn ten_thousand_hosts_are_planned_in_no_time() {
    let id = |n: usize| format!("h{n}");
    let mut topology = (0..10_000).fold(empty("big"), |topology, n| topology.with_host(&id(n)));
    topology = topology.with_link(HostId::LOCAL, &id(0));
    for n in 0..100_000 {
        topology = topology.with_link(&id(n % 10_000), &id((n * 7919 + n / 10_000 + 1) % 10_000));
    }
    for n in 0..1_000 {
        topology = topology.forward_to(&id(n), &id((n * 31 + 5) % 10_000), 80);
    }
    assert_eq!(planned(&topology).forwards.len(), 1_000);
}
