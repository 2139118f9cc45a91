//! Telescoped plans, counted.

use crate::plan::fixture::{line, vnc};
use crate::plan::{Carrier, Plan, PlanOptions, plan};
use crate::topology::{Bind, Endpoint, HostClient, Plain, Strategy, Topology};

fn telescoped(topology: &Topology) -> Plan {
    let options = PlanOptions { strategy: Some(Strategy::Telescoped), ..PlanOptions::default() };
    plan(topology, &options).unwrap()
}

#[test]
fn the_picture_of_the_source_document_takes_two_tunnels() {
    let plan = telescoped(&vnc().with_clients_everywhere());
    // T1 is the session to gate-b, over which its ssh is started.
    let tunnel = |n: usize| &plan.tunnels[n];
    assert!(plan.is_control(&tunnel(0).id) && tunnel(0).client.is_local());
    let (inner, outer) = (tunnel(1), tunnel(2));
    assert_eq!((inner.client.name(), inner.server.id.as_str()), ("gate-b", "gate-c"));
    assert_eq!((inner.client.control(), inner.through.as_ref()), (Some(&tunnel(0).id), None));
    assert_eq!((outer.client.name(), outer.server.id.as_str()), ("local", "gate-d"));
    assert_eq!(outer.through.as_ref(), Some(&inner.id));
    assert!(matches!(&outer.carrier, Some(Carrier::Entry(entry)) if entry.dial.to_string() == "gate-b:2201"));
    assert_eq!(plan.kept_by(&inner.id)[0].1.to_string(), "gate-d:22");
    assert_eq!(plan.forwards[0].tunnels, [inner.id.clone(), outer.id.clone()]);
    assert_eq!((plan.hops(), plan.longest(), plan.reach()), (4, 2, 5));
}

#[test]
fn each_telescoped_tunnel_gains_a_hop_at_both_ends() {
    for hops in 1..=12_usize {
        let mut topology = line(hops).with_clients_everywhere();
        let protected = if hops == 1 { 0 } else { hops.div_ceil(2) };
        assert_eq!((telescoped(&topology).longest(), telescoped(&topology).hops()), (protected, hops));
        topology.forwards[0].plain = Plain::Ends;
        let plan = telescoped(&topology);
        assert_eq!((plan.longest(), plan.hops()), ((hops - 1).div_ceil(2), hops));
        assert!(plan.reach() >= hops);
    }
}

/// Neither host in between takes logins, so nothing shorter than two listeners and two sessions leads on.
#[test]
fn a_walk_may_begin_where_shorter_ones_go_nowhere() {
    let mut topology = line(5);
    for host in &mut topology.hosts[..2] {
        (host.ssh, host.client, host.bind) = (false, Some(HostClient::Hopper), Bind::Any);
    }
    topology.forwards[0].plain = Plain::Ends;
    let plan = telescoped(&topology);
    assert_eq!((plan.longest(), plan.hops()), (2, 5));
}

#[test]
fn without_hosts_that_may_run_clients_both_strategies_are_one() {
    for hops in 1..=6 {
        let nested = plan(&line(hops), &PlanOptions::default()).unwrap();
        let mut plan = telescoped(&line(hops));
        plan.strategy = Strategy::Nested;
        assert_eq!(plan, nested);
    }
}

#[test]
fn listeners_on_one_host_have_ports_of_their_own() {
    let topology = vnc().forward_to("other", "screen", 5900).with_clients_everywhere();
    let mut topology = topology.forward_within("own", "gate-c", Endpoint::Unix("/run/x".to_owned()));
    topology.forwards.iter_mut().for_each(|forward| forward.plain = Plain::Ends);
    let plan = telescoped(&topology);
    let carriers = plan.tunnels.iter().filter_map(|tunnel| match &tunnel.carrier {
        Some(Carrier::Entry(entry)) => Some(entry.to_string()),
        _ => None,
    });
    let entries = plan.forwards.iter().filter_map(|planned| Some(planned.entry.as_ref()?.to_string()));
    let all: Vec<_> = carriers.chain(entries).collect();
    let apart: std::collections::BTreeSet<_> = all.iter().collect();
    assert!(all.len() > 1 && all.len() == apart.len(), "{all:?}");
}
