//! What stands by, and where none does.

use proptest::prelude::*;

use super::*;
use crate::plan::fixture::{empty, line, vnc};
use crate::plan::property::topologies;
use crate::plan::{PlanOptions, plan, show};
use crate::topology::{Failover, Topology};

/// An edge with two gates behind it, and a third gate that is dearer and needs no edge.
fn gates() -> Topology {
    empty("gates")
        .with_host("edge")
        .with_host("gate-1")
        .with_host("gate-2")
        .with_host("far")
        .with_target("web")
        .with_link("local", "edge")
        .with_link("edge", "gate-1")
        .with("edge", "gate-2", |link| link.cost = 20)
        .with("local", "far", |link| link.cost = 90)
        .with_link("gate-1", "web")
        .with_link("gate-2", "web")
        .with_link("far", "web")
        .forward_to("web", "web", 80)
}

fn asked(mut topology: Topology) -> Topology {
    topology.policy.failover = Some(Failover::default());
    topology
}

fn planned(topology: &Topology) -> Plan {
    plan(topology, &PlanOptions::default()).unwrap()
}

/// The hosts between, way by way, with the tunnels.
fn told(planned: &PlannedForward) -> Vec<String> {
    let words = |way: &PlannedForward| {
        let hosts = way.route[1..way.route.len() - 1].iter().map(ToString::to_string);
        let tunnels = way.tunnels.iter().map(ToString::to_string);
        format!("{}: {}", hosts.collect::<Vec<_>>().join(" "), tunnels.collect::<Vec<_>>().join(" "))
    };
    planned.ways().map(words).collect()
}

#[test]
fn for_each_host_a_way_stands_by_that_shares_what_it_can() {
    let plan = planned(&asked(gates()));
    assert_eq!(told(&plan.forwards[0]), ["edge gate-1: T1 T2", "edge gate-2: T1 T4", "far: T3"]);
    let stands: Vec<bool> = plan.tunnels.iter().map(|tunnel| tunnel.standby).collect();
    assert_eq!(stands, [false, false, true, true], "what is built at first comes first");
    let beside = plan.forwards[0].hosts_beside(plan.forwards[0].way(1));
    assert_eq!(beside, [&HostId::new("gate-1")]);
    assert!(plan.tunnels.iter().all(|tunnel| !plan.is_control(&tunnel.id)));
}

#[test]
fn a_plan_that_does_not_ask_has_none_and_the_preferred_part_is_that_plan() {
    let (with, without) = (planned(&asked(gates())), planned(&gates()));
    assert!(without.forwards[0].standby.is_empty() && without.tunnels.len() == 2);
    assert_eq!(Plan { failover: None, ..with.preferred() }, without);
    assert_eq!(show::json(&without)["forwards"][0].get("standby"), None);
}

#[test]
fn where_there_is_no_other_route_nothing_stands_by() {
    for topology in [vnc(), line(3)] {
        let plan = planned(&asked(topology));
        assert!(plan.forwards[0].standby.is_empty() && plan.tunnels.iter().all(|tunnel| !tunnel.standby));
    }
}

#[test]
fn a_listener_on_another_host_is_reached_by_another_way_as_well() {
    let mut topology = empty("back")
        .with_host("a")
        .with_host("b")
        .with_host("in")
        .with_link("local", "a")
        .with("local", "b", |link| link.cost = 20)
        .with_link("a", "in")
        .with_link("b", "in")
        .with_target("web")
        .with_link("local", "web")
        .forward_to("back", "web", 80);
    topology.forwards[0].on = Some(HostId::new("in"));
    let plan = planned(&asked(topology));
    let ways: Vec<String> =
        plan.forwards[0].ways().map(|way| way.listener.as_ref().unwrap().route[1].to_string()).collect();
    assert_eq!(ways, ["a", "b"]);
}

#[test]
fn telescoped_ways_have_standbys_with_every_client_at_local() {
    let mut topology = asked(gates()).with_clients_everywhere();
    topology.policy.strategy = crate::topology::Strategy::Telescoped;
    let plan = planned(&topology);
    assert!(!plan.forwards[0].standby.is_empty());
    let standing = plan.tunnels.iter().filter(|tunnel| tunnel.standby);
    assert!(standing.clone().count() > 0 && standing.clone().all(|tunnel| tunnel.client.is_local()));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Wherever a host on the way has a stand-in, a way without it stands by; tunnels keep their order; what is
    /// built at first is what would be built without; and the same input gives the same plan.
    #[test]
    fn whichever_host_fails_a_way_avoids_it(topology in topologies()) {
        let Ok(without) = plan(&topology, &PlanOptions::default()) else { return Ok(()) };
        let topology = asked(topology);
        let with = planned(&topology);
        prop_assert_eq!(&with, &planned(&topology));
        prop_assert_eq!(&Plan { failover: None, ..with.preferred() }, &without);
        for (place, tunnel) in with.tunnels.iter().enumerate() {
            prop_assert!(tunnel.needs().all(|id| with.place(id).is_some_and(|below| below < place)));
        }
        let graph = Graph::new(&topology);
        let points = crate::plan::single_point::SinglePoints::new(&graph);
        for planned in &with.forwards {
            let single = points.of(&planned.forward);
            let target = planned.forward.to.host();
            for host in planned.route.iter().filter(|host| !host.is_local() && *host != target) {
                let avoided = planned.standby.iter().any(|way| !way.route.contains(host));
                prop_assert_eq!(avoided, !single.contains(host), "{}", host);
            }
            for way in &planned.standby {
                prop_assert_eq!(&way.forward, &planned.forward);
                prop_assert!(way.tunnels.iter().all(|id| with.tunnel(id).is_some()));
            }
        }
    }
}
